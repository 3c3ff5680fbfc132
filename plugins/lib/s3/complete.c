/* SPDX-License-Identifier: MIT
 *
 * The end of an upload in parts: the service makes an object of them, which is
 * compared; where nobody heard whether it did, the object itself is asked.
 */
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "multipart.h"
#include "reconcile.h"

/* The ETag that S3 makes of the parts: the MD5 of their MD5s, "-", their
 * number.  "" where nobody can know it before. */
static void expected_etag(const struct put *put, char out[64]) {
  const struct multipart *multipart = put->multipart;
  unsigned char md5[16];
  char hex[33];
  out[0] = '\0';
  if (!s3_etag_is_of_parts(put->loop) || multipart->opaque)
    return;
  digest_md5(md5, multipart->md5s, 16 * (size_t)multipart->count);
  codec_hex(hex, md5, sizeof md5);
  snprintf(out, 64, "%s-%u", hex, multipart->count);
}

static void on_completed(void *arg, struct s3_call *call,
                         const struct s3_answer *answer) {
  static const struct reconcile_ends ends = {multipart_end, multipart_give_up};
  struct put *put = arg;
  char etag[160] = "", wanted[64];
  put->call = NULL;
  put->multipart->opaque |= !s3_etag_tells(call);
  expected_etag(put, wanted);
  /* An attempt before may have ended it, and the client's own, too. */
  bool lost = strcmp(answer->code, "NoSuchUpload") == 0;
  if (answer->status == SLUICE_OK)
    s3_etag(etag, answer->xml->etag);
  memcpy(put->stored, etag, sizeof etag);
  if (answer->status == SLUICE_OK && wanted[0] != '\0' &&
      strcmp(etag, wanted) == 0) {
    multipart_end(put, SLUICE_OK, NULL); /* which says the length, too */
  } else if (answer->status == SLUICE_OK) {
    reconcile_start(put, wanted, &ends);
  } else if (answer->status == SLUICE_EPRECOND) {
    put_keep_failure(put, put_refusal(put), answer->why);
    reconcile_start(put, wanted, &ends);
  } else if (lost || answer->outcome_unknown) {
    put_keep_failure(put, answer->status, answer->why);
    reconcile_start(put, wanted, &ends);
  } else {
    multipart_give_up(put, answer->status, answer->why);
  }
}

static void add_escaped(struct buf *document, const char *text) {
  for (; *text != '\0'; text++)
    if (strchr("<>&", *text) != NULL)
      buf_addf(document, "&#%d;", *text);
    else
      buf_addc(document, *text);
}

static void complete_write_document(struct buf *document,
                                    const struct multipart *multipart) {
  buf_adds(document, "<CompleteMultipartUpload>");
  for (uint32_t i = 0; i < multipart->count; i++) {
    buf_addf(document, "<Part><PartNumber>%u</PartNumber><ETag>", i + 1);
    add_escaped(document, multipart->etags[i]);
    buf_adds(document, "</ETag></Part>");
  }
  buf_adds(document, "</CompleteMultipartUpload>");
}

static void complete(struct put *put) {
  static const struct s3_events events = {.done = on_completed};
  struct multipart *multipart = put->multipart;
  struct buf *document = &multipart->document;
  put->request =
      (struct s3_request){.method = "POST",
                          .key = put->key,
                          .query = {{"uploadId", multipart->upload_id}},
                          .headers = {{"Content-Type", "application/xml"}},
                          .op = put->op,
                          .data = document->data,
                          .length = document->len,
                          .expected = XML_COMPLETE,
                          .wants_xml = true};
  if (s3_guards(put->loop->s3) & S3_GUARDS_PARTS)
    put_conditions(put, put->request.headers + 1);
  unsigned char sha256[32];
  digest_sha256(sha256, document->data, document->len);
  codec_hex(put->sha256_hex, sha256, sizeof sha256);
  put->request.sha256 = put->sha256_hex;
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

void complete_go_on(struct put *put, enum sluice_status status,
                    const char *why) {
  if (put->multipart->aborting)
    return;
  if (status == SLUICE_OK)
    complete(put);
  else
    multipart_give_up(put, status, why);
}

void complete_start(struct put *put) {
  struct multipart *multipart = put->multipart;
  complete_write_document(&multipart->document, multipart);
  if (multipart->document.overflown)
    multipart_give_up(put, SLUICE_EUPSTREAM, "the list of parts is too long");
  else if (put->last != NULL)
    put->last(put->ended_arg);
  else
    complete(put);
}

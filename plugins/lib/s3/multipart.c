/* SPDX-License-Identifier: MIT
 *
 * An upload in parts: begun, parts of equal size sent several at a time, each
 * with its digests, completed and compared; given up as a whole when a part
 * fails or the client leaves.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "put.h"

#define COMPLETE_MAX (4u << 20) /* bytes of the list of 10000 parts */
#define MIB ((uint64_t)1 << 20)

struct part { /* one that is under way */
  struct put *put;
  uint32_t number; /* from 1; 0: idle */
  struct spool_sum sum;
  bool summing;
  struct s3_call *call;
  struct s3_request request;
  char number_text[12], md5_base64[32], sha256_hex[65];
};

struct multipart {
  char *upload_id;
  uint64_t part_size;
  uint32_t count, next, finished;
  unsigned char (*md5s)[16]; /* of all parts: what the ETag is made of */
  struct part *parts;        /* conf->parallel_parts of them */
  size_t slots;
  struct buf document;
  enum sluice_status failure;
  char why[512];
  bool aborting;
};

static void advance(struct put *put);

static void multipart_end(struct put *put, enum sluice_status status,
                          const char *why) {
  struct multipart *multipart = put->multipart;
  put->multipart = NULL;
  put_end(put, status, why);
  free(multipart->upload_id);
  free(multipart->md5s);
  free(multipart->parts);
  buf_fini(&multipart->document);
  free(multipart);
}

/* ---- giving up ---------------------------------------------------------- */

static void on_aborted(void *arg, struct s3_call *call,
                       const struct s3_answer *answer) {
  struct put *put = arg;
  (void)call;
  put->call = NULL;
  if (answer->status != SLUICE_OK && answer->status != SLUICE_ENOENT)
    sluice_log(put->loop->host, SLUICE_LOG_WARN,
               "an unfinished upload is left behind: %s", answer->why);
  multipart_end(put, put->multipart->failure, put->multipart->why);
}

static bool any_busy(const struct multipart *multipart) {
  for (size_t i = 0; i < multipart->slots; i++)
    if (multipart->parts[i].number != 0)
      return true;
  return false;
}

/* When nothing of it is under way any more. */
static void abort_when_idle(struct put *put) {
  static const struct s3_events events = {.done = on_aborted};
  struct multipart *multipart = put->multipart;
  if (any_busy(multipart) || put->call != NULL)
    return;
  if (multipart->upload_id == NULL) {
    multipart_end(put, multipart->failure, multipart->why);
    return;
  }
  put->request =
      (struct s3_request){.method = "DELETE",
                          .key = put->key,
                          .query = {{"uploadId", multipart->upload_id}}};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

static void give_up(struct put *put, enum sluice_status status,
                    const char *why) {
  struct multipart *multipart = put->multipart;
  if (multipart->aborting)
    return;
  multipart->aborting = true;
  multipart->failure = status;
  snprintf(multipart->why, sizeof multipart->why, "%s",
           why == NULL ? "" : why);
  for (size_t i = 0; i < multipart->slots; i++) {
    struct part *part = &multipart->parts[i];
    if (part->call == NULL)
      continue;
    s3_call_cancel(part->call);
    part->call = NULL;
    part->number = 0;
  }
  abort_when_idle(put);
}

void multipart_cancel(struct put *put) {
  if (put->multipart->aborting)
    return; /* it is on its way */
  if (put->call != NULL) {
    s3_call_cancel(put->call);
    put->call = NULL;
  }
  give_up(put, SLUICE_ECANCELED, "canceled");
}

/* ---- the end ------------------------------------------------------------ */

/* What S3 makes of the parts: the MD5 of their MD5s, "-", their number. */
static void expected_etag(const struct multipart *multipart, char out[64]) {
  unsigned char md5[16];
  char hex[33];
  digest_md5(md5, multipart->md5s, 16 * (size_t)multipart->count);
  codec_hex(hex, md5, sizeof md5);
  snprintf(out, 64, "%s-%u", hex, multipart->count);
}

/* What was made isn't what was sent, or nobody knows: it shall not be found.
 */
static void on_removed(void *arg, struct s3_call *call,
                       const struct s3_answer *answer) {
  struct put *put = arg;
  (void)call, (void)answer;
  put->call = NULL;
  multipart_end(put, put->multipart->failure, put->multipart->why);
}

static void remove_doubtful(struct put *put, enum sluice_status status,
                            const char *why) {
  static const struct s3_events events = {.done = on_removed};
  struct multipart *multipart = put->multipart;
  multipart->aborting = true;
  multipart->failure = status;
  snprintf(multipart->why, sizeof multipart->why, "%s", why);
  put->request = (struct s3_request){.method = "DELETE", .key = put->key};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

static void on_compared(void *arg, struct s3_call *call,
                        const struct s3_answer *answer) {
  struct put *put = arg;
  const char *length = s3_call_header(call, "Content-Length");
  char etag[160], wanted[64];
  s3_etag(etag, s3_call_header(call, "ETag"));
  expected_etag(put->multipart, wanted);
  put->call = NULL;
  bool same =
      length != NULL && strtoull(length, NULL, 10) == put->length &&
      (!put->loop->s3->dialect->multipart_etag || strcmp(etag, wanted) == 0);
  if (answer->status == SLUICE_OK && same)
    multipart_end(put, SLUICE_OK, NULL);
  else if (answer->status == SLUICE_OK)
    remove_doubtful(put, SLUICE_EUPSTREAM,
                    "the service made another object of the parts; removed");
  else
    remove_doubtful(put,
                    answer->status == SLUICE_ENOENT ? SLUICE_EUPSTREAM
                                                    : answer->status,
                    answer->why);
}

/* Also when the answer to Complete was lost: then the object tells. */
static void compare(struct put *put) {
  static const struct s3_events events = {.done = on_compared};
  put->request = (struct s3_request){.method = "HEAD", .key = put->key};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

static void on_completed(void *arg, struct s3_call *call,
                         const struct s3_answer *answer) {
  struct put *put = arg;
  (void)call;
  put->call = NULL;
  bool lost =
      answer->attempts > 1 && strcmp(answer->code, "NoSuchUpload") == 0;
  char etag[160] = "", wanted[64];
  if (answer->status == SLUICE_OK)
    s3_etag(etag, answer->xml->etag);
  expected_etag(put->multipart, wanted);
  if (answer->status == SLUICE_OK && put->loop->s3->dialect->multipart_etag &&
      strcmp(etag, wanted) == 0)
    multipart_end(put, SLUICE_OK, NULL); /* which says the length, too */
  else if (answer->status == SLUICE_OK || lost)
    compare(put);
  else
    give_up(put, answer->status, answer->why);
}

static void complete(struct put *put) {
  static const struct s3_events events = {.done = on_completed};
  struct multipart *multipart = put->multipart;
  struct buf *document = &multipart->document;
  buf_adds(document, "<CompleteMultipartUpload>");
  for (uint32_t i = 0; i < multipart->count; i++) {
    char hex[33];
    codec_hex(hex, multipart->md5s[i], 16);
    buf_addf(document,
             "<Part><PartNumber>%u</PartNumber><ETag>\"%s\"</ETag></Part>",
             i + 1, hex);
  }
  buf_adds(document, "</CompleteMultipartUpload>");
  put->request =
      (struct s3_request){.method = "POST",
                          .key = put->key,
                          .query = {{"uploadId", multipart->upload_id}},
                          .headers = {{"Content-Type", "application/xml"}},
                          .data = document->data,
                          .length = document->len,
                          .expected = XML_COMPLETE,
                          .wants_xml = true};
  unsigned char sha256[32];
  digest_sha256(sha256, document->data, document->len);
  codec_hex(put->sha256_hex, sha256, sizeof sha256);
  put->request.sha256 = put->sha256_hex;
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

/* ---- parts -------------------------------------------------------------- */

static void on_part(void *arg, struct s3_call *call,
                    const struct s3_answer *answer) {
  struct part *part = arg;
  struct put *put = part->put;
  char etag[160], hex[33];
  s3_etag(etag, s3_call_header(call, "ETag"));
  codec_hex(hex, part->sum.md5, 16);
  part->call = NULL;
  part->number = 0;
  put->multipart->finished++;
  if (answer->status != SLUICE_OK)
    give_up(put, answer->status, answer->why);
  else if (put->loop->s3->dialect->etag_is_md5 && strcmp(etag, hex) != 0)
    give_up(put, SLUICE_EUPSTREAM,
            "the service stored other bytes of a part than it was sent");
  else
    advance(put);
}

static void on_summed(void *arg) {
  static const struct s3_events events = {.done = on_part};
  struct part *part = arg;
  struct put *put = part->put;
  part->summing = false;
  if (put->multipart->aborting || part->sum.failed) {
    part->number = 0;
    if (put->multipart->aborting)
      abort_when_idle(put);
    else
      give_up(put, SLUICE_EIO, "the spool can't be read");
    return;
  }
  memcpy(put->multipart->md5s[part->number - 1], part->sum.md5, 16);
  put_base64_md5(part->md5_base64, part->sum.md5);
  snprintf(part->number_text, sizeof part->number_text, "%u", part->number);
  part->request =
      (struct s3_request){.op = put->op,
                          .method = "PUT",
                          .key = put->key,
                          .query = {{"partNumber", part->number_text},
                                    {"uploadId", put->multipart->upload_id}},
                          .headers = {{"Content-MD5", part->md5_base64}},
                          .spool = put->spool,
                          .first = part->sum.first,
                          .length = part->sum.count};
  if (part->sum.want_sha256) {
    codec_hex(part->sha256_hex, part->sum.sha256, 32);
    part->request.sha256 = part->sha256_hex;
  }
  part->call = s3_call_start(put->loop, &part->request, &events, part);
}

static void start_part(struct put *put, struct part *part) {
  struct multipart *multipart = put->multipart;
  uint64_t first = multipart->next * multipart->part_size;
  uint64_t left = put->length - first;
  *part = (struct part){.put = put, .number = ++multipart->next};
  part->sum.first = first;
  part->sum.count = left < multipart->part_size ? left : multipart->part_size;
  part->sum.want_sha256 = !put->loop->s3->endpoint.tls;
  part->summing = true;
  spool_sum(put->spool, &part->sum, on_summed, part);
}

static void advance(struct put *put) {
  struct multipart *multipart = put->multipart;
  for (size_t i = 0; i < multipart->slots; i++)
    if (multipart->parts[i].number == 0 && multipart->next < multipart->count)
      start_part(put, &multipart->parts[i]);
  if (multipart->finished == multipart->count)
    complete(put);
}

/* ---- the beginning ------------------------------------------------------ */

static void on_begun(void *arg, struct s3_call *call,
                     const struct s3_answer *answer) {
  struct put *put = arg;
  (void)call;
  put->call = NULL;
  if (answer->status != SLUICE_OK) {
    give_up(put, answer->status, answer->why);
    return;
  }
  put->multipart->upload_id = strdup(answer->xml->upload_id);
  assert(put->multipart->upload_id != NULL);
  advance(put);
}

/* Equal parts, as some providers want them, and no more than are allowed. */
static uint64_t part_size(const struct put *put) {
  const struct s3 *s3 = put->loop->s3;
  uint64_t least =
      (put->length + s3->dialect->parts_max - 1) / s3->dialect->parts_max;
  uint64_t rounded = (least + MIB - 1) / MIB * MIB;
  return rounded > s3->conf->part_size ? rounded : s3->conf->part_size;
}

void multipart_start(struct put *put) {
  static const struct s3_events events = {.done = on_begun};
  struct multipart *multipart = calloc(1, sizeof *multipart);
  assert(multipart != NULL); /* charged with the request */
  put->multipart = multipart;
  buf_init(&multipart->document, COMPLETE_MAX);
  multipart->part_size = part_size(put);
  multipart->count = (uint32_t)((put->length + multipart->part_size - 1) /
                                multipart->part_size);
  multipart->slots = (size_t)put->loop->s3->conf->parallel_parts;
  multipart->md5s = calloc(multipart->count, 16);
  multipart->parts = calloc(multipart->slots, sizeof(struct part));
  assert(multipart->md5s != NULL && multipart->parts != NULL);
  put->request = (struct s3_request){.method = "POST",
                                     .key = put->key,
                                     .query = {{"uploads", ""}},
                                     .expected = XML_INITIATE,
                                     .wants_xml = true};
  put_headers(put, put->request.headers);
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

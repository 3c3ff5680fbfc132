/* SPDX-License-Identifier: MIT
 *
 * An upload in parts: begun, parts of equal size sent several at a time, each
 * with its digests; given up as a whole when a part fails or the client
 * leaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "copy_source.h"
#include "early.h"
#include "key.h"
#include "leftovers.h"
#include "multipart.h"
#include "must.h"
#include "stagename.h"
#include "stagerecord.h"

#define COMPLETE_MAX (4u << 20) /* bytes of the list of 10000 parts */
#define ETAG_MAX 128            /* bytes, of a part */
#define COST_PART 384           /* its digest, ETag and line of the list */
#define MIB ((uint64_t)1 << 20)
#define COPY_PART (512 * MIB) /* as the service says nothing meanwhile */

static void advance(struct put *put);

void multipart_end(struct put *put, enum sluice_status status,
                   const char *why) {
  struct multipart *multipart = put->multipart;
  struct sluice_host *host = put->loop->host;
  for (size_t i = 0; i < multipart->slots; i++)
    early_drop(put, &multipart->parts[i]);
  put->multipart = NULL;
  put_end(put, status, why);
  for (uint32_t i = 0; i < multipart->count; i++)
    free(multipart->etags[i]);
  free(multipart->etags);
  free(multipart->upload_id);
  free(multipart->md5s);
  free(multipart->parts);
  buf_fini(&multipart->document);
  sluice_memory_give(host, multipart->cost);
  free(multipart);
}

/* ---- giving up ---------------------------------------------------------- */

static void multipart_on_aborted(void *arg, struct s3_call *call,
                                 const struct s3_answer *answer) {
  struct put *put = arg;
  (void)call;
  put->call = NULL;
  if (answer->status != SLUICE_OK && answer->http != 404)
    leftovers_add(put->loop->leftovers, put->key, put->multipart->upload_id,
                  answer->why);
  multipart_end(put, put->failure, put->why);
}

static bool any_busy(const struct multipart *multipart) {
  for (size_t i = 0; i < multipart->slots; i++)
    if (multipart->parts[i].number != 0)
      return true;
  return false;
}

/* When nothing of it is under way any more. */
static void abort_when_idle(struct put *put) {
  static const struct s3_events events = {.done = multipart_on_aborted};
  struct multipart *multipart = put->multipart;
  if (any_busy(multipart) || put->call != NULL || multipart->sweeping ||
      put->adding)
    return;
  if (multipart->upload_id == NULL) {
    multipart_end(put, put->failure, put->why);
    return;
  }
  put->request =
      (struct s3_request){.method = "DELETE",
                          .key = put->key,
                          .query = {{"uploadId", multipart->upload_id}}};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

void multipart_idle(struct put *put) {
  if (put->multipart->aborting)
    abort_when_idle(put);
}

void multipart_give_up(struct put *put, enum sluice_status status,
                       const char *why) {
  struct multipart *multipart = put->multipart;
  if (multipart->aborting)
    return;
  multipart->aborting = true;
  if (why != put->why)
    put_keep_failure(put, status, why);
  put->failure = status;
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

/* ---- a beginning that nobody heard of ----------------------------------- */

/* One that is left is nobody's. */
static void multipart_on_swept(void *arg, enum sluice_status status) {
  struct put *put = arg;
  (void)status;
  put->multipart->sweeping = false;
  if (put->multipart->aborting)
    abort_when_idle(put);
  else
    advance(put);
}

/* An attempt to begin it may have begun one whose id is known to nobody.  A
 * key that was made is this upload's alone, so all others of it are given up;
 * to another key somebody else may be uploading. */
static void sweep_key(struct put *put) {
  if (!key_is_made(put->key)) {
    sluice_log(
        put->loop->host, SLUICE_LOG_WARN,
        "an unfinished upload of '%s' may be left behind, as the answer "
        "to its beginning was lost",
        put->key);
    return;
  }
  put->multipart->sweeping = true;
  s3_sweep_start(put->loop,
                 &(struct s3_sweep){.key = put->key,
                                    .keep = put->multipart->upload_id,
                                    .done = multipart_on_swept,
                                    .arg = put});
}

void multipart_cancel(struct put *put) {
  struct multipart *multipart = put->multipart;
  if (multipart->aborting)
    return; /* it is on its way */
  if (put->call != NULL) {
    s3_call_cancel(put->call);
    put->call = NULL;
    if (multipart->upload_id == NULL)
      sweep_key(put);
  }
  multipart_give_up(put, SLUICE_ECANCELED, "canceled");
}

/* ---- parts -------------------------------------------------------------- */

/* False: the answer says that other bytes were stored, or not how to name the
 * part when all is complete. */
static bool keep_copied(struct part *part, const struct s3_answer *answer) {
  char **kept = &part->put->multipart->etags[part->number - 1];
  size_t len = strlen(answer->xml->etag);
  if (len == 0 || len > ETAG_MAX)
    return false;
  *kept = malloc(len + 3);
  must_have(*kept); /* charged with the request */
  snprintf(*kept, len + 3, "\"%s\"", answer->xml->etag);
  return true;
}

static bool keep_etag(struct part *part, const struct s3_call *call) {
  struct multipart *multipart = part->put->multipart;
  const char *header = s3_call_header(call, "ETag");
  char etag[160], hex[33];
  if (header == NULL || strlen(header) > ETAG_MAX)
    return false;
  s3_etag(etag, header);
  codec_hex(hex, part->sum.md5, 16);
  bool tells = s3_etag_tells(call);
  multipart->opaque |= !tells;
  if (tells && s3_etag_is_md5(part->put->loop) && strcmp(etag, hex) != 0)
    return false;
  char **kept = &multipart->etags[part->number - 1];
  *kept = strdup(header);
  must_have(*kept); /* charged with the request */
  return true;
}

static void on_part(void *arg, struct s3_call *call,
                    const struct s3_answer *answer) {
  struct part *part = arg;
  struct put *put = part->put;
  bool kept = answer->status == SLUICE_OK &&
              (part->request.wants_xml ? keep_copied(part, answer)
                                       : keep_etag(part, call));
  part->call = NULL;
  part->number = 0;
  early_drop(put, part);
  put->multipart->finished++;
  if (answer->status != SLUICE_OK)
    multipart_give_up(put, answer->status, answer->why);
  else if (!kept)
    multipart_give_up(
        put, SLUICE_EUPSTREAM,
        "the service stored other bytes of a part than it was sent");
  else
    advance(put);
}

static struct s3_request part_request(const struct put *put,
                                      struct part *part) {
  snprintf(part->number_text, sizeof part->number_text, "%u", part->number);
  return (struct s3_request){
      .op = put->op,
      .method = "PUT",
      .key = put->key,
      .query = {{"partNumber", part->number_text},
                {"uploadId", put->multipart->upload_id}}};
}

static void multipart_on_summed(void *arg) {
  static const struct s3_events events = {.done = on_part};
  struct part *part = arg;
  struct put *put = part->put;
  part->summing = false;
  if (put->multipart->aborting || part->sum.failed) {
    part->number = 0;
    if (put->multipart->aborting)
      abort_when_idle(put);
    else
      multipart_give_up(put, SLUICE_EIO, "the spool can't be read");
    return;
  }
  memcpy(put->multipart->md5s[part->number - 1], part->sum.md5, 16);
  put_base64_md5(part->md5_base64, part->sum.md5);
  part->request = part_request(put, part);
  part->request.headers[0] =
      (struct sigv4_pair){"Content-MD5", part->md5_base64};
  part->request.spool = part->spool == NULL ? put->spool : part->spool;
  part->request.first = part->sum.first;
  part->request.length = part->sum.count;
  if (part->sum.want_sha256) {
    codec_hex(part->sha256_hex, part->sum.sha256, 32);
    part->request.sha256 = part->sha256_hex;
  }
  part->call = s3_call_start(put->loop, &part->request, &events, part);
}

static void copy_part(struct put *put, struct part *part) {
  static const struct s3_events events = {.done = on_part};
  part->request = part_request(put, part);
  part->request.expected = XML_COPY;
  part->request.wants_xml = true;
  size_t n = copy_source_names(put->source, part->request.headers);
  if (put->multipart->count > 1) {
    snprintf(part->range, sizeof part->range, "bytes=%llu-%llu",
             (unsigned long long)part->sum.first,
             (unsigned long long)(part->sum.first + part->sum.count - 1));
    part->request.headers[n] =
        (struct sigv4_pair){"x-amz-copy-source-range", part->range};
  }
  part->call = s3_call_start(put->loop, &part->request, &events, part);
}

/* A segment that nobody writes any more. */
static void join_part(struct put *put, struct part *part) {
  static const struct s3_events events = {.done = on_part};
  const struct put_joined *joined = put->joined;
  char key[STAGENAME_MAX];
  stagename_segment(key, joined->base, part->number - 1,
                    stagerecord_session(joined->record, part->number - 1));
  snprintf(part->joined, sizeof part->joined, "%s/%s",
           put->loop->s3->conf->bucket, key);
  part->request = part_request(put, part);
  part->request.expected = XML_COPY;
  part->request.wants_xml = true;
  part->request.headers[0] =
      (struct sigv4_pair){"x-amz-copy-source", part->joined};
  part->call = s3_call_start(put->loop, &part->request, &events, part);
}

void multipart_send(struct part *part) {
  const struct put *put = part->put;
  part->sum.want_sha256 = !put->loop->s3->endpoint.tls;
  part->summing = true;
  spool_sum(part->spool == NULL ? put->spool : part->spool, &part->sum,
            multipart_on_summed, part);
}

static void start_part(struct put *put, struct part *part) {
  struct multipart *multipart = put->multipart;
  uint64_t first = multipart->next * multipart->part_size;
  uint64_t left = put->length - first;
  *part = (struct part){.put = put, .number = ++multipart->next};
  part->sum.first = first;
  part->sum.count = left < multipart->part_size ? left : multipart->part_size;
  if (put->source != NULL) {
    copy_part(put, part);
    return;
  }
  if (put->joined != NULL && part->number <= put->joined->count) {
    join_part(put, part);
    return;
  }
  if (put->joined != NULL) /* the spool has what lies behind them */
    part->sum.first -= put->joined->count * multipart->part_size;
  multipart_send(part);
}

static void advance(struct put *put) {
  struct multipart *multipart = put->multipart;
  if (put->early != NULL) {
    early_advance(put);
    return;
  }
  for (size_t i = 0; i < multipart->slots; i++)
    if (multipart->parts[i].number == 0 && multipart->next < multipart->count)
      start_part(put, &multipart->parts[i]);
  if (multipart->finished == multipart->count)
    complete_start(put);
}

/* ---- the beginning ------------------------------------------------------ */

static void on_begun(void *arg, struct s3_call *call,
                     const struct s3_answer *answer) {
  struct put *put = arg;
  struct multipart *multipart = put->multipart;
  put->call = NULL;
  if (answer->status == SLUICE_OK) {
    multipart->opaque |= !s3_etag_tells(call);
    multipart->upload_id = strdup(answer->xml->upload_id);
    must_have(multipart->upload_id);
  }
  if (answer->outcome_unknown)
    sweep_key(put);
  if (answer->status != SLUICE_OK)
    multipart_give_up(put, answer->status, answer->why);
  else if (!multipart->sweeping)
    advance(put);
}

/* Equal parts, as some providers want them, and no more than are allowed. */
static uint64_t multipart_part_size(const struct put *put) {
  const struct s3 *s3 = put->loop->s3;
  if (put->joined != NULL)
    return put->joined->record->part_size;
  uint64_t least =
      (put->length + s3->dialect->parts_max - 1) / s3->dialect->parts_max;
  uint64_t rounded = (least + MIB - 1) / MIB * MIB;
  uint64_t usual = put->source == NULL ? s3->conf->part_size : COPY_PART;
  return rounded > usual ? rounded : usual;
}

bool multipart_begin(struct put *put, uint64_t size, uint32_t count) {
  static const struct s3_events events = {.done = on_begun};
  size_t cost = (size_t)count * COST_PART;
  if (!sluice_memory_take(put->loop->host, cost)) {
    put_end(put, SLUICE_ENOMEM, "no memory for the list of parts");
    return false;
  }
  struct multipart *multipart = calloc(1, sizeof *multipart);
  must_have(multipart); /* charged with the request */
  put->multipart = multipart;
  multipart->opaque = put->source != NULL || put->joined != NULL;
  buf_init(&multipart->document, COMPLETE_MAX);
  multipart->cost = cost;
  multipart->part_size = size;
  multipart->count = count;
  multipart->slots = (size_t)put->loop->s3->conf->parallel_parts;
  if (put->early != NULL && multipart->slots > EARLY_FLIGHT)
    multipart->slots = EARLY_FLIGHT;
  multipart->md5s = calloc(multipart->count, 16);
  multipart->etags = calloc(multipart->count, sizeof *multipart->etags);
  multipart->parts = calloc(multipart->slots, sizeof(struct part));
  must_have(multipart->md5s && multipart->etags && multipart->parts);
  put->request = (struct s3_request){.behind = put->op,
                                     .method = "POST",
                                     .key = put->key,
                                     .query = {{"uploads", ""}},
                                     .expected = XML_INITIATE,
                                     .wants_xml = true,
                                     .fresh = true};
  put_headers(put, put->request.headers);
  put->call = s3_call_start(put->loop, &put->request, &events, put);
  return true;
}

void multipart_start(struct put *put) {
  uint64_t size = multipart_part_size(put);
  multipart_begin(put, size, (uint32_t)((put->length + size - 1) / size));
}

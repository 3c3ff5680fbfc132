/* SPDX-License-Identifier: MIT
 *
 * An upload: its bytes wait in a spool until commit() names them, and says how
 * many they are: in one PUT, or in parts.
 */
#include "put.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "copy_source.h"
#include "early.h"
#include "key.h"
#include "metadata.h"
#include "multipart.h"
#include "must.h"

void put_forget_object(struct put *put) {
  free(put->key);
  free(put->type);
  free(put->md5_hex);
  put->key = put->type = put->md5_hex = NULL;
  for (size_t i = 0; i < put->user_count; i++)
    buf_fini(&put->user[i]);
  put->user_count = 0;
}

static void put_free(void *arg) {
  struct put *put = arg;
  digest_free(put->sha256);
  copy_source_free(put->source);
  put_forget_object(put);
  free(put);
}

static void tell_stored(const struct put *put) {
  struct sluice_meta meta = SLUICE_META;
  meta.length = put->length;
  meta.etag = put->stored;
  meta.type = put->type;
  if (put->stored[0] != '\0')
    sluice_meta(put->op, &meta);
}

void put_end(struct put *put, enum sluice_status status, const char *why) {
  if (put->ended == NULL && status == SLUICE_OK)
    tell_stored(put);
  if (put->ended != NULL)
    put->ended(put->ended_arg, status, why == NULL ? "" : why);
  else if (status == SLUICE_OK)
    sluice_done(put->op, SLUICE_OK, NULL);
  else
    sluice_done(put->op, status, "%s", why == NULL ? "" : why);
  early_free(put);
  spool_free(put->spool, put_free, put);
}

void put_give_up(struct put *put, enum sluice_status status, const char *why) {
  if (put->multipart != NULL)
    multipart_give_up(put, status, why);
  else
    put_end(put, status, why);
}

void put_keep_failure(struct put *put, enum sluice_status status,
                      const char *why) {
  put->failure = status;
  snprintf(put->why, sizeof put->why, "%s", why == NULL ? "" : why);
}

void put_cancel(struct put *put) {
  put->canceled = true;
  if (put->removing)
    return; /* it ends soon */
  if (put->multipart != NULL) {
    multipart_cancel(put);
    return;
  }
  if (put->call != NULL)
    s3_call_cancel(put->call);
  if (!put->adding)
    put_end(put, SLUICE_ECANCELED, "canceled");
}

static void cancel(void *work) {
  put_cancel(work);
}

void put_base64_md5(char out[32], const unsigned char md5[16]) {
  EVP_EncodeBlock((unsigned char *)out, md5, 16);
}

/* ---- bytes -------------------------------------------------------------- */

struct put *put_new(struct s3_loop *loop, struct sluice_op *op) {
  struct put *put = calloc(1, sizeof *put);
  unsigned char random[16];
  must_have(put); /* charged with the request */
  put->loop = loop;
  put->op = op;
  put->spool = spool_new(loop->host, &loop->s3->spools);
  must_have(put->spool);
  digest_random(random, sizeof random);
  codec_hex(put->write_id, random, sizeof random);
  return put;
}

/* The most that may become one PUT: where the end of parts has no conditions,
 * all that a PUT takes. */
static uint64_t single_max(const struct s3 *s3) {
  unsigned guards = s3_guards(s3);
  return (guards & S3_GUARDS_PUT) && !(guards & S3_GUARDS_PARTS)
             ? s3->dialect->put_max
             : s3->conf->multipart_threshold;
}

static void put_on_added(void *arg, enum sluice_status status,
                         const char *why) {
  struct put *put = arg;
  put->adding = false;
  if (put->canceled)
    put_end(put, SLUICE_ECANCELED, "canceled");
  else if (status != SLUICE_OK)
    put_end(put, status, why);
  else
    sluice_next(put->op);
}

static void data(void *work, const struct sluice_chunk *chunk) {
  struct put *put = work;
  uint64_t most = single_max(put->loop->s3);
  if (chunk->length == 0) {
    sluice_next(put->op);
    return;
  }
  if (put->sha256 != NULL && spool_length(put->spool) + chunk->length > most) {
    spool_digest(put->spool, NULL); /* parts have their own */
    digest_free(put->sha256);
    put->sha256 = NULL;
  }
  put->adding = true;
  spool_add(put->spool, chunk->data, chunk->length, put_on_added, put);
}

void s3_put(void *handle, struct sluice_op *op,
            const struct sluice_put *wanted) {
  struct s3_loop *loop = handle;
  struct put *put = put_new(loop, op);
  *s3_task_of(op) =
      (struct s3_task){.cancel = cancel, .work = put, .data = data};
  if (wanted->length > 0)
    spool_expect(put->spool, (uint64_t)wanted->length);
  if (!loop->s3->endpoint.tls)
    put->sha256 = digest_new(DIGEST_SHA256);
  spool_digest(put->spool, put->sha256);
  if (early_start(put, wanted))
    s3_task_of(op)->data = early_data;
  sluice_next(op);
}

void s3_data(void *handle, struct sluice_op *op,
             const struct sluice_chunk *chunk) {
  struct s3_task *task = s3_task_of(op);
  (void)handle;
  task->data(task->work, chunk);
}

/* ---- commit ------------------------------------------------------------- */

/* False: more metadata than the provider takes. */
static bool keep_user(struct put *put, const struct sluice_pair *user) {
  size_t bytes = 0;
  for (; user != NULL && user->name != NULL; user++) {
    if (put->user_count == S3_META_NAMES)
      return false;
    size_t i = put->user_count++;
    buf_init(&put->user[i], 8192);
    snprintf(put->user_names[i], sizeof put->user_names[i], "x-amz-meta-%s",
             user->name);
    if (!metadata_encode(&put->user[i], user->value))
      return false;
    bytes += strlen(put->user_names[i]) + put->user[i].len;
  }
  bytes += sizeof S3_WRITE_ID - 1 + strlen(put->write_id);
  return bytes <= put->loop->s3->dialect->metadata_max;
}

size_t put_headers(const struct put *put, struct sigv4_pair *out) {
  size_t n = put->source == NULL ? 0 : copy_source_headers(put->source, out);
  if (put->source == NULL)
    out[n++] = (struct sigv4_pair){"Content-Type", put->type};
  for (size_t i = 0; i < put->user_count; i++)
    out[n++] = (struct sigv4_pair){put->user_names[i], put->user[i].data};
  out[n++] = (struct sigv4_pair){S3_WRITE_ID, put->write_id};
  return n;
}

size_t put_conditions(const struct put *put, struct sigv4_pair *out) {
  size_t n = 0;
  if (put->exclusive && put->loop->s3->conf->conditional_put)
    out[n++] = (struct sigv4_pair){"If-None-Match", "*"};
  if (put->if_match[0] != '\0')
    out[n++] = (struct sigv4_pair){"If-Match", put->if_match};
  return n;
}

enum sluice_status put_refusal(const struct put *put) {
  return put->exclusive ? SLUICE_EEXIST : SLUICE_EPRECOND;
}

/* Does the service decide its condition?  Of a key with random digits it
 * needn't. */
static bool needs_guard(const struct put *put) {
  bool decides = (s3_guards(put->loop->s3) & S3_GUARDS_PUT) != 0;
  return put->if_match[0] != '\0' ||
         (put->exclusive && decides && !key_is_made(put->key));
}

bool put_may_be_in_parts(const struct put *put) {
  return (s3_guards(put->loop->s3) & S3_GUARDS_PARTS) || !needs_guard(put);
}

static bool is_in_parts(const struct put *put) {
  const struct s3 *s3 = put->loop->s3;
  bool large = put->joined != NULL || put->multipart != NULL ||
               put->length > s3->conf->multipart_threshold;
  return large && put_may_be_in_parts(put);
}

static void send_object(struct put *put) {
  if (put->multipart != NULL) /* they are there */
    complete_start(put);
  else if (is_in_parts(put))
    multipart_start(put);
  else if (put->joined == NULL &&
           put->length <= put->loop->s3->dialect->put_max)
    single_start(put);
  else
    put_end(put, SLUICE_ENOTSUP,
            "the service has no conditions of more than one PUT");
}

/* A service that would replace is asked before.  Keys are random enough for
 * the moment between the two. */
static void on_absent(void *arg, struct s3_call *call,
                      const struct s3_answer *answer) {
  struct put *put = arg;
  const char *write_id = s3_call_header(call, S3_WRITE_ID);
  uint64_t length;
  put->call = NULL;
  if (answer->status == SLUICE_OK && write_id != NULL &&
      strcmp(write_id, put->write_id) == 0 && s3_length(call, &length) &&
      length == put->length) { /* a commit before this one made it */
    s3_etag(put->stored, s3_call_header(call, "ETag"));
    put_end(put, SLUICE_OK, NULL);
  } else if (answer->status == SLUICE_OK) {
    put_give_up(put, SLUICE_EEXIST, "an object of that key is there");
  } else if (answer->status != SLUICE_ENOENT) {
    put_give_up(put, answer->status, answer->why);
  } else {
    put->was_absent = true;
    send_object(put);
  }
}

static void ask_absent(struct put *put) {
  static const struct s3_events events = {.done = on_absent};
  put->request = (struct s3_request){
      .behind = put->op, .method = "HEAD", .key = put->key};
  put->call = s3_call_start(put->loop, &put->request, &events, put);
}

void put_copy(struct put *put) {
  unsigned char md5[DIGEST_MD5_LEN];
  char hex[2 * DIGEST_MD5_LEN + 1];
  if (put->length > 0) {
    multipart_start(put);
    return;
  }
  digest_md5(md5, "", 0);
  codec_hex(hex, md5, sizeof md5);
  put->md5_hex = strdup(hex);
  must_have(put->md5_hex);
  put_base64_md5(put->md5_base64, md5);
  single_start(put);
}

static void keep_object(struct put *put, const struct sluice_object *object) {
  const char *quote = put->loop->s3->dialect->bare_etags ? "" : "\"";
  put->key = strdup(object->key);
  put->type = strdup(object->type);
  put->md5_hex = strdup(object->md5 == NULL ? "" : object->md5);
  must_have(put->key && put->type && put->md5_hex);
  put->length = object->length;
  put->exclusive = object->exclusive;
  if (object->if_match != NULL)
    snprintf(put->if_match, sizeof put->if_match, "%s%s%s", quote,
             object->if_match, quote);
}

/* Is it kept from replacing by a look before alone? */
static bool must_ask(const struct put *put) {
  const struct s3 *s3 = put->loop->s3;
  return put->exclusive &&
         (!s3->conf->conditional_put ||
          (is_in_parts(put) && !(s3_guards(s3) & S3_GUARDS_PARTS)));
}

bool put_foresee_object(struct put *put, const struct sluice_object *object) {
  keep_object(put, object);
  return keep_user(put, object->user);
}

const char *put_take_object(struct put *put,
                            const struct sluice_object *object) {
  unsigned char md5[16], sha256[32];
  keep_object(put, object);
  if (put->sha256 != NULL) {
    digest_final(put->sha256, sha256);
    codec_hex(put->sha256_hex, sha256, sizeof sha256);
  }
  if (!codec_unhex(md5, sizeof md5, object->md5))
    return "the object's MD5 isn't 32 hex digits";
  put_base64_md5(put->md5_base64, md5);
  return keep_user(put, object->user)
             ? NULL
             : "more metadata than the provider takes";
}

void put_send(struct put *put) {
  if (must_ask(put))
    ask_absent(put);
  else
    send_object(put);
}

void s3_commit(void *handle, struct sluice_op *op,
               const struct sluice_object *object) {
  struct put *put = s3_task_of(op)->work;
  (void)handle;
  if (put->multipart != NULL) {
    early_commit(put, object);
    return;
  }
  if (put->early != NULL)
    put_forget_object(put); /* what is known now is more */
  const char *fault = put_take_object(put, object);
  if (fault != NULL)
    put_end(put, SLUICE_EINVAL, fault);
  else
    put_send(put);
}

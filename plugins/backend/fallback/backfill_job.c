/* SPDX-License-Identifier: MIT
 *
 * One object on its way to the first backend, of which it replaces nothing.
 * After the commit the other one is looked at once more: where the object
 * isn't there any more, another gateway deleted it meanwhile, and what was
 * written is removed again, as long as it is that.  A commit that failed may
 * have been done all the same: the first one is asked before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "backfill.h"
#include "codec.h"
#include "digest.h"
#include "wish.h"

#define JOB_PIECE 65536

enum job_step {
  JOB_BEGINS, /* whether the first one has it already */
  JOB_CARRIES,
  JOB_FINDS,   /* whether a commit that failed was done */
  JOB_LOOKS,   /* whether it is still where it was read */
  JOB_REMOVES, /* what was written */
  JOB_ENDS     /* it waits for what was asked */
};

struct backfill_job {
  struct backfill *backfill;
  struct fallback_handle *handle;
  size_t from;
  char *key;
  enum job_step step;
  struct sluice_ask *get, *put; /* NULL: not in flight; put: the others, too */
  struct wish *object;          /* as it will be committed */
  struct digest *md5;
  uint64_t length, sent, taken; /* taken: bytes of the chunk */
  struct sluice_chunk chunk;
  size_t piece;
  bool has_chunk, wanted, filling, emptied;
  bool commits; /* from then on the first backend alone decides */
  bool found;   /* what the commit would have made is there */
  bool same;    /* it is where it was read, as it was */
  int error;
  enum backfill_end end;
  char sum[2 * DIGEST_MD5_LEN + 1], told_sum[2 * DIGEST_MD5_LEN + 1];
  char etag[160], new_etag[160]; /* where it was read; as it was written */
  char why[160];
  unsigned char buffer[JOB_PIECE];
};

/* ---- the end ------------------------------------------------------------ */

static void job_free(struct backfill_job *job) {
  struct sluice_host *host = job->handle->host;
  wish_free(job->object, host);
  digest_free(job->md5);
  free(job->key);
  free(job);
  sluice_memory_give(host, sizeof *job);
}

static void job_settle(struct backfill_job *job) {
  if (job->step != JOB_ENDS || job->get != NULL || job->put != NULL ||
      job->filling)
    return;
  backfill_over(job->backfill, job->end, job->length, job->key, job->why);
  job_free(job);
}

/* A thread goes on to read: nothing is taken away from it. */
static void job_let_go(struct backfill_job *job) {
  if (job->get != NULL && !job->filling)
    sluice_ask_cancel(job->get);
  if (job->put != NULL)
    sluice_ask_cancel(job->put);
}

static void keep_why(struct backfill_job *job, const char *why) {
  if (why != job->why)
    snprintf(job->why, sizeof job->why, "%s",
             why == NULL ? "no reason given" : why);
}

static void job_end(struct backfill_job *job, enum backfill_end end,
                    const char *why) {
  if (job->step != JOB_ENDS) {
    job->step = JOB_ENDS;
    job->end = end;
    keep_why(job, why);
    job_let_go(job);
  }
  job_settle(job);
}

static void take_etag(char out[160], const struct sluice_meta *meta) {
  snprintf(out, 160, "%s", meta->etag == NULL ? "" : meta->etag);
}

/* ---- what was written is looked at -------------------------------------- */

static void job_is_stuck(struct backfill_job *job) {
  sluice_log(job->handle->host, SLUICE_LOG_ERROR,
             "'%s' was backfilled, and isn't where it was read any more: if "
             "it was deleted by another gateway, delete it again",
             job->key);
  job_end(job, BACKFILL_FAILED, "it can't be removed again");
}

static void job_is_unseen(struct backfill_job *job, const char *why) {
  sluice_log(job->handle->host, SLUICE_LOG_ERROR,
             "'%s' was backfilled, or may have been, and whether it still is "
             "where it was read can't be seen: if it was deleted by another "
             "gateway, delete it again",
             job->key);
  job_end(job, BACKFILL_FAILED, why);
}

static void on_undone(void *arg, enum sluice_status status, const char *why) {
  struct backfill_job *job = arg;
  (void)why;
  job->put = NULL;
  if (status == SLUICE_OK || status == SLUICE_ENOENT ||
      status == SLUICE_EPRECOND)
    job_end(job, BACKFILL_GONE, NULL);
  else
    job_is_stuck(job);
}

static void job_undo(struct backfill_job *job) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .done = on_undone};
  const struct sluice_removal removal = {.key = job->key,
                                         .if_match = job->new_etag};
  if (job->new_etag[0] == '\0') {
    job_is_stuck(job);
    return;
  }
  job->step = JOB_REMOVES;
  job->put = sluice_ask_remove_if(job->handle->stores[0], NULL, &removal,
                                  &heard, job);
}

static void on_job_look(void *arg, const struct sluice_meta *meta) {
  struct backfill_job *job = arg;
  char etag[sizeof job->etag];
  take_etag(etag, meta);
  job->same = meta->length == job->length && strcmp(etag, job->etag) == 0;
}

static void on_job_looked(void *arg, enum sluice_status status,
                          const char *why) {
  struct backfill_job *job = arg;
  job->put = NULL;
  if (status == SLUICE_OK && job->same)
    job_end(job, BACKFILL_DONE, NULL);
  else if (status == SLUICE_OK || status == SLUICE_ENOENT)
    job_undo(job);
  else
    job_is_unseen(job, why);
}

static void job_look(struct backfill_job *job) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_job_look,
                                            .done = on_job_looked};
  job->step = JOB_LOOKS;
  job->put = sluice_ask_head(job->handle->stores[job->from], NULL, job->key,
                             &heard, job);
}

/* An object of other bytes isn't of this commit. */
static void on_job_found(void *arg, const struct sluice_meta *meta) {
  struct backfill_job *job = arg;
  job->found = meta->length == job->length &&
               (meta->md5 == NULL || strcasecmp(meta->md5, job->sum) == 0);
  if (job->found)
    take_etag(job->new_etag, meta);
}

static void on_job_sought(void *arg, enum sluice_status status,
                          const char *why) {
  struct backfill_job *job = arg;
  job->put = NULL;
  if (status == SLUICE_OK && job->found)
    job_look(job);
  else if (status == SLUICE_OK)
    job_end(job, BACKFILL_THERE, NULL);
  else if (status == SLUICE_ENOENT)
    job_end(job, BACKFILL_FAILED, job->why);
  else
    job_is_unseen(job, why);
}

static void job_find(struct backfill_job *job, const char *why) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_job_found,
                                            .done = on_job_sought};
  job->step = JOB_FINDS;
  keep_why(job, why);
  job->put =
      sluice_ask_head(job->handle->stores[0], NULL, job->key, &heard, job);
}

/* ---- bytes -------------------------------------------------------------- */

static void job_fill(void *arg) {
  struct backfill_job *job = arg;
  const struct sluice_chunk *chunk = &job->chunk;
  uint64_t left = chunk->length - job->taken;
  size_t len = left < JOB_PIECE ? (size_t)left : JOB_PIECE;
  job->piece = 0;
  job->error = 0;
  if (chunk->fd < 0) {
    memcpy(job->buffer, (const char *)chunk->data + job->taken, len);
    job->piece = len;
  }
  while (job->piece < len) {
    ssize_t got = pread(chunk->fd, job->buffer + job->piece, len - job->piece,
                        (off_t)(chunk->offset + job->taken + job->piece));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      job->error = got < 0 ? errno : EIO;
      return;
    }
    job->piece += (size_t)got;
  }
  digest_update(job->md5, job->buffer, job->piece);
}

static void job_lend(struct backfill_job *job) {
  const struct sluice_chunk piece = {.data = job->buffer,
                                     .length = job->piece,
                                     .fd = -1,
                                     .last = job->sent == job->length};
  job->wanted = false;
  sluice_ask_data(job->put, &piece);
}

static void job_filled(void *arg);

static void job_go_on(struct backfill_job *job) {
  if (job->step != JOB_CARRIES || job->filling || !job->has_chunk ||
      !job->wanted)
    return;
  job->filling = true;
  sluice_work(job->handle->host, job_fill, job_filled, job);
}

static void job_filled(void *arg) {
  struct backfill_job *job = arg;
  job->filling = false;
  if (job->step != JOB_CARRIES) {
    job_let_go(job);
    job_settle(job);
    return;
  }
  if (job->error != 0) {
    job_end(job, BACKFILL_FAILED, strerror(job->error));
    return;
  }
  job->taken += job->piece;
  job->sent += job->piece;
  job_lend(job);
  if (job->taken < job->chunk.length)
    return;
  job->has_chunk = false;
  if (job->get != NULL)
    sluice_ask_more(job->get);
}

static void on_job_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct backfill_job *job = arg;
  if (job->step != JOB_CARRIES)
    return;
  job->chunk = *chunk;
  job->taken = 0;
  job->has_chunk = chunk->length > 0;
  if (chunk->length == 0)
    sluice_ask_more(job->get);
  else
    job_go_on(job);
}

/* ---- the put ------------------------------------------------------------ */

static void job_commit(struct backfill_job *job) {
  unsigned char md5[DIGEST_MD5_LEN];
  struct sluice_object object = *job->object->of.stage.object;
  digest_final(job->md5, md5);
  codec_hex(job->sum, md5, sizeof md5);
  object.md5 = job->sum;
  if (job->told_sum[0] != '\0' && strcasecmp(job->told_sum, job->sum) != 0)
    job_end(job, BACKFILL_FAILED, "its bytes have another MD5 than it says");
  else if (!backfill_may_commit(job->backfill, job->key))
    job_end(job, BACKFILL_LEFT, NULL);
  else {
    job->commits = true;
    sluice_ask_commit(job->put, &object);
  }
}

static void on_job_next(void *arg) {
  struct backfill_job *job = arg;
  if (job->step != JOB_CARRIES)
    return;
  job->wanted = true;
  if (job->length == 0 && !job->emptied) {
    job->emptied = true; /* an empty last one is lent once */
    job->piece = 0;
    job_lend(job);
  } else if (job->sent == job->length) {
    job_commit(job);
  } else {
    job_go_on(job);
  }
}

static void on_written(void *arg, const struct sluice_meta *meta) {
  struct backfill_job *job = arg;
  take_etag(job->new_etag, meta);
}

static void on_job_put(void *arg, enum sluice_status status, const char *why) {
  struct backfill_job *job = arg;
  job->put = NULL;
  if (status == SLUICE_OK && job->step == JOB_CARRIES)
    job_look(job);
  else if (status == SLUICE_EEXIST || status == SLUICE_EPRECOND)
    job_end(job, BACKFILL_THERE, NULL);
  else if (job->commits && job->step == JOB_CARRIES)
    job_find(job, why);
  else
    job_end(job, BACKFILL_FAILED, why);
}

static void job_put(struct backfill_job *job) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_written,
                                            .next = on_job_next,
                                            .done = on_job_put};
  const struct sluice_put put = {.length = (int64_t)job->length};
  job->put = sluice_ask_put(job->handle->stores[0], NULL, &put, &heard, job);
}

/* ---- the get ------------------------------------------------------------ */

/* Its own MD5, or that of the upload. */
static void take_sum(struct backfill_job *job,
                     const struct sluice_meta *meta) {
  const char *sum = meta->md5;
  for (const struct sluice_pair *pair = meta->user;
       sum == NULL && pair != NULL && pair->name != NULL; pair++)
    if (strcmp(pair->name, "md5") == 0 &&
        strlen(pair->value) == 2 * DIGEST_MD5_LEN)
      sum = pair->value;
  snprintf(job->told_sum, sizeof job->told_sum, "%s", sum == NULL ? "" : sum);
}

/* Headers that another tool stored can't be written, so they would be lost. */
static bool can_be_kept(const struct sluice_meta *meta) {
  return meta->encoding == NULL && meta->language == NULL &&
         meta->cache_control == NULL && meta->expires == NULL;
}

static bool job_keep(struct backfill_job *job,
                     const struct sluice_meta *meta) {
  static const struct sluice_pair none[] = {{NULL, NULL}};
  const struct sluice_object object = {
      .key = job->key,
      .type = meta->type == NULL ? "application/octet-stream" : meta->type,
      .length = meta->length,
      .user = meta->user == NULL ? none : meta->user,
      .exclusive = true};
  job->object =
      wish_keep(&(struct wish){.kind = WISH_STAGE, .of.stage.object = &object},
                job->handle->host);
  return job->object != NULL;
}

static void on_job_meta(void *arg, const struct sluice_meta *meta) {
  struct backfill_job *job = arg;
  if (job->step != JOB_CARRIES)
    return;
  job->length = meta->length;
  take_etag(job->etag, meta);
  take_sum(job, meta);
  if (!can_be_kept(meta)) {
    job_end(job, BACKFILL_LEFT, NULL);
  } else if (!job_keep(job, meta)) {
    job_end(job, BACKFILL_FAILED, "no memory is left for an object");
  } else {
    if (meta->length > 0)
      sluice_ask_read(job->get, 0, meta->length);
    else
      sluice_ask_cancel(job->get);
    job_put(job);
  }
}

static void on_job_got(void *arg, enum sluice_status status, const char *why) {
  struct backfill_job *job = arg;
  job->get = NULL;
  if (job->step == JOB_ENDS)
    job_settle(job);
  else if (job->object == NULL)
    job_end(job, status == SLUICE_ENOENT ? BACKFILL_GONE : BACKFILL_FAILED,
            why);
  else if (status != SLUICE_OK && job->length > 0 && !job->commits)
    job_end(job, BACKFILL_FAILED, why);
}

static void job_get(struct backfill_job *job) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_job_meta,
                                            .chunk = on_job_chunk,
                                            .done = on_job_got};
  const struct sluice_get get = {.key = job->key, .count = UINT64_MAX};
  job->step = JOB_CARRIES;
  job->get =
      sluice_ask_get(job->handle->stores[job->from], NULL, &get, &heard, job);
}

static void on_job_has(void *arg, const struct sluice_meta *meta) {
  (void)arg, (void)meta;
}

static void on_job_asked(void *arg, enum sluice_status status,
                         const char *why) {
  struct backfill_job *job = arg;
  job->put = NULL;
  if (status == SLUICE_ENOENT)
    job_get(job);
  else
    job_end(job, status == SLUICE_OK ? BACKFILL_THERE : BACKFILL_FAILED, why);
}

bool backfill_start(struct backfill *backfill, struct fallback_handle *handle,
                    const char *key, size_t from) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_job_has,
                                            .done = on_job_asked};
  if (!sluice_memory_take(handle->host, sizeof(struct backfill_job)))
    return false;
  struct backfill_job *job = calloc(1, sizeof *job);
  if (job == NULL) {
    sluice_memory_give(handle->host, sizeof *job);
    return false;
  }
  job->backfill = backfill;
  job->handle = handle;
  job->from = from;
  job->key = strdup(key);
  job->md5 = digest_new(DIGEST_MD5);
  if (job->key == NULL || job->md5 == NULL) {
    job_free(job);
    return false;
  }
  job->put = sluice_ask_head(handle->stores[0], NULL, job->key, &heard, job);
  return true;
}

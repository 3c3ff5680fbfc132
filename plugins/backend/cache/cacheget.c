/* SPDX-License-Identifier: MIT
 *
 * A download: the index says whether the object is there or is being fetched,
 * the storage whether it is still that version, and then a body's file is
 * read, as far as it goes.  Whatever keeps the cache from helping, at any
 * moment, has the rest be read from the storage, if that has the same version.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cachelayer.h"
#include "cacheopen.h"
#include "clock.h"

#define ROUNDS_MAX 4 /* versions that come and go under one request */

static void get_look(struct cacheget *get);
static void get_judge(struct cacheget *get);

static struct cacheget *get_of(void *job) {
  return (struct cacheget *)((char *)job - offsetof(struct cacheget, job));
}

static void get_job(struct cacheget *get, enum cacheindex_kind kind,
                    void (*then)(void *)) {
  get->job.kind = kind;
  get->job.body = get->body;
  cacheindex_do(get->handle->layer->index, get->handle->host, &get->job, then);
}

static void get_note(struct cacheget *get, enum sluice_status status,
                     const char *why) {
  if (get->status != SLUICE_OK)
    return;
  get->status = status;
  snprintf(get->why, sizeof get->why, "%s", why == NULL ? "" : why);
}

static void get_finish(struct cacheget *get) {
  struct sluice_op *op = get->op;
  free(get->etag);
  get->etag = NULL;
  if (get->why[0] == '\0')
    sluice_done(op, get->status, NULL);
  else
    sluice_done(op, get->status, "%s", get->why);
}

/* ---- past the cache ----------------------------------------------------- */

static void on_pass_meta(void *arg, const struct sluice_meta *meta) {
  struct cacheget *get = arg;
  if (!get->described) {
    get->phase = CACHEGET_PASSING;
    sluice_meta(get->op, meta);
    return;
  }
  const struct sluice_meta had = {
      .length = get->length, .mtime_ms = get->mtime_ms, .etag = get->etag};
  if (cacheform_same(meta, &had)) {
    get->phase = CACHEGET_PASSING;
    sluice_ask_read(get->ask, get->at, get->left);
    return;
  }
  get_note(get, SLUICE_EUPSTREAM, "the object was replaced meanwhile");
  sluice_ask_cancel(get->ask);
}

static void on_pass_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct cacheget *get = arg;
  get->ask = NULL;
  get_note(get, status, why);
  get_finish(get);
}

static void get_pass(struct cacheget *get) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_pass_meta,
                                            .done = on_pass_done};
  const struct sluice_get below = {
      .key = get->key,
      .first = get->described ? get->at : get->first,
      .count = get->described ? get->left : get->count};
  get->phase = CACHEGET_ASKING;
  get->ask = sluice_ask_get(get->handle->store, get->op, &below, &heard, get);
}

/* ---- the end ------------------------------------------------------------ */

static void on_left(void *job) {
  struct cacheget *get = get_of(job);
  get->body = NULL;
  if (get->canceled)
    get_note(get, SLUICE_ECANCELED, NULL);
  if (get->direct && !get->canceled)
    get_pass(get);
  else
    get_finish(get);
}

/* The body is left, then comes the end, or the storage. */
static void get_leave(struct cacheget *get) {
  if (get->phase == CACHEGET_WAITING || get->phase == CACHEGET_READING)
    TAILQ_REMOVE(&get->handle->waiting, get, link);
  get->phase = CACHEGET_LEAVING;
  get_job(get, CACHEINDEX_LEAVE, on_left);
}

static void get_end(struct cacheget *get, enum sluice_status status,
                    const char *why) {
  get_note(get, status, why);
  get_leave(get);
}

static void get_direct(struct cacheget *get) {
  get->direct = true;
  get_leave(get);
}

/* ---- bytes -------------------------------------------------------------- */

static void get_wait(struct cacheget *get, enum cacheget_phase phase) {
  if (get->phase != phase) {
    get->phase = phase;
    get->moved_ms = clock_ms();
    TAILQ_INSERT_TAIL(&get->handle->waiting, get, link);
  }
  cache_stir(get->handle);
}

static void get_unwait(struct cacheget *get) {
  if (get->phase == CACHEGET_WAITING || get->phase == CACHEGET_READING)
    TAILQ_REMOVE(&get->handle->waiting, get, link);
}

static void get_describe(struct cacheget *get) {
  struct cachebody *body = get->body;
  struct sluice_meta meta = body->form.meta;
  get_unwait(get);
  get->phase = CACHEGET_DESCRIBED;
  get->described = true;
  get->length = meta.length;
  get->mtime_ms = meta.mtime_ms;
  get->etag = strdup(meta.etag);
  if (body->md5[0] != '\0')
    meta.md5 = body->md5;
  sluice_meta(get->op, &meta);
}

static void get_send(struct cacheget *get, uint64_t have) {
  struct cachebody *body = get->body;
  uint64_t count = have - get->at < get->left ? have - get->at : get->left;
  get_unwait(get);
  get->phase = CACHEGET_LENT;
  struct sluice_chunk chunk = {.length = count,
                               .fd = body->fd,
                               .offset = body->form.head + get->at,
                               .last = count == get->left};
  if (body->copy != NULL) {
    chunk.fd = -1;
    chunk.offset = 0;
    chunk.data = body->copy + get->at;
  }
  get->at += count;
  get->left -= count;
  sluice_send(get->op, &chunk);
}

/* A range that lies far ahead isn't waited for. */
static bool is_far(const struct cacheget *get, uint64_t have) {
  return get->at > have && get->at - have > get->handle->layer->conf->ahead;
}

static void get_read_on(struct cacheget *get) {
  enum cachebody_state state = cachebody_state(get->body);
  uint64_t have = atomic_load(&get->body->have);
  if (have > get->at)
    get_send(get, have);
  else if (state == CACHEBODY_FAILED)
    get_end(get, get->body->status, get->body->why);
  else if (state == CACHEBODY_LOST || state == CACHEBODY_UNCHECKED ||
           is_far(get, have))
    get_direct(get);
  else
    get_wait(get, CACHEGET_READING);
}

/* Goes on with what the body has come to. */
static void get_look(struct cacheget *get) {
  get->life = atomic_load(&get->body->life); /* before what it stands for */
  if (get->described) {
    get_read_on(get);
    return;
  }
  switch (cachebody_state(get->body)) {
  case CACHEBODY_ASKED:
  case CACHEBODY_CHECKING:
    get_wait(get, CACHEGET_WAITING);
    break;
  case CACHEBODY_FILLING:
  case CACHEBODY_WHOLE:
    if (get->sure)
      get_describe(get);
    else
      get_judge(get);
    break;
  case CACHEBODY_FAILED:
    get_end(get, get->body->status, get->body->why);
    break;
  case CACHEBODY_LOST:
  case CACHEBODY_UNCHECKED:
    get_direct(get);
    break;
  }
}

/* ---- is it still that version? ------------------------------------------ */

static void on_looked(void *job);

static void on_believed(void *job) {
  struct cacheget *get = get_of(job);
  get->sure = true;
  if (get->canceled)
    get_end(get, SLUICE_ECANCELED, NULL);
  else
    get_look(get);
}

static void on_head_meta(void *arg, const struct sluice_meta *meta) {
  struct cacheget *get = arg;
  get->same = cacheform_same(meta, &get->body->form.meta);
}

static void on_head_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct cacheget *get = arg;
  get->ask = NULL;
  bool gone = status == SLUICE_ENOENT || (status == SLUICE_OK && !get->same);
  if (get->canceled)
    status = SLUICE_ECANCELED;
  get->phase = CACHEGET_LOOKING;
  get->job.gone = gone;
  get->job.since_ms = get->asked_ms;
  if (status != SLUICE_OK) {
    get_end(get, status, why);
  } else if (get->same) {
    get_job(get, CACHEINDEX_BELIEVE, on_believed);
  } else if (++get->rounds == ROUNDS_MAX) {
    get_direct(get);
  } else {
    get_job(get, CACHEINDEX_AGAIN, on_looked);
  }
}

static void get_judge(struct cacheget *get) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_head_meta,
                                            .done = on_head_done};
  get_unwait(get);
  get->phase = CACHEGET_JUDGING;
  get->same = false;
  get->asked_ms = clock_ms() + 1;
  cacheindex_add(cacheindex_counts(get->handle->layer->index),
                 CACHEINDEX_ASKED);
  get->ask =
      sluice_ask_head(get->handle->store, get->op, get->key, &heard, get);
}

static void on_dropped(void *job) {
  get_look(get_of(job));
}

/* The body was to be filled or checked, and there is no memory for that.  Who
 * waits for it, too, needn't any more. */
static void get_give_up(struct cacheget *get) {
  bool checks = get->job.found == CACHEINDEX_CHECK;
  atomic_store(&get->body->state,
               checks ? CACHEBODY_UNCHECKED : CACHEBODY_LOST);
  atomic_fetch_add(&get->body->life, 1);
  get->job.passes = get->job.good = false;
  get_job(get, checks ? CACHEINDEX_CHECKED : CACHEINDEX_DROP, on_dropped);
  cache_wake(get->handle);
}

static void on_looked(void *job) {
  struct cacheget *get = get_of(job);
  struct cache_handle *handle = get->handle;
  bool ok = true;
  get->body = get->job.body;
  get->job.gone = false;
  get->sure = get->job.fresh;
  if (get->job.found == CACHEINDEX_FETCH)
    ok = cachefill_fetch(handle, get->body, get->key);
  else if (get->job.found == CACHEINDEX_CHECK)
    ok = cachefill_check(handle, get->body);
  if (!ok)
    get_give_up(get);
  else if (get->body == NULL && get->canceled)
    on_left(job);
  else if (get->body == NULL)
    get_pass(get);
  else if (get->canceled)
    get_end(get, SLUICE_ECANCELED, NULL);
  else
    get_look(get);
}

/* ---- entries ------------------------------------------------------------ */

/* The gateway's own objects, below .sluice/, are about what other gateways
 * have done, too, and so never believed. */
static bool is_own(const char *key) {
  return strncmp(key, ".sluice/", 8) == 0;
}

void cacheget_begin(struct cacheget *get, const struct sluice_get *wanted) {
  size_t length = strlen(wanted->key);
  get->first = wanted->first;
  get->count = wanted->count;
  memcpy(get->key, wanted->key,
         length < CACHELAYER_KEY ? length : CACHELAYER_KEY);
  if (is_own(get->key)) {
    get_pass(get);
    return;
  }
  get->phase = CACHEGET_LOOKING;
  get->began_ms = clock_ms() + 1;
  get->job.key = get->key;
  get->job.since_ms = get->began_ms;
  get->job.no_fetch = wanted->first > get->handle->layer->conf->ahead;
  get_job(get, CACHEINDEX_LOOK, on_looked);
}

void cacheget_read(struct cacheget *get, uint64_t first, uint64_t count) {
  if (get->phase == CACHEGET_PASSING) {
    sluice_ask_read(get->ask, first, count);
    return;
  }
  if (get->phase != CACHEGET_DESCRIBED)
    return; /* it is about to end */
  if (first >= get->length || count == 0) {
    get_end(get, SLUICE_ERANGE, NULL);
    return;
  }
  get->at = first;
  get->left = count < get->length - first ? count : get->length - first;
  get_look(get);
}

void cacheget_more(struct cacheget *get) {
  if (get->phase == CACHEGET_PASSING)
    sluice_ask_more(get->ask);
  else if (get->phase != CACHEGET_LENT)
    return;
  else if (get->left > 0)
    get_look(get);
  else
    get_end(get, SLUICE_OK, NULL);
}

void cacheget_cancel(struct cacheget *get) {
  get->canceled = true;
  switch (get->phase) {
  case CACHEGET_WAITING:
  case CACHEGET_DESCRIBED:
  case CACHEGET_READING:
  case CACHEGET_LENT:
    get_end(get, SLUICE_ECANCELED, NULL);
    break;
  case CACHEGET_JUDGING:
  case CACHEGET_ASKING:
  case CACHEGET_PASSING:
    sluice_ask_cancel(get->ask);
    break;
  case CACHEGET_LOOKING:
  case CACHEGET_LEAVING:
    break; /* it ends when the index has answered */
  }
}

/* Each that waits looks; none waits longer than `wait` for something to
 * happen. */
void cacheget_tick(struct cache_handle *handle, uint64_t now) {
  struct cacheget *get, *next;
  uint64_t wait = (uint64_t)handle->layer->conf->wait_ms;
  for (get = TAILQ_FIRST(&handle->waiting); get != NULL; get = next) {
    next = TAILQ_NEXT(get, link);
    unsigned life = atomic_load(&get->body->life);
    if (life == get->life && now - get->moved_ms >= wait) {
      get->job.gone = true;
      get_direct(get);
      continue;
    }
    if (life == get->life)
      continue;
    get->moved_ms = now;
    enum cacheget_phase phase = get->phase;
    get_look(get);
    if (get->phase == phase)
      sluice_alive(get->op);
  }
}

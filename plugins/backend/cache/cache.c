/* SPDX-License-Identifier: MIT
 *
 * The layer `cache`: what is read often lies on a disk that is near.
 * sluice-cache(7).  Here are the options, the life, and changes: each is
 * handed on, and acknowledged when the index has forgotten what it was about.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cachelayer.h"
#include "clock.h"
#include "wish.h"

#define TICK_US 5000 /* for what other loops fetch */
#define SIZE_MIN (1024 * 1024)
#define SIZE_MAX_BYTES (UINT64_C(1) << 60)
#define OBJECTS_MAX 10000000
#define TTL_MAX_MS 86400000
#define WAIT_MAX_MS 600000
#define LINGER_MAX_MS 4000

#define AT(field) offsetof(struct cache_conf, field)

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, AT(over),
     "the backend whose objects are kept"},
    {"directory", SLUICE_STRING, NULL, AT(directory),
     "the folder to keep them in; nothing else may be there"},
    {"max_size", SLUICE_SIZE, "1GiB", AT(max_size),
     "bytes of disk; what wasn't read for the longest time goes"},
    {"max_object", SLUICE_SIZE, "64MiB", AT(max_object),
     "larger objects pass by"},
    {"objects", SLUICE_INT, "100000", AT(objects),
     "objects at most; each takes 128 bytes of memory"},
    {"ttl", SLUICE_TIME, "0s", AT(ttl_ms),
     "how long one is served without asking the storage; 0s: not at all"},
    {"ahead", SLUICE_SIZE, "1MiB", AT(ahead),
     "a range that begins further ahead of what came isn't waited for"},
    {"wait", SLUICE_TIME, "10s", AT(wait_ms),
     "a fetch from which nothing comes for so long isn't waited for"},
    {"linger", SLUICE_TIME, "2s", AT(linger_ms),
     "how long a fetch goes on that nobody reads any more"},
    {NULL, 0, NULL, 0, NULL}};

/* ---- changes ------------------------------------------------------------ */

struct change {
  struct cache_handle *handle;
  struct sluice_op *op;
  struct sluice_ask *ask;
  enum wish_kind kind;
  struct cacheindex_job job;
  const char *one;         /* `key`, as a list of one */
  const char *const *keys; /* that are changed; NULL: none yet */
  size_t count;
  enum sluice_status status;
  char why[CACHELAYER_WHY];
  char key[CACHELAYER_KEY + 1];
};

struct cache_op { /* the state of each operation */
  enum { CACHE_OP_NONE, CACHE_OP_GET, CACHE_OP_CHANGE } is;
  union {
    struct cacheget get;
    struct change change;
  } of;
};

static struct cache_op *state_of(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct cache_op));
}

static void change_end(void *job) {
  struct change *change =
      (struct change *)((char *)job - offsetof(struct change, job));
  wish_end(change->op, change->status,
           change->why[0] == '\0' ? NULL : change->why);
}

static void change_says(struct change *change, const char *key) {
  size_t length = strlen(key);
  memcpy(change->key, key, length < CACHELAYER_KEY ? length : CACHELAYER_KEY);
  change->one = change->key;
  change->keys = &change->one;
  change->count = 1;
}

/* Also what failed: it may have taken place, or come late. */
static void on_changed(void *arg, enum sluice_status status, const char *why) {
  struct change *change = arg;
  change->status = status;
  snprintf(change->why, sizeof change->why, "%s", why == NULL ? "" : why);
  if (change->kind == WISH_REMOVE_MANY)
    for (size_t i = 0; i < change->count; i++) {
      enum sluice_status one = sluice_ask_removed(change->ask, i);
      if (one != SLUICE_OK)
        sluice_failed(change->op, i, one);
    }
  change->ask = NULL;
  change->job = (struct cacheindex_job){
      .kind = CACHEINDEX_FORGET, .keys = change->keys, .count = change->count};
  if (change->keys == NULL)
    change_end(&change->job);
  else
    cacheindex_do(change->handle->layer->index, change->handle->host,
                  &change->job, change_end);
}

static struct change *change_new(void *handle, struct sluice_op *op,
                                 const char *key) {
  struct cache_op *state = state_of(op);
  struct change *change = &state->of.change;
  state->is = CACHE_OP_CHANGE;
  change->handle = handle;
  change->op = op;
  if (key != NULL)
    change_says(change, key);
  return change;
}

static void change_ask(struct change *change, const struct wish *wish) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .done = on_changed};
  change->kind = wish->kind;
  change->ask =
      wish_ask(wish, change->handle->store, change->op, &heard, change);
}

static void cache_put(void *handle, struct sluice_op *op,
                      const struct sluice_put *put) {
  change_ask(change_new(handle, op, NULL),
             &(struct wish){.kind = WISH_PUT, .of.put = *put});
}

static void cache_commit(void *handle, struct sluice_op *op,
                         const struct sluice_object *object) {
  struct change *change = &state_of(op)->of.change;
  (void)handle;
  change_says(change, object->key);
  sluice_ask_commit(change->ask, object);
}

static void cache_stage(void *handle, struct sluice_op *op,
                        const struct sluice_stage *stage) {
  change_ask(change_new(handle, op, NULL),
             &(struct wish){.kind = WISH_STAGE, .of.stage = *stage});
}

static void cache_stage_commit(void *handle, struct sluice_op *op,
                               const struct sluice_object *object,
                               const struct sluice_save *save) {
  struct change *change = &state_of(op)->of.change;
  (void)handle;
  change_says(change, object->key);
  sluice_ask_stage_commit(change->ask, object, save);
}

static void cache_remove(void *handle, struct sluice_op *op, const char *key) {
  change_ask(change_new(handle, op, key),
             &(struct wish){.kind = WISH_REMOVE, .of.key = key});
}

static void cache_remove_if(void *handle, struct sluice_op *op,
                            const struct sluice_removal *removal) {
  change_ask(change_new(handle, op, removal->key),
             &(struct wish){.kind = WISH_REMOVE_IF, .of.removal = *removal});
}

static void cache_remove_many(void *handle, struct sluice_op *op,
                              const char *const *keys, size_t count) {
  struct change *change = change_new(handle, op, NULL);
  change->keys = keys;
  change->count = count;
  change_ask(change, &(struct wish){.kind = WISH_REMOVE_MANY,
                                    .of.many = {keys, count}});
}

static void cache_copy(void *handle, struct sluice_op *op,
                       const struct sluice_copy *copy) {
  change_ask(change_new(handle, op, copy->to),
             &(struct wish){.kind = WISH_COPY, .of.copy = *copy});
}

/* ---- reads -------------------------------------------------------------- */

static void cache_get(void *handle, struct sluice_op *op,
                      const struct sluice_get *get) {
  struct cache_op *state = state_of(op);
  state->is = CACHE_OP_GET;
  state->of.get.op = op;
  state->of.get.handle = handle;
  cacheget_begin(&state->of.get, get);
}

static void cache_read(void *handle, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  struct cache_op *state = state_of(op);
  (void)handle;
  if (state->is == CACHE_OP_GET)
    cacheget_read(&state->of.get, first, count);
  else
    sluice_ask_read(state->of.change.ask, first, count);
}

static void cache_more(void *handle, struct sluice_op *op) {
  struct cache_op *state = state_of(op);
  (void)handle;
  if (state->is == CACHE_OP_GET)
    cacheget_more(&state->of.get);
  else
    sluice_ask_more(state->of.change.ask);
}

static void cache_cancel(void *handle, struct sluice_op *op) {
  struct cache_op *state = state_of(op);
  (void)handle;
  switch (state->is) {
  case CACHE_OP_GET:
    cacheget_cancel(&state->of.get);
    break;
  case CACHE_OP_CHANGE:
    if (state->of.change.ask != NULL)
      sluice_ask_cancel(state->of.change.ask);
    break;
  case CACHE_OP_NONE: /* it has passed whole */
    sluice_ask_cancel(sluice_asked(op));
    break;
  }
}

/* ---- life --------------------------------------------------------------- */

void cache_stir(struct cache_handle *handle) {
  struct timeval pause = {.tv_usec = TICK_US};
  bool needed = !TAILQ_EMPTY(&handle->waiting) || !TAILQ_EMPTY(&handle->fills);
  if (needed && !evtimer_pending(handle->timer, NULL))
    evtimer_add(handle->timer, &pause);
}

void cache_wake(struct cache_handle *handle) {
  cacheget_tick(handle, clock_ms());
  cache_stir(handle);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
  struct cache_handle *handle = arg;
  uint64_t now = clock_ms();
  (void)fd, (void)what;
  cachefill_tick(handle, now);
  cacheget_tick(handle, now);
  cache_stir(handle);
}

#define COUNTER(name, help) \
  { "cache_" name "_total", SLUICE_COUNTER, help, NULL, NULL }

static const struct sluice_metric metrics[] = {
    [CACHEINDEX_HITS] = COUNTER("hits", "Reads of what was kept."),
    [CACHEINDEX_MISSES] = COUNTER("misses", "Reads that began a fetch."),
    [CACHEINDEX_JOINS] =
        COUNTER("joins", "Reads that joined a fetch under way."),
    [CACHEINDEX_ASKED] = COUNTER(
        "asked", "Times that the storage was asked whether one is the same."),
    [CACHEINDEX_PASSED] = COUNTER("passed", "Reads past the cache."),
    [CACHEINDEX_EVICTED] =
        COUNTER("evicted", "Objects that were removed for room."),
    [CACHEINDEX_FETCHED] =
        COUNTER("fetched", "Objects that came whole, and are kept."),
    [CACHEINDEX_BYTES] = {"cache_bytes", SLUICE_GAUGE,
                          "Bytes of disk that it takes.", NULL, NULL},
    [CACHEINDEX_OBJECTS] = {"cache_objects", SLUICE_GAUGE,
                            "Objects that it knows.", NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

static const char *conf_fault(const struct cache_conf *conf) {
  if (conf->max_size < SIZE_MIN || conf->max_size > SIZE_MAX_BYTES)
    return "max_size: write 1MiB to 1048576TiB";
  if (conf->max_object < 1 || conf->max_object > SIZE_MAX_BYTES)
    return "max_object: write 1B to 1048576TiB";
  if (conf->objects < 1 || conf->objects > OBJECTS_MAX)
    return "objects: write 1 to 10000000";
  if (conf->ttl_ms < 0 || conf->ttl_ms > TTL_MAX_MS)
    return "ttl: write 0s to 24h";
  if (conf->ahead > SIZE_MAX_BYTES)
    return "ahead: write 0 to 1048576TiB";
  if (conf->wait_ms < 10 || conf->wait_ms > WAIT_MAX_MS)
    return "wait: write 10ms to 10m";
  if (conf->linger_ms < 0 || conf->linger_ms > LINGER_MAX_MS)
    return "linger: write 0s to 4s";
  return NULL;
}

static void cache_stop(void *instance) {
  struct cache_layer *layer = instance;
  if (layer->index != NULL) {
    const struct cacheindex_counts *counts = cacheindex_counts(layer->index);
    sluice_log(layer->host, SLUICE_LOG_INFO,
               "%" PRIu64 " read from the cache, %" PRIu64
               " while they were fetched, %" PRIu64 " fetched, %" PRIu64
               " past the cache; %" PRIu64 " times the storage was asked "
               "whether one is the same; %" PRIu64 " removed for room",
               counts->of[CACHEINDEX_HITS], counts->of[CACHEINDEX_JOINS],
               counts->of[CACHEINDEX_MISSES], counts->of[CACHEINDEX_PASSED],
               counts->of[CACHEINDEX_ASKED], counts->of[CACHEINDEX_EVICTED]);
    cacheindex_free(layer->index);
  }
  cachedir_close(&layer->dir);
  free(layer);
}

static void *cache_start(const void *arg, struct sluice_host *host) {
  const struct cache_conf *conf = arg;
  const char *fault = conf_fault(conf);
  struct errmsg err = {"no memory is left"};
  struct cache_layer *layer = fault == NULL ? calloc(1, sizeof *layer) : NULL;
  if (layer == NULL) {
    sluice_fail(host, "%s", fault == NULL ? err.text : fault);
    return NULL;
  }
  const struct cacheindex_limits limits = {.size = conf->max_size,
                                           .objects = (size_t)conf->objects,
                                           .ttl_ms = conf->ttl_ms};
  layer->conf = conf;
  layer->host = host;
  layer->abilities = sluice_store_can(sluice_store(host, NULL));
  if (cachedir_open(&layer->dir, conf->directory, conf->over, &err))
    layer->index = cacheindex_new(host, &layer->dir, &limits, &err);
  if (layer->index != NULL)
    return layer;
  sluice_fail(host, "%s", err.text);
  cache_stop(layer);
  return NULL;
}

static unsigned cache_can(void *instance) {
  return ((const struct cache_layer *)instance)->abilities;
}

static void cache_close(void *arg) {
  struct cache_handle *handle = arg;
  event_free(handle->timer);
  free(handle);
}

static void *cache_open(void *instance, struct sluice_host *host) {
  struct cache_handle *handle = calloc(1, sizeof *handle);
  if (handle != NULL)
    handle->timer = evtimer_new(sluice_loop(host), on_tick, handle);
  if (handle == NULL || handle->timer == NULL) {
    sluice_fail(host, "no memory is left");
    free(handle);
    return NULL;
  }
  handle->host = host;
  handle->store = sluice_store(host, NULL);
  handle->layer = instance;
  TAILQ_INIT(&handle->fills);
  TAILQ_INIT(&handle->waiting);
  return handle;
}

/* Its state, one small object, and what describes it. */
#define OP_MEMORY (sizeof(struct cache_op) + 16384 + 4096)

static const struct sluice_backend cache = {
    SLUICE_HEAD(sluice_backend),
    .name = "cache",
    .version = SLUICE_VERSION,
    .summary = "keeps what is read of another backend on a disk",
    .options = options,
    .conf_size = sizeof(struct cache_conf),
    .start = cache_start,
    .stop = cache_stop,
    .open = cache_open,
    .close = cache_close,
    .can = cache_can,
    .get = cache_get,
    .read = cache_read,
    .more = cache_more,
    .put = cache_put,
    .commit = cache_commit,
    .stage = cache_stage,
    .stage_commit = cache_stage_commit,
    .remove = cache_remove,
    .remove_if = cache_remove_if,
    .remove_many = cache_remove_many,
    .copy = cache_copy,
    .cancel = cache_cancel,
    .op_memory = OP_MEMORY,
    .metrics = metrics,
};

SLUICE_REACH({"directory", SLUICE_REACH_FOLDER, NULL})
SLUICE_BACKEND(cache, cache)

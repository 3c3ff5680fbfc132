/* SPDX-License-Identifier: MIT
 *
 * The layer `mirror`: several storages with the same objects.  The first one
 * decides what takes place; the others follow at once, or, where they can't,
 * later.  sluice-mirror(7).
 */
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "mirror_desk.h"
#include "wish.h"

#define QUEUE_MIN 65536
#define QUEUE_MAX (UINT64_C(1) << 30)
#define TIME_MIN_MS 100
#define TIME_MAX_MS 3600000
#define NAMES_MAX 4096

#define AT(field) offsetof(struct mirror_conf, field)

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAMES, NULL, AT(over),
     "the backends with the same objects; the first one decides"},
    {"acknowledge", SLUICE_INT, "0", AT(acknowledge),
     "how many have a change before it is acknowledged; 0: all"},
    {"directory", SLUICE_STRING, NULL, AT(directory),
     "where the queue of what a backend lacks is kept"},
    {"queue", SLUICE_SIZE, "4MiB", AT(queue),
     "memory of the keys on it; with more, changes are refused"},
    {"heal", SLUICE_TIME, "10s", AT(heal_ms),
     "how often what is lacked is looked after"},
    {"timeout", SLUICE_TIME, "10s", AT(timeout_ms),
     "how long a backend that says nothing is waited for"},
    {NULL, 0, NULL, 0, NULL}};

/* ---- what its files share ----------------------------------------------- */

bool mirror_is_away(const struct mirror *shared, unsigned store) {
  return atomic_load(&shared->away_ms[store]) > clock_ms();
}

static const struct sluice_metric metrics[] = {
    [MIRROR_BEHIND] = {"mirror_behind_keys", SLUICE_GAUGE,
                       "Keys on the queue, which the storage lacks.",
                       "storage", NULL},
    [MIRROR_LATE] = {"mirror_late_total", SLUICE_COUNTER,
                     "Times that the storage said nothing for `timeout` and "
                     "wasn't waited for any more.",
                     "storage", NULL},
    [MIRROR_HEALED] = {"mirror_healed_total", SLUICE_COUNTER,
                       "Keys in which the storage was made equal to the first "
                       "one.",
                       "storage", NULL},
    [MIRROR_NOT_HEALED] = {"mirror_heal_failures_total", SLUICE_COUNTER,
                           "Attempts at that which failed.", "storage", NULL},
    [MIRROR_QUEUE_STATE] = {"mirror_queue_refuses", SLUICE_GAUGE,
                            "1 while the queue is full, or can't be written, "
                            "and changes are refused.",
                            NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

void mirror_is_late(struct mirror *shared, unsigned store) {
  if (!mirror_is_away(shared, store))
    sluice_log(shared->host, SLUICE_LOG_WARN,
               "'%s' said nothing for %" PRId64
               " ms; it isn't asked for %" PRId64 " ms",
               shared->conf->over[store], shared->conf->timeout_ms,
               shared->conf->heal_ms);
  sluice_count(shared->host, SLUICE_SERIES(MIRROR_LATE, store), 1);
  atomic_store(&shared->away_ms[store],
               clock_ms() + (uint64_t)shared->conf->heal_ms);
}

void mirror_is_back(struct mirror *shared, unsigned store) {
  atomic_store(&shared->away_ms[store], 0);
}

bool mirror_is_outage(enum sluice_status status) {
  return status == SLUICE_EBUSY || status == SLUICE_ERATE ||
         status == SLUICE_EIO || status == SLUICE_EUPSTREAM ||
         status == SLUICE_ETIMEOUT || status == SLUICE_ENOSPC;
}

unsigned mirror_bits(unsigned set) {
  return (unsigned)__builtin_popcount(set);
}

void mirror_wait(struct event *timer, int64_t ms) {
  const struct timeval time = {.tv_sec = ms / 1000,
                               .tv_usec = ms % 1000 * 1000};
  evtimer_add(timer, &time);
}

struct mirror_op *mirror_op(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct mirror_op));
}

/* ---- stages: the first storage's, until they are committed -------------- */

static void on_stage_meta(void *arg, const struct sluice_meta *meta) {
  struct sluice_op *op = arg;
  struct mirror_write *write = mirror_op(op)->write;
  if (write != NULL)
    mirror_write_staged_meta(write, meta);
  else
    sluice_meta(op, meta);
}

static void on_stage_done(void *arg, enum sluice_status status,
                          const char *why) {
  struct sluice_op *op = arg;
  struct mirror_write *write = mirror_op(op)->write;
  if (write != NULL)
    mirror_write_staged_done(write, status, why);
  else if (mirror_op(op)->no_memory)
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a change");
  else
    wish_end(op, status, why);
}

static void mirror_stage(void *arg, struct sluice_op *op,
                         const struct sluice_stage *stage) {
  static const struct sluice_heard heard = {
      SLUICE_HEARD, .meta = on_stage_meta, .done = on_stage_done};
  struct mirror_handle *handle = arg;
  mirror_op(op)->kind = MIRROR_STAGE;
  sluice_ask_stage(handle->stores[0], op, stage, &heard, op);
}

static void mirror_save(void *handle, struct sluice_op *op,
                        const struct sluice_save *save) {
  (void)handle;
  sluice_ask_save(sluice_asked(op), save);
}

static void mirror_commit_stage(void *handle, struct sluice_op *op,
                                const struct sluice_object *object,
                                const struct sluice_save *save) {
  mirror_stage_commit(handle, op, object, save, sluice_asked(op));
}

static void mirror_stage_get(void *arg, struct sluice_op *op, const char *id) {
  struct mirror_handle *handle = arg;
  mirror_op(op)->kind = MIRROR_STAGE;
  sluice_ask_stage_get(handle->stores[0], op, id, NULL, NULL);
}

static void mirror_stage_remove(void *arg, struct sluice_op *op,
                                const char *id) {
  struct mirror_handle *handle = arg;
  mirror_op(op)->kind = MIRROR_STAGE;
  sluice_ask_stage_remove(handle->stores[0], op, id, NULL, NULL);
}

static void mirror_stage_sweep(void *arg, struct sluice_op *op,
                               int64_t now_s) {
  struct mirror_handle *handle = arg;
  mirror_op(op)->kind = MIRROR_STAGE;
  sluice_ask_stage_sweep(handle->stores[0], op, now_s, NULL, NULL);
}

/* ---- steps -------------------------------------------------------------- */

static void mirror_read(void *handle, struct sluice_op *op, uint64_t first,
                        uint64_t count) {
  struct mirror_op *state = mirror_op(op);
  (void)handle;
  if (state->kind == MIRROR_STAGE)
    sluice_ask_read(sluice_asked(op), first, count);
  else if (state->read != NULL)
    mirror_read_range(state->read, first, count);
}

static void mirror_more(void *handle, struct sluice_op *op) {
  struct mirror_op *state = mirror_op(op);
  (void)handle;
  if (state->kind == MIRROR_STAGE)
    sluice_ask_more(sluice_asked(op));
  else if (state->read != NULL)
    mirror_read_more(state->read);
}

static void mirror_data(void *handle, struct sluice_op *op,
                        const struct sluice_chunk *chunk) {
  struct mirror_op *state = mirror_op(op);
  (void)handle;
  if (state->kind == MIRROR_STAGE)
    sluice_ask_data(sluice_asked(op), chunk);
  else if (state->write != NULL)
    mirror_write_data(state->write, chunk);
}

static void mirror_commit(void *handle, struct sluice_op *op,
                          const struct sluice_object *object) {
  struct mirror_op *state = mirror_op(op);
  (void)handle;
  if (state->write != NULL)
    mirror_write_commit(state->write, object);
}

static void mirror_cancel(void *handle, struct sluice_op *op) {
  struct mirror_op *state = mirror_op(op);
  struct sluice_ask *ask = sluice_asked(op);
  (void)handle;
  if (state->write != NULL)
    mirror_write_cancel(state->write);
  else if (state->read != NULL)
    mirror_read_cancel(state->read);
  else if (state->kind == MIRROR_PING)
    mirror_ping_cancel(&state->ping);
  else if (ask != NULL)
    sluice_ask_cancel(ask);
}

/* ---- life --------------------------------------------------------------- */

static const char *conf_fault(const struct mirror_conf *conf, unsigned count) {
  if (count < 1 || count > MIRROR_MAX)
    return "over: write 1 to 8 backends";
  if (conf->acknowledge < 0 || conf->acknowledge > count)
    return "acknowledge: write 1 to the number of backends, or 0 for all";
  if (conf->directory[0] == '\0')
    return "directory: write the folder to keep the queue in";
  if (conf->queue < QUEUE_MIN || conf->queue > QUEUE_MAX)
    return "queue: write 64KiB to 1GiB";
  if (conf->heal_ms < TIME_MIN_MS || conf->heal_ms > TIME_MAX_MS ||
      conf->timeout_ms < TIME_MIN_MS || conf->timeout_ms > TIME_MAX_MS)
    return "heal and timeout: write 100ms to 1h";
  return NULL;
}

static void say_what_was_read(struct sluice_host *host,
                              const struct arrears_read *read) {
  if (read->keys > 0)
    sluice_log(host, SLUICE_LOG_WARN, "%zu keys are on the queue", read->keys);
  if (read->cut > 0)
    sluice_log(host, SLUICE_LOG_INFO,
               "the queue's last %zu bytes were cut by a crash, before "
               "anything was done to their keys",
               read->cut);
  if (read->damaged > 0)
    sluice_log(host, SLUICE_LOG_ERROR,
               "%zu lines of the queue are damaged, so that backends may "
               "differ in keys that nobody knows; compare them with sluice "
               "migrate",
               read->damaged);
}

/* The queue's places mean these names. */
static bool open_arrears(struct mirror *shared, struct sluice_host *host) {
  const struct mirror_conf *conf = shared->conf;
  struct arrears_read read;
  struct errmsg err = {.text = ""};
  struct buf names;
  buf_init(&names, NAMES_MAX);
  for (unsigned i = 0; i < shared->count; i++)
    buf_addf(&names, "%s%s", i > 0 ? " " : "", conf->over[i]);
  shared->arrears_conf =
      (struct arrears_conf){.directory = conf->directory,
                            .names = names.data,
                            .all = shared->others,
                            .limit = conf->queue,
                            .pause_ms = (uint64_t)conf->heal_ms};
  if (names.overflown)
    errmsg_set(&err, "over: the names are too long");
  else
    shared->arrears = arrears_open(&shared->arrears_conf, &read, &err);
  buf_fini(&names);
  shared->arrears_conf.names = NULL;
  if (shared->arrears == NULL) {
    sluice_fail(host, "%s", err.text);
    return false;
  }
  say_what_was_read(host, &read);
  desk_count(shared);
  return true;
}

static unsigned abilities_of(struct sluice_host *host, const char *first) {
  return sluice_store_can(sluice_store(host, first)) &
         (SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE | SLUICE_CAN_REMOVE |
          SLUICE_CAN_COPY | SLUICE_CAN_COPY_NEW | SLUICE_CAN_TELL |
          SLUICE_CAN_MATCH_ANY);
}

static void mirror_stop(void *instance) {
  struct mirror *shared = instance;
  if (shared->lane != NULL)
    sluice_lane_free(shared->lane);
  arrears_close(shared->arrears);
  free(shared);
}

static void *mirror_start(const void *arg, struct sluice_host *host) {
  const struct mirror_conf *conf = arg;
  unsigned count = 0;
  while (conf->over[count] != NULL)
    count++;
  const char *fault = conf_fault(conf, count);
  struct mirror *shared = fault == NULL ? calloc(1, sizeof *shared) : NULL;
  if (shared == NULL) {
    sluice_fail(host, "%s", fault == NULL ? "no memory is left" : fault);
    return NULL;
  }
  shared->conf = conf;
  shared->host = host;
  shared->count = count;
  shared->enough =
      conf->acknowledge == 0 ? count : (unsigned)conf->acknowledge;
  shared->others = ((1U << count) - 1) & ~1U;
  shared->abilities = abilities_of(host, conf->over[0]);
  if (open_arrears(shared, host)) {
    shared->lane = sluice_lane_new(host, desk_run, shared);
    if (shared->lane != NULL)
      return shared;
    sluice_fail(host, "no memory is left");
  }
  mirror_stop(shared);
  return NULL;
}

static unsigned mirror_can(void *instance) {
  return ((const struct mirror *)instance)->abilities;
}

static void mirror_close(void *arg) {
  struct mirror_handle *handle = arg;
  healer_close(handle);
  free(handle);
}

static void *mirror_open(void *instance, struct sluice_host *host) {
  struct mirror *shared = instance;
  struct mirror_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  handle->shared = shared;
  handle->host = host;
  for (unsigned i = 0; i < shared->count; i++)
    handle->stores[i] = sluice_store(host, shared->conf->over[i]);
  if (!atomic_exchange(&shared->has_healer, true) && !healer_open(handle)) {
    sluice_fail(host, "no memory is left for the queue; write a larger "
                      "limits.memory, or a smaller `queue`");
    atomic_store(&shared->has_healer, false);
    free(handle);
    return NULL;
  }
  return handle;
}

static const struct sluice_backend mirror = {
    SLUICE_HEAD(sluice_backend),
    .name = "mirror",
    .version = SLUICE_VERSION,
    .summary = "keeps the same objects in several backends",
    .options = options,
    .conf_size = sizeof(struct mirror_conf),
    .start = mirror_start,
    .stop = mirror_stop,
    .open = mirror_open,
    .close = mirror_close,
    .head = mirror_head,
    .get = mirror_get,
    .read = mirror_read,
    .more = mirror_more,
    .put = mirror_put,
    .data = mirror_data,
    .commit = mirror_commit,
    .list = mirror_list,
    .remove = mirror_remove,
    .cancel = mirror_cancel,
    .ping = mirror_ping,
    .can = mirror_can,
    .remove_if = mirror_remove_if,
    .copy = mirror_copy,
    .stage = mirror_stage,
    .save = mirror_save,
    .stage_commit = mirror_commit_stage,
    .stage_get = mirror_stage_get,
    .stage_remove = mirror_stage_remove,
    .stage_sweep = mirror_stage_sweep,
    .metrics = metrics,
};

SLUICE_REACH({"directory", SLUICE_REACH_FOLDER, NULL})
SLUICE_BACKEND(mirror, mirror)

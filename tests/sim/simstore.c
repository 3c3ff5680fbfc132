/* SPDX-License-Identifier: MIT
 *
 * A storage in memory whose answers come when chance wants it, from a timer or
 * by a thread of the pool, in any order, and fail: before what was asked for
 * was done, after it, or so that it is done later.  It is honest: what it
 * calls done is done, and nothing else is, but for what it called doubtful.
 */
#include "simstore.h"

#include <stdlib.h>
#include <string.h>

#include "chance.h"

#define REFUSES 12 /* of a thousand steps */
#define SLOW 8
#define PIECE_MAX 70000
#define COMMON_US 20000   /* what a step takes at most, but for the slow */
#define SLOW_US 120000000 /* and these */
#define BY_POOL 30        /* of a hundred steps */

struct shelf simstore_shelf;

void simstore_copy(char *to, size_t room, const char *text) {
  size_t len = strlen(text);
  if (len >= room)
    abort();
  memcpy(to, text, len + 1);
}

/* ---- time --------------------------------------------------------------- */

static uint64_t delay_us(void) {
  if (chance_fault(FAULT_STORAGE_SLOW, SLOW))
    return chance_below(SLOW_US);
  return chance_percent(50) ? 0 : chance_below(COMMON_US);
}

struct timeval simstore_time(uint64_t us) {
  return (struct timeval){.tv_sec = (time_t)(us / 1000000),
                          .tv_usec = (suseconds_t)(us % 1000000)};
}

static void go(struct call *call) {
  void (*act)(struct call *) = call->act;
  call->waits = false;
  act(call);
}

static void on_time(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  go(arg);
}

static void work(void *arg) {
  (void)arg;
}

static void worked(void *arg) {
  go(arg);
}

void simstore_later(struct call *call, void (*act)(struct call *)) {
  call->act = act;
  call->waits = true;
  if (chance_percent(BY_POOL)) {
    sluice_work(call->handle->host, work, worked, call);
    return;
  }
  uint64_t us = call->canceled ? chance_below(COMMON_US) : delay_us();
  struct timeval wait = simstore_time(us);
  evtimer_add(call->timer, &wait);
}

/* ---- an operation ------------------------------------------------------- */

struct call *simstore_call(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct call));
}

struct call *simstore_begin(void *arg, struct sluice_op *op, const char *key) {
  struct handle *handle = arg;
  struct call *call = simstore_call(op);
  call->op = op;
  call->handle = handle;
  call->timer = evtimer_new(sluice_loop(handle->host), on_time, call);
  if (call->timer == NULL || strlen(key) > SHELF_KEY_MAX)
    abort();
  simstore_copy(call->key, sizeof call->key, key);
  return call;
}

/* A piece is nobody's once it was given back, and has other bytes then. */
static void take_back(struct call *call) {
  if (call->piece != NULL)
    memset(call->piece, '#', call->piece_len);
  free(call->piece);
  call->piece = NULL;
}

void simstore_finish(struct call *call) {
  for (uint32_t i = 0; i < call->page.count; i++)
    shelf_object_drop(call->page.found[i]);
  shelf_object_drop(call->object);
  event_free(call->timer);
  take_back(call);
  sluice_done(call->op, call->status, NULL);
}

bool simstore_refuses(struct call *call) {
  static const enum sluice_status all[] = {SLUICE_EBUSY,     SLUICE_EIO,
                                           SLUICE_EUPSTREAM, SLUICE_ETIMEOUT,
                                           SLUICE_ENOSPC,    SLUICE_ENOMEM};
  if (call->canceled || !chance_fault(FAULT_STORAGE_REFUSES, REFUSES))
    return false;
  call->status = all[chance_below(sizeof all / sizeof *all)];
  trace("storage: %s is refused by %d", call->key, (int)call->status);
  simstore_finish(call);
  return true;
}

static void end_canceled(struct call *call) {
  call->status = call->done_it ? SLUICE_OK : SLUICE_ECANCELED;
  simstore_finish(call);
}

static void cancel(void *arg, struct sluice_op *op) {
  struct call *call = simstore_call(op);
  (void)arg;
  chance_count(FAULT_STORAGE_CANCELED);
  trace("storage: %s is canceled%s", call->key,
        call->done_it ? ", and done" : "");
  call->canceled = true;
  take_back(call);
  if (!call->waits) {
    simstore_later(call, end_canceled);
  } else if (event_pending(call->timer, EV_TIMEOUT, NULL)) {
    event_del(call->timer);
    simstore_later(call, end_canceled);
  } else {
    call->act = end_canceled; /* a thread has it */
  }
}

/* ---- reads -------------------------------------------------------------- */

static void look(struct call *call) {
  if (simstore_refuses(call))
    return;
  call->object = shelf_get(&simstore_shelf, call->key);
  if (call->object != NULL)
    sluice_meta(call->op, &call->object->meta);
  if (call->object != NULL && call->end != 0)
    return; /* read() comes */
  call->status = call->object == NULL ? SLUICE_ENOENT : SLUICE_OK;
  simstore_finish(call);
}

static void head(void *arg, struct sluice_op *op, const char *key) {
  simstore_later(simstore_begin(arg, op, key), look);
}

static void get(void *arg, struct sluice_op *op,
                const struct sluice_get *wanted) {
  struct call *call = simstore_begin(arg, op, wanted->key);
  call->end = UINT64_MAX;
  simstore_later(call, look);
}

static void send_piece(struct call *call) {
  if (simstore_refuses(call))
    return;
  uint64_t left = call->end - call->at;
  uint64_t len = 1 + chance_below(PIECE_MAX);
  len = len < left ? len : left;
  call->piece = malloc(len + 1);
  call->piece_len = len;
  if (call->piece == NULL)
    abort();
  if (len > 0)
    memcpy(call->piece, call->object->data + call->at, len);
  struct sluice_chunk chunk = {
      .data = call->piece, .length = len, .fd = -1, .last = len == left};
  call->at += len;
  sluice_send(call->op, &chunk);
}

static void read_range(void *arg, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  struct call *call = simstore_call(op);
  uint64_t length = call->object->meta.length;
  (void)arg;
  if (first > length)
    abort();
  call->at = first;
  call->end = count < length - first ? first + count : length;
  simstore_later(call, send_piece);
}

static void end_read(struct call *call) {
  call->status = SLUICE_OK;
  simstore_finish(call);
}

static void more(void *arg, struct sluice_op *op) {
  struct call *call = simstore_call(op);
  (void)arg;
  take_back(call);
  simstore_later(call, call->at == call->end ? end_read : send_piece);
}

static void scan(struct call *call) {
  if (simstore_refuses(call))
    return;
  shelf_scan(&simstore_shelf, &call->page);
  char name[SHELF_KEY_MAX + 1] = "";
  for (uint32_t i = 0; i < call->page.count; i++) {
    const char *key = call->page.found[i]->key;
    size_t fold = shelf_fold(&call->page, key);
    size_t len = fold > 0 ? fold : strlen(key);
    memcpy(name, key, len);
    name[len] = '\0';
    if (fold > 0)
      sluice_prefix(call->op, name);
    else
      sluice_entry(call->op, key, &call->page.found[i]->meta);
  }
  if (call->page.more)
    sluice_truncated(call->op, name);
  simstore_finish(call);
}

static void list(void *arg, struct sluice_op *op,
                 const struct sluice_list *wanted) {
  struct call *call = simstore_begin(arg, op, "a list");
  simstore_copy(call->page.prefix, sizeof call->page.prefix, wanted->prefix);
  if (wanted->delimiter != NULL)
    simstore_copy(call->page.delimiter, sizeof call->page.delimiter,
                  wanted->delimiter);
  if (wanted->token != NULL)
    simstore_copy(call->page.token, sizeof call->page.token, wanted->token);
  call->page.max = wanted->max < SHELF_PAGE_MAX ? wanted->max : SHELF_PAGE_MAX;
  simstore_later(call, scan);
}

static void end_ping(struct call *call) {
  if (!simstore_refuses(call))
    simstore_finish(call);
}

static void ping(void *arg, struct sluice_op *op) {
  simstore_later(simstore_begin(arg, op, "a ping"), end_ping);
}

/* ---- life --------------------------------------------------------------- */

static unsigned can(void *instance) {
  (void)instance;
  return SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE | SLUICE_CAN_REMOVE |
         SLUICE_CAN_COPY | SLUICE_CAN_COPY_NEW | SLUICE_CAN_TELL |
         SLUICE_CAN_MATCH_ANY;
}

static void *simstore_start(const void *conf, struct sluice_host *host) {
  (void)conf;
  return host;
}

static void simstore_stop(void *instance) {
  (void)instance;
}

static void *simstore_open(void *instance, struct sluice_host *host) {
  struct handle *handle = calloc(1, sizeof *handle);
  (void)instance;
  if (handle == NULL)
    abort();
  handle->host = host;
  TAILQ_INIT(&handle->lates);
  return handle;
}

static void simstore_close(void *arg) {
  struct handle *handle = arg;
  simstore_end_lates(handle);
  free(handle);
}

static const struct sluice_option options[] = {{NULL, 0, NULL, 0, NULL}};

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "simstore",
    .version = "1.0",
    .summary = "a storage in memory that fails by chance, for tests",
    .options = options,
    .start = simstore_start,
    .stop = simstore_stop,
    .open = simstore_open,
    .close = simstore_close,
    .head = head,
    .get = get,
    .read = read_range,
    .more = more,
    .put = simstore_put,
    .data = simstore_data,
    .commit = simstore_commit,
    .list = list,
    .remove = simstore_remove,
    .remove_if = simstore_remove_if,
    .copy = simstore_copy_object,
    .can = can,
    .cancel = cancel,
    .ping = ping,
};
SLUICE_REACH({NULL, 0, NULL})
SLUICE_BACKEND(simstore, backend)

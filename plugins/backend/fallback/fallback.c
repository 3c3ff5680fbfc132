/* SPDX-License-Identifier: MIT
 *
 * The layer `fallback`: what isn't in the first backend is read from the next.
 * New objects go to the first one, and a delete goes to all of them, the last
 * one first: so what was deleted never shows again from behind.
 * sluice-fallback(7).
 */
#include "fallback.h"

#include <event2/event.h>
#include <stdlib.h>

#include "backfill.h"
#include "wish.h"

struct fallback_conf {
  const char *const *over;
  bool backfill;
};

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAMES, NULL, offsetof(struct fallback_conf, over),
     "the backends; the first one has what the others have not"},
    {"backfill", SLUICE_BOOL, "false",
     offsetof(struct fallback_conf, backfill),
     "what is read from another one is written to the first one"},
    {NULL, 0, NULL, 0, NULL}};

struct fallback { /* of all loops */
  const struct fallback_conf *conf;
  unsigned abilities;
  struct backfill_table table;
};

struct search { /* of an operation that asks one after the other, its state */
  struct fallback_op common;
  struct sluice_op *op;
  struct fallback_handle *handle;
  struct sluice_ask *ask;
  struct wish *wish;
  size_t at;
  bool found, empty;
  bool deletes;        /* and keeps the key from being backfilled */
  struct event *timer; /* until a backfill of it has ended; NULL: none */
};

_Static_assert(sizeof(struct search) <= FALLBACK_STATE, "it has room");

enum { FALLBACK_ANSWERS, FALLBACK_MISSING };

static const struct sluice_metric metrics[] = {
    [FALLBACK_ANSWERS] = {"fallback_answers_total", SLUICE_COUNTER,
                          "Reads that were answered, by the backend that had "
                          "the object.",
                          "storage", NULL},
    [FALLBACK_MISSING] = {"fallback_missing_total", SLUICE_COUNTER,
                          "Reads of objects that no backend has.", NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

/* ---- one after the other ------------------------------------------------ */

static void search_end(struct search *search, enum sluice_status status,
                       const char *why) {
  if (search->deletes)
    backfill_change_ends(search->handle->backfill, search->wish->of.key);
  if (search->timer != NULL)
    event_free(search->timer);
  wish_free(search->wish, search->handle->host);
  wish_end(search->op, status, why);
}

static void search_go(struct search *search,
                      const struct sluice_heard *heard) {
  search->ask = wish_ask(search->wish, search->handle->stores[search->at],
                         search->op, heard, search);
}

/* False, and it is done: there is no memory. */
static bool search_init(struct search *search, void *handle,
                        struct sluice_op *op, const struct wish *wish) {
  *search = (struct search){.op = op, .handle = handle};
  search->wish = wish_keep(wish, search->handle->host);
  if (search->wish == NULL)
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a key");
  return search->wish != NULL;
}

/* ---- reads -------------------------------------------------------------- */

static void on_found(void *arg, const struct sluice_meta *meta) {
  struct search *search = arg;
  search->found = true;
  search->empty = meta->length == 0;
  sluice_count(search->handle->host,
               SLUICE_SERIES(FALLBACK_ANSWERS, search->at), 1);
  sluice_meta(search->op, meta);
}

static void on_read(void *arg, enum sluice_status status, const char *why);

static const struct sluice_heard reads = {SLUICE_HEARD, .meta = on_found,
                                          .done = on_read};

/* From behind, to the end of what was wanted; of an object without bytes
 * nothing is. */
static bool was_read(const struct search *search, enum sluice_status status) {
  return search->handle->backfill != NULL && search->at > 0 && search->found &&
         search->wish->kind == WISH_GET &&
         (status == SLUICE_OK || search->empty);
}

/* Only what isn't there is looked for further on: one that can't be reached
 * may have a newer one than those behind it. */
static void on_read(void *arg, enum sluice_status status, const char *why) {
  struct search *search = arg;
  if (status == SLUICE_ENOENT && !search->found && !search->common.canceled &&
      search->at + 1 < search->handle->count) {
    search->at++;
    search_go(search, &reads);
    return;
  }
  if (was_read(search, status))
    backfill_want(search->handle->backfill, search->wish->of.get.key,
                  search->at);
  if (status == SLUICE_ENOENT && !search->found)
    sluice_count(search->handle->host, FALLBACK_MISSING, 1);
  search_end(search, status, why);
}

static void fallback_head(void *handle, struct sluice_op *op,
                          const char *key) {
  struct search *search = sluice_op_state(op, FALLBACK_STATE);
  if (search_init(search, handle, op,
                  &(struct wish){.kind = WISH_HEAD, .of.key = key}))
    search_go(search, &reads);
}

static void fallback_get(void *handle, struct sluice_op *op,
                         const struct sluice_get *get) {
  struct search *search = sluice_op_state(op, FALLBACK_STATE);
  if (search_init(search, handle, op,
                  &(struct wish){.kind = WISH_GET, .of.get = *get}))
    search_go(search, &reads);
}

/* ---- removes and pings: all of them ------------------------------------- */

static void on_one(void *arg, enum sluice_status status, const char *why);

static const struct sluice_heard ones = {SLUICE_HEARD, .done = on_one};

static void on_one(void *arg, enum sluice_status status, const char *why) {
  struct search *search = arg;
  bool gone = status == SLUICE_OK || status == SLUICE_ENOENT;
  if (search->common.canceled && search->at > 0) {
    search_end(search, SLUICE_ECANCELED, why); /* the first one has it still */
    return;
  }
  if (!gone || search->at == 0) {
    search_end(search, gone ? SLUICE_OK : status, why);
    return;
  }
  search->at--;
  search_go(search, &ones);
}

static void on_backfill_timer(evutil_socket_t fd, short what, void *arg) {
  struct search *search = arg;
  (void)fd, (void)what;
  if (search->common.canceled)
    search_end(search, SLUICE_ECANCELED, NULL);
  else if (backfill_commits(search->handle->backfill, search->wish->of.key))
    backfill_wait_for(search->timer);
  else
    search_go(search, &ones);
}

/* One that is being written is written first, and then deleted. */
static void remove_alone(struct search *search) {
  const char *key = search->wish->of.key;
  search->deletes = true;
  backfill_change_begins(search->handle->backfill, key);
  if (!backfill_commits(search->handle->backfill, key)) {
    search_go(search, &ones);
    return;
  }
  search->timer = evtimer_new(sluice_loop(search->handle->host),
                              on_backfill_timer, search);
  if (search->timer == NULL)
    search_end(search, SLUICE_ENOMEM, "no memory is left for a timer");
  else
    backfill_wait_for(search->timer);
}

static void fallback_remove(void *handle, struct sluice_op *op,
                            const char *key) {
  struct search *search = sluice_op_state(op, FALLBACK_STATE);
  if (!search_init(search, handle, op,
                   &(struct wish){.kind = WISH_REMOVE, .of.key = key}))
    return;
  search->at = search->handle->count - 1;
  if (search->handle->backfill != NULL)
    remove_alone(search);
  else
    search_go(search, &ones);
}

static void on_pinged(void *arg, enum sluice_status status, const char *why) {
  static const struct sluice_heard pinged = {SLUICE_HEARD, .done = on_pinged};
  struct search *search = arg;
  if (status != SLUICE_OK || search->common.canceled ||
      search->at == search->handle->count) {
    wish_end(search->op, status, why);
    return;
  }
  struct sluice_store *store = search->handle->stores[search->at++];
  search->ask = sluice_ask_ping(store, search->op, &pinged, search);
}

static void fallback_ping(void *handle, struct sluice_op *op) {
  struct search *search = sluice_op_state(op, FALLBACK_STATE);
  *search = (struct search){.op = op, .handle = handle};
  on_pinged(search, SLUICE_OK, NULL);
}

/* ---- steps -------------------------------------------------------------- */

static void fallback_read(void *handle, struct sluice_op *op, uint64_t first,
                          uint64_t count) {
  (void)handle;
  sluice_ask_read(sluice_asked(op), first, count);
}

static void fallback_more(void *handle, struct sluice_op *op) {
  (void)handle;
  sluice_ask_more(sluice_asked(op));
}

static void fallback_data(void *handle, struct sluice_op *op,
                          const struct sluice_chunk *chunk) {
  (void)handle;
  sluice_ask_data(sluice_asked(op), chunk);
}

/* Of an upload that looks behind, the end of that look cancels the rest. */
static void fallback_cancel(void *handle, struct sluice_op *op) {
  struct fallback_op *common = sluice_op_state(op, FALLBACK_STATE);
  (void)handle;
  common->canceled = true;
  sluice_ask_cancel(sluice_asked(op));
}

/* ---- life --------------------------------------------------------------- */

/* Whether an object is to be replaced, removed or copied under a condition is
 * nothing that several backends decide in one step. */
static void *fallback_start(const void *arg, struct sluice_host *host) {
  const struct fallback_conf *conf = arg;
  size_t count = 0;
  while (conf->over[count] != NULL)
    count++;
  struct fallback *shared =
      count == 0 || count > FALLBACK_MAX ? NULL : calloc(1, sizeof *shared);
  if (shared == NULL) {
    sluice_fail(host, "over: names %zu backends; write 1 to %d", count,
                FALLBACK_MAX);
    return NULL;
  }
  shared->conf = conf;
  unsigned first = sluice_store_can(sluice_store(host, conf->over[0]));
  if (conf->backfill && (first & SLUICE_CAN_CREATE) == 0) {
    sluice_fail(host,
                "backfill: '%s' can't refuse to replace an object, so that "
                "what a client uploads could be lost; leave backfill out",
                conf->over[0]);
    free(shared);
    return NULL;
  }
  shared->abilities = first & (SLUICE_CAN_CREATE | SLUICE_CAN_REREAD);
  return shared;
}

static unsigned fallback_can(void *instance) {
  return ((const struct fallback *)instance)->abilities;
}

static void *fallback_open(void *instance, struct sluice_host *host) {
  struct fallback *shared = instance;
  struct fallback_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  handle->host = host;
  for (; shared->conf->over[handle->count] != NULL; handle->count++)
    handle->stores[handle->count] =
        sluice_store(host, shared->conf->over[handle->count]);
  if (shared->conf->backfill && handle->count > 1) {
    handle->backfill = backfill_open(handle, &shared->table);
    if (handle->backfill == NULL) {
      free(handle);
      sluice_fail(host, "no memory is left");
      return NULL;
    }
  }
  return handle;
}

static void fallback_close(void *arg) {
  struct fallback_handle *handle = arg;
  backfill_close(handle->backfill);
  free(handle);
}

static const struct sluice_backend fallback = {
    SLUICE_HEAD(sluice_backend),
    .name = "fallback",
    .version = SLUICE_VERSION,
    .summary = "reads from the next backend what the first one has not",
    .options = options,
    .conf_size = sizeof(struct fallback_conf),
    .start = fallback_start,
    .stop = free,
    .open = fallback_open,
    .close = fallback_close,
    .head = fallback_head,
    .get = fallback_get,
    .read = fallback_read,
    .more = fallback_more,
    .put = fallback_put,
    .data = fallback_data,
    .commit = fallback_commit,
    .list = fallback_list,
    .remove = fallback_remove,
    .cancel = fallback_cancel,
    .ping = fallback_ping,
    .can = fallback_can,
    .metrics = metrics,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_BACKEND(fallback, fallback)

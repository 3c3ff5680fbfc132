/* SPDX-License-Identifier: MIT
 *
 * A timer and a list.  The entries of a page are begun in their order.  Where
 * many fail in a row the round ends, and the next one passes by all that were
 * begun until then, so that what can't be done is no end of the walk.
 */
#include "walk.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "must.h"

#define FAILURES_MAX 10 /* in a row: they end the round */

static void walk_rest(struct walk *walk, int64_t ms) {
  const struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
  if (!walk->stopped)
    event_add(walk->timer, &time);
}

static void walk_forget(struct walk *walk) {
  for (size_t i = 0; i < walk->count; i++) {
    free(walk->entries[i].key);
    free(walk->entries[i].etag);
  }
  free(walk->entries);
  walk->entries = NULL;
  walk->count = walk->at = 0;
}

static void walk_turn(struct walk *walk, char *token) {
  free(walk->token);
  walk->token = token;
}

static void walk_pass(struct walk *walk, char *key) {
  free(walk->passed);
  walk->passed = key;
}

static void walk_end_round(struct walk *walk, enum walk_rest rest) {
  walk_turn(walk, NULL);
  walk->failures = 0;
  walk->broken = false;
  walk_rest(walk, walk->kind->pause(walk, rest));
}

/* ---- one entry ---------------------------------------------------------- */

static struct walk_task *walk_task_at(struct walk *walk, size_t i) {
  return (struct walk_task *)(void *)(walk->tasks + i * walk->kind->task_size);
}

static void walk_end_page(struct walk *walk) {
  bool failed = walk->failures >= FAILURES_MAX;
  if (failed)
    walk_pass(walk, must_strdup(walk->entries[walk->at - 1].key));
  failed = failed || walk->broken;
  walk_forget(walk);
  if (!failed && walk->token != NULL) {
    walk_rest(walk, walk->kind->pause(walk, WALK_PAGE_ENDS));
    return;
  }
  if (!failed)
    walk_pass(walk, NULL);
  walk_end_round(walk, failed ? WALK_FAILS : WALK_ROUND_ENDS);
}

static bool walk_goes_on(const struct walk *walk) {
  return walk->at < walk->count && walk->failures < FAILURES_MAX &&
         !walk->broken && !walk->stopped;
}

static void walk_go(struct walk *walk) {
  for (size_t i = 0; i < WALK_AT_ONCE && walk_goes_on(walk); i++) {
    struct walk_task *task = walk_task_at(walk, i);
    if (task->entry != NULL)
      continue;
    task->entry = &walk->entries[walk->at++];
    task->key = task->entry->key;
    walk->busy++;
    loop_owe(walk->backend->host.loop, walk->debt);
    walk->kind->start(task);
  }
  if (walk->busy == 0)
    walk_end_page(walk);
}

static void walk_fail_one(struct walk *walk, const char *key,
                          const char *why) {
  struct op_backend *backend = walk->backend;
  repeat_line(&backend->repeats, backend->host.loop, SLUICE_LOG_WARN,
              backend->host.name, walk->kind->folder,
              "\"%.512s\" has expired and can't be removed: %s; it is tried "
              "again",
              key, why == NULL ? "no reason given" : why);
  walk->failures++;
  walk->failed++;
}

void walk_done(struct walk_task *task, enum sluice_status status,
               const char *why) {
  struct walk *walk = task->walk;
  if (walk_is_gone(status))
    walk->failures = 0;
  else if (walk->stopped || status == SLUICE_ECANCELED)
    walk->broken = true;
  else
    walk_fail_one(walk, task->key, why);
  task->entry = NULL;
  task->op = NULL;
  walk->busy--;
  walk_go(walk);
  loop_pay(walk->backend->host.loop, walk->debt);
}

bool walk_is_gone(enum sluice_status status) {
  return status == SLUICE_OK || status == SLUICE_ENOENT ||
         status == SLUICE_EPRECOND;
}

static void walk_on_removed(void *arg, enum sluice_status status,
                            const char *why) {
  walk_done(arg, status, why);
}

void walk_remove(struct walk_task *task, const struct sluice_removal *removal,
                 const struct op_events *events) {
  static const struct op_events last = {.done = walk_on_removed};
  struct op_backend *backend = task->walk->backend;
  bool compares = (backend->abilities & SLUICE_CAN_REMOVE) != 0;
  if (events == NULL)
    events = &last;
  task->op = compares && removal->if_match != NULL
                 ? op_remove_if(backend, removal, events, task)
                 : op_remove(backend, removal->key, events, task);
}

/* ---- a page ------------------------------------------------------------- */

static void walk_keep(struct walk *walk, const struct op_entry *entry) {
  const char *etag = entry->meta->etag;
  walk->entries[walk->count++] =
      (struct walk_entry){.key = must_strdup(entry->key),
                          .etag = etag == NULL ? NULL : must_strdup(etag),
                          .mtime_ms = entry->meta->mtime_ms};
}

static void walk_take_page(struct walk *walk, const struct sluice_op *op) {
  size_t entries = op_entries(op);
  enum walk_choice choice = WALK_PASSES;
  walk->entries = must_calloc(entries + 1, sizeof *walk->entries);
  for (size_t i = 0; i < entries && choice != WALK_STOPS; i++) {
    struct op_entry entry = op_entry(op, i);
    if (entry.meta == NULL ||
        (walk->passed != NULL && strcmp(entry.key, walk->passed) <= 0))
      continue;
    choice = walk->kind->choose(walk, &entry);
    if (choice == WALK_TAKES)
      walk_keep(walk, &entry);
  }
  if (choice != WALK_STOPS && op_token(op) != NULL)
    walk_turn(walk, must_strdup(op_token(op)));
}

static void walk_fail(struct walk *walk, enum sluice_status status,
                      const char *why) {
  if (status != SLUICE_ECANCELED && status != walk->kind->untold)
    log_line(SLUICE_LOG_WARN, walk->backend->host.name,
             "%s: %s; it is tried again", walk->kind->failure,
             why == NULL ? "no reason given" : why);
  walk_end_round(walk, WALK_FAILS);
}

static void walk_on_looked(void *arg, enum sluice_status status,
                           const char *why) {
  struct walk *walk = arg;
  const struct sluice_op *op = walk->op;
  bool first = walk->token == NULL;
  walk->op = NULL;
  walk_turn(walk, NULL);
  if (status != SLUICE_OK) {
    walk_fail(walk, status, why);
  } else if (first && op_entries(op) == 0 && op_token(op) == NULL) {
    walk_end_round(walk, WALK_FINDS_NOTHING);
  } else {
    walk_take_page(walk, op);
    walk_go(walk);
  }
  loop_pay(walk->backend->host.loop, walk->debt);
}

static void walk_on_time(evutil_socket_t fd, short what, void *arg) {
  static const struct op_events events = {.done = walk_on_looked};
  struct walk *walk = arg;
  int64_t wait = walk->kind->wait == NULL ? 0 : walk->kind->wait(walk);
  (void)fd, (void)what;
  if (wait > 0) {
    walk_rest(walk, wait);
    return;
  }
  loop_owe(walk->backend->host.loop, walk->debt);
  walk->op = walk->kind->look != NULL
                 ? walk->kind->look(walk, &events)
                 : op_list(walk->backend,
                           &(struct sluice_list){.prefix = walk->kind->folder,
                                                 .token = walk->token,
                                                 .max = walk->kind->page},
                           &events, walk);
}

/* ---- its life ----------------------------------------------------------- */

struct walk *walk_new(const struct walk_kind *kind, struct op_backend *backend,
                      struct loop_debt *debt, const void *of, size_t index) {
  struct walk *walk = calloc(1, kind->size);
  if (walk == NULL)
    return NULL;
  walk->kind = kind;
  walk->backend = backend;
  walk->debt = debt;
  walk->of = of;
  walk->index = index;
  walk->tasks = calloc(WALK_AT_ONCE, kind->task_size);
  walk->timer =
      event_new(loop_base(backend->host.loop), -1, 0, walk_on_time, walk);
  if (walk->tasks == NULL || walk->timer == NULL) {
    walk_free(walk);
    return NULL;
  }
  for (size_t i = 0; i < WALK_AT_ONCE; i++)
    walk_task_at(walk, i)->walk = walk;
  walk_rest(walk, kind->pause(walk, WALK_BEGINS));
  return walk;
}

void walk_stop(struct walk *walk) {
  walk->stopped = true;
  event_del(walk->timer);
  if (walk->op != NULL)
    op_cancel(walk->op);
  for (size_t i = 0; i < WALK_AT_ONCE; i++)
    if (walk_task_at(walk, i)->op != NULL)
      op_cancel(walk_task_at(walk, i)->op);
}

void walk_free(struct walk *walk) {
  if (walk == NULL)
    return;
  walk_forget(walk);
  walk_turn(walk, NULL);
  walk_pass(walk, NULL);
  free(walk->tasks);
  if (walk->timer != NULL)
    event_free(walk->timer);
  free(walk);
}

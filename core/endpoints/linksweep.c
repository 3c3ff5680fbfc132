/* SPDX-License-Identifier: MIT
 *
 * A timer of the loop.  The keys begin with when a link ends, so that one page
 * of a list has those that ended first; they are removed one after the other.
 * Revocations that a later one supersedes may be on any page.
 */
#include "linksweep.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "gate.h"
#include "linkcount.h"
#include "linkmark.h"
#include "log.h"
#include "marks.h"
#include "ownobject.h"

#define EVERY_S 60
#define PAGE 1000

enum linksweep_folder { SWEEPS_USES, SWEEPS_REVOKED, SWEEPS_NOTHING };

struct sweeper { /* of one backend */
  struct linksweep *sweep;
  struct op_backend *backend;
  struct marks *marks;
  enum linksweep_folder folder; /* that is looked at */
  struct sluice_op *op;         /* the list, or NULL */
  struct ownobject own;         /* the one that is removed */
  char (*keys)[OWNOBJECT_KEY_SIZE];
  size_t count, at;
  char *token; /* of the next page of the folder; NULL: none is looked at */
};

struct linksweep {
  struct gate *gate;
  struct event *timer;
  bool stopped;
  struct sweeper *backends; /* as many as the settings' */
};

static void linksweep_look(struct sweeper *sweeper);
static void list_page(struct sweeper *sweeper);

/* ---- what is over ------------------------------------------------------- */

static bool is_over(const struct sweeper *sweeper, const char *key) {
  int64_t now = date_now_ms() / 1000;
  struct marks *marks = sweeper->marks;
  struct linkmark mark;
  if (sweeper->folder == SWEEPS_USES)
    return linkcount_is_over(key, now);
  return linkmark_parse(&mark, key) && marks_read_ms(marks) > 0 &&
         linkmark_is_over(&mark, now, marks_find(marks, mark.mark),
                          marks_top(marks));
}

/* ---- one page ----------------------------------------------------------- */

static void end_page(struct sweeper *sweeper) {
  free(sweeper->keys);
  sweeper->keys = NULL;
  sweeper->count = 0;
  if (sweeper->sweep->stopped)
    return;
  if (sweeper->token != NULL)
    list_page(sweeper);
  else
    linksweep_look(sweeper);
}

static void linksweep_remove_next(struct sweeper *sweeper) {
  if (sweeper->at == sweeper->count || sweeper->sweep->stopped) {
    end_page(sweeper);
    return;
  }
  gate_hold(sweeper->sweep->gate);
  ownobject_remove(&sweeper->own, sweeper->keys[sweeper->at++]);
}

static void complain(const struct sweeper *sweeper, const char *why) {
  log_line(SLUICE_LOG_WARN, sweeper->backend->host.name,
           "what expired links have left can't be removed: %s; it is tried "
           "again",
           why == NULL ? "no reason given" : why);
}

static void linksweep_on_removed(void *arg, enum sluice_status status,
                                 const char *why) {
  struct sweeper *sweeper = arg;
  gate_release(sweeper->sweep->gate);
  if (status != SLUICE_OK && status != SLUICE_ENOENT) {
    complain(sweeper, why);
    sweeper->at = sweeper->count;
    free(sweeper->token);
    sweeper->token = NULL;
  }
  linksweep_remove_next(sweeper);
}

static void take_keys(struct sweeper *sweeper) {
  size_t entries = op_entries(sweeper->op);
  sweeper->keys = calloc(entries + 1, sizeof *sweeper->keys);
  for (size_t i = 0; sweeper->keys != NULL && i < entries; i++) {
    struct op_entry entry = op_entry(sweeper->op, i);
    size_t len = strlen(entry.key);
    if (entry.meta != NULL && len < OWNOBJECT_KEY_SIZE &&
        is_over(sweeper, entry.key))
      memcpy(sweeper->keys[sweeper->count++], entry.key, len + 1);
  }
}

/* Where uses have none that ended, the pages behind have none either. */
static void linksweep_take_page(struct sweeper *sweeper) {
  const char *token = op_token(sweeper->op);
  take_keys(sweeper);
  if (token != NULL &&
      (sweeper->folder == SWEEPS_REVOKED || sweeper->count > 0))
    sweeper->token = strdup(token);
}

static void linksweep_on_listed(void *arg, enum sluice_status status,
                                const char *why) {
  struct sweeper *sweeper = arg;
  free(sweeper->token);
  sweeper->token = NULL;
  if (status == SLUICE_OK)
    linksweep_take_page(sweeper);
  else if (status != SLUICE_ECANCELED)
    complain(sweeper, why);
  sweeper->op = NULL;
  gate_release(sweeper->sweep->gate);
  sweeper->at = 0;
  linksweep_remove_next(sweeper);
}

static void list_page(struct sweeper *sweeper) {
  static const struct op_events events = {.done = linksweep_on_listed};
  static const char *const prefixes[] = {
      [SWEEPS_USES] = LINKCOUNT_FOLDER, [SWEEPS_REVOKED] = LINKMARK_FOLDER};
  gate_hold(sweeper->sweep->gate);
  sweeper->op =
      op_list(sweeper->backend,
              &(struct sluice_list){.prefix = prefixes[sweeper->folder],
                                    .token = sweeper->token,
                                    .max = PAGE},
              &events, sweeper);
}

/* The next folder. */
static void linksweep_look(struct sweeper *sweeper) {
  sweeper->folder = sweeper->folder == SWEEPS_NOTHING ? SWEEPS_USES
                    : sweeper->folder == SWEEPS_USES  ? SWEEPS_REVOKED
                                                      : SWEEPS_NOTHING;
  if (sweeper->folder != SWEEPS_NOTHING)
    list_page(sweeper);
}

/* ---- life --------------------------------------------------------------- */

static void linksweep_on_time(evutil_socket_t fd, short what, void *arg) {
  struct linksweep *sweep = arg;
  (void)fd, (void)what;
  for (size_t i = 0; i < sweep->gate->settings->backend_count; i++)
    if (sweep->backends[i].folder == SWEEPS_NOTHING)
      linksweep_look(&sweep->backends[i]);
}

struct linksweep *linksweep_new(struct gate *gate) {
  static const struct timeval time = {.tv_sec = EVERY_S};
  struct linksweep *sweep = calloc(1, sizeof *sweep);
  if (sweep == NULL)
    return NULL;
  sweep->gate = gate;
  sweep->backends =
      calloc(gate->settings->backend_count, sizeof *sweep->backends);
  sweep->timer = event_new(loop_base(gate->loop), -1, EV_PERSIST,
                           linksweep_on_time, sweep);
  if (sweep->backends == NULL || sweep->timer == NULL) {
    linksweep_free(sweep);
    return NULL;
  }
  for (size_t i = 0; i < gate->settings->backend_count; i++) {
    struct sweeper *sweeper = &sweep->backends[i];
    sweeper->sweep = sweep;
    sweeper->backend = gate->backends[i];
    sweeper->marks = gate->marks[i];
    sweeper->folder = SWEEPS_NOTHING;
    ownobject_init(&sweeper->own, sweeper->backend, NULL, 0,
                   linksweep_on_removed, sweeper);
  }
  event_add(sweep->timer, &time);
  return sweep;
}

void linksweep_stop(struct linksweep *sweep) {
  if (sweep == NULL)
    return;
  sweep->stopped = true;
  event_del(sweep->timer);
  for (size_t i = 0; i < sweep->gate->settings->backend_count; i++)
    if (sweep->backends[i].op != NULL)
      op_cancel(sweep->backends[i].op);
}

void linksweep_free(struct linksweep *sweep) {
  if (sweep == NULL)
    return;
  if (sweep->timer != NULL)
    event_free(sweep->timer);
  for (size_t i = 0;
       sweep->backends != NULL && i < sweep->gate->settings->backend_count;
       i++) {
    free(sweep->backends[i].keys);
    free(sweep->backends[i].token);
  }
  free(sweep->backends);
  free(sweep);
}

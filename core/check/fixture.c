/* SPDX-License-Identifier: MIT
 *
 * The plugin's life in a check, the calls of it, and the time that it has.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "plugin_metrics.h"
#include "rules.h"
#include "timer.h"
#include "work.h"

#define POOL_THREADS 4
#define ALIVE_TIMES \
  12 /* patiences that an operation may be alive without more */

/* ---- calls -------------------------------------------------------------- */

/* Only one fixture of a process tells the other process. */
static void fixture_mark(struct fixture *fixture, const char *entry) {
  fixture->inside = entry;
  if (!fixture->second)
    fixture->progress->inside = entry;
}

/* An entry that never returns ends the process by SIGALRM. */
static void fixture_alarm(const struct fixture *fixture, int64_t ms) {
  if (!fixture->second && !fixture->plan->no_fork)
    alarm((unsigned)((ms + 999) / 1000));
}

void fixture_enter(struct fixture *fixture, const char *entry) {
  fixture_mark(fixture, entry);
  fixture_alarm(fixture, fixture->plan->patience_ms);
  call_clock_start(&fixture->clock);
}

/* A plugin that blocks often enough to be told from a machine that stood
 * still. */
static bool fixture_blocks(struct fixture *fixture, int64_t slept_us) {
  fixture->blocks++;
  fixture->blocked_us += slept_us;
  return slept_us >= FIXTURE_BLOCK_MS * 1000 ||
         (fixture->blocks >= FIXTURE_BLOCKS &&
          fixture->blocks >= fixture->calls / FIXTURE_BLOCKS_SHARE);
}

void fixture_leave(struct fixture *fixture) {
  const struct fixture_plan *plan = fixture->plan;
  int64_t slept =
      plan->no_fork ? 0 /* a debugger stops where it likes */
                    : call_clock_slept(&fixture->clock, plan->block_ms * 1000);
  const char *entry = fixture->inside;
  fixture_alarm(fixture, 0);
  fixture_mark(fixture, NULL);
  fixture_heard(fixture, true);
  fixture->calls++;
  if (slept > 0 && fixture_blocks(fixture, slept) && !fixture->blocking) {
    fixture->blocking = true;
    fixture_report(fixture, "block",
                   "%s() slept for %lld ms and kept its loop waiting; %u of "
                   "%u calls slept for %lld ms or longer",
                   entry, (long long)(slept / 1000), fixture->blocks,
                   fixture->calls, (long long)plan->block_ms);
  }
  if (fixture->blocking && fixture->blocked_us > plan->patience_ms * 1000)
    fixture_fail(fixture, "its calls slept for %lld ms",
                 (long long)(fixture->blocked_us / 1000));
}

/* ---- time --------------------------------------------------------------- */

static void on_time(evutil_socket_t fd, short what, void *arg) {
  bool *late = arg;
  (void)fd, (void)what;
  *late = true;
}

static bool fixture_run(struct fixture *fixture, const bool *flag,
                        int64_t ms) {
  bool late = false;
  struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  struct event *timer = evtimer_new(loop_base(fixture->loop), on_time, &late);
  if (timer == NULL || event_add(timer, &limit) < 0)
    abort();
  while (!*flag && !late)
    event_base_loop(loop_base(fixture->loop), EVLOOP_ONCE);
  event_free(timer);
  return *flag;
}

void fixture_heard(struct fixture *fixture, bool moved) {
  int64_t now = (int64_t)clock_us();
  int64_t most = ALIVE_TIMES * fixture->plan->patience_ms * 1000;
  if (moved)
    fixture->moved_us = now;
  if (now - fixture->moved_us > most)
    return;
  fixture->heard_us = now;
  fixture->progress->words++;
}

bool fixture_until(struct fixture *fixture, const bool *flag) {
  int64_t patience = fixture->plan->patience_ms * 1000, left = patience;
  fixture_heard(fixture, true);
  for (; left > 0 && !*flag;
       left = fixture->heard_us + patience - (int64_t)clock_us())
    fixture_run(fixture, flag, left / 1000 + 1);
  return *flag;
}

void fixture_idle(struct fixture *fixture, int64_t ms) {
  static const bool never;
  fixture_run(fixture, &never, ms);
}

/* ---- life --------------------------------------------------------------- */

static bool fixture_is_layer(const struct fixture_plan *plan) {
  return plan->floors->count > 0;
}

static const struct sluice_backend *
fixture_offers(const struct fixture_plan *plan) {
  return fixture_is_layer(plan) ? &plan->floors->top.offers
                                : &plan->subject->plugin.backend;
}

unsigned fixture_can(const struct fixture *fixture) {
  const struct sluice_backend *backend = fixture->backend;
  if (backend->can != NULL)
    return backend->can(fixture->instance);
  return fixture_is_layer(fixture->plan)
             ? layer_can(backend, layer_inherits(
                                      &fixture->plan->subject->plugin.backend,
                                      fixture->floors[0].abilities))
             : 0;
}

static void make_meter(struct fixture *fixture) {
  static const char *const below[] = {FLOORS_NAME, NULL};
  const struct plugin *plugin = &fixture->plan->subject->plugin;
  const struct meter_form form = {
      .is_backend = plugin->kind == PLUGIN_BACKEND,
      .plugin = plugin->name,
      .name = plugin->name,
      .table = plugin_metrics(plugin),
      .below = fixture_is_layer(fixture->plan) ? below : NULL};
  fixture->meter = meter_new(&form);
  if (fixture->meter == NULL)
    abort();
  fixture->host.row = meter_row_new(fixture->meter, fixture);
}

void fixture_init(struct fixture *fixture, const struct fixture_plan *plan,
                  struct fixture_progress *progress, int words,
                  unsigned number) {
  struct plugin *plugin = &plan->subject->plugin;
  bool backend = plugin->kind == PLUGIN_BACKEND;
  *fixture = (struct fixture){.plan = plan,
                              .progress = progress,
                              .words = words,
                              .number = number,
                              .backend = backend ? fixture_offers(plan) : NULL,
                              .hook = backend ? NULL : &plugin->hook};
  call_clock_init(&fixture->clock);
  fixture->pool = work_pool_new(POOL_THREADS);
  if (fixture->pool == NULL)
    abort();
  fixture->host = (struct sluice_host){.name = plugin->name,
                                       .share = work_own(fixture->pool),
                                       .spool_directory = plan->spool};
  make_meter(fixture);
}

static void fixture_refused(struct fixture *fixture, const char *entry,
                            const void *made, const struct sluice_host *host) {
  bool start = fixture->instance == NULL;
  if (made != NULL)
    return;
  if (host->failure[0] == '\0')
    fixture_fail_by(fixture, RULE_FAIL,
                    "%s() returned NULL without sluice_fail()", entry);
  fixture_fail_by(fixture, start ? RULE_START : RULE_OPEN, "%s() fails: %s",
                  entry, host->failure);
}

void fixture_start(struct fixture *fixture) {
  const void *conf = fixture->plan->subject->conf;
  const char *why =
      floors_start(fixture->plan->floors, fixture->floors, &fixture->host);
  fixture_need_by(fixture, why == NULL, RULE_FLOORS,
                  "start() of a plugin below fails: %s", why);
  if (fixture_is_layer(fixture->plan))
    floors_name(&fixture->start_store, &fixture->host, &fixture->floors[0],
                NULL);
  fixture_mark(fixture, "start");
  fixture->instance = fixture->backend != NULL
                          ? fixture->backend->start(conf, &fixture->host)
                          : fixture->hook->start(conf, &fixture->host);
  fixture_mark(fixture, NULL);
  fixture_refused(fixture, "start", fixture->instance, &fixture->host);
}

/* Each entry gets a host of its own, which lives as long as the handle. */
void *fixture_open_on(struct fixture *fixture, struct sluice_host *host) {
  *host = fixture->host;
  host->loop = fixture->loop;
  if (fixture_is_layer(fixture->plan))
    floors_name(&fixture->store, host, &fixture->floors[0], &fixture->handle);
  fixture_mark(fixture, "open");
  void *handle = fixture->backend != NULL
                     ? fixture->backend->open(fixture->instance, host)
                     : fixture->hook->open(fixture->instance, host);
  fixture_mark(fixture, NULL);
  return handle;
}

void fixture_open(struct fixture *fixture) {
  void *handle;
  struct sluice_host *host = fixture->backend != NULL
                                 ? &fixture->handle.host
                                 : &fixture->hook_handle.host;
  fixture->loop = loop_new();
  if (fixture->loop == NULL)
    abort();
  const char *why = floors_open(fixture->floors, fixture->plan->floors->count,
                                fixture->loop);
  fixture_need_by(fixture, why == NULL, RULE_FLOORS,
                  "open() of a plugin below fails: %s", why);
  handle = fixture_open_on(fixture, host);
  fixture_refused(fixture, "open", handle, host);
  fixture->hook_handle.plugin = fixture->hook;
  fixture->hook_handle.handle = handle;
  fixture->handle.plugin = fixture->backend;
  fixture->handle.handle = handle;
  if (!fixture_is_layer(fixture->plan))
    return;
  bool one = layer_kind(fixture->backend->options) == LAYER_ONE;
  fixture->on_loop =
      (struct op_layer){.calls = &fixture->plan->floors->top.calls,
                        .below = one ? &fixture->floors[0].handle : NULL};
  fixture->handle.layer = &fixture->on_loop;
}

void fixture_open_second(struct fixture *fixture,
                         const struct fixture *first) {
  *fixture = *first;
  fixture->handle = (struct op_backend){0};
  fixture->second = true;
  fixture->inside = NULL;
  call_clock_init(&fixture->clock);
  fixture_open(fixture);
}

void fixture_close(struct fixture *fixture) {
  void *handle = fixture->backend != NULL ? fixture->handle.handle
                                          : fixture->hook_handle.handle;
  loop_stop(fixture->loop);
  loop_run(fixture->loop);
  fixture_mark(fixture, "close");
  if (fixture->backend != NULL)
    fixture->backend->close(handle);
  else
    fixture->hook->close(handle);
  fixture_mark(fixture, NULL);
  const struct sluice_host *host = fixture->backend != NULL
                                       ? &fixture->handle.host
                                       : &fixture->hook_handle.host;
  fixture_need_by(fixture, host->taken == 0, RULE_MEMORY,
                  "close() leaves %zu bytes that sluice_memory_take() gave",
                  host->taken);
  floors_close(fixture->floors, fixture->plan->floors->count);
  loop_free(fixture->loop);
  fixture->loop = NULL;
  if (fixture->second)
    call_clock_fini(&fixture->clock);
}

void fixture_stop(struct fixture *fixture) {
  fixture_mark(fixture, "stop");
  if (fixture->backend != NULL)
    fixture->backend->stop(fixture->instance);
  else
    fixture->hook->stop(fixture->instance);
  fixture_mark(fixture, NULL);
  fixture->instance = NULL;
  floors_stop(fixture->floors, fixture->plan->floors->count);
  size_t timers = timer_free_all(fixture->host.share);
  if (timers > 0)
    fixture_report(fixture, "timers", "stop() leaves %zu of them", timers);
}

struct fixture_key fixture_key(const struct fixture *fixture,
                               const char *name) {
  struct fixture_key key;
  snprintf(key.text, sizeof key.text, "%s%02u/%s", fixture->plan->prefix,
           fixture->number, name);
  return key;
}

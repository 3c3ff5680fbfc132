/* SPDX-License-Identifier: MIT
 *
 * The plugin's life, time, and the words that a check ends with.
 */
#include "fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

#define POOL_THREADS 4
#define WORD_MAX 1024

/* ---- words -------------------------------------------------------------- */

static void say(const struct fixture *fixture, char letter, const char *fmt,
                va_list args) {
  char line[WORD_MAX];
  line[0] = letter;
  int len = vsnprintf(line + 1, sizeof line - 2, fmt, args);
  size_t size = len < 0 ? 1 : (size_t)len + 1;
  if (size > sizeof line - 2)
    size = sizeof line - 2;
  for (size_t i = 1; i < size; i++)
    if (line[i] == '\n')
      line[i] = ' ';
  line[size++] = '\n';
  ssize_t written = write(fixture->words, line, size);
  (void)written; /* the end of the process says the rest */
}

void fixture_fail(struct fixture *fixture, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  say(fixture, 'F', fmt, args);
  va_end(args);
  _exit(1);
}

void fixture_skip(struct fixture *fixture, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  say(fixture, 'S', fmt, args);
  va_end(args);
  _exit(0);
}

void fixture_need(struct fixture *fixture, bool truth, const char *fmt, ...) {
  if (truth)
    return;
  va_list args;
  va_start(args, fmt);
  say(fixture, 'F', fmt, args);
  va_end(args);
  _exit(1);
}

void fixture_report(struct fixture *fixture, const char *rule, const char *fmt,
                    ...) {
  char text[WORD_MAX];
  snprintf(text, sizeof text, "%s\t%s", rule, fmt);
  va_list args;
  va_start(args, fmt);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  say(fixture, 'B', text, args);
#pragma GCC diagnostic pop
  va_end(args);
}

/* ---- calls -------------------------------------------------------------- */

static int64_t fixture_now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* How often this thread gave the processor away of its own will, and how
 * often it lost it. */
static void count_switches(long *slept, long *ousted) {
  struct rusage usage = {0};
  getrusage(RUSAGE_THREAD, &usage);
  *slept = usage.ru_nvcsw;
  *ousted = usage.ru_nivcsw;
}

void fixture_enter(struct fixture *fixture, const char *entry) {
  fixture->inside = entry;
  fixture->since_us = fixture_now_us();
  count_switches(&fixture->slept, &fixture->ousted);
  if (!fixture->second) /* who never returns: SIGALRM */
    alarm((unsigned)((fixture->plan->patience_ms + 999) / 1000));
}

/* Waiting alone is no breach: a busy machine makes everybody wait. */
void fixture_leave(struct fixture *fixture) {
  int64_t took = fixture_now_us() - fixture->since_us;
  long slept, ousted;
  if (!fixture->second)
    alarm(0);
  count_switches(&slept, &ousted);
  if (took > FIXTURE_BLOCK_MS * 1000 && slept > fixture->slept &&
      ousted == fixture->ousted)
    fixture_report(fixture, "block", "%s() kept its loop waiting for %lld ms",
                   fixture->inside, (long long)(took / 1000));
  fixture->inside = NULL;
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

bool fixture_until(struct fixture *fixture, const bool *flag) {
  return fixture_run(fixture, flag, fixture->plan->patience_ms);
}

void fixture_idle(struct fixture *fixture, int64_t ms) {
  static const bool never;
  fixture_run(fixture, &never, ms);
}

/* ---- life --------------------------------------------------------------- */

void fixture_init(struct fixture *fixture, const struct fixture_plan *plan,
                  int words, unsigned number) {
  struct plugin *plugin = &plan->subject->plugin;
  bool backend = plugin->kind == PLUGIN_BACKEND;
  *fixture = (struct fixture){.plan = plan,
                              .words = words,
                              .number = number,
                              .backend = backend ? &plugin->backend : NULL,
                              .hook = backend ? NULL : &plugin->hook};
  fixture->pool = work_pool_new(POOL_THREADS);
  if (fixture->pool == NULL)
    abort();
  fixture->host = (struct sluice_host){.name = plugin->name,
                                       .share = work_own(fixture->pool),
                                       .spool_directory = plan->spool};
}

void fixture_start(struct fixture *fixture) {
  const void *conf = fixture->plan->subject->conf;
  fixture->instance = fixture->backend != NULL
                          ? fixture->backend->start(conf, &fixture->host)
                          : fixture->hook->start(conf, &fixture->host);
  fixture_need(fixture, fixture->instance != NULL, "it doesn't start: %s",
               fixture->host.failure[0] != '\0' ? fixture->host.failure
                                                : "and doesn't say why");
}

/* Each entry gets a host of its own, which lives as long as the handle. */
void *fixture_open_on(struct fixture *fixture, struct sluice_host *host) {
  *host = fixture->host;
  host->loop = fixture->loop;
  return fixture->backend != NULL
             ? fixture->backend->open(fixture->instance, host)
             : fixture->hook->open(fixture->instance, host);
}

void fixture_open(struct fixture *fixture) {
  void *handle;
  struct sluice_host *host = fixture->backend != NULL
                                 ? &fixture->handle.host
                                 : &fixture->hook_handle.host;
  fixture->loop = loop_new();
  if (fixture->loop == NULL)
    abort();
  handle = fixture_open_on(fixture, host);
  fixture_need(fixture, handle != NULL, "no handle can be opened: %s",
               host->failure[0] != '\0' ? host->failure
                                        : "and it doesn't say why");
  fixture->hook_handle.plugin = fixture->hook;
  fixture->hook_handle.handle = handle;
  fixture->handle.plugin = fixture->backend;
  fixture->handle.handle = handle;
}

void fixture_open_second(struct fixture *fixture,
                         const struct fixture *first) {
  *fixture = *first;
  fixture->handle = (struct op_backend){0};
  fixture->second = true;
  fixture->inside = NULL;
  fixture_open(fixture);
}

void fixture_close(struct fixture *fixture) {
  void *handle = fixture->backend != NULL ? fixture->handle.handle
                                          : fixture->hook_handle.handle;
  loop_stop(fixture->loop);
  loop_run(fixture->loop);
  if (fixture->backend != NULL) {
    fixture->backend->close(handle);
  } else {
    fixture->hook->close(handle);
  }
  loop_free(fixture->loop);
  fixture->loop = NULL;
}

void fixture_stop(struct fixture *fixture) {
  if (fixture->backend != NULL)
    fixture->backend->stop(fixture->instance);
  else
    fixture->hook->stop(fixture->instance);
  fixture->instance = NULL;
}

struct fixture_key fixture_key(const struct fixture *fixture,
                               const char *name) {
  struct fixture_key key;
  snprintf(key.text, sizeof key.text, "%s%02u/%s", fixture->plan->prefix,
           fixture->number, name);
  return key;
}

/* SPDX-License-Identifier: MIT
 *
 * The plugin's life, time, and the words that a check ends with.
 */
#include "lab.h"

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

static void say(const struct lab *lab, char letter, const char *fmt,
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
  ssize_t written = write(lab->words, line, size);
  (void)written; /* the end of the process says the rest */
}

void lab_fail(struct lab *lab, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  say(lab, 'F', fmt, args);
  va_end(args);
  _exit(1);
}

void lab_skip(struct lab *lab, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  say(lab, 'S', fmt, args);
  va_end(args);
  _exit(0);
}

void lab_need(struct lab *lab, bool truth, const char *fmt, ...) {
  if (truth)
    return;
  va_list args;
  va_start(args, fmt);
  say(lab, 'F', fmt, args);
  va_end(args);
  _exit(1);
}

void lab_breach(struct lab *lab, const char *rule, const char *fmt, ...) {
  char text[WORD_MAX];
  snprintf(text, sizeof text, "%s\t%s", rule, fmt);
  va_list args;
  va_start(args, fmt);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  say(lab, 'B', text, args);
#pragma GCC diagnostic pop
  va_end(args);
}

/* ---- calls -------------------------------------------------------------- */

static int64_t now_us(void) {
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

void lab_enter(struct lab *lab, const char *entry) {
  lab->inside = entry;
  lab->since_us = now_us();
  count_switches(&lab->slept, &lab->ousted);
  if (!lab->second) /* who never returns: SIGALRM */
    alarm((unsigned)((lab->plan->patience_ms + 999) / 1000));
}

/* Waiting alone is no breach: a busy machine makes everybody wait. */
void lab_leave(struct lab *lab) {
  int64_t took = now_us() - lab->since_us;
  long slept, ousted;
  if (!lab->second)
    alarm(0);
  count_switches(&slept, &ousted);
  if (took > LAB_BLOCK_MS * 1000 && slept > lab->slept &&
      ousted == lab->ousted)
    lab_breach(lab, "block", "%s() kept its loop waiting for %lld ms",
               lab->inside, (long long)(took / 1000));
  lab->inside = NULL;
}

/* ---- time --------------------------------------------------------------- */

static void on_time(evutil_socket_t fd, short what, void *arg) {
  bool *late = arg;
  (void)fd, (void)what;
  *late = true;
}

static bool run(struct lab *lab, const bool *flag, int64_t ms) {
  bool late = false;
  struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  struct event *timer = evtimer_new(loop_base(lab->loop), on_time, &late);
  if (timer == NULL || event_add(timer, &limit) < 0)
    abort();
  while (!*flag && !late)
    event_base_loop(loop_base(lab->loop), EVLOOP_ONCE);
  event_free(timer);
  return *flag;
}

bool lab_until(struct lab *lab, const bool *flag) {
  return run(lab, flag, lab->plan->patience_ms);
}

void lab_idle(struct lab *lab, int64_t ms) {
  static const bool never;
  run(lab, &never, ms);
}

/* ---- life --------------------------------------------------------------- */

void lab_init(struct lab *lab, const struct lab_plan *plan, int words,
              unsigned number) {
  struct plugin *plugin = &plan->subject->plugin;
  bool backend = plugin->kind == PLUGIN_BACKEND;
  *lab = (struct lab){.plan = plan,
                      .words = words,
                      .number = number,
                      .backend = backend ? &plugin->backend : NULL,
                      .hook = backend ? NULL : &plugin->hook};
  lab->pool = work_pool_new(POOL_THREADS);
  if (lab->pool == NULL)
    abort();
  lab->host = (struct sluice_host){.name = plugin->name,
                                   .share = work_own(lab->pool),
                                   .spool_directory = plan->spool};
}

void lab_start(struct lab *lab) {
  const void *conf = lab->plan->subject->conf;
  lab->instance = lab->backend != NULL ? lab->backend->start(conf, &lab->host)
                                       : lab->hook->start(conf, &lab->host);
  lab_need(lab, lab->instance != NULL, "it doesn't start: %s",
           lab->host.failure[0] != '\0' ? lab->host.failure
                                        : "and doesn't say why");
}

/* Each entry gets a host of its own, which lives as long as the handle. */
void *lab_open_on(struct lab *lab, struct sluice_host *host) {
  *host = lab->host;
  host->loop = lab->loop;
  return lab->backend != NULL ? lab->backend->open(lab->instance, host)
                              : lab->hook->open(lab->instance, host);
}

void lab_open(struct lab *lab) {
  void *handle;
  struct sluice_host *host =
      lab->backend != NULL ? &lab->handle.host : &lab->ask.host;
  lab->loop = loop_new();
  if (lab->loop == NULL)
    abort();
  handle = lab_open_on(lab, host);
  lab_need(lab, handle != NULL, "no handle can be opened: %s",
           host->failure[0] != '\0' ? host->failure
                                    : "and it doesn't say why");
  lab->ask.plugin = lab->hook;
  lab->ask.handle = handle;
  lab->handle.plugin = lab->backend;
  lab->handle.handle = handle;
}

void lab_open_second(struct lab *lab, const struct lab *first) {
  *lab = *first;
  lab->handle = (struct op_backend){0};
  lab->second = true;
  lab->inside = NULL;
  lab_open(lab);
}

void lab_close(struct lab *lab) {
  void *handle = lab->backend != NULL ? lab->handle.handle : lab->ask.handle;
  loop_stop(lab->loop);
  loop_run(lab->loop);
  if (lab->backend != NULL) {
    lab->backend->close(handle);
  } else {
    lab->hook->close(handle);
  }
  loop_free(lab->loop);
  lab->loop = NULL;
}

void lab_stop(struct lab *lab) {
  if (lab->backend != NULL)
    lab->backend->stop(lab->instance);
  else
    lab->hook->stop(lab->instance);
  lab->instance = NULL;
}

struct lab_key lab_key(const struct lab *lab, const char *name) {
  struct lab_key key;
  snprintf(key.text, sizeof key.text, "%s%02u/%s", lab->plan->prefix,
           lab->number, name);
  return key;
}

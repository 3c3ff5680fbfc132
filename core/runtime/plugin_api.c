/* SPDX-License-Identifier: MIT
 *
 * The calls that a plugin may make outside of an operation.
 */
#include "op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "violation.h"
#include "budget.h"
#include "crash.h"
#include "log.h"
#include "work.h"

void sluice_fail_text(struct sluice_host *host, const char *why) {
  snprintf(host->failure, sizeof host->failure, "%s", why);
}

void sluice_fail(struct sluice_host *host, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(host->failure, sizeof host->failure, fmt, args);
  va_end(args);
}

/* A client may choose a short id, which is in many texts by chance. */
static bool names_request(const char *text, const char *id) {
  static const char word[] = "request ";
  size_t len = strlen(id);
  for (; (text = strstr(text, word)) != NULL; text += sizeof word - 1) {
    const char *named = text + sizeof word - 1;
    if (strncmp(named, id, len) == 0 &&
        (named[len] == ':' || named[len] == ' ' || named[len] == '\0'))
      return true;
  }
  return false;
}

/* The request that this thread works for is named, where the plugin doesn't
 * name it itself. */
void sluice_log_text(struct sluice_host *host, enum sluice_level level,
                     const char *text) {
  const struct about *about = crash_request();
  if (about == NULL || names_request(text, about->id))
    log_line(level, host->name, "%s", text);
  else
    log_line(level, host->name, "request %s: %s", about->id, text);
}

void sluice_log(struct sluice_host *host, enum sluice_level level,
                const char *fmt, ...) {
  char text[LOG_LINE_MAX];
  va_list args;
  if (!log_shows(level))
    return;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  sluice_log_text(host, level, text);
}

struct event_base *sluice_loop(struct sluice_host *host) {
  return host->loop == NULL ? NULL : loop_base(host->loop);
}

const char *sluice_spool_directory(const struct sluice_host *host) {
  return host->spool_directory;
}

struct sluice_handed *sluice_handed(struct sluice_host *host) {
  return host->handed;
}

void sluice_work(struct sluice_host *host, void (*work)(void *arg),
                 void (*then)(void *arg), void *arg) {
  work_submit_for(host->share, host->loop, &host->debt, work, then, arg);
}

struct sluice_lane *
sluice_lane_new(struct sluice_host *host,
                void (*run)(void *arg, void **jobs, size_t count), void *arg) {
  return work_lane_new(host->share, run, arg);
}

struct sluice_lane *sluice_lane_new_wide(struct sluice_host *host,
                                         void (*run)(void *arg, void **jobs,
                                                     size_t count),
                                         void *arg, unsigned width) {
  return work_lane_new_wide(host->share, run, arg, width);
}

void sluice_lane_add(struct sluice_lane *lane, struct sluice_host *host,
                     void *job, void (*then)(void *job)) {
  work_lane_add_for(lane, host->loop, &host->debt, job, then);
}

void sluice_lane_free(struct sluice_lane *lane) {
  work_lane_free(lane);
}

static void plugin_api_check_thread(const struct sluice_host *host,
                                    const char *call) {
  if (host->loop != NULL && !loop_is_mine(host->loop))
    violation_of_thread(host, host->name, call);
}

bool sluice_memory_take(struct sluice_host *host, size_t bytes) {
  plugin_api_check_thread(host, "sluice_memory_take");
  if (host->memory != NULL && !budget_take(host->memory, bytes))
    return false;
  host->taken += bytes;
  return true;
}

void sluice_memory_give(struct sluice_host *host, size_t bytes) {
  plugin_api_check_thread(host, "sluice_memory_give");
  if (bytes > host->taken) {
    violation_note(&host->misgiven, host, host->name, "sluice_memory_give",
                   "of more than it has taken");
    bytes = host->taken;
  }
  host->taken -= bytes;
  if (host->memory != NULL)
    budget_give(host->memory, bytes);
}

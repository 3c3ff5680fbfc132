/* SPDX-License-Identifier: MIT
 *
 * Rounds of pings.  A backend that doesn't end one isn't asked again before it
 * has: so a storage that hangs never has more than one of them on a loop.
 */
#include "readiness.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "codec.h"
#include "gate.h"
#include "log.h"

#define WHY_SIZE 256

struct probe { /* of one backend */
  struct readiness *readiness;
  struct op_backend *backend;
  struct sluice_op *op; /* not ended */
  bool asked;           /* in this round, and hasn't answered */
  bool failed;          /* as was logged */
  enum sluice_status status;
  char why[WHY_SIZE]; /* it isn't ready */
};

struct readiness {
  struct gate *gate;
  struct event *limit; /* of a round */
  uint64_t known_ms;   /* when the last round ended; 0: none has */
  size_t missing;      /* answers, in this round */
  bool asking;
  struct readiness_waiter *waiters;
  struct probe probes[];
};

/* For everybody who may ask, so without a host, a path or a name. */
static const char *word_of(enum sluice_status status) {
  switch (status) {
  case SLUICE_OK:
    return "ready";
  case SLUICE_EAUTH:
  case SLUICE_EDENIED:
    return "refused";
  case SLUICE_ENOENT:
    return "missing";
  case SLUICE_EBUSY:
    return "unavailable";
  case SLUICE_ENOSPC:
    return "full";
  case SLUICE_EUPSTREAM:
    return "unreachable";
  case SLUICE_ETIMEOUT:
    return "timeout";
  default:
    return "failed";
  }
}

static void readiness_note(struct probe *probe, enum sluice_status status,
                           const char *why) {
  probe->status = status;
  snprintf(probe->why, sizeof probe->why, "%s",
           why == NULL ? "no reason given" : why);
  codec_clean(probe->why);
  if (status != SLUICE_OK && !probe->failed)
    log_line(SLUICE_LOG_WARN, probe->backend->host.name,
             "the backend isn't ready (%s): %s", word_of(status),
             why == NULL ? "no reason given" : why);
  else if (status == SLUICE_OK && probe->failed)
    log_line(SLUICE_LOG_INFO, probe->backend->host.name,
             "the backend is ready again");
  probe->failed = status != SLUICE_OK;
}

static void readiness_finish(struct readiness *readiness) {
  struct readiness_waiter *waiter = readiness->waiters;
  readiness->asking = false;
  readiness->known_ms = clock_ms();
  readiness->waiters = NULL;
  event_del(readiness->limit);
  while (waiter != NULL) {
    struct readiness_waiter *next = waiter->next;
    waiter->next = NULL;
    waiter->told(waiter->arg);
    waiter = next;
  }
}

static void readiness_on_done(void *arg, enum sluice_status status,
                              const char *why) {
  struct probe *probe = arg;
  probe->op = NULL;
  gate_release(probe->readiness->gate);
  if (!probe->asked)
    return; /* it came too late */
  probe->asked = false;
  readiness_note(probe, status, why);
  if (--probe->readiness->missing == 0)
    readiness_finish(probe->readiness);
}

static void on_limit(evutil_socket_t fd, short what, void *arg) {
  struct readiness *readiness = arg;
  (void)fd, (void)what;
  for (size_t i = 0; i < readiness->gate->settings->backend_count; i++) {
    struct probe *probe = &readiness->probes[i];
    if (!probe->asked)
      continue;
    probe->asked = false;
    readiness_note(probe, SLUICE_ETIMEOUT, "it didn't answer in two seconds");
    op_cancel(probe->op);
  }
  readiness_finish(readiness);
}

static void ask_all(struct readiness *readiness) {
  static const struct op_events events = {.done = readiness_on_done};
  static const struct timeval limit = {.tv_sec = READINESS_PROBE_MS / 1000};
  size_t count = readiness->gate->settings->backend_count;
  readiness->asking = true;
  readiness->missing = 0;
  event_add(readiness->limit, &limit);
  for (size_t i = 0; i < count; i++) {
    struct probe *probe = &readiness->probes[i];
    if (probe->op != NULL)
      continue; /* it hasn't ended the last one */
    probe->asked = true;
    readiness->missing++;
    gate_hold(readiness->gate);
    probe->op = op_ping(probe->backend, &events, probe);
  }
}

bool readiness_ask(struct readiness *readiness,
                   struct readiness_waiter *waiter) {
  if (!readiness->asking && readiness->known_ms > 0 &&
      clock_ms() - readiness->known_ms < READINESS_KEPT_MS)
    return true;
  waiter->next = readiness->waiters;
  readiness->waiters = waiter;
  if (!readiness->asking)
    ask_all(readiness);
  if (readiness->missing > 0)
    return false;
  readiness_leave(readiness, waiter); /* none was asked */
  readiness_finish(readiness);
  return true;
}

void readiness_leave(struct readiness *readiness,
                     struct readiness_waiter *waiter) {
  struct readiness_waiter **at = &readiness->waiters;
  while (*at != NULL && *at != waiter)
    at = &(*at)->next;
  if (*at == waiter)
    *at = waiter->next;
}

bool readiness_is_ready(const struct readiness *readiness) {
  const struct settings *settings = readiness->gate->settings;
  size_t ready = 0;
  for (size_t i = 0; i < settings->backend_count; i++) {
    bool is_ready = readiness->probes[i].status == SLUICE_OK;
    if (!is_ready && settings->backends[i].needed)
      return false;
    ready += is_ready;
  }
  return ready > 0;
}

json_t *readiness_json(const struct readiness *readiness) {
  json_t *words = json_object();
  for (size_t i = 0; i < readiness->gate->settings->backend_count; i++) {
    const struct probe *probe = &readiness->probes[i];
    json_object_set_new(words, probe->backend->host.name,
                        json_string(word_of(probe->status)));
  }
  return words;
}

static json_t *report_of(const struct probe *probe, bool needed) {
  bool ready = probe->status == SLUICE_OK;
  return json_pack("{s:s, s:b, s:s, s:s?}", "name", probe->backend->host.name,
                   "needed", (int)needed, "state", word_of(probe->status),
                   "why", ready ? NULL : probe->why);
}

json_t *readiness_report(const struct readiness *readiness) {
  const struct settings *settings = readiness->gate->settings;
  json_t *backends = json_array();
  for (size_t i = 0; i < settings->backend_count; i++)
    json_array_append_new(backends, report_of(&readiness->probes[i],
                                              settings->backends[i].needed));
  return json_pack("{s:b, s:o}", "ready", (int)readiness_is_ready(readiness),
                   "backends", backends);
}

struct readiness *readiness_new(struct gate *gate) {
  size_t count = gate->settings->backend_count;
  struct readiness *readiness =
      calloc(1, sizeof *readiness + count * sizeof readiness->probes[0]);
  if (readiness == NULL)
    return NULL;
  readiness->gate = gate;
  readiness->limit = evtimer_new(loop_base(gate->loop), on_limit, readiness);
  for (size_t i = 0; i < count; i++) {
    readiness->probes[i].readiness = readiness;
    readiness->probes[i].backend = gate->backends[i];
  }
  if (readiness->limit != NULL)
    return readiness;
  free(readiness);
  return NULL;
}

void readiness_free(struct readiness *readiness) {
  if (readiness == NULL)
    return;
  event_free(readiness->limit);
  free(readiness);
}

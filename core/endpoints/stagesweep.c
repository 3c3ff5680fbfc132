/* SPDX-License-Identifier: MIT
 *
 * A timer of the loop.  A backend that hasn't ended the last sweep is left
 * alone.
 */
#include "stagesweep.h"

#include <event2/event.h>
#include <stdlib.h>

#include "date.h"
#include "gate.h"
#include "log.h"

#define EVERY_MIN_MS 1000
#define EVERY_MAX_MS (5 * 60 * 1000)
#define PARTS 8 /* of the time after which an upload expires */

struct sweeping { /* of one backend */
  struct gate *gate;
  struct op_backend *backend;
  struct sluice_op *op;
};

struct stagesweep {
  struct gate *gate;
  struct event *timer;
  struct sweeping *backends; /* as many as the settings' */
};

static void stagesweep_on_done(void *arg, enum sluice_status status,
                               const char *why) {
  struct sweeping *sweeping = arg;
  sweeping->op = NULL;
  gate_release(sweeping->gate);
  if (status != SLUICE_OK && status != SLUICE_ECANCELED)
    log_line(SLUICE_LOG_WARN, sweeping->backend->host.name,
             "uploads that have expired can't be removed: %s; it is tried "
             "again",
             why == NULL ? "no reason given" : why);
}

static void stagesweep_on_time(evutil_socket_t fd, short what, void *arg) {
  static const struct op_events events = {.done = stagesweep_on_done};
  struct stagesweep *sweep = arg;
  (void)fd, (void)what;
  for (size_t i = 0; i < sweep->gate->settings->backend_count; i++) {
    struct sweeping *sweeping = &sweep->backends[i];
    if (sweeping->op != NULL || !op_can_stage(sweeping->backend))
      continue;
    gate_hold(sweep->gate);
    sweeping->op = op_stage_sweep(sweeping->backend, date_now_ms() / 1000,
                                  &events, sweeping);
  }
}

struct stagesweep *stagesweep_new(struct gate *gate) {
  int64_t every = gate->settings->uploads.expires_ms / PARTS;
  if (every < EVERY_MIN_MS)
    every = EVERY_MIN_MS;
  if (every > EVERY_MAX_MS)
    every = EVERY_MAX_MS;
  struct timeval time = {.tv_sec = every / 1000,
                         .tv_usec = every % 1000 * 1000};
  struct stagesweep *sweep = calloc(1, sizeof *sweep);
  if (sweep == NULL)
    return NULL;
  sweep->gate = gate;
  sweep->backends =
      calloc(gate->settings->backend_count, sizeof *sweep->backends);
  sweep->timer = event_new(loop_base(gate->loop), -1, EV_PERSIST,
                           stagesweep_on_time, sweep);
  if (sweep->backends == NULL || sweep->timer == NULL) {
    stagesweep_free(sweep);
    return NULL;
  }
  for (size_t i = 0; i < gate->settings->backend_count; i++)
    sweep->backends[i] =
        (struct sweeping){.gate = gate, .backend = gate->backends[i]};
  event_add(sweep->timer, &time);
  event_active(sweep->timer, EV_TIMEOUT, 0); /* also what a crash left */
  return sweep;
}

void stagesweep_stop(struct stagesweep *sweep) {
  if (sweep == NULL)
    return;
  event_del(sweep->timer);
  for (size_t i = 0; i < sweep->gate->settings->backend_count; i++)
    if (sweep->backends[i].op != NULL)
      op_cancel(sweep->backends[i].op);
}

void stagesweep_free(struct stagesweep *sweep) {
  if (sweep == NULL)
    return;
  if (sweep->timer != NULL)
    event_free(sweep->timer);
  free(sweep->backends);
  free(sweep);
}

/* SPDX-License-Identifier: MIT
 *
 * One question at a time, to the first loop that runs; its configuration stays
 * until it has answered.
 */
#include "readyask.h"

#include <stddef.h>

#include "gateway.h"

/* ---- on the loop -------------------------------------------------------- */

static void on_known(void *arg) {
  struct readyask *ready = arg;
  ready->document = readiness_report(ready->gate->readiness);
  loop_post(ready->gateway->loop, &ready->told);
  gate_release(ready->gate);
}

static json_t *not_ready(void) {
  return json_pack("{s:b, s:[]}", "ready", 0, "backends");
}

static void on_ready_ask(struct loop_task *task) {
  struct readyask *ready =
      (void *)((char *)task - offsetof(struct readyask, ask));
  struct seat *seat = ready->worker->seat;
  if (seat == NULL) { /* it hasn't begun */
    ready->document = not_ready();
    loop_post(ready->gateway->loop, &ready->told);
    return;
  }
  ready->gate = &seat->gate;
  ready->known = (struct readiness_waiter){.told = on_known, .arg = ready};
  gate_hold(ready->gate);
  if (readiness_ask(ready->gate->readiness, &ready->known))
    on_known(ready);
}

/* ---- on the main thread ------------------------------------------------- */

/* The document is taken. */
static void readyask_tell(struct readyask *ready, json_t *document) {
  struct readyask_waiter *waiter = ready->waiters;
  ready->waiters = NULL;
  ready->asking = false;
  while (waiter != NULL) {
    struct readyask_waiter *next = waiter->next;
    waiter->told(waiter->arg, document);
    waiter = next;
  }
  json_decref(document);
}

static void on_ready_told(struct loop_task *task) {
  struct readyask *ready =
      (void *)((char *)task - offsetof(struct readyask, told));
  json_t *document = ready->document;
  ready->document = NULL;
  readyask_tell(ready, document);
}

/* NULL: all have ended. */
static struct worker *running(struct gateway *gateway) {
  for (size_t i = 0; i < gateway->worker_count; i++)
    if (!gateway->workers[i].has_ended)
      return &gateway->workers[i];
  return NULL;
}

/* No loop is asked again, as what this one was asked with is still its own. */
void readyask_forget(struct gateway *gateway, size_t worker) {
  struct readyask *ready = &gateway->readyask;
  if (!ready->asking || ready->worker != &gateway->workers[worker])
    return;
  ready->lost = true;
  readyask_tell(ready, not_ready());
}

void readyask_ask(struct gateway *gateway, struct readyask_waiter *waiter) {
  struct readyask *ready = &gateway->readyask;
  waiter->next = ready->waiters;
  ready->waiters = waiter;
  if (ready->asking)
    return;
  ready->worker = running(gateway);
  if (ready->lost || ready->worker == NULL) {
    readyask_tell(ready, not_ready());
    return;
  }
  ready->asking = true;
  loop_post(ready->worker->loop, &ready->ask);
}

void readyask_leave(struct gateway *gateway, struct readyask_waiter *waiter) {
  struct readyask_waiter **at = &gateway->readyask.waiters;
  for (; *at != NULL; at = &(*at)->next)
    if (*at == waiter) {
      *at = waiter->next;
      return;
    }
}

void readyask_init(struct gateway *gateway) {
  gateway->readyask = (struct readyask){.gateway = gateway,
                                        .ask = {.run = on_ready_ask},
                                        .told = {.run = on_ready_told}};
}

void readyask_fini(struct gateway *gateway) {
  json_decref(gateway->readyask.document);
}

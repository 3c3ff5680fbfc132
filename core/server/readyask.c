/* SPDX-License-Identifier: MIT
 *
 * One question to the first loop at a time; its configuration stays until it
 * has answered.
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

static void on_ready_ask(struct loop_task *task) {
  struct readyask *ready =
      (void *)((char *)task - offsetof(struct readyask, ask));
  struct seat *seat = ready->gateway->workers[0].seat;
  if (seat == NULL) { /* it hasn't begun */
    ready->document = json_pack("{s:b, s:[]}", "ready", 0, "backends");
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

static void on_ready_told(struct loop_task *task) {
  struct readyask *ready =
      (void *)((char *)task - offsetof(struct readyask, told));
  struct readyask_waiter *waiter = ready->waiters;
  json_t *document = ready->document;
  ready->document = NULL;
  ready->waiters = NULL;
  ready->asking = false;
  while (waiter != NULL) {
    struct readyask_waiter *next = waiter->next;
    waiter->told(waiter->arg, document);
    waiter = next;
  }
  json_decref(document);
}

void readyask_ask(struct gateway *gateway, struct readyask_waiter *waiter) {
  struct readyask *ready = &gateway->readyask;
  waiter->next = ready->waiters;
  ready->waiters = waiter;
  if (ready->asking)
    return;
  ready->asking = true;
  loop_post(gateway->workers[0].loop, &ready->ask);
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

/* SPDX-License-Identifier: MIT
 *
 * A call ends in exactly one sluice_done(), in call_end(): that is the rule
 * DONE, and the reason why nothing else calls it.
 */
#include "call.h"

#include <string.h>

void call_lane_run(void *arg, void **jobs, size_t count) {
  struct instance *instance = arg;
  for (size_t i = 0; i < count; i++) {
    struct call *call = jobs[i];
    call->act(&instance->shelf, call);
  }
}

/* Zeroed at first, and freed by the gateway after sluice_done(). */
struct call *call_of(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct call));
}

struct call *call_start(void *handle, struct sluice_op *op) {
  struct call *call = call_of(op);
  call->op = op;
  call->handle = handle;
  return call;
}

void call_keep(struct call *call, char out[SHELF_KEY_MAX + 1],
               const char *text) {
  size_t len = text ? strlen(text) : 0;
  if (len > SHELF_KEY_MAX)
    call->status = SLUICE_EINVAL;
  else if (len > 0)
    memcpy(out, text, len + 1);
}

void call_end(struct call *call) {
  for (uint32_t i = 0; i < call->page.count; i++)
    shelf_object_drop(call->page.found[i]);
  shelf_object_drop(call->object);
  sluice_done(call->op, call->status, NULL);
}

void call_fail(struct call *call, enum sluice_status status) {
  call->status = status;
  call_end(call);
}

static void returned(void *job) {
  struct call *call = job;
  call->busy = false;
  if (call->canceled && call->tell != call_end) /* a change took place */
    call->status = SLUICE_ECANCELED;
  if (call->status == SLUICE_OK)
    call->tell(call);
  else
    call_end(call);
}

void call_submit(struct call *call, void (*act)(struct shelf *, struct call *),
                 void (*tell)(struct call *)) {
  call->act = act;
  call->tell = tell;
  call->busy = call->status == SLUICE_OK;
  if (call->busy)
    sluice_lane_add(call->handle->instance->lane, call->handle->host, call,
                    returned);
  else
    call_end(call);
}

/* A job can't be called back from the lane: it is waited for, and what it
 * found is dropped. */
void call_cancel(struct call *call) {
  call->canceled = true;
  if (!call->busy)
    call_fail(call, SLUICE_ECANCELED);
}

/* SPDX-License-Identifier: MIT
 *
 * An exchange holds this while it works: its operation, its endpoint's memory,
 * its key, and the time of who has something to do.
 */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "must.h"

struct op_backend *exchange_backend(struct exchange *ex) {
  return ex->gate->backends[ex->request.backend];
}

bool exchange_can(struct exchange *ex, unsigned abilities) {
  return (exchange_backend(ex)->abilities & abilities) == abilities;
}

void exchange_set_key(struct exchange *ex, const char *key) {
  free(ex->key);
  ex->key = strdup(key);
  must_have(ex->key);
  ex->request.key = ex->key;
}

void exchange_drop(struct exchange *ex) {
  if (exchange_is_changing(ex->state))
    return;
  struct sluice_op *op = ex->op;
  void *work = ex->work;
  bool lent = op != NULL && ex->work_lent;
  if (work != NULL && ex->work_left != NULL)
    ex->work_left(work);
  ex->work_left = NULL;
  ex->op = NULL;
  ex->work = NULL;
  ex->work_lent = false;
  exchange_unwatch(ex);
  if (op != NULL)
    op_leave(op, lent ? ex->work_free : NULL, work);
  if (work != NULL && !lent)
    ex->work_free(work);
}

static void end_wait(struct exchange *ex) {
  if (ex->waits_us != 0)
    ex->waited_us[ex->waits_for] += clock_us() - ex->waits_us;
  ex->waits_us = 0;
}

/* The state says for whom it waits.  A request without hooks doesn't wait for
 * them. */
static void begin_wait(struct exchange *ex) {
  bool hooks = exchange_asks_hooks(ex->state);
  enum metrics_wait whom = hooks ? METRICS_HOOKS : METRICS_BACKEND;
  if (ex->waits_us != 0 && ex->waits_for == whom)
    return;
  end_wait(ex);
  if (hooks && ex->request.chain_count == 0)
    return;
  ex->waits_us = clock_us();
  ex->waits_for = whom;
}

void exchange_hashes(struct exchange *ex) {
  if (ex->waits_us != 0)
    return;
  ex->waits_us = clock_us();
  ex->waits_for = METRICS_HASH;
}

void exchange_hashed(struct exchange *ex) {
  if (ex->waits_for == METRICS_HASH)
    end_wait(ex);
}

void exchange_watch(struct exchange *ex) {
  if (ex->state == EXCHANGE_CHANGING_ANSWERED ||
      ex->state == EXCHANGE_TELLING_ANSWERED)
    return; /* the client has its own time for the 504 */
  begin_wait(ex);
  event_add(&ex->timer, ex->gate->backend_timeout);
}

void exchange_unwatch(struct exchange *ex) {
  event_del(&ex->timer);
  end_wait(ex);
}

void exchange_count_times(struct exchange *ex) {
  uint64_t *us = ex->waited_us;
  us[METRICS_WHOLE] = clock_us() - ex->since_us;
  us[METRICS_CLIENT] = us[METRICS_WHOLE] - us[METRICS_HOOKS] -
                       us[METRICS_BACKEND] - us[METRICS_HASH];
}

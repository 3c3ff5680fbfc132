/* SPDX-License-Identifier: MIT
 *
 * The lane: all that waits for the disk shares a transaction.
 */
#include "events.h"

#include <inttypes.h>
#include <unistd.h>

#include "must.h"

struct batch {
  struct queue_item *items[SLUICE_LANE_BATCH];
  size_t count;
  struct events_turn *turn; /* NULL: none */
};

static void collect(struct batch *batch, void **jobs, size_t count) {
  batch->count = 0;
  batch->turn = NULL;
  for (size_t i = 0; i < count; i++) {
    struct events_job *job = jobs[i];
    if (job->is_turn) {
      must(batch->turn == NULL); /* there is one at a time */
      batch->turn = (struct events_turn *)job;
    } else {
      batch->items[batch->count++] = &((struct events_notice *)job)->item;
    }
  }
}

static void events_lane_report(struct events *events,
                               const struct batch *batch,
                               const struct errmsg *why) {
  events_drop(events, EVENTS_LOST, batch->count);
  if (batch->count > 0)
    sluice_log(events->host, SLUICE_LOG_ERROR,
               "%zu events are lost: %s; %" PRIu64 " since the start",
               batch->count, why->text, atomic_load(&events->lost));
  else
    sluice_log(events->host, SLUICE_LOG_ERROR, "deliveries can't be noted: %s",
               why->text);
}

void events_run(void *arg, void **jobs, size_t count) {
  static const uint64_t one = 1;
  struct events *events = arg;
  struct batch batch;
  struct errmsg why;
  collect(&batch, jobs, count);
  struct events_turn *turn = batch.turn;
  bool done = queue_change(events->queue, batch.items, batch.count,
                           turn == NULL ? NULL : turn->results,
                           turn == NULL ? 0 : turn->result_count, &why);
  if (!done)
    events_lane_report(events, &batch, &why);
  for (size_t i = 0; i < count; i++)
    ((struct events_job *)jobs[i])->done = done;
  if (turn != NULL) {
    turn->page.count = 0;
    turn->unread = done && !queue_load(events->queue, &turn->page, &why);
    if (turn->unread)
      sluice_log(events->host, SLUICE_LOG_ERROR, "events can't be read: %s",
                 why.text);
  }
  if (done && batch.count > 0 &&
      write(events->wake, &one, sizeof one) != (ssize_t)sizeof one)
    sluice_log(events->host, SLUICE_LOG_ERROR,
               "the delivering loop can't be woken");
}

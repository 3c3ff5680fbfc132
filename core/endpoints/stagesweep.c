/* SPDX-License-Identifier: MIT
 *
 * A walk without a list: the backend knows its stages, and what has expired.
 */
#include "sweepkinds.h"

#include "date.h"

#define EVERY_MIN_MS 1000
#define EVERY_MAX_MS (5 * 60 * 1000)
#define PARTS 8 /* of the time after which an upload expires */

bool stagesweep_is_for(const struct gate *gate, size_t backend) {
  return op_can_stage(gate->backends[backend]);
}

static struct sluice_op *stagesweep_look(struct walk *walk,
                                         const struct op_events *events) {
  return op_stage_sweep(walk->backend, date_now_ms() / 1000, events, walk);
}

/* At once: also what a crash left. */
static int64_t stagesweep_pause(struct walk *walk, enum walk_rest rest) {
  const struct gate *gate = walk->of;
  int64_t every = gate->settings->uploads.expires_ms / PARTS;
  if (rest == WALK_BEGINS)
    return 0;
  return every < EVERY_MIN_MS   ? EVERY_MIN_MS
         : every > EVERY_MAX_MS ? EVERY_MAX_MS
                                : every;
}

const struct walk_kind stagesweep = {
    .failure = "uploads that have expired can't be removed",
    .size = sizeof(struct walk),
    .task_size = sizeof(struct walk_task),
    .look = stagesweep_look,
    .pause = stagesweep_pause,
};

/* SPDX-License-Identifier: MIT
 *
 * A walk through all records, which are in no order of time.
 */
#include "sweepkinds.h"

#include "date.h"
#include "oncerecord.h"

#define EVERY_MIN_MS 1000
#define EVERY_MAX_MS (10 * 60 * 1000)
#define PARTS 8 /* of the time after which a record expires */
#define PAGE 500
#define PAGE_PAUSE_MS 1000

static int64_t oncesweep_expires_ms(const struct walk *walk) {
  const struct gate *gate = walk->of;
  return gate->settings->uploads.once_expires_ms;
}

bool oncesweep_is_for(const struct gate *gate, size_t backend) {
  unsigned needed = SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE;
  return (gate->backends[backend]->abilities & needed) == needed;
}

/* Not before nobody asks for it any more, whatever the clocks of gateways and
 * storage say.  One that can only be removed as whatever is there is kept for
 * twice as long: then nobody replaces it just now. */
static enum walk_choice oncesweep_choose(struct walk *walk,
                                         const struct op_entry *entry) {
  int64_t expires_ms = oncesweep_expires_ms(walk);
  bool by_etag = (walk->backend->abilities & SLUICE_CAN_REMOVE) != 0 &&
                 entry->meta->etag != NULL;
  int64_t kept_ms = by_etag ? expires_ms + expires_ms / PARTS : 2 * expires_ms;
  return entry->meta->mtime_ms + kept_ms < date_now_ms() ? WALK_TAKES
                                                         : WALK_PASSES;
}

static void oncesweep_start(struct walk_task *task) {
  walk_remove(task,
              &(struct sluice_removal){.key = task->entry->key,
                                       .if_match = task->entry->etag},
              NULL);
}

static int64_t oncesweep_pause(struct walk *walk, enum walk_rest rest) {
  int64_t every = oncesweep_expires_ms(walk) / PARTS;
  if (rest == WALK_PAGE_ENDS)
    return PAGE_PAUSE_MS;
  return every < EVERY_MIN_MS   ? EVERY_MIN_MS
         : every > EVERY_MAX_MS ? EVERY_MAX_MS
                                : every;
}

const struct walk_kind oncesweep = {
    .folder = ONCERECORD_PREFIX,
    .failure = "records of Idempotency-Keys that have expired can't be found",
    .page = PAGE,
    .size = sizeof(struct walk),
    .task_size = sizeof(struct walk_task),
    .choose = oncesweep_choose,
    .start = oncesweep_start,
    .pause = oncesweep_pause,
};

/* SPDX-License-Identifier: MIT
 *
 * The hook as a whole: what all loops share.  It doesn't change while they
 * run, but for a few atomic numbers; the queue belongs to the lane.
 */
#ifndef EVENTS_EVENTS_H
#define EVENTS_EVENTS_H

#include <sluice/plugin.h>
#include <stdatomic.h>

#include "event_queue.h"

struct events_conf {
  const char *url, *secret, *directory, *when_full, *ca_file;
  const char *const *events;
  int64_t queue_max, parallel;
  int64_t connect_timeout_ms, timeout_ms;
  int64_t retry_min_ms, retry_max_ms, max_age_ms;
  bool verify;
};

enum events_metric {
  EVENTS_QUEUED,
  EVENTS_LIMIT,
  EVENTS_DELIVERED,
  EVENTS_ATTEMPTS_FAILED,
  EVENTS_DROPPED
};
enum events_reason { EVENTS_LOST, EVENTS_GIVEN_UP };

struct events {
  const struct events_conf *conf;
  struct sluice_host *host; /* of the whole, for the log of the lane */
  struct queue *queue;
  struct sluice_lane *lane;
  int wake; /* eventfd: something was stored */
  bool uploads, deletes, refuse;
  atomic_flag claimed;  /* a loop delivers */
  _Atomic int64_t used; /* events stored, and those that will be */
  _Atomic uint64_t lost, given_up, delivered;
  _Atomic int64_t told_ms; /* when a full queue was logged last */
  /* Of the delivering loop: when a failed delivery was logged last, and how
   * many were not since. */
  int64_t failure_told_ms;
  uint64_t failures_untold;
  /* Results that the delivering loop had when it ended, for stop(). */
  size_t left_count;
  struct queue_result left[QUEUE_PAGE_MAX];
};

/* Room for one more event; it is given back when that is removed, or wasn't
 * stored. */
bool events_take_room(struct events *);
void events_give_room(struct events *);
/* Counts those that nobody will be told of. */
void events_drop(struct events *, enum events_reason, uint64_t more);

/* The lane's jobs begin with this. */
struct events_job {
  bool is_turn; /* a struct events_turn, else a struct events_notice */
  bool done;    /* durable */
};

struct events_notice { /* to be stored */
  struct events_job job;
  struct queue_item item;
};

struct events_turn { /* results to be noted, then events to be loaded */
  struct events_job job;
  size_t result_count;
  struct queue_result results[QUEUE_PAGE_MAX];
  struct queue_page page;
  bool unread; /* the events couldn't be loaded */
};

/* The lane's run(): one transaction for all jobs. */
void events_run(void *events, void **jobs, size_t count);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The pool of threads for calls that block, and lanes: queues whose jobs run
 * in batches, one batch at a time.
 *
 * Each user of the pool has a share of it: how many threads it may occupy at
 * once.  So one whose calls hang leaves threads for others, and the gateway
 * itself, whose calls don't hang, always finds one (docs/decisions/0021).
 *
 * The queues are bounded: each job belongs to a request in flight, and those
 * are bounded by the limits of connections and memory.
 */
#ifndef RUNTIME_WORK_H
#define RUNTIME_WORK_H

#include <sluice/plugin.h>

struct loop;
struct loop_debt;
struct work_pool;
struct work_share;

/* `threads` for plugins, and one more that they never get.  NULL: no threads.
 */
struct work_pool *work_pool_new(unsigned threads);
/* Waits for what runs; nothing may be queued.  Frees the shares. */
void work_pool_free(struct work_pool *);

struct work_load {
  unsigned threads, busy;
  size_t waiting; /* jobs that no thread has begun */
};
struct work_load work_load(struct work_pool *); /* from any thread */

/* The gateway's own, of as many threads as there are. */
struct work_share *work_own(struct work_pool *);
/* A plugin's, of at most so many threads at once, at least one.  NULL: no
 * memory. */
struct work_share *work_share_new(struct work_pool *, unsigned most);
/* All its jobs have returned; else it goes with the pool.  NULL: nothing. */
void work_share_free(struct work_share *);
/* How many threads a plugin gets where nobody says: all where it is alone,
 * else all but a quarter, and at least one is left to others. */
unsigned work_share_most(unsigned threads, size_t plugins);

/* From the loop's thread.  The job is counted as the loop's own until then()
 * has run there. */
void work_submit(struct work_share *, struct loop *, void (*work)(void *),
                 void (*then)(void *), void *arg);
/* So, too, and as what somebody owes. */
void work_submit_for(struct work_share *, struct loop *, struct loop_debt *,
                     void (*work)(void *), void (*then)(void *), void *arg);

struct sluice_lane *work_lane_new(struct work_share *,
                                  void (*run)(void *, void **, size_t),
                                  void *arg);
/* Of 1 to SLUICE_LANE_WIDTH jobs that run at once, each a batch of its own. */
struct sluice_lane *work_lane_new_wide(struct work_share *,
                                       void (*run)(void *, void **, size_t),
                                       void *arg, unsigned width);
void work_lane_add(struct sluice_lane *, struct loop *, void *job,
                   void (*then)(void *));
void work_lane_add_for(struct sluice_lane *, struct loop *, struct loop_debt *,
                       void *job, void (*then)(void *));
void work_lane_free(struct sluice_lane *);

#endif

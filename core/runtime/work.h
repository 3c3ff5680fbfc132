/* SPDX-License-Identifier: MIT
 *
 * The pool of threads for calls that block, and lanes: queues whose jobs run
 * in batches, one batch at a time.
 *
 * What bounds the queues: each job belongs to a request in flight, and those
 * are bounded by the limits of connections and memory.
 */
#ifndef RUNTIME_WORK_H
#define RUNTIME_WORK_H

#include <sluice/plugin.h>

struct loop;
struct work_pool;

struct work_pool *work_pool_new(unsigned threads); /* NULL: no threads */
/* Waits for what runs; nothing may be queued. */
void work_pool_free(struct work_pool *);

/* From the loop's thread.  The job is counted as the loop's own until then()
 * has run there. */
void work_submit(struct work_pool *, struct loop *, void (*work)(void *),
                 void (*then)(void *), void *arg);

struct sluice_lane *work_lane_new(struct work_pool *,
                                  void (*run)(void *, void **, size_t),
                                  void *arg);
void work_lane_add(struct sluice_lane *, struct loop *, void *job,
                   void (*then)(void *));
void work_lane_free(struct sluice_lane *);

#endif

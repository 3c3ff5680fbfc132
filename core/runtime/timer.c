/* SPDX-License-Identifier: MIT
 *
 * A timer rests until its time has come, is queued as any job of its share,
 * runs, and rests again: what is queued or runs isn't looked at, so no call
 * overlaps the one before.  All under the pool's lock, but for run() itself.
 */
#include "timer.h"

#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "op.h"
#include "violation.h"
#include "work_private.h"

enum timer_state { TIMER_RESTS, TIMER_QUEUED, TIMER_RUNS };

struct sluice_timer {
  struct work_share *share;
  uint64_t period_us, due_us; /* while it rests */
  void (*run)(void *arg);
  void *arg;
  struct job turn;
  enum timer_state state;
  bool left;        /* run() isn't called any more */
  bool orphan;      /* and its last call frees it */
  pthread_t runner; /* while it runs */
  struct sluice_timer *next;
};

/* ---- the pool's side, with its lock ------------------------------------- */

static void find_due(struct work_pool *pool) {
  const struct sluice_timer *timer;
  pool->due_us = 0;
  for (timer = pool->timers; timer != NULL; timer = timer->next)
    if (timer->state == TIMER_RESTS &&
        (pool->due_us == 0 || timer->due_us < pool->due_us))
      pool->due_us = timer->due_us;
}

static void timer_fire(struct work_pool *pool) {
  struct sluice_timer *timer;
  uint64_t now = clock_us();
  for (timer = pool->timers; timer != NULL; timer = timer->next) {
    if (timer->state != TIMER_RESTS || timer->due_us > now)
      continue;
    timer->state = TIMER_QUEUED;
    pool->waiting++;
    work_share_add(timer->share, &timer->turn);
  }
  find_due(pool);
}

/* Threads that wait do it for as long as they knew then. */
static void tell_due(struct work_pool *pool) {
  pool->fire = timer_fire;
  find_due(pool);
  pthread_cond_broadcast(&pool->some);
}

static void forget(struct work_pool *pool, struct sluice_timer *timer) {
  struct sluice_timer **at = &pool->timers;
  while (*at != timer)
    at = &(*at)->next;
  *at = timer->next;
  free(timer);
  find_due(pool);
}

static void timer_turn(struct job *job) {
  struct sluice_timer *timer =
      (struct sluice_timer *)((char *)job -
                              offsetof(struct sluice_timer, turn));
  struct work_pool *pool = timer->share->pool;
  pthread_mutex_lock(&pool->lock);
  timer->state = TIMER_RUNS;
  timer->runner = pthread_self();
  bool left = timer->left;
  pthread_mutex_unlock(&pool->lock);
  if (!left)
    timer->run(timer->arg);
  pthread_mutex_lock(&pool->lock);
  timer->state = TIMER_RESTS;
  timer->due_us = clock_us() + timer->period_us;
  if (timer->orphan)
    forget(pool, timer);
  pthread_cond_broadcast(&pool->turned);
  tell_due(pool);
  pthread_mutex_unlock(&pool->lock);
}

/* ---- the plugin's side -------------------------------------------------- */

struct sluice_timer *sluice_timer_new(struct sluice_host *host,
                                      int64_t period_ms,
                                      void (*run)(void *arg), void *arg) {
  if (host->loop != NULL || host->share == NULL ||
      period_ms < SLUICE_TIMER_MIN_MS || period_ms > SLUICE_TIMER_MAX_MS)
    return NULL;
  struct sluice_timer *timer = calloc(1, sizeof *timer);
  if (timer == NULL)
    return NULL;
  struct work_pool *pool = host->share->pool;
  timer->share = host->share;
  timer->period_us = (uint64_t)period_ms * 1000;
  timer->due_us = clock_us() + timer->period_us;
  timer->run = run;
  timer->arg = arg;
  timer->turn.turn = timer_turn;
  pthread_mutex_lock(&pool->lock);
  timer->next = pool->timers;
  pool->timers = timer;
  tell_due(pool);
  pthread_mutex_unlock(&pool->lock);
  return timer;
}

/* With the pool's lock, which it gives back meanwhile. */
static void wait_and_forget(struct work_pool *pool,
                            struct sluice_timer *timer) {
  timer->left = true;
  timer->orphan = false;
  while (timer->state != TIMER_RESTS)
    pthread_cond_wait(&pool->turned, &pool->lock);
  forget(pool, timer);
}

void sluice_timer_free(struct sluice_timer *timer) {
  if (timer == NULL)
    return;
  struct work_pool *pool = timer->share->pool;
  pthread_mutex_lock(&pool->lock);
  if (timer->state == TIMER_RUNS &&
      pthread_equal(timer->runner, pthread_self()))
    timer->left = timer->orphan = true; /* it would wait for itself */
  else
    wait_and_forget(pool, timer);
  pthread_mutex_unlock(&pool->lock);
}

size_t timer_free_all(struct work_share *share) {
  struct work_pool *pool = share->pool;
  size_t count = 0;
  pthread_mutex_lock(&pool->lock);
  for (;;) {
    struct sluice_timer *timer = pool->timers;
    while (timer != NULL && timer->share != share)
      timer = timer->next;
    if (timer == NULL)
      break;
    count += !timer->orphan; /* it was freed by its own call */
    wait_and_forget(pool, timer);
  }
  pthread_mutex_unlock(&pool->lock);
  return count;
}

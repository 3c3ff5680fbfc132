/* SPDX-License-Identifier: MIT
 *
 * Threads that take tasks from the shares' queues, from one share after the
 * other.  A task is either a job of its own, or a lane that has jobs waiting:
 * the thread that takes a lane takes what waits in it (up to a batch), so that
 * a lane is never run twice at once, unless it was made wide: then each takes
 * one job.
 *
 * A share is ready while it has a task and may use one more thread.  Those of
 * plugins together leave one thread free, so that the gateway's own share,
 * whose jobs end by themselves, is never without.
 */
#include "work.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "clock.h"
#include "crash.h"
#include "must.h"
#include "work_private.h"

#define WORK_STACK (256u * 1024)
/* Where processors are short, loops go first: what they do next answers most
 * requests.  The pool still gets a quarter. */
#define WORK_NICE 5

static void jobs_init(struct jobs *jobs) {
  jobs->first = NULL;
  jobs->end = &jobs->first;
}

static void jobs_add(struct jobs *jobs, struct job *job) {
  job->next = NULL;
  *jobs->end = job;
  jobs->end = &job->next;
}

static struct job *jobs_take(struct jobs *jobs) {
  struct job *job = jobs->first;
  if (job != NULL) {
    jobs->first = job->next;
    if (jobs->first == NULL)
      jobs->end = &jobs->first;
  }
  return job;
}

static void job_return(struct loop_task *task) {
  struct job *job = (struct job *)task;
  struct loop *loop = job->loop;
  struct loop_debt *debt = job->debt;
  struct about *before = crash_about(about_same(job->about, job->serial));
  job->then(job->arg);
  crash_about(before);
  free(job);
  loop_pay(loop, debt);
}

/* ---- shares; all with the pool's lock ------------------------------------
 */

static void share_init(struct work_share *share, struct work_pool *pool,
                       unsigned most) {
  *share = (struct work_share){.pool = pool, .most = most};
  jobs_init(&share->queue);
}

static void share_check(struct work_share *share) {
  if (share->ready || share->queue.first == NULL ||
      share->running == share->most)
    return;
  share->ready = true;
  TAILQ_INSERT_TAIL(&share->pool->ready, share, next);
}

static bool is_plugins(const struct work_share *share) {
  return share != &share->pool->own;
}

/* The next whose turn it is; NULL: none may go on. */
static struct work_share *next_share(struct work_pool *pool) {
  struct work_share *share = TAILQ_FIRST(&pool->ready);
  while (share != NULL && is_plugins(share) &&
         pool->plugins == pool->plugins_most)
    share = TAILQ_NEXT(share, next);
  return share;
}

void work_share_add(struct work_share *share, struct job *job) {
  jobs_add(&share->queue, job);
  share_check(share);
  if (next_share(share->pool) != NULL)
    pthread_cond_signal(&share->pool->some);
}

static struct job *share_take(struct work_share *share) {
  struct job *job = jobs_take(&share->queue);
  TAILQ_REMOVE(&share->pool->ready, share, next);
  share->ready = false;
  share->running++;
  share->pool->busy++;
  share->pool->waiting -= job->lane == NULL;
  share->pool->plugins += is_plugins(share);
  share_check(share);
  return job;
}

/* A thread may be about to give back what its last job has used. */
static void share_end(struct work_share *share) {
  if (!share->left || share->running > 0 || share->queue.first != NULL)
    return;
  SLIST_REMOVE(&share->pool->shares, share, work_share, of_pool);
  free(share);
}

static void share_give_back(struct work_share *share) {
  share->running--;
  share->pool->busy--;
  share->pool->plugins -= is_plugins(share);
  share_check(share);
  share_end(share);
}

/* ---- threads ------------------------------------------------------------ */

/* With the lock: one more turn, where that would find a job. */
static void lane_call(struct sluice_lane *lane) {
  struct job *turn = lane->wait > lane->called ? jobs_take(&lane->idle) : NULL;
  if (turn == NULL)
    return;
  lane->called++;
  lane->busy++;
  work_share_add(lane->share, turn);
}

/* With the lock, so too: what the turn has to run. */
static size_t lane_take(struct sluice_lane *lane, struct job **batch) {
  size_t n = 0;
  lane->called--;
  while (n < lane->batch && lane->wait > 0) {
    batch[n++] = jobs_take(&lane->waiting);
    lane->wait--;
  }
  lane->share->pool->waiting -= n;
  return n;
}

/* One batch of the lane; takes the pool's lock and gives it back. */
static void lane_turn(struct sluice_lane *lane, struct job *turn) {
  struct work_pool *pool = lane->share->pool;
  struct job *batch[SLUICE_LANE_BATCH];
  void *args[SLUICE_LANE_BATCH];
  pthread_mutex_lock(&pool->lock);
  size_t n = lane_take(lane, batch);
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < n; i++)
    args[i] = batch[i]->arg;
  lane->run(lane->arg, args, n);

  /* The turn is settled before the first job returns to its loop, as the last
   * one's return may free the lane. */
  pthread_mutex_lock(&pool->lock);
  lane->busy--;
  jobs_add(&lane->idle, turn);
  lane_call(lane);
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < n; i++)
    loop_post(batch[i]->loop, &batch[i]->task);
}

static void job_run(struct job *job) {
  if (job->lane != NULL) {
    lane_turn(job->lane, job);
    return;
  }
  if (job->turn != NULL) {
    job->turn(job);
    return;
  }
  crash_about(job->about == NULL ? NULL : &job->named);
  job->work(job->arg);
  crash_about(NULL);
  loop_post(job->loop, &job->task);
}

/* Timers that are due queue their jobs: it is a thread of the pool that keeps
 * the time. */
static void pool_fire(struct work_pool *pool) {
  if (pool->due_us != 0 && pool->due_us <= clock_us())
    pool->fire(pool);
}

static void pool_wait(struct work_pool *pool) {
  const struct timespec until = {.tv_sec = (time_t)(pool->due_us / 1000000),
                                 .tv_nsec =
                                     (long)(pool->due_us % 1000000) * 1000};
  if (pool->due_us == 0)
    pthread_cond_wait(&pool->some, &pool->lock);
  else
    pthread_cond_timedwait(&pool->some, &pool->lock, &until);
}

static void *pool_thread(void *arg) {
  struct work_pool *pool = arg;
  struct work_share *share;
  crash_thread();
  /* On Linux these are this thread's. */
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + WORK_NICE);
  pthread_mutex_lock(&pool->lock);
  for (;;) {
    pool_fire(pool);
    while ((share = next_share(pool)) == NULL && !pool->ending) {
      pool_wait(pool);
      pool_fire(pool);
    }
    if (share == NULL)
      break;
    struct job *job = share_take(share);
    pthread_mutex_unlock(&pool->lock);
    job_run(job);
    pthread_mutex_lock(&pool->lock);
    share_give_back(share);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static bool start_threads(struct work_pool *pool, unsigned threads) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, WORK_STACK);
  /* Signals are for the main thread. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool->count < threads &&
         pthread_create(&pool->threads[pool->count], &attr, pool_thread,
                        pool) == 0)
    pool->count++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attr);
  return pool->count == threads;
}

struct work_pool *work_pool_new(unsigned threads) {
  struct work_pool *pool =
      calloc(1, sizeof *pool + (threads + 1) * sizeof pool->threads[0]);
  if (pool == NULL)
    return NULL;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&pool->some, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_cond_init(&pool->turned, NULL);
  TAILQ_INIT(&pool->ready);
  SLIST_INIT(&pool->shares);
  share_init(&pool->own, pool, threads + 1);
  pool->plugins_most = threads;
  if (start_threads(pool, threads + 1))
    return pool;
  work_pool_free(pool);
  return NULL;
}

void work_pool_free(struct work_pool *pool) {
  if (pool == NULL)
    return;
  pthread_mutex_lock(&pool->lock);
  pool->ending = true;
  pthread_cond_broadcast(&pool->some);
  pthread_mutex_unlock(&pool->lock);
  for (unsigned i = 0; i < pool->count; i++)
    pthread_join(pool->threads[i], NULL);
  must(TAILQ_EMPTY(&pool->ready) && pool->timers == NULL);
  pthread_cond_destroy(&pool->turned);
  pthread_cond_destroy(&pool->some);
  pthread_mutex_destroy(&pool->lock);
  while (!SLIST_EMPTY(&pool->shares)) {
    struct work_share *share = SLIST_FIRST(&pool->shares);
    SLIST_REMOVE_HEAD(&pool->shares, of_pool);
    free(share);
  }
  free(pool);
}

struct work_load work_load(struct work_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  struct work_load load = {
      .threads = pool->count, .busy = pool->busy, .waiting = pool->waiting};
  pthread_mutex_unlock(&pool->lock);
  return load;
}

struct work_share *work_own(struct work_pool *pool) {
  return &pool->own;
}

struct work_share *work_share_new(struct work_pool *pool, unsigned most) {
  struct work_share *share = malloc(sizeof *share);
  if (share == NULL)
    return NULL;
  share_init(share, pool, most > 0 ? most : 1);
  pthread_mutex_lock(&pool->lock);
  SLIST_INSERT_HEAD(&pool->shares, share, of_pool);
  pthread_mutex_unlock(&pool->lock);
  return share;
}

void work_share_free(struct work_share *share) {
  if (share == NULL)
    return;
  struct work_pool *pool = share->pool;
  pthread_mutex_lock(&pool->lock);
  share->left = true;
  share_end(share);
  pthread_mutex_unlock(&pool->lock);
}

unsigned work_share_most(unsigned threads, size_t plugins) {
  unsigned left = threads / 4 > 0 ? threads / 4 : 1;
  return plugins <= 1 || threads == 1 ? threads : threads - left;
}

/* ---- for the loops ------------------------------------------------------ */

static struct job *job_new(struct loop *loop, struct loop_debt *debt,
                           void (*then)(void *), void *arg) {
  must(loop_is_mine(loop));
  struct about *about = crash_request();
  size_t id_size = about == NULL ? 0 : strlen(about->id) + 1;
  struct job *job = calloc(1, sizeof *job + id_size);
  /* A few bytes that can't be had: nothing that is in flight could go on. */
  must_have(job);
  job->task.run = job_return;
  job->loop = loop;
  job->then = then;
  job->arg = arg;
  if (about != NULL) {
    job->about = about;
    job->serial = about->serial;
    job->named.id = memcpy(job + 1, about->id, id_size);
  }
  job->debt = debt;
  loop_owe(loop, debt);
  return job;
}

void work_submit_for(struct work_share *share, struct loop *loop,
                     struct loop_debt *debt, void (*work)(void *),
                     void (*then)(void *), void *arg) {
  struct job *job = job_new(loop, debt, then, arg);
  job->work = work;
  pthread_mutex_lock(&share->pool->lock);
  share->pool->waiting++;
  work_share_add(share, job);
  pthread_mutex_unlock(&share->pool->lock);
}

void work_submit(struct work_share *share, struct loop *loop,
                 void (*work)(void *), void (*then)(void *), void *arg) {
  work_submit_for(share, loop, NULL, work, then, arg);
}

static struct sluice_lane *lane_new(struct work_share *share,
                                    void (*run)(void *, void **, size_t),
                                    void *arg, unsigned width, size_t batch) {
  struct sluice_lane *lane =
      calloc(1, sizeof *lane + width * sizeof lane->turns[0]);
  if (lane == NULL)
    return NULL;
  lane->share = share;
  lane->run = run;
  lane->arg = arg;
  lane->batch = batch;
  jobs_init(&lane->waiting);
  jobs_init(&lane->idle);
  for (unsigned i = 0; i < width; i++) {
    lane->turns[i].lane = lane;
    jobs_add(&lane->idle, &lane->turns[i]);
  }
  return lane;
}

struct sluice_lane *work_lane_new(struct work_share *share,
                                  void (*run)(void *, void **, size_t),
                                  void *arg) {
  return lane_new(share, run, arg, 1, SLUICE_LANE_BATCH);
}

struct sluice_lane *work_lane_new_wide(struct work_share *share,
                                       void (*run)(void *, void **, size_t),
                                       void *arg, unsigned width) {
  return width < 1 || width > SLUICE_LANE_WIDTH
             ? NULL
             : lane_new(share, run, arg, width, 1);
}

void work_lane_add_for(struct sluice_lane *lane, struct loop *loop,
                       struct loop_debt *debt, void *arg,
                       void (*then)(void *)) {
  struct work_pool *pool = lane->share->pool;
  struct job *job = job_new(loop, debt, then, arg);
  pthread_mutex_lock(&pool->lock);
  pool->waiting++;
  jobs_add(&lane->waiting, job);
  lane->wait++;
  lane_call(lane);
  pthread_mutex_unlock(&pool->lock);
}

void work_lane_add(struct sluice_lane *lane, struct loop *loop, void *arg,
                   void (*then)(void *)) {
  work_lane_add_for(lane, loop, NULL, arg, then);
}

void work_lane_free(struct sluice_lane *lane) {
  if (lane == NULL)
    return;
  pthread_mutex_lock(&lane->share->pool->lock);
  bool idle = lane->busy == 0;
  pthread_mutex_unlock(&lane->share->pool->lock);
  must(idle);
  free(lane);
}

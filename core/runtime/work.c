/* SPDX-License-Identifier: MIT
 *
 * Threads that take tasks from one queue.  A task is either a job of its own,
 * or a lane that has jobs waiting: the thread that takes a lane takes what
 * waits in it (up to a batch), so that a lane is never run twice at once.
 */
#include "work.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "loop.h"

#define WORK_STACK (256u * 1024)
/* Where processors are short, loops go first: what they do next answers most
 * requests.  The pool still gets a quarter. */
#define WORK_NICE 5

struct job {
  struct loop_task task; /* first: what the loop gets back */
  struct job *next;      /* in the pool's queue, or in a lane's */
  struct loop *loop;
  void (*work)(void *arg); /* NULL: the lane's run() did it */
  void (*then)(void *arg);
  void *arg;
  struct sluice_lane *lane; /* set in a lane's own job: run a batch */
};

struct jobs {
  struct job *first, **end;
};

struct work_pool {
  pthread_mutex_t lock; /* guards what follows, and the lanes */
  pthread_cond_t some;
  struct jobs queue;
  bool ending;
  unsigned count;
  pthread_t threads[];
};

struct sluice_lane {
  struct work_pool *pool;
  void (*run)(void *arg, void **jobs, size_t count);
  void *arg;
  struct jobs waiting;
  struct job turn; /* in the pool's queue while `queued` */
  bool queued;     /* or running */
};

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
  job->then(job->arg);
  free(job);
  loop_release(loop);
}

/* One batch of the lane; takes the pool's lock and gives it back. */
static void lane_turn(struct sluice_lane *lane) {
  struct work_pool *pool = lane->pool;
  struct job *batch[SLUICE_LANE_BATCH];
  void *args[SLUICE_LANE_BATCH];
  size_t n = 0;
  pthread_mutex_lock(&pool->lock);
  while (n < SLUICE_LANE_BATCH && lane->waiting.first != NULL) {
    batch[n] = jobs_take(&lane->waiting);
    args[n] = batch[n]->arg;
    n++;
  }
  pthread_mutex_unlock(&pool->lock);
  lane->run(lane->arg, args, n);

  /* The turn is settled before the first job returns to its loop, as the last
   * one's return may free the lane. */
  pthread_mutex_lock(&pool->lock);
  lane->queued = lane->waiting.first != NULL;
  if (lane->queued) {
    jobs_add(&pool->queue, &lane->turn);
    pthread_cond_signal(&pool->some);
  }
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < n; i++)
    loop_post(batch[i]->loop, &batch[i]->task);
}

static void *pool_thread(void *arg) {
  struct work_pool *pool = arg;
  /* On Linux these are this thread's. */
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + WORK_NICE);
  for (;;) {
    pthread_mutex_lock(&pool->lock);
    while (pool->queue.first == NULL && !pool->ending)
      pthread_cond_wait(&pool->some, &pool->lock);
    struct job *job = jobs_take(&pool->queue);
    pthread_mutex_unlock(&pool->lock);
    if (job == NULL)
      return NULL;
    if (job->lane != NULL) {
      lane_turn(job->lane);
      continue;
    }
    job->work(job->arg);
    loop_post(job->loop, &job->task);
  }
}

struct work_pool *work_pool_new(unsigned threads) {
  struct work_pool *pool =
      calloc(1, sizeof *pool + threads * sizeof pool->threads[0]);
  if (pool == NULL)
    return NULL;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->some, NULL);
  jobs_init(&pool->queue);
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
  if (pool->count == threads)
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
  assert(pool->queue.first == NULL);
  pthread_cond_destroy(&pool->some);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}

static struct job *job_new(struct loop *loop, void (*then)(void *),
                           void *arg) {
  assert(loop_is_mine(loop));
  struct job *job = calloc(1, sizeof *job);
  /* A few bytes that can't be had: nothing that is in flight could go on. */
  assert(job != NULL);
  job->task.run = job_return;
  job->loop = loop;
  job->then = then;
  job->arg = arg;
  loop_hold(loop);
  return job;
}

void work_submit(struct work_pool *pool, struct loop *loop,
                 void (*work)(void *), void (*then)(void *), void *arg) {
  struct job *job = job_new(loop, then, arg);
  job->work = work;
  pthread_mutex_lock(&pool->lock);
  jobs_add(&pool->queue, job);
  pthread_cond_signal(&pool->some);
  pthread_mutex_unlock(&pool->lock);
}

struct sluice_lane *work_lane_new(struct work_pool *pool,
                                  void (*run)(void *, void **, size_t),
                                  void *arg) {
  struct sluice_lane *lane = calloc(1, sizeof *lane);
  if (lane == NULL)
    return NULL;
  lane->pool = pool;
  lane->run = run;
  lane->arg = arg;
  jobs_init(&lane->waiting);
  lane->turn.lane = lane;
  return lane;
}

void work_lane_add(struct sluice_lane *lane, struct loop *loop, void *arg,
                   void (*then)(void *)) {
  struct work_pool *pool = lane->pool;
  struct job *job = job_new(loop, then, arg);
  pthread_mutex_lock(&pool->lock);
  jobs_add(&lane->waiting, job);
  if (!lane->queued) {
    lane->queued = true;
    jobs_add(&pool->queue, &lane->turn);
    pthread_cond_signal(&pool->some);
  }
  pthread_mutex_unlock(&pool->lock);
}

void work_lane_free(struct sluice_lane *lane) {
  if (lane == NULL)
    return;
  pthread_mutex_lock(&lane->pool->lock);
  bool idle = !lane->queued;
  pthread_mutex_unlock(&lane->pool->lock);
  assert(idle);
  free(lane);
}

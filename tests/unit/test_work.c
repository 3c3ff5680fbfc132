/* SPDX-License-Identifier: MIT
 *
 * The pool's jobs and its lanes: where and how often each part runs, in which
 * order, how large a batch gets, and what may be freed when.
 */
#include "work.h"
#include "loop.h"
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#define LOOPS 3
#define JOBS 400 /* a loop's, on one lane */

/* ---- jobs --------------------------------------------------------------- */

struct job {
  struct loop *loop;
  pthread_t at; /* where work() ran */
  atomic_int worked;
  int then, early, astray; /* then() before work(), or on another thread */
  int *left;
};

static void job_work(void *arg) {
  struct job *job = arg;
  job->at = pthread_self();
  atomic_fetch_add(&job->worked, 1);
}

static void job_then(void *arg) {
  struct job *job = arg;
  job->then++;
  job->early += atomic_load(&job->worked) != 1;
  job->astray += !loop_is_mine(job->loop);
  if (--*job->left == 0)
    loop_stop(job->loop);
}

static void test_every_job_works_in_the_pool_and_ends_on_its_loop(void) {
  enum { COUNT = 100 };
  struct work_pool *pool = work_pool_new(4);
  struct loop *loop = loop_new();
  static struct job jobs[COUNT];
  int left = COUNT;
  for (int i = 0; i < COUNT; i++) {
    jobs[i] = (struct job){.loop = loop, .left = &left};
    work_submit(work_own(pool), loop, job_work, job_then, &jobs[i]);
  }
  loop_run(loop);
  for (int i = 0; i < COUNT; i++) {
    CU_ASSERT_EQUAL(jobs[i].then, 1);
    CU_ASSERT_EQUAL(jobs[i].early + jobs[i].astray, 0);
    CU_ASSERT_FALSE(pthread_equal(jobs[i].at, pthread_self()));
  }
  work_pool_free(pool);
  loop_free(loop);
}

struct rank {
  struct loop *loop;
  int nice;
};

static void rank_work(void *arg) {
  ((struct rank *)arg)->nice = getpriority(PRIO_PROCESS, 0);
}

static void rank_then(void *arg) {
  loop_stop(((struct rank *)arg)->loop);
}

static void test_jobs_step_back_behind_loops(void) {
  struct work_pool *pool = work_pool_new(1);
  struct rank rank = {.loop = loop_new()};
  int mine = getpriority(PRIO_PROCESS, 0);
  work_submit(work_own(pool), rank.loop, rank_work, rank_then, &rank);
  loop_run(rank.loop);
  CU_ASSERT_EQUAL(getpriority(PRIO_PROCESS, 0), mine);
  CU_ASSERT(rank.nice > mine || mine == 19);
  work_pool_free(pool);
  loop_free(rank.loop);
}

static void order_work(void *arg) {
  (void)arg;
}

struct order {
  struct loop *loop;
  int name, *next, *wrong, last;
};

static void order_then(void *arg) {
  struct order *order = arg;
  if ((*order->next)++ != order->name)
    ++*order->wrong;
  if (order->name == order->last)
    loop_stop(order->loop);
}

static void test_one_thread_keeps_the_order(void) {
  enum { COUNT = 200 };
  struct work_pool *pool = work_pool_new(4);
  struct work_share *share = work_share_new(pool, 1);
  struct loop *loop = loop_new();
  static struct order orders[COUNT];
  int next = 0, wrong = 0;
  for (int i = 0; i < COUNT; i++) {
    orders[i] = (struct order){loop, i, &next, &wrong, COUNT - 1};
    work_submit(share, loop, order_work, order_then, &orders[i]);
  }
  loop_run(loop);
  CU_ASSERT_EQUAL(next, COUNT);
  CU_ASSERT_EQUAL(wrong, 0);
  work_pool_free(pool);
  loop_free(loop);
}

/* A job whose then() submits the next, after the loop was stopped. */
struct chain {
  struct work_pool *pool;
  struct loop *loop;
  int left, done;
};

static void chain_then(void *arg) {
  struct chain *chain = arg;
  chain->done++;
  if (--chain->left > 0)
    work_submit(work_own(chain->pool), chain->loop, order_work, chain_then,
                chain);
}

static void test_a_stopped_loop_waits_for_its_jobs_and_their_jobs(void) {
  struct chain chain = {work_pool_new(2), loop_new(), 20, 0};
  work_submit(work_own(chain.pool), chain.loop, order_work, chain_then,
              &chain);
  loop_stop(chain.loop);
  loop_run(chain.loop);
  CU_ASSERT_EQUAL(chain.done, 20);
  work_pool_free(chain.pool);
  loop_free(chain.loop);
}

/* ---- lanes -------------------------------------------------------------- */

struct slip { /* a lane's job */
  struct lane *lane;
  struct loop *loop;
  int sender, number, runs, then;
};

struct gate { /* holds the first batch until it is opened */
  pthread_mutex_t lock;
  pthread_cond_t moved;
  bool entered, open;
};

struct lane {
  struct sluice_lane *lane;
  struct gate *gate; /* NULL: none */
  atomic_int inside, overlaps;
  int next[LOOPS], disorder;
  size_t batches, sizes[64], ran; /* one batch at a time writes them */
  atomic_int left;                /* of all loops */
};

static void gate_pass(struct gate *gate) {
  pthread_mutex_lock(&gate->lock);
  gate->entered = true;
  pthread_cond_broadcast(&gate->moved);
  while (!gate->open)
    pthread_cond_wait(&gate->moved, &gate->lock);
  pthread_mutex_unlock(&gate->lock);
}

static void gate_await(struct gate *gate) {
  pthread_mutex_lock(&gate->lock);
  while (!gate->entered)
    pthread_cond_wait(&gate->moved, &gate->lock);
  pthread_mutex_unlock(&gate->lock);
}

static void gate_open(struct gate *gate) {
  pthread_mutex_lock(&gate->lock);
  gate->open = true;
  pthread_cond_broadcast(&gate->moved);
  pthread_mutex_unlock(&gate->lock);
}

static void lane_run(void *arg, void **jobs, size_t count) {
  struct lane *lane = arg;
  if (atomic_fetch_add(&lane->inside, 1) != 0)
    atomic_fetch_add(&lane->overlaps, 1);
  if (lane->gate != NULL)
    gate_pass(lane->gate);
  if (lane->batches < 64)
    lane->sizes[lane->batches] = count;
  lane->batches++;
  lane->ran += count;
  for (size_t i = 0; i < count; i++) {
    struct slip *slip = jobs[i];
    slip->runs++;
    lane->disorder += lane->next[slip->sender]++ != slip->number;
  }
  atomic_fetch_sub(&lane->inside, 1);
}

static void slip_then(void *arg) {
  struct slip *slip = arg;
  slip->then += loop_is_mine(slip->loop) ? 1 : 100;
}

/* Adds one slip that occupies the lane and, while it runs, `count` more. */
static void run_behind_one(struct lane *lane, size_t count) {
  struct work_pool *pool = work_pool_new(4);
  struct loop *loop = loop_new();
  struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                      false, false};
  struct slip *slips = calloc(count + 1, sizeof *slips);
  *lane = (struct lane){.gate = &gate};
  lane->lane = work_lane_new(work_own(pool), lane_run, lane);
  for (size_t i = 0; i <= count; i++) {
    slips[i] = (struct slip){.lane = lane, .loop = loop, .number = (int)i};
    work_lane_add(lane->lane, loop, &slips[i], slip_then);
    if (i == 0)
      gate_await(&gate);
  }
  gate_open(&gate);
  loop_stop(loop);
  loop_run(loop);
  for (size_t i = 0; i <= count; i++)
    CU_ASSERT(slips[i].runs == 1 && slips[i].then == 1);
  work_lane_free(lane->lane);
  work_pool_free(pool);
  loop_free(loop);
  free(slips);
}

static void test_what_waits_for_a_batch_is_the_next_batch(void) {
  struct lane lane;
  run_behind_one(&lane, 10);
  CU_ASSERT_EQUAL(lane.batches, 2);
  CU_ASSERT_EQUAL(lane.sizes[0], 1);
  CU_ASSERT_EQUAL(lane.sizes[1], 10);
  CU_ASSERT_EQUAL(lane.disorder, 0);
}

static void test_a_batch_has_at_most_256_jobs(void) {
  static const struct {
    size_t count, batches, second, third;
  } rows[] = {{255, 2, 255, 0},
              {256, 2, 256, 0},
              {257, 3, 256, 1},
              {512, 3, 256, 256},
              {513, 4, 256, 256}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct lane lane;
    run_behind_one(&lane, rows[i].count);
    CU_ASSERT_EQUAL(lane.batches, rows[i].batches);
    CU_ASSERT_EQUAL(lane.sizes[1], rows[i].second);
    CU_ASSERT_EQUAL(lane.sizes[2], rows[i].third);
    CU_ASSERT_EQUAL(lane.disorder, 0);
    CU_ASSERT_EQUAL(atomic_load(&lane.overlaps), 0);
  }
}

static void test_a_busy_lane_holds_nobody_else_up(void) {
  struct work_pool *pool = work_pool_new(2);
  struct loop *loop = loop_new();
  struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                      false, false};
  struct lane lane = {.gate = &gate}, other = {.gate = NULL};
  lane.lane = work_lane_new(work_own(pool), lane_run, &lane);
  other.lane = work_lane_new(work_own(pool), lane_run, &other);
  struct slip slow = {.lane = &lane, .loop = loop};
  struct slip quick = {.lane = &other, .loop = loop};
  int left = 1;
  struct job job = {.loop = loop, .left = &left};
  work_lane_add(lane.lane, loop, &slow, slip_then);
  gate_await(&gate);
  work_lane_add(other.lane, loop, &quick, slip_then);
  work_submit(work_own(pool), loop, job_work, job_then, &job);
  loop_hold(loop); /* so that it ends only when we say so */
  while (quick.then == 0 || job.then == 0)
    event_base_loop(loop_base(loop), EVLOOP_ONCE);
  CU_ASSERT_EQUAL(slow.then, 0);
  gate_open(&gate);
  loop_release(loop);
  loop_stop(loop);
  loop_run(loop);
  CU_ASSERT_EQUAL(slow.then, 1);
  work_lane_free(lane.lane);
  work_lane_free(other.lane);
  work_pool_free(pool);
  loop_free(loop);
}

/* ---- many loops, one lane ----------------------------------------------- */

struct station {
  struct lane *lane;
  struct loop_task begin;
  struct loop *loop;
  int name, left;
  struct slip slips[JOBS];
};

static void station_then(void *arg) {
  struct slip *slip = arg;
  struct station *station = (void *)((char *)(slip - slip->number) -
                                     offsetof(struct station, slips));
  slip_then(arg);
  if (--station->left == 0)
    loop_stop(station->loop);
}

static void station_begin(struct loop_task *task) {
  struct station *station =
      (void *)((char *)task - offsetof(struct station, begin));
  for (int i = 0; i < JOBS; i++) {
    station->slips[i] = (struct slip){.lane = station->lane,
                                      .loop = station->loop,
                                      .sender = station->name,
                                      .number = i};
    work_lane_add(station->lane->lane, station->loop, &station->slips[i],
                  station_then);
  }
}

static void *station_thread(void *arg) {
  struct station *station = arg;
  loop_post(station->loop, &station->begin);
  loop_run(station->loop);
  return NULL;
}

static void test_a_lane_of_many_loops_never_runs_twice_at_once(void) {
  static struct station stations[LOOPS];
  struct work_pool *pool = work_pool_new(4);
  struct lane lane = {.gate = NULL};
  pthread_t threads[LOOPS];
  lane.lane = work_lane_new(work_own(pool), lane_run, &lane);
  for (int i = 0; i < LOOPS; i++) {
    stations[i] = (struct station){.lane = &lane,
                                   .begin.run = station_begin,
                                   .loop = loop_new(),
                                   .name = i,
                                   .left = JOBS};
    pthread_create(&threads[i], NULL, station_thread, &stations[i]);
  }
  for (int i = 0; i < LOOPS; i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_EQUAL(atomic_load(&lane.overlaps), 0);
  CU_ASSERT_EQUAL(lane.disorder, 0); /* of each loop's own */
  CU_ASSERT_EQUAL(lane.ran, LOOPS * JOBS);
  for (int i = 0; i < LOOPS; i++)
    for (int j = 0; j < JOBS; j++)
      CU_ASSERT(stations[i].slips[j].runs == 1 &&
                stations[i].slips[j].then == 1);
  work_lane_free(lane.lane);
  work_pool_free(pool);
  for (int i = 0; i < LOOPS; i++)
    loop_free(stations[i].loop);
}

/* ---- freeing ------------------------------------------------------------ */

static void free_the_lane(void *arg) {
  struct slip *slip = arg;
  work_lane_free(slip->lane->lane);
  slip->lane->lane = NULL;
}

/* The thread that ran the batch must not touch the lane any more by then. */
static void test_the_last_job_may_free_its_lane(void) {
  struct work_pool *pool = work_pool_new(2);
  for (int i = 0; i < 50; i++) {
    struct loop *loop = loop_new();
    struct lane lane = {.gate = NULL};
    struct slip slip = {.lane = &lane, .loop = loop};
    lane.lane = work_lane_new(work_own(pool), lane_run, &lane);
    work_lane_add(lane.lane, loop, &slip, free_the_lane);
    loop_stop(loop);
    loop_run(loop);
    CU_ASSERT_PTR_NULL(lane.lane);
    loop_free(loop);
  }
  work_pool_free(pool);
}

static void test_what_was_never_used_can_be_freed(void) {
  struct work_pool *pool = work_pool_new(1);
  work_lane_free(work_lane_new(work_own(pool), lane_run, NULL));
  work_lane_free(NULL);
  work_pool_free(pool);
  work_pool_free(NULL);
  CU_PASS("");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_every_job_works_in_the_pool_and_ends_on_its_loop),
      UNIT(test_jobs_step_back_behind_loops),
      UNIT(test_one_thread_keeps_the_order),
      UNIT(test_a_stopped_loop_waits_for_its_jobs_and_their_jobs),
      UNIT(test_what_waits_for_a_batch_is_the_next_batch),
      UNIT(test_a_batch_has_at_most_256_jobs),
      UNIT(test_a_busy_lane_holds_nobody_else_up),
      UNIT(test_a_lane_of_many_loops_never_runs_twice_at_once),
      UNIT(test_the_last_job_may_free_its_lane),
      UNIT(test_what_was_never_used_can_be_freed),
      {NULL, NULL}};
  return unit_main("work", tests);
}

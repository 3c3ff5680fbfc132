/* SPDX-License-Identifier: MIT
 *
 * Shares of the pool: a user whose calls hang has so many threads and no more,
 * others go on, and who waits has his turn.
 */
#include "loop.h"
#include "unit.h"
#include "work.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Holds whoever enters until it is opened. */
struct gate {
  pthread_mutex_t lock;
  pthread_cond_t moved;
  unsigned inside, most;
  bool open;
};

#define GATE \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, false }

static void gate_pass(void *arg) {
  struct gate *gate = arg;
  pthread_mutex_lock(&gate->lock);
  if (++gate->inside > gate->most)
    gate->most = gate->inside;
  pthread_cond_broadcast(&gate->moved);
  while (!gate->open)
    pthread_cond_wait(&gate->moved, &gate->lock);
  gate->inside--;
  pthread_mutex_unlock(&gate->lock);
}

static void gate_await(struct gate *gate, unsigned inside) {
  pthread_mutex_lock(&gate->lock);
  while (gate->inside < inside)
    pthread_cond_wait(&gate->moved, &gate->lock);
  pthread_mutex_unlock(&gate->lock);
}

static void gate_open(struct gate *gate) {
  pthread_mutex_lock(&gate->lock);
  gate->open = true;
  pthread_cond_broadcast(&gate->moved);
  pthread_mutex_unlock(&gate->lock);
}

static void nothing(void *arg) {
  (void)arg;
}

static void count_one(void *arg) {
  ++*(unsigned *)arg;
}

/* A pool with a loop. */
struct rig {
  struct work_pool *pool;
  struct loop *loop;
};

static struct rig rig_new(unsigned threads) {
  return (struct rig){work_pool_new(threads), loop_new()};
}

static void rig_end(struct rig *rig) {
  loop_stop(rig->loop);
  loop_run(rig->loop);
  work_pool_free(rig->pool);
  loop_free(rig->loop);
}

/* Runs the loop until so many have come back.  A test that fails hangs here,
 * so an alarm ends it. */
static void await(struct rig *rig, const unsigned *count, unsigned want) {
  alarm(60);
  loop_hold(rig->loop);
  while (*count < want)
    event_base_loop(loop_base(rig->loop), EVLOOP_ONCE);
  loop_release(rig->loop);
  alarm(0);
}

static void hang(struct rig *rig, struct work_share *share, struct gate *gate,
                 unsigned count) {
  for (unsigned i = 0; i < count; i++)
    work_submit(share, rig->loop, gate_pass, nothing, gate);
}

static void test_a_share_that_hangs_leaves_threads_to_others(void) {
  for (unsigned most = 1; most < 4; most++) {
    struct rig rig = rig_new(4);
    struct gate gate = GATE;
    unsigned done = 0;
    struct work_share *hung = work_share_new(rig.pool, most);
    struct work_share *other = work_share_new(rig.pool, 4);
    hang(&rig, hung, &gate, 20);
    gate_await(&gate, most);
    for (int i = 0; i < 50; i++)
      work_submit(other, rig.loop, nothing, count_one, &done);
    await(&rig, &done, 50);
    CU_ASSERT_EQUAL(gate.most, most);
    gate_open(&gate);
    rig_end(&rig);
    CU_ASSERT_EQUAL(gate.most, most);
  }
}

static void test_plugins_never_have_the_last_thread(void) {
  for (unsigned threads = 1; threads <= 4; threads++) {
    struct rig rig = rig_new(threads);
    struct gate gate = GATE;
    unsigned done = 0;
    for (unsigned i = 0; i < 3; i++)
      hang(&rig, work_share_new(rig.pool, threads), &gate, threads);
    gate_await(&gate, threads);
    for (int i = 0; i < 50; i++)
      work_submit(work_own(rig.pool), rig.loop, nothing, count_one, &done);
    await(&rig, &done, 50);
    CU_ASSERT_EQUAL(gate.most, threads);
    gate_open(&gate);
    rig_end(&rig);
    CU_ASSERT_EQUAL(gate.most, threads);
  }
}

static void test_the_own_share_has_all_threads_that_are_free(void) {
  struct rig rig = rig_new(3);
  struct gate gate = GATE;
  hang(&rig, work_own(rig.pool), &gate, 10);
  gate_await(&gate, 4);
  gate_open(&gate);
  rig_end(&rig);
  CU_ASSERT_EQUAL(gate.most, 4);
}

/* ---- turns -------------------------------------------------------------- */

struct step {
  char letter;
  char *line; /* one job at a time writes it */
};

static void write_letter(void *arg) {
  const struct step *step = arg;
  step->line[strlen(step->line)] = step->letter;
}

static void test_shares_that_wait_take_turns(void) {
  struct rig rig = rig_new(1);
  struct gate gate = GATE;
  char line[32] = "";
  struct step steps[] = {{'a', line}, {'b', line}, {'c', line}};
  struct work_share *shares[3];
  for (int i = 0; i < 3; i++)
    shares[i] = work_share_new(rig.pool, 1);
  hang(&rig, work_share_new(rig.pool, 1), &gate, 1);
  gate_await(&gate, 1);
  for (int n = 0; n < 4; n++)
    work_submit(shares[0], rig.loop, write_letter, nothing, &steps[0]);
  for (int n = 0; n < 2; n++)
    work_submit(shares[1], rig.loop, write_letter, nothing, &steps[1]);
  work_submit(shares[2], rig.loop, write_letter, nothing, &steps[2]);
  gate_open(&gate);
  rig_end(&rig);
  CU_ASSERT_STRING_EQUAL(line, "abcabaa");
}

/* ---- lanes -------------------------------------------------------------- */

static void lane_run(void *arg, void **jobs, size_t count) {
  (void)jobs, (void)count;
  gate_pass(arg);
}

static void test_a_lane_counts_in_its_share(void) {
  struct rig rig = rig_new(4);
  struct gate gate = GATE;
  unsigned done = 0, other = 0;
  struct work_share *share = work_share_new(rig.pool, 2);
  struct sluice_lane *lanes[3];
  for (int i = 0; i < 3; i++) {
    lanes[i] = work_lane_new(share, lane_run, &gate);
    work_lane_add(lanes[i], rig.loop, &done, count_one);
  }
  gate_await(&gate, 2);
  work_submit(share, rig.loop, nothing, count_one, &done);
  work_submit(work_share_new(rig.pool, 2), rig.loop, nothing, count_one,
              &other);
  await(&rig, &other, 1);
  CU_ASSERT_EQUAL(done, 0);
  CU_ASSERT_EQUAL(gate.most, 2);
  gate_open(&gate);
  await(&rig, &done, 4);
  for (int i = 0; i < 3; i++)
    work_lane_free(lanes[i]);
  rig_end(&rig);
}

/* ---- wide lanes --------------------------------------------------------- */

struct errand {
  struct gate *gate; /* NULL: it holds nobody */
  unsigned done;
};

static void wide_run(void *arg, void **jobs, size_t count) {
  struct errand *errand = jobs[0];
  if (count != 1)
    ++*(unsigned *)arg;
  if (errand->gate != NULL)
    gate_pass(errand->gate);
}

static void errand_done(void *arg) {
  ((struct errand *)arg)->done++;
}

/* All but one of the places are held, and each of the others is back before
 * the next one comes. */
static void test_slow_jobs_of_a_wide_lane_hold_up_their_places_alone(void) {
  for (unsigned width = 1; width <= 4; width++) {
    struct rig rig = rig_new(5);
    struct gate gate = GATE;
    unsigned several = 0;
    struct errand held = {.gate = &gate}, quick = {NULL, 0};
    struct sluice_lane *lane = work_lane_new_wide(work_share_new(rig.pool, 5),
                                                  wide_run, &several, width);
    for (unsigned i = 1; i < width; i++)
      work_lane_add(lane, rig.loop, &held, errand_done);
    gate_await(&gate, width - 1);
    for (unsigned i = 1; i <= 20; i++) {
      work_lane_add(lane, rig.loop, &quick, errand_done);
      await(&rig, &quick.done, i);
    }
    CU_ASSERT_EQUAL(held.done, 0);
    gate_open(&gate);
    await(&rig, &held.done, width - 1);
    CU_ASSERT_EQUAL(several, 0);
    work_lane_free(lane);
    rig_end(&rig);
  }
}

static void test_a_wide_lane_runs_no_more_than_its_width_at_once(void) {
  for (unsigned width = 1; width <= 3; width++) {
    struct rig rig = rig_new(5);
    struct gate gate = GATE;
    unsigned several = 0;
    struct errand held = {.gate = &gate};
    struct sluice_lane *lane =
        work_lane_new_wide(work_own(rig.pool), wide_run, &several, width);
    for (unsigned i = 0; i < 50; i++)
      work_lane_add(lane, rig.loop, &held, errand_done);
    gate_await(&gate, width);
    gate_open(&gate);
    await(&rig, &held.done, 50);
    CU_ASSERT_EQUAL(gate.most, width);
    CU_ASSERT_EQUAL(several, 0);
    work_lane_free(lane);
    rig_end(&rig);
  }
}

static void free_once_done(void *arg) {
  struct sluice_lane **lane = arg;
  work_lane_free(*lane);
  *lane = NULL;
}

static void idle_run(void *arg, void **jobs, size_t count) {
  (void)arg, (void)jobs, (void)count;
}

static void test_the_last_job_may_free_its_wide_lane(void) {
  struct rig rig = rig_new(4);
  for (int i = 0; i < 200; i++) {
    unsigned done = 0;
    struct sluice_lane *lane =
        work_lane_new_wide(work_own(rig.pool), idle_run, NULL, 3);
    for (int n = 0; n < 3; n++)
      work_lane_add(lane, rig.loop, &done, count_one);
    await(&rig, &done, 3);
    work_lane_add(lane, rig.loop, &lane, free_once_done);
    loop_hold(rig.loop);
    while (lane != NULL)
      event_base_loop(loop_base(rig.loop), EVLOOP_ONCE);
    loop_release(rig.loop);
  }
  rig_end(&rig);
}

static void test_width_of_a_lane_has_limits(void) {
  struct rig rig = rig_new(1);
  static const struct {
    unsigned width;
    bool fine;
  } rows[] = {{0, false},
              {1, true},
              {SLUICE_LANE_WIDTH, true},
              {SLUICE_LANE_WIDTH + 1, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct sluice_lane *lane =
        work_lane_new_wide(work_own(rig.pool), idle_run, NULL, rows[i].width);
    CU_ASSERT_EQUAL(lane != NULL, rows[i].fine);
    work_lane_free(lane);
  }
  rig_end(&rig);
}

/* ---- sizes -------------------------------------------------------------- */

static void test_a_plugin_beside_others_leaves_a_quarter(void) {
  static const struct {
    unsigned threads;
    size_t plugins;
    unsigned most;
  } rows[] = {{1, 1, 1}, {1, 2, 1},   {2, 1, 2},       {2, 2, 1},
              {3, 2, 2}, {4, 1, 4},   {4, 2, 3},       {7, 9, 6},
              {8, 2, 6}, {16, 3, 12}, {1024, 1, 1024}, {1024, 2, 768}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    CU_ASSERT_EQUAL(work_share_most(rows[i].threads, rows[i].plugins),
                    rows[i].most);
}

static void test_a_share_of_nothing_is_one_thread(void) {
  struct rig rig = rig_new(2);
  unsigned done = 0;
  work_submit(work_share_new(rig.pool, 0), rig.loop, nothing, count_one,
              &done);
  await(&rig, &done, 1);
  rig_end(&rig);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_share_that_hangs_leaves_threads_to_others),
      UNIT(test_plugins_never_have_the_last_thread),
      UNIT(test_the_own_share_has_all_threads_that_are_free),
      UNIT(test_shares_that_wait_take_turns),
      UNIT(test_a_lane_counts_in_its_share),
      UNIT(test_slow_jobs_of_a_wide_lane_hold_up_their_places_alone),
      UNIT(test_a_wide_lane_runs_no_more_than_its_width_at_once),
      UNIT(test_the_last_job_may_free_its_wide_lane),
      UNIT(test_width_of_a_lane_has_limits),
      UNIT(test_a_plugin_beside_others_leaves_a_quarter),
      UNIT(test_a_share_of_nothing_is_one_thread),
      {NULL, NULL}};
  return unit_main("work_shares", tests);
}

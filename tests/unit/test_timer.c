/* SPDX-License-Identifier: MIT
 *
 * Timers of plugins on the pool: each beats, none overlaps itself, and none
 * does after it was freed.
 */
#include "op.h"
#include "timer.h"
#include "unit.h"
#include "work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define TIMERS 5

struct beating {
  pthread_mutex_t lock;
  pthread_cond_t moved;
  unsigned beats;
  bool inside, overlapped;
  bool held; /* run() waits while it is */
  struct sluice_timer *own;
};

#define BEATING \
  { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER }

static void beat(void *arg) {
  struct beating *b = arg;
  pthread_mutex_lock(&b->lock);
  b->overlapped = b->overlapped || b->inside;
  b->inside = true;
  b->beats++;
  pthread_cond_broadcast(&b->moved);
  while (b->held)
    pthread_cond_wait(&b->moved, &b->lock);
  b->inside = false;
  pthread_mutex_unlock(&b->lock);
}

static void await(struct beating *b, unsigned beats) {
  pthread_mutex_lock(&b->lock);
  while (b->beats < beats)
    pthread_cond_wait(&b->moved, &b->lock);
  pthread_mutex_unlock(&b->lock);
}

static struct sluice_host host_of(struct work_pool *pool) {
  return (struct sluice_host){.name = "test",
                              .share = work_share_new(pool, 2)};
}

static void test_several_beat_and_none_overlaps_itself(void) {
  struct work_pool *pool = work_pool_new(2);
  struct sluice_host host = host_of(pool);
  struct beating all[TIMERS] = {BEATING, BEATING, BEATING, BEATING, BEATING};
  struct sluice_timer *timers[TIMERS];
  for (int i = 0; i < TIMERS; i++)
    timers[i] =
        sluice_timer_new(&host, SLUICE_TIMER_MIN_MS + i, beat, &all[i]);
  for (int i = 0; i < TIMERS; i++)
    await(&all[i], 4);
  for (int i = 0; i < TIMERS; i++) {
    sluice_timer_free(timers[i]);
    CU_ASSERT_FALSE(all[i].overlapped);
  }
  work_share_free(host.share);
  work_pool_free(pool);
}

static void *free_it(void *timer) {
  sluice_timer_free(timer);
  return NULL;
}

static void test_free_waits_for_the_call_and_is_the_last_word(void) {
  struct work_pool *pool = work_pool_new(2);
  struct sluice_host host = host_of(pool);
  struct beating b = BEATING;
  pthread_t thread;
  b.held = true;
  struct sluice_timer *timer =
      sluice_timer_new(&host, SLUICE_TIMER_MIN_MS, beat, &b);
  await(&b, 1);
  pthread_create(&thread, NULL, free_it, timer);
  usleep(50000); /* time enough for one that doesn't wait */
  pthread_mutex_lock(&b.lock);
  CU_ASSERT_TRUE(b.inside);
  CU_ASSERT_EQUAL(b.beats, 1);
  b.held = false;
  pthread_cond_broadcast(&b.moved);
  pthread_mutex_unlock(&b.lock);
  pthread_join(thread, NULL);
  CU_ASSERT_FALSE(b.inside);
  usleep(50000);
  CU_ASSERT_EQUAL(b.beats, 1);
  work_share_free(host.share);
  work_pool_free(pool);
}

static void end_itself(void *arg) {
  struct beating *b = arg;
  pthread_mutex_lock(&b->lock);
  while (b->own == NULL)
    pthread_cond_wait(&b->moved, &b->lock);
  pthread_mutex_unlock(&b->lock);
  sluice_timer_free(b->own);
  beat(b);
}

static void test_one_that_ends_itself_is_gone_after_its_call(void) {
  struct work_pool *pool = work_pool_new(2);
  struct sluice_host host = host_of(pool);
  struct beating b = BEATING;
  struct sluice_timer *timer =
      sluice_timer_new(&host, SLUICE_TIMER_MIN_MS, end_itself, &b);
  pthread_mutex_lock(&b.lock);
  b.own = timer;
  pthread_cond_broadcast(&b.moved);
  pthread_mutex_unlock(&b.lock);
  await(&b, 1);
  timer_free_all(host.share); /* waits for its end, where it has one to come */
  work_share_free(host.share);
  work_pool_free(pool); /* would find it */
  CU_ASSERT_EQUAL(b.beats, 1);
}

static void test_those_left_are_counted_of_their_share_alone(void) {
  struct work_pool *pool = work_pool_new(2);
  struct sluice_host one = host_of(pool), other = host_of(pool);
  struct beating b = BEATING, c = BEATING;
  sluice_timer_new(&one, SLUICE_TIMER_MIN_MS, beat, &b);
  sluice_timer_new(&one, SLUICE_TIMER_MAX_MS, beat, &b);
  sluice_timer_new(&other, SLUICE_TIMER_MIN_MS, beat, &c);
  await(&b, 1);
  CU_ASSERT_EQUAL(timer_free_all(one.share), 2);
  unsigned beats = b.beats;
  pthread_mutex_lock(&c.lock);
  unsigned then = c.beats;
  pthread_mutex_unlock(&c.lock);
  await(&c, then + 3);
  CU_ASSERT_EQUAL(b.beats, beats);
  CU_ASSERT_EQUAL(timer_free_all(other.share), 1);
  CU_ASSERT_EQUAL(timer_free_all(other.share), 0);
  work_share_free(one.share);
  work_share_free(other.share);
  work_pool_free(pool);
}

static void test_what_makes_no_timer(void) {
  struct work_pool *pool = work_pool_new(1);
  struct sluice_host host = host_of(pool), bare = {.name = "bare"};
  struct sluice_host on_loop = host;
  on_loop.loop = loop_new();
  CU_ASSERT_PTR_NULL(
      sluice_timer_new(&host, SLUICE_TIMER_MIN_MS - 1, beat, NULL));
  CU_ASSERT_PTR_NULL(
      sluice_timer_new(&host, SLUICE_TIMER_MAX_MS + 1, beat, NULL));
  CU_ASSERT_PTR_NULL(sluice_timer_new(&host, INT64_MIN, beat, NULL));
  CU_ASSERT_PTR_NULL(sluice_timer_new(&bare, 1000, beat, NULL));
  CU_ASSERT_PTR_NULL(sluice_timer_new(&on_loop, 1000, beat, NULL));
  sluice_timer_free(NULL);
  loop_free(on_loop.loop);
  work_share_free(host.share);
  work_pool_free(pool);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_several_beat_and_none_overlaps_itself),
      UNIT(test_free_waits_for_the_call_and_is_the_last_word),
      UNIT(test_one_that_ends_itself_is_gone_after_its_call),
      UNIT(test_those_left_are_counted_of_their_share_alone),
      UNIT(test_what_makes_no_timer),
      {NULL, NULL}};
  return unit_main("timer", tests);
}

/* SPDX-License-Identifier: MIT
 *
 * Loops: what is posted and deferred, in which order, and when they end.
 */
#include "loop.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>

#define SENDERS 4
#define LETTERS 5000

/* A task that knows which it is. */
struct note {
  struct loop_task task; /* first */
  struct loop *loop;
  int *order; /* appends `name` to it */
  size_t *count;
  int name;
  int again; /* so often it is posted anew by its own run() */
};

static void stop_now(struct loop_task *task) {
  loop_stop(((struct note *)task)->loop);
}

static void write_down(struct loop_task *task) {
  struct note *note = (struct note *)task;
  note->order[(*note->count)++] = note->name;
}

static void post_again(struct loop_task *task) {
  struct note *note = (struct note *)task;
  write_down(task);
  if (note->again-- > 0)
    loop_post(note->loop, task);
  else
    loop_stop(note->loop);
}

static void defer_again(struct loop_task *task) {
  struct note *note = (struct note *)task;
  write_down(task);
  if (note->again-- > 0)
    loop_defer(note->loop, task);
  else
    loop_stop(note->loop);
}

/* ---- posting ------------------------------------------------------------ */

static void test_posted_tasks_run_in_order(void) {
  struct loop *loop = loop_new();
  int order[3];
  size_t count = 0;
  struct note notes[3], stop = {.task.run = stop_now, .loop = loop};
  for (int i = 0; i < 3; i++) {
    notes[i] = (struct note){{.run = write_down}, loop, order, &count, i, 0};
    loop_post(loop, &notes[i].task);
  }
  loop_post(loop, &stop.task);
  CU_ASSERT_EQUAL(count, 0); /* not from inside loop_post() */
  loop_run(loop);
  CU_ASSERT_EQUAL(count, 3);
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(order[i], i);
  loop_free(loop);
}

struct letter {
  struct loop_task task; /* first */
  struct post *post;
  int sender, number;
};

struct post {
  struct loop *loop;
  int next[SENDERS]; /* the letter expected of each */
  int left, disorder, strangers;
};

struct sender {
  struct post *post;
  int name;
};

static void on_letter(struct loop_task *task) {
  struct letter *letter = (struct letter *)task;
  struct post *post = letter->post;
  if (post->next[letter->sender]++ != letter->number)
    post->disorder++;
  if (!loop_is_mine(post->loop))
    post->strangers++;
  if (--post->left == 0)
    loop_stop(post->loop);
  free(letter);
}

static void *send_letters(void *arg) {
  const struct sender *sender = arg;
  for (int i = 0; i < LETTERS; i++) {
    struct letter *letter = malloc(sizeof *letter);
    *letter =
        (struct letter){{.run = on_letter}, sender->post, sender->name, i};
    loop_post(sender->post->loop, &letter->task);
  }
  return NULL;
}

static void test_each_threads_posts_stay_in_order(void) {
  struct post post = {.loop = loop_new(), .left = SENDERS * LETTERS};
  struct sender senders[SENDERS];
  pthread_t threads[SENDERS];
  for (int i = 0; i < SENDERS; i++) {
    senders[i] = (struct sender){&post, i};
    pthread_create(&threads[i], NULL, send_letters, &senders[i]);
  }
  loop_run(post.loop);
  for (int i = 0; i < SENDERS; i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_EQUAL(post.left, 0);
  CU_ASSERT_EQUAL(post.disorder, 0);
  CU_ASSERT_EQUAL(post.strangers, 0);
  loop_free(post.loop);
}

static void test_a_task_may_post_itself_again(void) {
  struct loop *loop = loop_new();
  int order[4] = {0};
  size_t count = 0;
  struct note note = {{.run = post_again}, loop, order, &count, 7, 3};
  loop_post(loop, &note.task);
  loop_run(loop);
  CU_ASSERT_EQUAL(count, 4);
  loop_free(loop);
}

struct once {
  struct loop_task task; /* first */
  struct loop *loop;
};

static void free_and_stop(struct loop_task *task) {
  struct loop *loop = ((struct once *)task)->loop;
  free(task);
  loop_stop(loop);
}

static void test_a_task_may_free_itself(void) {
  struct loop *loop = loop_new();
  struct once *once = malloc(sizeof *once);
  *once = (struct once){{.run = free_and_stop}, loop};
  loop_post(loop, &once->task);
  loop_run(loop);
  loop_free(loop);
  CU_PASS("no memory error");
}

/* ---- deferring ---------------------------------------------------------- */

struct moment {
  struct loop_task task; /* first */
  struct note *first, *second;
  size_t *count;
  size_t seen; /* how much had run at the end of this task */
};

static void defer_two(struct loop_task *task) {
  struct moment *moment = (struct moment *)task;
  loop_defer(moment->first->loop, &moment->first->task);
  loop_defer(moment->first->loop, &moment->second->task);
  moment->seen = *moment->count;
}

static void test_deferred_tasks_run_after_the_event_in_order(void) {
  struct loop *loop = loop_new();
  int order[2];
  size_t count = 0;
  struct note first = {{.run = write_down}, loop, order, &count, 1, 0};
  struct note second = {{.run = post_again}, loop, order, &count, 2, 0};
  struct moment moment = {{.run = defer_two}, &first, &second, &count, 9};
  loop_post(loop, &moment.task);
  loop_run(loop);
  CU_ASSERT_EQUAL(moment.seen, 0);
  CU_ASSERT_EQUAL(count, 2);
  CU_ASSERT_EQUAL(order[0], 1);
  CU_ASSERT_EQUAL(order[1], 2);
  loop_free(loop);
}

static void test_a_deferred_task_may_be_deferred_again(void) {
  struct loop *loop = loop_new();
  int order[9];
  size_t count = 0;
  struct note note = {{.run = defer_again}, loop, order, &count, 1, 8};
  loop_defer(loop, &note.task);
  loop_run(loop);
  CU_ASSERT_EQUAL(count, 9);
  loop_free(loop);
}

/* ---- the end ------------------------------------------------------------ */

static void test_a_loop_stopped_before_it_runs_ends_at_once(void) {
  struct loop *loop = loop_new();
  loop_stop(loop);
  loop_run(loop);
  loop_free(loop);
  CU_PASS("it ended");
}

static void release_later(struct loop_task *task) {
  struct note *note = (struct note *)task;
  if (note->again-- > 0) {
    loop_post(note->loop, task);
    return;
  }
  write_down(task);
  loop_release(note->loop);
}

static void test_a_held_loop_runs_until_it_is_released(void) {
  struct loop *loop = loop_new();
  int order[1];
  size_t count = 0;
  struct note note = {{.run = release_later}, loop, order, &count, 1, 20};
  loop_hold(loop);
  loop_stop(loop);
  loop_post(loop, &note.task);
  loop_run(loop);
  CU_ASSERT_EQUAL(count, 1);
  loop_free(loop);
}

static void test_every_hold_has_to_be_released(void) {
  struct loop *loop = loop_new();
  int order[2];
  size_t count = 0;
  struct note first = {{.run = release_later}, loop, order, &count, 1, 0};
  struct note second = {{.run = release_later}, loop, order, &count, 2, 9};
  loop_hold(loop);
  loop_hold(loop);
  loop_stop(loop);
  loop_post(loop, &first.task);
  loop_post(loop, &second.task);
  loop_run(loop);
  CU_ASSERT_EQUAL(count, 2);
  loop_free(loop);
}

static void test_a_released_loop_goes_on_until_it_is_stopped(void) {
  struct loop *loop = loop_new();
  int order[6];
  size_t count = 0;
  struct note release = {{.run = release_later}, loop, order, &count, 1, 0};
  struct note stop = {{.run = post_again}, loop, order, &count, 2, 4};
  loop_hold(loop);
  loop_post(loop, &release.task);
  loop_post(loop, &stop.task);
  loop_run(loop);
  CU_ASSERT_EQUAL(count, 6);
  loop_free(loop);
}

struct late {
  struct loop_task task; /* first */
  struct note *note;
};

static void hold_after_all(struct loop_task *task) {
  struct note *note = ((struct late *)task)->note;
  loop_hold(note->loop);
  loop_post(note->loop, &note->task);
}

/* In one event the loop is stopped, and afterwards work is begun: whoever
 * frees the loop when it has ended relies on nothing being under way. */
static void test_what_is_held_after_the_stop_is_waited_for(void) {
  struct loop *loop = loop_new();
  int order[1];
  size_t count = 0;
  struct note note = {{.run = release_later}, loop, order, &count, 1, 3};
  struct note stop = {.task.run = stop_now, .loop = loop};
  struct late late = {{.run = hold_after_all}, &note};
  loop_defer(loop, &stop.task);
  loop_defer(loop, &late.task);
  loop_run(loop);
  CU_ASSERT_EQUAL(count, 1);
  loop_free(loop);
}

static void *ask_whose(void *arg) {
  struct loop *loop = arg;
  return loop_is_mine(loop) ? loop : NULL;
}

static void test_a_loop_belongs_to_one_thread(void) {
  struct loop *loop = loop_new();
  pthread_t thread;
  void *mine = loop;
  CU_ASSERT_TRUE(loop_is_mine(loop));
  pthread_create(&thread, NULL, ask_whose, loop);
  pthread_join(thread, &mine);
  CU_ASSERT_PTR_NULL(mine);
  loop_free(loop);
}

static void *run_it(void *arg) {
  loop_run(arg);
  return NULL;
}

static void test_the_thread_that_runs_a_loop_owns_it(void) {
  struct post post = {.loop = loop_new(), .left = 1};
  struct letter *letter = malloc(sizeof *letter);
  pthread_t thread;
  *letter = (struct letter){{.run = on_letter}, &post, 0, 0};
  pthread_create(&thread, NULL, run_it, post.loop);
  loop_post(post.loop, &letter->task);
  pthread_join(thread, NULL);
  CU_ASSERT_EQUAL(post.strangers, 0);
  CU_ASSERT_FALSE(loop_is_mine(post.loop));
  loop_free(post.loop);
}

static void test_freeing_no_loop_does_nothing(void) {
  loop_free(NULL);
  CU_PASS("");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_posted_tasks_run_in_order),
      UNIT(test_each_threads_posts_stay_in_order),
      UNIT(test_a_task_may_post_itself_again),
      UNIT(test_a_task_may_free_itself),
      UNIT(test_deferred_tasks_run_after_the_event_in_order),
      UNIT(test_a_deferred_task_may_be_deferred_again),
      UNIT(test_a_loop_stopped_before_it_runs_ends_at_once),
      UNIT(test_a_held_loop_runs_until_it_is_released),
      UNIT(test_every_hold_has_to_be_released),
      UNIT(test_a_released_loop_goes_on_until_it_is_stopped),
      UNIT(test_what_is_held_after_the_stop_is_waited_for),
      UNIT(test_a_loop_belongs_to_one_thread),
      UNIT(test_the_thread_that_runs_a_loop_owns_it),
      UNIT(test_freeing_no_loop_does_nothing),
      {NULL, NULL}};
  return unit_main("loop", tests);
}

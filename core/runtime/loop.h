/* SPDX-License-Identifier: MIT
 *
 * One thread's event loop.  Other threads reach it through loop_post() only.
 */
#ifndef RUNTIME_LOOP_H
#define RUNTIME_LOOP_H

#include <event2/event.h>
#include <sluice/plugin.h>

struct loop;

/* A call to make later on the loop; memory of whoever posts it. */
struct loop_task {
  struct loop_task *next;
  void (*run)(struct loop_task *);
};

#define LOOP_NAME_MAX 64 /* bytes */

struct loop *loop_new(void); /* NULL: no memory or no descriptor */
void loop_free(struct loop *);
struct event_base *loop_base(struct loop *);
/* Random bytes for a name, which needn't be secret before it is told: up to
 * LOOP_NAME_MAX.  They come of a supply, so that getrandom(2) isn't called for
 * each. */
void loop_name(struct loop *, void *out, size_t len);

/* Runs until loop_stop() and until nothing that was submitted to the pool is
 * outstanding.  The calling thread becomes the loop's. */
void loop_run(struct loop *);
void loop_stop(struct loop *);          /* on the loop's thread */
bool loop_is_mine(const struct loop *); /* is this its thread? */

/* From any thread: run(task) on the loop, in the order of posting.  The task
 * may be freed or posted again by its run(). */
void loop_post(struct loop *, struct loop_task *);
/* On the loop's thread: after the current event, before it waits again. */
void loop_defer(struct loop *, struct loop_task *);

/* Zeroed memory that is freed with the loop; NULL: none. */
void *loop_own(struct loop *, size_t size);

/* They keep loop_run() from ending. */
void loop_hold(struct loop *);
void loop_release(struct loop *);

/* Of what somebody has begun on a loop, that isn't over yet. */
struct loop_debt {
  size_t count;
  void (*paid)(void *arg); /* NULL, or: nothing is left; it begins nothing */
  void *arg;
};
/* The same, and counted; `debt` may be NULL.  paid() is called inside of the
 * last loop_pay(). */
void loop_owe(struct loop *, struct loop_debt *);
void loop_pay(struct loop *, struct loop_debt *);

#endif

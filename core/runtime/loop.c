/* SPDX-License-Identifier: MIT
 *
 * An event_base, a mailbox that other threads may post to, and a list of what
 * is to be called after the current event.  A mailbox wakes its loop only
 * when it was empty, so a burst costs one wake-up.
 */
#include "loop.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "digest.h"
#include "must.h"

struct owned {
  struct owned *next;
  max_align_t memory[];
};

struct queue {
  struct loop_task *first, **end;
};

struct loop {
  struct event_base *base;
  struct event *wake;     /* on the eventfd */
  struct event *deferred; /* activated while `later` isn't empty */
  pthread_mutex_t lock;   /* guards mail */
  struct queue mail;
  struct queue later;
  pthread_t thread;
  size_t holds;
  struct owned *owned; /* freed with the loop */
  int fd;
  bool running, stopping;
  unsigned char names[64 * LOOP_NAME_MAX]; /* random bytes, for loop_name() */
  size_t named;                            /* of them are left */
};

static void queue_init(struct queue *q) {
  q->first = NULL;
  q->end = &q->first;
}

/* True when it was empty. */
static bool queue_add(struct queue *q, struct loop_task *task) {
  bool empty = q->first == NULL;
  task->next = NULL;
  *q->end = task;
  q->end = &task->next;
  return empty;
}

static void queue_run(struct loop_task *task) {
  while (task != NULL) {
    struct loop_task *next = task->next;
    task->run(task);
    task = next;
  }
}

static void loop_ended(struct loop *loop) {
  if (loop->stopping && loop->holds == 0)
    event_base_loopexit(loop->base, NULL);
}

static void loop_on_wake(evutil_socket_t fd, short what, void *arg) {
  struct loop *loop = arg;
  uint64_t count;
  (void)what;
  while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
  pthread_mutex_lock(&loop->lock);
  struct loop_task *mail = loop->mail.first;
  queue_init(&loop->mail);
  pthread_mutex_unlock(&loop->lock);
  queue_run(mail);
}

static void loop_on_deferred(evutil_socket_t fd, short what, void *arg) {
  struct loop *loop = arg;
  (void)fd, (void)what;
  struct loop_task *tasks = loop->later.first;
  queue_init(&loop->later);
  queue_run(tasks);
}

struct loop *loop_new(void) {
  struct loop *loop = calloc(1, sizeof *loop);
  if (loop == NULL)
    return NULL;
  queue_init(&loop->mail);
  queue_init(&loop->later);
  pthread_mutex_init(&loop->lock, NULL);
  loop->thread = pthread_self();
  loop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct event_config *config = event_config_new();
  if (config != NULL) {
    /* One thread uses the base, so it needs no locks of libevent's. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    /* A change that is undone before the loop waits costs no call.  The flag
     * demands that no descriptor that is watched is duplicated. */
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
  }
  if (loop->fd < 0 || loop->base == NULL)
    goto out;
  loop->wake = event_new(loop->base, loop->fd, EV_READ | EV_PERSIST,
                         loop_on_wake, loop);
  loop->deferred = event_new(loop->base, -1, 0, loop_on_deferred, loop);
  if (loop->wake == NULL || loop->deferred == NULL ||
      event_add(loop->wake, NULL) < 0)
    goto out;
  return loop;

out:
  loop_free(loop);
  return NULL;
}

void loop_free(struct loop *loop) {
  if (loop == NULL)
    return;
  if (loop->wake != NULL)
    event_free(loop->wake);
  if (loop->deferred != NULL)
    event_free(loop->deferred);
  if (loop->base != NULL)
    event_base_free(loop->base);
  if (loop->fd >= 0)
    close(loop->fd);
  pthread_mutex_destroy(&loop->lock);
  while (loop->owned != NULL) {
    struct owned *next = loop->owned->next;
    free(loop->owned);
    loop->owned = next;
  }
  free(loop);
}

void loop_name(struct loop *loop, void *out, size_t len) {
  must(len <= LOOP_NAME_MAX);
  if (loop->named < len) {
    digest_random(loop->names, sizeof loop->names);
    loop->named = sizeof loop->names;
  }
  loop->named -= len;
  memcpy(out, loop->names + loop->named, len);
}

struct event_base *loop_base(struct loop *loop) {
  return loop->base;
}

void loop_run(struct loop *loop) {
  loop->thread = pthread_self();
  loop->running = true;
  loop_ended(loop);
  do /* what is begun after the stop, in the same event, is waited for too */
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
  while (!loop->stopping || loop->holds > 0);
  loop->running = false;
}

void loop_stop(struct loop *loop) {
  must(loop_is_mine(loop));
  loop->stopping = true;
  loop_ended(loop);
}

bool loop_is_mine(const struct loop *loop) {
  return pthread_equal(loop->thread, pthread_self());
}

void loop_post(struct loop *loop, struct loop_task *task) {
  pthread_mutex_lock(&loop->lock);
  bool empty = queue_add(&loop->mail, task);
  pthread_mutex_unlock(&loop->lock);
  const uint64_t one = 1;
  while (empty && write(loop->fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
}

void loop_defer(struct loop *loop, struct loop_task *task) {
  must(loop_is_mine(loop));
  if (queue_add(&loop->later, task))
    event_active(loop->deferred, EV_TIMEOUT, 1);
}

void *loop_own(struct loop *loop, size_t size) {
  struct owned *owned = calloc(1, sizeof *owned + size);
  if (owned == NULL)
    return NULL;
  owned->next = loop->owned;
  loop->owned = owned;
  return owned->memory;
}

void loop_hold(struct loop *loop) {
  loop->holds++;
}

void loop_release(struct loop *loop) {
  must(loop->holds > 0);
  loop->holds--;
  loop_ended(loop);
}

void loop_owe(struct loop *loop, struct loop_debt *debt) {
  if (debt != NULL)
    debt->count++;
  loop_hold(loop);
}

void loop_pay(struct loop *loop, struct loop_debt *debt) {
  if (debt != NULL) {
    must(debt->count > 0);
    if (--debt->count == 0 && debt->paid != NULL)
      debt->paid(debt->arg);
  }
  loop_release(loop);
}

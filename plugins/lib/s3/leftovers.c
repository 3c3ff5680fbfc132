/* SPDX-License-Identifier: MIT
 *
 * A list, and a timer between two attempts.
 */
#include "leftovers.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "call.h"

#define DELAY_FIRST_S 1
#define DELAY_MAX_S 300

struct leftover {
  STAILQ_ENTRY(leftover) link;
  char *key, *id;
};

struct leftovers {
  struct s3_loop *loop;
  STAILQ_HEAD(leftover_list, leftover) list;
  size_t count;
  size_t forgotten; /* there were too many */
  struct event *timer;
  time_t delay_s;
  struct s3_call *call; /* about the first one */
  struct s3_request request;
};

static void leftover_free(struct leftover *leftover) {
  free(leftover->key);
  free(leftover->id);
  free(leftover);
}

static void leftovers_drop_first(struct leftovers *leftovers) {
  struct leftover *first = STAILQ_FIRST(&leftovers->list);
  STAILQ_REMOVE_HEAD(&leftovers->list, link);
  leftovers->count--;
  leftover_free(first);
}

static void try_later(struct leftovers *leftovers) {
  struct timeval delay = {.tv_sec = leftovers->delay_s};
  event_add(leftovers->timer, &delay);
}

/* Others may be possible where one isn't. */
static void put_last(struct leftovers *leftovers) {
  struct leftover *first = STAILQ_FIRST(&leftovers->list);
  STAILQ_REMOVE_HEAD(&leftovers->list, link);
  STAILQ_INSERT_TAIL(&leftovers->list, first, link);
}

static void try_first(struct leftovers *leftovers);

static void on_tried(void *arg, struct s3_call *call,
                     const struct s3_answer *answer) {
  struct leftovers *leftovers = arg;
  (void)call;
  leftovers->call = NULL;
  if (answer->status == SLUICE_OK || answer->http == 404) {
    sluice_log(leftovers->loop->host, SLUICE_LOG_INFO,
               "the unfinished upload of '%s' is given up now",
               STAILQ_FIRST(&leftovers->list)->key);
    leftovers_drop_first(leftovers);
    leftovers->delay_s = DELAY_FIRST_S;
    if (leftovers->count > 0)
      try_first(leftovers);
    return;
  }
  put_last(leftovers);
  leftovers->delay_s *= 2;
  if (leftovers->delay_s > DELAY_MAX_S)
    leftovers->delay_s = DELAY_MAX_S;
  try_later(leftovers);
}

static void try_first(struct leftovers *leftovers) {
  static const struct s3_events events = {.done = on_tried};
  const struct leftover *first = STAILQ_FIRST(&leftovers->list);
  leftovers->request = (struct s3_request){.method = "DELETE",
                                           .key = first->key,
                                           .query = {{"uploadId", first->id}}};
  leftovers->call =
      s3_call_start(leftovers->loop, &leftovers->request, &events, leftovers);
}

static void on_time(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  try_first(arg);
}

void leftovers_add(struct leftovers *leftovers, const char *key,
                   const char *upload_id, const char *why) {
  struct leftover *leftover =
      leftovers->count < LEFTOVERS_MAX ? calloc(1, sizeof *leftover) : NULL;
  if (leftover != NULL) {
    leftover->key = strdup(key);
    leftover->id = strdup(upload_id);
  }
  if (leftover == NULL || leftover->key == NULL || leftover->id == NULL) {
    leftovers->forgotten++;
    sluice_log(leftovers->loop->host, SLUICE_LOG_WARN,
               "an unfinished upload is left behind: %s", why);
    if (leftover != NULL)
      leftover_free(leftover);
    return;
  }
  sluice_log(leftovers->loop->host, SLUICE_LOG_WARN,
             "an unfinished upload can't be given up, and is tried again: %s",
             why);
  STAILQ_INSERT_TAIL(&leftovers->list, leftover, link);
  if (++leftovers->count == 1) {
    leftovers->delay_s = DELAY_FIRST_S;
    try_later(leftovers);
  }
}

struct leftovers *leftovers_new(struct s3_loop *loop) {
  struct leftovers *leftovers = calloc(1, sizeof *leftovers);
  if (leftovers == NULL)
    return NULL;
  leftovers->loop = loop;
  STAILQ_INIT(&leftovers->list);
  leftovers->timer = evtimer_new(loop->base, on_time, leftovers);
  if (leftovers->timer != NULL)
    return leftovers;
  free(leftovers);
  return NULL;
}

void leftovers_free(struct leftovers *leftovers) {
  if (leftovers == NULL)
    return;
  size_t left = leftovers->count + leftovers->forgotten;
  if (leftovers->call != NULL)
    s3_call_cancel(leftovers->call);
  if (left > 0)
    sluice_log(leftovers->loop->host, SLUICE_LOG_WARN,
               "%zu unfinished upload%s left in the bucket; sweep_uploads or "
               "a lifecycle rule removes %s",
               left, left == 1 ? " is" : "s are", left == 1 ? "it" : "them");
  while (leftovers->count > 0)
    leftovers_drop_first(leftovers);
  event_free(leftovers->timer);
  free(leftovers);
}

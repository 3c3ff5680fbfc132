/* SPDX-License-Identifier: MIT
 *
 * A timer for each kind of line, which runs while such lines come.
 */
#include "repeat.h"

#include <event2/event_struct.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "loop.h"

struct repeat {
  struct repeat *next;
  const char *who, *kind;
  enum sluice_level level;
  struct event timer;  /* freed with the loop */
  unsigned long count; /* since the last line */
  char last[1024];
};

static void repeat_tell(struct repeat *repeat) {
  if (repeat->count == 1)
    log_line(repeat->level, repeat->who, "%s", repeat->last);
  else if (repeat->count > 1)
    log_line(repeat->level, repeat->who, "%s (the last of %lu like it)",
             repeat->last, repeat->count);
  repeat->count = 0;
}

static void wait(struct repeat *repeat) {
  static const struct timeval pause = {.tv_sec = REPEAT_MS / 1000};
  event_add(&repeat->timer, &pause);
}

static void on_second(evutil_socket_t fd, short what, void *arg) {
  struct repeat *repeat = arg;
  (void)fd, (void)what;
  if (repeat->count == 0)
    return; /* it is over */
  repeat_tell(repeat);
  wait(repeat);
}

static struct repeat *repeat_find(struct repeats *repeats, struct loop *loop,
                                  const char *who, const char *kind) {
  struct repeat *repeat = repeats->first;
  while (repeat != NULL && strcmp(repeat->kind, kind) != 0)
    repeat = repeat->next;
  if (repeat != NULL) {
    repeat->who = who; /* another one may have taken the place */
    return repeat;
  }
  repeat = loop_own(loop, sizeof *repeat);
  if (repeat == NULL)
    return NULL;
  repeat->who = who;
  repeat->kind = kind;
  event_assign(&repeat->timer, loop_base(loop), -1, 0, on_second, repeat);
  repeat->next = repeats->first;
  repeats->first = repeat;
  return repeat;
}

void repeat_line(struct repeats *repeats, struct loop *loop,
                 enum sluice_level level, const char *who, const char *kind,
                 const char *fmt, ...) {
  if (!log_shows(level))
    return;
  struct repeat *repeat = repeat_find(repeats, loop, who, kind);
  va_list args;
  va_start(args, fmt);
  if (repeat == NULL) { /* no memory to count in */
    log_vline(level, who, fmt, args);
  } else if (!event_pending(&repeat->timer, EV_TIMEOUT, NULL)) {
    log_vline(level, who, fmt, args);
    wait(repeat);
  } else {
    vsnprintf(repeat->last, sizeof repeat->last, fmt, args);
    repeat->level = level;
    repeat->count++;
  }
  va_end(args);
}

void repeat_end(struct repeats *repeats) {
  for (struct repeat *repeat = repeats->first; repeat != NULL;
       repeat = repeat->next) {
    event_del(&repeat->timer);
    repeat_tell(repeat);
  }
}

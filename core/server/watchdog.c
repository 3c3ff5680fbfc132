/* SPDX-License-Identifier: MIT
 *
 * Twice in the time that the manager allows, a task goes to each loop and
 * back.  The main loop turns, as it is the one who counts.
 */
#include "watchdog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway.h"
#include "notify.h"

#define USEC 1000000u

/* The manager allows as much; 0: nobody watches this process. */
static uint64_t allowed_us(void) {
  const char *pid = getenv("WATCHDOG_PID"), *usec = getenv("WATCHDOG_USEC");
  char *end;
  if (usec == NULL || *usec < '0' || *usec > '9' ||
      (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
    return 0;
  errno = 0;
  uint64_t us = strtoull(usec, &end, 10);
  return *end == '\0' && errno == 0 ? us : 0;
}

static void on_back(struct loop_task *task) {
  struct watchdog_beat *beat =
      (void *)((char *)task - offsetof(struct watchdog_beat, back));
  if (--beat->watchdog->away == 0 && beat->watchdog->timer != NULL)
    notify_say("WATCHDOG=1");
}

static void on_turn(struct loop_task *task) {
  struct watchdog_beat *beat =
      (void *)((char *)task - offsetof(struct watchdog_beat, turn));
  loop_post(beat->watchdog->gateway->loop, &beat->back);
}

/* A round that isn't over is waited for, in silence.  Loops that have ended
 * don't turn: the end of all has a limit of its own. */
static void on_time(evutil_socket_t fd, short what, void *arg) {
  struct watchdog *watchdog = arg;
  struct gateway *gateway = watchdog->gateway;
  (void)fd, (void)what;
  if (gateway->stopping && !gateway->handover.done)
    notify_say("WATCHDOG=1");
  if (gateway->stopping || watchdog->away > 0)
    return;
  watchdog->away = gateway->worker_count;
  for (size_t i = 0; i < gateway->worker_count; i++)
    loop_post(gateway->workers[i].loop, &watchdog->beats[i].turn);
}

bool watchdog_start(struct watchdog *watchdog, struct gateway *gateway) {
  uint64_t allowed = allowed_us(), us = allowed / 2;
  *watchdog = (struct watchdog){.gateway = gateway, .manager_us = allowed};
  if (us == 0)
    return true;
  struct timeval interval = {.tv_sec = (time_t)(us / USEC),
                             .tv_usec = (suseconds_t)(us % USEC)};
  watchdog->beats = calloc(gateway->worker_count, sizeof(*watchdog->beats));
  if (watchdog->beats == NULL)
    return false;
  for (size_t i = 0; i < gateway->worker_count; i++)
    watchdog->beats[i] = (struct watchdog_beat){.turn = {.run = on_turn},
                                                .back = {.run = on_back},
                                                .watchdog = watchdog};
  watchdog->timer =
      event_new(loop_base(gateway->loop), -1, EV_PERSIST, on_time, watchdog);
  if (watchdog->timer == NULL)
    return false;
  event_add(watchdog->timer, &interval);
  event_active(watchdog->timer, EV_TIMEOUT, 0);
  return true;
}

void watchdog_say(const struct watchdog *watchdog) {
  if (watchdog->timer != NULL)
    notify_say("WATCHDOG=1");
}

static void allow(const struct watchdog *watchdog, uint64_t us) {
  char text[48];
  snprintf(text, sizeof text, "WATCHDOG_USEC=%" PRIu64, us);
  if (watchdog->timer != NULL)
    notify_say(text);
}

void watchdog_hold(const struct watchdog *watchdog) {
  uint64_t held = (uint64_t)WATCHDOG_HELD_S * USEC;
  allow(watchdog, held > watchdog->manager_us ? held : watchdog->manager_us);
}

/* A shorter time counts from the last sign of life, so that goes first. */
void watchdog_release(const struct watchdog *watchdog) {
  watchdog_say(watchdog);
  allow(watchdog, watchdog->manager_us);
}

void watchdog_fini(struct watchdog *watchdog) {
  if (watchdog->timer != NULL)
    event_free(watchdog->timer);
  watchdog->timer = NULL;
  free(watchdog->beats);
  watchdog->beats = NULL;
}

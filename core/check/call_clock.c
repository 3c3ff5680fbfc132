/* SPDX-License-Identifier: MIT
 *
 * The kernel counts how long each thread waited for a processor, where it is
 * built so, in /proc/thread-self/schedstat.
 */
#include "call_clock.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

/* Without that count only so much is no wait for a processor. */
#define UNCOUNTED_US 250000

static int64_t call_clock_used(void) {
  struct timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* The second of its numbers, in nanoseconds. */
static int64_t call_clock_queued(const struct call_clock *clock) {
  char text[96];
  ssize_t len = clock->fd < 0 ? 0 : pread(clock->fd, text, sizeof text - 1, 0);
  text[len < 0 ? 0 : len] = '\0';
  const char *second = strchr(text, ' ');
  return second == NULL ? 0 : (int64_t)(strtoull(second, NULL, 10) / 1000);
}

static void call_clock_read(struct call_clock *clock) {
  struct rusage usage = {0};
  getrusage(RUSAGE_THREAD, &usage);
  clock->sleeps = usage.ru_nvcsw;
  clock->faults = usage.ru_majflt;
  clock->queued_us = call_clock_queued(clock);
  clock->used_us = call_clock_used();
}

void call_clock_init(struct call_clock *clock) {
  *clock = (struct call_clock){
      .fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)};
}

void call_clock_fini(struct call_clock *clock) {
  if (clock->fd >= 0)
    close(clock->fd);
  clock->fd = -1;
}

void call_clock_start(struct call_clock *clock) {
  call_clock_read(clock);
  clock->passed_us = (int64_t)clock_us();
}

/* A page of code that comes from a slow disk isn't the plugin's doing. */
int64_t call_clock_slept(const struct call_clock *clock, int64_t least_us) {
  struct call_clock now = *clock;
  int64_t passed = (int64_t)clock_us() - clock->passed_us;
  if (passed < least_us)
    return 0;
  call_clock_read(&now);
  int64_t slept = passed - (now.used_us - clock->used_us) -
                  (now.queued_us - clock->queued_us);
  bool told = clock->fd >= 0 || slept >= UNCOUNTED_US;
  return told && slept >= least_us && now.sleeps > clock->sleeps &&
                 now.faults == clock->faults
             ? slept
             : 0;
}

/* SPDX-License-Identifier: MIT
 *
 * Chance by splitmix64, and the trace, of which a hash is kept whether or not
 * somebody reads it.
 */
#include "chance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "schedule.h"

#define LINE_MAX_BYTES 1024
#define FNV_PRIME 1099511628211u
#define FNV_START 14695981039346656037u

const char *const chance_faults[FAULT_KINDS] = {
    [FAULT_STORAGE_REFUSES] = "storage refuses",
    [FAULT_STORAGE_DOUBT] = "storage fails, and has done it",
    [FAULT_STORAGE_LATE] = "storage fails, and does it later",
    [FAULT_STORAGE_SLOW] = "storage slow",
    [FAULT_STORAGE_CANCELED] = "storage canceled",
    [FAULT_MEMORY] = "memory refused",
    [FAULT_SYNC] = "fsync EIO",
    [FAULT_FULL] = "disk full",
    [FAULT_STALL] = "client stalls",
    [FAULT_HALF_CLOSE] = "client half-closes",
    [FAULT_RESET] = "client leaves",
    [FAULT_RELOAD] = "reload",
    [FAULT_STOP] = "stop and start",
};

static struct {
  uint64_t state, hash;
  uint64_t counted[FAULT_KINDS];
  bool faults, wanted;
} chance = {.hash = FNV_START};

uint64_t chance_mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

void chance_seed(uint64_t seed) {
  chance.state = chance_mix(seed);
}

uint64_t chance_next(void) {
  uint64_t next = chance_mix(chance.state);
  chance.state += 0x9e3779b97f4a7c15u;
  return next;
}

uint64_t chance_below(uint64_t n) {
  return chance_next() % n;
}

bool chance_percent(unsigned percent) {
  return chance_below(100) < percent;
}

bool chance_permille(unsigned permille) {
  return chance_below(1000) < permille;
}

void chance_faults_on(bool on) {
  chance.faults = on;
}

void chance_count(enum chance_fault kind) {
  chance.counted[kind]++;
}

bool chance_fault(enum chance_fault kind, unsigned permille) {
  if (!chance.faults || !chance_permille(permille))
    return false;
  chance_count(kind);
  return true;
}

uint64_t chance_counted(enum chance_fault kind) {
  return chance.counted[kind];
}

/* ---- the trace ---------------------------------------------------------- */

static void put_line(const char *fmt, va_list args) {
  char line[LINE_MAX_BYTES];
  uint64_t now = schedule_now_us();
  int head =
      snprintf(line, sizeof line, "[%6llu.%06llu %s] ",
               (unsigned long long)(now / 1000000),
               (unsigned long long)(now % 1000000), schedule_task_name());
  size_t len = (size_t)head;
  int body = vsnprintf(line + len, sizeof line - len - 1, fmt, args);
  len += (size_t)body < sizeof line - len - 1 ? (size_t)body
                                              : sizeof line - len - 2;
  line[len++] = '\n';
  for (size_t i = 0; i < len; i++)
    chance.hash = (chance.hash ^ (unsigned char)line[i]) * FNV_PRIME;
  if (chance.wanted && write(STDERR_FILENO, line, len) < 0)
    chance.wanted = false;
}

void trace(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  put_line(fmt, args);
  va_end(args);
}

void trace_want(bool wanted) {
  chance.wanted = wanted;
}

uint64_t trace_hash(void) {
  return chance.hash;
}

void trace_found(const char *fmt, ...) {
  va_list args;
  chance.wanted = true;
  va_start(args, fmt);
  put_line(fmt, args);
  va_end(args);
  abort();
}

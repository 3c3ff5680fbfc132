/* SPDX-License-Identifier: MIT
 *
 * The one source of chance of a simulation: all that is chosen comes of its
 * seed.  And what is said of it: the trace, which is standard error.
 */
#ifndef TESTS_SIM_CHANCE_H
#define TESTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of faults, which are counted. */
enum chance_fault {
  FAULT_STORAGE_REFUSES,  /* a storage fails and has done nothing */
  FAULT_STORAGE_DOUBT,    /* it fails, and has done what was asked */
  FAULT_STORAGE_LATE,     /* it fails, and does it later */
  FAULT_STORAGE_SLOW,     /* it answers late, or too late */
  FAULT_STORAGE_CANCELED, /* the gateway left it amid an operation */
  FAULT_MEMORY,           /* charged memory that is refused */
  FAULT_SYNC,             /* fsync(2): EIO */
  FAULT_FULL,             /* a write, or a new file: ENOSPC */
  FAULT_STALL,            /* a client that says nothing for a while */
  FAULT_HALF_CLOSE,       /* one that closes its side after a request */
  FAULT_RESET,            /* one that goes amid a request or an answer */
  FAULT_RELOAD,           /* SIGHUP */
  FAULT_STOP,             /* SIGTERM, and a new start */
  FAULT_KINDS
};

extern const char *const chance_faults[FAULT_KINDS];

void chance_seed(uint64_t seed);
uint64_t chance_next(void);
uint64_t chance_below(uint64_t n); /* 0 to n - 1; n > 0 */
bool chance_percent(unsigned percent);
bool chance_permille(unsigned permille);
/* The same of a number, whatever was chosen before: a stream of its own. */
uint64_t chance_mix(uint64_t number);

/* Faults come while they are on; how often, the seed has chosen. */
void chance_faults_on(bool on);
bool chance_fault(enum chance_fault, unsigned permille);
void chance_count(enum chance_fault);
uint64_t chance_counted(enum chance_fault);

/* A line of the trace, with the time; where nobody wants one, only counted. */
void trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void trace_want(bool wanted);
/* Of all lines so far. */
uint64_t trace_hash(void);
/* Ends the run: the seed has found something. */
_Noreturn void trace_found(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif

/* SPDX-License-Identifier: MIT
 *
 * One simulation: a gateway that is started, reloaded and stopped while
 * clients do what they like, and at last asked for all that it acknowledged.
 */
#ifndef TESTS_SIM_DAY_H
#define TESTS_SIM_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "chance.h"

struct day_result {
  uint64_t hash, turns, virtual_us;
  uint64_t requests, statuses[6], lives;
  uint64_t faults[FAULT_KINDS];
};

/* In an empty folder, which is the working directory, in a process of its own,
 * which a violation aborts. */
void day_run(uint64_t seed, const char *plugins, bool wants_trace,
             struct day_result *);

#endif

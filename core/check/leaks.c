/* SPDX-License-Identifier: MIT
 *
 * Checks that nothing grows with the number of operations.
 */
#include "suite.h"

#include <stdio.h>

#include "resource_use.h"
#include "objects.h"
#include "round_trip.h"

#define WINDOWS 12
#define LEAK_MIN 64 /* bytes a round, each of which has two round_trips */

static void canceled(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "canceled");
  for (int step = 1; step < 10; step += 2) {
    struct op_driver driver;
    op_driver_init(&driver, fixture);
    driver.leave_at = step;
    op_driver_start_put(
        &driver, &(struct op_driver_put){.key = key.text,
                                         .sample = {1, 2 * OP_DRIVER_CHUNK}});
    op_driver_wait(&driver);
    op_driver_fini(&driver);
    op_driver_init(&driver, fixture);
    driver.leave_at = step;
    op_driver_start_get(&driver, &(struct op_driver_get){.key = key.text});
    op_driver_wait(&driver);
    op_driver_fini(&driver);
  }
  objects_remove(fixture, key.text);
}

static void one_round(struct fixture *fixture) {
  round_trip_run(fixture, "leaks");
  round_trip_run(fixture, "leaks");
  canceled(fixture);
  fixture_idle(fixture, 0);
}

static void leaks_files(struct fixture *fixture) {
  for (int i = 0; i < 5; i++)
    one_round(fixture);
  unsigned before = resource_use_files();
  for (unsigned i = 0; i < fixture->plan->rounds; i++)
    one_round(fixture);
  unsigned after = resource_use_files();
  /* A pool of connections or files may grow, but not with each round. */
  fixture_need(fixture, after < before + fixture->plan->rounds / 2 + 1,
               "%u descriptors were open, and %u rounds later %u", before,
               fixture->plan->rounds, after);
}

static void leaks_threads(struct fixture *fixture) {
  for (int i = 0; i < 5; i++)
    one_round(fixture);
  unsigned before = resource_use_threads();
  for (unsigned i = 0; i < fixture->plan->rounds; i++)
    one_round(fixture);
  unsigned after = resource_use_threads();
  fixture_need(fixture, after < before + fixture->plan->rounds / 2 + 1,
               "%u threads ran, and %u rounds later %u", before,
               fixture->plan->rounds, after);
}

/* A cache grows for a while; what grows in every window has no end. */
static void leaks_memory(struct fixture *fixture) {
  size_t least = SIZE_MAX, before;
  if (resource_use_memory() == 0)
    fixture_skip(fixture,
                 "this malloc doesn't count; a sanitizer finds leaks itself");
  for (unsigned i = 0; i < fixture->plan->rounds; i++)
    one_round(fixture);
  before = resource_use_memory();
  for (int window = 0; window < WINDOWS; window++) {
    for (unsigned i = 0; i < fixture->plan->rounds; i++)
      one_round(fixture);
    size_t after = resource_use_memory();
    size_t grown = after > before ? after - before : 0;
    if (grown < least)
      least = grown;
    if (least < (size_t)LEAK_MIN * fixture->plan->rounds)
      return; /* one that is flat will do */
    before = after;
  }
  fixture_fail(fixture,
               "malloc()'s memory grows: by %zu bytes in %u rounds at least",
               least, fixture->plan->rounds);
}

const struct check leak_checks[] = {
    {"leaks: no descriptors", "end soon, undo what isn't committed",
     leaks_files, CHECK_USUAL},
    {"leaks: no threads", "end soon, undo what isn't committed", leaks_threads,
     CHECK_USUAL},
    {"leaks: no memory", "freed with the operation", leaks_memory,
     CHECK_USUAL},
    {0}};

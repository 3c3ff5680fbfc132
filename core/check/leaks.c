/* SPDX-License-Identifier: MIT
 *
 * Checks that nothing grows with the number of operations.
 */
#include "suite.h"

#include <stdio.h>

#include "facts.h"
#include "objects.h"
#include "tour.h"

#define WINDOWS 12
#define LEAK_MIN 64 /* bytes a round, each of which has two tours */

static void canceled(struct lab *lab) {
  struct lab_key key = lab_key(lab, "canceled");
  for (int step = 1; step < 10; step += 2) {
    struct act act;
    act_init(&act, lab);
    act.leave_at = step;
    act_start_put(&act, &(struct act_put){.key = key.text,
                                          .sample = {1, 2 * ACT_CHUNK}});
    act_wait(&act);
    act_fini(&act);
    act_init(&act, lab);
    act.leave_at = step;
    act_start_get(&act, &(struct act_get){.key = key.text});
    act_wait(&act);
    act_fini(&act);
  }
  objects_remove(lab, key.text);
}

static void one_round(struct lab *lab) {
  tour_run(lab, "leaks");
  tour_run(lab, "leaks");
  canceled(lab);
  lab_idle(lab, 0);
}

static void files(struct lab *lab) {
  for (int i = 0; i < 5; i++)
    one_round(lab);
  unsigned before = facts_files();
  for (unsigned i = 0; i < lab->plan->rounds; i++)
    one_round(lab);
  unsigned after = facts_files();
  /* A pool of connections or files may grow, but not with each round. */
  lab_need(lab, after < before + lab->plan->rounds / 2 + 1,
           "%u descriptors were open, and %u rounds later %u", before,
           lab->plan->rounds, after);
}

static void threads(struct lab *lab) {
  for (int i = 0; i < 5; i++)
    one_round(lab);
  unsigned before = facts_threads();
  for (unsigned i = 0; i < lab->plan->rounds; i++)
    one_round(lab);
  unsigned after = facts_threads();
  lab_need(lab, after < before + lab->plan->rounds / 2 + 1,
           "%u threads ran, and %u rounds later %u", before, lab->plan->rounds,
           after);
}

/* A cache grows for a while; what grows in every window has no end. */
static void memory(struct lab *lab) {
  size_t least = SIZE_MAX, before;
  if (facts_memory() == 0)
    lab_skip(lab, "this malloc doesn't count; a sanitizer finds leaks itself");
  for (unsigned i = 0; i < lab->plan->rounds; i++)
    one_round(lab);
  before = facts_memory();
  for (int window = 0; window < WINDOWS; window++) {
    for (unsigned i = 0; i < lab->plan->rounds; i++)
      one_round(lab);
    size_t after = facts_memory();
    size_t grown = after > before ? after - before : 0;
    if (grown < least)
      least = grown;
    if (least < (size_t)LEAK_MIN * lab->plan->rounds)
      return; /* one that is flat will do */
    before = after;
  }
  lab_fail(lab, "malloc()'s memory grows: by %zu bytes in %u rounds at least",
           least, lab->plan->rounds);
}

const struct check leak_checks[] = {
    {"leaks: no descriptors", "end soon, undo what isn't committed", files,
     false},
    {"leaks: no threads", "end soon, undo what isn't committed", threads,
     false},
    {"leaks: no memory", "freed with the operation", memory, false},
    {NULL, NULL, NULL, false}};

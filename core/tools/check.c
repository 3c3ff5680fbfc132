/* SPDX-License-Identifier: MIT
 *
 * `sluice check`: is all of a store there, and whole?
 */
#include "chores.h"
#include "tools.h"

enum { READ, REPAIR };

static const struct tool_flag flags[] = {
    [READ] = {"read", NULL, "read all bytes, and compare them with their MD5"},
    [REPAIR] = {"repair", NULL,
                "mend what can be mended; no gateway may be running"},
    {NULL, NULL, NULL}};

static int check_run(const struct tool_line *line) {
  const struct chores_wish wish = {
      .storage = line->words[0],
      .kind = SLUICE_CHORE_CHECK,
      .flags = (line->flags[READ] != NULL ? SLUICE_CHORE_READ : 0u) |
               (line->flags[REPAIR] != NULL ? SLUICE_CHORE_REPAIR : 0u),
      .done = "nothing is wrong"};
  return chores_run(line, "check", &wish);
}

const struct tool tool_check = {
    .name = "check",
    .synopsis = "[--read] [--repair] [--json] [-c FILE] [BACKEND | DIR]",
    .summary = "Compares the index of a local store with its blobs.",
    .flags = flags,
    .words_max = 1,
    .json = true,
    .run = check_run,
};

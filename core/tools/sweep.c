/* SPDX-License-Identifier: MIT
 *
 * `sluice sweep`: what nobody needs any more, told, and removed where that is
 * asked for.
 */
#include <stddef.h>

#include "chores.h"
#include "log.h"
#include "quantity.h"
#include "tools.h"

enum { DO, OLDER };

static const struct tool_flag flags[] = {
    [DO] = {"do", NULL, "remove it; else it is only told"},
    [OLDER] = {"older", "TIME",
               "of S3: uploads in parts begun before that (24h)"},
    {NULL, NULL, NULL}};

static int sweep_run(const struct tool_line *line) {
  struct chores_wish wish = {
      .storage = line->words[0],
      .kind = SLUICE_CHORE_SWEEP,
      .flags = line->flags[DO] != NULL ? SLUICE_CHORE_DO : 0u,
      .older_ms = (int64_t)24 * 3600 * 1000,
      .expired = true,
      .done = line->flags[DO] != NULL ? "all of it is removed"
                                      : "there is nothing to remove"};
  if (line->flags[OLDER] != NULL &&
      !quantity_time(line->flags[OLDER], &wish.older_ms)) {
    log_plain("sluice sweep: --older %s: write a time with its unit, as 36h",
              line->flags[OLDER]);
    return TOOL_CANT;
  }
  return chores_run(line, "sweep", &wish);
}

const struct tool tool_sweep = {
    .name = "sweep",
    .synopsis = "[--do] [--older TIME] [--json] [-c FILE] [BACKEND | DIR]",
    .summary = "Finds, and removes, what has expired, or uploads left.",
    .flags = flags,
    .words_max = 1,
    .json = true,
    .run = sweep_run,
};

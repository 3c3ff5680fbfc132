/* SPDX-License-Identifier: MIT
 *
 * Chores of a backend, asked for and printed: the common part of the commands
 * check, backup, restore and sweep.
 */
#ifndef TOOLS_CHORES_H
#define TOOLS_CHORES_H

#include <sluice/plugin.h>

#include "tool.h"

struct chores_wish {
  const char *storage; /* a backend or a folder; NULL: the only one */
  enum sluice_chore_kind kind;
  unsigned flags;
  const char *folder;
  int64_t older_ms;
  const char *done; /* a line with the counts ends with it */
  /* Expired objects, too, and first; a backend need have nothing else. */
  bool expired;
};

/* TOOL_FOUND where something was found that isn't good. */
int chores_run(const struct tool_line *, const char *command,
               const struct chores_wish *);

#endif

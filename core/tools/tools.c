/* SPDX-License-Identifier: MIT
 *
 * The table of commands.
 */
#include "tools.h"

#include <string.h>

/* clang-format off: a line each, so that branches merge. */
const struct tool *const tools[] = {&tool_check, NULL};
/* clang-format on */

const struct tool *tools_find(const char *name) {
  for (const struct tool *const *tool = tools; *tool != NULL; tool++)
    if (strcmp((*tool)->name, name) == 0)
      return *tool;
  return NULL;
}

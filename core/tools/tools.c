/* SPDX-License-Identifier: MIT
 *
 * The table of commands.
 */
#include "tools.h"

#include <string.h>

const struct tool *const tools[] = {NULL};

const struct tool *tools_find(const char *name) {
  for (const struct tool *const *tool = tools; *tool != NULL; tool++)
    if (strcmp((*tool)->name, name) == 0)
      return *tool;
  return NULL;
}

/* SPDX-License-Identifier: MIT
 *
 * The table of commands.
 */
#include "tools.h"

#include <string.h>

/* clang-format off */
const struct tool *const tools[] = {
    &tool_backup,
    &tool_check,
    &tool_ctl,
    &tool_doctor,
    &tool_explain,
    &tool_migrate,
    &tool_reload,
    &tool_restore,
    &tool_schema,
    &tool_sweep,
    NULL};
/* clang-format on */

const struct tool *tools_find(const char *name) {
  for (const struct tool *const *tool = tools; *tool != NULL; tool++)
    if (strcmp((*tool)->name, name) == 0)
      return *tool;
  return NULL;
}

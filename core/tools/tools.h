/* SPDX-License-Identifier: MIT
 *
 * The commands of the program, for main.c.  A new one: its line here, and one
 * in tools.c.
 */
#ifndef TOOLS_TOOLS_H
#define TOOLS_TOOLS_H

#include "tool.h"

/* Not in the table: `sluice DIR` has no name. */
extern const struct tool tool_folder;

extern const struct tool tool_backup;
extern const struct tool tool_check;
extern const struct tool tool_ctl;
extern const struct tool tool_doctor;
extern const struct tool tool_explain;
extern const struct tool tool_migrate;
extern const struct tool tool_reload;
extern const struct tool tool_restore;
extern const struct tool tool_schema;
extern const struct tool tool_sweep;

extern const struct tool *const tools[];         /* by name, NULL-ended */
const struct tool *tools_find(const char *name); /* NULL: there is none */

#endif

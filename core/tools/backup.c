/* SPDX-License-Identifier: MIT
 *
 * `sluice backup` and `sluice restore` of a local store.
 */
#include "chores.h"
#include "tools.h"

enum { READ, COPY };

static const struct tool_flag of_backup[] = {
    [READ] = {"read", NULL, "read all bytes, and compare them with their MD5"},
    [COPY] = {"copy", NULL,
              "copy all bytes; else files are shared on one file system"},
    {NULL, NULL, NULL}};
static const struct tool_flag of_restore[] = {
    [READ] = {"read", NULL, "read all bytes, and compare them with their MD5"},
    {NULL, NULL, NULL}};

static unsigned flags_of(const struct tool_line *line) {
  return (line->flags[READ] != NULL ? SLUICE_CHORE_READ : 0u) |
         (line->flags[COPY] != NULL ? SLUICE_CHORE_COPY : 0u);
}

static int backup_run(const struct tool_line *line) {
  const struct chores_wish wish = {
      .storage = line->word_count == 2 ? line->words[0] : NULL,
      .kind = SLUICE_CHORE_BACKUP,
      .flags = flags_of(line),
      .folder = line->words[line->word_count - 1],
      .done = "the backup is whole"};
  return chores_run(line, "backup", &wish);
}

static int restore_run(const struct tool_line *line) {
  const struct chores_wish wish = {.storage = line->words[1],
                                   .kind = SLUICE_CHORE_RESTORE,
                                   .flags = flags_of(line),
                                   .folder = line->words[0],
                                   .done = "the store is whole"};
  return chores_run(line, "restore", &wish);
}

const struct tool tool_backup = {
    .name = "backup",
    .synopsis = "[--read] [--copy] [--json] [-c FILE] [BACKEND | DIR] FOLDER",
    .summary = "Brings a local store to a folder, while it is served or not.",
    .flags = of_backup,
    .words_min = 1,
    .words_max = 2,
    .json = true,
    .run = backup_run,
};

const struct tool tool_restore = {
    .name = "restore",
    .synopsis = "[--read] [--json] [-c FILE] FOLDER [BACKEND | DIR]",
    .summary = "Brings a backup back, to where no store is.",
    .flags = of_restore,
    .words_min = 1,
    .words_max = 2,
    .json = true,
    .run = restore_run,
};

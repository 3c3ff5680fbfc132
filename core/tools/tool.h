/* SPDX-License-Identifier: MIT
 *
 * A command of the program beside serving: `sluice NAME ...`.  Each is one
 * const struct tool in a file of its name, declared in tools.h and listed in
 * tools.c.  sluice(1) has a section for each.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#define TOOL_FLAGS_MAX 16
#define TOOL_VALUES_MAX 64 /* of a flag that may be repeated */

enum tool_status {
  TOOL_OK = 0,
  TOOL_FOUND = 1, /* it did its work, and there is something to know or do */
  TOOL_CANT = 2   /* the command line is wrong, or it couldn't be done */
};

/* An option of one command; those of all are in struct tool_line. */
struct tool_flag {
  const char *name;  /* without the dashes; one letter has one dash */
  const char *value; /* its value's name in the help; NULL: it has none */
  const char *help;
};

/* The command line as read: values are lent for as long as the process. */
struct tool_line {
  const char *file; /* -c: the configuration */
  bool named;       /* -c was given */
  bool json;        /* --json */
  /* The last value of each flag, by its place in the table, or "" for one
   * that has no value; NULL: it wasn't given. */
  const char *flags[TOOL_FLAGS_MAX];
  /* All of them that have a value, in their order. */
  struct {
    size_t flag;
    const char *value;
  } values[TOOL_VALUES_MAX];
  size_t value_count;
  char **words; /* behind the options, NULL-ended */
  size_t word_count;
};

struct tool {
  const char *name, *synopsis, *summary; /* synopsis: behind the name */
  const struct tool_flag *flags;         /* to a NULL name; NULL: none */
  size_t words_min, words_max;
  bool json;                            /* takes --json */
  int (*run)(const struct tool_line *); /* an enum tool_status */
};

/* Reads the options, which may stand anywhere, and runs it; argv[0] is its
 * name.  Options up to "--". */
int tool_main(const struct tool *, int argc, char **argv);
/* Says why nothing could be done, with --json as {"error": why}, too; returns
 * TOOL_CANT. */
int tool_cant(bool json, const char *why);
/* Says the usage of one. */
int tool_usage(const struct tool *, void *out /* FILE * */, int status);

#endif

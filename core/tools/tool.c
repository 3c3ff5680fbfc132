/* SPDX-License-Identifier: MIT
 *
 * Command lines of commands, read by their tables.
 */
#include "tool.h"

#include <stdio.h>
#include <string.h>

#include "jsonout.h"
#include "log.h"

int tool_cant(bool json, const char *why) {
  if (json) {
    fputs("{\"error\": ", stdout);
    jsonout_text(why);
    puts("}");
  }
  log_plain("sluice: %s", why);
  return TOOL_CANT;
}

int tool_usage(const struct tool *tool, void *out, int status) {
  fprintf(out, "usage: sluice %s%s%s\n\n%s\n\n", tool->name,
          tool->synopsis[0] != '\0' ? " " : "", tool->synopsis, tool->summary);
  for (const struct tool_flag *f = tool->flags; f != NULL && f->name; f++) {
    char left[64];
    snprintf(left, sizeof left, "%s%s%s%s", f->name[1] == '\0' ? "-" : "--",
             f->name, f->value == NULL ? "" : " ",
             f->value == NULL ? "" : f->value);
    fprintf(out, "  %-18s %s\n", left, f->help);
  }
  if (tool->json)
    fputs("  --json             print JSON\n", out);
  fputs("  -c FILE            the configuration (default: " SLUICE_SYSCONFDIR
        "/sluice.yaml)\n"
        "  --help             print this and end\n",
        out);
  return status;
}

static bool is_flag(const char *word, const char *name) {
  size_t dashes = name[1] == '\0' ? 1 : 2;
  return strncmp(word, "--", dashes) == 0 && strcmp(word + dashes, name) == 0;
}

/* One of the command's own; argv[*at] is behind it then.  False: it has none
 * of that name, or lacks its value. */
static bool take_flag(const struct tool *tool, struct tool_line *line,
                      int argc, char **argv, int *at) {
  const char *word = argv[(*at)++];
  for (size_t i = 0; tool->flags != NULL && tool->flags[i].name; i++) {
    const struct tool_flag *flag = &tool->flags[i];
    if (!is_flag(word, flag->name))
      continue;
    line->flags[i] = "";
    if (flag->value == NULL)
      return true;
    if (*at == argc) {
      log_plain("sluice %s: %s needs a value; write %s %s", tool->name, word,
                word, flag->value);
      return false;
    }
    if (line->value_count == TOOL_VALUES_MAX) {
      log_plain("sluice %s: there are too many options; at most %d can have a "
                "value",
                tool->name, TOOL_VALUES_MAX);
      return false;
    }
    line->flags[i] = argv[(*at)++];
    line->values[line->value_count].flag = i;
    line->values[line->value_count++].value = line->flags[i];
    return true;
  }
  log_plain("sluice %s: %s isn't an option of it; `sluice %s --help` lists "
            "them",
            tool->name, word, tool->name);
  return false;
}

static bool take_option(const struct tool *tool, struct tool_line *line,
                        int argc, char **argv, int *at) {
  if (tool->json && strcmp(argv[*at], "--json") == 0) {
    line->json = true;
    ++*at;
    return true;
  }
  if (strcmp(argv[*at], "-c") != 0)
    return take_flag(tool, line, argc, argv, at);
  if (*at + 1 == argc) {
    log_plain("sluice %s: -c needs a value; write -c FILE", tool->name);
    return false;
  }
  line->file = argv[*at + 1];
  line->named = true;
  *at += 2;
  return true;
}

static bool count_words(const struct tool *tool,
                        const struct tool_line *line) {
  if (line->word_count >= tool->words_min &&
      line->word_count <= tool->words_max)
    return true;
  log_plain("sluice %s: %s; write: sluice %s %s", tool->name,
            line->word_count < tool->words_min ? "something is missing"
                                               : "there are too many words",
            tool->name, tool->synopsis);
  return false;
}

int tool_main(const struct tool *tool, int argc, char **argv) {
  struct tool_line line = {.file = SLUICE_SYSCONFDIR "/sluice.yaml",
                           .words = argv};
  int at = 1;
  while (at < argc) {
    char *word = argv[at];
    if (strcmp(word, "--help") == 0)
      return tool_usage(tool, stdout, TOOL_OK);
    if (strcmp(word, "--") == 0) {
      for (at++; at < argc; at++)
        line.words[line.word_count++] = argv[at];
    } else if (word[0] != '-' || word[1] == '\0') {
      line.words[line.word_count++] = argv[at++];
    } else if (!take_option(tool, &line, argc, argv, &at)) {
      return TOOL_CANT;
    }
  }
  line.words[line.word_count] = NULL;
  return count_words(tool, &line) ? tool->run(&line) : TOOL_CANT;
}

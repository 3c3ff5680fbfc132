/* SPDX-License-Identifier: MIT
 *
 * Text: a line for each finding, then one with the counts.  JSON: one object,
 * written as it comes.
 */
#include "chores.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "jsonout.h"
#include "log.h"
#include "storage.h"

struct chores {
  bool json, any, bad, counted;
  const struct chores_wish *wish;
};

static void print_plain(const char *text) {
  for (; *text != '\0'; text++)
    putchar((unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
}

static void on_finding(void *arg, const struct sluice_finding *finding) {
  struct chores *chores = arg;
  if (!finding->good)
    chores->bad = true;
  if (!chores->json) {
    printf("%s %s: ", finding->good ? "ok " : "BAD", finding->what);
    print_plain(finding->key == NULL ? "" : finding->key);
    fputs(finding->key == NULL ? "" : ": ", stdout);
    print_plain(finding->text);
    putchar('\n');
    return;
  }
  fputs(chores->any ? ",\n  " : "\n  ", stdout);
  chores->any = true;
  fputs("{\"what\": ", stdout);
  jsonout_text(finding->what);
  fputs(", \"key\": ", stdout);
  jsonout_text(finding->key);
  fputs(", \"text\": ", stdout);
  jsonout_text(finding->text);
  printf(", \"good\": %s}", finding->good ? "true" : "false");
}

static void on_count(void *arg, const char *what, uint64_t number) {
  struct chores *chores = arg;
  if (!chores->json) {
    printf("%s%" PRIu64 " %s", chores->counted ? ", " : "", number, what);
  } else {
    fputs(chores->counted ? ", " : "\n ],\n ", stdout);
    jsonout_text(what);
    printf(": %" PRIu64, number);
  }
  chores->counted = true;
}

static void begin(const struct chores *chores) {
  if (chores->json)
    fputs("{\"findings\": [", stdout);
}

static void end(const struct chores *chores, const char *why) {
  if (!chores->json) {
    if (chores->counted)
      printf("; %s\n", chores->bad ? "see above" : chores->wish->done);
    return;
  }
  if (!chores->counted)
    fputs("\n ]", stdout);
  fputs(",\n \"error\": ", stdout);
  jsonout_text(why);
  fputs("}\n", stdout);
}

static int chores_do(struct storage *storage, struct chores *chores,
                     struct errmsg *err) {
  const struct chores_wish *wish = chores->wish;
  const struct sluice_chore chore = {.size = (uint32_t)sizeof chore,
                                     .kind = wish->kind,
                                     .flags = wish->flags,
                                     .folder = wish->folder,
                                     .tell = on_finding,
                                     .count = on_count,
                                     .arg = chores};
  const struct sluice_backend *backend = &storage->plugin.backend;
  enum sluice_status status =
      backend->chore == NULL
          ? SLUICE_ENOTSUP
          : backend->chore(storage->conf, &storage->host, &chore);
  if (status == SLUICE_OK)
    return chores->bad ? TOOL_FOUND : TOOL_OK;
  if (status == SLUICE_ENOTSUP)
    errmsg_set(err, "backend '%s' (%s) has no such thing; it is for `local`",
               storage->host.name, backend->name);
  else
    errmsg_set(err, "%s", storage->host.failure);
  return TOOL_CANT;
}

int chores_run(const struct tool_line *line, const char *command,
               const struct chores_wish *wish) {
  struct chores chores = {.json = line->json, .wish = wish};
  struct storage storage;
  struct errmsg err = {0};
  int status = TOOL_CANT;
  begin(&chores);
  if (storage_init(&storage, line->file, wish->storage, &err))
    status = chores_do(&storage, &chores, &err);
  end(&chores, status == TOOL_CANT ? err.text : NULL);
  if (fflush(stdout) != 0 || ferror(stdout))
    status = TOOL_CANT;
  if (status == TOOL_CANT)
    log_plain("sluice %s: %s", command, err.text);
  storage_fini(&storage);
  return status;
}

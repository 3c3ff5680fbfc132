/* SPDX-License-Identifier: MIT
 *
 * `sluice migrate`: all objects of one backend to another.  The source is only
 * read.  There is no state to resume by: objects that are there aren't carried
 * again, so a run that was killed goes on when it is started anew, and a run
 * after a run carries nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carrier.h"
#include "key.h"
#include "log.h"
#include "pair_of_stores.h"
#include "report.h"
#include "tools.h"

#define PAGE 1000
#define JOBS 16
#define JOBS_MAX 64
#define MIGRATE_KEY_MAX 4096

enum { DRY_RUN, MISSING, READ, JOBS_FLAG, PREFIX };

static const struct tool_flag flags[] = {
    [DRY_RUN] = {"dry-run", NULL, "tell what would be carried, and how much"},
    [MISSING] = {"missing", NULL, "only keys that the target hasn't at all"},
    [READ] = {"read", NULL, "read each object back from the target"},
    [JOBS_FLAG] = {"jobs", "N", "objects at a time: 1 to 64 (16)"},
    [PREFIX] = {"prefix", "TEXT", "only keys that begin so"},
    {NULL, NULL, NULL}};

/* They end by themselves, or belong to somebody's upload that goes on. */
static const char *const left_behind[] = {KEY_OWN "/stages/", KEY_OWN "/once/",
                                          NULL};

struct migrate {
  struct pair_of_stores pair;
  struct report report;
  struct carrier *carriers;
  size_t jobs, busy;
  const char *prefix;
  char *keys[PAGE], *token; /* the page at hand */
  size_t count, at;
  bool listing, listed, dry;
  uint64_t objects, bytes, ended[CARRIER_ENDS], left, incomplete;
  struct errmsg err;
};

static void feed(struct migrate *migrate);

/* ---- the source's list -------------------------------------------------- */

static void free_page(struct migrate *migrate) {
  while (migrate->count > 0)
    free(migrate->keys[--migrate->count]);
  migrate->at = 0;
}

static bool is_left_behind(const char *key) {
  for (const char *const *p = left_behind; *p != NULL; p++)
    if (strncmp(key, *p, strlen(*p)) == 0)
      return true;
  return false;
}

static void take_page(struct migrate *migrate, struct sluice_op *op) {
  for (size_t i = 0; i < op_entries(op) && i < PAGE; i++) {
    struct op_entry entry = op_entry(op, i);
    if (is_left_behind(entry.key)) {
      migrate->left++;
      continue;
    }
    migrate->objects++;
    migrate->bytes += entry.meta == NULL ? 0 : entry.meta->length;
    if ((migrate->keys[migrate->count] = strdup(entry.key)) != NULL)
      migrate->count++;
  }
  free(migrate->token);
  migrate->token = op_token(op) == NULL ? NULL : strdup(op_token(op));
  migrate->listed = migrate->token == NULL;
}

struct page {
  struct migrate *migrate;
  struct sluice_op *op;
};

static void on_list_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct page *page = arg;
  struct migrate *migrate = page->migrate;
  migrate->listing = false;
  if (status == SLUICE_OK) {
    take_page(migrate, page->op);
  } else {
    migrate->listed = true;
    errmsg_set(&migrate->err,
               "the source can't be listed: %s; what was "
               "carried is there, run it again",
               why == NULL ? "no reason given" : why);
  }
  free(page);
  feed(migrate);
}

static void migrate_list(struct migrate *migrate) {
  static const struct op_events events = {.done = on_list_done};
  const struct sluice_list list = {
      .prefix = migrate->prefix, .token = migrate->token, .max = PAGE};
  struct page *page = calloc(1, sizeof *page);
  if (page == NULL)
    abort(); /* some bytes */
  page->migrate = migrate;
  migrate->listing = true;
  page->op = op_list(migrate->pair.from, &list, &events, page);
}

/* ---- its objects -------------------------------------------------------- */

static void migrate_tell(struct migrate *migrate, const char *what,
                         const char *key, const char *text) {
  const struct sluice_finding finding = {SLUICE_FINDING, .what = what,
                                         .key = key, .text = text};
  report_finding(&migrate->report, &finding);
}

static void on_carried(struct carrier *carrier, enum carrier_end end) {
  struct migrate *migrate = carrier->arg;
  struct errmsg text;
  migrate->busy--;
  migrate->ended[end]++;
  if (end == CARRIER_FAILED)
    migrate_tell(migrate, "not-carried", carrier->key, carrier->why.text);
  if (end == CARRIER_CARRIED && carrier->lost[0] != '\0') {
    errmsg_set(&text, "carried without its %s, which can't be kept",
               carrier->lost);
    migrate_tell(migrate, "header-lost", carrier->key, text.text);
  }
  feed(migrate);
}

static struct carrier *find_free(struct migrate *migrate) {
  for (size_t i = 0; i < migrate->jobs; i++)
    if (migrate->carriers[i].get == NULL && migrate->carriers[i].put == NULL &&
        !migrate->carriers[i].ending && !migrate->carriers[i].filling)
      return &migrate->carriers[i];
  return NULL;
}

static void feed(struct migrate *migrate) {
  struct carrier *carrier;
  while (migrate->at < migrate->count &&
         (carrier = find_free(migrate)) != NULL) {
    migrate->busy++;
    carrier_start(carrier, migrate->keys[migrate->at++]);
  }
  if (migrate->at < migrate->count || migrate->listing)
    return;
  free_page(migrate);
  if (!migrate->listed)
    migrate_list(migrate);
  else if (migrate->busy == 0)
    loop_stop(migrate->pair.stand.loop);
}

/* ---- the command -------------------------------------------------------- */

static bool make_carriers(struct migrate *migrate,
                          const struct tool_line *line) {
  struct pair_of_stores *pair = &migrate->pair;
  migrate->carriers = calloc(migrate->jobs, sizeof *migrate->carriers);
  for (size_t i = 0; migrate->carriers != NULL && i < migrate->jobs; i++) {
    struct carrier *carrier = &migrate->carriers[i];
    carrier->from = pair->from;
    carrier->to = pair->to;
    carrier->loop = pair->stand.loop;
    carrier->share = work_own(pair->gateway->pool);
    carrier->dry = migrate->dry;
    carrier->missing = line->flags[MISSING] != NULL;
    carrier->read = line->flags[READ] != NULL;
    carrier->done = on_carried;
    carrier->arg = migrate;
    carrier_init(carrier);
  }
  return migrate->carriers != NULL ||
         errmsg_set(&migrate->err, "out of memory");
}

static bool migrate_read_line(struct migrate *migrate,
                              const struct tool_line *line) {
  const char *jobs = line->flags[JOBS_FLAG];
  char *end = NULL;
  long number = jobs == NULL ? JOBS : strtol(jobs, &end, 10);
  migrate->dry = line->flags[DRY_RUN] != NULL;
  migrate->prefix = line->flags[PREFIX] == NULL ? "" : line->flags[PREFIX];
  migrate->jobs = (size_t)number;
  return (number >= 1 && number <= JOBS_MAX &&
          (end == NULL || (end != jobs && *end == '\0'))) ||
         errmsg_set(&migrate->err, "--jobs %s: write a number from 1 to %d",
                    jobs, JOBS_MAX);
}

static void count_all(struct migrate *migrate) {
  const struct {
    const char *what;
    uint64_t number;
  } counts[] = {
      {"objects", migrate->objects},
      {"bytes", migrate->bytes},
      {migrate->dry ? "missing" : "carried", migrate->ended[CARRIER_CARRIED]},
      {"there", migrate->ended[CARRIER_THERE]},
      {"gone", migrate->ended[CARRIER_GONE]},
      {"failed", migrate->ended[CARRIER_FAILED]},
      {"left", migrate->left}};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    report_count(&migrate->report, counts[i].what, counts[i].number);
}

static bool migrate_do(struct migrate *migrate, const struct tool_line *line) {
  if (!migrate_read_line(migrate, line) ||
      !pair_of_stores_init(&migrate->pair, line->file, line->words[0],
                           line->words[1], &migrate->err) ||
      !make_carriers(migrate, line))
    return false;
  migrate_list(migrate);
  loop_run(migrate->pair.stand.loop);
  count_all(migrate);
  return migrate->err.text[0] == '\0';
}

static int migrate_run(const struct tool_line *line) {
  struct migrate *migrate = calloc(1, sizeof *migrate);
  int status = TOOL_CANT;
  if (migrate == NULL)
    return TOOL_CANT;
  log_set_level(SLUICE_LOG_WARN);
  report_begin(&migrate->report, line->json);
  if (migrate_do(migrate, line))
    status = migrate->report.bad ? TOOL_FOUND : TOOL_OK;
  if (!report_end(&migrate->report,
                  migrate->dry ? "nothing was carried" : "all of it is there",
                  status == TOOL_CANT ? migrate->err.text : NULL))
    status = TOOL_CANT;
  if (status == TOOL_CANT)
    log_plain("sluice migrate: %s", migrate->err.text);
  for (size_t i = 0; migrate->carriers != NULL && i < migrate->jobs; i++)
    carrier_fini(&migrate->carriers[i]);
  free(migrate->carriers);
  free_page(migrate);
  free(migrate->token);
  pair_of_stores_fini(&migrate->pair);
  free(migrate);
  return status;
}

const struct tool tool_migrate = {
    .name = "migrate",
    .synopsis = "[--dry-run] [--missing] [--read] [--jobs N] [--prefix TEXT] "
                "[--json] [-c FILE] FROM TO",
    .summary = "Carries all objects of one backend to another.",
    .flags = flags,
    .words_min = 2,
    .words_max = 2,
    .json = true,
    .run = migrate_run,
};

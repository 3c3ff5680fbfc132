/* SPDX-License-Identifier: MIT
 *
 * The entry `chore` of a backend, called.
 */
#include "chores.h"

#include "log.h"
#include "report.h"
#include "storage.h"
#include "sweep_expired.h"

static int chores_do(struct storage *storage, const struct chores_wish *wish,
                     struct report *report, struct errmsg *err) {
  const struct sluice_chore chore = {.size = (uint32_t)sizeof chore,
                                     .kind = wish->kind,
                                     .flags = wish->flags,
                                     .folder = wish->folder,
                                     .older_ms = wish->older_ms,
                                     .tell = report_finding,
                                     .count = report_count,
                                     .arg = report};
  const struct sluice_backend *backend = &storage->plugin.backend;
  enum sluice_status status =
      backend->chore == NULL
          ? SLUICE_ENOTSUP
          : backend->chore(storage->conf, &storage->host, &chore);
  if (status == SLUICE_OK || (status == SLUICE_ENOTSUP && wish->expired))
    return report->bad ? TOOL_FOUND : TOOL_OK;
  if (status == SLUICE_ENOTSUP)
    errmsg_set(err, "backend '%s' (%s) has no such thing; it is for `local`",
               storage->host.name, backend->name);
  else
    errmsg_set(err, "%s", storage->host.failure);
  return TOOL_CANT;
}

/* First, as findings come before counts.  A folder alone is no backend. */
static int chores_do_all(const struct tool_line *line, struct storage *storage,
                         const struct chores_wish *wish, struct report *report,
                         struct errmsg *err) {
  bool removes = (wish->flags & SLUICE_CHORE_DO) != 0;
  bool expired = wish->expired && storage->config == NULL;
  uint64_t count = 0;
  if (expired && !sweep_expired(line->file, storage->host.name, removes,
                                report, &count, err))
    return TOOL_CANT;
  int status = chores_do(storage, wish, report, err);
  if (expired && status != TOOL_CANT && count != SWEEP_EXPIRED_NONE)
    report_count(report, "expired", count);
  return status;
}

int chores_run(const struct tool_line *line, const char *command,
               const struct chores_wish *wish) {
  struct report report;
  struct storage storage;
  struct errmsg err = {0};
  int status = TOOL_CANT;
  report_begin(&report, line->json);
  if (storage_init(&storage, line->file, wish->storage, &err))
    status = chores_do_all(line, &storage, wish, &report, &err);
  if (!report_end(&report, wish->done,
                  status == TOOL_CANT ? err.text : NULL) &&
      status != TOOL_CANT) {
    errmsg_set(&err, "standard output can't be written");
    status = TOOL_CANT;
  }
  if (status == TOOL_CANT)
    log_plain("sluice %s: %s", command, err.text);
  storage_fini(&storage);
  return status;
}

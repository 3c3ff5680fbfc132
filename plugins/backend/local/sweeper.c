/* SPDX-License-Identifier: MIT
 *
 * A gateway that serves the store does it every few minutes, so this is for
 * one that is stopped.
 */
#include "sweeper.h"

#include "date.h"
#include "hold.h"
#include "index.h"
#include "schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define EXPIRED " FROM stage WHERE expires <= ?1"

struct sweeper {
  const struct sluice_chore *chore;
  struct datadir datadir;
  struct store store;
  sqlite3 *db;
  bool removes;
  int64_t now_s;
  uint64_t found, bytes;
  struct errmsg err;
};

static bool failed(struct sweeper *sweeper) {
  index_fault(sweeper->db, &sweeper->err);
  return false;
}

static void tell_stage(struct sweeper *sweeper, uint64_t bytes,
                       int64_t expired_s) {
  struct errmsg text;
  errmsg_set(&text, "an upload of %llu bytes so far that expired %lld s ago%s",
             (unsigned long long)bytes, (long long)expired_s,
             sweeper->removes ? "; it was removed" : "; --do removes it");
  const struct sluice_finding finding = {
      SLUICE_FINDING, .what = "expired-stage", .text = text.text,
      .good = sweeper->removes};
  sweeper->found++;
  sweeper->bytes += bytes;
  sweeper->chore->tell(sweeper->chore->arg, &finding);
}

static bool tell_stages(struct sweeper *sweeper) {
  sqlite3_stmt *scan = NULL;
  int result = sqlite3_prepare_v2(
      sweeper->db, "SELECT iif(blob NOT NULL, size, 0), expires" EXPIRED, -1,
      &scan, NULL);
  if (result == SQLITE_OK) {
    sqlite3_bind_int64(scan, 1, sweeper->now_s);
    while ((result = index_step(scan)) == SQLITE_ROW)
      tell_stage(sweeper, (uint64_t)sqlite3_column_int64(scan, 0),
                 sweeper->now_s - sqlite3_column_int64(scan, 1));
  }
  bool ok = result == SQLITE_DONE || failed(sweeper);
  sqlite3_finalize(scan);
  return ok;
}

static bool run_sql(struct sweeper *sweeper, const char *sql) {
  sqlite3_stmt *statement = NULL;
  bool ok =
      sqlite3_prepare_v2(sweeper->db, sql, -1, &statement, NULL) == SQLITE_OK;
  if (ok) {
    sqlite3_bind_int64(statement, 1, sweeper->now_s);
    ok = index_step(statement) == SQLITE_DONE;
  }
  ok = ok || failed(sweeper);
  sqlite3_finalize(statement);
  return ok;
}

/* First it is garbage, then it goes: as the gateway does. */
static bool remove_blobs(struct sweeper *sweeper) {
  sqlite3_stmt *scan = NULL;
  bool all = true;
  int result = sqlite3_prepare_v2(sweeper->db, "SELECT blob FROM garbage", -1,
                                  &scan, NULL);
  if (result == SQLITE_OK)
    while ((result = index_step(scan)) == SQLITE_ROW)
      all = store_unlink(&sweeper->store,
                         (uint64_t)sqlite3_column_int64(scan, 0)) &&
            all;
  sqlite3_finalize(scan);
  return (result == SQLITE_DONE &&
          (!all || !store_sync_unlinked(&sweeper->store) ||
           index_exec(sweeper->db, "DELETE FROM garbage"))) ||
         failed(sweeper);
}

static bool sweep_stages(struct sweeper *sweeper) {
  return (index_exec(sweeper->db, "BEGIN IMMEDIATE") || failed(sweeper)) &&
         tell_stages(sweeper) &&
         run_sql(sweeper, "INSERT OR IGNORE INTO garbage SELECT blob" EXPIRED
                          " AND blob NOT NULL") &&
         run_sql(sweeper, "DELETE" EXPIRED) &&
         (index_exec(sweeper->db, "COMMIT") || failed(sweeper)) &&
         remove_blobs(sweeper);
}

static bool sweep_store(struct sweeper *sweeper, const char *directory) {
  if (!datadir_open(&sweeper->datadir, directory, false, NULL,
                    &sweeper->err) ||
      !store_open(&sweeper->store, sweeper->datadir.dir, true, false,
                  &sweeper->err))
    return false;
  int hold = hold_take(sweeper->datadir.dir, HOLD_COPY);
  sweeper->db = index_open(sweeper->datadir.path, NULL, true, &sweeper->err);
  bool ok = sweeper->db != NULL &&
            (schema_upgrade(sweeper->db) || failed(sweeper)) &&
            (sweeper->removes ? sweep_stages(sweeper) : tell_stages(sweeper));
  if (sweeper->db != NULL)
    index_copy_back_at_close(sweeper->db);
  index_close(sweeper->db);
  hold_end(hold);
  return ok;
}

enum sluice_status sweeper_run(const struct local_conf *conf,
                               struct sluice_host *host,
                               const struct sluice_chore *chore) {
  struct sweeper sweeper = {.chore = chore,
                            .datadir = DATADIR_CLOSED,
                            .store = STORE_CLOSED,
                            .removes = (chore->flags & SLUICE_CHORE_DO) != 0,
                            .now_s = date_now_ms() / 1000};
  bool ok = sweep_store(&sweeper, conf->directory);
  store_close(&sweeper.store);
  datadir_close(&sweeper.datadir);
  if (!ok) {
    sluice_fail(host, "%s", sweeper.err.text);
    return SLUICE_EIO;
  }
  chore->count(chore->arg, "found", sweeper.found);
  chore->count(chore->arg, "bytes", sweeper.bytes);
  return SLUICE_OK;
}

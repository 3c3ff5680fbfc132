/* SPDX-License-Identifier: MIT
 *
 * Rows of the table `stage`, written by the lane.
 */
#include "stage.h"

#include "date.h"
#include "digest.h"
#include "index.h"
#include "local.h"

#include <stddef.h>
#include <stdlib.h>

static const struct index_sql statements[] = {
    {offsetof(struct stage_sql, make),
     "INSERT INTO stage(id, size, blob, state, expires, complete, owner)"
     " VALUES(?1, 0, NULL, ?2, ?3, 0, ?4)"},
    {offsetof(struct stage_sql, find),
     "SELECT size, blob, state, expires, complete FROM stage WHERE id = ?1"},
    {offsetof(struct stage_sql, save),
     "UPDATE stage SET size = ?2, blob = ?3, state = ?4, expires = ?5"
     " WHERE id = ?1"},
    {offsetof(struct stage_sql, complete),
     "UPDATE stage SET size = ?2, blob = NULL, state = ?3, expires = ?4,"
     " complete = 1 WHERE id = ?1"},
    {offsetof(struct stage_sql, make_complete),
     "INSERT INTO stage(id, size, blob, state, expires, complete, owner)"
     " VALUES(?1, ?2, NULL, ?3, ?4, 1, ?5)"},
    {offsetof(struct stage_sql, erase), "DELETE FROM stage WHERE id = ?1"},
    {offsetof(struct stage_sql, expired),
     "SELECT id, blob FROM stage WHERE expires <= ?1"},
    {offsetof(struct stage_sql, count),
     "SELECT count(*) FROM stage WHERE owner = ?1 AND NOT complete"
     " AND expires > ?2"},
    {0, NULL}};

bool stage_sql_open(struct stage_sql *sql, sqlite3 *db) {
  return index_prepare(db, statements, sql);
}

static struct stage_sql *sql_of(struct local *local) {
  return &local->writer.stage;
}

static void stage_bind_number(sqlite3_stmt *to, int at, uint64_t number) {
  sqlite3_bind_int64(to, at, (int64_t)number);
}

/* Finds the row.  False: the index failed; a row that isn't there, or is over,
 * fails the task with SLUICE_ENOENT. */
static bool find(struct local *local, struct task *task) {
  struct stage *stage = task->stage;
  sqlite3_stmt *row = sql_of(local)->find;
  sqlite3_bind_int64(row, 1, stage->id);
  int result = index_step(row);
  if (result == SQLITE_ROW) {
    stage->size = (uint64_t)sqlite3_column_int64(row, 0);
    stage->blob = (uint64_t)sqlite3_column_int64(row, 1);
    buf_clear(&stage->state);
    if (!buf_add(&stage->state, sqlite3_column_blob(row, 2),
                 (size_t)sqlite3_column_bytes(row, 2)))
      task->status = SLUICE_ENOMEM;
    stage->expires_s = sqlite3_column_int64(row, 3);
    stage->complete = sqlite3_column_int(row, 4) != 0;
  }
  index_reset(row);
  bool over = result == SQLITE_ROW && task->stage->step != STAGE_REMOVE &&
              stage->expires_s <= date_now_ms() / 1000;
  if (result == SQLITE_DONE || over)
    task->status = SLUICE_ENOENT;
  return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* Another process can't be told to let go: it ends with its client. */
static bool is_elsewhere(struct local *local, struct task *task, int64_t id) {
  if (!share_has_stage(&local->share, id))
    return false;
  task_fail(task, SLUICE_EBUSY,
            "the gateway process before still receives this upload");
  return true;
}

static void take_seat(struct local *local, struct task *task) {
  struct stage *stage = task->stage;
  if (is_elsewhere(local, task, stage->id))
    return;
  if (!stage->mark &&
      !share_open_stage(&local->share, stage->id, &stage->mark)) {
    task_fail(task, SLUICE_EBUSY, "too many uploads are open");
    return;
  }
  if (!stage->seat)
    stage->seat = seats_find(&local->writer.seats, stage->id);
  if (!stage->seat)
    task->status = SLUICE_ENOMEM;
  else
    stage->again = !seat_take(stage->seat, &stage->turn);
}

int64_t stage_new_id(void) {
  int64_t id;
  digest_random(&id, sizeof id);
  return id & INT64_MAX;
}

static bool make(struct local *local, struct task *task) {
  struct stage *stage = task->stage;
  sqlite3_stmt *row = sql_of(local)->make;
  sqlite3_stmt *count = sql_of(local)->count;
  if (stage->owner_max > 0) {
    index_bind(count, 1, stage->owner.data, stage->owner.len);
    sqlite3_bind_int64(count, 2, date_now_ms() / 1000);
    bool ok = index_step(count) == SQLITE_ROW;
    uint64_t has = ok ? (uint64_t)sqlite3_column_int64(count, 0) : 0;
    index_reset(count);
    if (ok && has >= stage->owner_max)
      task->status = SLUICE_ERATE;
    if (!ok || task->status != SLUICE_OK)
      return ok;
  }
  sqlite3_bind_int64(row, 1, stage->id);
  index_bind(row, 2, stage->state.data, stage->state.len);
  sqlite3_bind_int64(row, 3, stage->expires_s);
  index_bind(row, 4, stage->owner.data, stage->owner.len);
  if (!index_run(row))
    return false;
  if (stage->seat) /* the batch before this one was rolled back */
    seat_leave(stage->seat);
  stage->seat = NULL;
  share_close_stage(stage->mark);
  stage->mark = NULL;
  take_seat(local, task);
  return true;
}

static void lost(struct task *task) {
  task_fail(task, SLUICE_EPRECOND, "another request has taken the upload");
}

/* The row may have gone with its time; then nobody has it, and the blob is
 * garbage. */
static bool save(struct local *local, struct task *task) {
  struct stage *stage = task->stage;
  sqlite3_stmt *row = sql_of(local)->save;
  if (!seat_is(stage->seat, stage->turn)) {
    lost(task);
    return true;
  }
  uint64_t blob = task->blob ? task->blob : stage->blob;
  sqlite3_bind_int64(row, 1, stage->id);
  stage_bind_number(row, 2, task->written);
  if (blob)
    stage_bind_number(row, 3, blob);
  index_bind(row, 4, stage->state.data, stage->state.len);
  sqlite3_bind_int64(row, 5, stage->expires_s);
  if (!index_run(row))
    return false;
  if (sqlite3_changes(local->writer.db) == 0)
    task->status = SLUICE_ENOENT;
  else if (task->blob)
    return index_run_number(local->writer.put_recent, task->blob);
  return true;
}

static bool erase(struct local *local, struct task *task, int64_t id,
                  uint64_t blob) {
  if (is_elsewhere(local, task, id))
    return true;
  struct seat *seat = seats_find(&local->writer.seats, id);
  if (seat) {
    seat_clear(seat);
    seat_leave(seat);
  } else {
    task->status = SLUICE_ENOMEM;
    return true;
  }
  task->old = blob;
  sqlite3_bind_int64(sql_of(local)->erase, 1, id);
  return index_run(sql_of(local)->erase) &&
         (blob == 0 || index_run_number(local->writer.put_garbage, blob));
}

/* The first that nobody has open elsewhere: those wait for the next sweep. */
static bool stage_sweep_once(struct local *local, struct task *task) {
  sqlite3_stmt *expired = sql_of(local)->expired;
  int result;
  sqlite3_bind_int64(expired, 1, task->stage->now_s);
  do
    result = index_step(expired);
  while (result == SQLITE_ROW &&
         share_has_stage(&local->share, sqlite3_column_int64(expired, 0)));
  int64_t id = result == SQLITE_ROW ? sqlite3_column_int64(expired, 0) : 0;
  uint64_t blob =
      result == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(expired, 1) : 0;
  index_reset(expired);
  task->stage->again = result == SQLITE_ROW;
  if (result == SQLITE_ROW)
    return erase(local, task, id, blob);
  return result == SQLITE_DONE;
}

bool stage_apply(struct local *local, struct task *task) {
  struct stage *stage = task->stage;
  switch (stage->step) {
  case STAGE_MAKE:
    return make(local, task);
  case STAGE_OPEN:
    if (!find(local, task))
      return false;
    if (task->status == SLUICE_OK)
      take_seat(local, task);
    return true;
  case STAGE_LOOK:
    return find(local, task);
  case STAGE_SAVE:
    return save(local, task);
  case STAGE_COMMIT:
    if (!stage->unmade && !seat_is(stage->seat, stage->turn))
      lost(task);
    return true;
  case STAGE_REMOVE:
    return find(local, task) && (task->status != SLUICE_OK ||
                                 erase(local, task, stage->id, stage->blob));
  case STAGE_SWEEP:
    return stage_sweep_once(local, task);
  }
  return true;
}

bool stage_complete(struct local *local, struct task *task) {
  const struct stage *stage = task->stage;
  sqlite3_stmt *row =
      stage->unmade ? sql_of(local)->make_complete : sql_of(local)->complete;
  sqlite3_bind_int64(row, 1, stage->id);
  stage_bind_number(row, 2, task->row.length);
  index_bind(row, 3, stage->state.data, stage->state.len);
  sqlite3_bind_int64(row, 4, stage->expires_s);
  if (stage->unmade)
    index_bind(row, 5, stage->owner.data, stage->owner.len);
  return index_run(row);
}

bool stage_needs_no_room(const struct task *task) {
  switch (task->stage->step) {
  case STAGE_OPEN:
  case STAGE_LOOK:
  case STAGE_REMOVE:
  case STAGE_SWEEP:
    return true;
  case STAGE_MAKE:
  case STAGE_SAVE:
  case STAGE_COMMIT:
    return false;
  }
  return false;
}

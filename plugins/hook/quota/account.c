/* SPDX-License-Identifier: MIT
 *
 * The sums of an owner are kept beside the objects, in the same transaction,
 * so that nothing is ever added up anew.
 */
#include "account.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT_VERSION "2" /* 1: its objects were keys alone */

/* A source that isn't in the account counts as so many: the copy itself tells
 * how many it has, and nothing that it replaces makes room for them. */
#define BYTES_UNKNOWN 1

struct account {
  sqlite3 *db;
  int64_t bytes, objects; /* the limits; 0: none */
  char trouble[256];
};

struct amount {
  int64_t bytes, objects;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS object (key TEXT PRIMARY KEY, owner TEXT NOT "
    "NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS owner (name TEXT PRIMARY KEY, bytes INTEGER "
    "NOT NULL, objects INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS pending (id INTEGER PRIMARY KEY, key TEXT NOT "
    "NULL, owner TEXT NOT NULL, bytes INTEGER NOT NULL, charged_bytes INTEGER "
    "NOT NULL, charged_objects INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS pending_key ON pending (key);"
    "PRAGMA user_version = " ACCOUNT_VERSION;

/* ---- statements --------------------------------------------------------- */

/* The arguments as `types` say: t text, i int64_t.  NULL: it failed. */
static sqlite3_stmt *prepare(struct account *account, const char *sql,
                             const char *types, va_list values) {
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2(account->db, sql, -1, &statement, NULL);
  for (int i = 1; result == SQLITE_OK && *types != '\0'; i++, types++)
    result = *types == 't'
                 ? sqlite3_bind_text(statement, i, va_arg(values, char *), -1,
                                     SQLITE_TRANSIENT)
                 : sqlite3_bind_int64(statement, i, va_arg(values, int64_t));
  if (result == SQLITE_OK)
    return statement;
  sqlite3_finalize(statement);
  return NULL;
}

static bool run(struct account *account, const char *sql, const char *types,
                ...) {
  va_list values;
  va_start(values, types);
  sqlite3_stmt *statement = prepare(account, sql, types, values);
  va_end(values);
  bool ok = statement != NULL && sqlite3_step(statement) == SQLITE_DONE;
  sqlite3_finalize(statement);
  return ok;
}

/* One row of two numbers, or none, which are zeros. */
static bool find(struct account *account, struct amount *found,
                 const char *sql, const char *types, ...) {
  va_list values;
  va_start(values, types);
  sqlite3_stmt *statement = prepare(account, sql, types, values);
  va_end(values);
  *found = (struct amount){0, 0};
  int result = statement == NULL ? SQLITE_ERROR : sqlite3_step(statement);
  if (result == SQLITE_ROW) {
    found->bytes = sqlite3_column_int64(statement, 0);
    found->objects = sqlite3_column_int64(statement, 1);
  }
  sqlite3_finalize(statement);
  return result == SQLITE_ROW || result == SQLITE_DONE;
}

static bool add(struct account *account, const char *owner, int64_t bytes,
                int64_t objects) {
  return run(account,
             "INSERT INTO owner VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
             "SET bytes = bytes + excluded.bytes, "
             "objects = objects + excluded.objects",
             "tii", owner, bytes, objects);
}

/* ---- tasks -------------------------------------------------------------- */

static bool account_release(struct account *account, int64_t id) {
  return run(account,
             "UPDATE owner SET bytes = owner.bytes - p.charged_bytes, objects "
             "= "
             "owner.objects - p.charged_objects FROM pending p WHERE p.id = ? "
             "AND "
             "owner.name = p.owner",
             "i", id) &&
         run(account, "DELETE FROM pending WHERE id = ?", "i", id);
}

/* The object's part of its owner's sums goes. */
static bool erase(struct account *account, const char *key) {
  return run(account,
             "UPDATE owner SET bytes = owner.bytes - o.bytes, objects = "
             "objects - 1 FROM object o WHERE o.key = ? AND owner.name = "
             "o.owner",
             "t", key) &&
         run(account, "DELETE FROM object WHERE key = ?", "t", key);
}

static bool put(struct account *account, const char *key, const char *owner,
                int64_t bytes) {
  return erase(account, key) &&
         run(account, "INSERT INTO object VALUES (?, ?, ?)", "tti", key, owner,
             bytes) &&
         add(account, owner, bytes, 1);
}

/* Whatever was to replace the object doesn't any more: it counts in full. */
static bool charge_fully(struct account *account, const char *key) {
  return run(account,
             "UPDATE owner SET bytes = owner.bytes + p.bytes, objects = "
             "owner.objects + p.objects FROM (SELECT owner AS name, sum(bytes "
             "- "
             "charged_bytes) AS bytes, sum(1 - charged_objects) AS objects "
             "FROM pending WHERE key = ? GROUP BY owner) p WHERE owner.name = "
             "p.name",
             "t", key) &&
         run(account,
             "UPDATE pending SET charged_bytes = bytes, charged_objects = 1 "
             "WHERE key = ?",
             "t", key);
}

static int64_t above(int64_t number, int64_t less) {
  return number > less ? number - less : 0;
}

static bool is_within(int64_t used, int64_t more, int64_t limit) {
  return limit == 0 || more == 0 || (used <= limit && more <= limit - used);
}

static bool reserve(struct account *account, struct account_task *task) {
  static const char mine[] =
      "SELECT bytes, 1 FROM object WHERE key = ? AND owner = ?";
  struct amount old, source, credit, used;
  if (task->reserved != 0 && !account_release(account, task->reserved))
    return false;
  task->reserved = 0;
  if (!find(account, &source, "SELECT bytes, 1 FROM object WHERE key = ?", "t",
            task->source) ||
      !find(account, &credit, mine, "tt", task->moves ? task->source : "",
            task->owner) ||
      !find(account, &old, mine, "tt", task->object, task->owner) ||
      !find(account, &used, "SELECT bytes, objects FROM owner WHERE name = ?",
            "t", task->owner))
    return false;
  bool is_unknown = task->source[0] != '\0' && source.objects == 0;
  if (task->source[0] != '\0')
    task->bytes = is_unknown ? BYTES_UNKNOWN : source.bytes;
  int64_t bytes = is_unknown ? BYTES_UNKNOWN
                             : above(task->bytes, old.bytes + credit.bytes);
  int64_t objects = above(1, old.objects + credit.objects);
  task->used_bytes = used.bytes;
  task->used_objects = used.objects;
  task->fits = is_within(used.bytes, bytes, account->bytes) &&
               is_within(used.objects, objects, account->objects);
  if (!task->fits || task->act == ACCOUNT_LOOK)
    return true;
  bool ok =
      run(account,
          "INSERT INTO pending (key, owner, bytes, charged_bytes, "
          "charged_objects) VALUES (?, ?, ?, ?, ?)",
          "ttiii", task->object, task->owner, task->bytes, bytes, objects) &&
      add(account, task->owner, bytes, objects);
  task->reserved = sqlite3_last_insert_rowid(account->db);
  return ok;
}

/* An object of before, which says no backend, is whose it is asked for first.
 */
static bool adopt(struct account *account, const char *object) {
  const char *tab = strchr(object, '\t');
  return tab == NULL ||
         run(account, "UPDATE OR IGNORE object SET key = ? WHERE key = ?",
             "tt", object, tab + 1);
}

static bool apply(struct account *account, struct account_task *task) {
  if (!adopt(account, task->object) || !adopt(account, task->source))
    return false;
  switch (task->act) {
  case ACCOUNT_LOOK:
  case ACCOUNT_RESERVE:
    return reserve(account, task);
  case ACCOUNT_CONFIRM:
    return account_release(account, task->reserved) &&
           put(account, task->object, task->owner, task->bytes);
  case ACCOUNT_RELEASE:
    return account_release(account, task->reserved);
  case ACCOUNT_REMOVE:
    return erase(account, task->object) && charge_fully(account, task->object);
  }
  return false;
}

void account_run(struct account *account, struct account_task *const *tasks,
                 size_t count) {
  bool ok = run(account, "BEGIN IMMEDIATE", "");
  for (size_t i = 0; i < count && ok; i++)
    ok = apply(account, tasks[i]);
  ok = ok && run(account, "COMMIT", "");
  if (!ok) {
    const char *why = sqlite3_errmsg(account->db);
    size_t len = strnlen(why, sizeof account->trouble - 1);
    memcpy(account->trouble, why, len);
    account->trouble[len] = '\0';
    run(account, "ROLLBACK", "");
  }
  for (size_t i = 0; i < count; i++)
    tasks[i]->done = ok;
}

const char *account_trouble(const struct account *account) {
  return account->trouble;
}

/* ---- the file ----------------------------------------------------------- */

/* Of two that may be there the larger counts. */
static bool settle(struct account *account) {
  return run(account, "BEGIN IMMEDIATE", "") &&
         run(account,
             "INSERT INTO object SELECT key, owner, max(bytes) FROM pending "
             "WHERE true GROUP BY key ON CONFLICT (key) DO UPDATE SET bytes = "
             "max(bytes, excluded.bytes), owner = excluded.owner",
             "") &&
         run(account, "DELETE FROM pending", "") &&
         run(account, "DELETE FROM owner", "") &&
         run(account,
             "INSERT INTO owner SELECT owner, sum(bytes), count(*) FROM "
             "object GROUP BY owner",
             "") &&
         run(account, "COMMIT", "");
}

static bool is_ours(struct account *account) {
  struct amount version;
  return find(account, &version,
              "SELECT user_version, 0 FROM "
              "pragma_user_version",
              "") &&
         version.bytes >= 0 && version.bytes <= 2;
}

/* Locked as long as it is open: two gateways would each count for itself. */
static bool prepare_file(struct account *account) {
  static const char modes[] = "PRAGMA locking_mode = EXCLUSIVE;"
                              "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL";
  return sqlite3_exec(account->db, modes, NULL, NULL, NULL) == SQLITE_OK &&
         is_ours(account) &&
         sqlite3_exec(account->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
         settle(account);
}

struct account *account_open(const char *path, int64_t bytes, int64_t objects,
                             struct errmsg *err) {
  struct account *account = calloc(1, sizeof *account);
  if (account == NULL) {
    errmsg_set(err, "there is no memory");
    return NULL;
  }
  account->bytes = bytes;
  account->objects = objects;
  int result = sqlite3_open_v2(
      path, &account->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
  if (result == SQLITE_OK && prepare_file(account))
    return account;
  errmsg_set(err,
             "file: %.512s can't be used (%.200s); give it a file of its own "
             "that the gateway may write and no other gateway has",
             path,
             account->db == NULL ? "no memory" : sqlite3_errmsg(account->db));
  account_close(account);
  return NULL;
}

void account_close(struct account *account) {
  sqlite3_close(account->db);
  free(account);
}

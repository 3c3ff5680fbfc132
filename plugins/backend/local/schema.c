/* SPDX-License-Identifier: MIT
 *
 * Version 1 had no `sum`, `id` and `marked`, version 2 no `stage`.
 */
#include "schema.h"

#include "digest.h"
#include "index.h"

#include <stdio.h>

#define MADE_STAGE                                                    \
  "CREATE TABLE stage(id INTEGER PRIMARY KEY, size INTEGER NOT NULL," \
  " blob INTEGER, state BLOB, expires INTEGER NOT NULL,"              \
  " complete INTEGER NOT NULL, owner BLOB NOT NULL);"                 \
  "CREATE INDEX stage_expires ON stage(expires);"                     \
  "CREATE INDEX stage_owner ON stage(owner) WHERE NOT complete;"

static const char made[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE object(key BLOB PRIMARY KEY NOT NULL, size INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, etag BLOB NOT NULL, small INTEGER,"
    " blob INTEGER, type TEXT, user BLOB, sum INTEGER) WITHOUT ROWID;"
    "CREATE TABLE small(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE garbage(blob INTEGER PRIMARY KEY);"
    "CREATE TABLE recent(blob INTEGER PRIMARY KEY);"
    "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;" MADE_STAGE
    "INSERT INTO state VALUES('next', 1), ('low', 1), ('clean', 1),"
    " ('marked', 1);"
    "PRAGMA application_id = 1397511497;";
_Static_assert(SCHEMA_APPLICATION == 1397511497, "the schema says so");

/* A column that is added is NULL in the rows that are there, and none of them
 * is touched. */
static const char from_1[] =
    "BEGIN IMMEDIATE;"
    "ALTER TABLE object ADD COLUMN sum INTEGER;"
    "INSERT INTO state SELECT 'marked', value FROM state WHERE name = 'next';";

static const char from_2[] = "BEGIN IMMEDIATE;" MADE_STAGE;

/* Each begins a transaction that this ends. */
static bool set_version(sqlite3 *db) {
  char sql[64];
  snprintf(sql, sizeof sql, "PRAGMA user_version = %d; COMMIT;",
           SCHEMA_VERSION);
  return index_exec(db, sql);
}

static bool give_id(sqlite3 *db) {
  char sql[64];
  int64_t id;
  digest_random(&id, sizeof id);
  snprintf(sql, sizeof sql, "INSERT INTO state VALUES('id', %lld);",
           (long long)id);
  return index_exec(db, sql);
}

bool schema_make(sqlite3 *db) {
  return index_exec(db, made) && give_id(db) && set_version(db);
}

bool schema_upgrade(sqlite3 *db) {
  int64_t version;
  if (!index_number(db, "PRAGMA user_version", &version))
    return false;
  switch (version) {
  case 1:
    return index_exec(db, from_1) && give_id(db) &&
           index_exec(db, MADE_STAGE) && set_version(db);
  case 2:
    return index_exec(db, from_2) && set_version(db);
  default:
    return true;
  }
}

/* SPDX-License-Identifier: MIT
 *
 * Version 1 had no `sum`, `id` and `marked`.
 */
#include "schema.h"

#include "digest.h"
#include "index.h"

#include <stdio.h>

static const char made[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE object(key BLOB PRIMARY KEY NOT NULL, size INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, etag BLOB NOT NULL, small INTEGER,"
    " blob INTEGER, type TEXT, user BLOB, sum INTEGER) WITHOUT ROWID;"
    "CREATE TABLE small(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE garbage(blob INTEGER PRIMARY KEY);"
    "CREATE TABLE recent(blob INTEGER PRIMARY KEY);"
    "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;"
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

/* Both begin a transaction that this ends. */
static bool schema_finish(sqlite3 *db) {
  char sql[128];
  int64_t id;
  digest_random(&id, sizeof id);
  snprintf(sql, sizeof sql,
           "INSERT INTO state VALUES('id', %lld);"
           "PRAGMA user_version = %d; COMMIT;",
           (long long)id, SCHEMA_VERSION);
  return index_exec(db, sql);
}

bool schema_make(sqlite3 *db) {
  return index_exec(db, made) && schema_finish(db);
}

bool schema_upgrade(sqlite3 *db) {
  int64_t version;
  return index_number(db, "PRAGMA user_version", &version) &&
         (version != 1 || (index_exec(db, from_1) && schema_finish(db)));
}

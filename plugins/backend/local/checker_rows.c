/* SPDX-License-Identifier: MIT
 *
 * Rows of the index, each against its bytes.  Those that seem wrong go to the
 * table `bad`, and are told, or mended, when all have been seen.
 */
#include "checker.h"

#include "blob.h"
#include "index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rows {
  struct checker *checker;
  sqlite3_stmt *scan, *small, *own, *note;
};

static const struct index_sql statements[] = {
    {offsetof(struct rows, scan),
     "SELECT " ROW_COLUMNS ", key FROM object ORDER BY key"},
    {offsetof(struct rows, small), "SELECT bytes FROM small WHERE id = ?1"},
    {offsetof(struct rows, own), "INSERT OR IGNORE INTO owned VALUES(?1)"},
    {offsetof(struct rows, note),
     "INSERT OR REPLACE INTO bad VALUES(?1, ?2, ?3, ?4, ?5)"},
    {0, NULL}};

static bool note(struct rows *rows, const char *what, const char *text) {
  sqlite3_stmt *to = rows->note, *row = rows->scan;
  index_bind(to, 1, sqlite3_column_blob(row, 8),
             (size_t)sqlite3_column_bytes(row, 8));
  sqlite3_bind_int64(to, 2, sqlite3_column_int64(row, 4));
  sqlite3_bind_int64(to, 3, sqlite3_column_int64(row, 7));
  sqlite3_bind_text(to, 4, what, -1, SQLITE_STATIC);
  sqlite3_bind_text(to, 5, text, -1, SQLITE_STATIC);
  return index_run(to);
}

static bool check_blob(struct rows *rows, const char *key,
                       const struct row *row) {
  struct checker *checker = rows->checker;
  if (!index_run_number(rows->own, row->blob))
    return false;
  int fd = store_read(&checker->store, row->blob);
  if (fd < 0)
    return errno == ENOENT ? note(rows, "missing-blob", "its blob is missing")
                           : note(rows, "damaged-blob", strerror(errno));
  bool described = row->blob >= checker->marked;
  const char *what = "damaged-description";
  const char *wrong = blob_mismatch(fd, row, described);
  char *found = NULL;
  struct row said;
  row_init(&said);
  if (wrong == NULL && described) {
    if (blob_read_description(fd, &found, &said) != SLUICE_OK)
      wrong = "its blob's description was changed";
    else if (strcmp(found, key) != 0)
      wrong = "its blob holds another object";
  }
  if (checker->read || wrong != NULL) {
    const char *bytes = blob_verify(fd, row);
    if (bytes != NULL) {
      what = "damaged-blob";
      wrong = bytes;
    }
  }
  free(found);
  row_fini(&said);
  close(fd);
  return wrong == NULL || note(rows, what, wrong);
}

static const char *small_mismatch(struct rows *rows, const struct row *row) {
  const char *wrong = NULL;
  unsigned char md5[DIGEST_MD5_LEN];
  sqlite3_bind_int64(rows->small, 1, (int64_t)row->small);
  if (index_step(rows->small) != SQLITE_ROW) {
    wrong = "its bytes aren't in the index";
  } else {
    const void *bytes = sqlite3_column_blob(rows->small, 0);
    size_t len = (size_t)sqlite3_column_bytes(rows->small, 0);
    if (len == row->length && rows->checker->read) {
      digest_md5(md5, bytes, len);
      if (memcmp(md5, row->md5, sizeof md5) != 0)
        wrong = "its bytes in the index aren't those that were stored";
    } else if (len != row->length) {
      wrong = "its bytes in the index aren't so many";
    }
  }
  index_reset(rows->small);
  return wrong;
}

static bool check_row(struct rows *rows) {
  struct checker *checker = rows->checker;
  struct row row;
  row_init(&row);
  char *key = strndup(sqlite3_column_blob(rows->scan, 8) != NULL
                          ? sqlite3_column_blob(rows->scan, 8)
                          : "",
                      (size_t)sqlite3_column_bytes(rows->scan, 8));
  checker->objects++;
  bool ok = key != NULL;
  if (ok && row_load(&row, rows->scan, key) != SLUICE_OK) {
    ok = note(rows, "torn-row", "its row in the index isn't what was written");
  } else if (ok) {
    checker->bytes += row.length;
    const char *wrong = NULL;
    if (row.small != 0)
      wrong = small_mismatch(rows, &row);
    else if (row.blob == 0 && row.length > 0)
      wrong = "its row says nothing of where its bytes are";
    ok = row.small == 0 && row.blob != 0 ? check_blob(rows, key, &row)
         : wrong == NULL                 ? true
                                         : note(rows, "damaged-bytes", wrong);
  }
  row_fini(&row);
  free(key);
  return ok;
}

/* Blobs that have an owner other than an object. */
#define OTHERS                                            \
  "INSERT OR IGNORE INTO owned SELECT blob FROM garbage;" \
  "INSERT OR IGNORE INTO owned SELECT blob FROM stage WHERE blob NOT NULL"

bool checker_rows(struct checker *checker) {
  struct rows rows = {.checker = checker};
  bool ok = index_prepare(checker->db, statements, &rows) &&
            index_exec(checker->db, OTHERS);
  int result = SQLITE_DONE;
  while (ok && (result = index_step(rows.scan)) == SQLITE_ROW)
    ok = check_row(&rows);
  ok = ok && result == SQLITE_DONE;
  if (!ok)
    checker_failed(checker);
  sqlite3_finalize(rows.scan);
  sqlite3_finalize(rows.small);
  sqlite3_finalize(rows.own);
  sqlite3_finalize(rows.note);
  return ok;
}

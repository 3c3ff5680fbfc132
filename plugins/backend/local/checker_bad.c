/* SPDX-License-Identifier: MIT
 *
 * Objects that seemed wrong: mended where their bytes are there, else told.
 */
#include "checker.h"

#include "blob.h"
#include "filecopy.h"
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bad {
  struct checker *checker;
  sqlite3 *again; /* of the index as it is now, or NULL */
  sqlite3_stmt *scan, *find, *small, *put, *still;
  char *key;
};

static const struct index_sql statements[] = {
    {offsetof(struct bad, scan), "SELECT key, blob, sum, what, text FROM bad"},
    {offsetof(struct bad, find),
     "SELECT " ROW_COLUMNS " FROM object WHERE key = ?1"},
    {offsetof(struct bad, small), "SELECT bytes FROM small WHERE id = ?1"},
    {offsetof(struct bad, put),
     "INSERT OR REPLACE INTO object(key, " ROW_COLUMNS ")"
     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
    {0, NULL}};

/* The gateway may have replaced or removed it meanwhile. */
static bool is_so_still(struct bad *bad) {
  if (bad->still == NULL)
    return true;
  index_bind(bad->still, 1, bad->key, strlen(bad->key));
  bool same = index_step(bad->still) == SQLITE_ROW &&
              sqlite3_column_int64(bad->still, 0) ==
                  sqlite3_column_int64(bad->scan, 1) &&
              sqlite3_column_int64(bad->still, 1) ==
                  sqlite3_column_int64(bad->scan, 2);
  index_reset(bad->still);
  return same;
}

/* ---- torn rows ---------------------------------------------------------- */

/* The bytes of a row whose sum is wrong, if they are those of its MD5. */
static bool has_its_bytes(struct bad *bad, const struct row *row) {
  unsigned char md5[DIGEST_MD5_LEN] = {0};
  sqlite3_bind_int64(bad->small, 1, (int64_t)row->small);
  bool same = index_step(bad->small) == SQLITE_ROW &&
              (uint64_t)sqlite3_column_bytes(bad->small, 0) == row->length;
  if (same)
    digest_md5(md5, sqlite3_column_blob(bad->small, 0), (size_t)row->length);
  index_reset(bad->small);
  return same && memcmp(md5, row->md5, sizeof md5) == 0;
}

static bool read_torn(struct bad *bad, struct row *row) {
  sqlite3_stmt *from = bad->find;
  row->length = (uint64_t)sqlite3_column_int64(from, 0);
  row->mtime_ms = sqlite3_column_int64(from, 1);
  row->small = (uint64_t)sqlite3_column_int64(from, 3);
  if (sqlite3_column_bytes(from, 2) != DIGEST_MD5_LEN || row->small == 0)
    return false;
  memcpy(row->md5, sqlite3_column_blob(from, 2), sizeof row->md5);
  const char *type = (const char *)sqlite3_column_text(from, 5);
  row->type = type == NULL ? NULL : strdup(type);
  return buf_add(&row->user, sqlite3_column_blob(from, 6),
                 (size_t)sqlite3_column_bytes(from, 6)) &&
         row_is_whole(row);
}

static bool mend_row(struct bad *bad) {
  struct row row;
  row_init(&row);
  index_bind(bad->find, 1, bad->key, strlen(bad->key));
  bool ok = index_step(bad->find) == SQLITE_ROW && read_torn(bad, &row);
  index_reset(bad->find);
  if (ok && (ok = has_its_bytes(bad, &row))) {
    row_bind(&row, bad->put, bad->key);
    ok = index_run(bad->put);
  }
  row_fini(&row);
  return ok;
}

/* ---- descriptions ------------------------------------------------------- */

static bool describe(struct store *store, struct store_file *file, int from,
                     const char *key, const struct row *row) {
  struct buf text;
  bool ok = blob_describe(&text, key, row) && store_create(store, file) &&
            filecopy_bytes(from, file->fd) &&
            ftruncate(file->fd, (off_t)row->length) == 0 &&
            store_write(file, text.data, text.len, row->length);
  buf_fini(&text);
  return ok;
}

/* The bytes are right, so they get their description again; the file as it was
 * goes to lost+found. */
static bool mend_description(struct bad *bad) {
  struct checker *checker = bad->checker;
  struct row row;
  struct store_file file = {.fd = -1};
  row_init(&row);
  index_bind(bad->find, 1, bad->key, strlen(bad->key));
  bool ok = index_step(bad->find) == SQLITE_ROW &&
            row_load(&row, bad->find, bad->key) == SLUICE_OK;
  index_reset(bad->find);
  int from = ok ? store_read(&checker->store, row.blob) : -1;
  ok = from >= 0 && describe(&checker->store, &file, from, bad->key, &row) &&
       checker_put_aside(checker, row.blob) &&
       store_link(&checker->store, &file, row.blob) &&
       store_commit(&checker->store, row.blob);
  store_discard(&checker->store, &file);
  if (from >= 0)
    close(from);
  row_fini(&row);
  return ok;
}

/* ---- all of them -------------------------------------------------------- */

static void checker_bad_settle(struct bad *bad) {
  static const struct {
    const char *what;
    bool (*mend)(struct bad *);
    const char *text;
  } cures[] = {
      {"torn-row", mend_row,
       "its row was mended by its bytes: its time, type and metadata may not "
       "be those that were stored"},
      {"damaged-description", mend_description,
       "its blob was described anew"}};
  struct checker *checker = bad->checker;
  const char *what = (const char *)sqlite3_column_text(bad->scan, 3);
  const char *text = (const char *)sqlite3_column_text(bad->scan, 4);
  if (!is_so_still(bad))
    return;
  for (size_t i = 0; checker->repair && i < sizeof cures / sizeof *cures; i++)
    if (strcmp(what, cures[i].what) == 0 && cures[i].mend(bad)) {
      checker_tell(checker, what, bad->key, true, "%s", cures[i].text);
      return;
    }
  checker_tell(checker, what, bad->key, false, "%s%s", text,
               checker->repair ? "; upload it again, or restore it" : "");
}

static bool open_again(struct bad *bad) {
  struct checker *checker = bad->checker;
  int64_t count = 0;
  if (checker->repair)
    return true;
  if (!index_number(checker->db, "SELECT count(*) FROM bad", &count))
    return false;
  if (count == 0)
    return true;
  bad->again = checker_copy_again(checker);
  return bad->again != NULL &&
         sqlite3_prepare_v2(bad->again,
                            "SELECT ifnull(blob, 0), ifnull(sum, 0)"
                            " FROM object WHERE key = ?1",
                            -1, &bad->still, NULL) == SQLITE_OK;
}

bool checker_bad(struct checker *checker) {
  struct bad bad = {.checker = checker};
  bool ok = open_again(&bad) && index_prepare(checker->db, statements, &bad);
  int result = SQLITE_DONE;
  while (ok && (result = index_step(bad.scan)) == SQLITE_ROW) {
    bad.key = strndup(sqlite3_column_blob(bad.scan, 0),
                      (size_t)sqlite3_column_bytes(bad.scan, 0));
    ok = bad.key != NULL;
    if (ok)
      checker_bad_settle(&bad);
    free(bad.key);
  }
  ok = ok && result == SQLITE_DONE;
  if (!ok)
    checker_failed(checker);
  index_close(bad.again);
  for (const struct index_sql *one = statements; one->sql; one++)
    sqlite3_finalize(*(sqlite3_stmt **)(void *)((char *)&bad + one->offset));
  return ok;
}

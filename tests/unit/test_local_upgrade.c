/* SPDX-License-Identifier: MIT
 *
 * The backend `local` on a store that the version before left: it opens, and
 * everything in it works.
 */
#include "codec.h"
#include "digest.h"
#include "index.h"
#include "localkit.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE 5000u
#define SMALL 100u

static char *bytes;

/* As version 1 made them, statement by statement. */
static const char tables[] =
    "PRAGMA journal_mode = WAL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE object(key BLOB PRIMARY KEY NOT NULL, size INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, etag BLOB NOT NULL, small INTEGER,"
    " blob INTEGER, type TEXT, user BLOB) WITHOUT ROWID;"
    "CREATE TABLE small(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE garbage(blob INTEGER PRIMARY KEY);"
    "CREATE TABLE recent(blob INTEGER PRIMARY KEY);"
    "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "INSERT INTO state VALUES('next', 1), ('low', 1), ('clean', 1);"
    "PRAGMA application_id = 1397511497;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

static const char rows[] =
    "INSERT INTO object VALUES(CAST('large' AS BLOB), %u, 1700000000123,"
    " x'%s', NULL, 1, 'text/plain', x'6e616d6500c3a400');"
    "INSERT INTO object VALUES(CAST('small' AS BLOB), %u, 1700000000124,"
    " x'%s', 7, NULL, NULL, NULL);"
    "INSERT INTO object VALUES(CAST('empty' AS BLOB), 0, 1700000000125,"
    " x'd41d8cd98f00b204e9800998ecf8427e', NULL, NULL, NULL, x'');";

static void md5_hex(char hex[2 * DIGEST_MD5_LEN + 1], size_t length) {
  unsigned char md5[DIGEST_MD5_LEN];
  digest_md5(md5, bytes, length);
  codec_hex(hex, md5, sizeof md5);
}

static void make_folder(const struct kit *kit, const char *name) {
  char path[200];
  snprintf(path, sizeof path, "%s/%s", kit->dir, name);
  CU_ASSERT(mkdir(path, 0700) == 0);
}

static void make_blob(const struct kit *kit, unsigned number) {
  char path[200];
  snprintf(path, sizeof path, "%s/blobs/0/00/%016x", kit->dir, number);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  CU_ASSERT(fd >= 0 && write(fd, bytes, LARGE) == (ssize_t)LARGE);
  close(fd);
}

static void make_index(const struct kit *kit) {
  char sql[1024], large[2 * DIGEST_MD5_LEN + 1], small[2 * DIGEST_MD5_LEN + 1];
  sqlite3_stmt *put = NULL;
  sqlite3 *db = kit_index(kit);
  md5_hex(large, LARGE);
  md5_hex(small, SMALL);
  snprintf(sql, sizeof sql, rows, LARGE, large, SMALL, small);
  CU_ASSERT(index_exec(db, tables) && index_exec(db, sql));
  CU_ASSERT(sqlite3_prepare_v2(db, "INSERT INTO small VALUES(7, ?1)", -1, &put,
                               NULL) == SQLITE_OK);
  index_bind(put, 1, bytes, SMALL);
  CU_ASSERT(index_run(put));
  index_close(db);
}

static void make_store(struct kit *kit, const char *state) {
  kit_init(kit, 1000);
  make_folder(kit, "blobs");
  make_folder(kit, "blobs/0");
  make_folder(kit, "blobs/0/00");
  make_folder(kit, "tmp");
  make_blob(kit, 1);
  make_index(kit);
  CU_ASSERT(kit_sql(kit, state));
}

static void check_objects(struct kit *kit) {
  struct call call = {.kit = kit, .key = "large"};
  CU_ASSERT(kit_has(kit, "large", bytes, LARGE));
  CU_ASSERT(kit_has(kit, "small", bytes, SMALL));
  CU_ASSERT(kit_has(kit, "empty", "", 0));
  call_head(&call);
  call_wait(&call);
  CU_ASSERT_EQUAL(call.row.mtime_ms, 1700000000123);
  CU_ASSERT_STRING_EQUAL(call.type_said, "text/plain");
  CU_ASSERT_STRING_EQUAL(call.row.user.data, "name=\xc3\xa4\n");
  call_fini(&call);
}

static void check_works(struct kit *kit) {
  struct buf page;
  struct sluice_list list = {.prefix = "", .max = 10};
  buf_init(&page, 4096);
  check_objects(kit);
  CU_ASSERT_EQUAL(kit_put(kit, "new", bytes, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "small", bytes, LARGE), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_put(kit, "large", bytes, SMALL), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_remove(kit, "empty"), SLUICE_OK);
  CU_ASSERT_EQUAL(kit_list(kit, &list, &page), SLUICE_OK);
  CU_ASSERT_STRING_EQUAL(page.data, "k large\nk new\nk small\n");
  CU_ASSERT_EQUAL(kit_files(kit, "blobs"), 2);
  buf_fini(&page);
}

static void check_again(struct kit *kit) {
  CU_ASSERT(kit_has(kit, "new", bytes, LARGE));
  CU_ASSERT(kit_has(kit, "small", bytes, LARGE));
  CU_ASSERT(kit_has(kit, "large", bytes, SMALL));
  CU_ASSERT_EQUAL(kit_head(kit, "empty"), SLUICE_ENOENT);
}

static void test_store_that_stopped_well_opens_and_works(void) {
  struct kit kit;
  make_store(&kit, "UPDATE state SET value = 2 WHERE name <> 'clean'");
  CU_ASSERT_FATAL(kit_start(&kit));
  check_works(&kit);
  kit_stop(&kit);
  CU_ASSERT_EQUAL(kit_number(&kit, "PRAGMA user_version"), 3);
  CU_ASSERT_FATAL(kit_start(&kit));
  check_again(&kit);
  kit_stop(&kit);
  kit_fini(&kit);
}

static const char after_crash[] =
    "UPDATE state SET value = 65537 WHERE name = 'next';"
    "UPDATE state SET value = 0 WHERE name = 'clean';"
    "INSERT INTO recent VALUES(1)";

static void test_store_after_a_crash_opens_and_works(void) {
  struct kit kit;
  make_store(&kit, after_crash);
  CU_ASSERT_FATAL(kit_start(&kit));
  check_works(&kit);
  kit_stop(&kit);
  CU_ASSERT_FATAL(kit_start(&kit));
  check_again(&kit);
  kit_stop(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_store_that_stopped_well_opens_and_works),
      UNIT(test_store_after_a_crash_opens_and_works),
      {NULL, NULL}};
  bytes = kit_bytes(1, LARGE);
  int status = unit_main("local upgrade", tests);
  free(bytes);
  return status;
}

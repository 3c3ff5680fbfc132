/* SPDX-License-Identifier: MIT
 *
 * A blob never changes and its number is never given out again, so one that is
 * there by its name is the same one.  What is brought is synced by the caller,
 * all at once.
 */
#include "mirror.h"

#include "blob.h"
#include "filecopy.h"
#include "folder.h"
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool mirror_open(struct mirror *mirror, int from, int to) {
  mirror->from = mirror->to = (struct store)STORE_CLOSED;
  mirror->from.blobs =
      openat(from, "blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  mirror->from.modes = true;
  if (mirror->from.blobs < 0)
    return errmsg_set(&mirror->err, "there is no store: its folder blobs: %s",
                      strerror(errno));
  return store_open(&mirror->to, to, false, false, &mirror->err);
}

void mirror_close(struct mirror *mirror) {
  store_close(&mirror->from);
  store_close(&mirror->to);
}

/* ---- one ---------------------------------------------------------------- */

static bool copied(struct mirror *mirror, int from, uint64_t number) {
  struct store_file file = {.fd = -1};
  bool ok = store_create(&mirror->to, &file) &&
            filecopy_bytes(from, file.fd) &&
            store_link(&mirror->to, &file, number);
  int why = errno;
  store_discard(&mirror->to, &file);
  errno = why;
  return ok;
}

static bool shared(struct mirror *mirror, int from, uint64_t number) {
  struct store_file file = {.fd = from};
  return mirror->share && store_link(&mirror->to, &file, number);
}

static bool bring(struct mirror *mirror, int from, uint64_t number) {
  int there = store_read(&mirror->to, number);
  if (there >= 0) {
    close(there);
    return true;
  }
  if ((shared(mirror, from, number) || copied(mirror, from, number)) &&
      store_commit(&mirror->to, number)) {
    mirror->brought++;
    return true;
  }
  return errmsg_set(&mirror->err, "blob %016llx can't be brought: %s",
                    (unsigned long long)number, strerror(errno));
}

/* ---- all that are there ------------------------------------------------- */

struct mirror_walk {
  struct mirror *mirror;
  bool (*each)(struct mirror *, uint64_t number, void *arg);
  void *arg;
  bool ok;
};

static bool mirror_each_name(void *arg, int folder, const char *name) {
  struct mirror_walk *walk = arg;
  struct stat st;
  if (name[0] == '.')
    return true;
  if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT;
  if (S_ISDIR(st.st_mode)) {
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && folder_walk(fd, mirror_each_name, walk);
    if (fd >= 0)
      close(fd);
    return ok && walk->ok;
  }
  if (strlen(name) == 16 && strspn(name, "0123456789abcdef") == 16 &&
      (st.st_mode & S_IWUSR) == 0)
    walk->ok = walk->each(walk->mirror, strtoull(name, NULL, 16), walk->arg);
  return walk->ok;
}

static bool mirror_walk(struct mirror *mirror, int blobs,
                        bool (*each)(struct mirror *, uint64_t, void *),
                        void *arg) {
  struct mirror_walk walk = {
      .mirror = mirror, .each = each, .arg = arg, .ok = true};
  if (folder_walk(blobs, mirror_each_name, &walk) && walk.ok)
    return true;
  return mirror->err.text[0] == '\0'
             ? errmsg_set(&mirror->err, "blobs can't be listed: %s",
                          strerror(errno))
             : false;
}

/* It may be gone by now. */
static bool bring_if_there(struct mirror *mirror, uint64_t number, void *arg) {
  (void)arg;
  int fd = store_read(&mirror->from, number);
  bool ok = fd >= 0
                ? bring(mirror, fd, number)
                : errno == ENOENT ||
                      errmsg_set(&mirror->err, "blob %016llx: %s",
                                 (unsigned long long)number, strerror(errno));
  if (fd >= 0)
    close(fd);
  return ok;
}

bool mirror_all(struct mirror *mirror) {
  return mirror_walk(mirror, mirror->from.blobs, bring_if_there, NULL);
}

/* ---- those of the index ------------------------------------------------- */

static void tell_damage(struct mirror *mirror, const char *what,
                        const char *key, const char *text) {
  const struct sluice_finding finding = {SLUICE_FINDING, .what = what,
                                         .key = key, .text = text};
  mirror->damaged++;
  mirror->chore->tell(mirror->chore->arg, &finding);
}

static bool bring_row(struct mirror *mirror, const char *key,
                      const struct row *row) {
  int fd = store_read(&mirror->from, row->blob);
  if (fd < 0 && errno == ENOENT) {
    tell_damage(mirror, "missing-blob", key, "its blob is missing");
    return true;
  }
  const char *wrong =
      fd < 0 ? strerror(errno)
             : blob_mismatch(fd, row, row->blob >= mirror->marked);
  if (wrong == NULL && mirror->read)
    wrong = blob_verify(fd, row);
  if (wrong != NULL)
    tell_damage(mirror, "damaged-blob", key, wrong);
  bool ok = fd < 0 || bring(mirror, fd, row->blob);
  mirror->blobs++;
  if (fd >= 0)
    close(fd);
  return ok;
}

static bool each_row(struct mirror *mirror, sqlite3_stmt *scan,
                     sqlite3_stmt *own) {
  struct row row;
  row_init(&row);
  const char *bytes = sqlite3_column_blob(scan, 8);
  char *key = strndup(bytes != NULL ? bytes : "",
                      (size_t)sqlite3_column_bytes(scan, 8));
  bool ok = key != NULL;
  mirror->objects++;
  if (ok && row_load(&row, scan, key) != SLUICE_OK) {
    tell_damage(mirror, "torn-row", key,
                "its row in the index isn't what was written");
  } else if (ok) {
    mirror->bytes += row.length;
    ok = row.blob == 0 ||
         (bring_row(mirror, key, &row) && index_run_number(own, row.blob));
  }
  row_fini(&row);
  free(key);
  return ok;
}

static bool index_failed(struct mirror *mirror, sqlite3 *db) {
  if (mirror->err.text[0] == '\0')
    index_fault(db, &mirror->err);
  return false;
}

bool mirror_rows(struct mirror *mirror, sqlite3 *db) {
  sqlite3_stmt *scan = NULL, *own = NULL;
  int64_t marked;
  bool ok =
      index_number(db, "SELECT value FROM state WHERE name = 'marked'",
                   &marked) &&
      index_exec(db, "CREATE TEMP TABLE owned(blob INTEGER PRIMARY KEY)") &&
      sqlite3_prepare_v2(db, "SELECT " ROW_COLUMNS ", key FROM object", -1,
                         &scan, NULL) == SQLITE_OK &&
      sqlite3_prepare_v2(db, "INSERT OR IGNORE INTO owned VALUES(?1)", -1,
                         &own, NULL) == SQLITE_OK;
  int result = SQLITE_DONE;
  mirror->marked = ok ? (uint64_t)marked : 0;
  while (ok && (result = index_step(scan)) == SQLITE_ROW)
    ok = each_row(mirror, scan, own);
  ok = (ok && result == SQLITE_DONE) || index_failed(mirror, db);
  sqlite3_finalize(scan);
  sqlite3_finalize(own);
  return ok;
}

static bool drop_other(struct mirror *mirror, uint64_t number, void *arg) {
  sqlite3_stmt *find = arg;
  sqlite3_bind_int64(find, 1, (int64_t)number);
  int result = index_step(find);
  index_reset(find);
  if (result != SQLITE_DONE)
    return result == SQLITE_ROW;
  mirror->dropped++;
  return store_unlink(&mirror->to, number);
}

bool mirror_drop(struct mirror *mirror, sqlite3 *db) {
  sqlite3_stmt *find = NULL;
  bool ok = (sqlite3_prepare_v2(db, "SELECT 1 FROM owned WHERE blob = ?1", -1,
                                &find, NULL) == SQLITE_OK ||
             index_failed(mirror, db)) &&
            mirror_walk(mirror, mirror->to.blobs, drop_other, find);
  sqlite3_finalize(find);
  return ok;
}

void mirror_count(const struct mirror *mirror) {
  const struct {
    const char *what;
    uint64_t number;
  } counts[] = {{"objects", mirror->objects}, {"bytes", mirror->bytes},
                {"blobs", mirror->blobs},     {"brought", mirror->brought},
                {"dropped", mirror->dropped}, {"damaged", mirror->damaged}};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    mirror->chore->count(mirror->chore->arg, counts[i].what, counts[i].number);
}

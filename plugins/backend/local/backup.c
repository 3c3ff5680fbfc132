/* SPDX-License-Identifier: MIT
 *
 * The order is decision 0038:
 *
 *   1  blobs that are there, while the gateway goes on as ever
 *   2  with HOLD_COPY: the index, then the blobs of its rows that 1 missed;
 *      none of them can be removed meanwhile
 *   3  all of it is synced, then the index gets its name: the backup is whole
 *      before and after that
 *   4  blobs that the backup's index doesn't have are removed from the backup
 */
#include "backup.h"

#include "filecopy.h"
#include "folder.h"
#include "hold.h"
#include "index.h"
#include "mirror.h"
#include "salvage.h"
#include "schema.h"
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define INCOMING "incoming"

struct backup {
  const char *store, *folder; /* that of the backup */
  int from, to, incoming, lock;
  sqlite3 *db;
  struct mirror mirror;
};

#define ERR(b) (&(b)->mirror.err)

static int backup_open_folder(const char *path) {
  return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool has(int dir, const char *name) {
  return faccessat(dir, name, F_OK, 0) == 0;
}

static bool find_any(void *arg, int folder, const char *name) {
  (void)folder;
  bool *any = arg;
  *any = *any || strcmp(name, "lock") != 0;
  return true;
}

static bool is_empty(int dir) {
  bool any = false;
  return folder_walk(dir, find_any, &any) && !any;
}

/* A gateway that serves it has that lock, too. */
static bool lock_folder(int dir, const char *path, int *lock,
                        struct errmsg *err) {
  *lock = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return (*lock >= 0 && flock(*lock, LOCK_EX | LOCK_NB) == 0) ||
         errmsg_set(err, "%s is in use, or can't be written: %s", path,
                    strerror(errno));
}

/* ---- backup ------------------------------------------------------------- */

static bool read_text(int dir, const char *name, char out[32]) {
  int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, out, 31);
  if (fd >= 0)
    close(fd);
  out[got > 0 ? got : 0] = '\0';
  return got > 0;
}

/* An empty folder, or an earlier backup of the same store. */
static bool fits(const struct backup *backup) {
  char ours[32], theirs[32];
  struct stat from, to;
  if (fstat(backup->from, &from) != 0 || fstat(backup->to, &to) != 0 ||
      (from.st_dev == to.st_dev && from.st_ino == to.st_ino))
    return false;
  if (is_empty(backup->to))
    return true;
  return read_text(backup->from, "store.id", ours) &&
         read_text(backup->to, "store.id", theirs) &&
         strcmp(ours, theirs) == 0 && !has(backup->to, INDEX_FILE "-wal") &&
         has(backup->to, "backup");
}

static bool copy_anew(int from, int to, const char *name) {
  return has(to, name) || !has(from, name) || filecopy_named(from, to, name);
}

/* An index that is made anew lacks what its repair hasn't come to yet. */
static bool is_whole(struct backup *backup) {
  return !salvage_is_due(backup->from) ||
         errmsg_set(ERR(backup),
                    "a repair of %s was cut short; run sluice check --repair "
                    "again",
                    backup->store);
}

static bool is_same_folder(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is the folder that other one, or below it? */
static bool lies_in(int folder, int other) {
  struct stat it, at, above;
  if (fstat(other, &it) != 0 || fstat(folder, &above) != 0)
    return false;
  int here = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  bool is_root = false;
  do {
    at = above;
    if (here < 0 || is_same_folder(&at, &it))
      break;
    int up = openat(here, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    close(here);
    here = up;
    is_root =
        here < 0 || fstat(here, &above) != 0 || is_same_folder(&above, &at);
  } while (!is_root);
  if (here >= 0)
    close(here);
  return is_same_folder(&at, &it);
}

/* A copy that is lost with the store is none. */
static bool is_apart(struct backup *backup, bool made) {
  if (!lies_in(backup->to, backup->from))
    return true;
  if (made)
    rmdir(backup->folder);
  return errmsg_set(ERR(backup),
                    "%s lies in the store itself, and would be lost with it; "
                    "name a folder elsewhere",
                    backup->folder);
}

static bool backup_begin(struct backup *backup) {
  backup->from = backup_open_folder(backup->store);
  if (backup->from < 0 || !has(backup->from, INDEX_FILE))
    return errmsg_set(ERR(backup), "%s holds no store (no " INDEX_FILE ")",
                      backup->store);
  if (!is_whole(backup))
    return false;
  bool made = mkdir(backup->folder, 0700) == 0;
  if (!made && errno != EEXIST)
    return errmsg_set(ERR(backup), "%s can't be made: %s", backup->folder,
                      strerror(errno));
  backup->to = backup_open_folder(backup->folder);
  if (backup->to < 0)
    return errmsg_set(ERR(backup), "%s can't be opened: %s", backup->folder,
                      strerror(errno));
  if (!is_apart(backup, made))
    return false;
  if (!fits(backup))
    return errmsg_set(ERR(backup),
                      "%s isn't empty, and no backup of this store; name an "
                      "empty folder, or one that has an earlier backup of it",
                      backup->folder);
  if (!lock_folder(backup->to, backup->folder, &backup->lock, ERR(backup)))
    return false;
  /* store.id first: from then on it is known whose backup this is. */
  if (!copy_anew(backup->from, backup->to, "store.id") ||
      (!has(backup->to, "backup") &&
       !folder_put(backup->to, "backup", "sluice\n", 7)))
    return errmsg_set(ERR(backup), "%s can't be written: %s", backup->folder,
                      strerror(errno));
  return mirror_open(&backup->mirror, backup->from, backup->to);
}

static bool drop_name(void *arg, int folder, const char *name) {
  (void)arg;
  return unlinkat(folder, name, 0) == 0 || errno == ENOENT;
}

static bool is_usable(struct backup *backup, const char *folder) {
  if (!index_check(backup->db, folder, ERR(backup)))
    return false;
  if (schema_upgrade(backup->db))
    return true;
  index_fault(backup->db, ERR(backup));
  return false;
}

static bool open_incoming(struct backup *backup) {
  char *path = NULL;
  backup->incoming = folder_make(backup->to, INCOMING);
  if (backup->incoming < 0 || !folder_walk(backup->incoming, drop_name, NULL))
    return errmsg_set(ERR(backup), "%s/" INCOMING " can't be used: %s",
                      backup->folder, strerror(errno));
  if (!snapshot_take(backup->from, backup->incoming, ERR(backup)))
    return false;
  if (asprintf(&path, "%s/" INCOMING, backup->folder) < 0)
    return errmsg_set(ERR(backup), "no memory is left");
  backup->db = index_open(path, NULL, false, ERR(backup));
  free(path);
  return backup->db != NULL && is_usable(backup, backup->store);
}

/* As after a clean stop, without uploads that go on, and in one file. */
static bool backup_settle(struct backup *backup) {
  static const char sql[] =
      "DELETE FROM stage; DELETE FROM garbage; DELETE FROM recent;"
      "UPDATE state SET value = 1 WHERE name = 'clean';"
      "UPDATE state SET value ="
      " (SELECT value FROM state WHERE name = 'next') WHERE name = 'low';"
      "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;";
  if (index_exec(backup->db, sql))
    return true;
  index_fault(backup->db, ERR(backup));
  return false;
}

static bool take(struct backup *backup) {
  int hold = hold_take(backup->from, HOLD_COPY);
  bool ok = hold != HOLD_NONE ||
            errmsg_set(ERR(backup), "%s/hold can't be locked: %s",
                       backup->store, strerror(errno));
  ok = ok && is_whole(backup) && open_incoming(backup) &&
       mirror_rows(&backup->mirror, backup->db);
  hold_end(hold);
  return ok;
}

static bool give_names(struct backup *backup) {
  bool ok =
      copy_anew(backup->from, backup->to, "signing.key") &&
      syncfs(backup->to) == 0 &&
      renameat(backup->incoming, INDEX_FILE, backup->to, INDEX_FILE) == 0 &&
      fsync(backup->to) == 0 && fsync(backup->incoming) == 0;
  return ok || errmsg_set(ERR(backup), "%s can't be written: %s",
                          backup->folder, strerror(errno));
}

static bool backup_do(struct backup *backup) {
  if (!backup_begin(backup) || !mirror_all(&backup->mirror) || !take(backup) ||
      !backup_settle(backup) || !give_names(backup))
    return false;
  bool ok = mirror_drop(&backup->mirror, backup->db);
  index_close(backup->db);
  backup->db = NULL;
  folder_walk(backup->incoming, drop_name, NULL);
  unlinkat(backup->to, INCOMING, AT_REMOVEDIR);
  return ok;
}

static enum sluice_status finish(struct backup *backup,
                                 struct sluice_host *host, bool ok) {
  const int fds[] = {backup->incoming, backup->lock, backup->to, backup->from};
  index_close(backup->db);
  mirror_close(&backup->mirror);
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    if (fds[i] >= 0)
      close(fds[i]);
  if (ok)
    mirror_count(&backup->mirror);
  else
    sluice_fail(host, "%s", backup->mirror.err.text);
  return ok ? SLUICE_OK : SLUICE_EIO;
}

static struct backup backup_of(const struct local_conf *conf,
                               const struct sluice_chore *chore) {
  return (struct backup){
      .store = conf->directory,
      .folder = chore->folder,
      .from = -1,
      .to = -1,
      .incoming = -1,
      .lock = -1,
      .mirror = {.chore = chore,
                 .from = STORE_CLOSED,
                 .to = STORE_CLOSED,
                 .share = chore->kind == SLUICE_CHORE_BACKUP &&
                          (chore->flags & SLUICE_CHORE_COPY) == 0,
                 .read = (chore->flags & SLUICE_CHORE_READ) != 0}};
}

enum sluice_status backup_run(const struct local_conf *conf,
                              struct sluice_host *host,
                              const struct sluice_chore *chore) {
  struct backup backup = backup_of(conf, chore);
  return finish(&backup, host, backup_do(&backup));
}

/* ---- restore ------------------------------------------------------------ */

static bool restore_begin(struct backup *backup) {
  backup->from = backup_open_folder(backup->folder);
  if (backup->from < 0 || !has(backup->from, INDEX_FILE) ||
      !has(backup->from, "backup"))
    return errmsg_set(ERR(backup),
                      "%s holds no backup that is whole (no " INDEX_FILE
                      " or no file backup)",
                      backup->folder);
  if (has(backup->from, INDEX_FILE "-wal"))
    return errmsg_set(ERR(backup),
                      "%s was served since it was made; name one "
                      "that wasn't",
                      backup->folder);
  if (mkdir(backup->store, 0700) != 0 && errno != EEXIST)
    return errmsg_set(ERR(backup), "%s can't be made: %s", backup->store,
                      strerror(errno));
  backup->to = backup_open_folder(backup->store);
  if (backup->to < 0 || !is_empty(backup->to))
    return errmsg_set(ERR(backup),
                      "%s isn't empty, and nothing is replaced; "
                      "move away what is there",
                      backup->store);
  return lock_folder(backup->to, backup->store, &backup->lock, ERR(backup)) &&
         mirror_open(&backup->mirror, backup->from, backup->to);
}

static bool restore_do(struct backup *backup) {
  char *path = NULL;
  if (!restore_begin(backup))
    return false;
  backup->incoming = folder_make(backup->to, INCOMING);
  if (backup->incoming < 0 ||
      !filecopy_named(backup->from, backup->incoming, INDEX_FILE) ||
      asprintf(&path, "%s/" INCOMING, backup->store) < 0)
    return errmsg_set(ERR(backup), "%s can't be written: %s", backup->store,
                      strerror(errno));
  backup->db = index_open(path, NULL, false, ERR(backup));
  free(path);
  bool ok = backup->db != NULL && is_usable(backup, backup->folder) &&
            mirror_rows(&backup->mirror, backup->db) && backup_settle(backup);
  index_close(backup->db);
  backup->db = NULL;
  if (!ok)
    return false;
  if (!copy_anew(backup->from, backup->to, "store.id") || !give_names(backup))
    return errmsg_set(ERR(backup), "%s can't be written: %s", backup->store,
                      strerror(errno));
  folder_walk(backup->incoming, drop_name, NULL);
  unlinkat(backup->to, INCOMING, AT_REMOVEDIR);
  return true;
}

enum sluice_status restore_run(const struct local_conf *conf,
                               struct sluice_host *host,
                               const struct sluice_chore *chore) {
  struct backup backup = backup_of(conf, chore);
  return finish(&backup, host, restore_do(&backup));
}

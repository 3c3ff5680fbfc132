/* SPDX-License-Identifier: MIT
 *
 * The directory of a local backend.  The lock is flock(2) on a file of it, so
 * it ends with the process, however that ends.
 */
#include "datadir.h"

#include "digest.h"
#include "folder.h"
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A parent that may be written but not read can't be synced; then the new name
 * is as durable as the file system makes it. */
static bool sync_parent(int dir) {
  int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0)
    return errno == EACCES;
  bool ok = fsync(parent) == 0;
  int why = errno;
  close(parent);
  errno = why;
  return ok;
}

static bool datadir_has_index(int dir) {
  struct stat st;
  return fstatat(dir, INDEX_FILE, &st, 0) == 0 && st.st_size > 0;
}

static bool not_made(const char *directory, const char *why,
                     struct errmsg *err) {
  return errmsg_set(err,
                    "directory %s %s, and create is false; mount or restore "
                    "the store, or set create: true to have a new one made",
                    directory, why);
}

static bool enter(struct datadir *datadir, const char *directory, bool create,
                  struct errmsg *err) {
  char owner[FOLDER_TEXT];
  bool made = create && mkdir(directory, 0700) == 0;
  if (create && !made && errno != EEXIST)
    return errmsg_set(err,
                      "directory %s can't be created: %s; create it, or name "
                      "another one",
                      directory, strerror(errno));
  datadir->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (datadir->dir < 0 && errno == ENOENT)
    return not_made(directory, "isn't there", err);
  int error = errno;
  if (datadir->dir >= 0 && !(datadir->path = realpath(directory, NULL)))
    error = errno;
  if (!datadir->path)
    return errmsg_set(err,
                      "directory %s can't be opened: %s%s; it must be a "
                      "directory that the gateway may use",
                      directory, strerror(error),
                      folder_owner(owner, AT_FDCWD, directory, error));
  if (!create && !datadir_has_index(datadir->dir))
    return not_made(directory, "holds no store (no " INDEX_FILE ")", err);
  if (made && !sync_parent(datadir->dir))
    return errmsg_set(err,
                      "the folder above directory %s can't be synced: %s; "
                      "check the disk",
                      directory, strerror(errno));
  return true;
}

static long holder(int lock) {
  char text[24] = "";
  ssize_t got = pread(lock, text, sizeof text - 1, 0);
  return got > 0 ? strtol(text, NULL, 10) : 0;
}

static bool is_lock(const struct datadir *datadir, int fd) {
  struct stat a, b;
  return fd >= 0 && fstat(fd, &a) == 0 && fstat(datadir->lock, &b) == 0 &&
         a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The lock is one for all who have the description. */
static bool take_handed(struct datadir *datadir, int *handed) {
  if (handed == NULL)
    return false;
  int fd = is_lock(datadir, *handed) ? fcntl(*handed, F_DUPFD_CLOEXEC, 0) : -1;
  if (fd < 0) {
    *handed = -1;
    return false;
  }
  close(datadir->lock);
  datadir->lock = fd;
  return true;
}

static bool take_lock(struct datadir *datadir, int *handed,
                      struct errmsg *err) {
  char owner[FOLDER_TEXT];
  datadir->lock =
      openat(datadir->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int error = errno;
  if (datadir->lock < 0)
    return errmsg_set(err,
                      "directory %s can't be written: %s%s; give the gateway "
                      "write access to all of it",
                      datadir->path, strerror(error),
                      folder_owner(owner, datadir->dir, "lock", error));
  if (!take_handed(datadir, handed) &&
      flock(datadir->lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return errmsg_set(err,
                        "directory %s is in use by another gateway (pid %ld); "
                        "stop it or choose another directory",
                        datadir->path, holder(datadir->lock));
    return errmsg_set(err,
                      "directory %s can't be locked: %s; choose a directory "
                      "on a file system with flock(2)",
                      datadir->path, strerror(errno));
  }
  char text[24];
  int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
  /* The number only serves the message above. */
  if (ftruncate(datadir->lock, 0) == 0)
    (void)!pwrite(datadir->lock, text, (size_t)len, 0);
  return true;
}

bool datadir_open(struct datadir *datadir, const char *directory, bool create,
                  int *handed, struct errmsg *err) {
  *datadir = (struct datadir)DATADIR_CLOSED;
  if (!*directory)
    return errmsg_set(err, "directory is empty; name the folder to keep "
                           "objects in");
  return enter(datadir, directory, create, err) &&
         take_lock(datadir, handed, err);
}

/* To close a file of the index ends all of SQLite's locks on it, those of
 * other connections too: so this comes after them. */
void datadir_close(struct datadir *datadir) {
  const int fds[] = {datadir->index, datadir->wal, datadir->reserve,
                     datadir->dir, datadir->lock};
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    if (fds[i] >= 0)
      close(fds[i]);
  free(datadir->path);
  *datadir = (struct datadir)DATADIR_CLOSED;
}

/* ---- room ---- */

/* Blocks for the bytes from..to-1, whatever the file's size is; false and
 * errno.  A file system that can't do that keeps no room. */
static bool allocate(int fd, off_t from, off_t to) {
  int result = 0;
  if (from < to)
    do
      result = fallocate(fd, FALLOC_FL_KEEP_SIZE, from, to - from);
    while (result != 0 && errno == EINTR);
  return result == 0 || errno == EOPNOTSUPP || errno == ENOSYS;
}

static uint64_t spare_of(int dir) {
  struct statvfs disk;
  if (fstatvfs(dir, &disk) != 0 || disk.f_blocks == 0)
    return DATADIR_SPARE_MAX;
  uint64_t part = disk.f_blocks / DATADIR_SPARE_PART;
  if (part > DATADIR_SPARE_MAX / disk.f_frsize)
    return DATADIR_SPARE_MAX;
  return part * disk.f_frsize;
}

/* The mode is 0600 then, whatever the umask is and the mode was; or what a
 * file system without modes has instead. */
static int open_private(int dir, const char *name, int flags) {
  struct stat st;
  int fd = openat(dir, name, O_RDWR | O_CLOEXEC | flags, 0600);
  if (fd < 0 || fchmod(fd, 0600) == 0)
    return fd;
  int why = errno;
  if (fstat(fd, &st) == 0 && (st.st_mode & 077) == 0)
    return fd;
  close(fd);
  errno = why;
  return -1;
}

/* SQLite gives the mode of index.db to what it makes beside it, not to what a
 * crash left there. */
static bool make_private(int dir, const char *name) {
  int fd = open_private(dir, name, 0);
  if (fd < 0)
    return errno == ENOENT;
  close(fd);
  return true;
}

static bool not_private(const struct datadir *datadir, const char *name,
                        struct errmsg *err) {
  char owner[FOLDER_TEXT];
  int error = errno;
  return errmsg_set(err,
                    "%s/%s can't be made or kept private: %s%s; let it belong "
                    "to the gateway's user",
                    datadir->path, name, strerror(error),
                    folder_owner(owner, datadir->dir, name, error));
}

bool datadir_open_room(struct datadir *datadir, bool joined,
                       struct errmsg *err) {
  datadir->full = true;
  datadir->spare = spare_of(datadir->dir);
  datadir->reserve = open_private(datadir->dir, "reserve", O_CREAT);
  if (datadir->reserve < 0 || (!joined && ftruncate(datadir->reserve, 0) != 0))
    return not_private(datadir, "reserve", err);
  datadir->index = open_private(datadir->dir, INDEX_FILE, O_CREAT);
  if (datadir->index < 0)
    return not_private(datadir, INDEX_FILE, err);
  return make_private(datadir->dir, INDEX_FILE "-wal") ||
         not_private(datadir, INDEX_FILE "-wal", err);
}

bool datadir_grow_index(const struct datadir *datadir, uint64_t bytes) {
  struct stat st;
  if (fstat(datadir->index, &st) != 0)
    return false;
  return allocate(datadir->index, st.st_size, (off_t)bytes);
}

/* The flag first: what sees it asks for no room any more. */
void datadir_give_room(struct datadir *datadir) {
  atomic_store(&datadir->full, true);
  (void)!ftruncate(datadir->reserve, 0);
}

int datadir_take_room(struct datadir *datadir) {
  if (datadir->wal < 0)
    datadir->wal = openat(datadir->dir, INDEX_FILE "-wal", O_RDWR | O_CLOEXEC);
  bool taken = datadir->wal >= 0 &&
               allocate(datadir->wal, 0, (off_t)datadir->spare) &&
               allocate(datadir->reserve, 0, (off_t)datadir->spare);
  if (taken) {
    atomic_store(&datadir->full, false);
    return 0;
  }
  int error = errno;
  datadir_give_room(datadir);
  return error;
}

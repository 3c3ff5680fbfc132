/* SPDX-License-Identifier: MIT
 *
 * Blobs on disk: blobs/<number >> 16>/<2 digits>/<16 digits>, hexadecimal.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "folder.h"

#define ALONG ((uint64_t)8 << 20) /* bytes that are written back at once */
#define PATH_SIZE 64
#define NAME_SIZE 24

static void store_path(char out[PATH_SIZE], uint64_t number) {
  snprintf(out, PATH_SIZE, "%llx/%02x/%016llx",
           (unsigned long long)(number >> 16), (unsigned)(number >> 8 & 255),
           (unsigned long long)number);
}

static void name_of(char out[NAME_SIZE], uint64_t name) {
  snprintf(out, NAME_SIZE, "%llu", (unsigned long long)name);
}

/* O_TMPFILE and a link to it, tried once: file systems and mounts without
 * /proc differ. */
static bool can_be_unnamed(struct store *store) {
  struct store_file file = {.fd = -1};
  char path[PATH_SIZE];
  file.fd = openat(store->tmp, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file.fd < 0)
    return false;
  snprintf(path, sizeof path, "/proc/self/fd/%d", file.fd);
  bool ok =
      linkat(AT_FDCWD, path, store->tmp, "try", AT_SYMLINK_FOLLOW) == 0 &&
      unlinkat(store->tmp, "try", 0) == 0;
  close(file.fd);
  return ok;
}

/* Does the file system keep what store_commit() sets? */
static bool has_modes(const struct store *store) {
  struct stat st;
  int fd =
      openat(store->tmp, "try", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    return false;
  bool ok = fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0600 &&
            fchmod(fd, 0400) == 0 && fstat(fd, &st) == 0 &&
            (st.st_mode & 0777) == 0400;
  close(fd);
  unlinkat(store->tmp, "try", 0);
  return ok;
}

static bool store_drop(void *arg, int folder, const char *name) {
  (void)arg;
  unlinkat(folder, name, 0);
  return true;
}

static bool store_open_folder(int *folder, int dir, const char *name,
                              struct errmsg *err) {
  char owner[FOLDER_TEXT];
  *folder = folder_make(dir, name);
  int error = errno;
  return *folder >= 0 ||
         errmsg_set(err,
                    "the folder %s of the directory can't be made or used: "
                    "%s%s; let it belong to the gateway's user",
                    name, strerror(error),
                    folder_owner(owner, dir, name, error));
}

bool store_open(struct store *store, int dir, bool sync, bool joined,
                struct errmsg *err) {
  *store = (struct store)STORE_CLOSED;
  store->sync = sync;
  if (!store_open_folder(&store->blobs, dir, "blobs", err) ||
      !store_open_folder(&store->tmp, dir, "tmp", err))
    return false;
  if (fsync(dir) != 0)
    return errmsg_set(err, "the directory can't be synced: %s; check the disk",
                      strerror(errno));
  if (joined) /* its names are others than theirs */
    atomic_store(&store->names, (uint64_t)getpid() << 32);
  else if (!folder_walk(store->tmp, store_drop, NULL))
    return errmsg_set(err, "the folder tmp can't be read: %s; mend that",
                      strerror(errno));
  store->named = !can_be_unnamed(store);
  store->modes = has_modes(store);
  return true;
}

void store_close(struct store *store) {
  if (store->blobs >= 0)
    close(store->blobs);
  if (store->tmp >= 0)
    close(store->tmp);
  store->blobs = store->tmp = -1;
}

static bool stop_at_first(void *arg, int folder, const char *name) {
  (void)folder, (void)name;
  *(bool *)arg = false;
  return false;
}

bool store_empty(const struct store *store) {
  bool empty = true;
  return folder_walk(store->blobs, stop_at_first, &empty) && empty;
}

bool store_create(struct store *store, struct store_file *file) {
  const int flags = O_RDWR | O_CLOEXEC;
  char name[NAME_SIZE];
  file->name = 0;
  if (!store->named) {
    file->fd = openat(store->blobs, ".", flags | O_TMPFILE, 0600);
    return file->fd >= 0;
  }
  uint64_t number = atomic_fetch_add(&store->names, 1) + 1;
  name_of(name, number);
  file->fd = openat(store->tmp, name, flags | O_CREAT | O_EXCL, 0600);
  if (file->fd >= 0)
    file->name = number;
  return file->fd >= 0;
}

bool store_reopen(const struct store *store, struct store_file *file,
                  uint64_t number) {
  char path[PATH_SIZE];
  store_path(path, number);
  file->name = 0;
  file->fd = openat(store->blobs, path, O_RDWR | O_CLOEXEC);
  return file->fd >= 0;
}

bool store_write(const struct store_file *file, const void *data, size_t len,
                 uint64_t offset) {
  const char *at = data;
  while (len > 0) {
    ssize_t put = pwrite(file->fd, at, len, (off_t)offset);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    at += put;
    len -= (size_t)put;
    offset += (uint64_t)put;
  }
  return true;
}

/* An error is told once, here or by fsync; that the filesystem can't do it is
 * none. */
static bool write_back(int fd, uint64_t first, unsigned flags) {
  return sync_file_range(fd, (off64_t)first, ALONG, flags) == 0 ||
         (errno != EIO && errno != ENOSPC && errno != EDQUOT);
}

bool store_write_along(const struct store *store,
                       const struct store_file *file, uint64_t from,
                       uint64_t to) {
  uint64_t end = to / ALONG * ALONG;
  if (!store->sync || from >= end)
    return true;
  /* The last piece is begun, the one before it waited for. */
  return write_back(file->fd, end - ALONG, SYNC_FILE_RANGE_WRITE) &&
         (end < 2 * ALONG ||
          write_back(file->fd, end - 2 * ALONG,
                     SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                         SYNC_FILE_RANGE_WAIT_AFTER));
}

void store_discard(struct store *store, struct store_file *file) {
  char name[NAME_SIZE];
  if (file->name) {
    name_of(name, file->name);
    unlinkat(store->tmp, name, 0);
  }
  if (file->fd >= 0)
    close(file->fd);
  *file = (struct store_file){.fd = -1};
}

int store_try_room(struct store *store, uint64_t bytes) {
  struct store_file file;
  if (!store_create(store, &file))
    return errno;
  int error = fallocate(file.fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) == 0
                  ? 0
                  : errno;
  if (error == EOPNOTSUPP || error == ENOSYS) /* then what can be written */
    error = store_write(&file, "", 1, 0) ? 0 : errno;
  store_discard(store, &file);
  return error;
}

/* The folder of a number, and it is durable in its parents. */
static bool make_folders(struct store *store, uint64_t number) {
  char outer[PATH_SIZE], inner[NAME_SIZE];
  snprintf(outer, sizeof outer, "%llx", (unsigned long long)(number >> 16));
  snprintf(inner, sizeof inner, "%02x", (unsigned)(number >> 8 & 255));
  int epoch = folder_make(store->blobs, outer);
  int leaf = epoch < 0 ? -1 : folder_make(epoch, inner);
  bool ok = leaf >= 0 &&
            (!store->sync || (fsync(epoch) == 0 && fsync(store->blobs) == 0));
  int why = errno;
  if (leaf >= 0)
    close(leaf);
  if (epoch >= 0)
    close(epoch);
  errno = why;
  if (ok)
    atomic_store(&store->made[(number >> 8) % STORE_RING], (number >> 8) + 1);
  return ok;
}

static bool give_name(struct store *store, struct store_file *file,
                      const char *path) {
  char from[PATH_SIZE];
  if (!file->name) {
    snprintf(from, sizeof from, "/proc/self/fd/%d", file->fd);
    return linkat(AT_FDCWD, from, store->blobs, path, AT_SYMLINK_FOLLOW) == 0;
  }
  if (faccessat(store->blobs, path, F_OK, 0) == 0) {
    errno = EEXIST;
    return false;
  }
  name_of(from, file->name);
  if (renameat(store->tmp, from, store->blobs, path) != 0)
    return false;
  file->name = 0;
  return true;
}

static bool sync_folder(const struct store *store, char *path) {
  *strrchr(path, '/') = '\0';
  int fd = openat(store->blobs, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return false;
  bool ok = fsync(fd) == 0;
  int why = errno;
  close(fd);
  errno = why;
  return ok;
}

bool store_link(struct store *store, struct store_file *file,
                uint64_t number) {
  char path[PATH_SIZE];
  store_path(path, number);
  uint64_t leaf = number >> 8;
  if (atomic_load(&store->made[leaf % STORE_RING]) != leaf + 1 &&
      !make_folders(store, number))
    return false;
  if (!give_name(store, file, path))
    return false;
  return !store->sync || (fsync(file->fd) == 0 && sync_folder(store, path));
}

bool store_commit(const struct store *store, uint64_t number) {
  char path[PATH_SIZE];
  store_path(path, number);
  return !store->modes || fchmodat(store->blobs, path, 0400, 0) == 0;
}

bool store_is_committed(const struct store *store, const struct stat *st) {
  return !store->modes || (st->st_mode & S_IWUSR) == 0;
}

int store_read(const struct store *store, uint64_t number) {
  char path[PATH_SIZE];
  store_path(path, number);
  return openat(store->blobs, path, O_RDONLY | O_CLOEXEC);
}

bool store_move(const struct store *store, uint64_t number, int folder,
                const char *name) {
  char path[PATH_SIZE];
  store_path(path, number);
  /* Not every C library has a function for it. */
  return syscall(SYS_renameat2, store->blobs, path, folder, name,
                 RENAME_NOREPLACE) == 0;
}

/* After the unlink, so that a sync which takes the note also has that. */
static void note_emptied(struct store *store, uint64_t leaf) {
  for (size_t i = 0; i < STORE_RING; i++) {
    uint64_t there = 0;
    if (atomic_compare_exchange_strong(&store->emptied[i], &there, leaf + 1) ||
        there == leaf + 1)
      return;
  }
  atomic_store(&store->emptied_more, true);
}

bool store_unlink(struct store *store, uint64_t number) {
  char path[PATH_SIZE];
  store_path(path, number);
  /* One that isn't there may have been unlinked by a process that ended. */
  if (unlinkat(store->blobs, path, 0) != 0 && errno != ENOENT)
    return false;
  note_emptied(store, number >> 8);
  return true;
}

bool store_sync_one(const struct store *store, uint64_t number) {
  char path[PATH_SIZE];
  store_path(path, number);
  return !store->sync || sync_folder(store, path) || errno == ENOENT;
}

bool store_sync_unlinked(struct store *store) {
  bool ok = true;
  for (size_t i = 0; i < STORE_RING; i++) {
    uint64_t leaf = atomic_exchange(&store->emptied[i], 0);
    if (leaf > 0)
      ok = store_sync_one(store, (leaf - 1) << 8) && ok;
  }
  /* A folder that can't be synced is tried with all else the next time. */
  bool more = atomic_exchange(&store->emptied_more, false) && store->sync;
  if (more)
    ok = syncfs(store->blobs) == 0 && ok;
  if (!ok)
    atomic_store(&store->emptied_more, true);
  return ok;
}

enum sluice_status store_fault(int error) {
  static const struct {
    int error;
    enum sluice_status status;
  } table[] = {{ENOSPC, SLUICE_ENOSPC}, {EDQUOT, SLUICE_ENOSPC},
               {EMFILE, SLUICE_EBUSY},  {ENFILE, SLUICE_EBUSY},
               {ENOMEM, SLUICE_ENOMEM}, {EFBIG, SLUICE_ETOOBIG}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].error == error)
      return table[i].status;
  return SLUICE_EIO;
}

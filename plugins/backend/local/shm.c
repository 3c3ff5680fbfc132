/* SPDX-License-Identifier: MIT
 *
 * Of SQLite's "unix-none" each file of a database gets a copy of its methods,
 * in which the ones that lock and map are these.
 */
#include "shm.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BELOW "unix-none"
/* Of the locks' bytes: SQLite's eight come first. */
#define SHARED (SHM_LOCKS + 64)
#define RESERVED (SHM_LOCKS + 65)
#define ALIGN 16u

struct shm_file { /* behind SQLite's own part */
  sqlite3_io_methods methods;
  const sqlite3_io_methods *below;
  int fd; /* the memory, for this connection's locks */
  int level;
  void **regions;
  int count, size;
};

static struct shm_file *shm_of(sqlite3_file *file) {
  union { /* SQLite keeps it as it isn't its own to change */
    const sqlite3_io_methods *kept;
    char *bytes;
  } methods = {.kept = file->pMethods};
  return (void *)(methods.bytes - offsetof(struct shm_file, methods));
}

/* ---- locks -------------------------------------------------------------- */

int shm_again(int memory) {
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
  return open(path, O_RDWR | O_CLOEXEC);
}

static bool act(int fd, int command, struct flock *lock) {
  int result;
  do
    result = fcntl(fd, command, lock);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

bool shm_lock(int fd, short kind, int64_t from, int64_t count) {
  struct flock lock = {.l_type = kind,
                       .l_whence = SEEK_SET,
                       .l_start = (off_t)from,
                       .l_len = (off_t)count};
  return act(fd, F_OFD_SETLK, &lock);
}

bool shm_is_locked(int fd, short kind, int64_t from, int64_t count) {
  struct flock lock = {.l_type = kind,
                       .l_whence = SEEK_SET,
                       .l_start = (off_t)from,
                       .l_len = (off_t)count};
  return count > 0 && (!act(fd, F_OFD_GETLK, &lock) || lock.l_type != F_UNLCK);
}

static int outcome(bool ok) {
  if (ok)
    return SQLITE_OK;
  return errno == EAGAIN || errno == EACCES ? SQLITE_BUSY : SQLITE_IOERR_LOCK;
}

static int shm_file_lock(sqlite3_file *file, int level) {
  struct shm_file *shm = shm_of(file);
  bool ok = true;
  if (level <= shm->level)
    return SQLITE_OK;
  if (shm->level < SQLITE_LOCK_SHARED)
    ok = shm_lock(shm->fd, F_RDLCK, SHARED, 1);
  if (ok && level >= SQLITE_LOCK_RESERVED && shm->level < SQLITE_LOCK_RESERVED)
    ok = shm_lock(shm->fd, F_WRLCK, RESERVED, 1);
  if (ok && level >= SQLITE_LOCK_EXCLUSIVE)
    ok = shm_lock(shm->fd, F_WRLCK, SHARED, 1);
  if (ok)
    shm->level = level;
  return outcome(ok);
}

static int shm_file_unlock(sqlite3_file *file, int level) {
  struct shm_file *shm = shm_of(file);
  if (level >= shm->level)
    return SQLITE_OK;
  bool ok = shm_lock(shm->fd, F_UNLCK, RESERVED, 1) &&
            shm_lock(shm->fd, level == SQLITE_LOCK_SHARED ? F_RDLCK : F_UNLCK,
                     SHARED, 1);
  if (!ok)
    return SQLITE_IOERR_UNLOCK;
  shm->level = level;
  return SQLITE_OK;
}

static int shm_file_reserved(sqlite3_file *file, int *reserved) {
  const struct shm_file *shm = shm_of(file);
  *reserved = shm->level >= SQLITE_LOCK_RESERVED ||
              shm_is_locked(shm->fd, F_WRLCK, RESERVED, 1);
  return SQLITE_OK;
}

static int shm_map_lock(sqlite3_file *file, int from, int count, int how) {
  const struct shm_file *shm = shm_of(file);
  short kind = (how & SQLITE_SHM_UNLOCK) != 0      ? F_UNLCK
               : (how & SQLITE_SHM_EXCLUSIVE) != 0 ? F_WRLCK
                                                   : F_RDLCK;
  return outcome(shm_lock(shm->fd, kind, SHM_LOCKS + from, count));
}

static void shm_map_barrier(sqlite3_file *file) {
  (void)file;
  __sync_synchronize();
}

/* ---- memory ------------------------------------------------------------- */

static int shm_map_region(sqlite3_file *file, int region, int size, int extend,
                          void volatile **at) {
  struct shm_file *shm = shm_of(file);
  *at = NULL;
  (void)extend; /* there is always room, as in a heap */
  if ((int64_t)(region + 1) * size > SHM_BOARD)
    return SQLITE_FULL;
  if (region >= shm->count) {
    void **more = realloc(shm->regions, (size_t)(region + 1) * sizeof *more);
    if (more == NULL)
      return SQLITE_IOERR_NOMEM;
    shm->regions = more;
    shm->size = size;
  }
  while (shm->count <= region) {
    off_t from = (off_t)shm->count * size;
    /* Memory is taken now, and not when it is written to. */
    if (fallocate(shm->fd, 0, from, size) != 0)
      return SQLITE_IOERR_SHMSIZE;
    void *map = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
                     shm->fd, from);
    if (map == MAP_FAILED)
      return SQLITE_IOERR_SHMMAP;
    shm->regions[shm->count++] = map;
  }
  *at = shm->regions[region];
  return SQLITE_OK;
}

static int shm_map_end(sqlite3_file *file, int erase) {
  struct shm_file *shm = shm_of(file);
  (void)erase;
  for (int i = 0; i < shm->count; i++)
    munmap(shm->regions[i], (size_t)shm->size);
  free(shm->regions);
  shm->regions = NULL;
  shm->count = 0;
  return SQLITE_OK;
}

/* ---- files -------------------------------------------------------------- */

static int shm_file_close(sqlite3_file *file) {
  struct shm_file *shm = shm_of(file);
  const sqlite3_io_methods *below = shm->below;
  shm_map_end(file, 0);
  if (shm->fd >= 0)
    close(shm->fd);
  file->pMethods = below;
  return below->xClose(file);
}

static size_t own_part(const sqlite3_vfs *below) {
  return ((size_t)below->szOsFile + ALIGN - 1) / ALIGN * ALIGN;
}

static int shm_file_open(sqlite3_vfs *vfs, const char *name,
                         sqlite3_file *file, int flags, int *got) {
  const struct shm *shm =
      (const void *)((char *)vfs - offsetof(struct shm, vfs));
  struct shm_file *mine = (void *)((char *)file + own_part(shm->below));
  int result = shm->below->xOpen(shm->below, name, file, flags, got);
  if (result != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0)
    return result;
  *mine = (struct shm_file){.methods = *file->pMethods,
                            .below = file->pMethods,
                            .fd = shm_again(shm->memory)};
  mine->methods.xClose = shm_file_close;
  mine->methods.xLock = shm_file_lock;
  mine->methods.xUnlock = shm_file_unlock;
  mine->methods.xCheckReservedLock = shm_file_reserved;
  mine->methods.xShmMap = shm_map_region;
  mine->methods.xShmLock = shm_map_lock;
  mine->methods.xShmBarrier = shm_map_barrier;
  mine->methods.xShmUnmap = shm_map_end;
  file->pMethods = &mine->methods;
  if (mine->fd >= 0)
    return SQLITE_OK;
  shm_file_close(file);
  file->pMethods = NULL;
  return SQLITE_CANTOPEN;
}

bool shm_open_vfs(struct shm *shm, int memory) {
  *shm = (struct shm)SHM_NONE;
  shm->below = sqlite3_vfs_find(BELOW);
  if (shm->below == NULL)
    return false;
  shm->vfs = *shm->below;
  shm->vfs.szOsFile = (int)(own_part(shm->below) + sizeof(struct shm_file));
  shm->vfs.pNext = NULL;
  shm->vfs.xOpen = shm_file_open;
  snprintf(shm->name, sizeof shm->name, "sluice-%p", (void *)shm);
  shm->vfs.zName = shm->name;
  shm->memory = memory;
  shm->registered = sqlite3_vfs_register(&shm->vfs, 0) == SQLITE_OK;
  return shm->registered;
}

void shm_close_vfs(struct shm *shm) {
  if (shm->registered)
    sqlite3_vfs_unregister(&shm->vfs);
  shm->registered = false;
}

const char *shm_vfs(const struct shm *shm) {
  return shm->registered ? shm->name : NULL;
}

/* SPDX-License-Identifier: MIT
 *
 * A VFS of SQLite for one database of a few processes.  Files are read and
 * written as by SQLite's own; the WAL's index and all locks are in memory
 * that the processes share by its descriptor (memfd_create(2)): so no disk
 * that is full or fails is behind what is mapped.  The locks are those of
 * open file descriptions, one description a connection: they hold between
 * connections of one process, too, and end with it.
 */
#ifndef LOCAL_SHM_H
#define LOCAL_SHM_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Places in the memory: the WAL's index begins at 0. */
#define SHM_BOARD ((int64_t)1 << 30)
/* Bytes that are locked, and hold nothing. */
#define SHM_LOCKS ((int64_t)1 << 40)
#define SHM_TURNS (SHM_LOCKS + 256)
#define SHM_PRESENCE (SHM_LOCKS + 512)

struct shm {
  sqlite3_vfs vfs, *below;
  int memory;
  char name[40];
  bool registered;
};

#define SHM_NONE \
  { .memory = -1 }

/* The memory is lent until shm_close(). */
bool shm_open_vfs(struct shm *, int memory);
void shm_close_vfs(struct shm *); /* no database is open */
/* For sqlite3_open_v2(); NULL: there is none. */
const char *shm_vfs(const struct shm *);

/* The memory, as a description of its own; -1. */
int shm_again(int memory);
/* F_RDLCK, F_WRLCK or F_UNLCK of bytes, at once; false and errno. */
bool shm_lock(int fd, short kind, int64_t from, int64_t count);
/* Does somebody else keep it from being had? */
bool shm_is_locked(int fd, short kind, int64_t from, int64_t count);

#endif

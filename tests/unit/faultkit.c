/* SPDX-License-Identifier: MIT
 *
 * The calls that fail when told to.
 */
#include "faultkit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN __attribute__((visibility("default")))

static struct {
  pthread_mutex_t lock;
  enum fault_call call;
  char kind;
  int error;
  char folder[200];
  size_t changes;
  char syncs[4096];
} fault = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void path_of(int fd, char path[400]) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(link, path, 399);
  path[len < 0 ? 0 : len] = '\0';
}

static char kind_of(const char *path) {
  const char *blobs = strstr(path, "/blobs");
  if (strstr(path, "-wal"))
    return 'w';
  if (strstr(path, "index.db"))
    return 'd';
  if (!blobs)
    return 't';
  if (strchr(blobs, '#') || strlen(blobs) > 20) /* no name yet, or one */
    return 'b';
  return strlen(blobs) > 9 ? 'l' : strlen(blobs) > 6 ? 'e' : 'B';
}

/* False, and errno, when this call has to fail. */
static bool passes(enum fault_call call, int fd) {
  char path[400];
  path_of(fd, path);
  char kind = kind_of(path);
  pthread_mutex_lock(&fault.lock);
  size_t len = strlen(fault.syncs);
  if (call == FAULT_SYNC && len + 1 < sizeof fault.syncs)
    fault.syncs[len] = kind;
  if (fault.folder[0] && strstr(path, fault.folder))
    fault.changes++;
  bool refused = call == fault.call && kind == fault.kind;
  int error = fault.error;
  pthread_mutex_unlock(&fault.lock);
  if (refused)
    errno = error;
  return !refused;
}

void fault_set(enum fault_call call, char kind, int error) {
  pthread_mutex_lock(&fault.lock);
  fault.call = call;
  fault.kind = kind;
  fault.error = error;
  fault.changes = 0;
  memset(fault.syncs, 0, sizeof fault.syncs);
  pthread_mutex_unlock(&fault.lock);
}

void fault_clear(void) {
  fault_set(FAULT_NONE, 0, 0);
}

void fault_watch(const char *folder) {
  snprintf(fault.folder, sizeof fault.folder, "%s", folder);
}

const char *fault_syncs(void) {
  return fault.syncs;
}

size_t fault_changes(void) {
  pthread_mutex_lock(&fault.lock);
  size_t changes = fault.changes;
  pthread_mutex_unlock(&fault.lock);
  return changes;
}

/* ---- the calls ---- */

OWN int fsync(int fd) {
  return passes(FAULT_SYNC, fd) ? (int)syscall(SYS_fsync, fd) : -1;
}

OWN int fdatasync(int fd) {
  return passes(FAULT_SYNC, fd) ? (int)syscall(SYS_fdatasync, fd) : -1;
}

OWN ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) {
  return passes(FAULT_WRITE, fd) ? syscall(SYS_pwrite64, fd, data, len, offset)
                                 : -1;
}

#ifndef pwrite64 /* or both names are one */
OWN ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
  return pwrite64(fd, data, len, offset);
}
#endif

OWN int sync_file_range(int fd, off64_t from, off64_t count, unsigned flags) {
  return passes(FAULT_WRITE_BACK, fd)
             ? (int)syscall(SYS_sync_file_range, fd, from, count, flags)
             : -1;
}

OWN int fallocate64(int fd, int mode, off64_t from, off64_t count) {
  return passes(FAULT_ALLOCATE, fd)
             ? (int)syscall(SYS_fallocate, fd, mode, from, count)
             : -1;
}

#ifndef fallocate64
OWN int fallocate(int fd, int mode, off_t from, off_t count) {
  return fallocate64(fd, mode, from, count);
}
#endif

OWN int openat64(int folder, const char *name, int flags, ...) {
  va_list args;
  va_start(args, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
  va_end(args);
  if ((flags & O_TMPFILE) == O_TMPFILE && !passes(FAULT_CREATE, folder))
    return -1;
  return (int)syscall(SYS_openat, folder, name, flags, mode);
}

#ifndef openat64
OWN int openat(int folder, const char *name, int flags, ...) {
  va_list args;
  va_start(args, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
  va_end(args);
  return openat64(folder, name, flags, mode);
}
#endif

OWN int linkat(int from, const char *old, int to, const char *new, int flags) {
  return passes(FAULT_LINK, to)
             ? (int)syscall(SYS_linkat, from, old, to, new, flags)
             : -1;
}

OWN int mkdirat(int folder, const char *name, mode_t mode) {
  return passes(FAULT_MAKE, folder)
             ? (int)syscall(SYS_mkdirat, folder, name, mode)
             : -1;
}

OWN int unlinkat(int folder, const char *name, int flags) {
  return passes(FAULT_UNLINK, folder)
             ? (int)syscall(SYS_unlinkat, folder, name, flags)
             : -1;
}

/* SPDX-License-Identifier: MIT
 *
 * No plugin, but a library for LD_PRELOAD: each call of a process that changes
 * something below the folder RECORD_BELOW, or syncs it, is written to the file
 * RECORD_TO, in the order in which they took place, with the bytes that were
 * written.  A call and its record are one step for all threads, and others may
 * append to the same file.  disk.py reads it.
 *
 * A record is a line of words, and after it as many bytes as its last word
 * says.  Files are told by their inodes' numbers, names by their paths.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define OWN __attribute__((visibility("default")))

typedef long raw_call(long number, ...);

static pthread_mutex_t recorder_lock = PTHREAD_MUTEX_INITIALIZER;
static int record_to = -1;
static char below[PATH_MAX];
static size_t below_len;

/* libc's own syscall(), as this library has one, too. */
static raw_call *find_raw(void) {
  union {
    void *found;
    raw_call *call;
  } own = {dlsym(RTLD_NEXT, "syscall")};
  return own.call;
}

#define raw(...) (find_raw()(__VA_ARGS__))

__attribute__((constructor)) static void recorder_open(void) {
  const char *to = getenv("RECORD_TO"), *folder = getenv("RECORD_BELOW");
  if (to == NULL || folder == NULL || strlen(folder) >= sizeof below)
    return;
  below_len = strlen(folder);
  memcpy(below, folder, below_len + 1);
  record_to = (int)raw(SYS_openat, AT_FDCWD, to,
                       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* ---- what a call is about ---- */

static bool is_below(const char *path) {
  return record_to >= 0 && strncmp(path, below, below_len) == 0 &&
         (path[below_len] == '/' || path[below_len] == '\0');
}

static bool path_of(int fd, char path[PATH_MAX]) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(link, path, PATH_MAX - 1);
  path[len < 0 ? 0 : len] = '\0';
  return len > 0;
}

/* The whole path of a name; false where it isn't below. */
static bool resolve(int folder, const char *name, char path[PATH_MAX]) {
  size_t len = 0;
  if (record_to < 0)
    return false;
  path[0] = '\0';
  if (*name != '/') {
    if (folder == AT_FDCWD ? getcwd(path, PATH_MAX) == NULL
                           : !path_of(folder, path))
      return false;
    len = strlen(path);
    if (strcmp(name, ".") == 0)
      return is_below(path);
    path[len++] = '/';
  }
  snprintf(path + len, PATH_MAX - len, "%s", name);
  return is_below(path);
}

static bool is_ours(int fd) {
  char path[PATH_MAX];
  return record_to >= 0 && path_of(fd, path) && is_below(path);
}

static const char *inner(const char *path) {
  return path[below_len] ? path + below_len + 1 : ".";
}

static unsigned long long inode_of(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 ? (unsigned long long)st.st_ino : 0;
}

static unsigned long long inode_at(const char *path) {
  struct stat st;
  return lstat(path, &st) == 0 ? (unsigned long long)st.st_ino : 0;
}

/* ---- records ---- */

static void put_record(const char *line, const void *data, size_t len) {
  struct iovec parts[] = {{(void *)(uintptr_t)line, strlen(line)},
                          {(void *)(uintptr_t)data, len}};
  size_t want = parts[0].iov_len + len;
  ssize_t put = raw(SYS_writev, record_to, parts, 2);
  if (put < 0 || (size_t)put != want)
    _exit(70); /* a record that lacks something proves nothing */
}

__attribute__((format(printf, 1, 2))) static void record(const char *form,
                                                         ...) {
  char line[2 * PATH_MAX + 100];
  va_list args;
  va_start(args, form);
  vsnprintf(line, sizeof line, form, args);
  va_end(args);
  put_record(line, "", 0);
}

static void record_write(int fd, const void *data, size_t len, off64_t at) {
  char line[100];
  snprintf(line, sizeof line, "write %llu %lld %zu\n", inode_of(fd),
           (long long)at, len);
  put_record(line, data, len);
}

#define BEGIN(ours)     \
  bool recorded = ours; \
  if (recorded)         \
  pthread_mutex_lock(&recorder_lock)

static void leave(bool recorded) {
  int why = errno;
  if (recorded)
    pthread_mutex_unlock(&recorder_lock);
  errno = why;
}

/* ---- the calls: bytes ---- */

OWN ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) {
  BEGIN(is_ours(fd));
  ssize_t put = raw(SYS_pwrite64, fd, data, len, at);
  if (recorded && put > 0)
    record_write(fd, data, (size_t)put, at);
  leave(recorded);
  return put;
}

OWN ssize_t pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t pwrite(int fd, const void *data, size_t len, off_t at) {
  return pwrite64(fd, data, len, at);
}

OWN ssize_t write(int fd, const void *data, size_t len) {
  BEGIN(is_ours(fd));
  ssize_t put = raw(SYS_write, fd, data, len);
  if (recorded && put > 0)
    record_write(fd, data, (size_t)put, lseek(fd, 0, SEEK_CUR) - put);
  leave(recorded);
  return put;
}

/* Vectors, and copies inside the kernel, are done in pieces here. */
OWN ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at);
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  ssize_t all = 0;
  if (!is_ours(fd))
    return raw(SYS_pwritev, fd, parts, count, at, 0);
  for (int i = 0; i < count; i++) {
    ssize_t put = pwrite64(fd, parts[i].iov_base, parts[i].iov_len, at + all);
    if (put < 0)
      return all > 0 ? all : -1;
    all += put;
    if ((size_t)put < parts[i].iov_len)
      break;
  }
  return all;
}

OWN ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at,
                            size_t len, unsigned flags) {
  static char piece[65536];
  if (!is_ours(to))
    return raw(SYS_copy_file_range, from, from_at, to, to_at, len, flags);
  BEGIN(true);
  len = len < sizeof piece ? len : sizeof piece;
  ssize_t got = from_at ? raw(SYS_pread64, from, piece, len, *from_at)
                        : raw(SYS_read, from, piece, len);
  off64_t at = to_at ? *to_at : lseek(to, 0, SEEK_CUR);
  ssize_t put = got > 0 ? raw(SYS_pwrite64, to, piece, (size_t)got, at) : got;
  if (put > 0) {
    record_write(to, piece, (size_t)put, at);
    if (from_at)
      *from_at += put;
    if (to_at)
      *to_at += put;
    else
      lseek(to, put, SEEK_CUR);
  }
  leave(recorded);
  return put;
}

OWN int ftruncate64(int fd, off64_t size) {
  BEGIN(is_ours(fd));
  int result = (int)raw(SYS_ftruncate, fd, size);
  if (recorded && result == 0)
    record("truncate %llu %lld\n", inode_of(fd), (long long)size);
  leave(recorded);
  return result;
}

OWN int ftruncate(int fd, off_t size);
int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}

OWN int fallocate64(int fd, int mode, off64_t from, off64_t count) {
  BEGIN(is_ours(fd));
  int result = (int)raw(SYS_fallocate, fd, mode, from, count);
  struct stat st;
  if (recorded && result == 0 && fstat(fd, &st) == 0 &&
      (mode & FALLOC_FL_KEEP_SIZE) == 0)
    record("truncate %llu %lld\n", inode_of(fd), (long long)st.st_size);
  leave(recorded);
  return result;
}

OWN int fallocate(int fd, int mode, off_t from, off_t count);
int fallocate(int fd, int mode, off_t from, off_t count) {
  return fallocate64(fd, mode, from, count);
}

/* ---- syncs ---- */

static int sync_one(int fd, long call, const char *how) {
  char path[PATH_MAX];
  struct stat st;
  BEGIN(record_to >= 0 && path_of(fd, path) && is_below(path));
  int result = (int)raw(call, fd);
  if (recorded && result == 0 && fstat(fd, &st) == 0) {
    if (S_ISDIR(st.st_mode))
      record("syncdir %s\n", inner(path));
    else
      record("%s %llu\n", how, (unsigned long long)st.st_ino);
  }
  leave(recorded);
  return result;
}

OWN int fsync(int fd) {
  return sync_one(fd, SYS_fsync, "sync");
}

OWN int fdatasync(int fd) {
  return sync_one(fd, SYS_fdatasync, "datasync");
}

OWN int syncfs(int fd) {
  BEGIN(is_ours(fd));
  int result = (int)raw(SYS_syncfs, fd);
  if (recorded && result == 0)
    record("syncall\n");
  leave(recorded);
  return result;
}

/* ---- names ---- */

static int open_recorded(int folder, const char *name, int flags,
                         mode_t mode) {
  char path[PATH_MAX];
  bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  BEGIN((flags & (O_CREAT | O_TRUNC) || unnamed) &&
        resolve(folder, name, path));
  struct stat st = {.st_ino = 0};
  bool there = recorded && !unnamed && stat(path, &st) == 0;
  int fd = (int)raw(SYS_openat, folder, name, flags, mode);
  if (recorded && fd >= 0) {
    struct stat now;
    fstat(fd, &now);
    if (unnamed)
      record("unnamed %llu %o\n", inode_of(fd), now.st_mode & 07777);
    else if (!there)
      record("create %llu %o %s\n", inode_of(fd), now.st_mode & 07777,
             inner(path));
    else if (flags & O_TRUNC && st.st_size > 0)
      record("truncate %llu 0\n", inode_of(fd));
  }
  leave(recorded);
  return fd;
}

static mode_t mode_of(int flags, va_list args) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define OPENS(call, ...)              \
  va_list args;                       \
  va_start(args, flags);              \
  mode_t mode = mode_of(flags, args); \
  va_end(args);                       \
  return call(__VA_ARGS__, flags, mode)

OWN int openat64(int folder, const char *name, int flags, ...) {
  OPENS(open_recorded, folder, name);
}

OWN int openat(int folder, const char *name, int flags, ...);
int openat(int folder, const char *name, int flags, ...) {
  OPENS(open_recorded, folder, name);
}

OWN int open64(const char *name, int flags, ...) {
  OPENS(open_recorded, AT_FDCWD, name);
}

OWN int open(const char *name, int flags, ...);
int open(const char *name, int flags, ...) {
  OPENS(open_recorded, AT_FDCWD, name);
}

OWN int mkdirat(int folder, const char *name, mode_t mode) {
  char path[PATH_MAX];
  BEGIN(resolve(folder, name, path));
  int result = (int)raw(SYS_mkdirat, folder, name, mode);
  if (recorded && result == 0)
    record("mkdir %o %s\n", mode, inner(path));
  leave(recorded);
  return result;
}

OWN int mkdir(const char *name, mode_t mode) {
  return mkdirat(AT_FDCWD, name, mode);
}

OWN int linkat(int from, const char *old, int to, const char *new, int flags) {
  char path[PATH_MAX];
  BEGIN(resolve(to, new, path));
  int result = (int)raw(SYS_linkat, from, old, to, new, flags);
  if (recorded && result == 0)
    record("link %llu %s\n", inode_at(path), inner(path));
  leave(recorded);
  return result;
}

OWN int unlinkat(int folder, const char *name, int flags) {
  char path[PATH_MAX];
  BEGIN(resolve(folder, name, path));
  int result = (int)raw(SYS_unlinkat, folder, name, flags);
  if (recorded && result == 0)
    record("unlink %s\n", inner(path));
  leave(recorded);
  return result;
}

OWN int unlink(const char *name) {
  return unlinkat(AT_FDCWD, name, 0);
}

static int rename_recorded(int from, const char *old, int to, const char *new,
                           unsigned flags) {
  char source[PATH_MAX], target[PATH_MAX];
  BEGIN(resolve(from, old, source) && resolve(to, new, target));
  int result = (int)raw(SYS_renameat2, from, old, to, new, flags);
  if (recorded && result == 0)
    record("rename %s\t%s\n", inner(source), inner(target));
  leave(recorded);
  return result;
}

OWN int renameat(int from, const char *old, int to, const char *new) {
  return rename_recorded(from, old, to, new, 0);
}

OWN int rename(const char *old, const char *new) {
  return rename_recorded(AT_FDCWD, old, AT_FDCWD, new, 0);
}

/* Some libcs have no renameat2(), so it comes by its number. */
OWN long syscall(long number, ...) {
  long a[6];
  va_list args;
  va_start(args, number);
  for (int i = 0; i < 6; i++)
    a[i] = va_arg(args, long);
  va_end(args);
  if (number == SYS_renameat2)
    return rename_recorded((int)a[0], (const char *)a[1], (int)a[2],
                           (const char *)a[3], (unsigned)a[4]);
  return raw(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- modes ---- */

OWN int fchmod(int fd, mode_t mode) {
  BEGIN(is_ours(fd));
  int result = (int)raw(SYS_fchmod, fd, mode);
  if (recorded && result == 0)
    record("chmod %llu %o\n", inode_of(fd), mode);
  leave(recorded);
  return result;
}

OWN int fchmodat(int folder, const char *name, mode_t mode, int flags) {
  char path[PATH_MAX];
  (void)flags;
  BEGIN(resolve(folder, name, path));
  int result = (int)raw(SYS_fchmodat, folder, name, mode);
  if (recorded && result == 0)
    record("chmod %llu %o\n", inode_at(path), mode);
  leave(recorded);
  return result;
}

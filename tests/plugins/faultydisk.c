/* SPDX-License-Identifier: MIT
 *
 * No plugin, but a library for LD_PRELOAD: while the file that FAULTY_DISK
 * names is there, each write to an index of the backend `local`, or to a file
 * with FAULTY_PATH in its name, and each sync of one, fails with EIO; where
 * COPIES_NOTHING is set, the kernel copies no file for others.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OWN __attribute__((visibility("default")))

OWN int fsync(int fd);
OWN int fdatasync(int fd);
OWN ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset);
OWN ssize_t pwrite(int fd, const void *data, size_t len, off_t offset);

OWN ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at,
                            size_t len, unsigned flags);

static bool fails(int fd) {
  char link[40], path[400];
  const char *switched = getenv("FAULTY_DISK");
  const char *wanted = getenv("FAULTY_PATH");
  if (switched == NULL || access(switched, F_OK) != 0)
    return false;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(link, path, sizeof path - 1);
  path[len < 0 ? 0 : len] = '\0';
  if (strstr(path, wanted == NULL ? "/index.db" : wanted) == NULL)
    return false;
  errno = EIO;
  return true;
}

int fsync(int fd) {
  return fails(fd) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
  return fails(fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) {
  return fails(fd) ? -1 : syscall(SYS_pwrite64, fd, data, len, offset);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) {
  return pwrite64(fd, data, len, offset);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at,
                        size_t len, unsigned flags) {
  if (getenv("COPIES_NOTHING") == NULL)
    return syscall(SYS_copy_file_range, from, from_at, to, to_at, len, flags);
  errno = EOPNOTSUPP;
  return -1;
}

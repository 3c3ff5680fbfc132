/* SPDX-License-Identifier: MIT
 *
 * A temporary file without a name: nothing of it is left behind, however the
 * process ends.
 */
#include "spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pagecache.h"

int spool_file_open(const char *directory) {
  int fd = open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
    return fd;
  /* A filesystem that knows no files without a name. */
  char path[PATH_MAX];
  int len = snprintf(path, sizeof path, "%s/.spool-XXXXXX", directory);
  if (len < 0 || (size_t)len >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  fd = mkostemp(path, O_CLOEXEC);
  if (fd >= 0)
    unlink(path);
  return fd;
}

bool spool_file_write(int fd, const void *data, size_t len, uint64_t offset) {
  const char *at = data;
  while (len > 0) {
    ssize_t n = pwrite(fd, at, len, (off_t)offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      errno = n == 0 ? EIO : errno;
      return false;
    }
    at += n;
    len -= (size_t)n;
    offset += (uint64_t)n;
  }
  return true;
}

int64_t spool_file_read(int fd, void *to, size_t room, uint64_t offset) {
  size_t got = 0;
  while (got < room) {
    ssize_t n = pread(fd, (char *)to + got, room - got, (off_t)(offset + got));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -1;
    if (n == 0)
      break;
    got += (size_t)n;
  }
  return (int64_t)got;
}

int64_t spool_file_peek(int fd, void *to, size_t room, uint64_t offset) {
  int64_t n = pagecache_read(fd, to, room, offset);
  if (n < 0 && errno == EOPNOTSUPP)
    errno = EAGAIN;
  return n;
}

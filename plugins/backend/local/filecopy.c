/* SPDX-License-Identifier: MIT
 *
 * copy_file_range(2) shares blocks on file systems that can.
 */
#include "filecopy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 20)
#define ROOM ((size_t)256 << 10)

static bool write_all(int to, const char *at, size_t len, off_t offset) {
  while (len > 0) {
    ssize_t put = pwrite(to, at, len, offset);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    at += put;
    offset += put;
    len -= (size_t)put;
  }
  return true;
}

static bool copy_through_memory(int from, int to, off_t at) {
  char *room = malloc(ROOM);
  ssize_t got = -1;
  while (room != NULL) {
    got = pread(from, room, ROOM, at);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    if (!write_all(to, room, (size_t)got, at)) {
      got = -1;
      break;
    }
    at += got;
  }
  int why = room == NULL ? ENOMEM : errno;
  free(room);
  errno = why;
  return got == 0;
}

static bool cannot(int error) {
  return error == ENOSYS || error == EOPNOTSUPP || error == EXDEV ||
         error == EINVAL || error == EPERM;
}

bool filecopy_bytes(int from, int to) {
  off_t at = 0;
  for (;;) {
    off_t in = at, out = at;
    ssize_t done = copy_file_range(from, &in, to, &out, PIECE, 0);
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0 && cannot(errno))
      return copy_through_memory(from, to, at);
    if (done < 0)
      return false;
    /* Some file systems copy nothing and say so by 0. */
    if (done == 0)
      return copy_through_memory(from, to, at);
    at += done;
  }
}

bool filecopy_named(int from, int to, const char *name) {
  int in = openat(from, name, O_RDONLY | O_CLOEXEC);
  int out =
      in < 0 ? -1
             : openat(to, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool ok = out >= 0 && filecopy_bytes(in, out) && fsync(out) == 0;
  int why = errno;
  if (in >= 0)
    close(in);
  if (out >= 0)
    close(out);
  errno = why;
  return ok;
}

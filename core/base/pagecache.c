/* SPDX-License-Identifier: MIT
 *
 * Reads of files that don't wait for a disk.  preadv2() is asked for by its
 * number, as not every libc has it.
 */
#include "pagecache.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8 /* linux/fs.h */
#endif

int64_t pagecache_read(int fd, void *to, size_t room, uint64_t offset) {
  struct iovec span = {.iov_base = to, .iov_len = room};
  long n;
  do {
    n = syscall(SYS_preadv2, fd, &span, 1L, (long)offset, (long)(offset >> 32),
                (long)RWF_NOWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == ENOSYS || errno == EINVAL))
    errno = EOPNOTSUPP;
  return n;
}

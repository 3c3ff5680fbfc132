/* SPDX-License-Identifier: MIT
 *
 * Each has a description of its own, as several threads hold it at once.
 */
#include "hold.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

int hold_take(int dir, enum hold_kind kind) {
  static const int how[] = {[HOLD_CHANGE] = LOCK_SH | LOCK_NB,
                            [HOLD_START] = LOCK_SH,
                            [HOLD_COPY] = LOCK_EX};
  int fd = openat(dir, "hold", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
  int result = 0;
  if (fd < 0)
    return HOLD_NONE;
  do
    result = flock(fd, how[kind]);
  while (result != 0 && errno == EINTR);
  if (result == 0)
    return fd;
  int why = errno;
  close(fd);
  errno = why;
  return HOLD_NONE;
}

bool hold_forbids(int hold) {
  return hold == HOLD_NONE && (errno == EWOULDBLOCK || errno == EMFILE ||
                               errno == ENFILE || errno == ENOMEM);
}

void hold_end(int hold) {
  if (hold >= 0)
    close(hold);
}

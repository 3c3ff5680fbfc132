/* SPDX-License-Identifier: MIT
 *
 * With HOLD_COPY nobody copies the log back, so index.db stands still, and a
 * page that is newer is in the log.  That grows meanwhile, and each of its
 * frames sums up all that come before it: a copy of its beginning is a state
 * that was.  It starts over, by a new header, at most once: when all of it had
 * been copied back before.  Then it is copied again.
 */
#include "snapshot.h"

#include "filecopy.h"
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define WAL INDEX_FILE "-wal"
#define WAL_HEADER 32
#define TRIES 3

struct header {
  char bytes[WAL_HEADER];
  ssize_t len; /* -1: there is no log */
};

static struct header read_header(int from) {
  struct header header = {.len = -1};
  int fd = openat(from, WAL, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return header;
  header.len = pread(fd, header.bytes, sizeof header.bytes, 0);
  close(fd);
  return header;
}

static bool is_same(const struct header *one, const struct header *two) {
  return one->len == two->len &&
         memcmp(one->bytes, two->bytes, sizeof one->bytes) == 0;
}

static bool copy_log(int from, int to) {
  for (int i = 0; i < TRIES; i++) {
    struct header before = read_header(from);
    if (unlinkat(to, WAL, 0) != 0 && errno != ENOENT)
      return false;
    if (before.len >= 0 && !filecopy_named(from, to, WAL))
      return false;
    struct header after = read_header(from);
    if (is_same(&before, &after))
      return true;
  }
  errno = EBUSY;
  return false;
}

bool snapshot_take(int from, int to, struct errmsg *err) {
  if (filecopy_named(from, to, INDEX_FILE) && copy_log(from, to))
    return true;
  int why = errno;
  errmsg_set(err,
             INDEX_FILE " can't be copied: %s; let it be readable, and "
                        "make room",
             strerror(why));
  errno = why;
  return false;
}

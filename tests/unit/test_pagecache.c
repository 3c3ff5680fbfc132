/* SPDX-License-Identifier: MIT
 *
 * Reads of a file that don't wait for a disk.  A filesystem may not know; then
 * it says so, and nothing else can be claimed.
 */
#include "pagecache.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAR ((off_t)5 << 30) /* more than 32 bits */

static int file_of(const char *text, off_t at) {
  char path[] = "/tmp/sluice-pagecache-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_FATAL(fd >= 0);
  unlink(path);
  CU_ASSERT_EQUAL(pwrite(fd, text, strlen(text), at), (ssize_t)strlen(text));
  return fd;
}

/* Of bytes that were written just now. */
static void gives(int fd, uint64_t at, size_t room, const char *want) {
  char got[16] = "";
  int64_t n = pagecache_read(fd, got, room, at);
  if (n < 0) {
    CU_ASSERT(errno == EAGAIN || errno == EOPNOTSUPP);
  } else {
    CU_ASSERT_EQUAL(n, (int64_t)strlen(want));
    CU_ASSERT_STRING_EQUAL(got, want);
  }
}

static void test_what_was_just_written_is_read(void) {
  int fd = file_of("hello", 0);
  gives(fd, 0, 5, "hello");
  gives(fd, 0, 4, "hell");
  gives(fd, 3, 8, "lo");
  close(fd);
}

static void test_nothing_is_behind_the_end(void) {
  int fd = file_of("hello", 0);
  gives(fd, 5, 1, "");
  close(fd);
}

static void test_offsets_have_64_bits(void) {
  int fd = file_of("far", FAR);
  gives(fd, (uint64_t)FAR, 8, "far");
  gives(fd, (uint64_t)FAR + 1, 8, "ar");
  close(fd);
}

/* Unless the kernel hasn't heard of such reads. */
static void fails(int fd, int want) {
  char got[1];
  CU_ASSERT_EQUAL(pagecache_read(fd, got, 1, 0), -1);
  CU_ASSERT(errno == want || errno == EOPNOTSUPP);
}

static void test_what_is_no_file_is_an_error(void) {
  int ends[2];
  fails(-1, EBADF);
  CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
  fails(ends[0], ESPIPE);
  close(ends[0]);
  close(ends[1]);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_was_just_written_is_read),
      UNIT(test_nothing_is_behind_the_end),
      UNIT(test_offsets_have_64_bits),
      UNIT(test_what_is_no_file_is_an_error),
      {NULL, NULL}};
  return unit_main("pagecache", tests);
}

/* SPDX-License-Identifier: MIT
 *
 * MD5s of streams that run together are those that OpenSSL makes of each, in
 * every way this processor knows.
 */
#include "md5.h"
#include "digest.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define STREAMS (2 * MD5_LANES + 3)
#define BYTES 9000

static unsigned char data[STREAMS][BYTES];
static uint32_t noise;

/* The same in every run. */
static size_t next(void) {
  noise = noise * 69069 + 1;
  return noise >> 16;
}

static void fill(void) {
  noise = 1;
  for (size_t i = 0; i < STREAMS; i++)
    for (size_t at = 0; at < BYTES; at++)
      data[i][at] = (unsigned char)next();
}

static bool same(struct md5 *md5, const unsigned char *bytes, size_t len) {
  unsigned char got[MD5_LEN], want[MD5_LEN];
  md5_final(md5, got);
  digest_md5(want, bytes, len);
  return memcmp(got, want, sizeof got) == 0;
}

/* Each stream in `cuts` pieces, of lengths of their own. */
static size_t wrong(const struct md5_lanes *lanes, size_t streams,
                    size_t length, size_t cuts) {
  struct md5 md5s[STREAMS];
  struct md5_piece pieces[STREAMS];
  size_t ends[STREAMS] = {0}, count = 0;
  for (size_t i = 0; i < streams; i++)
    md5_init(&md5s[i]);
  for (size_t cut = 0; cut < cuts; cut++) {
    for (size_t i = 0; i < streams; i++) {
      size_t len = next() % (length + 1);
      if (ends[i] + len > BYTES)
        len = BYTES - ends[i];
      pieces[i] = (struct md5_piece){&md5s[i], data[i] + ends[i], len};
      ends[i] += len;
    }
    md5_add_by(lanes, pieces, streams);
  }
  for (size_t i = 0; i < streams; i++)
    count += !same(&md5s[i], data[i], ends[i]);
  return count;
}

static void test_md5_of_many_streams_is_that_of_each(void) {
  fill();
  for (size_t i = 0; i < md5_lanes_count; i++) {
    const struct md5_lanes *lanes = &md5_lanes[i];
    if (!lanes->works())
      continue;
    for (size_t streams = 0; streams <= STREAMS; streams++)
      for (size_t length = 1; length <= BYTES; length *= 3)
        for (size_t cuts = 1; cuts <= 4; cuts++)
          CU_ASSERT_EQUAL(wrong(lanes, streams, length, cuts), 0);
  }
}

static void test_md5_pads_every_length_around_a_block(void) {
  fill();
  for (size_t len = 0; len <= 3 * MD5_BLOCK; len++) {
    struct md5 md5;
    md5_init(&md5);
    md5_add(&(struct md5_piece){&md5, data[0], len}, 1);
    CU_ASSERT(same(&md5, data[0], len));
  }
}

/* So many streams, each cut there. */
static size_t wrong_at(const struct md5_lanes *lanes, size_t cut) {
  const size_t whole = 4 * MD5_BLOCK;
  struct md5 md5s[MD5_LANES];
  struct md5_piece pieces[MD5_LANES];
  size_t count = 0;
  for (size_t i = 0; i < MD5_LANES; i++) {
    md5_init(&md5s[i]);
    pieces[i] = (struct md5_piece){&md5s[i], data[i], cut};
  }
  md5_add_by(lanes, pieces, MD5_LANES);
  for (size_t i = 0; i < MD5_LANES; i++)
    pieces[i] = (struct md5_piece){&md5s[i], data[i] + cut, whole - cut};
  md5_add_by(lanes, pieces, MD5_LANES);
  for (size_t i = 0; i < MD5_LANES; i++)
    count += !same(&md5s[i], data[i], whole);
  return count;
}

static void test_md5_cut_at_every_byte_is_that_of_the_whole(void) {
  fill();
  for (size_t i = 0; i < md5_lanes_count; i++)
    for (size_t cut = 0; cut <= 4 * MD5_BLOCK; cut++)
      if (md5_lanes[i].works())
        CU_ASSERT_EQUAL(wrong_at(&md5_lanes[i], cut), 0);
}

static void test_md5_works_somehow_on_every_processor(void) {
  CU_ASSERT(md5_lanes[md5_lanes_count - 1].works());
}

static const struct unit_test tests[] = {
    UNIT(test_md5_of_many_streams_is_that_of_each),
    UNIT(test_md5_pads_every_length_around_a_block),
    UNIT(test_md5_cut_at_every_byte_is_that_of_the_whole),
    UNIT(test_md5_works_somehow_on_every_processor),
    {NULL, NULL},
};

int main(void) {
  return unit_main("md5", tests);
}

/* SPDX-License-Identifier: MIT
 *
 * Digests in fields, those of RFC 9530 among them.
 */
#include "digestfield.h"
#include "unit.h"

#include <string.h>

#include "digest.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define HELLO "{\"hello\": \"world\"}\n"
#define HELLO_256 "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
#define HELLO_512                                           \
  "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+" \
  "pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"
#define LENGTH_31 "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==:"
#define LENGTH_32 "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
#define LENGTH_33 "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:"

static bool fits(const char *field, const char *content) {
  struct digestfield said;
  struct sums sums = {.made = {false}};
  CU_ASSERT_PTR_NULL(digestfield_read(&said, field));
  sums_make_said(&sums, &said);
  sums_add(&sums, content, strlen(content));
  return sums_fit(&sums, &said);
}

static void test_those_of_rfc_9530_fit(void) {
  static const char *const rows[] = {HELLO_256, HELLO_512,
                                     HELLO_256 ", " HELLO_512,
                                     "md5=:AAAA:, " HELLO_512};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    ROW(rows[i], fits(rows[i], HELLO));
    ROW(rows[i], !fits(rows[i], HELLO "x"));
  }
  CU_ASSERT_FALSE(fits(LENGTH_32 ", " HELLO_512, HELLO));
}

static void test_fields_say_known_algorithms_alone(void) {
  static const struct {
    const char *text;
    bool good, sha256, sha512;
  } rows[] = {{NULL, true, false, false},
              {"", true, false, false},
              {"md5=:AAAA:, unixsum=1, x=(1 2)", true, false, false},
              {HELLO_256, true, true, false},
              {HELLO_512, true, false, true},
              {HELLO_256 ";a=b ,\t" HELLO_512, true, true, true},
              {"sha-256=:AA:, " HELLO_256, true, true, false},
              {LENGTH_32, true, true, false},
              {LENGTH_31, false, false, false},
              {LENGTH_33, false, false, false},
              {HELLO_256 ", sha-256=:AA:", false, false, false},
              {"sha-256=:AAAA:", false, false, false},
              {"sha-256", false, false, false},
              {"sha-256=1", false, false, false},
              {"sha-256=AAAA", false, false, false},
              {"sha-256=(:AAAA:)", false, false, false},
              {"sha-256=:????:", false, false, false},
              {"SHA-256=:AAAA:", false, false, false},
              {HELLO_256 ",", false, false, false},
              {"~(", false, false, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct digestfield said;
    const char *fault = digestfield_read(&said, rows[i].text);
    ROW(rows[i].text, (fault == NULL) == rows[i].good);
    if (fault == NULL)
      ROW(rows[i].text, said.said[SHA2_256] == rows[i].sha256 &&
                            said.said[SHA2_512] == rows[i].sha512);
  }
}

static void test_sha_256_is_wanted_from_1_to_10(void) {
  static const struct {
    const char *text;
    bool wanted;
  } rows[] = {{"sha-256=1", true},
              {"sha-256=10", true},
              {"sha-256=0", false},
              {"sha-256=11", false},
              {"sha-256=-1", false},
              {" sha-512=3, sha-256=5;a=b , unixsum=0", true},
              {"sha-512=3", false},
              {"sha-256", false},
              {"sha-256=1.0", false},
              {"sha-256=\"5\"", false},
              {"sha-256=1, sha-256=0", false},
              {"sha-256=1,", false},
              {"((", false},
              {"", false},
              {NULL, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].text, digestfield_wants(rows[i].text) == rows[i].wanted);
}

static void test_what_is_written_is_what_is_read(void) {
  unsigned char sum[SHA2_256_LEN];
  struct buf out;
  buf_init(&out, 128);
  digest_sha256(sum, HELLO, strlen(HELLO));
  digestfield_add(&out, sum);
  CU_ASSERT_STRING_EQUAL(out.data, HELLO_256);
  buf_fini(&out);
}

static void test_what_is_not_made_does_not_fit(void) {
  struct digestfield said;
  struct sums sums = {.made = {false}};
  CU_ASSERT_PTR_NULL(digestfield_read(&said, HELLO_256));
  CU_ASSERT_FALSE(sums_fit(&sums, &said));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_those_of_rfc_9530_fit),
      UNIT(test_fields_say_known_algorithms_alone),
      UNIT(test_sha_256_is_wanted_from_1_to_10),
      UNIT(test_what_is_written_is_what_is_read),
      UNIT(test_what_is_not_made_does_not_fit),
      {NULL, NULL}};
  return unit_main("digestfield", tests);
}

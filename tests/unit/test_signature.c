/* SPDX-License-Identifier: MIT
 *
 * The signature of an event; the digest is what openssl(1) says of
 * "1700000000.{}" with this key.
 */
#include "signature.h"
#include "unit.h"

#include <string.h>

static void test_signature_is_the_hmac_of_time_and_body(void) {
  struct buf text;
  buf_init(&text, SIGNATURE_MAX);
  CU_ASSERT_TRUE(
      signature_add(&text, "0123456789abcdef", 1700000000, "{}", 2));
  CU_ASSERT_STRING_EQUAL(
      text.data,
      "t=1700000000,v1="
      "e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e");
  buf_fini(&text);
}

static void test_longest_signature_fits(void) {
  struct buf text;
  buf_init(&text, SIGNATURE_MAX);
  CU_ASSERT_TRUE(signature_add(&text, "0123456789abcdef", INT64_MIN, "", 0));
  buf_fini(&text);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_signature_is_the_hmac_of_time_and_body),
      UNIT(test_longest_signature_fits),
      {NULL, NULL}};
  return unit_main("signature", tests);
}

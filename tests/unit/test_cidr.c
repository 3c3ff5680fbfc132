/* SPDX-License-Identifier: MIT
 *
 * Addresses, blocks of them, and which of several X-Forwarded-For is meant.
 */
#include "cidr.h"
#include "forwarded.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_addresses_are_read_and_written(void) {
  static const struct {
    const char *in, *want; /* NULL: refused */
  } rows[] = {
      {"10.1.2.3", "10.1.2.3"},
      {"::1", "::1"},
      {"2001:DB8:0:0::1", "2001:db8::1"},
      {"::ffff:10.1.2.3", "10.1.2.3"},
      {"0:0:0:0:0:ffff:a01:203", "10.1.2.3"},
      {"unix:", "unix:"},
      {"", NULL},
      {"10.1.2", NULL},
      {"10.1.2.3.4", NULL},
      {"010.1.2.3", NULL},
      {"10.1.2.256", NULL},
      {" 10.1.2.3", NULL},
      {"10.1.2.3:80", NULL},
      {"[::1]", NULL},
      {"fe80::1%eth0", NULL},
      {"unix:/x", NULL},
      {"0000:0000:0000:0000:0000:0000:255.255.255.2555", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct cidr_address address;
    char out[CIDR_TEXT_SIZE] = "";
    bool ok = cidr_address(&address, rows[i].in, strlen(rows[i].in));
    if (ok)
      cidr_print(out, &address);
    ROW(rows[i].in, ok == (rows[i].want != NULL) &&
                        (!ok || strcmp(out, rows[i].want) == 0));
  }
}

static void test_blocks_hold_what_they_say(void) {
  static const struct {
    const char *block, *address;
    bool holds;
  } rows[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "::ffff:10.1.1.1", true},
      {"::ffff:10.0.0.0/104", "10.1.1.1", true},
      {"::ffff:10.0.0.0/104", "11.1.1.1", false},
      {"10.0.0.0/8", "a00::", false},
      {"10.1.2.3", "10.1.2.3", true},
      {"10.1.2.3", "10.1.2.2", false},
      {"10.1.2.2/31", "10.1.2.3", true},
      {"10.1.2.2/31", "10.1.2.4", false},
      {"0.0.0.0/0", "255.1.1.1", true},
      {"0.0.0.0/0", "::1", false},
      {"0.0.0.0/0", "unix:", false},
      {"::/0", "2001:db8::1", true},
      {"2001:db8::/33", "2001:db8:7fff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"::1/128", "::1", true},
      {"unix:", "unix:", true},
      {"unix:", "::", false},
      {"::/0", "unix:", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct cidr block;
    struct cidr_address address;
    ROW(rows[i].block, cidr_parse(&block, rows[i].block) == NULL);
    CU_ASSERT_TRUE(
        cidr_address(&address, rows[i].address, strlen(rows[i].address)));
    ROW(rows[i].block, cidr_holds(&block, &address) == rows[i].holds);
  }
}

static void test_bad_blocks_are_refused(void) {
  static const char *const rows[] = {
      "",        "x",           "10.0.0.0/",   "10.0.0.0/33", "10.0.0.0/-1",
      "::/129",  "10.0.0.1/8",  "::1/64",      "unix:/8",     "10.0.0.0/8/8",
      "/8",      "10.0.0.0 /8", "10.0.0.0/8 ", "10/8",        "1.2.3.4:80",
      "[::1]/8", "unix:/x"};
  struct cidr block;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i], cidr_parse(&block, rows[i]) != NULL);
}

static void test_mask_keeps_a_familys_own_bits(void) {
  static const struct {
    const char *in, *want;
  } rows[] = {{"10.1.2.255", "10.1.2.240"},
              {"2001:db8:1:2:3::4", "2001:db8:1:2::"},
              {"unix:", "unix:"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct cidr_address address;
    char out[CIDR_TEXT_SIZE];
    cidr_address(&address, rows[i].in, strlen(rows[i].in));
    cidr_mask(&address, 28, 64);
    cidr_print(out, &address);
    ROW(rows[i].in, strcmp(out, rows[i].want) == 0);
  }
}

/* ---- X-Forwarded-For ---------------------------------------------------- */

static void check_client(const char *peer, const char *first,
                         const char *second, const char *want) {
  static const char *const trusted_texts[] = {"10.0.0.0/8", "::1", "unix:"};
  struct cidr trusted[3];
  struct head head = {0};
  char out[CIDR_TEXT_SIZE];
  for (size_t i = 0; i < 3; i++)
    CU_ASSERT_PTR_NULL(cidr_parse(&trusted[i], trusted_texts[i]));
  head.fields[head.count++] = (struct head_field){"Forwarded", "for=9.9.9.9"};
  if (first != NULL)
    head.fields[head.count++] = (struct head_field){"X-Forwarded-For", first};
  head.fields[head.count++] = (struct head_field){"X-Real-IP", "9.9.9.9"};
  if (second != NULL)
    head.fields[head.count++] = (struct head_field){"x-forwarded-FOR", second};
  forwarded_client(out, peer, trusted, 3, &head);
  ROW(first == NULL ? "none" : first, strcmp(out, want) == 0);
}

static void test_client_is_the_rightmost_that_is_not_trusted(void) {
  static const struct {
    const char *peer, *first, *second, *want;
  } rows[] = {
      {"192.0.2.9", "1.1.1.1", NULL, "192.0.2.9"},
      {"::2", "1.1.1.1", NULL, "::2"},
      {"10.0.0.1", NULL, NULL, "10.0.0.1"},
      {"10.0.0.1", "", NULL, "10.0.0.1"},
      {"10.0.0.1", "1.1.1.1", NULL, "1.1.1.1"},
      {"unix:", "1.1.1.1", NULL, "1.1.1.1"},
      {"::1", "1.1.1.1", NULL, "1.1.1.1"},
      {"::ffff:10.0.0.1", "1.1.1.1", NULL, "1.1.1.1"},
      {"10.0.0.1", "1.1.1.1, 2.2.2.2", NULL, "2.2.2.2"},
      {"10.0.0.1", "1.1.1.1 ,\t10.9.9.9 ", NULL, "1.1.1.1"},
      {"10.0.0.1", "1.1.1.1,10.9.9.9", "2.2.2.2, ::1", "2.2.2.2"},
      {"10.0.0.1", "1.1.1.1,10.9.9.9", "10.2.2.2, ::1", "1.1.1.1"},
      {"10.0.0.1", "10.1.1.1,10.9.9.9", NULL, "10.1.1.1"},
      {"10.0.0.1", ",1.1.1.1,, ,10.9.9.9,", NULL, "1.1.1.1"},
      {"10.0.0.1", "1.1.1.1, x", NULL, "10.0.0.1"},
      {"10.0.0.1", "1.1.1.1, x, 10.9.9.9", NULL, "10.9.9.9"},
      {"10.0.0.1", "1.1.1.1, unix:", NULL, "10.0.0.1"},
      {"10.0.0.1", "1.1.1.1, unknown", "10.3.3.3", "10.3.3.3"},
      {"10.0.0.1", "2001:db8::1", NULL, "2001:db8::1"},
      {"10.0.0.1", "2001:DB8:0::1", NULL, "2001:db8::1"},
      {"10.0.0.1", "::ffff:1.1.1.1", NULL, "1.1.1.1"},
      {"10.0.0.1", "1.1.1.1:8080", NULL, "1.1.1.1"},
      {"10.0.0.1", "[2001:db8::1]", NULL, "2001:db8::1"},
      {"10.0.0.1", "[2001:db8::1]:443", NULL, "2001:db8::1"},
      {"10.0.0.1", "[1.1.1.1]", NULL, "10.0.0.1"},
      {"10.0.0.1", "[2001:db8::1", NULL, "10.0.0.1"},
      {"10.0.0.1", "[2001:db8::1]x", NULL, "10.0.0.1"},
      {"10.0.0.1", "[2001:db8::1]:", NULL, "10.0.0.1"},
      {"10.0.0.1", "1.1.1.1:", NULL, "10.0.0.1"},
      {"10.0.0.1", "1.1.1.1:123456", NULL, "10.0.0.1"},
      {"10.0.0.1", "1.1.1.1:8x", NULL, "10.0.0.1"},
      {"10.0.0.1", "1.1.1.1 2.2.2.2", NULL, "10.0.0.1"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check_client(rows[i].peer, rows[i].first, rows[i].second, rows[i].want);
}

static void test_only_32_hops_are_looked_at(void) {
  char value[64 * 16] = "1.1.1.1";
  for (size_t i = 0; i < FORWARDED_HOPS_MAX - 1; i++)
    snprintf(value + strlen(value), 16, ",10.0.0.%zu", 99 - i);
  check_client("10.0.0.1", value, NULL, "1.1.1.1");
  snprintf(value + strlen(value), 16, ",10.0.0.2");
  check_client("10.0.0.1", value, NULL, "10.0.0.99");
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_addresses_are_read_and_written),
      UNIT(test_blocks_hold_what_they_say),
      UNIT(test_bad_blocks_are_refused),
      UNIT(test_mask_keeps_a_familys_own_bits),
      UNIT(test_client_is_the_rightmost_that_is_not_trusted),
      UNIT(test_only_32_hops_are_looked_at),
      {NULL, NULL},
  };
  return unit_main("cidr", tests);
}

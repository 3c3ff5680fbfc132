/* SPDX-License-Identifier: MIT
 *
 * This tells which addresses and URLs a configuration may have.
 */
#include "address.h"
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_listen_addresses(void) {
  static const struct {
    const char *in;
    bool good;
  } rows[] = {
      {"0.0.0.0:8000", true},
      {"localhost:0", true},
      {"a-b.c:65535", true},
      {"[::]:80", true},
      {"[::1]:80", true},
      {"unix:/x", true},
      {"", false},
      {"8000", false},
      {":8000", false},
      {"a:", false},
      {"a:65536", false},
      {"a:-1", false},
      {"a:000001", false},
      {"a:8 ", false},
      {"::1:80", false},
      {"[::1]80", false},
      {"[::1:80", false},
      {"[]:80", false},
      {"[:80", false},
      {"]:80", false},
      {"[a]:80", false},
      {"unix:x", false},
      {"unix:", false},
      {"a b:80", false},
      {"-a:80", false},
      {"http://a:80", false},
      {"a:0x50", false},
      {"[::1%lo]:80", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].in,
        (address_listen_fault(rows[i].in) == NULL) == rows[i].good);
}

static void test_unix_path_has_a_limit(void) {
  char text[5 + ADDRESS_UNIX_MAX + 2];
  memset(text, 'x', sizeof text);
  memcpy(text, "unix:/", 6);
  text[5 + ADDRESS_UNIX_MAX] = '\0';
  CU_ASSERT_PTR_NULL(address_listen_fault(text));
  text[5 + ADDRESS_UNIX_MAX] = 'x';
  text[5 + ADDRESS_UNIX_MAX + 1] = '\0';
  CU_ASSERT_STRING_EQUAL(address_listen_fault(text),
                         "a socket's path has at most 107 bytes; shorten it");
}

static void test_public_urls(void) {
  static const struct {
    const char *in;
    bool good;
  } rows[] = {
      {"http://a", true},
      {"https://a.b:8443/x/y", true},
      {"https://[::1]", true},
      {"https://[::1]:1/x", true},
      {"https://a/%20", true},
      {"ftp://a", false},
      {"https://", false},
      {"https:///x", false},
      {"https://a:0", false},
      {"https://a:", false},
      {"https://a/", false},
      {"https://a/x/", false},
      {"https://a?x", false},
      {"https://a/x?y", false},
      {"https://a/#y", false},
      {"https://u@a", false},
      {"https://u:p@a/x", false},
      {"https://a b", false},
      {"https://a/x y", false},
      {"https://[::1", false},
      {"https://[::1]x", false},
      {"a", false},
      {"https://a/\xc3\xa4", false},
      {"HTTPS://a", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].in, (address_url_fault(rows[i].in) == NULL) == rows[i].good);
}

static void test_origins_are_as_browsers_write_them(void) {
  static const struct {
    const char *in;
    bool good;
  } rows[] = {
      {"https://app.example", true},
      {"http://localhost:3000", true},
      {"https://[::1]:8443", true},
      {"http://app.example:443", true},
      {"chrome-extension://abcdef", true},
      {"https://app.example/", false},
      {"https://app.example/x", false},
      {"https://app.example?x", false},
      {"https://app.example#x", false},
      {"https://u@app.example", false},
      {"https://App.example", false},
      {"HTTPS://app.example", false},
      {"https://app.example:443", false},
      {"http://app.example:80", false},
      {"https://app.example:", false},
      {"https://*.example", false},
      {"https://", false},
      {"://x", false},
      {"1a://x", false},
      {"app.example", false},
      {"null", false},
      {"", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].in,
        (address_origin_fault(rows[i].in) == NULL) == rows[i].good);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_listen_addresses),
      UNIT(test_unix_path_has_a_limit),
      UNIT(test_public_urls),
      UNIT(test_origins_are_as_browsers_write_them),
      {NULL, NULL},
  };
  return unit_main("address", tests);
}

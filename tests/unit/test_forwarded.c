/* SPDX-License-Identifier: MIT
 *
 * The word of trusted proxies on a request's URL: what of it is believed, and
 * that nobody else is.
 */
#include "forwarded.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* "proto host prefix" of the lines "Name: value|Name: value". */
static void say(char out[600], const char *peer, const char *lines) {
  struct cidr trusted[2];
  struct head head = {.count = 0};
  struct forwarded url;
  char copy[8192], *at = copy;
  CU_ASSERT_PTR_NULL_FATAL(cidr_parse(&trusted[0], "10.0.0.0/8"));
  CU_ASSERT_PTR_NULL_FATAL(cidr_parse(&trusted[1], "2001:db8::/32"));
  snprintf(copy, sizeof copy, "%s", lines);
  for (char *line; (line = strsep(&at, "|"));) {
    char *colon = strstr(line, ": ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(colon);
    *colon = '\0';
    head.fields[head.count++] = (struct head_field){line, colon + 2};
  }
  forwarded_url(&url, peer, trusted, 2, &head);
  snprintf(out, 600, "%s %s %s", url.proto, url.host, url.prefix);
}

struct row {
  const char *lines, *want;
};

static void check(const struct row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char out[600];
    say(out, "10.1.1.1", rows[i].lines);
    ROW(rows[i].lines, strcmp(out, rows[i].want) == 0);
    say(out, "192.0.2.1", rows[i].lines);
    ROW(rows[i].lines, strcmp(out, "  ") == 0);
    say(out, "unix:", rows[i].lines);
    ROW(rows[i].lines, strcmp(out, "  ") == 0);
  }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void test_x_forwarded_is_read(void) {
  static const struct row rows[] = {
      {"X-Forwarded-Proto: https", "https  "},
      {"x-forwarded-proto: HTTPS", "https  "},
      {"X-Forwarded-Proto: http", "http  "},
      {"X-Forwarded-Host: files.example:8443", " files.example:8443 "},
      {"X-Forwarded-Host: [2001:db8::1]", " [2001:db8::1] "},
      {"X-Forwarded-Prefix: /a/b", "  /a/b"},
      {"X-Forwarded-Prefix: /a/b/", "  /a/b"},
      {"X-Forwarded-Prefix: /", "  "},
      {"X-Forwarded-Proto: https|X-Forwarded-Host: a|X-Forwarded-Prefix: /b",
       "https a /b"},
  };
  CHECK(rows);
}

static void test_last_element_was_the_proxys_own(void) {
  static const struct row rows[] = {
      {"X-Forwarded-Host: evil.example, files.example", " files.example "},
      {"X-Forwarded-Host: evil.example|X-Forwarded-Host: files.example",
       " files.example "},
      {"X-Forwarded-Host: evil.example,", "  "},
      {"X-Forwarded-Proto: http,\t https ", "https  "},
  };
  CHECK(rows);
}

static void test_what_is_malformed_is_as_good_as_absent(void) {
  static const struct row rows[] = {
      {"X-Forwarded-Proto: ftp", "  "},
      {"X-Forwarded-Proto: httpss", "  "},
      {"X-Forwarded-Proto: ", "  "},
      {"X-Forwarded-Host: a b", "  "},
      {"X-Forwarded-Host: evil.example/x", "  "},
      {"X-Forwarded-Host: user@evil.example", "  "},
      {"X-Forwarded-Host: a:65536", "  "},
      {"X-Forwarded-Host: ", "  "},
      {"X-Forwarded-Prefix: a", "  "},
      {"X-Forwarded-Prefix: //evil.example", "  "},
      {"X-Forwarded-Prefix: /a//b", "  "},
      {"X-Forwarded-Prefix: /a/../b", "  "},
      {"X-Forwarded-Prefix: /a/..", "  "},
      {"X-Forwarded-Prefix: /.", "  "},
      {"X-Forwarded-Prefix: /a?b", "  "},
      {"X-Forwarded-Prefix: /a\"b", "  "},
      {"X-Forwarded-Prefix: https://evil.example", "  "},
      {"Forwarded: proto=https;host", "  "},
      {"Forwarded: proto=https host=a", "  "},
      {"Forwarded: proto=\"https;host=a", "  "},
      {"Forwarded: proto = https", "  "},
      {"Forwarded: host=\"a b\";proto=https", "https  "},
  };
  CHECK(rows);
}

static void test_forwarded_is_read(void) {
  static const struct row rows[] = {
      {"Forwarded: proto=https;host=files.example", "https files.example "},
      {"Forwarded: for=192.0.2.7;proto=https;by=10.0.0.1", "https  "},
      {"Forwarded: FOR=x; Proto=HTTPS ; Host=\"files.example:8443\"",
       "https files.example:8443 "},
      {"Forwarded: host=\"fi\\les.example\"", " files.example "},
      {"Forwarded: host=evil.example, proto=https", "https  "},
      {"Forwarded: host=evil.example|Forwarded: proto=https", "https  "},
      {"Forwarded: ext=\"a,b;c\";proto=https", "https  "},
  };
  CHECK(rows);
}

/* An element says where its proxy had the request from. */
static void test_elements_of_trusted_proxies_count_further_left(void) {
  static const struct row rows[] = {
      {"Forwarded: proto=https;host=files.example, for=10.9.9.9;proto=http",
       "https files.example "},
      {"Forwarded: proto=https|Forwarded: for=\"[2001:db8::1]:80\";host=a",
       "https a "},
      {"Forwarded: host=evil.example, for=192.0.2.7;host=b, for=10.1.1.2",
       " b "},
      {"Forwarded: host=evil.example, for=unknown;host=b", " b "},
      {"Forwarded: host=evil.example, nonsense, for=10.1.1.2;host=b", " b "},
  };
  CHECK(rows);
}

static void test_x_forwarded_counts_more(void) {
  static const struct row rows[] = {
      {"Forwarded: proto=http;host=evil.example|X-Forwarded-Proto: https",
       "https evil.example "},
      {"X-Forwarded-Host: files.example|Forwarded: host=evil.example",
       " files.example "},
  };
  CHECK(rows);
}

static void test_255_bytes_of_a_host_pass_and_256_do_not(void) {
  for (int len = 255; len <= 256; len++) {
    char lines[600], want[600], out[600];
    snprintf(lines, sizeof lines, "X-Forwarded-Host: %0*d", len, 7);
    snprintf(want, sizeof want, " %0*d ", len, 7);
    say(out, "10.1.1.1", lines);
    ROW(lines, strcmp(out, len == 255 ? want : "  ") == 0);
    snprintf(lines, sizeof lines, "X-Forwarded-Prefix: /%0*d", len - 1, 7);
    snprintf(want, sizeof want, "  /%0*d", len - 1, 7);
    say(out, "10.1.1.1", lines);
    ROW(lines, strcmp(out, len == 255 ? want : "  ") == 0);
  }
}

static void test_32_elements_are_looked_at(void) {
  for (int hops = 31; hops <= 32; hops++) {
    char lines[4096], out[600];
    int len = snprintf(lines, sizeof lines, "Forwarded: proto=https");
    for (int i = 0; i < hops; i++)
      len +=
          snprintf(lines + len, sizeof lines - (size_t)len, ", for=10.1.1.1");
    say(out, "10.1.1.1", lines);
    ROW(lines, strcmp(out, hops == 31 ? "https  " : "  ") == 0);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_x_forwarded_is_read),
      UNIT(test_last_element_was_the_proxys_own),
      UNIT(test_what_is_malformed_is_as_good_as_absent),
      UNIT(test_forwarded_is_read),
      UNIT(test_elements_of_trusted_proxies_count_further_left),
      UNIT(test_x_forwarded_counts_more),
      UNIT(test_255_bytes_of_a_host_pass_and_256_do_not),
      UNIT(test_32_elements_are_looked_at),
      {NULL, NULL}};
  return unit_main("forwarded", tests);
}

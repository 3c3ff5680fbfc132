/* SPDX-License-Identifier: MIT
 *
 * The URLs that a plugin's client takes from a configuration.
 */
#include "httpc.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void test_urls_of_services_are_fine(void) {
  static const char *const urls[] = {"http://a",
                                     "https://a.example/b?c=d",
                                     "HTTP://[::1]:80/x",
                                     "http://a:1/@b",
                                     "http://a?b@c",
                                     "http://a/%20",
                                     "http://127.0.0.1:9000/may-i"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
    CU_ASSERT_PTR_NULL(httpc_url_fault(urls[i]));
}

static void test_others_are_refused(void) {
  static const char *const urls[] = {"",
                                     "a",
                                     "/a",
                                     "ftp://a/",
                                     "http:/a",
                                     "http://",
                                     "http:///a",
                                     "http://?a",
                                     "http://:1",
                                     "https://u@a/",
                                     "http://a b",
                                     "http://a/\r\nX: y",
                                     "http://a/#b",
                                     "http://a/\xc3\xa9",
                                     "http://a\\b",
                                     "http://a/{b}"};
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
    CU_ASSERT_PTR_NOT_NULL(httpc_url_fault(urls[i]));
}

static void test_url_may_have_2048_bytes_and_not_one_more(void) {
  char url[HTTPC_URL_MAX + 2];
  memset(url, 'a', sizeof url);
  memcpy(url, "http://", 7);
  url[HTTPC_URL_MAX + 1] = '\0';
  CU_ASSERT_PTR_NOT_NULL(httpc_url_fault(url));
  url[HTTPC_URL_MAX] = '\0';
  CU_ASSERT_PTR_NULL(httpc_url_fault(url));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_urls_of_services_are_fine),
      UNIT(test_others_are_refused),
      UNIT(test_url_may_have_2048_bytes_and_not_one_more),
      {NULL, NULL}};
  return unit_main("httpc_url", tests);
}

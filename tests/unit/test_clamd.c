/* SPDX-License-Identifier: MIT
 *
 * The words of clamd.
 */
#include "clamd.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_answers_mean_what_they_say(void) {
  static const struct {
    const char *reply;
    enum clamd_word word;
    const char *name;
  } rows[] = {
      {"stream: OK", CLAMD_CLEAN, ""},
      {"stream: Eicar-Test FOUND", CLAMD_FOUND, "Eicar-Test"},
      {"stream: a b\n\xff FOUND", CLAMD_FOUND, "a?b??"},
      {"INSTREAM size limit exceeded. ERROR", CLAMD_TOO_LARGE, ""},
      {"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND", CLAMD_TOO_LARGE,
       "Heuristics.Limits.Exceeded.MaxFileSize"},
      {"stream:  FOUND", CLAMD_NONSENSE, ""},
      {"stream: FOUND", CLAMD_NONSENSE, ""},
      {"", CLAMD_NONSENSE, ""},
      {"OK", CLAMD_NONSENSE, ""},
      {"stream: OK\n", CLAMD_NONSENSE, ""},
      {"stream: OK FOUND?", CLAMD_NONSENSE, ""},
      {"stream: x ERROR", CLAMD_NONSENSE, ""},
      {"UNKNOWN COMMAND", CLAMD_NONSENSE, ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char name[CLAMD_NAME_MAX];
    ROW(rows[i].reply, clamd_read(rows[i].reply, name) == rows[i].word);
    ROW(rows[i].reply, strcmp(name, rows[i].name) == 0);
  }
}

static void test_long_name_is_cut(void) {
  char reply[CLAMD_REPLY_MAX], name[CLAMD_NAME_MAX], longest[600];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  snprintf(reply, sizeof reply, "stream: %s FOUND", longest);
  CU_ASSERT_EQUAL(clamd_read(reply, name), CLAMD_FOUND);
  CU_ASSERT_EQUAL(strlen(name), CLAMD_NAME_MAX - 1);
}

static void test_places_are_read(void) {
  static const struct {
    const char *text;
    bool good;
    int family;
  } rows[] = {{"/run/clamd.ctl", true, AF_UNIX},
              {"unix:/run/clamd.ctl", true, AF_UNIX},
              {"127.0.0.1:3310", true, AF_INET},
              {"[::1]:3310", true, AF_INET6},
              {"127.0.0.1", false, 0},
              {"::1", false, 0},
              {"[::1]", false, 0},
              {"localhost:3310", false, 0},
              {"unix:", false, 0},
              {"", false, 0}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct clamd_address address;
    struct errmsg err;
    bool good = clamd_address(&address, rows[i].text, &err);
    ROW(rows[i].text, good == rows[i].good);
    ROW(rows[i].text, !good || address.at.ss_family == rows[i].family);
  }
}

static void test_path_of_107_bytes_fits_and_no_longer_one(void) {
  struct clamd_address address;
  struct errmsg err;
  char path[sizeof((struct sockaddr_un *)0)->sun_path + 1];
  memset(path, '/', sizeof path);
  path[sizeof path - 1] = '\0';
  CU_ASSERT_FALSE(clamd_address(&address, path, &err));
  path[sizeof path - 2] = '\0';
  CU_ASSERT_TRUE(clamd_address(&address, path, &err));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_answers_mean_what_they_say),
      UNIT(test_long_name_is_cut),
      UNIT(test_places_are_read),
      UNIT(test_path_of_107_bytes_fits_and_no_longer_one),
      {NULL, NULL}};
  return unit_main("clamd", tests);
}

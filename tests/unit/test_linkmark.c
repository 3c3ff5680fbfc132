/* SPDX-License-Identifier: MIT
 *
 * Marks: which revocations reach which links, and how they are kept.
 */
#include "linkmark.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, row, __FILE__, "", CU_FALSE)
#define ID "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH"

static bool is_it(void *arg, const unsigned char *mark) {
  return memcmp(arg, mark, LINKMARK_LEN) == 0;
}

static void test_a_revocation_reaches_its_links_and_no_others(void) {
  static const struct {
    const char *what;
    enum ownlink_method method;
    const char *name, *by;
    enum linkmark_kind kind;
    const char *revoked, *owner;
    bool reached;
  } rows[] = {
      {"key", OWNLINK_GET, "a/b", "bob", LINKMARK_KEY, "a/b", NULL, true},
      {"PUT", OWNLINK_PUT, "a/b", "bob", LINKMARK_KEY, "a/b", NULL, true},
      {"longer key", OWNLINK_GET, "a/bc", "bob", LINKMARK_KEY, "a/b", NULL,
       false},
      {"prefix of a key", OWNLINK_GET, "a/b/c", NULL, LINKMARK_PREFIX, "a/b",
       NULL, true},
      {"first segment", OWNLINK_GET, "a/b/c", NULL, LINKMARK_PREFIX, "a", NULL,
       true},
      {"beside it", OWNLINK_GET, "ab/c", NULL, LINKMARK_PREFIX, "a", NULL,
       false},
      {"the key as a prefix", OWNLINK_GET, "a/b", NULL, LINKMARK_PREFIX, "a/b",
       NULL, false},
      {"a POST's own prefix", OWNLINK_POST, "a/b", NULL, LINKMARK_PREFIX,
       "a/b", NULL, true},
      {"a POST above it", OWNLINK_POST, "a", NULL, LINKMARK_PREFIX, "a/b",
       NULL, false},
      {"a POST by key", OWNLINK_POST, "a/b", NULL, LINKMARK_KEY, "a/b", NULL,
       false},
      {"identity", OWNLINK_GET, "k", "bob", LINKMARK_IDENTITY, "bob", NULL,
       true},
      {"another identity", OWNLINK_GET, "k", "bobby", LINKMARK_IDENTITY, "bob",
       NULL, false},
      {"nobody's", OWNLINK_GET, "k", NULL, LINKMARK_IDENTITY, "anonymous",
       NULL, true},
      {"id", OWNLINK_GET, "k", NULL, LINKMARK_ID, ID, NULL, true},
      {"own id", OWNLINK_GET, "k", "bob", LINKMARK_ID, ID, "bob", true},
      {"another's id", OWNLINK_GET, "k", "bob", LINKMARK_ID, ID, "eve", false},
      {"own key", OWNLINK_GET, "k", "bob", LINKMARK_KEY, "k", "bob", true},
      {"another's key", OWNLINK_GET, "k", "bob", LINKMARK_KEY, "k", "eve",
       false},
      {"own prefix", OWNLINK_GET, "a/k", "bob", LINKMARK_PREFIX, "a", "bob",
       true},
      {"slashes before the key", OWNLINK_GET, "//a/b", NULL, LINKMARK_KEY,
       "a/b", NULL, true},
      {"slashes before what is revoked", OWNLINK_GET, "a/b", NULL,
       LINKMARK_KEY, "/a//b", NULL, true},
      {"two slashes", OWNLINK_GET, "a//b", NULL, LINKMARK_KEY, "a/b", NULL,
       true},
      {"a slash before its prefix", OWNLINK_GET, "/a/b", NULL, LINKMARK_PREFIX,
       "a", NULL, true},
      {"two slashes in its prefix", OWNLINK_GET, "a//b/c", NULL,
       LINKMARK_PREFIX, "a/b", NULL, true},
      {"a slash behind the key", OWNLINK_GET, "a/b/", NULL, LINKMARK_KEY,
       "a/b", NULL, false},
      {"slashes of an identity", OWNLINK_GET, "k", "a//b", LINKMARK_IDENTITY,
       "a/b", NULL, false},
      {"another's prefix", OWNLINK_GET, "a/k", "bob", LINKMARK_PREFIX, "a",
       "eve", false},
      {"a key that is an id", OWNLINK_GET, ID, NULL, LINKMARK_IDENTITY, ID,
       NULL, false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char name[64], by[64] = "";
    unsigned char mark[LINKMARK_LEN];
    snprintf(name, sizeof name, "%s", rows[i].name);
    if (rows[i].by != NULL)
      snprintf(by, sizeof by, "%s", rows[i].by);
    struct ownlink link = {.method = rows[i].method,
                           .id = ID,
                           .name = name,
                           .by = rows[i].by == NULL ? NULL : by};
    linkmark_make(mark, rows[i].kind, rows[i].revoked, rows[i].owner);
    ROW(rows[i].what, linkmark_any(&link, is_it, mark) == rows[i].reached);
  }
}

static void test_it_is_kept_as_a_key(void) {
  struct linkmark mark = {.number = UINT64_C(0xfedcba9876543210),
                          .expires_s = 1700000000},
                  read;
  char key[LINKMARK_KEY_SIZE];
  linkmark_make(mark.mark, LINKMARK_KEY, "a", NULL);
  linkmark_key(key, &mark);
  CU_ASSERT_EQUAL(strncmp(key, LINKMARK_FOLDER "006553f100-fedcba9876543210-",
                          strlen(LINKMARK_FOLDER) + 28),
                  0);
  CU_ASSERT_TRUE(linkmark_parse(&read, key));
  CU_ASSERT_EQUAL(read.number, mark.number);
  CU_ASSERT_EQUAL(read.expires_s, mark.expires_s);
  CU_ASSERT_EQUAL(memcmp(read.mark, mark.mark, LINKMARK_LEN), 0);
  for (size_t len = 0; len < strlen(key); len++) {
    char cut[LINKMARK_KEY_SIZE] = "";
    memcpy(cut, key, len);
    CU_ASSERT_FALSE(linkmark_parse(&read, cut));
  }
  char longer[LINKMARK_KEY_SIZE + 1];
  snprintf(longer, sizeof longer, "%s0", key);
  CU_ASSERT_FALSE(linkmark_parse(&read, longer));
  key[strlen(LINKMARK_FOLDER)] = 'x';
  CU_ASSERT_FALSE(linkmark_parse(&read, key));
}

static void test_marks_of_an_owner_end_alike(void) {
  unsigned char one[LINKMARK_LEN], two[LINKMARK_LEN], other[LINKMARK_LEN];
  unsigned char end[LINKMARK_OWNER_LEN];
  const size_t at = LINKMARK_LEN - LINKMARK_OWNER_LEN;
  linkmark_make(one, LINKMARK_KEY, "a", "bob");
  linkmark_make(two, LINKMARK_ID, ID, "bob");
  linkmark_make(other, LINKMARK_KEY, "a", "bobby");
  linkmark_owner(end, "bob");
  CU_ASSERT_EQUAL(memcmp(one + at, end, sizeof end), 0);
  CU_ASSERT_EQUAL(memcmp(two + at, end, sizeof end), 0);
  CU_ASSERT_NOT_EQUAL(memcmp(other + at, end, sizeof end), 0);
  CU_ASSERT_NOT_EQUAL(memcmp(one, two, at), 0);
}

static void test_it_is_over_when_it_ends_or_is_superseded(void) {
  static const struct {
    const char *name;
    int64_t now;
    uint64_t newest, top;
    bool over;
  } rows[] = {{"young", 1000, 5, 9, false},
              {"ended", 1001, 5, 9, true},
              {"ended and the last of all", 1001, 5, 5, false},
              {"superseded", 0, 6, 9, true},
              {"superseded by the last", 1001, 9, 9, true},
              {"not known here", 1000, 0, 9, false}};
  const struct linkmark mark = {.number = 5, .expires_s = 1000};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].name, linkmark_is_over(&mark, rows[i].now, rows[i].newest,
                                       rows[i].top) == rows[i].over);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_revocation_reaches_its_links_and_no_others),
      UNIT(test_it_is_kept_as_a_key),
      UNIT(test_marks_of_an_owner_end_alike),
      UNIT(test_it_is_over_when_it_ends_or_is_superseded),
      {NULL, NULL}};
  return unit_main("linkmark", tests);
}

/* SPDX-License-Identifier: MIT
 *
 * Files of users, and the hashes in them: which are read, which are refused.
 */
#include "htpasswd.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "hash.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* Of "x", but the last two, which are of nothing. */
#define H53 "......................jmFFghpX59JEVqTMI7XbaYtR1ocb7wG"
#define HASH "$2b$05$" H53
#define H43 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP."
#define H86 H43 H43

static void test_hashes_have_a_form_and_a_price(void) {
  static const struct {
    const char *hash, *why; /* NULL: fine */
  } rows[] = {{HASH, NULL},
              {"$2y$05$" H53, NULL},
              {"$2a$05$" H53, NULL},
              {"$2b$04$" H53, NULL},
              {"$2b$15$" H53, NULL},
              {"$2b$16$" H53, "too long"},
              {"$2b$31$" H53, "too long"},
              {"$2b$03$" H53, "is cut"},
              {"$2b$5$" H53, "is cut"},
              {"$2b$005$" H53, "is cut"},
              {"$2b$+5$" H53, "is cut"},
              {"$2b$05$" H53 "x", "is cut"},
              {"$2b$05$." H53, "is cut"},
              {"$2b$05$", "is cut"},
              {"$2b$", "is cut"},
              {"$2x$05$" H53, "isn't read"},
              {"$2$05$" H53, "isn't read"},
              {"$5$salt$" H43, NULL},
              {"$5$saltsaltsaltsalt$" H43, NULL},
              {"$5$saltsaltsaltsalts$" H43, "is cut"},
              {"$5$$" H43, "is cut"},
              {"$5$" H43, "is cut"},
              {"$5$salt$" H86, "is cut"},
              {"$5$sa:t$" H43, "is cut"},
              {"$5$rounds=1000$salt$" H43, NULL},
              {"$5$rounds=999$salt$" H43, "is cut"},
              {"$5$rounds=01000$salt$" H43, "is cut"},
              {"$5$rounds=$salt$" H43, "is cut"},
              {"$5$rounds=-1$salt$" H43, "is cut"},
              {"$5$rounds=1000", "is cut"},
              {"$6$salt$" H86, NULL},
              {"$6$salt$" H43, "is cut"},
              {"$6$rounds=1000000$salt$" H86, NULL},
              {"$6$rounds=1000001$salt$" H86, "too long"},
              {"$6$rounds=99999999999999999999$salt$" H86, "too long"},
              {"$y$j9T$salt$" H43, NULL},
              {"$y$j75$salt$" H43, NULL},
              {"$y$jBT$salt$" H43, NULL},
              {"$y$jCT$salt$" H43, "too long"},
              {"$y$jzz$salt$" H43, "too long"},
              {"$y$j9z$salt$" H43, "too long"},
              {"$y$j9TX$salt$" H43, "is cut"},
              {"$y$j$salt$" H43, "is cut"},
              {"$y$/9T$salt$" H43, "is cut"},
              {"$y$j9T$$" H43, "is cut"},
              {"$y$j9T$salt$" H43 "x", "is cut"},
              {"$gy$j9T$salt$" H43, "isn't read"},
              {"$7$CU..../....salt$" H43, "isn't read"},
              {"$sha1$1$salt$x", "isn't read"},
              {"$apr1$salt$0123456789012345678901", "MD5"},
              {"$1$salt$0123456789012345678901", "MD5"},
              {"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"},
              {"{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"},
              {"{PLAIN}x", "isn't read"},
              {"rqXexS6ZhobKA", "DES"},
              {"rqXexS6ZhobK", "plain text"},
              {"secret", "plain text"},
              {"*", "plain text"},
              {"!", "plain text"},
              {"", "no hash"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *why = hash_fault(rows[i].hash);
    ROW(rows[i].hash, (why == NULL) == (rows[i].why == NULL));
    if (why != NULL && rows[i].why != NULL)
      ROW(rows[i].hash, strstr(why, rows[i].why) != NULL);
  }
}

static void test_a_hash_matches_its_password_only(void) {
  CU_ASSERT_EQUAL(hash_check(HASH, "x"), HASH_RIGHT);
  CU_ASSERT_EQUAL(hash_check(HASH, "y"), HASH_WRONG);
  CU_ASSERT_EQUAL(hash_check(HASH, ""), HASH_WRONG);
  CU_ASSERT_EQUAL(hash_check(HASH, "xx"), HASH_WRONG);
  CU_ASSERT_EQUAL(hash_check(HASH "x", "x"), HASH_WRONG);
  /* A hash that libcrypt doesn't take has no password, not even as its own
   * refusal. */
  CU_ASSERT_EQUAL(hash_check("*0", "x"), HASH_FAILED);
  CU_ASSERT_EQUAL(hash_check("*1", "x"), HASH_FAILED);
  CU_ASSERT_EQUAL(hash_check("", "x"), HASH_FAILED);
  CU_ASSERT_EQUAL(hash_check("$2b$99$" H53, "x"), HASH_FAILED);
}

/* yescrypt wants 64 MiB here, which this process may not have. */
static void test_a_hash_that_lacks_memory_is_not_called_wrong(void) {
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
  return; /* they need more addresses than any limit leaves */
#else
  pid_t child = fork();
  if (child == 0) {
    struct rlimit most = {32u << 20, 32u << 20};
    setrlimit(RLIMIT_AS, &most);
    _exit((int)hash_check("$y$jBT$abcdefghijklmnop$" H43, "x"));
  }
  int status = 0;
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT(WIFEXITED(status));
  CU_ASSERT_EQUAL(WEXITSTATUS(status), HASH_FAILED);
#endif
}

/* ---- files -------------------------------------------------------------- */

static void test_users_are_found_by_their_whole_names(void) {
  static const char text[] = "# some\n\nbob:" HASH "\n"
                             "a b:$6$salt$" H86 "\n"
                             "j\xC3\xBCrgen:$5$salt$" H43;
  static const char *const absent[] = {"",     "bo",   "bobb",   "Bob",
                                       "bob ", " bob", "# some", "bob:"};
  struct errmsg err = {""};
  struct htpasswd *users = htpasswd_parse("h", text, sizeof text - 1, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(users);
  CU_ASSERT_EQUAL(users->count, 3);
  CU_ASSERT_STRING_EQUAL(htpasswd_find(users, "bob")->hash, HASH);
  CU_ASSERT_PTR_NOT_NULL(htpasswd_find(users, "a b"));
  CU_ASSERT_PTR_NOT_NULL(htpasswd_find(users, "j\xC3\xBCrgen"));
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
    ROW(absent[i], htpasswd_find(users, absent[i]) == NULL);
  htpasswd_free(users);
}

static void test_an_empty_file_has_nobody(void) {
  static const char *const rows[] = {"", "\n", "#\n", "# bob:x", "\n\n"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg err = {""};
    struct htpasswd *users =
        htpasswd_parse("h", rows[i], strlen(rows[i]), &err);
    ROW(rows[i], users != NULL && users->count == 0);
    ROW(rows[i], users == NULL || htpasswd_find(users, "") == NULL);
    htpasswd_free(users);
  }
}

#define TEXT(t) t, sizeof t - 1

static void test_a_bad_line_refuses_the_file(void) {
  static const struct {
    const char *text;
    size_t len;
    const char *why;
  } rows[] = {{TEXT("bob"), "h:1: there is no colon"},
              {TEXT("#\n\nbob"), "h:3: there is no colon"},
              {TEXT(" "), "h:1: the line begins with a blank"},
              {TEXT("al:" HASH "\n bob:" HASH), "h:2: the line begins with a"},
              {TEXT("\tbob:" HASH), "h:1: the line begins with a blank"},
              {TEXT("\n # bob"), "h:2: the line begins with a blank"},
              {TEXT("bob :" HASH), "h:1: there is a blank between"},
              {TEXT("\xEF\xBB\xBF"
                    "bob:" HASH),
               "h:1: there is a byte order"},
              {TEXT("\xEF\xBB\xBF# some\nbob:" HASH), "h:1: there is a byte"},
              {TEXT("# x\r\n\r\nbob:" HASH), "h:2: the line ends in CR"},
              {TEXT(":" HASH), "h:1: there is no name"},
              {TEXT("bob:"), "h:1: there is no hash"},
              {TEXT("bob:secret"), "h:1: a password in plain text"},
              {TEXT("bob:" HASH " "), "h:1: the hash is cut"},
              {TEXT("bob:" HASH "\r\n"), "h:1: the line ends in CR"},
              {TEXT("bob:" HASH ":more"), "h:1: the hash is cut"},
              {TEXT("b\tb:" HASH), "h:1: a name has a control"},
              {TEXT("b\xC2\x85:" HASH), "h:1: a name has a control"},
              {TEXT("b\xFF:" HASH), "h:1: a name isn't UTF-8"},
              {TEXT("bob:" HASH "\0"), "h:1: there is a NUL"},
              {TEXT("b\0b:" HASH), "h:1: there is a NUL"},
              {TEXT("bob:" HASH "\nal:" HASH "\nbob:" HASH),
               "h:3: 'bob' is in line 1 already"},
              {TEXT("bob:" HASH "\nal:$apr1$a$b"), "h:2: MD5"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg err = {""};
    ROW(rows[i].text,
        htpasswd_parse("h", rows[i].text, rows[i].len, &err) == NULL);
    ROW(err.text, strstr(err.text, rows[i].why) != NULL);
    ROW(err.text, strstr(err.text, "secret") == NULL);
  }
}

static bool many(size_t users, size_t name, size_t hash) {
  struct errmsg err = {""};
  struct buf text;
  buf_init(&text, HTPASSWD_FILE_MAX);
  for (size_t i = 0; i < users; i++) {
    buf_addf(&text, "%0*zu:", (int)name, i);
    buf_adds(&text, "$6$rounds=100000$saltsaltsaltsalt$" H86);
    for (size_t j = 0; j < hash; j++)
      buf_addc(&text, 'x');
    buf_addc(&text, '\n');
  }
  CU_ASSERT_FALSE(text.overflown);
  struct htpasswd *made = htpasswd_parse("h", text.data, text.len, &err);
  htpasswd_free(made);
  buf_fini(&text);
  return made != NULL;
}

static void test_limits_hold_and_one_past_them_does_not(void) {
  CU_ASSERT(many(HTPASSWD_USERS_MAX, 5, 0));
  CU_ASSERT(!many(HTPASSWD_USERS_MAX + 1, 5, 0));
  CU_ASSERT(many(1, HTPASSWD_NAME_MAX, 0));
  CU_ASSERT(!many(1, HTPASSWD_NAME_MAX + 1, 0));
  CU_ASSERT(!many(1, 1, HASH_MAX));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_hashes_have_a_form_and_a_price),
      UNIT(test_a_hash_matches_its_password_only),
      UNIT(test_a_hash_that_lacks_memory_is_not_called_wrong),
      UNIT(test_users_are_found_by_their_whole_names),
      UNIT(test_an_empty_file_has_nobody),
      UNIT(test_a_bad_line_refuses_the_file),
      UNIT(test_limits_hold_and_one_past_them_does_not),
      {NULL, NULL}};
  return unit_main("htpasswd", tests);
}

/* SPDX-License-Identifier: MIT
 *
 * Grants: operations, prefixes, and all the ways that lead out of them.
 */
#include "grants.h"
#include "unit.h"

#include <string.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

static void test_each_operation_has_its_bit(void) {
  static const struct {
    const char *name;
    unsigned bits;
  } rows[] = {{"upload", OPERATION_BIT(OPERATION_UPLOAD)},
              {"presign", OPERATION_BIT(OPERATION_PRESIGN)},
              {"download", OPERATION_BIT(OPERATION_DOWNLOAD)},
              {"list", OPERATION_BIT(OPERATION_LIST)},
              {"delete", OPERATION_BIT(OPERATION_DELETE)},
              {"replace", OPERATION_BIT(OPERATION_REPLACE)},
              {"copy", OPERATION_BIT(OPERATION_COPY)},
              {"revoke", OPERATION_BIT(OPERATION_REVOKE)},
              {"*", GRANTS_ALL},
              {"", 0},
              {"Upload", 0},
              {"uploads", 0},
              {"signed", 0},
              {"all", 0},
              {" list", 0}};
  unsigned all = 0;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    ROW(rows[i].name, grants_operation(rows[i].name) == rows[i].bits);
    if (rows[i].bits != GRANTS_ALL)
      all |= rows[i].bits;
  }
  CU_ASSERT_EQUAL(all, GRANTS_ALL);
}

static void test_only_what_was_granted_is_allowed(void) {
  static const char *const names[] = {"upload", "presign", "download",
                                      "list",   "delete",  "replace",
                                      "copy",   "revoke"};
  for (unsigned bits = 0; bits <= GRANTS_ALL; bits++)
    for (size_t i = 0; i < 7; i++) {
      struct grants grants = {.operations = bits};
      ROW(names[i], grants_allow(&grants, names[i]) == (bits >> i & 1));
    }
}

static void test_what_is_no_operation_is_never_allowed(void) {
  static const char *const rows[] = {NULL, "", "*", "signed", "move", "LIST"};
  const struct grants all = {.operations = ~0u};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i] == NULL ? "NULL" : rows[i], !grants_allow(&all, rows[i]));
}

static void test_prefixes_that_cannot_be_used_are_refused(void) {
  static const struct {
    const char *prefix;
    bool fine;
  } rows[] = {{"", true},
              {"a", true},
              {"users/{user}/", true},
              {"{user}/", true},
              {"a-{user}-b/", true},
              {"{user}/x", true},
              {"{USER}", true}, /* only letters */
              {"{user", true},
              {"\xC3\xA9/", true},
              {"/", false},
              {"/a", false},
              {"{user}", false}, /* bobby is bob */
              {"users/{user}", false},
              {"users/{user}-x", false},
              {"{user}/{user}/", false},
              {"{user}{user}/", false},
              {"a/../b", false},
              {"..", false},
              {"./a", false},
              {"a/.", false},
              {"a\nb", false},
              {"a\x7F", false},
              {"\xC2\x85", false}, /* C1 */
              {"\xC3", false},
              {"\xC0\xAF", false},
              {"\xED\xA0\x80", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].prefix,
        (grants_prefix_fault(rows[i].prefix) == NULL) == rows[i].fine);
}

static void test_a_prefix_may_be_as_long_as_a_key(void) {
  char prefix[1026];
  memset(prefix, 'a', sizeof prefix);
  prefix[1025] = '\0';
  CU_ASSERT_PTR_NOT_NULL(grants_prefix_fault(prefix));
  prefix[1024] = '\0';
  CU_ASSERT_PTR_NULL(grants_prefix_fault(prefix));
}

static bool reach(const char *prefix, const char *identity, const char *key) {
  const char *const prefixes[] = {prefix, NULL};
  const struct grants grants = {.prefixes = prefixes};
  return grants_reach(&grants, identity, key);
}

static void test_a_user_stays_below_their_prefix(void) {
  static const struct {
    const char *key;
    bool reached;
  } rows[] = {{"users/bob/", true},
              {"users/bob/a", true},
              {"users/bob/a/b c", true},
              {"users/bob//a", true},
              {"users/bob/..a", true},
              {"users/bob/%2e%2e/alice", true}, /* letters, once decoded */
              {"users/bob", false},
              {"users/", false},
              {"users", false},
              {"", false},
              {"users/bobby/a", false},
              {"users/alice/a", false},
              {"users/Bob/a", false},
              {"USERS/bob/a", false},
              {"/users/bob/a", false},
              {"users//bob/a", false},
              {"users/bob%2fa", false},
              {"users%2fbob/a", false},
              {"users\\bob\\a", false},
              {"users/bob\\a", false},
              {"users/bob/../alice/a", false},
              {"users/bob/..", false},
              {"users/bob/.", false},
              {"users/./bob/a", false},
              {"users/alice/../bob/a", false},
              {"users/b\xC3\xB6"
               "b/a",
               false},
              {"users/\xEF\xBD\x82ob/a", false}, /* a wide b */
              {"users/bob\xE2\x88\x95"
               "a",
               false}, /* a division slash */
              {"users/bob/\xFF", false},
              {"users/bob/\n", true}, /* others can put it there */
              {"users/bob\n/a", false},
              {"x/users/bob/a", false},
              {"users/{user}/a", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].key,
        reach("users/{user}/", "bob", rows[i].key) == rows[i].reached);
}

static void test_who_is_no_segment_has_no_prefix(void) {
  static const struct {
    const char *identity, *key;
    bool reached;
  } rows[] = {{NULL, "users//a", false},
              {"", "users//a", false},
              {".", "users/./a", false},
              {"..", "users/../a", false},
              {"bob/x", "users/bob/x/a", false},
              {"../bob", "users/../bob/a", false},
              {"/", "users///a", false},
              {"{user}", "users/{user}/a", true},
              {"{user}", "users/{user/a", false},
              {"...", "users/.../a", true},
              {"a b", "users/a b/a", true},
              {"b\xC3\xB6"
               "b",
               "users/b\xC3\xB6"
               "b/a",
               true},
              {"b\xC3\xB6"
               "b",
               "users/bo\xCC\x88"
               "b/a",
               false}, /* composed */
              {"bob", "users/bob/a", true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].key, reach("users/{user}/", rows[i].identity, rows[i].key) ==
                         rows[i].reached);
}

static void test_a_prefix_without_user_needs_no_identity(void) {
  CU_ASSERT(reach("public/", NULL, "public/a"));
  CU_ASSERT(!reach("public/", "bob", "publi"));
  CU_ASSERT(!reach("public/", "bob", "private/a"));
  CU_ASSERT(reach("", NULL, "anything"));
  CU_ASSERT(reach("", NULL, ""));
  CU_ASSERT(!reach("", NULL, NULL));
  CU_ASSERT(!reach("", NULL, "a/../b"));
}

static void test_text_around_user_counts(void) {
  CU_ASSERT(reach("a-{user}-b/", "bob", "a-bob-b/x"));
  CU_ASSERT(!reach("a-{user}-b/", "bob", "a-bob-x/x"));
  CU_ASSERT(!reach("a-{user}-b/", "bob-b/x", "a-bob-b/x-b/"));
  CU_ASSERT(!reach("a-{user}-b/", "bob", "a-bob-b-b/"));
  CU_ASSERT(reach("{user}/pub", "bob", "bob/public"));
}

static void test_any_of_the_prefixes_will_do(void) {
  const char *const prefixes[] = {"public/", "users/{user}/", NULL};
  const char *const none[] = {NULL};
  struct grants grants = {.prefixes = prefixes};
  CU_ASSERT(grants_reach(&grants, "bob", "public/a"));
  CU_ASSERT(grants_reach(&grants, "bob", "users/bob/a"));
  CU_ASSERT(!grants_reach(&grants, "bob", "users/eve/a"));
  CU_ASSERT(!grants_reach(&grants, NULL, "users/bob/a"));
  grants.prefixes = none;
  CU_ASSERT(!grants_reach(&grants, "bob", "public/a"));
  CU_ASSERT(!grants_reach(&grants, "bob", ""));
  grants.prefixes = NULL;
  CU_ASSERT(!grants_reach(&grants, "bob", "public/a"));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_operation_has_its_bit),
      UNIT(test_only_what_was_granted_is_allowed),
      UNIT(test_what_is_no_operation_is_never_allowed),
      UNIT(test_prefixes_that_cannot_be_used_are_refused),
      UNIT(test_a_prefix_may_be_as_long_as_a_key),
      UNIT(test_a_user_stays_below_their_prefix),
      UNIT(test_who_is_no_segment_has_no_prefix),
      UNIT(test_a_prefix_without_user_needs_no_identity),
      UNIT(test_text_around_user_counts),
      UNIT(test_any_of_the_prefixes_will_do),
      {NULL, NULL}};
  return unit_main("grants", tests);
}

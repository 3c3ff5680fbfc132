/* SPDX-License-Identifier: MIT
 *
 * Authorization headers: what is a token, what is a pair, and what is neither.
 */
#include "credential.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "challenge.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

/* ---- Bearer ------------------------------------------------------------- */

static void test_a_bearer_token_is_a_b64token(void) {
  static const struct {
    const char *header, *token; /* NULL: none */
    enum credential found;
  } rows[] = {{"Bearer abc", "abc", CREDENTIAL_GOOD},
              {"bearer abc", "abc", CREDENTIAL_GOOD},
              {"BEARER abc", "abc", CREDENTIAL_GOOD},
              {"Bearer   abc", "abc", CREDENTIAL_GOOD},
              {"Bearer aZ0-._~+/==", "aZ0-._~+/==", CREDENTIAL_GOOD},
              {"Bearer 12345678", "12345678", CREDENTIAL_GOOD},
              {"Bearer 123456789", NULL, CREDENTIAL_BAD}, /* max + 1 */
              {"Bearer", NULL, CREDENTIAL_BAD},
              {"Bearer ", NULL, CREDENTIAL_BAD},
              {"Bearer =", NULL, CREDENTIAL_BAD},
              {"Bearer a=b", NULL, CREDENTIAL_BAD},
              {"Bearer a b", NULL, CREDENTIAL_BAD},
              {"Bearer abc ", NULL, CREDENTIAL_BAD},
              {"Bearer a,b", NULL, CREDENTIAL_BAD},
              {"Bearer \"abc\"", NULL, CREDENTIAL_BAD},
              {"Bearer a\tb", NULL, CREDENTIAL_BAD},
              {"Bearer \xC3\xA9", NULL, CREDENTIAL_BAD},
              {"Bearer\tabc", NULL, CREDENTIAL_NONE},
              {"Bearer,abc", NULL, CREDENTIAL_NONE},
              {"Bearers abc", NULL, CREDENTIAL_NONE},
              {"Beare", NULL, CREDENTIAL_NONE},
              {"Basic YTpi", NULL, CREDENTIAL_NONE},
              {" Bearer abc", NULL, CREDENTIAL_NONE},
              {"", NULL, CREDENTIAL_NONE},
              {NULL, NULL, CREDENTIAL_NONE}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *token = NULL, *row = rows[i].header ? rows[i].header : "NULL";
    ROW(row, credential_bearer(rows[i].header, 8 + (i == 4) * 3, &token) ==
                 rows[i].found);
    ROW(row, rows[i].token == NULL
                 ? token == NULL
                 : token != NULL && strcmp(token, rows[i].token) == 0);
  }
}

/* ---- Basic -------------------------------------------------------------- */

static enum credential basic(struct credential_basic *out, const char *pair,
                             size_t len) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789+/";
  struct buf header;
  buf_init(&header, 2048);
  buf_adds(&header, "Basic ");
  for (size_t i = 0; i < len; i += 3) {
    unsigned char in[3] = {0};
    size_t n = len - i < 3 ? len - i : 3;
    memcpy(in, pair + i, n);
    unsigned bits = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];
    for (size_t j = 0; j < 4; j++)
      buf_addc(&header, j > n ? '=' : letters[bits >> (18 - 6 * j) & 63]);
  }
  enum credential found = credential_basic(header.data, out);
  buf_fini(&header);
  return found;
}

static void test_a_pair_is_split_at_its_first_colon(void) {
  static const struct {
    const char *pair, *user, *password; /* NULL: bad */
  } rows[] = {{"a:b", "a", "b"},
              {"a:", "a", ""},
              {"a:b:c", "a", "b:c"},
              {"a::", "a", ":"},
              {"a b:c d", "a b", "c d"},
              {"j\xC3\xBCrgen:\xE2\x82\xAC", "j\xC3\xBCrgen", "\xE2\x82\xAC"},
              {"", NULL, NULL},
              {":", NULL, NULL},
              {":b", NULL, NULL},
              {"ab", NULL, NULL},
              {"a\n:b", NULL, NULL},
              {"a:b\r", NULL, NULL},
              {"a:b\x7F", NULL, NULL},
              {"a:\xC2\x80", NULL, NULL},
              {"\xFC:b", NULL, NULL}, /* Latin-1 */
              {"a:\xFC", NULL, NULL},
              {"\xC0\xAF:b", NULL, NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct credential_basic out = {"", ""};
    enum credential found = basic(&out, rows[i].pair, strlen(rows[i].pair));
    if (rows[i].user == NULL) {
      ROW(rows[i].pair, found == CREDENTIAL_BAD);
      continue;
    }
    ROW(rows[i].pair, found == CREDENTIAL_GOOD);
    ROW(rows[i].pair, strcmp(out.user, rows[i].user) == 0);
    ROW(rows[i].pair, strcmp(out.password, rows[i].password) == 0);
  }
}

static void test_a_nul_in_a_pair_is_bad(void) {
  struct credential_basic out;
  CU_ASSERT_EQUAL(basic(&out, "a\0:b", 4), CREDENTIAL_BAD);
  CU_ASSERT_EQUAL(basic(&out, "a:b\0c", 5), CREDENTIAL_BAD);
  CU_ASSERT_EQUAL(basic(&out, "a:b", 3), CREDENTIAL_GOOD);
}

static void test_a_pair_has_its_limits(void) {
  struct credential_basic out;
  char pair[2 + CREDENTIAL_USER_MAX + CREDENTIAL_PASSWORD_MAX + 2];
  size_t u = CREDENTIAL_USER_MAX, p = CREDENTIAL_PASSWORD_MAX;
  memset(pair, 'x', sizeof pair);
  pair[u] = ':';
  CU_ASSERT_EQUAL(basic(&out, pair, u + 1 + p), CREDENTIAL_GOOD);
  CU_ASSERT_EQUAL(strlen(out.user), u);
  CU_ASSERT_EQUAL(strlen(out.password), p);
  CU_ASSERT_EQUAL(basic(&out, pair, u + 1 + p + 1), CREDENTIAL_BAD);
  pair[u] = 'x';
  pair[u + 1] = ':';
  CU_ASSERT_EQUAL(basic(&out, pair, u + 1 + p), CREDENTIAL_BAD);
}

static void test_base64_has_one_form(void) {
  static const struct {
    const char *header;
    enum credential found;
  } rows[] = {{"Basic YTpi", CREDENTIAL_GOOD},
              {"bASIC YTpi", CREDENTIAL_GOOD},
              {"Basic    YTpi", CREDENTIAL_GOOD},
              {"Basic YTpiYw==", CREDENTIAL_GOOD},
              {"Basic YTpiYw", CREDENTIAL_BAD}, /* no padding */
              {"Basic YTpiYw=", CREDENTIAL_BAD},
              {"Basic YTpiYw===", CREDENTIAL_BAD},
              {"Basic YTpiYw====", CREDENTIAL_BAD},
              {"Basic YTpiYx==", CREDENTIAL_BAD}, /* bits left over */
              {"Basic YTp=YTpi", CREDENTIAL_BAD},
              {"Basic ====", CREDENTIAL_BAD},
              {"Basic YTpi YTpi", CREDENTIAL_BAD},
              {"Basic YTpi\t", CREDENTIAL_BAD},
              {"Basic YTo_", CREDENTIAL_BAD}, /* base64url */
              {"Basic YTo-", CREDENTIAL_BAD},
              {"Basic YTo/", CREDENTIAL_GOOD},
              {"Basic YTo+", CREDENTIAL_GOOD},
              {"Basic a:b", CREDENTIAL_BAD},
              {"Basic", CREDENTIAL_BAD},
              {"Basic ", CREDENTIAL_BAD},
              {"BasicYTpi", CREDENTIAL_NONE},
              {"Bearer YTpi", CREDENTIAL_NONE},
              {"", CREDENTIAL_NONE},
              {NULL, CREDENTIAL_NONE}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct credential_basic out;
    ROW(rows[i].header == NULL ? "NULL" : rows[i].header,
        credential_basic(rows[i].header, &out) == rows[i].found);
  }
}

static void test_wiping_leaves_nothing(void) {
  struct credential_basic out, empty = {"", ""};
  CU_ASSERT_EQUAL(basic(&out, "user:secret", 11), CREDENTIAL_GOOD);
  credential_basic_wipe(&out);
  CU_ASSERT_EQUAL(memcmp(out.user, empty.user, sizeof out.user), 0);
  CU_ASSERT_EQUAL(memcmp(out.password, empty.password, sizeof out.password),
                  0);
}

/* ---- realms ------------------------------------------------------------- */

static void test_realms_are_printable_and_short(void) {
  char text[CHALLENGE_REALM_MAX + 2];
  memset(text, 'x', sizeof text);
  text[CHALLENGE_REALM_MAX + 1] = '\0';
  CU_ASSERT_PTR_NOT_NULL(challenge_realm_fault(text));
  text[CHALLENGE_REALM_MAX] = '\0';
  CU_ASSERT_PTR_NULL(challenge_realm_fault(text));
  CU_ASSERT_PTR_NULL(challenge_realm_fault("a \"b\" \\ c"));
  CU_ASSERT_PTR_NOT_NULL(challenge_realm_fault(""));
  CU_ASSERT_PTR_NOT_NULL(challenge_realm_fault("a\nb"));
  CU_ASSERT_PTR_NOT_NULL(challenge_realm_fault("a\x7F"));
  CU_ASSERT_PTR_NOT_NULL(challenge_realm_fault("\xC3\xA9"));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_bearer_token_is_a_b64token),
      UNIT(test_a_pair_is_split_at_its_first_colon),
      UNIT(test_a_nul_in_a_pair_is_bad),
      UNIT(test_a_pair_has_its_limits),
      UNIT(test_base64_has_one_form),
      UNIT(test_wiping_leaves_nothing),
      UNIT(test_realms_are_printable_and_short),
      {NULL, NULL}};
  return unit_main("credential", tests);
}

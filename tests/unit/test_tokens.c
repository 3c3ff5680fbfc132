/* SPDX-License-Identifier: MIT
 *
 * The file of tokens: what is one, and the line of whatever isn't.
 */
#include "tokens.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

#define A "00000000000000000000000000000000000000000000000000000000000000aa"
#define B "FF000000000000000000000000000000000000000000000000000000000000bb"
#define HEAD "tokens:\n- "
#define REST "\n  identity: bob\n  operations: [list]\n  prefixes: [a]\n"

static struct tokens *parse(const char *text, struct errmsg *err) {
  return tokens_parse("t", text, strlen(text), err);
}

static void test_a_token_is_read(void) {
  struct errmsg err = {""};
  unsigned char hash[DIGEST_SHA256_LEN] = {[31] = 0xAA};
  struct tokens *tokens = parse(HEAD "sha256: " A "\n  identity: bob\n"
                                     "  operations: [list, download, list]\n"
                                     "  prefixes: [\"a/\", 'users/{user}/']\n"
                                     "  expires: 2026-06-14T12:34:56Z\n",
                                &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tokens);
  const struct token *token = tokens_find(tokens, hash);
  CU_ASSERT_PTR_NOT_NULL_FATAL(token);
  CU_ASSERT_STRING_EQUAL(token->identity, "bob");
  CU_ASSERT_EQUAL(token->grants.operations,
                  OPERATION_BIT(OPERATION_LIST) |
                      OPERATION_BIT(OPERATION_DOWNLOAD));
  CU_ASSERT_STRING_EQUAL(token->grants.prefixes[1], "users/{user}/");
  CU_ASSERT_PTR_NULL(token->grants.prefixes[2]);
  CU_ASSERT_EQUAL(token->expires_s, 1781440496);
  hash[0] = 1;
  CU_ASSERT_PTR_NULL(tokens_find(tokens, hash));
  tokens_free(tokens);
}

static void test_each_of_many_tokens_is_found(void) {
  struct errmsg err = {""};
  struct buf text;
  buf_init(&text, TOKENS_FILE_MAX);
  buf_adds(&text, "tokens:\n");
  for (unsigned i = 0; i < 1000; i++)
    buf_addf(
        &text,
        "- {sha256: %064x, identity: i%u, operations: [], prefixes: []}\n",
        i * 7919 % 1000, i);
  struct tokens *tokens = tokens_parse("t", text.data, text.len, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tokens);
  for (unsigned i = 0; i < 1000; i++) {
    char name[16];
    unsigned number = i * 7919 % 1000;
    unsigned char hash[DIGEST_SHA256_LEN] = {
        [30] = (unsigned char)(number >> 8), [31] = (unsigned char)number};
    const struct token *token = tokens_find(tokens, hash);
    snprintf(name, sizeof name, "i%u", i);
    CU_ASSERT(token != NULL && strcmp(token->identity, name) == 0);
  }
  tokens_free(tokens);
  buf_fini(&text);
}

static void test_a_file_may_have_no_token(void) {
  struct errmsg err = {""};
  unsigned char hash[DIGEST_SHA256_LEN] = {0};
  struct tokens *tokens = parse("tokens: []", &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tokens);
  CU_ASSERT_PTR_NULL(tokens_find(tokens, hash));
  tokens_free(tokens);
}

static void test_without_expires_it_never_does(void) {
  struct errmsg err = {""};
  struct tokens *tokens = parse(HEAD "sha256: " A REST, &err);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tokens);
  CU_ASSERT_EQUAL(tokens->rows[0].expires_s, TOKENS_FOREVER);
  tokens_free(tokens);
}

static void test_whatever_is_wrong_is_refused_with_its_line(void) {
  static const struct {
    const char *text, *why;
  } rows[] = {
      {"", "t:1: the file is empty"},
      {"# nothing\n", "t:1: the file is empty"},
      {"[]", "t:1: the file isn't a mapping"},
      {"tokens", "t:1: the file isn't a mapping"},
      {"{}", "t:1: there are no tokens"},
      {"tokens:", "t:1: tokens is a list"},
      {"tokens: {}", "t:1: tokens is a list"},
      {"token: []", "t:1: unknown key 'token'; did you mean 'tokens'"},
      {"tokens: []\nmore: 1", "t:2: unknown key 'more'; there is tokens"},
      {"tokens: []\ntokens: []", "t:2: tokens is here twice"},
      {"tokens: []\n---\ntokens: []", "t:2: a second document"},
      {"tokens: [\n", "not YAML"},
      {"tokens:\n\t- a", "t:2: not YAML"},
      {"tokens: [a]", "t:1: a token is a mapping"},
      {"tokens: [[]]", "t:1: a token is a mapping"},
      {"tokens:\n- &a {}", "t:2: anchors"},
      {"tokens: *a", "aliases"},
      {"tokens: !!seq []", "t:1: tags"},
      {"tokens:\n- {}", "t:2: this token has no sha256"},
      {HEAD "sha256: " A "\n", "t:2: this token has no identity"},
      {HEAD "sha256: " A "\n  identity: b\n  operations: []\n",
       "t:2: this token has no prefixes"},
      {HEAD "sha256: " A "\n  sha256: " B REST, "t:3: sha256 is here twice"},
      {HEAD "sha256: " A REST "  identity: b\n", "t:6: identity is here"},
      {HEAD "sha265: " A REST, "t:2: unknown key 'sha265'; did you mean 'sha"},
      {HEAD "{}: a", "t:2: a key is a plain word"},
      {HEAD "sha256: [" A "]", "t:2: sha256 is one text"},
      {HEAD "sha256: 12" REST, "t:2: sha256 isn't 64 hex"},
      {HEAD "sha256: 0" A REST, "t:2: sha256 isn't 64 hex"},
      {HEAD "sha256: \"" A "\\0\"" REST, "t:2: a text holds a NUL"},
      {HEAD "sha256: x0" A REST, "t:2: sha256 isn't 64 hex"},
      {HEAD "identity: ''", "t:2: identity is empty"},
      {HEAD "identity: \"a\\nb\"", "t:2: identity is empty, longer"},
      {HEAD "identity: \"a\\x85\"", "t:2: identity is empty, longer"},
      {HEAD "identity: {}", "t:2: identity is one text"},
      {HEAD "operations: list", "t:2: operations is a list"},
      {HEAD "operations: [lst]", "unknown operation 'lst'; did you mean 'l"},
      {HEAD "operations: [LIST]", "unknown operation 'LIST'"},
      {HEAD "operations: ['']", "unknown operation ''; there is upload"},
      {HEAD "operations: [[]]", "t:2: an operation is one word"},
      {HEAD "prefixes: a/", "t:2: prefixes is a list"},
      {HEAD "prefixes: [a/, /b]", "t:2: A prefix begins with"},
      {HEAD "prefixes: [a/, \"{user}\"]", "no \"/\" after \"{user}\""},
      {HEAD "prefixes: [../a]", "segment"},
      {HEAD "prefixes: [{}]", "t:2: a prefix is one text"},
      {HEAD "expires: never", "t:2: expires isn't a time"},
      {HEAD "expires: 2027-01-31", "t:2: expires isn't a time"},
      {HEAD "expires: ~", "t:2: expires isn't a time"},
      {HEAD "expires: []", "t:2: expires is one time"},
      {HEAD "sha256: " A REST "- sha256: " A REST,
       "t:6: its sha256 is that of the token in line 2"},
      {HEAD "identity: \xFF", "not YAML"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct errmsg err = {""};
    struct tokens *tokens = parse(rows[i].text, &err);
    ROW(rows[i].text, tokens == NULL);
    ROW(err.text, strstr(err.text, rows[i].why) != NULL);
    ROW(err.text, strchr(err.text, '\n') == NULL);
    tokens_free(tokens);
  }
}

/* ---- limits ------------------------------------------------------------- */

static bool many(unsigned tokens, unsigned prefixes, unsigned identity) {
  struct errmsg err = {""};
  struct buf text;
  buf_init(&text, TOKENS_FILE_MAX);
  buf_adds(&text, "tokens:\n");
  for (unsigned i = 0; i < tokens; i++) {
    buf_addf(&text, "- {sha256: %064x, operations: [], identity: ", i);
    for (unsigned j = 0; j < identity; j++)
      buf_addc(&text, 'x');
    buf_adds(&text, ", prefixes: [");
    for (unsigned j = 0; j < prefixes; j++)
      buf_adds(&text, "a, ");
    buf_adds(&text, "]}\n");
  }
  CU_ASSERT_FALSE(text.overflown);
  struct tokens *made = tokens_parse("t", text.data, text.len, &err);
  bool good = made != NULL;
  tokens_free(made);
  buf_fini(&text);
  return good;
}

static void test_limits_hold_and_one_past_them_does_not(void) {
  CU_ASSERT(many(TOKENS_MAX, 0, 1));
  CU_ASSERT(!many(TOKENS_MAX + 1, 0, 1));
  CU_ASSERT(many(1, GRANTS_PREFIXES_MAX, 1));
  CU_ASSERT(!many(1, GRANTS_PREFIXES_MAX + 1, 1));
  CU_ASSERT(many(1, 1, TOKENS_IDENTITY_MAX));
  CU_ASSERT(!many(1, 1, TOKENS_IDENTITY_MAX + 1));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_a_token_is_read),
      UNIT(test_each_of_many_tokens_is_found),
      UNIT(test_a_file_may_have_no_token),
      UNIT(test_without_expires_it_never_does),
      UNIT(test_whatever_is_wrong_is_refused_with_its_line),
      UNIT(test_limits_hold_and_one_past_them_does_not),
      {NULL, NULL}};
  return unit_main("tokens", tests);
}

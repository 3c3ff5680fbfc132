/* SPDX-License-Identifier: MIT
 *
 * Links: what was made is read again, whole, by whom it was made for, and
 * nothing else is.
 */
#include "ownlink.h"
#include "codec.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define SCOPE "sluice-link-2\n/files/signed\n"
#define NOW 1700000000
#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, row, __FILE__, "", CU_FALSE)

static struct digest_key *key;

static struct ownlink full(void) {
  return (struct ownlink){.method = OWNLINK_GET,
                          .name = strdup("a b/\xc3\xa9+%&=.txt"),
                          .filename = strdup("my report.pdf"),
                          .is_inline = true,
                          .uses = 3,
                          .by = strdup("alice@example.org"),
                          .established = true,
                          .number = 1700000000123,
                          .expires_s = NOW + 60};
}

static char *query_of(struct ownlink *link) {
  struct buf url;
  buf_init(&url, OWNLINK_MAX);
  CU_ASSERT_TRUE(ownlink_make(&url, link, key, SCOPE));
  char *text = buf_take(&url);
  buf_fini(&url);
  return text;
}

static bool same(const char *a, const char *b) {
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_same(const struct ownlink *a, const struct ownlink *b) {
  CU_ASSERT_EQUAL(a->method, b->method);
  CU_ASSERT_TRUE(same(a->name, b->name));
  CU_ASSERT_TRUE(same(a->filename, b->filename));
  CU_ASSERT_TRUE(same(a->types, b->types));
  CU_ASSERT_TRUE(same(a->by, b->by));
  CU_ASSERT_STRING_EQUAL(a->id, b->id);
  CU_ASSERT_EQUAL(a->is_inline, b->is_inline);
  CU_ASSERT_EQUAL(a->replace, b->replace);
  CU_ASSERT_EQUAL(a->established, b->established);
  CU_ASSERT_EQUAL(a->max_bytes, b->max_bytes);
  CU_ASSERT_EQUAL(a->expire_after, b->expire_after);
  CU_ASSERT_EQUAL(a->uses, b->uses);
  CU_ASSERT_EQUAL(a->number, b->number);
  CU_ASSERT_EQUAL(a->expires_s, b->expires_s);
}

static void round_trip(struct ownlink *made) {
  struct ownlink read;
  char *query = query_of(made);
  CU_ASSERT_EQUAL(ownlink_read(&read, key, SCOPE, query, NOW), OWNLINK_GOOD);
  check_same(made, &read);
  ownlink_fini(&read);
  ownlink_fini(made);
  free(query);
}

static void test_what_was_made_is_read(void) {
  struct ownlink get = full();
  struct ownlink put = {.method = OWNLINK_PUT,
                        .name = strdup("k"),
                        .replace = true,
                        .types = strdup("image/png,text/*"),
                        .max_bytes = INT64_MAX,
                        .expire_after = 86400,
                        .uses = OWNLINK_USES_MAX,
                        .by = strdup("bob"),
                        .expires_s = NOW};
  struct ownlink post = {
      .method = OWNLINK_POST, .name = strdup("inbox/x"), .expires_s = NOW + 1};
  round_trip(&get);
  round_trip(&put);
  round_trip(&post);
}

static void test_identity_is_not_in_the_clear(void) {
  struct ownlink link = full();
  char *query = query_of(&link);
  CU_ASSERT_PTR_NULL(strstr(query, "alice"));
  free(query);
  ownlink_fini(&link);
}

static void test_any_other_byte_is_invalid(void) {
  struct ownlink link = full(), read;
  char *query = query_of(&link);
  for (size_t i = 0; query[i] != '\0'; i++)
    for (int bit = 0; bit < 7; bit++) {
      query[i] = (char)(query[i] ^ 1 << bit);
      ROW(query,
          ownlink_read(&read, key, SCOPE, query, NOW) == OWNLINK_INVALID);
      ownlink_fini(&read);
      query[i] = (char)(query[i] ^ 1 << bit);
    }
  CU_ASSERT_EQUAL(ownlink_read(&read, key, SCOPE, query, NOW), OWNLINK_GOOD);
  ownlink_fini(&read);
  free(query);
  ownlink_fini(&link);
}

static void test_other_texts_are_invalid(void) {
  struct ownlink link = full(), read;
  char *query = query_of(&link);
  char longer[2048];
  snprintf(longer, sizeof longer, "%s&", query);
  const char *const rows[] = {
      NULL,          "",     "key=a",
      "&signature=", longer, strstr(query, "&signature="),
      query + 1};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    ROW(rows[i] == NULL ? "NULL" : rows[i],
        ownlink_read(&read, key, SCOPE, rows[i], NOW) == OWNLINK_INVALID);
    ownlink_fini(&read);
  }
  free(query);
  ownlink_fini(&link);
}

/* Another version may have signed it. */
static enum ownlink_verdict read_signed(const char *text) {
  unsigned char mac[DIGEST_SHA256_LEN];
  char hex[2 * DIGEST_SHA256_LEN + 1], all[1024], query[1024];
  struct ownlink read;
  snprintf(all, sizeof all, "%s%s", SCOPE, text);
  digest_key_sum(key, mac, all, strlen(all));
  codec_hex(hex, mac, sizeof mac);
  snprintf(query, sizeof query, "%s&signature=%s", text, hex);
  enum ownlink_verdict verdict = ownlink_read(&read, key, SCOPE, query, NOW);
  ownlink_fini(&read);
  return verdict;
}

#define START \
  "id=01234567890123456789012345678901234567890123&expires=1700000060"

static void test_words_that_are_unknown_or_twice_are_invalid(void) {
  static const struct {
    const char *text;
    enum ownlink_verdict verdict;
  } rows[] = {{START "&key=a", OWNLINK_GOOD},
              {START "&method=POST&prefix=a", OWNLINK_GOOD},
              {START "&key=a&countries=de", OWNLINK_INVALID},
              {START "&key=a&key=b", OWNLINK_INVALID},
              {START "&key=a&uses", OWNLINK_INVALID},
              {START "&key=a&uses=1000001", OWNLINK_INVALID},
              {START "&key=a&&uses=1", OWNLINK_INVALID},
              {START "&key=%ff", OWNLINK_INVALID},
              {START "&prefix=a", OWNLINK_INVALID},
              {START "&method=POST&key=a", OWNLINK_INVALID},
              {START "&method=HEAD&key=a", OWNLINK_INVALID},
              {START, OWNLINK_INVALID}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].text, read_signed(rows[i].text) == rows[i].verdict);
}

static void test_it_is_good_in_its_scope_by_its_key_until_it_ends(void) {
  struct digest_key *other = digest_key_new("other", 5);
  struct ownlink link = full(), read;
  char *query = query_of(&link);
  static const char elsewhere[] = "sluice-link-2\n/other/signed\n";
  CU_ASSERT_EQUAL(ownlink_read(&read, key, elsewhere, query, NOW),
                  OWNLINK_INVALID);
  ownlink_fini(&read);
  CU_ASSERT_EQUAL(ownlink_read(&read, other, SCOPE, query, NOW),
                  OWNLINK_INVALID);
  ownlink_fini(&read);
  CU_ASSERT_EQUAL(ownlink_read(&read, key, SCOPE, query, NOW + 60),
                  OWNLINK_GOOD);
  ownlink_fini(&read);
  CU_ASSERT_EQUAL(ownlink_read(&read, key, SCOPE, query, NOW + 61),
                  OWNLINK_EXPIRED);
  ownlink_fini(&read);
  free(query);
  ownlink_fini(&link);
  digest_key_free(other);
}

/* The query with a name of so many bytes, each of which is three. */
static bool fits(size_t len) {
  struct buf url;
  struct ownlink link = {.name = calloc(1, len + 1), .expires_s = NOW}, read;
  memset(link.name, '%', len);
  buf_init(&url, 2 * OWNLINK_MAX);
  bool made = ownlink_make(&url, &link, key, SCOPE);
  if (made) {
    CU_ASSERT_TRUE(url.len <= OWNLINK_MAX);
    CU_ASSERT_EQUAL(ownlink_read(&read, key, SCOPE, url.data, NOW),
                    OWNLINK_GOOD);
    ownlink_fini(&read);
  }
  buf_fini(&url);
  ownlink_fini(&link);
  return made;
}

static void test_it_has_a_longest(void) {
  size_t len = 1;
  while (fits(len + 1))
    len++;
  CU_ASSERT_TRUE(3 * len > OWNLINK_MAX - 256);
  CU_ASSERT_FALSE(fits(len + 1));
}

static void test_backend_is_read_before_who_signed_is_known(void) {
  static const struct {
    const char *query, *backend;
  } rows[] = {{NULL, NULL},
              {"", NULL},
              {"id=1&key=a", NULL},
              {"id=1&key=%26backend%3Da", NULL},
              {"backend=a&id=1", NULL},
              {"id=1&backend=", ""},
              {"id=1&backend=a%20b&uses=1", "a b"},
              {"id=1&backend=a&backend=b", "a"},
              {"id=1&backend=%zz", NULL},
              {"id=1&backend=%00", NULL}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char *name = ownlink_backend(rows[i].query);
    ROW(rows[i].query, same(name, rows[i].backend));
    free(name);
  }
}

static void test_backend_is_one_of_a_links_words(void) {
  struct ownlink link = full(), read;
  link.backend = strdup("main 2");
  char *query = query_of(&link), *name = ownlink_backend(query);
  CU_ASSERT_STRING_EQUAL(name, "main 2");
  CU_ASSERT_EQUAL(ownlink_read(&read, key, SCOPE, query, NOW), OWNLINK_GOOD);
  CU_ASSERT_TRUE(same(read.backend, "main 2"));
  free(name);
  free(query);
  ownlink_fini(&read);
  ownlink_fini(&link);
}

static void test_types_are_types(void) {
  static char longest[OWNLINK_TYPE_MAX + 2] = "a/";
  static const struct {
    const char *type;
    bool valid;
  } rows[] = {{"text/plain", true},      {"image/*", true},
              {"a/b+c.d", true},         {"", false},
              {"text", false},           {"text/", false},
              {"/plain", false},         {"*/*", false},
              {"*/png", false},          {"text/p*", false},
              {"text/plain;", false},    {"text/plain; a=b", false},
              {"text/pl ain", false},    {"text/plain/x", false},
              {"text/plain,a/b", false}, {"text/plain\r\n", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    ROW(rows[i].type, ownlink_type_valid(rows[i].type) == rows[i].valid);
  memset(longest + 2, 'x', OWNLINK_TYPE_MAX - 2);
  CU_ASSERT_TRUE(ownlink_type_valid(longest));
  longest[OWNLINK_TYPE_MAX] = 'x';
  CU_ASSERT_FALSE(ownlink_type_valid(longest));
}

static void test_types_are_taken(void) {
  static const struct {
    const char *types, *type;
    bool takes;
  } rows[] = {{"text/plain", "text/plain", true},
              {"image/png,text/plain", "text/plain", true},
              {"text/plain", "Text/PLAIN; charset=utf-8", true},
              {"TEXT/Plain", "text/plain", true},
              {"image/*", "IMAGE/png", true},
              {"image/*", "image/png;a=b", true},
              {"text/plain", "text/html", false},
              {"text/plain", "text/plainer", false},
              {"text/plain", "text/plai", false},
              {"image/*", "imagery/png", false},
              {"image/*", "image/", false},
              {"image/*", "text/html; x=image/png", false},
              {"image/png,", "", false},
              {"application/xml", "image/svg+xml", false}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char types[64];
    snprintf(types, sizeof types, "%s", rows[i].types);
    struct ownlink link = {.types = types};
    ROW(rows[i].type, ownlink_takes(&link, rows[i].type) == rows[i].takes);
  }
  CU_ASSERT_TRUE(ownlink_takes(&(struct ownlink){0}, "any/thing"));
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_was_made_is_read),
      UNIT(test_identity_is_not_in_the_clear),
      UNIT(test_any_other_byte_is_invalid),
      UNIT(test_other_texts_are_invalid),
      UNIT(test_words_that_are_unknown_or_twice_are_invalid),
      UNIT(test_it_is_good_in_its_scope_by_its_key_until_it_ends),
      UNIT(test_it_has_a_longest),
      UNIT(test_backend_is_read_before_who_signed_is_known),
      UNIT(test_backend_is_one_of_a_links_words),
      UNIT(test_types_are_types),
      UNIT(test_types_are_taken),
      {NULL, NULL}};
  key = digest_key_new("secret", 6);
  int status = unit_main("ownlink", tests);
  digest_key_free(key);
  return status;
}

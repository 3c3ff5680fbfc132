/* SPDX-License-Identifier: MIT
 *
 * Links of the backend `local`: what was signed verifies, and nothing else.
 */
#include "localkit.h"
#include "unit.h"

#include "date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define URL "https://files.example/files/signed"

static void start(struct kit *kit) {
  kit_init(kit, 100);
  if (!kit_start(kit))
    abort();
}

static void end(struct kit *kit) {
  kit_stop(kit);
  kit_fini(kit);
}

/* The query of a link for the key, with the newline gone. */
static void make(struct kit *kit, const struct sluice_link *link,
                 struct buf *query) {
  struct buf url;
  struct sluice_link with_url = *link;
  buf_init(&url, 20000);
  buf_clear(query);
  with_url.signed_url = URL;
  CU_ASSERT_EQUAL(kit_presign(kit, &with_url, &url), SLUICE_OK);
  CU_ASSERT_FATAL(strncmp(url.data, URL "?", sizeof URL) == 0);
  buf_add(query, url.data + sizeof URL, url.len - sizeof URL - 1);
  buf_fini(&url);
}

static int64_t soon(void) {
  return date_now_ms() / 1000 + 3600;
}

static void test_link_gives_back_what_was_signed(void) {
  static const struct {
    const char *key, *disposition, *type, *want;
  } table[] = {{"a", NULL, NULL, "a\n\n\n"},
               {"a", "", "", "a\n\n\n"},
               {"a b+c%20&key=b?#\xc3\xa9/~'\"", NULL, "text/x",
                "a b+c%20&key=b?#\xc3\xa9/~'\"\n\ntext/x\n"},
               {"a", "attachment; filename=\"x&type=y\"", NULL,
                "a\nattachment; filename=\"x&type=y\"\n\n"},
               {"a&expires=9", "inline", "text/html; charset=utf-8",
                "a&expires=9\ninline\ntext/html; charset=utf-8\n"}};
  struct kit kit;
  struct buf query, texts;
  buf_init(&query, 20000);
  buf_init(&texts, 20000);
  start(&kit);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct sluice_link link = {.key = table[i].key,
                               .method = i % 2 ? "GET" : "HEAD",
                               .expires_s = soon(),
                               .disposition = table[i].disposition,
                               .type = table[i].type};
    make(&kit, &link, &query);
    CU_ASSERT(strpbrk(query.data, " \"<>\\^`{|}#+'?/") == NULL);
    CU_ASSERT_EQUAL(kit_verify(&kit, "GET", query.data, &texts), SLUICE_OK);
    CU_ASSERT_STRING_EQUAL(texts.data, table[i].want);
    CU_ASSERT_EQUAL(kit_verify(&kit, "HEAD", query.data, &texts), SLUICE_OK);
  }
  buf_fini(&query);
  buf_fini(&texts);
  end(&kit);
}

static void test_link_changed_in_any_byte_is_refused(void) {
  struct kit kit;
  struct buf query, texts;
  size_t taken = 0;
  buf_init(&query, 20000);
  buf_init(&texts, 20000);
  start(&kit);
  struct sluice_link link = {.key = "a/B c",
                             .method = "GET",
                             .expires_s = soon(),
                             .disposition = "inline",
                             .type = "text/x"};
  make(&kit, &link, &query);
  for (size_t i = 0; i < query.len; i++) {
    char was = query.data[i];
    for (int c = 1; c < 256; c++) {
      query.data[i] = (char)c;
      if (query.data[i] != was)
        taken += kit_verify(&kit, "GET", query.data, &texts) != SLUICE_EDENIED;
    }
    query.data[i] = was;
  }
  CU_ASSERT_EQUAL(taken, 0);
  CU_ASSERT_EQUAL(texts.len, 0);
  CU_ASSERT_EQUAL(kit_verify(&kit, "GET", query.data, &texts), SLUICE_OK);
  buf_fini(&query);
  buf_fini(&texts);
  end(&kit);
}

static void test_link_cut_or_with_more_in_it_is_refused(void) {
  static const char *const before[] = {"key=b&", "expires=9999999999&", "&",
                                       "x=1&", "signature=&"};
  static const char *const after[] = {
      "&key=b", "&expires=9999999999", "&", "&x=1", "&type=text%2Fhtml",
      "x",      "&signature=00"};
  struct kit kit;
  struct buf query, texts, other;
  buf_init(&query, 20000);
  buf_init(&texts, 20000);
  buf_init(&other, 40000);
  start(&kit);
  struct sluice_link link = {.key = "a", .method = "GET", .expires_s = soon()};
  make(&kit, &link, &query);
  for (size_t i = 0; i < 5 + 7; i++) {
    buf_clear(&other);
    buf_adds(&other, i < 5 ? before[i] : "");
    buf_adds(&other, query.data);
    buf_adds(&other, i < 5 ? "" : after[i - 5]);
    CU_ASSERT_EQUAL(kit_verify(&kit, "GET", other.data, &texts),
                    SLUICE_EDENIED);
  }
  for (size_t len = query.len; len-- > 0;) {
    query.data[len] = '\0';
    CU_ASSERT_EQUAL(kit_verify(&kit, "GET", query.data, &texts),
                    SLUICE_EDENIED);
  }
  CU_ASSERT_EQUAL(kit_verify(&kit, "GET", NULL, &texts), SLUICE_EDENIED);
  buf_fini(&query);
  buf_fini(&texts);
  buf_fini(&other);
  end(&kit);
}

static void test_link_is_for_reading_only(void) {
  static const char *const methods[] = {"PUT", "POST", "DELETE", "get", ""};
  struct kit kit;
  struct buf query, texts;
  buf_init(&query, 20000);
  buf_init(&texts, 20000);
  start(&kit);
  struct sluice_link link = {
      .key = "a", .method = "GET", .expires_s = soon(), .signed_url = URL};
  make(&kit, &link, &query);
  for (size_t i = 0; i < 5; i++) {
    CU_ASSERT_EQUAL(kit_verify(&kit, methods[i], query.data, &texts),
                    SLUICE_EDENIED);
    link.method = methods[i];
    CU_ASSERT_EQUAL(kit_presign(&kit, &link, &texts), SLUICE_ENOTSUP);
  }
  buf_fini(&query);
  buf_fini(&texts);
  end(&kit);
}

static void test_link_expires_after_its_second(void) {
  struct digest_key *key = digest_key_new("123", 3);
  struct sluice_link link = {
      .key = "a", .method = "GET", .expires_s = 1000, .signed_url = "u"};
  struct buf url;
  struct signedlink_grant grant;
  const char *why;
  buf_init(&url, LINK_MAX);
  CU_ASSERT_EQUAL(link_make(&url, key, &link, &why), SLUICE_OK);
  struct sluice_claim claim = {.method = "GET", .query = url.data + 2};
  static const int64_t times[] = {0, 1000, 1001, 5000};
  for (size_t i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(link_check(&grant, key, &claim, times[i], &why),
                    i < 2 ? SLUICE_OK : SLUICE_EDENIED);
    signedlink_fini(&grant);
  }
  digest_key_free(key);
  buf_fini(&url);
}

/* Links that were given out stay good for all later versions. */
static void test_signature_is_the_documented_one(void) {
  unsigned char bytes[DIGEST_SHA256_LEN];
  struct sluice_link link = {.key = "a/B \xc3\xa9",
                             .method = "HEAD",
                             .expires_s = 1700000000,
                             .disposition = "inline",
                             .type = "text/x",
                             .signed_url = "u"};
  struct buf url;
  const char *why;
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (unsigned char)(i + 1);
  struct digest_key *key = digest_key_new(bytes, sizeof bytes);
  buf_init(&url, LINK_MAX);
  CU_ASSERT_EQUAL(link_make(&url, key, &link, &why), SLUICE_OK);
  CU_ASSERT_STRING_EQUAL(url.data,
                         "u?key=a%2FB%20%C3%A9&expires=1700000000&disposition="
                         "inline&type=text%2Fx"
                         "&signature=b431ef768e577d6e3178264d18a94660"
                         "92401cf5834caf651b0d800fb913ec64");
  digest_key_free(key);
  buf_fini(&url);
}

static void test_link_too_long_is_not_made(void) {
  struct kit kit;
  struct buf texts;
  char *type = malloc(LINK_MAX + 1);
  memset(type, 'x', LINK_MAX);
  type[LINK_MAX] = '\0';
  buf_init(&texts, 20000);
  start(&kit);
  struct sluice_link link = {.key = "a",
                             .method = "GET",
                             .expires_s = soon(),
                             .type = type,
                             .signed_url = URL};
  CU_ASSERT_EQUAL(kit_presign(&kit, &link, &texts), SLUICE_EINVAL);
  buf_fini(&texts);
  free(type);
  end(&kit);
}

static void test_key_is_kept_and_is_nobodys_elses(void) {
  struct kit kit, other;
  struct buf query, texts;
  struct stat st;
  char path[200];
  buf_init(&query, 20000);
  buf_init(&texts, 20000);
  start(&kit);
  start(&other);
  struct sluice_link link = {.key = "a", .method = "GET", .expires_s = soon()};
  make(&kit, &link, &query);
  CU_ASSERT_EQUAL(kit_verify(&other, "GET", query.data, &texts),
                  SLUICE_EDENIED);
  kit_stop(&kit);
  snprintf(path, sizeof path, "%s/signing.key", kit.dir);
  CU_ASSERT(stat(path, &st) == 0 && st.st_size == 32);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
  CU_ASSERT(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_verify(&kit, "GET", query.data, &texts), SLUICE_OK);
  kit_stop(&kit);
  kit.conf.signing_key = "0123456789abcdef";
  CU_ASSERT(kit_start(&kit));
  CU_ASSERT_EQUAL(kit_verify(&kit, "GET", query.data, &texts), SLUICE_EDENIED);
  buf_fini(&query);
  buf_fini(&texts);
  end(&other);
  end(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_link_gives_back_what_was_signed),
      UNIT(test_link_changed_in_any_byte_is_refused),
      UNIT(test_link_cut_or_with_more_in_it_is_refused),
      UNIT(test_link_is_for_reading_only),
      UNIT(test_link_expires_after_its_second),
      UNIT(test_signature_is_the_documented_one),
      UNIT(test_link_too_long_is_not_made),
      UNIT(test_key_is_kept_and_is_nobodys_elses),
      {NULL, NULL}};
  return unit_main("local link", tests);
}

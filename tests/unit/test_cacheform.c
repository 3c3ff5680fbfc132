/* SPDX-License-Identifier: MIT
 *
 * The head of a cache's entry: it comes back as it was written, and no other
 * bytes are taken for one.
 */
#include "cacheform.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char head[CACHEFORM_HEAD_MAX];

static const struct sluice_pair pairs[] = {
    {"filename", "a.txt"}, {"empty", ""}, {NULL, NULL}};

static struct sluice_meta sample(void) {
  struct sluice_meta meta = SLUICE_META;
  meta.length = UINT64_MAX - 7;
  meta.mtime_ms = -5;
  meta.etag = "0123-4";
  meta.type = "text/html";
  meta.cache_control = "max-age=7";
  meta.user = pairs;
  return meta;
}

static void test_cacheform_comes_back_as_it_was(void) {
  struct sluice_meta meta = sample();
  struct cacheform form;
  size_t size = cacheform_write(head, "a/b", &meta);
  CU_ASSERT_FATAL(size > 0 && cacheform_length(head) == size);
  CU_ASSERT_FATAL(cacheform_read(&form, head, size));
  CU_ASSERT_EQUAL(form.head, size);
  CU_ASSERT_STRING_EQUAL(form.key, "a/b");
  CU_ASSERT(form.meta.length == meta.length && form.meta.mtime_ms == -5);
  CU_ASSERT_STRING_EQUAL(form.meta.etag, "0123-4");
  CU_ASSERT_STRING_EQUAL(form.meta.type, "text/html");
  CU_ASSERT_STRING_EQUAL(form.meta.cache_control, "max-age=7");
  CU_ASSERT(form.meta.md5 == NULL && form.meta.language == NULL);
  CU_ASSERT_STRING_EQUAL(form.meta.user[0].name, "filename");
  CU_ASSERT_STRING_EQUAL(form.meta.user[1].value, "");
  CU_ASSERT(form.meta.user[2].name == NULL);
}

static void test_cacheform_notices_each_bit(void) {
  struct sluice_meta meta = sample();
  struct cacheform form;
  size_t size = cacheform_write(head, "a/b", &meta);
  for (size_t bit = 0; bit < 8 * size; bit++) {
    head[bit / 8] ^= (unsigned char)(1U << bit % 8);
    CU_ASSERT(!cacheform_read(&form, head, size));
    head[bit / 8] ^= (unsigned char)(1U << bit % 8);
  }
  for (size_t cut = 0; cut < size; cut++)
    CU_ASSERT(!cacheform_read(&form, head, cut));
  CU_ASSERT(cacheform_read(&form, head, size));
}

/* The head of an object whose type is so long. */
static size_t with_type(size_t length) {
  char *type = calloc(1, length + 1);
  struct sluice_meta meta = sample();
  CU_ASSERT_FATAL(type != NULL);
  memset(type, 'x', length);
  meta.type = type;
  size_t size = cacheform_write(head, "k", &meta);
  free(type);
  return size;
}

static void test_cacheform_head_has_its_limit(void) {
  size_t most = CACHEFORM_HEAD_MAX - with_type(0);
  CU_ASSERT_EQUAL(with_type(most), CACHEFORM_HEAD_MAX);
  CU_ASSERT_EQUAL(with_type(most + 1), 0);
  CU_ASSERT_EQUAL(with_type(70000), 0);
}

static size_t with_pairs(size_t count) {
  struct sluice_pair many[CACHEFORM_PAIRS_MAX + 2];
  struct sluice_meta meta = sample();
  for (size_t i = 0; i < count; i++)
    many[i] = (struct sluice_pair){"n", "v"};
  many[count] = (struct sluice_pair){NULL, NULL};
  meta.user = many;
  return cacheform_write(head, "k", &meta);
}

static void test_cacheform_has_so_many_pairs_and_no_more(void) {
  struct cacheform form;
  size_t size = with_pairs(CACHEFORM_PAIRS_MAX);
  CU_ASSERT(size > 0 && cacheform_read(&form, head, size));
  CU_ASSERT_EQUAL(with_pairs(CACHEFORM_PAIRS_MAX + 1), 0);
}

static void test_cacheform_without_an_etag_is_none(void) {
  struct sluice_meta meta = sample();
  struct cacheform form;
  meta.etag = NULL;
  size_t size = cacheform_write(head, "k", &meta);
  CU_ASSERT(size > 0 && !cacheform_read(&form, head, size));
}

static void test_cacheform_same_is_etag_length_and_time(void) {
  struct sluice_meta one = sample(), other = sample();
  CU_ASSERT(cacheform_same(&one, &other));
  other.etag = "0123-5";
  CU_ASSERT(!cacheform_same(&one, &other));
  other = sample();
  other.length--;
  CU_ASSERT(!cacheform_same(&one, &other));
  other = sample();
  other.mtime_ms++;
  CU_ASSERT(!cacheform_same(&one, &other));
  one.etag = other.etag = NULL;
  CU_ASSERT(!cacheform_same(&one, &one));
}

static void test_cacheform_tail_is_one(void) {
  unsigned char tail[CACHEFORM_TAIL], md5[DIGEST_MD5_LEN] = "0123456789abcde";
  cacheform_tail(tail, md5);
  CU_ASSERT_FATAL(cacheform_tail_md5(tail) != NULL);
  CU_ASSERT(memcmp(cacheform_tail_md5(tail), md5, sizeof md5) == 0);
  tail[0] ^= 1;
  CU_ASSERT(cacheform_tail_md5(tail) == NULL);
}

static const struct unit_test tests[] = {
    UNIT(test_cacheform_comes_back_as_it_was),
    UNIT(test_cacheform_notices_each_bit),
    UNIT(test_cacheform_head_has_its_limit),
    UNIT(test_cacheform_has_so_many_pairs_and_no_more),
    UNIT(test_cacheform_without_an_etag_is_none),
    UNIT(test_cacheform_same_is_etag_length_and_time),
    UNIT(test_cacheform_tail_is_one),
    {NULL, NULL},
};

int main(void) {
  return unit_main("cacheform", tests);
}

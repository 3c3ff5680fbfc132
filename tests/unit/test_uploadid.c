/* SPDX-License-Identifier: MIT
 *
 * Addresses of upload resources: what was sealed comes back, and nothing else.
 */
#include "uploadid.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "md5.h"
#include "seal.h"

static const struct uploadid example = {
    .way = UPLOADID_TUS,
    .partial = true,
    .texts = {"stage", "uploads/a b.txt", "a b.txt", "text/plain", "alice",
              "filename YQ==", ""}};

static void write_example(struct buf *out, struct digest_key *key) {
  buf_init(out, UPLOADID_MAX + 100);
  CU_ASSERT_FATAL(uploadid_write(out, key, &example));
}

static void test_an_id_comes_back_as_it_went(void) {
  struct digest_key *key = digest_key_random();
  struct uploadid id;
  struct buf text;
  write_example(&text, key);
  CU_ASSERT_FATAL(uploadid_read(&id, key, text.data));
  CU_ASSERT(id.way == UPLOADID_TUS && id.partial);
  for (size_t i = 0; i < UPLOADID_TEXTS; i++)
    CU_ASSERT_STRING_EQUAL(id.texts[i], example.texts[i]);
  uploadid_fini(&id);
  buf_fini(&text);
  digest_key_free(key);
}

static void test_a_changed_id_is_none(void) {
  struct digest_key *key = digest_key_random();
  struct uploadid id;
  struct buf text;
  write_example(&text, key);
  for (size_t i = 0; i < text.len; i++) {
    char was = text.data[i];
    text.data[i] = was == 'A' ? 'B' : 'A';
    CU_ASSERT(!uploadid_read(&id, key, text.data));
    text.data[i] = '\0'; /* cut */
    CU_ASSERT(!uploadid_read(&id, key, text.data));
    text.data[i] = was;
  }
  CU_ASSERT(buf_addc(&text, 'A'));
  CU_ASSERT(!uploadid_read(&id, key, text.data));
  buf_fini(&text);
  digest_key_free(key);
}

static void test_an_id_of_another_key_is_none(void) {
  struct digest_key *key = digest_key_random(), *other = digest_key_random();
  struct uploadid id;
  struct buf text;
  write_example(&text, key);
  CU_ASSERT(!uploadid_read(&id, other, text.data));
  buf_fini(&text);
  digest_key_free(key);
  digest_key_free(other);
}

static void test_two_ids_of_the_same_are_unlike(void) {
  struct digest_key *key = digest_key_random();
  struct buf one, other;
  write_example(&one, key);
  write_example(&other, key);
  CU_ASSERT(memcmp(one.data, other.data, 20) != 0);
  CU_ASSERT(memcmp(one.data + 24, other.data + 24, 20) != 0);
  buf_fini(&one);
  buf_fini(&other);
  digest_key_free(key);
}

/* A sealed text is base64url of 32 bytes more. */
static void test_an_id_has_at_most_12288_characters(void) {
  enum { FIT = UPLOADID_MAX / 4 * 3 - 32 - 2 - UPLOADID_TEXTS };
  struct digest_key *key = digest_key_random();
  for (size_t more = 0; more < 2; more++) {
    struct uploadid id = {.texts = {"", "", "", "", "", "", ""}};
    char *long_one = calloc(1, FIT + 2);
    struct buf text;
    buf_init(&text, 2 * UPLOADID_MAX);
    memset(long_one, 'x', FIT + more);
    id.texts[UPLOADID_METADATA] = long_one;
    CU_ASSERT_EQUAL(uploadid_write(&text, key, &id), more == 0);
    if (more == 0) {
      CU_ASSERT_EQUAL(text.len, UPLOADID_MAX);
      CU_ASSERT(uploadid_read(&id, key, text.data));
      uploadid_fini(&id);
    }
    buf_fini(&text);
    free(long_one);
  }
  digest_key_free(key);
}

/* ---- the digest that goes with the bytes -------------------------------- */

static void test_md5s_go_on_after_they_were_saved_anywhere(void) {
  static char data[300];
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (char)(i * 7);
  unsigned char whole[MD5_LEN], parts[MD5_LEN], saved[MD5_SAVED];
  struct md5 md5;
  md5_init(&md5);
  md5_add(&(struct md5_piece){&md5, data, sizeof data}, 1);
  md5_final(&md5, whole);
  for (size_t cut = 0; cut <= sizeof data; cut++) {
    struct md5 other;
    md5_init(&md5);
    md5_add(&(struct md5_piece){&md5, data, cut}, 1);
    md5_save(&md5, saved);
    memset(&other, 0xaa, sizeof other);
    md5_load(&other, saved);
    md5_add(&(struct md5_piece){&other, data + cut, sizeof data - cut}, 1);
    md5_final(&other, parts);
    CU_ASSERT(memcmp(whole, parts, MD5_LEN) == 0);
  }
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_an_id_comes_back_as_it_went),
      UNIT(test_a_changed_id_is_none),
      UNIT(test_an_id_of_another_key_is_none),
      UNIT(test_two_ids_of_the_same_are_unlike),
      UNIT(test_an_id_has_at_most_12288_characters),
      UNIT(test_md5s_go_on_after_they_were_saved_anywhere),
      {NULL, NULL}};
  return unit_main("uploadid", tests);
}

/* SPDX-License-Identifier: MIT
 *
 * Lists of the backend `local`, against a naive model: all keys in an array,
 * sorted by bytes, folded by strstr().
 */
#include "localkit.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 600
#define KEY_SIZE 256

struct model {
  char *keys[KEYS];
  size_t count;
};

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Few letters, so that prefixes and delimiters meet often; among them one
 * that UTF-16 would sort elsewhere, and 0x7F, next to what has two bytes. */
static char *random_key(uint64_t *state) {
  static const char *const letters[] = {"a",
                                        "b",
                                        "/",
                                        "//",
                                        "-",
                                        "\x7f",
                                        "\xc3\xa9",
                                        "\xef\xbd\x9a",
                                        "\xf0\x9f\x98\x80",
                                        "ab/"};
  struct buf key;
  buf_init(&key, KEY_SIZE);
  for (uint64_t n = 1 + kit_noise(state) % 7; n > 0; n--)
    buf_adds(&key, letters[kit_noise(state) % 10]);
  return buf_take(&key);
}

static void put_all(struct kit *kit, struct model *model) {
  struct call *calls = calloc(model->count, sizeof *calls);
  for (size_t i = 0; i < model->count; i++) {
    calls[i] = (struct call){
        .kit = kit, .key = model->keys[i], .data = "x", .length = 1};
    call_put(&calls[i]);
  }
  for (size_t i = 0; i < model->count; i++) {
    call_wait(&calls[i]);
    call_fini(&calls[i]);
  }
  free(calls);
}

static void model_init(struct model *model, struct kit *kit) {
  uint64_t state = 7;
  size_t kept = 0;
  for (size_t i = 0; i < KEYS; i++)
    model->keys[i] = random_key(&state);
  qsort(model->keys, KEYS, sizeof *model->keys, by_bytes);
  for (size_t i = 0; i < KEYS; i++)
    if (kept && strcmp(model->keys[kept - 1], model->keys[i]) == 0)
      free(model->keys[i]);
    else
      model->keys[kept++] = model->keys[i];
  model->count = kept;
  put_all(kit, model);
}

/* Everything, without pages. */
static void expect(const struct model *model, const char *prefix,
                   const char *delimiter, struct buf *want) {
  char last[KEY_SIZE] = "";
  buf_clear(want);
  for (size_t i = 0; i < model->count; i++) {
    const char *key = model->keys[i];
    if (strncmp(key, prefix, strlen(prefix)) != 0)
      continue;
    const char *at =
        delimiter ? strstr(key + strlen(prefix), delimiter) : NULL;
    if (!at) {
      buf_addf(want, "k %s\n", key);
      continue;
    }
    int len = (int)(at - key) + (int)strlen(delimiter);
    if (strncmp(last, key, (size_t)len) != 0 || last[len])
      buf_addf(want, "p %.*s\n", len, key);
    snprintf(last, sizeof last, "%.*s", len, key);
  }
}

static size_t lines(const char *text) {
  size_t count = 0;
  for (; *text; text++)
    count += *text == '\n';
  return count;
}

/* Adds a page to all; true when there is more, and where. */
static bool split(const char *page, uint32_t max, struct buf *all,
                  char token[KEY_SIZE]) {
  const char *at = strncmp(page, "t ", 2) == 0 ? page : strstr(page, "\nt ");
  size_t len = at ? (size_t)(at - page) + 1 : strlen(page);
  buf_add(all, page, len);
  if (!at) {
    CU_ASSERT(lines(page) <= max);
    return false;
  }
  CU_ASSERT_EQUAL(lines(page), max + 1);
  snprintf(token, KEY_SIZE, "%s", at + 3);
  token[strcspn(token, "\n")] = '\0';
  return true;
}

static void walk(struct kit *kit, const char *prefix, const char *delimiter,
                 uint32_t max, struct buf *all) {
  char token[KEY_SIZE] = "";
  struct buf page;
  bool more = true;
  buf_init(&page, 1u << 20);
  buf_clear(all);
  while (more) {
    struct sluice_list list = {.prefix = prefix,
                               .delimiter = delimiter,
                               .token = *token ? token : NULL,
                               .max = max};
    CU_ASSERT_EQUAL(kit_list(kit, &list, &page), SLUICE_OK);
    more = split(page.data, max, all, token);
  }
  buf_fini(&page);
}

static void test_pages_are_those_of_the_model(void) {
  static const char *const prefixes[] = {
      "",       "a", "ab/", "/", "\xc3\xa9", "\x7f", "a-", "\xf0\x9f\x98\x80",
      "nothing"};
  static const char *const delimiters[] = {NULL, "",  "/",           "//",
                                           "ab", "-", "\xef\xbd\x9a"};
  static const uint32_t sizes[] = {1, 2, 3, 7, 50, 1000};
  struct kit kit;
  struct model model;
  struct buf want, got;
  kit_init(&kit, 100);
  CU_ASSERT_FATAL(kit_start(&kit));
  model_init(&model, &kit);
  buf_init(&want, 1u << 20);
  buf_init(&got, 1u << 20);
  for (size_t p = 0; p < 9; p++)
    for (size_t d = 0; d < 7; d++) {
      const char *delimiter =
          delimiters[d] && *delimiters[d] ? delimiters[d] : NULL;
      expect(&model, prefixes[p], delimiter, &want);
      for (size_t s = p < 2 && d != 2 ? 3 : 0; s < 6; s++) {
        walk(&kit, prefixes[p], delimiters[d], sizes[s], &got);
        CU_ASSERT_STRING_EQUAL(got.data, want.data);
      }
    }
  buf_fini(&want);
  buf_fini(&got);
  for (size_t i = 0; i < model.count; i++)
    free(model.keys[i]);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_page_sizes_at_and_past_the_limit(void) {
  static const struct {
    uint32_t max;
    enum sluice_status want;
    size_t lines;
  } table[] = {{0, SLUICE_EINVAL, 0},    {1, SLUICE_OK, 2},
               {999, SLUICE_OK, 1000},   {1000, SLUICE_OK, 1001},
               {1001, SLUICE_EINVAL, 0}, {UINT32_MAX, SLUICE_EINVAL, 0}};
  struct kit kit;
  struct buf page;
  static struct call calls[1001];
  char *key = NULL;
  buf_init(&page, 1u << 20);
  kit_init(&kit, 100);
  CU_ASSERT_FATAL(kit_start(&kit));
  for (size_t i = 0; i < 1001; i++) {
    CU_ASSERT(asprintf(&key, "key/%04zu", i) > 0);
    calls[i] =
        (struct call){.kit = &kit, .key = key, .data = "x", .length = 1};
    call_put(&calls[i]);
  }
  for (size_t i = 0; i < 1001; i++) {
    call_wait(&calls[i]);
    call_fini(&calls[i]);
    free((char *)calls[i].key);
  }
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct sluice_list list = {.prefix = "", .max = table[i].max};
    CU_ASSERT_EQUAL(kit_list(&kit, &list, &page), table[i].want);
    CU_ASSERT_EQUAL(lines(page.data), table[i].lines);
  }
  buf_fini(&page);
  kit_stop(&kit);
  kit_fini(&kit);
}

static void test_token_of_another_list_is_refused(void) {
  static const struct {
    const char *prefix, *token;
    enum sluice_status want;
    const char *page;
  } table[] = {{"a/", "ka/1", SLUICE_OK, "k a/2\n"},
               {"a/", "ka/0", SLUICE_OK, "k a/1\nk a/2\n"}, /* is gone */
               {"a/", "ka/2", SLUICE_OK, ""},
               {"a/", "pa/1", SLUICE_OK, "k a/2\n"},
               {"a/", "ka/\xff", SLUICE_OK, ""},
               {"a/", "p\xff", SLUICE_EINVAL, ""},
               {"", "p\xff", SLUICE_OK, ""},
               {"", "p", SLUICE_OK, ""},
               {"", "k", SLUICE_OK, "k a/1\nk a/2\nk b/1\n"},
               {"a/", "kb/0", SLUICE_EINVAL, ""},
               {"a/", "k", SLUICE_EINVAL, ""},
               {"a/", "", SLUICE_EINVAL, ""},
               {"a/", "xa/1", SLUICE_EINVAL, ""},
               {"a/", "a/1", SLUICE_EINVAL, ""}};
  struct kit kit;
  struct buf page;
  buf_init(&page, 1u << 20);
  kit_init(&kit, 100);
  CU_ASSERT_FATAL(kit_start(&kit));
  kit_put(&kit, "a/1", "x", 1);
  kit_put(&kit, "a/2", "x", 1);
  kit_put(&kit, "b/1", "x", 1);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct sluice_list list = {
        .prefix = table[i].prefix, .token = table[i].token, .max = 10};
    CU_ASSERT_EQUAL(kit_list(&kit, &list, &page), table[i].want);
    CU_ASSERT_STRING_EQUAL(page.data, table[i].page);
  }
  buf_fini(&page);
  kit_stop(&kit);
  kit_fini(&kit);
}

static int count_step(void *arg) {
  ++*(int *)arg;
  return 0;
}

static void test_cost_of_a_fold_is_not_that_of_what_lies_below(void) {
  static struct call calls[1000];
  struct kit kit;
  struct buf page;
  int steps[2] = {0, 0};
  buf_init(&page, 1u << 20);
  kit_init(&kit, 100);
  CU_ASSERT_FATAL(kit_start(&kit));
  struct sluice_list list = {.prefix = "", .delimiter = "/", .max = 10};
  sqlite3 *db = ((struct local_handle *)kit.backend.handle)->lister.db;
  for (size_t round = 0; round < 2; round++) {
    for (size_t i = 0; i < (round ? 1000 : 2); i++) {
      char *key = NULL;
      CU_ASSERT(asprintf(&key, "%c/%zu", i % 2 ? 'a' : 'b', i) > 0);
      calls[i] =
          (struct call){.kit = &kit, .key = key, .data = "x", .length = 1};
      call_put(&calls[i]);
    }
    for (size_t i = 0; i < (round ? 1000 : 2); i++) {
      call_wait(&calls[i]);
      call_fini(&calls[i]);
      free((char *)calls[i].key);
    }
    sqlite3_progress_handler(db, 1, count_step, &steps[round]);
    CU_ASSERT_EQUAL(kit_list(&kit, &list, &page), SLUICE_OK);
    CU_ASSERT_STRING_EQUAL(page.data, "p a/\np b/\n");
  }
  CU_ASSERT(steps[0] > 0 && steps[1] <= steps[0]);
  buf_fini(&page);
  kit_stop(&kit);
  kit_fini(&kit);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_pages_are_those_of_the_model),
      UNIT(test_page_sizes_at_and_past_the_limit),
      UNIT(test_token_of_another_list_is_refused),
      UNIT(test_cost_of_a_fold_is_not_that_of_what_lies_below),
      {NULL, NULL}};
  return unit_main("local list", tests);
}

/* SPDX-License-Identifier: MIT
 *
 * The cache that a loop of the backend `local` has: an entry that was kept is
 * found, and one that changed since, or while it was read, never is.
 */
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "localkit.h"
#include "unit.h"

struct shelf {
  struct cache_epochs epochs;
  struct cache *cache;
};

static struct shelf *shelf_new(size_t max) {
  struct shelf *shelf = malloc(sizeof *shelf);
  CU_ASSERT_PTR_NOT_NULL_FATAL(shelf);
  cache_epochs_init(&shelf->epochs);
  shelf->cache = cache_new(&shelf->epochs, max);
  CU_ASSERT_PTR_NOT_NULL_FATAL(shelf->cache);
  return shelf;
}

static void shelf_free(struct shelf *shelf) {
  cache_free(shelf->cache);
  free(shelf);
}

/* True when it was kept. */
static bool keep(struct shelf *shelf, const char *key,
                 const struct cache_ticket *ticket, size_t len, bool whole) {
  struct row row;
  struct buf bytes;
  row_init(&row);
  row.length = len;
  buf_init(&bytes, 1u << 20);
  for (size_t i = 0; i < len; i++)
    buf_addc(&bytes, 'x');
  struct cache_entry *entry =
      cache_keep(shelf->cache, key, ticket, &row, &bytes, whole);
  if (entry != NULL)
    cache_leave(entry);
  CU_ASSERT((bytes.len == 0) == (entry != NULL || len == 0));
  row_fini(&row);
  buf_fini(&bytes);
  return entry != NULL;
}

static bool keep_now(struct shelf *shelf, const char *key, size_t len) {
  struct cache_ticket ticket = cache_ticket(shelf->cache, key);
  return keep(shelf, key, &ticket, len, true);
}

static bool finds(struct shelf *shelf, const char *key, bool bytes) {
  struct cache_ticket ticket = cache_ticket(shelf->cache, key);
  struct cache_entry *entry = cache_find(shelf->cache, key, &ticket, bytes);
  if (entry != NULL)
    cache_leave(entry);
  return entry != NULL;
}

static void test_what_was_kept_is_found(void) {
  struct shelf *shelf = shelf_new(1u << 20);
  CU_ASSERT_FALSE(finds(shelf, "a", true));
  CU_ASSERT_TRUE(keep_now(shelf, "a", 5));
  CU_ASSERT_TRUE(finds(shelf, "a", true));
  CU_ASSERT_TRUE(finds(shelf, "a", false));
  CU_ASSERT_FALSE(finds(shelf, "A", false));
  CU_ASSERT_FALSE(finds(shelf, "", false));
  shelf_free(shelf);
}

static void test_a_row_alone_does_for_a_head_only(void) {
  struct shelf *shelf = shelf_new(1u << 20);
  struct cache_ticket ticket = cache_ticket(shelf->cache, "a");
  CU_ASSERT_TRUE(keep(shelf, "a", &ticket, 0, false));
  CU_ASSERT_TRUE(finds(shelf, "a", false));
  CU_ASSERT_FALSE(finds(shelf, "a", true));
  shelf_free(shelf);
}

static void test_a_change_outdates_what_was_read_before(void) {
  struct shelf *shelf = shelf_new(1u << 20);
  struct cache_ticket before = cache_ticket(shelf->cache, "a");
  CU_ASSERT_TRUE(keep_now(shelf, "a", 5));
  cache_change_begin(&shelf->epochs, "a");
  cache_change_end(&shelf->epochs, "a");
  CU_ASSERT_FALSE(finds(shelf, "a", true));
  CU_ASSERT_TRUE(keep(shelf, "a", &before, 5, true)); /* a late reader */
  CU_ASSERT_FALSE(finds(shelf, "a", true));
  CU_ASSERT_TRUE(keep_now(shelf, "a", 5));
  CU_ASSERT_TRUE(finds(shelf, "a", true));
  shelf_free(shelf);
}

static void test_while_a_change_is_under_way_nothing_is_used(void) {
  struct shelf *shelf = shelf_new(1u << 20);
  CU_ASSERT_TRUE(keep_now(shelf, "a", 5));
  cache_change_begin(&shelf->epochs, "a");
  cache_change_begin(&shelf->epochs, "a");
  CU_ASSERT_FALSE(finds(shelf, "a", true));
  CU_ASSERT_FALSE(keep_now(shelf, "a", 5));
  cache_change_end(&shelf->epochs, "a");
  CU_ASSERT_FALSE(keep_now(shelf, "a", 5));
  cache_change_end(&shelf->epochs, "a");
  CU_ASSERT_TRUE(keep_now(shelf, "a", 5));
  CU_ASSERT_TRUE(finds(shelf, "a", true));
  shelf_free(shelf);
}

static void test_epochs_do_not_come_round(void) {
  struct shelf *shelf = shelf_new(1u << 20);
  CU_ASSERT_TRUE(keep_now(shelf, "a", 5));
  for (unsigned i = 0; i < 1u << 16; i++) {
    cache_change_begin(&shelf->epochs, "a");
    cache_change_end(&shelf->epochs, "a");
  }
  CU_ASSERT_FALSE(finds(shelf, "a", true));
  shelf_free(shelf);
}

static void test_the_least_recently_used_goes_first(void) {
  struct shelf *shelf = shelf_new(64u << 10);
  char key[16];
  CU_ASSERT_TRUE(keep_now(shelf, "first", 1000));
  CU_ASSERT_TRUE(keep_now(shelf, "second", 1000));
  for (unsigned i = 0; i < 200; i++) {
    snprintf(key, sizeof key, "k%u", i);
    CU_ASSERT_TRUE(keep_now(shelf, key, 1000));
    CU_ASSERT_TRUE(finds(shelf, "first", true));
    CU_ASSERT(shelf->cache->used <= shelf->cache->max);
  }
  CU_ASSERT_FALSE(finds(shelf, "second", true));
  CU_ASSERT_TRUE(finds(shelf, "k199", true));
  shelf_free(shelf);
}

static void test_one_object_fills_a_sixteenth_at_most(void) {
  struct shelf *shelf = shelf_new(64u << 10);
  CU_ASSERT_TRUE(keep_now(shelf, "fits", 1500));
  CU_ASSERT_FALSE(keep_now(shelf, "doesn't", 4096));
  shelf_free(shelf);
  shelf = shelf_new(0);
  CU_ASSERT_FALSE(keep_now(shelf, "a", 0));
  shelf_free(shelf);
}

static void test_keys_of_one_slot_are_few(void) {
  struct shelf *shelf = shelf_new(64u << 20);
  char key[16];
  for (unsigned i = 0; i < 50000; i++) {
    snprintf(key, sizeof key, "k%u", i);
    keep_now(shelf, key, 0);
  }
  for (size_t i = 0; i < CACHE_SLOTS; i++) {
    unsigned count = 0;
    for (struct cache_entry *e = shelf->cache->slots[i]; e; e = e->next)
      count++;
    CU_ASSERT(count <= CACHE_CHAIN_MAX);
  }
  shelf_free(shelf);
}

static void test_an_entry_in_use_outlives_its_place(void) {
  struct shelf *shelf = shelf_new(1u << 20);
  CU_ASSERT_TRUE(keep_now(shelf, "a", 5));
  struct cache_ticket ticket = cache_ticket(shelf->cache, "a");
  struct cache_entry *entry = cache_find(shelf->cache, "a", &ticket, true);
  cache_change_begin(&shelf->epochs, "a");
  cache_change_end(&shelf->epochs, "a");
  CU_ASSERT_FALSE(finds(shelf, "a", true));
  CU_ASSERT_STRING_EQUAL(entry->bytes.data, "xxxxx");
  CU_ASSERT_EQUAL(shelf->cache->used, 0);
  cache_leave(entry);
  shelf_free(shelf);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_what_was_kept_is_found),
      UNIT(test_a_row_alone_does_for_a_head_only),
      UNIT(test_a_change_outdates_what_was_read_before),
      UNIT(test_while_a_change_is_under_way_nothing_is_used),
      UNIT(test_epochs_do_not_come_round),
      UNIT(test_the_least_recently_used_goes_first),
      UNIT(test_one_object_fills_a_sixteenth_at_most),
      UNIT(test_keys_of_one_slot_are_few),
      UNIT(test_an_entry_in_use_outlives_its_place),
      {NULL, NULL}};
  return unit_main("local cache", tests);
}

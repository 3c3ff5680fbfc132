/* SPDX-License-Identifier: MIT
 *
 * Lists, page by page.
 */
#include "pages.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 2000

/* Whoever sorts by anything else than bytes is found here.  Entries and
 * prefixes each have their order; both come after the page before. */
static void check_order(struct op_driver *driver, bool folded,
                        const char *before) {
  for (size_t i = 0; i < driver->entry_count; i++) {
    const char *key = driver->entries[i].key;
    if (driver->entries[i].folded != folded)
      continue;
    fixture_need(driver->fixture, before == NULL || strcmp(before, key) < 0,
                 "%s: not in byte order: '%s' came before '%s'", driver->what,
                 before, key);
    before = key;
  }
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const struct op_driver_entry *)a)->key,
                ((const struct op_driver_entry *)b)->key);
}

static void check_page(struct op_driver *driver,
                       const struct sluice_list *list) {
  struct fixture *fixture = driver->fixture;
  op_driver_expect(driver, SLUICE_OK);
  fixture_need(fixture, driver->entry_count <= list->max,
               "%s: %zu entries came, and max was %u", driver->what,
               driver->entry_count, list->max);
  fixture_need(fixture, driver->token == NULL || driver->entry_count > 0,
               "%s: truncated, and the page is empty", driver->what);
  for (size_t i = 0; i < driver->entry_count; i++)
    fixture_need(fixture,
                 strncmp(driver->entries[i].key, list->prefix,
                         strlen(list->prefix)) == 0,
                 "%s: '%s' doesn't begin with that prefix", driver->what,
                 driver->entries[i].key);
}

/* Moves the entries of a page behind the others. */
static void pages_take(struct pages *pages, struct op_driver *driver) {
  size_t count = pages->count + driver->entry_count;
  struct op_driver_entry *all =
      realloc(pages->entries, (count + 1) * sizeof *all);
  if (all == NULL)
    abort();
  memcpy(all + pages->count, driver->entries,
         driver->entry_count * sizeof *all);
  pages->entries = all;
  pages->count = count;
  driver->entry_count = 0;
}

void pages_read_from(struct fixture *fixture, struct pages *pages,
                     const char *prefix, const char *delimiter, uint32_t size,
                     const char *token) {
  char *next = token == NULL ? NULL : strdup(token);
  *pages = (struct pages){0};
  do {
    struct op_driver driver;
    struct sluice_list list = {
        .prefix = prefix, .delimiter = delimiter, .token = next, .max = size};
    op_driver_init(&driver, fixture);
    op_driver_list(&driver, &list);
    op_driver_wait(&driver);
    check_page(&driver, &list);
    const char *before =
        pages->count == 0 ? NULL : pages->entries[pages->count - 1].key;
    check_order(&driver, false, before);
    check_order(&driver, true, before);
    if (driver.entry_count > 0)
      qsort(driver.entries, driver.entry_count, sizeof *driver.entries,
            by_key);
    pages_take(pages, &driver);
    free(next);
    next = driver.token == NULL ? NULL : strdup(driver.token);
    fixture_need(fixture, ++pages->pages < PAGES_MAX,
                 "%s: still truncated after %d pages", driver.what, PAGES_MAX);
    op_driver_fini(&driver);
  } while (next != NULL);
}

void pages_read(struct fixture *fixture, struct pages *pages,
                const char *prefix, const char *delimiter, uint32_t size) {
  pages_read_from(fixture, pages, prefix, delimiter, size, NULL);
}

void pages_free(struct pages *pages) {
  for (size_t i = 0; i < pages->count; i++) {
    free(pages->entries[i].key);
    free(pages->entries[i].etag);
  }
  free(pages->entries);
}

void pages_expect(struct fixture *fixture, const struct pages *pages,
                  const char *const *names) {
  size_t i = 0;
  for (; i < pages->count && names[i] != NULL; i++) {
    struct fixture_key want = fixture_key(fixture, names[i]);
    fixture_need(fixture, strcmp(pages->entries[i].key, want.text) == 0,
                 "list: '%s' came where '%s' belongs", pages->entries[i].key,
                 want.text);
  }
  fixture_need(fixture, i == pages->count,
               "list: '%s' came, and doesn't belong there",
               pages->entries[i].key);
  fixture_need(fixture, names[i] == NULL, "list: '%s' is missing", names[i]);
}

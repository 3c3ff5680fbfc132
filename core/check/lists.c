/* SPDX-License-Identifier: MIT
 *
 * Checks of list: order, prefixes, folding, pages, tokens.
 */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "pages.h"

/* In byte order.  UTF-16 and words of people sort some of them otherwise. */
static const char *const names[] = {
    "A",     "Z",   "a",   "a b",   "a!",  "a--b--c", "a--d",         "a-b",
    "a.b",   "a/",  "a/b", "a/b/c", "a/c", "a0",      "ab",           "b/1/x",
    "b/1/y", "b/2", "b0",  "é/1",   "é/2", "日本",    "\xef\xac\x80", "😀",
    NULL};
#define COUNT (sizeof names / sizeof *names - 1)

static void lists_fill(struct fixture *fixture) {
  for (size_t i = 0; i < COUNT; i++) /* not in that order */
    objects_put(fixture, fixture_key(fixture, names[(i * 7) % COUNT]).text,
                (struct sample){1, i + 1});
}

static void lists_expect(struct fixture *fixture, const char *prefix,
                         const char *delimiter, uint32_t size,
                         const char *const *wanted) {
  struct pages pages;
  pages_read(fixture, &pages, fixture_key(fixture, prefix).text, delimiter,
             size);
  pages_expect(fixture, &pages, wanted);
  pages_free(&pages);
}

static void order(struct fixture *fixture) {
  lists_fill(fixture);
  lists_expect(fixture, "", NULL, 1000, names);
}

static void prefixes(struct fixture *fixture) {
  static const char *const a_slash[] = {"a/", "a/b", "a/b/c", "a/c", NULL};
  static const char *const ab[] = {"ab", NULL};
  static const char *const e[] = {"é/1", "é/2", NULL};
  static const char *const none[] = {NULL};
  static const char *const b[] = {"b/1/x", "b/1/y", "b/2", "b0", NULL};
  lists_fill(fixture);
  lists_expect(fixture, "a/", NULL, 1000, a_slash);
  lists_expect(fixture, "ab", NULL, 1000, ab);
  lists_expect(fixture, "é", NULL, 1000, e);
  lists_expect(fixture, "b", NULL, 1000, b);
  lists_expect(fixture, "abc", NULL, 1000, none);
  lists_expect(fixture, "a%", NULL, 1000, none);
  lists_expect(fixture, "a_", NULL, 1000, none);
  lists_expect(fixture, "b*", NULL, 1000, none);
}

static const char *const folded[] = {
    "A",  "Z",  "a",  "a b", "a!", "a--b--c", "a--d", "a-b",          "a.b",
    "a/", "a0", "ab", "b/",  "b0", "é/",      "日本", "\xef\xac\x80", "😀",
    NULL};

static void folding(struct fixture *fixture) {
  static const char *const a[] = {"a/", "a/b", "a/b/", "a/c", NULL};
  static const char *const b[] = {"b/", "b0", NULL};
  lists_fill(fixture);
  lists_expect(fixture, "", "/", 1000, folded);
  lists_expect(fixture, "a/", "/", 1000, a);
  lists_expect(fixture, "b", "/", 1000, b);
}

static bool is_folded(const char *name, const char *delimiter) {
  return strstr(name, delimiter) != NULL;
}

/* Folded names are said with sluice_prefix(), others with sluice_entry(). */
static void kinds(struct fixture *fixture) {
  struct pages pages;
  lists_fill(fixture);
  pages_read(fixture, &pages, fixture_key(fixture, "").text, "/", 1000);
  fixture_need(fixture, pages.count == COUNT - 6,
               "list: %zu names came instead of %zu", pages.count, COUNT - 6);
  for (size_t i = 0; i < pages.count; i++)
    fixture_need(fixture, pages.entries[i].folded == is_folded(folded[i], "/"),
                 "list: '%s' was told as %s", pages.entries[i].key,
                 pages.entries[i].folded ? "a prefix" : "an entry");
  pages_free(&pages);
}

static void long_delimiter(struct fixture *fixture) {
  static const char *const inner[] = {"a--b--", "a--d", NULL};
  lists_fill(fixture);
  lists_expect(fixture, "a-", "--", 1000,
               (const char *const[]){"a--b--", "a--d", "a-b", NULL});
  lists_expect(fixture, "a--", "--", 1000, inner);
  lists_expect(fixture, "a--", "-", 1000,
               (const char *const[]){"a--b-", "a--d", NULL});
}

/* ---- pages -------------------------------------------------------------- */

static void page_sizes(struct fixture *fixture) {
  lists_fill(fixture);
  for (uint32_t size = 1; size <= COUNT + 1; size++)
    lists_expect(fixture, "", NULL, size, names);
}

static void folded_page_sizes(struct fixture *fixture) {
  lists_fill(fixture);
  for (uint32_t size = 1; size <= COUNT - 5; size++)
    lists_expect(fixture, "", "/", size, folded);
}

static void read_page(struct fixture *fixture, struct op_driver *driver,
                      const char *prefix, const char *delimiter,
                      uint32_t max) {
  struct fixture_key key = fixture_key(fixture, prefix);
  op_driver_init(driver, fixture);
  op_driver_list(driver, &(struct sluice_list){.prefix = key.text,
                                               .delimiter = delimiter,
                                               .max = max});
  op_driver_wait(driver);
  op_driver_expect(driver, SLUICE_OK);
}

static void truncated(struct fixture *fixture) {
  lists_fill(fixture);
  for (int fold = 0; fold < 2; fold++) {
    const char *delimiter = fold ? "/" : NULL;
    uint32_t count = fold ? COUNT - 6 : COUNT;
    for (uint32_t max = 1; max < count + 3; max++) {
      struct op_driver driver;
      read_page(fixture, &driver, "", delimiter, max);
      size_t want = max < count ? max : count;
      fixture_need(fixture, driver.entry_count == want,
                   "%s: a page of %u has %zu of %u entries", driver.what, max,
                   driver.entry_count, count);
      fixture_need(fixture, (driver.token != NULL) == (max < count),
                   "%s: a page of %u of %u entries is %s", driver.what, max,
                   count,
                   driver.token == NULL ? "not truncated" : "truncated");
      op_driver_fini(&driver);
    }
  }
}

static void tokens(struct fixture *fixture) {
  static const uint32_t sizes[] = {1, 2, 5, 1000};
  lists_fill(fixture);
  for (uint32_t first = 1; first < COUNT; first += 3)
    for (size_t i = 0; i < 4; i++) {
      struct op_driver driver;
      struct pages rest;
      read_page(fixture, &driver, "", NULL, first);
      fixture_need(fixture, driver.token != NULL,
                   "%s: a page of %u isn't truncated", driver.what, first);
      pages_read_from(fixture, &rest, fixture_key(fixture, "").text, NULL,
                      sizes[i], driver.token);
      pages_expect(fixture, &rest, names + first);
      pages_free(&rest);
      op_driver_fini(&driver);
    }
}

/* The object of a token may be removed, and another may come before it. */
static void tokens_and_changes(struct fixture *fixture) {
  struct op_driver driver;
  struct pages rest;
  lists_fill(fixture);
  read_page(fixture, &driver, "", NULL, 4);
  fixture_need(fixture, driver.token != NULL,
               "%s: a page of 4 isn't truncated", driver.what);
  objects_remove(fixture, driver.entries[3].key);
  objects_put(fixture, fixture_key(fixture, "0").text, (struct sample){1, 1});
  pages_read_from(fixture, &rest, fixture_key(fixture, "").text, NULL, 1000,
                  driver.token);
  pages_expect(fixture, &rest, names + 4);
  pages_free(&rest);
  op_driver_fini(&driver);
}

static void forged(struct fixture *fixture) {
  static const char *const texts[] = {
      "", "x", "/", "\x01", "%00", "~", "😀", "AAAAAAAAAAAAAAAAAAAAAAA="};
  struct fixture_key prefix = fixture_key(fixture, "");
  lists_fill(fixture);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct op_driver driver;
    op_driver_init(&driver, fixture);
    op_driver_list(&driver, &(struct sluice_list){.prefix = prefix.text,
                                                  .token = texts[i],
                                                  .max = 10});
    op_driver_wait(
        &driver); /* however it ends, it does, and tells nothing else */
    for (size_t k = 0; driver.status == SLUICE_OK && k < driver.entry_count;
         k++)
      fixture_need(fixture,
                   strncmp(driver.entries[k].key, prefix.text,
                           strlen(prefix.text)) == 0,
                   "%s: with a forged token '%s' came, of another prefix",
                   driver.what, driver.entries[k].key);
    op_driver_fini(&driver);
  }
}

/* ---- entries ------------------------------------------------------------ */

static void lists_entries(struct fixture *fixture) {
  struct pages pages;
  lists_fill(fixture);
  pages_read(fixture, &pages, fixture_key(fixture, "a").text, NULL, 1000);
  for (size_t i = 0; i < pages.count; i++) {
    const struct op_driver_entry *entry = &pages.entries[i];
    struct op_driver driver;
    objects_head(fixture, entry->key, &driver);
    fixture_need(fixture, entry->length == driver.meta.length,
                 "list: of '%s' it tells %llu bytes, and head %llu",
                 entry->key, (unsigned long long)entry->length,
                 (unsigned long long)driver.meta.length);
    const char *etag = driver.meta.etag == NULL ? "" : driver.meta.etag;
    fixture_need(fixture,
                 strcmp(entry->etag == NULL ? "" : entry->etag, etag) == 0,
                 "list: of '%s' it tells the etag '%s', and head '%s'",
                 entry->key, entry->etag == NULL ? "" : entry->etag, etag);
    /* Some storages tell seconds here and milliseconds there. */
    fixture_need(fixture, llabs(entry->mtime_ms - driver.meta.mtime_ms) < 1000,
                 "list: of '%s' it tells another time than head", entry->key);
    op_driver_fini(&driver);
  }
  pages_free(&pages);
}

static void whole(struct fixture *fixture) {
  struct op_driver driver;
  objects_put(fixture, fixture_key(fixture, "one").text,
              (struct sample){1, 1});
  op_driver_init(&driver, fixture);
  op_driver_list(&driver, &(struct sluice_list){.prefix = "", .max = 1000});
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_OK);
  fixture_need(fixture, driver.entry_count > 0, "%s: nothing came",
               driver.what);
  op_driver_fini(&driver);
}

#define ORDER "the keys in byte order and so are the prefixes, in any mixture"
#define TOKEN "token: NULL: from the start; else as sluice_truncated gave it"

const struct check list_checks[] = {
    {"list: entries in byte order", ORDER, order, CHECK_USUAL},
    {"list: an empty prefix is all", "prefix: \"\": all", whole, CHECK_USUAL},
    {"list: names with the prefix, and nothing else", "prefix", prefixes,
     CHECK_USUAL},
    {"list: a delimiter folds", ORDER, folding, CHECK_USUAL},
    {"list: a folded name is told as a prefix", ORDER, kinds, CHECK_USUAL},
    {"list: a delimiter of two characters", ORDER, long_delimiter,
     CHECK_USUAL},
    {"list: every page size gives the same",
     "max: entries and folded prefixes together, 1..1000", page_sizes,
     CHECK_USUAL},
    {"list: every page size gives the same, folded",
     "max: entries and folded prefixes together, 1..1000", folded_page_sizes,
     CHECK_USUAL},
    {"list: truncated when there is more, and only then",
     "sluice_truncated: There is more; `token` finds the rest later.",
     truncated, CHECK_USUAL},
    {"list: a token is good for another page size", TOKEN, tokens,
     CHECK_USUAL},
    {"list: a token outlives its object", TOKEN, tokens_and_changes,
     CHECK_USUAL},
    {"list: a forged token does no harm",
     "a client could forge one, so look at it as at any input", forged,
     CHECK_USUAL},
    {"list: entries tell what head tells", "The facts about an object.",
     lists_entries, CHECK_USUAL},
    {0}};

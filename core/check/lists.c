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

static void fill(struct lab *lab) {
  for (size_t i = 0; i < COUNT; i++) /* not in that order */
    objects_put(lab, lab_key(lab, names[(i * 7) % COUNT]).text,
                (struct sample){1, i + 1});
}

static void expect(struct lab *lab, const char *prefix, const char *delimiter,
                   uint32_t size, const char *const *wanted) {
  struct pages pages;
  pages_read(lab, &pages, lab_key(lab, prefix).text, delimiter, size);
  pages_expect(lab, &pages, wanted);
  pages_free(&pages);
}

static void order(struct lab *lab) {
  fill(lab);
  expect(lab, "", NULL, 1000, names);
}

static void prefixes(struct lab *lab) {
  static const char *const a_slash[] = {"a/", "a/b", "a/b/c", "a/c", NULL};
  static const char *const ab[] = {"ab", NULL};
  static const char *const e[] = {"é/1", "é/2", NULL};
  static const char *const none[] = {NULL};
  static const char *const b[] = {"b/1/x", "b/1/y", "b/2", "b0", NULL};
  fill(lab);
  expect(lab, "a/", NULL, 1000, a_slash);
  expect(lab, "ab", NULL, 1000, ab);
  expect(lab, "é", NULL, 1000, e);
  expect(lab, "b", NULL, 1000, b);
  expect(lab, "abc", NULL, 1000, none);
  expect(lab, "a%", NULL, 1000, none);
  expect(lab, "a_", NULL, 1000, none);
  expect(lab, "b*", NULL, 1000, none);
}

static const char *const folded[] = {
    "A",  "Z",  "a",  "a b", "a!", "a--b--c", "a--d", "a-b",          "a.b",
    "a/", "a0", "ab", "b/",  "b0", "é/",      "日本", "\xef\xac\x80", "😀",
    NULL};

static void folding(struct lab *lab) {
  static const char *const a[] = {"a/", "a/b", "a/b/", "a/c", NULL};
  static const char *const b[] = {"b/", "b0", NULL};
  fill(lab);
  expect(lab, "", "/", 1000, folded);
  expect(lab, "a/", "/", 1000, a);
  expect(lab, "b", "/", 1000, b);
}

static bool is_folded(const char *name, const char *delimiter) {
  return strstr(name, delimiter) != NULL;
}

/* What is folded is said with sluice_prefix(), the rest with sluice_entry().
 */
static void kinds(struct lab *lab) {
  struct pages pages;
  fill(lab);
  pages_read(lab, &pages, lab_key(lab, "").text, "/", 1000);
  lab_need(lab, pages.count == COUNT - 6,
           "list: %zu names came instead of %zu", pages.count, COUNT - 6);
  for (size_t i = 0; i < pages.count; i++)
    lab_need(lab, pages.entries[i].folded == is_folded(folded[i], "/"),
             "list: '%s' was told as %s", pages.entries[i].key,
             pages.entries[i].folded ? "a prefix" : "an entry");
  pages_free(&pages);
}

static void long_delimiter(struct lab *lab) {
  static const char *const inner[] = {"a--b--", "a--d", NULL};
  fill(lab);
  expect(lab, "a-", "--", 1000,
         (const char *const[]){"a--b--", "a--d", "a-b", NULL});
  expect(lab, "a--", "--", 1000, inner);
  expect(lab, "a--", "-", 1000, (const char *const[]){"a--b-", "a--d", NULL});
}

/* ---- pages -------------------------------------------------------------- */

static void page_sizes(struct lab *lab) {
  fill(lab);
  for (uint32_t size = 1; size <= COUNT + 1; size++)
    expect(lab, "", NULL, size, names);
}

static void folded_page_sizes(struct lab *lab) {
  fill(lab);
  for (uint32_t size = 1; size <= COUNT - 5; size++)
    expect(lab, "", "/", size, folded);
}

static void read_page(struct lab *lab, struct act *act, const char *prefix,
                      const char *delimiter, uint32_t max) {
  struct lab_key key = lab_key(lab, prefix);
  act_init(act, lab);
  act_list(act, &(struct sluice_list){
                    .prefix = key.text, .delimiter = delimiter, .max = max});
  act_wait(act);
  act_expect(act, SLUICE_OK);
}

static void truncated(struct lab *lab) {
  fill(lab);
  for (int fold = 0; fold < 2; fold++) {
    const char *delimiter = fold ? "/" : NULL;
    uint32_t count = fold ? COUNT - 6 : COUNT;
    for (uint32_t max = 1; max < count + 3; max++) {
      struct act act;
      read_page(lab, &act, "", delimiter, max);
      size_t want = max < count ? max : count;
      lab_need(lab, act.entry_count == want,
               "%s: a page of %u has %zu of %u entries", act.what, max,
               act.entry_count, count);
      lab_need(lab, (act.token != NULL) == (max < count),
               "%s: a page of %u of %u entries is %s", act.what, max, count,
               act.token == NULL ? "not truncated" : "truncated");
      act_fini(&act);
    }
  }
}

static void tokens(struct lab *lab) {
  static const uint32_t sizes[] = {1, 2, 5, 1000};
  fill(lab);
  for (uint32_t first = 1; first < COUNT; first += 3)
    for (size_t i = 0; i < 4; i++) {
      struct act act;
      struct pages rest;
      read_page(lab, &act, "", NULL, first);
      lab_need(lab, act.token != NULL, "%s: a page of %u isn't truncated",
               act.what, first);
      pages_read_from(lab, &rest, lab_key(lab, "").text, NULL, sizes[i],
                      act.token);
      pages_expect(lab, &rest, names + first);
      pages_free(&rest);
      act_fini(&act);
    }
}

/* What a token points at may be removed, and something may come before. */
static void tokens_and_changes(struct lab *lab) {
  struct act act;
  struct pages rest;
  fill(lab);
  read_page(lab, &act, "", NULL, 4);
  lab_need(lab, act.token != NULL, "%s: a page of 4 isn't truncated",
           act.what);
  objects_remove(lab, act.entries[3].key);
  objects_put(lab, lab_key(lab, "0").text, (struct sample){1, 1});
  pages_read_from(lab, &rest, lab_key(lab, "").text, NULL, 1000, act.token);
  pages_expect(lab, &rest, names + 4);
  pages_free(&rest);
  act_fini(&act);
}

static void forged(struct lab *lab) {
  static const char *const texts[] = {
      "", "x", "/", "\x01", "%00", "~", "😀", "AAAAAAAAAAAAAAAAAAAAAAA="};
  struct lab_key prefix = lab_key(lab, "");
  fill(lab);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct act act;
    act_init(&act, lab);
    act_list(&act, &(struct sluice_list){
                       .prefix = prefix.text, .token = texts[i], .max = 10});
    act_wait(&act); /* however it ends, it does, and tells nothing else */
    for (size_t k = 0; act.status == SLUICE_OK && k < act.entry_count; k++)
      lab_need(lab,
               strncmp(act.entries[k].key, prefix.text, strlen(prefix.text)) ==
                   0,
               "%s: with a forged token '%s' came, of another prefix",
               act.what, act.entries[k].key);
    act_fini(&act);
  }
}

/* ---- entries ------------------------------------------------------------ */

static void entries(struct lab *lab) {
  struct pages pages;
  fill(lab);
  pages_read(lab, &pages, lab_key(lab, "a").text, NULL, 1000);
  for (size_t i = 0; i < pages.count; i++) {
    const struct act_entry *entry = &pages.entries[i];
    struct act act;
    objects_head(lab, entry->key, &act);
    lab_need(lab, entry->length == act.meta.length,
             "list: of '%s' it tells %llu bytes, and head %llu", entry->key,
             (unsigned long long)entry->length,
             (unsigned long long)act.meta.length);
    const char *etag = act.meta.etag == NULL ? "" : act.meta.etag;
    lab_need(lab, strcmp(entry->etag == NULL ? "" : entry->etag, etag) == 0,
             "list: of '%s' it tells the etag '%s', and head '%s'", entry->key,
             entry->etag == NULL ? "" : entry->etag, etag);
    /* Some storages tell seconds here and milliseconds there. */
    lab_need(lab, llabs(entry->mtime_ms - act.meta.mtime_ms) < 1000,
             "list: of '%s' it tells another time than head", entry->key);
    act_fini(&act);
  }
  pages_free(&pages);
}

static void whole(struct lab *lab) {
  struct act act;
  objects_put(lab, lab_key(lab, "one").text, (struct sample){1, 1});
  act_init(&act, lab);
  act_list(&act, &(struct sluice_list){.prefix = "", .max = 1000});
  act_wait(&act);
  act_expect(&act, SLUICE_OK);
  lab_need(lab, act.entry_count > 0, "%s: nothing came", act.what);
  act_fini(&act);
}

#define ORDER "the keys in byte order and so are the prefixes, in any mixture"
#define TOKEN "token: NULL: from the start; else as sluice_truncated gave it"

const struct check list_checks[] = {
    {"list: entries in byte order", ORDER, order, false},
    {"list: an empty prefix is all", "prefix: \"\": all", whole, false},
    {"list: what begins with the prefix, and nothing else", "prefix", prefixes,
     false},
    {"list: a delimiter folds", ORDER, folding, false},
    {"list: what is folded is told as a prefix", ORDER, kinds, false},
    {"list: a delimiter of two characters", ORDER, long_delimiter, false},
    {"list: every page size gives the same",
     "max: entries and folded prefixes together, 1..1000", page_sizes, false},
    {"list: every page size gives the same, folded",
     "max: entries and folded prefixes together, 1..1000", folded_page_sizes,
     false},
    {"list: truncated when there is more, and only then",
     "sluice_truncated: There is more; `token` finds the rest later.",
     truncated, false},
    {"list: a token is good for another page size", TOKEN, tokens, false},
    {"list: a token outlives its object", TOKEN, tokens_and_changes, false},
    {"list: a forged token does no harm",
     "a client could forge one, so look at it as at any input", forged, false},
    {"list: entries tell what head tells", "What is known of an object.",
     entries, false},
    {NULL, NULL, NULL, false}};

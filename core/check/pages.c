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
static void check_order(struct act *act, bool folded, const char *before) {
  for (size_t i = 0; i < act->entry_count; i++) {
    const char *key = act->entries[i].key;
    if (act->entries[i].folded != folded)
      continue;
    lab_need(act->lab, before == NULL || strcmp(before, key) < 0,
             "%s: not in byte order: '%s' came before '%s'", act->what, before,
             key);
    before = key;
  }
}

static int by_key(const void *a, const void *b) {
  return strcmp(((const struct act_entry *)a)->key,
                ((const struct act_entry *)b)->key);
}

static void check_page(struct act *act, const struct sluice_list *list) {
  struct lab *lab = act->lab;
  act_expect(act, SLUICE_OK);
  lab_need(lab, act->entry_count <= list->max,
           "%s: %zu entries came, and max was %u", act->what, act->entry_count,
           list->max);
  lab_need(lab, act->token == NULL || act->entry_count > 0,
           "%s: truncated, and the page is empty", act->what);
  for (size_t i = 0; i < act->entry_count; i++)
    lab_need(
        lab,
        strncmp(act->entries[i].key, list->prefix, strlen(list->prefix)) == 0,
        "%s: '%s' doesn't begin with that prefix", act->what,
        act->entries[i].key);
}

/* Moves the entries of a page behind the others. */
static void take(struct pages *pages, struct act *act) {
  size_t count = pages->count + act->entry_count;
  struct act_entry *all = realloc(pages->entries, (count + 1) * sizeof *all);
  if (all == NULL)
    abort();
  memcpy(all + pages->count, act->entries, act->entry_count * sizeof *all);
  pages->entries = all;
  pages->count = count;
  act->entry_count = 0;
}

void pages_read_from(struct lab *lab, struct pages *pages, const char *prefix,
                     const char *delimiter, uint32_t size, const char *token) {
  char *next = token == NULL ? NULL : strdup(token);
  *pages = (struct pages){0};
  do {
    struct act act;
    struct sluice_list list = {
        .prefix = prefix, .delimiter = delimiter, .token = next, .max = size};
    act_init(&act, lab);
    act_list(&act, &list);
    act_wait(&act);
    check_page(&act, &list);
    const char *before =
        pages->count == 0 ? NULL : pages->entries[pages->count - 1].key;
    check_order(&act, false, before);
    check_order(&act, true, before);
    if (act.entry_count > 0)
      qsort(act.entries, act.entry_count, sizeof *act.entries, by_key);
    take(pages, &act);
    free(next);
    next = act.token == NULL ? NULL : strdup(act.token);
    lab_need(lab, ++pages->pages < PAGES_MAX,
             "%s: still truncated after %d pages", act.what, PAGES_MAX);
    act_fini(&act);
  } while (next != NULL);
}

void pages_read(struct lab *lab, struct pages *pages, const char *prefix,
                const char *delimiter, uint32_t size) {
  pages_read_from(lab, pages, prefix, delimiter, size, NULL);
}

void pages_free(struct pages *pages) {
  for (size_t i = 0; i < pages->count; i++) {
    free(pages->entries[i].key);
    free(pages->entries[i].etag);
  }
  free(pages->entries);
}

void pages_expect(struct lab *lab, const struct pages *pages,
                  const char *const *names) {
  size_t i = 0;
  for (; i < pages->count && names[i] != NULL; i++) {
    struct lab_key want = lab_key(lab, names[i]);
    lab_need(lab, strcmp(pages->entries[i].key, want.text) == 0,
             "list: '%s' came where '%s' belongs", pages->entries[i].key,
             want.text);
  }
  lab_need(lab, i == pages->count, "list: '%s' came, and doesn't belong there",
           pages->entries[i].key);
  lab_need(lab, names[i] == NULL, "list: '%s' is missing", names[i]);
}

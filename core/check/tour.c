/* SPDX-License-Identifier: MIT
 *
 * The tour: stored, found, read in part, listed, refused, linked, removed.
 */
#include "tour.h"

#include <stdio.h>

#include "links.h"
#include "objects.h"
#include "pages.h"

static struct lab_key name(const struct lab *lab, const char *tag,
                           const char *part) {
  char text[128];
  snprintf(text, sizeof text, "tour-%s/%s", tag, part);
  return lab_key(lab, text);
}

static void read_part(struct lab *lab, const char *key,
                      const struct sample *sample) {
  struct act act;
  act_init(&act, lab);
  act_start_get(&act, &(struct act_get){.key = key,
                                        .first = 10,
                                        .count = sample->length - 20,
                                        .wanted = sample,
                                        .wanted_count = 1});
  act_wait(&act);
  act_expect(&act, SLUICE_OK);
  act_fini(&act);
}

static void list_all(struct lab *lab, const char *prefix) {
  struct pages pages;
  pages_read(lab, &pages, prefix, "/", 2);
  lab_need(lab, pages.count == 3, "list '%s': %zu entries came instead of 3",
           prefix, pages.count);
  pages_free(&pages);
}

void tour_run(struct lab *lab, const char *tag) {
  static const struct sample samples[] = {
      {1, 0}, {2, 100}, {3, 3 * ACT_CHUNK + 17}};
  static const char *const parts[] = {"nothing", "small", "sub/large"};
  struct act act;
  act_init(&act, lab);
  act_ping(&act);
  act_wait(&act);
  act_fini(&act);
  for (size_t i = 0; i < 3; i++)
    objects_put(lab, name(lab, tag, parts[i]).text, samples[i]);
  for (size_t i = 0; i < 3; i++)
    objects_expect(lab, name(lab, tag, parts[i]).text, samples[i]);
  read_part(lab, name(lab, tag, parts[2]).text, &samples[2]);
  list_all(lab, name(lab, tag, "").text);
  links_tour(lab, name(lab, tag, parts[1]).text);
  for (size_t i = 0; i < 3; i++)
    objects_remove(lab, name(lab, tag, parts[i]).text);
  objects_expect_none(lab, name(lab, tag, parts[1]).text);
}

void tour_tidy(struct lab *lab) {
  struct pages pages;
  pages_read(lab, &pages, lab->plan->prefix, NULL, 1000);
  for (size_t i = 0; i < pages.count; i++)
    objects_remove(lab, pages.entries[i].key);
  pages_free(&pages);
}

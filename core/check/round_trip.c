/* SPDX-License-Identifier: MIT
 *
 * The round trip: stored, found, read in part, listed, refused, linked,
 * removed.
 */
#include "round_trip.h"

#include <stdio.h>

#include "links.h"
#include "objects.h"
#include "pages.h"

static struct fixture_key name(const struct fixture *fixture, const char *tag,
                               const char *part) {
  char text[128];
  snprintf(text, sizeof text, "round-trip-%s/%s", tag, part);
  return fixture_key(fixture, text);
}

static void read_part(struct fixture *fixture, const char *key,
                      const struct sample *sample) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_start_get(&driver,
                      &(struct op_driver_get){.key = key,
                                              .first = 10,
                                              .count = sample->length - 20,
                                              .wanted = sample,
                                              .wanted_count = 1});
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_OK);
  op_driver_fini(&driver);
}

static void list_all(struct fixture *fixture, const char *prefix) {
  struct pages pages;
  pages_read(fixture, &pages, prefix, "/", 2);
  fixture_need(fixture, pages.count == 3,
               "list '%s': %zu entries came instead of 3", prefix,
               pages.count);
  pages_free(&pages);
}

void round_trip_run(struct fixture *fixture, const char *tag) {
  static const struct sample samples[] = {
      {1, 0}, {2, 100}, {3, 3 * OP_DRIVER_CHUNK + 17}};
  static const char *const parts[] = {"nothing", "small", "sub/large"};
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_ping(&driver);
  op_driver_wait(&driver);
  op_driver_fini(&driver);
  for (size_t i = 0; i < 3; i++)
    objects_put(fixture, name(fixture, tag, parts[i]).text, samples[i]);
  for (size_t i = 0; i < 3; i++)
    objects_expect(fixture, name(fixture, tag, parts[i]).text, samples[i]);
  read_part(fixture, name(fixture, tag, parts[2]).text, &samples[2]);
  list_all(fixture, name(fixture, tag, "").text);
  links_round_trip(fixture, name(fixture, tag, parts[1]).text);
  for (size_t i = 0; i < 3; i++)
    objects_remove(fixture, name(fixture, tag, parts[i]).text);
  objects_expect_none(fixture, name(fixture, tag, parts[1]).text);
}

void round_trip_tidy(struct fixture *fixture) {
  struct pages pages;
  pages_read(fixture, &pages, fixture->plan->prefix, NULL, 1000);
  for (size_t i = 0; i < pages.count; i++)
    objects_remove(fixture, pages.entries[i].key);
  pages_free(&pages);
}

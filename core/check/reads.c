/* SPDX-License-Identifier: MIT
 *
 * Checks of head, get, read, more, remove and ping.
 */
#include "suite.h"

#include "objects.h"

#define LENGTH 200000

static void absent(struct fixture *fixture) {
  objects_expect_none(fixture, fixture_key(fixture, "absent").text);
  objects_put(fixture, fixture_key(fixture, "absent/below").text,
              (struct sample){1, 1});
  objects_expect_none(fixture, fixture_key(fixture, "absent").text);
  objects_expect_none(fixture, fixture_key(fixture, "absent/").text);
  objects_expect_none(fixture, fixture_key(fixture, "absent/belo").text);
}

static void reads_part(struct fixture *fixture,
                       const struct op_driver_get *get) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_start_get(&driver, get);
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_OK);
  op_driver_fini(&driver);
}

struct span {
  uint64_t first, count;
};

static const struct span spans[] = {{0, 1},
                                    {LENGTH - 1, 1},
                                    {0, LENGTH},
                                    {0, LENGTH - 1},
                                    {1, LENGTH - 1},
                                    {65535, 2},
                                    {65536, 1},
                                    {65536, 65536},
                                    {12345, 100000},
                                    {100, UINT64_MAX},
                                    {LENGTH - 5, 100},
                                    {LENGTH - 5, UINT64_MAX}};
#define SPANS (sizeof spans / sizeof *spans)

static void ranges(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "ranges");
  const struct sample sample = {1, LENGTH};
  objects_put(fixture, key.text, sample);
  for (size_t i = 0; i < SPANS; i++)
    reads_part(fixture, &(struct op_driver_get){.key = key.text,
                                                .first = spans[i].first,
                                                .count = spans[i].count,
                                                .wanted = &sample,
                                                .wanted_count = 1});
}

/* The gateway guesses before it knows the length and the conditions. */
static void other_ranges(struct fixture *fixture) {
  static const struct span hints[] = {
      {0, UINT64_MAX}, {0, 1}, {50000, 10}, {LENGTH + 5, 1}};
  struct fixture_key key = fixture_key(fixture, "hints");
  const struct sample sample = {1, LENGTH};
  objects_put(fixture, key.text, sample);
  for (size_t k = 0; k < 4; k++)
    for (size_t i = 0; i < SPANS; i++)
      reads_part(fixture, &(struct op_driver_get){.key = key.text,
                                                  .first = hints[k].first,
                                                  .count = hints[k].count,
                                                  .other = true,
                                                  .read_first = spans[i].first,
                                                  .read_count = spans[i].count,
                                                  .wanted = &sample,
                                                  .wanted_count = 1});
}

static void behind(struct fixture *fixture) {
  static const uint64_t firsts[] = {LENGTH, LENGTH + 1, UINT64_MAX / 4};
  struct fixture_key key = fixture_key(fixture, "behind");
  const struct sample sample = {1, LENGTH};
  objects_put(fixture, key.text, sample);
  for (size_t i = 0; i < 3; i++) {
    struct op_driver driver;
    op_driver_init(&driver, fixture);
    op_driver_start_get(&driver,
                        &(struct op_driver_get){.key = key.text,
                                                .other = true,
                                                .read_first = firsts[i],
                                                .read_count = 1,
                                                .wanted = &sample,
                                                .wanted_count = 1});
    op_driver_wait(&driver);
    fixture_need(fixture, driver.status != SLUICE_OK,
                 "%s: a read from byte %llu of %u ended with SLUICE_OK",
                 driver.what, (unsigned long long)firsts[i], LENGTH);
    op_driver_fini(&driver);
  }
}

static void left_after_meta(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "meta");
  objects_put(fixture, key.text, (struct sample){1, LENGTH});
  for (int i = 0; i < 10; i++) {
    struct op_driver driver;
    op_driver_init(&driver, fixture);
    op_driver_start_get(
        &driver, &(struct op_driver_get){.key = key.text, .leave = true});
    op_driver_wait(&driver);
    fixture_need(fixture, driver.described && driver.meta.length == LENGTH,
                 "%s: no meta, or not the object's length", driver.what);
    op_driver_fini(&driver);
  }
}

static void reads_heads(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "heads");
  for (uint32_t i = 0; i < 4; i++) {
    struct op_driver driver;
    objects_put(fixture, key.text, (struct sample){i, i * 1000});
    objects_head(fixture, key.text, &driver);
    fixture_need(fixture, driver.meta.length == i * 1000,
                 "%s: %llu bytes instead of %u", driver.what,
                 (unsigned long long)driver.meta.length, i * 1000);
    op_driver_fini(&driver);
  }
}

/* ---- remove, ping ------------------------------------------------------- */

static void reads_removed(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "removed");
  for (uint32_t i = 0; i < 3; i++) {
    objects_put(fixture, key.text, (struct sample){i, i * 50000});
    objects_remove(fixture, key.text);
    objects_expect_none(fixture, key.text);
  }
}

static void removed_alone(struct fixture *fixture) {
  static const char *const names[] = {"a", "a/", "a/b", "aa", "A"};
  for (uint32_t i = 0; i < 5; i++)
    objects_put(fixture, fixture_key(fixture, names[i]).text,
                (struct sample){i, 10});
  for (uint32_t i = 0; i < 5; i++) {
    objects_remove(fixture, fixture_key(fixture, names[i]).text);
    for (uint32_t k = i + 1; k < 5; k++)
      objects_expect(fixture, fixture_key(fixture, names[k]).text,
                     (struct sample){k, 10});
  }
}

static void remove_absent(struct fixture *fixture) {
  objects_remove(fixture, fixture_key(fixture, "never").text);
  objects_put(fixture, fixture_key(fixture, "never/below").text,
              (struct sample){1, 1});
  objects_remove(fixture, fixture_key(fixture, "never").text);
  objects_expect(fixture, fixture_key(fixture, "never/below").text,
                 (struct sample){1, 1});
}

static void reads_pings(struct fixture *fixture) {
  for (int i = 0; i < 3; i++) {
    struct op_driver driver;
    op_driver_init(&driver, fixture);
    op_driver_ping(&driver);
    op_driver_wait(&driver);
    op_driver_expect(&driver, SLUICE_OK);
    op_driver_fini(&driver);
  }
}

const struct check read_checks[] = {
    {"head: an absent object is SLUICE_ENOENT", "SLUICE_ENOENT", absent,
     CHECK_USUAL},
    {"head: the length", "length: bytes of the whole object", reads_heads,
     CHECK_USUAL},
    {"get: may end after its meta",
     "sluice_meta(), then wait for read(), which comes at most once",
     left_after_meta, CHECK_USUAL},
    {"get: ranges",
     "sluice_send() and wait for more(), again and again; after the more() of "
     "the last chunk: done",
     ranges, CHECK_USUAL},
    {"get: the read counts, not the hint",
     "The range that read() will probably ask for: one round trip may do.",
     other_ranges, CHECK_USUAL},
    {"get: nothing lies behind the end", "SLUICE_ERANGE", behind, CHECK_USUAL},
    {"remove: a removed object is gone", "remove: done", reads_removed,
     CHECK_USUAL},
    {"remove: nothing else is removed", "remove: done", removed_alone,
     CHECK_USUAL},
    {"remove: an absent object is done, too",
     "done, also when no such object is there", remove_absent, CHECK_USUAL},
    {"ping: is done", "Is the storage reachable?  done", reads_pings,
     CHECK_USUAL},
    {0}};

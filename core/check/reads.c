/* SPDX-License-Identifier: MIT
 *
 * Checks of head, get, read, more, remove and ping.
 */
#include "suite.h"

#include "objects.h"

#define LENGTH 200000

static void absent(struct lab *lab) {
  objects_expect_none(lab, lab_key(lab, "absent").text);
  objects_put(lab, lab_key(lab, "absent/below").text, (struct sample){1, 1});
  objects_expect_none(lab, lab_key(lab, "absent").text);
  objects_expect_none(lab, lab_key(lab, "absent/").text);
  objects_expect_none(lab, lab_key(lab, "absent/belo").text);
}

static void part(struct lab *lab, const struct act_get *get) {
  struct act act;
  act_init(&act, lab);
  act_start_get(&act, get);
  act_wait(&act);
  act_expect(&act, SLUICE_OK);
  act_fini(&act);
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

static void ranges(struct lab *lab) {
  struct lab_key key = lab_key(lab, "ranges");
  const struct sample sample = {1, LENGTH};
  objects_put(lab, key.text, sample);
  for (size_t i = 0; i < SPANS; i++)
    part(lab, &(struct act_get){.key = key.text,
                                .first = spans[i].first,
                                .count = spans[i].count,
                                .wanted = &sample,
                                .wanted_count = 1});
}

/* The gateway guesses before it knows the length and the conditions. */
static void other_ranges(struct lab *lab) {
  static const struct span hints[] = {
      {0, UINT64_MAX}, {0, 1}, {50000, 10}, {LENGTH + 5, 1}};
  struct lab_key key = lab_key(lab, "hints");
  const struct sample sample = {1, LENGTH};
  objects_put(lab, key.text, sample);
  for (size_t k = 0; k < 4; k++)
    for (size_t i = 0; i < SPANS; i++)
      part(lab, &(struct act_get){.key = key.text,
                                  .first = hints[k].first,
                                  .count = hints[k].count,
                                  .other = true,
                                  .read_first = spans[i].first,
                                  .read_count = spans[i].count,
                                  .wanted = &sample,
                                  .wanted_count = 1});
}

static void behind(struct lab *lab) {
  static const uint64_t firsts[] = {LENGTH, LENGTH + 1, UINT64_MAX / 4};
  struct lab_key key = lab_key(lab, "behind");
  const struct sample sample = {1, LENGTH};
  objects_put(lab, key.text, sample);
  for (size_t i = 0; i < 3; i++) {
    struct act act;
    act_init(&act, lab);
    act_start_get(&act, &(struct act_get){.key = key.text,
                                          .other = true,
                                          .read_first = firsts[i],
                                          .read_count = 1,
                                          .wanted = &sample,
                                          .wanted_count = 1});
    act_wait(&act);
    lab_need(lab, act.status != SLUICE_OK,
             "%s: a read from byte %llu of %u ended with SLUICE_OK", act.what,
             (unsigned long long)firsts[i], LENGTH);
    act_fini(&act);
  }
}

static void left_after_meta(struct lab *lab) {
  struct lab_key key = lab_key(lab, "meta");
  objects_put(lab, key.text, (struct sample){1, LENGTH});
  for (int i = 0; i < 10; i++) {
    struct act act;
    act_init(&act, lab);
    act_start_get(&act, &(struct act_get){.key = key.text, .leave = true});
    act_wait(&act);
    lab_need(lab, act.described && act.meta.length == LENGTH,
             "%s: no meta, or not the object's length", act.what);
    act_fini(&act);
  }
}

static void heads(struct lab *lab) {
  struct lab_key key = lab_key(lab, "heads");
  for (uint32_t i = 0; i < 4; i++) {
    struct act act;
    objects_put(lab, key.text, (struct sample){i, i * 1000});
    objects_head(lab, key.text, &act);
    lab_need(lab, act.meta.length == i * 1000, "%s: %llu bytes instead of %u",
             act.what, (unsigned long long)act.meta.length, i * 1000);
    act_fini(&act);
  }
}

/* ---- remove, ping ------------------------------------------------------- */

static void removed(struct lab *lab) {
  struct lab_key key = lab_key(lab, "removed");
  for (uint32_t i = 0; i < 3; i++) {
    objects_put(lab, key.text, (struct sample){i, i * 50000});
    objects_remove(lab, key.text);
    objects_expect_none(lab, key.text);
  }
}

static void removed_alone(struct lab *lab) {
  static const char *const names[] = {"a", "a/", "a/b", "aa", "A"};
  for (uint32_t i = 0; i < 5; i++)
    objects_put(lab, lab_key(lab, names[i]).text, (struct sample){i, 10});
  for (uint32_t i = 0; i < 5; i++) {
    objects_remove(lab, lab_key(lab, names[i]).text);
    for (uint32_t k = i + 1; k < 5; k++)
      objects_expect(lab, lab_key(lab, names[k]).text, (struct sample){k, 10});
  }
}

static void remove_absent(struct lab *lab) {
  objects_remove(lab, lab_key(lab, "never").text);
  objects_put(lab, lab_key(lab, "never/below").text, (struct sample){1, 1});
  objects_remove(lab, lab_key(lab, "never").text);
  objects_expect(lab, lab_key(lab, "never/below").text, (struct sample){1, 1});
}

static void pings(struct lab *lab) {
  for (int i = 0; i < 3; i++) {
    struct act act;
    act_init(&act, lab);
    act_ping(&act);
    act_wait(&act);
    act_expect(&act, SLUICE_OK);
    act_fini(&act);
  }
}

const struct check read_checks[] = {
    {"head: what isn't there is SLUICE_ENOENT", "SLUICE_ENOENT", absent,
     false},
    {"head: the length", "length: bytes of the whole object", heads, false},
    {"get: may end after its meta",
     "sluice_meta(), then wait for read(), which comes at most once",
     left_after_meta, false},
    {"get: ranges",
     "sluice_send() and wait for more(), again and again; after the more() of "
     "the last chunk: done",
     ranges, false},
    {"get: what is read counts, not the hint",
     "What read() will probably ask for, so that one round trip may do.",
     other_ranges, false},
    {"get: nothing lies behind the end", "SLUICE_ERANGE", behind, false},
    {"remove: what is removed is gone", "remove: done", removed, false},
    {"remove: nothing else is removed", "remove: done", removed_alone, false},
    {"remove: what isn't there is done",
     "done, also when no such object is there", remove_absent, false},
    {"ping: is done", "Is the storage reachable?  done", pings, false},
    {NULL, NULL, NULL, false}};

/* SPDX-License-Identifier: MIT
 *
 * Checks of what a commit may be seen as by others, and of exclusive ones.
 */
#include "suite.h"

#include <string.h>

#include "objects.h"

#define READERS 6
#define ROUNDS 6

/* ---- before and during a commit ----------------------------------------- */

/* The first page of everything. */
static void look_around(struct fixture *fixture, struct op_driver *driver) {
  op_driver_init(driver, fixture);
  op_driver_list(driver, &(struct sluice_list){.prefix = "", .max = 1000});
  op_driver_wait(driver);
  op_driver_expect(driver, SLUICE_OK);
}

static void expect_same(struct fixture *fixture,
                        const struct op_driver *before, const char *when) {
  struct op_driver now;
  look_around(fixture, &now);
  for (size_t i = 0; i < now.entry_count || i < before->entry_count; i++) {
    const char *a = i < before->entry_count ? before->entries[i].key : "";
    const char *b = i < now.entry_count ? now.entries[i].key : "";
    fixture_need(fixture, strcmp(a, b) == 0,
                 "%s, a list of everything has '%s' "
                 "where '%s' was",
                 when, b, a);
  }
  op_driver_fini(&now);
}

static void before_commit(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "before");
  static const uint64_t lengths[] = {10, 300000};
  for (uint32_t i = 0; i < 2; i++) {
    struct op_driver before, put;
    objects_remove(fixture, key.text);
    look_around(fixture, &before);
    op_driver_init(&put, fixture);
    op_driver_start_put(
        &put, &(struct op_driver_put){
                  .key = key.text, .sample = {i, lengths[i]}, .hold = true});
    op_driver_hold(&put);
    objects_expect_none(fixture, key.text);
    expect_same(fixture, &before, "Before the commit");
    op_driver_commit(&put);
    op_driver_wait(&put);
    op_driver_expect(&put, SLUICE_OK);
    objects_expect(fixture, key.text, put.put.sample);
    op_driver_fini(&put);
    op_driver_fini(&before);
  }
}

static void old_before_commit(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "old");
  const struct sample old = {1, 5000}, new = {2, 300000};
  struct op_driver put;
  objects_put(fixture, key.text, old);
  op_driver_init(&put, fixture);
  op_driver_start_put(&put, &(struct op_driver_put){
                                .key = key.text, .sample = new, .hold = true});
  op_driver_hold(&put);
  objects_expect(fixture, key.text, old);
  op_driver_commit(&put);
  op_driver_wait(&put);
  op_driver_expect(&put, SLUICE_OK);
  objects_expect(fixture, key.text, new);
  op_driver_fini(&put);
}

/* A reader meanwhile gets the old object or the new one, or an end that says
 * so; bytes that fit neither fail in op_driver_get.c. */
static void one_race(struct fixture *fixture, const char *key,
                     const struct sample *both) {
  struct op_driver reads[READERS], put;
  const struct op_driver_get get = {
      .key = key, .slow = true, .wanted = both, .wanted_count = 2};
  objects_put(fixture, key, both[0]);
  for (int i = 0; i < READERS / 2; i++) {
    op_driver_init(&reads[i], fixture);
    op_driver_start_get(&reads[i], &get);
  }
  op_driver_init(&put, fixture);
  op_driver_start_put(&put,
                      &(struct op_driver_put){.key = key, .sample = both[1]});
  while (!put.committed && !put.over)
    fixture_idle(fixture, 1);
  for (int i = READERS / 2; i < READERS; i++) {
    op_driver_init(&reads[i], fixture);
    op_driver_start_get(&reads[i], &get);
  }
  op_driver_wait(&put);
  op_driver_expect(&put, SLUICE_OK);
  for (int i = 0; i < READERS; i++) {
    op_driver_wait(&reads[i]);
    fixture_need(fixture,
                 reads[i].status == SLUICE_OK ||
                     reads[i].status == SLUICE_EPRECOND,
                 "%s: while it was replaced, it ended with %s", reads[i].what,
                 op_driver_word(reads[i].status));
    op_driver_fini(&reads[i]);
  }
  op_driver_fini(&put);
}

static void races(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "race");
  for (uint32_t i = 0; i < ROUNDS; i++) {
    uint64_t length = i % 3 == 0 ? 2000 : 250000;
    const struct sample both[] = {{i, length},
                                  {i + 1, i % 2 == 0 ? length : length * 2}};
    one_race(fixture, key.text, both);
    objects_expect(fixture, key.text, both[1]);
  }
}

/* A remove meanwhile: the readers have the object, or an end that says so. */
static void removed_while_read(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "reading");
  for (uint32_t i = 0; i < ROUNDS; i++) {
    const struct sample samples[] = {{i, 250000}, {i + 1, 250000}};
    struct op_driver reads[READERS];
    objects_put(fixture, key.text, samples[0]);
    for (int k = 0; k < READERS; k++) {
      op_driver_init(&reads[k], fixture);
      op_driver_start_get(&reads[k],
                          &(struct op_driver_get){.key = key.text,
                                                  .slow = true,
                                                  .wanted = samples,
                                                  .wanted_count = 1});
    }
    while (!reads[0].described && !reads[0].over)
      fixture_idle(fixture, 1);
    objects_remove(fixture, key.text);
    objects_put(fixture, fixture_key(fixture, "other").text, samples[1]);
    for (int k = 0; k < READERS; k++) {
      enum sluice_status status;
      op_driver_wait(&reads[k]);
      status = reads[k].status;
      fixture_need(fixture,
                   status == SLUICE_OK || status == SLUICE_EPRECOND ||
                       status == SLUICE_ENOENT,
                   "%s: while it was removed, it ended with %s", reads[k].what,
                   op_driver_word(status));
      op_driver_fini(&reads[k]);
    }
    objects_expect_none(fixture, key.text);
  }
}

/* ---- exclusive ---------------------------------------------------------- */

static enum sluice_status
exclusive_put(struct fixture *fixture, const char *key, struct sample sample) {
  return objects_try(fixture, &(struct op_driver_put){.key = key,
                                                      .sample = sample,
                                                      .exclusive = true});
}

static void exclusives_refused(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "refused");
  static const uint64_t lengths[] = {0, 10, 100000};
  for (uint32_t i = 0; i < 3; i++) {
    objects_put(fixture, key.text, (struct sample){1, lengths[i]});
    enum sluice_status status =
        exclusive_put(fixture, key.text, (struct sample){2, 70000});
    fixture_need(fixture, status == SLUICE_EEXIST,
                 "an exclusive commit of a key that is there ended with %s",
                 op_driver_word(status));
    objects_expect(fixture, key.text, (struct sample){1, lengths[i]});
  }
}

static void taken(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "taken");
  for (uint32_t i = 0; i < 3; i++) {
    const struct sample sample = {i, i * 40000};
    enum sluice_status status = exclusive_put(fixture, key.text, sample);
    fixture_need(fixture, status == SLUICE_OK,
                 "an exclusive commit of a new key ended with %s",
                 op_driver_word(status));
    objects_expect(fixture, key.text, sample);
    objects_remove(fixture, key.text);
  }
}

static void one_wins(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "wins");
  struct op_driver puts[4];
  int winner = -1;
  for (uint32_t i = 0; i < 4; i++) {
    op_driver_init(&puts[i], fixture);
    op_driver_start_put(&puts[i], &(struct op_driver_put){.key = key.text,
                                                          .sample = {i, 1000},
                                                          .exclusive = true});
  }
  for (int i = 0; i < 4; i++) {
    op_driver_wait(&puts[i]);
    fixture_need(fixture, puts[i].status != SLUICE_OK || winner < 0,
                 "two exclusive commits of one key ended with SLUICE_OK");
    if (puts[i].status == SLUICE_OK)
      winner = i;
  }
  fixture_need(fixture, winner >= 0,
               "of four exclusive commits none was taken: %s",
               op_driver_word(puts[0].status));
  if (winner >= 0)
    objects_expect(fixture, key.text, puts[winner].put.sample);
  for (int i = 0; i < 4; i++)
    op_driver_fini(&puts[i]);
}

#define BEFORE \
  "Nothing is visible before; when it is done, all of it is durable."
#define EXCLUSIVE "exclusive: refuse to replace: SLUICE_EEXIST"

const struct check exclusive_checks[] = {
    {"put: nothing is visible before commit", BEFORE, before_commit,
     CHECK_USUAL},
    {"put: the old object stays until commit", BEFORE, old_before_commit,
     CHECK_USUAL},
    {"commit: readers see the old or the new, never both", BEFORE, races,
     CHECK_USUAL},
    {"remove: readers have the old object, or an end that says so",
     "LENT: a chunk is lent from its send until the receiver asks for the "
     "next one",
     removed_while_read, CHECK_USUAL},
    {"commit: an exclusive one doesn't replace", EXCLUSIVE, exclusives_refused,
     CHECK_USUAL},
    {"commit: an exclusive one of a new key is taken", EXCLUSIVE, taken,
     CHECK_USUAL},
    {"commit: of exclusive ones at once one is taken", EXCLUSIVE, one_wins,
     CHECK_USUAL},
    {0}};

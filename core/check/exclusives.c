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
static void look_around(struct lab *lab, struct act *act) {
  act_init(act, lab);
  act_list(act, &(struct sluice_list){.prefix = "", .max = 1000});
  act_wait(act);
  act_expect(act, SLUICE_OK);
}

static void expect_same(struct lab *lab, const struct act *before,
                        const char *when) {
  struct act now;
  look_around(lab, &now);
  for (size_t i = 0; i < now.entry_count || i < before->entry_count; i++) {
    const char *a = i < before->entry_count ? before->entries[i].key : "";
    const char *b = i < now.entry_count ? now.entries[i].key : "";
    lab_need(lab, strcmp(a, b) == 0,
             "%s, a list of everything has '%s' "
             "where '%s' was",
             when, b, a);
  }
  act_fini(&now);
}

static void before_commit(struct lab *lab) {
  struct lab_key key = lab_key(lab, "before");
  static const uint64_t lengths[] = {10, 300000};
  for (uint32_t i = 0; i < 2; i++) {
    struct act before, put;
    objects_remove(lab, key.text);
    look_around(lab, &before);
    act_init(&put, lab);
    act_start_put(&put, &(struct act_put){.key = key.text,
                                          .sample = {i, lengths[i]},
                                          .hold = true});
    if (!lab_until(lab, &put.held))
      lab_fail(lab, "%s: not all chunks come back", put.what);
    objects_expect_none(lab, key.text);
    expect_same(lab, &before, "Before the commit");
    act_commit(&put);
    act_wait(&put);
    act_expect(&put, SLUICE_OK);
    objects_expect(lab, key.text, put.put.sample);
    act_fini(&put);
    act_fini(&before);
  }
}

static void old_before_commit(struct lab *lab) {
  struct lab_key key = lab_key(lab, "old");
  const struct sample old = {1, 5000}, new = {2, 300000};
  struct act put;
  objects_put(lab, key.text, old);
  act_init(&put, lab);
  act_start_put(
      &put, &(struct act_put){.key = key.text, .sample = new, .hold = true});
  if (!lab_until(lab, &put.held))
    lab_fail(lab, "%s: not all chunks come back", put.what);
  objects_expect(lab, key.text, old);
  act_commit(&put);
  act_wait(&put);
  act_expect(&put, SLUICE_OK);
  objects_expect(lab, key.text, new);
  act_fini(&put);
}

/* Who reads while it is replaced: the old one or the new one, or an end that
 * says so; what fits neither fails in act_get.c. */
static void one_race(struct lab *lab, const char *key,
                     const struct sample *both) {
  struct act reads[READERS], put;
  const struct act_get get = {
      .key = key, .slow = true, .wanted = both, .wanted_count = 2};
  objects_put(lab, key, both[0]);
  for (int i = 0; i < READERS / 2; i++) {
    act_init(&reads[i], lab);
    act_start_get(&reads[i], &get);
  }
  act_init(&put, lab);
  act_start_put(&put, &(struct act_put){.key = key, .sample = both[1]});
  while (!put.committed && !put.over)
    lab_idle(lab, 1);
  for (int i = READERS / 2; i < READERS; i++) {
    act_init(&reads[i], lab);
    act_start_get(&reads[i], &get);
  }
  act_wait(&put);
  act_expect(&put, SLUICE_OK);
  for (int i = 0; i < READERS; i++) {
    act_wait(&reads[i]);
    lab_need(lab,
             reads[i].status == SLUICE_OK ||
                 reads[i].status == SLUICE_EPRECOND,
             "%s: while it was replaced, it ended with %s", reads[i].what,
             act_word(reads[i].status));
    act_fini(&reads[i]);
  }
  act_fini(&put);
}

static void races(struct lab *lab) {
  struct lab_key key = lab_key(lab, "race");
  for (uint32_t i = 0; i < ROUNDS; i++) {
    uint64_t length = i % 3 == 0 ? 2000 : 250000;
    const struct sample both[] = {{i, length},
                                  {i + 1, i % 2 == 0 ? length : length * 2}};
    one_race(lab, key.text, both);
    objects_expect(lab, key.text, both[1]);
  }
}

/* ---- exclusive ---------------------------------------------------------- */

static enum sluice_status exclusive_put(struct lab *lab, const char *key,
                                        struct sample sample) {
  return objects_try(
      lab, &(struct act_put){.key = key, .sample = sample, .exclusive = true});
}

static void refused(struct lab *lab) {
  struct lab_key key = lab_key(lab, "refused");
  static const uint64_t lengths[] = {0, 10, 100000};
  for (uint32_t i = 0; i < 3; i++) {
    objects_put(lab, key.text, (struct sample){1, lengths[i]});
    enum sluice_status status =
        exclusive_put(lab, key.text, (struct sample){2, 70000});
    lab_need(lab, status == SLUICE_EEXIST,
             "an exclusive commit of a key that is there ended with %s",
             act_word(status));
    objects_expect(lab, key.text, (struct sample){1, lengths[i]});
  }
}

static void taken(struct lab *lab) {
  struct lab_key key = lab_key(lab, "taken");
  for (uint32_t i = 0; i < 3; i++) {
    const struct sample sample = {i, i * 40000};
    enum sluice_status status = exclusive_put(lab, key.text, sample);
    lab_need(lab, status == SLUICE_OK,
             "an exclusive commit of a new key ended with %s",
             act_word(status));
    objects_expect(lab, key.text, sample);
    objects_remove(lab, key.text);
  }
}

static void one_wins(struct lab *lab) {
  struct lab_key key = lab_key(lab, "wins");
  struct act puts[4];
  int winner = -1;
  for (uint32_t i = 0; i < 4; i++) {
    act_init(&puts[i], lab);
    act_start_put(&puts[i], &(struct act_put){.key = key.text,
                                              .sample = {i, 1000},
                                              .exclusive = true});
  }
  for (int i = 0; i < 4; i++) {
    act_wait(&puts[i]);
    lab_need(lab, puts[i].status != SLUICE_OK || winner < 0,
             "two exclusive commits of one key ended with SLUICE_OK");
    if (puts[i].status == SLUICE_OK)
      winner = i;
  }
  lab_need(lab, winner >= 0, "of four exclusive commits none was taken: %s",
           act_word(puts[0].status));
  if (winner >= 0)
    objects_expect(lab, key.text, puts[winner].put.sample);
  for (int i = 0; i < 4; i++)
    act_fini(&puts[i]);
}

#define BEFORE \
  "Nothing is visible before; when it is done, all of it is durable."
#define EXCLUSIVE "exclusive: refuse to replace: SLUICE_EEXIST"

const struct check exclusive_checks[] = {
    {"put: nothing is visible before commit", BEFORE, before_commit, false},
    {"put: the old object stays until commit", BEFORE, old_before_commit,
     false},
    {"commit: readers see the old or the new, never both", BEFORE, races,
     false},
    {"commit: an exclusive one doesn't replace", EXCLUSIVE, refused, false},
    {"commit: an exclusive one of a new key is taken", EXCLUSIVE, taken,
     false},
    {"commit: of exclusive ones at once one is taken", EXCLUSIVE, one_wins,
     false},
    {NULL, NULL, NULL, false}};

/* SPDX-License-Identifier: MIT
 *
 * Checks of stages: uploads that go on over several requests.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "objects.h"
#include "stage_driver.h"

#define HOUR 3600
#define OWNED 3

static int64_t now(void) {
  return (int64_t)time(NULL);
}

static void need_stages(struct fixture *fixture) {
  if (!op_can_stage(&fixture->handle))
    fixture_skip(fixture, "it has no stage()");
}

/* A new one with so many bytes of the sample, saved. */
static void make_saved(struct stage_driver *driver, struct fixture *fixture,
                       const struct sample *sample, uint64_t length) {
  need_stages(fixture);
  stage_driver_init(driver, fixture);
  stage_driver_make(driver, "new", now() + HOUR, "", 0);
  stage_driver_stands(driver, 0, "new", false);
  stage_driver_lend(driver, sample, length);
  stage_driver_save(driver, "first", now() + HOUR);
  stage_driver_stands(driver, length, "first", false);
}

static void remove_stage(struct fixture *fixture, const char *id) {
  struct stage_driver driver;
  stage_driver_init(&driver, fixture);
  stage_driver_remove(&driver, id);
  stage_driver_fini(&driver);
}

/* It is there, and stands so; it is left open. */
static void open_at(struct stage_driver *driver, struct fixture *fixture,
                    const char *id, uint64_t offset, const char *state) {
  stage_driver_init(driver, fixture);
  stage_driver_open(driver, id);
  stage_driver_stands(driver, offset, state, false);
}

static void expect_no_stage(struct fixture *fixture, const char *id) {
  struct stage_driver driver;
  stage_driver_init(&driver, fixture);
  stage_driver_open(&driver, id);
  stage_driver_ended(&driver, SLUICE_ENOENT);
  stage_driver_fini(&driver);
}

/* ---- what was saved ----------------------------------------------------- */

static void saved(struct fixture *fixture) {
  const uint64_t steps[] = {1, 70000, 0, 5, fixture->plan->large, 12345};
  struct sample sample = {21, UINT64_MAX};
  struct stage_driver driver;
  uint64_t at = 0;
  char id[SLUICE_STAGE_ID_MAX + 1], state[16] = "first";
  make_saved(&driver, fixture, &sample, 0);
  memcpy(id, driver.id, sizeof id);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    stage_driver_fini(&driver);
    open_at(&driver, fixture, id, at, state);
    stage_driver_lend(&driver, &sample, steps[i]);
    snprintf(state, sizeof state, "state %zu", i);
    stage_driver_save(&driver, state, now() + HOUR);
    at += steps[i];
    stage_driver_stands(&driver, at, state, false);
  }
  stage_driver_fini(&driver);
  remove_stage(fixture, id);
}

static void unsaved(struct fixture *fixture) {
  struct sample sample = {22, UINT64_MAX}, other = {23, UINT64_MAX};
  struct fixture_key key = fixture_key(fixture, "unsaved");
  struct stage_driver driver;
  make_saved(&driver, fixture, &sample, 1000);
  char id[SLUICE_STAGE_ID_MAX + 1];
  memcpy(id, driver.id, sizeof id);
  stage_driver_lend(&driver, &other, 100000); /* and left */
  stage_driver_fini(&driver);
  open_at(&driver, fixture, id, 1000, "first");
  stage_driver_lend(&driver, &sample, 50000);
  stage_driver_commit(&driver, key.text, &sample, "done");
  stage_driver_ended(&driver, SLUICE_OK);
  stage_driver_fini(&driver);
  objects_expect(fixture, key.text, (struct sample){22, 51000});
  remove_stage(fixture, id);
  objects_remove(fixture, key.text);
}

static void largest_state(struct fixture *fixture) {
  struct sample sample = {24, UINT64_MAX};
  char state[SLUICE_STAGE_STATE_MAX + 1];
  struct stage_driver driver;
  memset(state, 'x', sizeof state - 1);
  state[sizeof state - 1] = '\0';
  make_saved(&driver, fixture, &sample, 10);
  stage_driver_save(&driver, state, now() + HOUR);
  stage_driver_stands(&driver, 10, state, false);
  char id[SLUICE_STAGE_ID_MAX + 1];
  memcpy(id, driver.id, sizeof id);
  stage_driver_fini(&driver);
  open_at(&driver, fixture, id, 10, state);
  stage_driver_fini(&driver);
  remove_stage(fixture, id);
}

/* Its save, or its commit, is what makes it durable at the latest. */
static void stages_unheard(struct fixture *fixture) {
  const uint64_t lengths[] = {0, 1000, 300000};
  struct stage_driver driver;
  need_stages(fixture);
  for (size_t i = 0; i < 2 * (sizeof lengths / sizeof *lengths); i++) {
    struct sample sample = {41, lengths[i / 2]};
    struct fixture_key key = fixture_key(fixture, "unheard");
    bool whole = i % 2 == 1;
    stage_driver_init(&driver, fixture);
    driver.unheard = true;
    stage_driver_make(&driver, "new", now() + HOUR, "", 0);
    stage_driver_stands(&driver, 0, "new", false);
    stage_driver_lend(&driver, &sample, sample.length);
    if (whole)
      stage_driver_commit(&driver, key.text, &sample, "last");
    else
      stage_driver_save(&driver, "last", now() + HOUR);
    char id[SLUICE_STAGE_ID_MAX + 1];
    memcpy(id, driver.id, sizeof id);
    stage_driver_fini(&driver);
    stage_driver_init(&driver, fixture);
    stage_driver_open(&driver, id);
    stage_driver_stands(&driver, sample.length, "last", whole);
    stage_driver_fini(&driver);
    remove_stage(fixture, id);
    if (whole)
      objects_remove(fixture, key.text);
  }
}

/* ---- who has it --------------------------------------------------------- */

static void expect_lost(struct stage_driver *driver) {
  fixture_need(driver->fixture, driver->over,
               "%s: whoever was overtaken may go on", driver->entry);
  stage_driver_ended(driver, SLUICE_EPRECOND);
  stage_driver_fini(driver);
}

static void overtaken(struct fixture *fixture) {
  struct sample sample = {25, UINT64_MAX}, other = {26, UINT64_MAX};
  struct fixture_key key = fixture_key(fixture, "overtaken");
  struct stage_driver old, new;
  make_saved(&old, fixture, &sample, 1000);
  stage_driver_lend(&old, &other, 500);
  open_at(&new, fixture, old.id, 1000, "first");
  stage_driver_lend(&old, &other, 70000);
  stage_driver_save(&old, "lost", now() + HOUR);
  expect_lost(&old);
  stage_driver_lend(&new, &sample, 3000);
  stage_driver_save(&new, "won", now() + HOUR);
  stage_driver_stands(&new, 4000, "won", false);
  stage_driver_commit(&new, key.text, &sample, "done");
  stage_driver_ended(&new, SLUICE_OK);
  objects_expect(fixture, key.text, (struct sample){25, 4000});
  remove_stage(fixture, new.id);
  stage_driver_fini(&new);
  objects_remove(fixture, key.text);
}

static void overtaken_commit(struct fixture *fixture) {
  struct sample sample = {27, UINT64_MAX};
  struct fixture_key key = fixture_key(fixture, "late");
  struct stage_driver old, new;
  make_saved(&old, fixture, &sample, 1000);
  open_at(&new, fixture, old.id, 1000, "first");
  stage_driver_commit(&old, key.text, &sample, "lost");
  expect_lost(&old);
  objects_expect_none(fixture, key.text);
  stage_driver_save(&new, "won", now() + HOUR);
  stage_driver_stands(&new, 1000, "won", false);
  remove_stage(fixture, new.id);
  stage_driver_fini(&new);
}

/* ---- the end ------------------------------------------------------------ */

static void committed(struct fixture *fixture) {
  const uint64_t lengths[] = {0, 1, 70000, fixture->plan->large};
  struct fixture_key key = fixture_key(fixture, "committed");
  for (uint32_t i = 0; i < 4; i++) {
    struct sample sample = {30 + i, lengths[i]};
    struct stage_driver driver;
    make_saved(&driver, fixture, &sample, lengths[i] / 2);
    objects_expect_none(fixture, key.text);
    stage_driver_lend(&driver, &sample, lengths[i] - lengths[i] / 2);
    stage_driver_commit(&driver, key.text, &sample, "done");
    stage_driver_ended(&driver, SLUICE_OK);
    objects_expect(fixture, key.text, sample);
    stage_driver_open(&driver, driver.id);
    stage_driver_stands(&driver, lengths[i], "done", true);
    char id[SLUICE_STAGE_ID_MAX + 1];
    memcpy(id, driver.id, sizeof id);
    stage_driver_fini(&driver);
    remove_stage(fixture, id);
    objects_expect(fixture, key.text, sample);
    objects_remove(fixture, key.text);
  }
}

static void stages_removed(struct fixture *fixture) {
  struct sample sample = {35, UINT64_MAX};
  struct stage_driver driver, other;
  make_saved(&driver, fixture, &sample, 1000);
  stage_driver_init(&other, fixture);
  stage_driver_remove(&other, driver.id);
  stage_driver_ended(&other, SLUICE_OK);
  stage_driver_fini(&other);
  expect_no_stage(fixture, driver.id);
  stage_driver_lend(&driver, &sample, 10);
  stage_driver_save(&driver, "lost", now() + HOUR);
  fixture_need(fixture,
               driver.over && (driver.status == SLUICE_EPRECOND ||
                               driver.status == SLUICE_ENOENT),
               "a stage that was removed takes a save");
  stage_driver_fini(&driver);
  expect_no_stage(fixture, driver.id);
}

/* The buffer of each chunk is spoiled when it came back. */
static void lends(struct fixture *fixture) {
  struct sample sample = {39, 150000};
  struct fixture_key key = fixture_key(fixture, "lends");
  struct stage_driver driver;
  need_stages(fixture);
  stage_driver_init(&driver, fixture);
  stage_driver_make(&driver, "new", now() + HOUR, "lent", 0);
  stage_driver_stands(&driver, 0, "new", false);
  stage_driver_lend(&driver, &sample, sample.length);
  stage_driver_commit(&driver, key.text, &sample, "done");
  stage_driver_ended(&driver, SLUICE_OK);
  objects_expect(fixture, key.text, sample);
  remove_stage(fixture, driver.id);
  stage_driver_fini(&driver);
  objects_remove(fixture, key.text);
}

static void unknown(struct fixture *fixture) {
  static const char *const ids[] = {"",    "a",    "../a", "0000000000000000",
                                    "%00", "a/b/c"};
  need_stages(fixture);
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
    expect_no_stage(fixture, ids[i]);
}

/* ---- time, owners, readers ---------------------------------------------- */

static void stages_expired(struct fixture *fixture) {
  struct sample sample = {36, UINT64_MAX};
  struct stage_driver driver, sweep;
  make_saved(&driver, fixture, &sample, 1000);
  char id[SLUICE_STAGE_ID_MAX + 1];
  memcpy(id, driver.id, sizeof id);
  stage_driver_fini(&driver);
  stage_driver_init(&sweep, fixture);
  stage_driver_sweep(&sweep, now());
  stage_driver_ended(&sweep, SLUICE_OK);
  open_at(&driver, fixture, id, 1000, "first");
  stage_driver_save(&driver, "over", now() - 1);
  stage_driver_fini(&driver);
  expect_no_stage(fixture, id);
  stage_driver_sweep(&sweep, now());
  stage_driver_ended(&sweep, SLUICE_OK);
  stage_driver_fini(&sweep);
  stage_driver_init(&driver, fixture);
  stage_driver_remove(&driver, id);
  stage_driver_ended(&driver, SLUICE_ENOENT);
  stage_driver_fini(&driver);
}

static void owned(struct fixture *fixture) {
  struct stage_driver drivers[OWNED], more;
  char owner[sizeof fixture->plan->prefix + 8];
  need_stages(fixture);
  snprintf(owner, sizeof owner, "%sann", fixture->plan->prefix);
  for (int i = 0; i < OWNED; i++) {
    stage_driver_init(&drivers[i], fixture);
    stage_driver_make(&drivers[i], "new", now() + HOUR, owner, OWNED);
    stage_driver_stands(&drivers[i], 0, "new", false);
  }
  stage_driver_init(&more, fixture);
  stage_driver_make(&more, "new", now() + HOUR, owner, OWNED);
  stage_driver_ended(&more, SLUICE_ERATE);
  stage_driver_make(&more, "new", now() + HOUR, "", OWNED);
  stage_driver_stands(&more, 0, "new", false);
  remove_stage(fixture, more.id);
  stage_driver_fini(&more);
  for (int i = 0; i < OWNED; i++) {
    remove_stage(fixture, drivers[i].id);
    stage_driver_fini(&drivers[i]);
  }
}

static void got(struct fixture *fixture) {
  struct sample sample = {37, UINT64_MAX}, other = {38, UINT64_MAX};
  struct stage_driver driver, reader;
  make_saved(&driver, fixture, &sample, 200000);
  stage_driver_lend(&driver, &other, 1000);
  stage_driver_init(&reader, fixture);
  stage_driver_get(&reader, driver.id, &sample, 200000);
  stage_driver_fini(&reader);
  stage_driver_save(&driver, "mine", now() + HOUR);
  stage_driver_stands(&driver, 201000, "mine", false);
  remove_stage(fixture, driver.id);
  stage_driver_fini(&driver);
}

const struct check stage_checks[] = {
    {"stage: what was saved is there",
     "Makes durable what was lent, with "
     "this state",
     saved, CHECK_USUAL},
    {"stage: what wasn't saved doesn't count",
     "Bytes that weren't saved don't count.", unsaved, CHECK_USUAL},
    {"stage: a state of 1024 bytes", "SLUICE_STAGE_STATE_MAX 1024",
     largest_state, CHECK_USUAL},
    {"stage: one that nobody has heard of is there once it was saved",
     "nobody hears of it before it was saved or committed: it has to be "
     "durable only then",
     stages_unheard, CHECK_USUAL},
    {"stage: who was overtaken saves nothing",
     "Whoever opened it before has lost it: nothing of that one changes a "
     "byte any more, and its next call ends with SLUICE_EPRECOND.",
     overtaken, CHECK_USUAL},
    {"stage: who was overtaken commits nothing",
     "Whoever opened it before has lost it", overtaken_commit, CHECK_USUAL},
    {"stage: a commit makes the object, and completes it",
     "As commit() of a put, of all bytes of the stage; and in the same step, "
     "all or nothing, the stage is complete and has this state.",
     committed, CHECK_USUAL},
    {"stage: a removed one is gone",
     "It is gone, and whoever has it open has lost it", stages_removed,
     CHECK_USUAL},
    {"stage: no other text is one",
     "SLUICE_ENOENT: there is no such stage, or it has expired.", unknown,
     CHECK_USUAL},
    {"stage: one that has expired is gone, and swept",
     "Removes the stages that have expired by then", stages_expired,
     CHECK_USUAL},
    {"stage: one more than an owner may have",
     "stages that the owner may have which aren't complete: SLUICE_ERATE",
     owned, CHECK_USUAL},
    {"stage_get: the durable bytes, and it opens nothing",
     "sluice_meta() with the durable bytes' length, then read() and more(). "
     "It opens nothing.",
     got, CHECK_USUAL},
    {"lent: a stage's chunk is left alone after sluice_next()",
     "data() lends a chunk, as in a put, and sluice_next() returns it.", lends,
     CHECK_USUAL},
    {NULL, NULL, NULL, CHECK_USUAL}};

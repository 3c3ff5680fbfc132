/* SPDX-License-Identifier: MIT
 *
 * Checks of cancel: at every step of every operation, before the plugin was
 * asked for the next thing and right after, and while it works.
 */
#include "suite.h"

#include "objects.h"
#include "pages.h"

#define STEPS_MAX 64
#define LENGTH 200000
#define MANY 4

/* Waits a little before it cancels, for what takes its time. */
static const int64_t pauses[] = {0, 1, 2, 3, 5, 8, 13};
#define PAUSES (sizeof pauses / sizeof *pauses)

/* Starts the operation that is canceled. */
typedef void start_fn(struct op_driver *, const char *key);

static void start_head(struct op_driver *driver, const char *key) {
  op_driver_head(driver, key);
}

static void start_get(struct op_driver *driver, const char *key) {
  op_driver_start_get(driver, &(struct op_driver_get){.key = key});
}

static void start_put(struct op_driver *driver, const char *key) {
  op_driver_start_put(
      driver, &(struct op_driver_put){.key = key, .sample = {9, LENGTH}});
}

static void start_small(struct op_driver *driver, const char *key) {
  op_driver_start_put(driver,
                      &(struct op_driver_put){.key = key, .sample = {9, 20}});
}

static void start_list(struct op_driver *driver, const char *key) {
  op_driver_list(driver, &(struct sluice_list){.prefix = key, .max = 1000});
}

static void start_remove(struct op_driver *driver, const char *key) {
  op_driver_remove(driver, key);
}

static void start_ping(struct op_driver *driver, const char *key) {
  (void)key;
  op_driver_ping(driver);
}

/* True: it was over before that step. */
static bool cancel_at(struct op_driver *driver, start_fn *start,
                      const char *key, int step) {
  driver->leave_at = step;
  start(driver, key);
  op_driver_wait(driver);
  return !driver->left;
}

static void cancel_after(struct op_driver *driver, start_fn *start,
                         const char *key, int64_t ms) {
  start(driver, key);
  if (ms > 0)
    fixture_idle(driver->fixture, ms);
  op_driver_leave(driver);
  op_driver_wait(driver);
}

/* ---- what may be read --------------------------------------------------- */

static void run_reader(struct fixture *fixture, start_fn *start,
                       const char *name) {
  struct fixture_key key = fixture_key(fixture, name);
  const struct sample sample = {1, LENGTH};
  bool over = false;
  objects_put(fixture, key.text, sample);
  for (int step = 1; !over; step++) {
    struct op_driver driver;
    op_driver_init(&driver, fixture);
    over = cancel_at(&driver, start, key.text, step);
    op_driver_fini(&driver);
    fixture_need(fixture, step < STEPS_MAX, "%s: it has no end", name);
  }
  for (size_t i = 0; i < PAUSES; i++) {
    struct op_driver driver;
    op_driver_init(&driver, fixture);
    cancel_after(&driver, start, key.text, pauses[i]);
    op_driver_fini(&driver);
  }
  objects_expect(fixture, key.text, sample);
}

static void cancels_heads(struct fixture *fixture) {
  run_reader(fixture, start_head, "head");
}

static void get_steps(struct fixture *fixture) {
  run_reader(fixture, start_get, "get");
}

static void lists(struct fixture *fixture) {
  run_reader(fixture, start_list, "list");
}

static void cancels_pings(struct fixture *fixture) {
  run_reader(fixture, start_ping, "ping");
}

static void cancels_removes(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "leaving");
  const struct sample sample = {1, 100};
  for (size_t i = 0; i <= PAUSES; i++) {
    struct op_driver driver;
    objects_put(fixture, key.text, sample);
    op_driver_init(&driver, fixture);
    if (i == PAUSES)
      cancel_at(&driver, start_remove, key.text, 1);
    else
      cancel_after(&driver, start_remove, key.text, pauses[i]);
    bool gone = driver.status == SLUICE_OK || driver.status == SLUICE_ENOENT;
    op_driver_fini(&driver);
    if (gone)
      objects_expect_none(fixture, key.text);
    /* Gone or not, and then really. */
    objects_remove(fixture, key.text);
    objects_expect_none(fixture, key.text);
  }
}

/* Each is gone or not, and one beside them stays. */
static void cancels_remove_many(struct fixture *fixture) {
  static const char *const names[MANY] = {"each/1", "each/2", "each/3",
                                          "each/4"};
  struct fixture_key keys[MANY], beside = fixture_key(fixture, "each/beside");
  const char *texts[MANY];
  if (fixture->backend->remove_many == NULL)
    fixture_skip(fixture, "it has no remove_many()");
  for (int k = 0; k < MANY; k++) {
    keys[k] = fixture_key(fixture, names[k]);
    texts[k] = keys[k].text;
  }
  objects_put(fixture, beside.text, (struct sample){1, 100});
  for (size_t i = 0; i < PAUSES; i++) {
    struct op_driver driver;
    for (int k = 0; k < MANY; k++)
      objects_put(fixture, texts[k], (struct sample){1, k % 2 ? LENGTH : 100});
    op_driver_init(&driver, fixture);
    op_driver_remove_many(&driver, texts, MANY);
    if (pauses[i] > 0)
      fixture_idle(fixture, pauses[i]);
    op_driver_leave(&driver);
    op_driver_wait(&driver);
    op_driver_fini(&driver);
    for (int k = 0; k < MANY; k++) {
      objects_remove(fixture, texts[k]);
      objects_expect_none(fixture, texts[k]);
    }
  }
  objects_expect(fixture, beside.text, (struct sample){1, 100});
}

/* ---- puts --------------------------------------------------------------- */

/* The commit was under way: the old object or the new one, and as the storage
 * may be far away, what is the old one now may be the new one soon. */
static void expect_either(struct op_driver *put, const char *key,
                          const struct sample *old) {
  struct fixture *fixture = put->fixture;
  const struct sample both[] = {put->put.sample,
                                old == NULL ? put->put.sample : *old};
  struct op_driver get;
  op_driver_init(&get, fixture);
  op_driver_start_get(
      &get,
      &(struct op_driver_get){.key = key, .wanted = both, .wanted_count = 2});
  op_driver_wait(&get);
  if (get.status != SLUICE_EPRECOND && (old != NULL || get.described))
    op_driver_expect(&get, SLUICE_OK);
  op_driver_fini(&get);
}

/* Before the commit nothing may have happened; after it all or nothing. */
static void expect_whole(struct op_driver *put, const char *key,
                         const struct sample *old) {
  if (put->committed && put->status == SLUICE_OK)
    objects_expect(put->fixture, key, put->put.sample);
  else if (put->committed)
    expect_either(put, key, old);
  else if (old != NULL)
    objects_expect(put->fixture, key, *old);
  else
    objects_expect_none(put->fixture, key);
}

static void expect_nothing_else(struct fixture *fixture, size_t most) {
  struct pages pages;
  pages_read(fixture, &pages, fixture_key(fixture, "").text, NULL, 1000);
  fixture_need(fixture, pages.count <= most, "a canceled put left '%s' behind",
               pages.entries[0].key);
  pages_free(&pages);
}

static void run_put(struct fixture *fixture, start_fn *start, const char *name,
                    const struct sample *old) {
  struct fixture_key key = fixture_key(fixture, name);
  bool over = false;
  for (int step = 1; !over || step < STEPS_MAX; step++) {
    struct op_driver driver;
    objects_remove(fixture, key.text);
    if (old != NULL)
      objects_put(fixture, key.text, *old);
    op_driver_init(&driver, fixture);
    if (!over)
      over = cancel_at(&driver, start, key.text, step);
    else
      cancel_after(&driver, start, key.text, pauses[step % (int)PAUSES]);
    expect_whole(&driver, key.text, old);
    expect_nothing_else(fixture, 1);
    op_driver_fini(&driver);
    if (over && step < STEPS_MAX - 2 * (int)PAUSES)
      step = STEPS_MAX - 2 * (int)PAUSES;
  }
  fixture_need(fixture, over, "a put has no end");
}

static void puts_large(struct fixture *fixture) {
  run_put(fixture, start_put, "large", NULL);
}

static void puts_small(struct fixture *fixture) {
  run_put(fixture, start_small, "brief", NULL);
}

static void overwrites(struct fixture *fixture) {
  run_put(fixture, start_put, "old", &(struct sample){1, 5000});
}

/* ---- more than one ------------------------------------------------------ */

static void cancels_many(struct fixture *fixture) {
  static start_fn *const starts[] = {start_head, start_get,    start_put,
                                     start_list, start_remove, start_small};
  struct op_driver drivers[30];
  struct fixture_key key = fixture_key(fixture, "many");
  objects_put(fixture, key.text, (struct sample){1, LENGTH});
  for (int i = 0; i < 30; i++) {
    op_driver_init(&drivers[i], fixture);
    starts[i % 6](&drivers[i], key.text);
  }
  fixture_idle(fixture, 2);
  for (int i = 0; i < 30; i += 2)
    op_driver_leave(&drivers[i]);
  for (int i = 0; i < 30; i++) {
    op_driver_wait(&drivers[i]);
    op_driver_fini(&drivers[i]);
  }
  objects_remove(fixture, key.text);
}

static void put_leave(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "held");
  struct op_driver put;
  op_driver_init(&put, fixture);
  op_driver_start_put(&put, &(struct op_driver_put){.key = key.text,
                                                    .sample = {1, 1000},
                                                    .hold = true});
  op_driver_hold(&put);
  op_driver_leave(&put);
  op_driver_wait(&put);
  objects_expect_none(fixture, key.text);
  op_driver_fini(&put);
}

#define RULE                                                                \
  "Any time before done: end soon, undo what isn't committed.  SLUICE_OK "  \
  "says of a commit or a remove that it took place, as SLUICE_ENOENT does " \
  "of a remove; else the status of that sluice_done() doesn't matter."

const struct check cancel_checks[] = {
    {"cancel: of a head", RULE, cancels_heads, CHECK_USUAL},
    {"cancel: at every step of a get", RULE, get_steps, CHECK_USUAL},
    {"cancel: of a list", RULE, lists, CHECK_USUAL},
    {"cancel: of a ping", RULE, cancels_pings, CHECK_USUAL},
    {"cancel: of a remove", RULE, cancels_removes, CHECK_USUAL},
    {"cancel: of a remove_many", RULE, cancels_remove_many, CHECK_USUAL},
    {"cancel: at every step of a put, nothing is left", RULE, puts_large,
     CHECK_USUAL},
    {"cancel: of a small put, nothing is left", RULE, puts_small, CHECK_USUAL},
    {"cancel: of a put, the old object stays", RULE, overwrites, CHECK_USUAL},
    {"cancel: instead of the commit", RULE, put_leave, CHECK_USUAL},
    {"cancel: of some among many", RULE, cancels_many, CHECK_USUAL},
    {0}};

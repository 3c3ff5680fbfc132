/* SPDX-License-Identifier: MIT
 *
 * Checks with a storage that goes down and comes back, by the commands of
 * --down and --up: each operation ends, none tells a lie, and the plugin finds
 * the storage again by itself.
 */
#include "suite.h"

#include "clock.h"
#include "objects.h"
#include "outage_command.h"

#define LENGTH 300000
#define RETRY_MS 50

#define RULE_LIE "SLUICE_EUPSTREAM: the storage failed, or answered nonsense"
#define RULE_PING "Is the storage reachable?"

static void outages_run(struct fixture *fixture, const char *option,
                        const char *command) {
  int status = outage_command(command);
  fixture_need(fixture, status == 0, "%s: '%s' ended with status %d", option,
               command, status);
}

static void go_down(struct fixture *fixture) {
  outages_run(fixture, "--down", fixture->plan->down);
}

static void come_up(struct fixture *fixture) {
  outages_run(fixture, "--up", fixture->plan->up);
}

static void need_commands(struct fixture *fixture) {
  if (fixture->plan->down == NULL || fixture->plan->up == NULL)
    fixture_skip(fixture, "no --down and --up say how");
}

/* The operation failed, and says so by a status that is about the storage. */
static bool is_outage(enum sluice_status status) {
  static const enum sluice_status all[] = {SLUICE_EBUSY,     SLUICE_EIO,
                                           SLUICE_EUPSTREAM, SLUICE_ETIMEOUT,
                                           SLUICE_ENOSPC,    SLUICE_ENOMEM};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i] == status)
      return true;
  return false;
}

/* Right, from a cache perhaps, or a failure; ENOENT of an object that is there
 * would be a lie, and a client would believe it. */
static void need_truth(struct op_driver *driver) {
  fixture_need_by(driver->fixture,
                  driver->left || driver->status == SLUICE_OK ||
                      is_outage(driver->status),
                  RULE_LIE, "%s: ended with %s, while the storage was down",
                  driver->what, op_driver_word(driver->status));
}

/* ---- while it is down --------------------------------------------------- */

static void reads_fail(struct fixture *fixture, const char *key,
                       const struct sample *sample) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_head(&driver, key);
  op_driver_wait(&driver);
  need_truth(&driver);
  op_driver_fini(&driver);
  op_driver_init(&driver, fixture);
  op_driver_start_get(&driver, &(struct op_driver_get){.key = key,
                                                       .wanted = sample,
                                                       .wanted_count = 1});
  op_driver_wait(&driver);
  need_truth(&driver);
  op_driver_fini(&driver);
  op_driver_init(&driver, fixture);
  op_driver_list(&driver, &(struct sluice_list){.prefix = key, .max = 1000});
  op_driver_wait(&driver);
  need_truth(&driver);
  fixture_need_by(
      fixture, driver.status != SLUICE_OK || driver.entry_count == 1, RULE_LIE,
      "%s: ended with SLUICE_OK and %zu entries instead of 1, "
      "while the storage was down",
      driver.what, driver.entry_count);
  op_driver_fini(&driver);
}

static void ping_fails(struct fixture *fixture) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_ping(&driver);
  op_driver_wait(&driver);
  fixture_need_by(fixture, driver.status != SLUICE_OK, RULE_PING,
                  "ping: ended with SLUICE_OK, while the storage was down");
  op_driver_fini(&driver);
}

static enum sluice_status remove_fails(struct fixture *fixture,
                                       const char *key) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_remove(&driver, key);
  op_driver_wait(&driver);
  need_truth(&driver);
  enum sluice_status status = driver.status;
  op_driver_fini(&driver);
  return status;
}

static enum sluice_status put_fails(struct fixture *fixture, const char *key,
                                    struct sample sample) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_start_put(&driver,
                      &(struct op_driver_put){.key = key, .sample = sample});
  op_driver_wait(&driver);
  need_truth(&driver);
  enum sluice_status status = driver.status;
  op_driver_fini(&driver);
  return status;
}

/* ---- when it is back ---------------------------------------------------- */

/* It may take the plugin a moment to see it. */
static void wait_until_back(struct fixture *fixture) {
  uint64_t end = clock_ms() + (uint64_t)fixture->plan->patience_ms;
  for (;;) {
    struct op_driver driver;
    op_driver_init(&driver, fixture);
    op_driver_ping(&driver);
    op_driver_wait(&driver);
    bool back = driver.status == SLUICE_OK;
    fixture_need_by(fixture, back || clock_ms() < end, RULE_PING,
                    "ping: ended with %s%s%s %lld ms after the storage came "
                    "back",
                    op_driver_word(driver.status),
                    driver.why[0] == '\0' ? "" : ": ", driver.why,
                    (long long)fixture->plan->patience_ms);
    op_driver_fini(&driver);
    if (back)
      return;
    fixture_idle(fixture, RETRY_MS);
  }
}

/* A put or a remove that failed may have taken place all the same. */
static void expect_after(struct fixture *fixture, const char *key,
                         const struct sample *sample, bool surely_there,
                         bool surely_gone) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_start_get(&driver, &(struct op_driver_get){.key = key,
                                                       .wanted = sample,
                                                       .wanted_count = 1});
  op_driver_wait(&driver);
  bool gone = driver.status == SLUICE_ENOENT && !surely_there;
  bool there = driver.status == SLUICE_OK && !surely_gone;
  fixture_need_by(fixture, gone || there || driver.left, RULE_LIE,
                  "%s: ended with %s, and what was said while the storage was "
                  "down says otherwise",
                  driver.what, op_driver_word(driver.status));
  op_driver_fini(&driver);
}

static void no_lie(struct fixture *fixture) {
  struct fixture_key kept = fixture_key(fixture, "kept"),
                     put = fixture_key(fixture, "put"),
                     removed = fixture_key(fixture, "removed");
  const struct sample samples[] = {{1, 5000}, {2, LENGTH}, {3, 100}};
  need_commands(fixture);
  objects_put(fixture, kept.text, samples[0]);
  objects_put(fixture, removed.text, samples[2]);
  go_down(fixture);
  ping_fails(fixture);
  reads_fail(fixture, kept.text, &samples[0]);
  bool stored = put_fails(fixture, put.text, samples[1]) == SLUICE_OK;
  bool gone = remove_fails(fixture, removed.text) == SLUICE_OK;
  come_up(fixture);
  wait_until_back(fixture);
  objects_expect(fixture, kept.text, samples[0]);
  expect_after(fixture, put.text, &samples[1], stored, false);
  expect_after(fixture, removed.text, &samples[2], false, gone);
}

static void comes_back(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "back");
  need_commands(fixture);
  for (uint32_t i = 0; i < 2; i++) {
    const struct sample sample = {i, LENGTH};
    go_down(fixture);
    ping_fails(fixture);
    come_up(fixture);
    wait_until_back(fixture);
    objects_put(fixture, key.text, sample);
    objects_expect(fixture, key.text, sample);
  }
}

/* A get has sent something and a put was given all its bytes: both end, and
 * the object that was there is there. */
static void in_the_middle(struct fixture *fixture) {
  struct fixture_key kept = fixture_key(fixture, "middle"),
                     key = fixture_key(fixture, "halfway");
  const struct sample sample = {1, LENGTH}, other = {2, LENGTH};
  struct op_driver get, put;
  need_commands(fixture);
  objects_put(fixture, kept.text, sample);
  op_driver_init(&get, fixture);
  op_driver_init(&put, fixture);
  op_driver_start_put(
      &put,
      &(struct op_driver_put){.key = key.text, .sample = other, .hold = true});
  op_driver_start_get(&get, &(struct op_driver_get){.key = kept.text,
                                                    .slow = true,
                                                    .wanted = &sample,
                                                    .wanted_count = 1});
  op_driver_hold(&put);
  go_down(fixture);
  if (!put.over)
    op_driver_commit(&put);
  op_driver_wait(&get);
  need_truth(&get);
  op_driver_wait(&put);
  need_truth(&put);
  bool stored = put.status == SLUICE_OK;
  op_driver_fini(&get);
  op_driver_fini(&put);
  come_up(fixture);
  wait_until_back(fixture);
  objects_expect(fixture, kept.text, sample);
  expect_after(fixture, key.text, &other, stored, false);
}

const struct check outage_checks[] = {
    {"outage: every operation ends, and none tells a lie", RULE_LIE, no_lie,
     CHECK_OUTAGE},
    {"outage: a storage that comes back is found", RULE_PING, comes_back,
     CHECK_OUTAGE},
    {"outage: in the middle of a get and a put", RULE_LIE, in_the_middle,
     CHECK_OUTAGE},
    {0}};

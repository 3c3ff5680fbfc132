/* SPDX-License-Identifier: MIT
 *
 * Checks with much at once: on one loop, and on two loops of two threads.
 */
#include "suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "objects.h"
#include "round_trip.h"

#define AT_ONCE 32
#define ROUND_TRIPS 10

static void at_once(struct fixture *fixture) {
  struct op_driver drivers[AT_ONCE];
  struct fixture_key keys[AT_ONCE];
  struct sample samples[AT_ONCE];
  char name[32];
  for (uint32_t i = 0; i < AT_ONCE; i++) {
    snprintf(name, sizeof name, "%u", i);
    keys[i] = fixture_key(fixture, name);
    samples[i] = (struct sample){i, i * 5000};
    op_driver_init(&drivers[i], fixture);
    op_driver_start_put(
        &drivers[i],
        &(struct op_driver_put){.key = keys[i].text, .sample = samples[i]});
  }
  for (int i = 0; i < AT_ONCE; i++) {
    op_driver_wait(&drivers[i]);
    op_driver_expect(&drivers[i], SLUICE_OK);
    op_driver_fini(&drivers[i]);
    op_driver_init(&drivers[i], fixture);
    op_driver_start_get(&drivers[i],
                        &(struct op_driver_get){.key = keys[i].text,
                                                .wanted = &samples[i],
                                                .wanted_count = 1});
  }
  for (int i = 0; i < AT_ONCE; i++) {
    op_driver_wait(&drivers[i]);
    op_driver_expect(&drivers[i], SLUICE_OK);
    op_driver_fini(&drivers[i]);
  }
}

/* ---- two threads -------------------------------------------------------- */

struct other {
  const struct fixture *first;
  const char *tag;
};

static void round_trips(struct fixture *fixture, const char *tag) {
  for (int i = 0; i < ROUND_TRIPS; i++)
    round_trip_run(fixture, tag);
}

static void *loops_other_thread(void *arg) {
  const struct other *other = arg;
  struct fixture *fixture = malloc(sizeof *fixture);
  if (fixture == NULL)
    abort();
  fixture_open_second(fixture, other->first);
  round_trips(fixture, other->tag);
  fixture_close(fixture);
  free(fixture);
  return NULL;
}

static void loops_two_loops(struct fixture *fixture) {
  struct other other = {fixture, "second"};
  pthread_t thread;
  if (fixture->plan->one_loop)
    fixture_skip(fixture, "by --one-loop");
  if (pthread_create(&thread, NULL, loops_other_thread, &other) != 0)
    abort();
  round_trips(fixture, "first");
  pthread_join(thread, NULL);
}

/* An object that one loop stored is read by the other one. */
static void *reading_thread(void *arg) {
  const struct other *other = arg;
  struct fixture *fixture = malloc(sizeof *fixture);
  if (fixture == NULL)
    abort();
  fixture_open_second(fixture, other->first);
  objects_expect(fixture, fixture_key(fixture, "shared").text,
                 (struct sample){1, 70000});
  objects_put(fixture, fixture_key(fixture, "shared").text,
              (struct sample){2, 500});
  fixture_close(fixture);
  free(fixture);
  return NULL;
}

static void shared(struct fixture *fixture) {
  struct other other = {fixture, ""};
  pthread_t thread;
  if (fixture->plan->one_loop)
    fixture_skip(fixture, "by --one-loop");
  objects_put(fixture, fixture_key(fixture, "shared").text,
              (struct sample){1, 70000});
  if (pthread_create(&thread, NULL, reading_thread, &other) != 0)
    abort();
  pthread_join(thread, NULL);
  objects_expect(fixture, fixture_key(fixture, "shared").text,
                 (struct sample){2, 500});
}

#define RULE "A handle is used by one event loop only."

const struct check loop_checks[] = {
    {"loops: many operations at once on one", RULE, at_once, CHECK_USUAL},
    {"loops: two at once, in two threads", RULE, loops_two_loops, CHECK_USUAL},
    {"loops: one reads what the other stored", RULE, shared, CHECK_USUAL},
    {0}};

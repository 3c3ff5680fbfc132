/* SPDX-License-Identifier: MIT
 *
 * Checks with much at once: on one loop, and on two loops of two threads.
 */
#include "suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "objects.h"
#include "tour.h"

#define AT_ONCE 32
#define TOURS 10

static void at_once(struct lab *lab) {
  struct act acts[AT_ONCE];
  struct lab_key keys[AT_ONCE];
  struct sample samples[AT_ONCE];
  char name[32];
  for (uint32_t i = 0; i < AT_ONCE; i++) {
    snprintf(name, sizeof name, "%u", i);
    keys[i] = lab_key(lab, name);
    samples[i] = (struct sample){i, i * 5000};
    act_init(&acts[i], lab);
    act_start_put(&acts[i], &(struct act_put){.key = keys[i].text,
                                              .sample = samples[i]});
  }
  for (int i = 0; i < AT_ONCE; i++) {
    act_wait(&acts[i]);
    act_expect(&acts[i], SLUICE_OK);
    act_fini(&acts[i]);
    act_init(&acts[i], lab);
    act_start_get(&acts[i], &(struct act_get){.key = keys[i].text,
                                              .wanted = &samples[i],
                                              .wanted_count = 1});
  }
  for (int i = 0; i < AT_ONCE; i++) {
    act_wait(&acts[i]);
    act_expect(&acts[i], SLUICE_OK);
    act_fini(&acts[i]);
  }
}

/* ---- two threads -------------------------------------------------------- */

struct other {
  const struct lab *first;
  const char *tag;
};

static void tours(struct lab *lab, const char *tag) {
  for (int i = 0; i < TOURS; i++)
    tour_run(lab, tag);
}

static void *other_thread(void *arg) {
  const struct other *other = arg;
  struct lab *lab = malloc(sizeof *lab);
  if (lab == NULL)
    abort();
  lab_open_second(lab, other->first);
  tours(lab, other->tag);
  lab_close(lab);
  free(lab);
  return NULL;
}

static void two_loops(struct lab *lab) {
  struct other other = {lab, "second"};
  pthread_t thread;
  if (lab->plan->one_loop)
    lab_skip(lab, "by --one-loop");
  if (pthread_create(&thread, NULL, other_thread, &other) != 0)
    abort();
  tours(lab, "first");
  pthread_join(thread, NULL);
}

/* What one loop stored, the other one reads. */
static void *reading_thread(void *arg) {
  const struct other *other = arg;
  struct lab *lab = malloc(sizeof *lab);
  if (lab == NULL)
    abort();
  lab_open_second(lab, other->first);
  objects_expect(lab, lab_key(lab, "shared").text, (struct sample){1, 70000});
  objects_put(lab, lab_key(lab, "shared").text, (struct sample){2, 500});
  lab_close(lab);
  free(lab);
  return NULL;
}

static void shared(struct lab *lab) {
  struct other other = {lab, ""};
  pthread_t thread;
  if (lab->plan->one_loop)
    lab_skip(lab, "by --one-loop");
  objects_put(lab, lab_key(lab, "shared").text, (struct sample){1, 70000});
  if (pthread_create(&thread, NULL, reading_thread, &other) != 0)
    abort();
  pthread_join(thread, NULL);
  objects_expect(lab, lab_key(lab, "shared").text, (struct sample){2, 500});
}

#define RULE "A handle is used by one event loop only."

const struct check loop_checks[] = {
    {"loops: many operations at once on one", RULE, at_once, false},
    {"loops: two at once, in two threads", RULE, two_loops, false},
    {"loops: what one stored the other reads", RULE, shared, false},
    {NULL, NULL, NULL, false}};

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

/* Waits a little before it cancels, for what takes its time. */
static const int64_t pauses[] = {0, 1, 2, 3, 5, 8, 13};
#define PAUSES (sizeof pauses / sizeof *pauses)

/* How to start the operation that is canceled. */
typedef void start_fn(struct act *, const char *key);

static void start_head(struct act *act, const char *key) {
  act_head(act, key);
}

static void start_get(struct act *act, const char *key) {
  act_start_get(act, &(struct act_get){.key = key});
}

static void start_put(struct act *act, const char *key) {
  act_start_put(act, &(struct act_put){.key = key, .sample = {9, LENGTH}});
}

static void start_small(struct act *act, const char *key) {
  act_start_put(act, &(struct act_put){.key = key, .sample = {9, 20}});
}

static void start_list(struct act *act, const char *key) {
  act_list(act, &(struct sluice_list){.prefix = key, .max = 1000});
}

static void start_remove(struct act *act, const char *key) {
  act_remove(act, key);
}

static void start_ping(struct act *act, const char *key) {
  (void)key;
  act_ping(act);
}

/* True: it was over before that step. */
static bool cancel_at(struct act *act, start_fn *start, const char *key,
                      int step) {
  act->leave_at = step;
  start(act, key);
  act_wait(act);
  return !act->left;
}

static void cancel_after(struct act *act, start_fn *start, const char *key,
                         int64_t ms) {
  start(act, key);
  if (ms > 0)
    lab_idle(act->lab, ms);
  act_leave(act);
  act_wait(act);
}

/* ---- what may be read --------------------------------------------------- */

static void run_reader(struct lab *lab, start_fn *start, const char *name) {
  struct lab_key key = lab_key(lab, name);
  const struct sample sample = {1, LENGTH};
  bool over = false;
  objects_put(lab, key.text, sample);
  for (int step = 1; !over; step++) {
    struct act act;
    act_init(&act, lab);
    over = cancel_at(&act, start, key.text, step);
    act_fini(&act);
    lab_need(lab, step < STEPS_MAX, "%s: it has no end", name);
  }
  for (size_t i = 0; i < PAUSES; i++) {
    struct act act;
    act_init(&act, lab);
    cancel_after(&act, start, key.text, pauses[i]);
    act_fini(&act);
  }
  objects_expect(lab, key.text, sample);
}

static void heads(struct lab *lab) {
  run_reader(lab, start_head, "head");
}

static void get_steps(struct lab *lab) {
  run_reader(lab, start_get, "get");
}

static void lists(struct lab *lab) {
  run_reader(lab, start_list, "list");
}

static void pings(struct lab *lab) {
  run_reader(lab, start_ping, "ping");
}

static void removes(struct lab *lab) {
  struct lab_key key = lab_key(lab, "leaving");
  const struct sample sample = {1, 100};
  for (size_t i = 0; i <= PAUSES; i++) {
    struct act act;
    objects_put(lab, key.text, sample);
    act_init(&act, lab);
    if (i == PAUSES)
      cancel_at(&act, start_remove, key.text, 1);
    else
      cancel_after(&act, start_remove, key.text, pauses[i]);
    bool gone = act.status == SLUICE_OK || act.status == SLUICE_ENOENT;
    act_fini(&act);
    if (gone)
      objects_expect_none(lab, key.text);
    /* Gone or not, and then really. */
    objects_remove(lab, key.text);
    objects_expect_none(lab, key.text);
  }
}

/* ---- puts --------------------------------------------------------------- */

/* The commit was under way: the old object or the new one, and as the storage
 * may be far away, what is the old one now may be the new one soon. */
static void expect_either(struct act *put, const char *key,
                          const struct sample *old) {
  struct lab *lab = put->lab;
  const struct sample both[] = {put->put.sample,
                                old == NULL ? put->put.sample : *old};
  struct act get;
  act_init(&get, lab);
  act_start_get(
      &get, &(struct act_get){.key = key, .wanted = both, .wanted_count = 2});
  act_wait(&get);
  if (get.status != SLUICE_EPRECOND && (old != NULL || get.described))
    act_expect(&get, SLUICE_OK);
  act_fini(&get);
}

/* Before the commit nothing may have happened; after it all or nothing. */
static void expect_whole(struct act *put, const char *key,
                         const struct sample *old) {
  if (put->committed && put->status == SLUICE_OK)
    objects_expect(put->lab, key, put->put.sample);
  else if (put->committed)
    expect_either(put, key, old);
  else if (old != NULL)
    objects_expect(put->lab, key, *old);
  else
    objects_expect_none(put->lab, key);
}

static void expect_nothing_else(struct lab *lab, size_t most) {
  struct pages pages;
  pages_read(lab, &pages, lab_key(lab, "").text, NULL, 1000);
  lab_need(lab, pages.count <= most, "a canceled put left '%s' behind",
           pages.entries[0].key);
  pages_free(&pages);
}

static void run_put(struct lab *lab, start_fn *start, const char *name,
                    const struct sample *old) {
  struct lab_key key = lab_key(lab, name);
  bool over = false;
  for (int step = 1; !over || step < STEPS_MAX; step++) {
    struct act act;
    objects_remove(lab, key.text);
    if (old != NULL)
      objects_put(lab, key.text, *old);
    act_init(&act, lab);
    if (!over)
      over = cancel_at(&act, start, key.text, step);
    else
      cancel_after(&act, start, key.text, pauses[step % (int)PAUSES]);
    expect_whole(&act, key.text, old);
    expect_nothing_else(lab, 1);
    act_fini(&act);
    if (over && step < STEPS_MAX - 2 * (int)PAUSES)
      step = STEPS_MAX - 2 * (int)PAUSES;
  }
  lab_need(lab, over, "a put has no end");
}

static void puts_large(struct lab *lab) {
  run_put(lab, start_put, "large", NULL);
}

static void puts_small(struct lab *lab) {
  run_put(lab, start_small, "brief", NULL);
}

static void overwrites(struct lab *lab) {
  run_put(lab, start_put, "old", &(struct sample){1, 5000});
}

/* ---- more than one ------------------------------------------------------ */

static void many(struct lab *lab) {
  static start_fn *const starts[] = {start_head, start_get,    start_put,
                                     start_list, start_remove, start_small};
  struct act acts[30];
  struct lab_key key = lab_key(lab, "many");
  objects_put(lab, key.text, (struct sample){1, LENGTH});
  for (int i = 0; i < 30; i++) {
    act_init(&acts[i], lab);
    starts[i % 6](&acts[i], key.text);
  }
  lab_idle(lab, 2);
  for (int i = 0; i < 30; i += 2)
    act_leave(&acts[i]);
  for (int i = 0; i < 30; i++) {
    act_wait(&acts[i]);
    act_fini(&acts[i]);
  }
  objects_remove(lab, key.text);
}

static void put_leave(struct lab *lab) {
  struct lab_key key = lab_key(lab, "held");
  struct act put;
  act_init(&put, lab);
  act_start_put(&put, &(struct act_put){
                          .key = key.text, .sample = {1, 1000}, .hold = true});
  if (!lab_until(lab, &put.held))
    lab_fail(lab, "%s: not all chunks come back", put.what);
  act_leave(&put);
  act_wait(&put);
  objects_expect_none(lab, key.text);
  act_fini(&put);
}

#define RULE                                                                \
  "Any time before done: end soon, undo what isn't committed.  SLUICE_OK "  \
  "says of a commit or a remove that it took place, as SLUICE_ENOENT does " \
  "of a remove; else the status of that sluice_done() doesn't matter."

const struct check cancel_checks[] = {
    {"cancel: of a head", RULE, heads, false},
    {"cancel: at every step of a get", RULE, get_steps, false},
    {"cancel: of a list", RULE, lists, false},
    {"cancel: of a ping", RULE, pings, false},
    {"cancel: of a remove", RULE, removes, false},
    {"cancel: at every step of a put, nothing is left", RULE, puts_large,
     false},
    {"cancel: of a small put, nothing is left", RULE, puts_small, false},
    {"cancel: of a put, the old object stays", RULE, overwrites, false},
    {"cancel: instead of the commit", RULE, put_leave, false},
    {"cancel: of some among many", RULE, many, false},
    {NULL, NULL, NULL, false}};

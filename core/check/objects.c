/* SPDX-License-Identifier: MIT
 *
 * Operations from their start to their end.
 */
#include "objects.h"

enum sluice_status objects_try(struct lab *lab, const struct act_put *put) {
  struct act act;
  act_init(&act, lab);
  act_start_put(&act, put);
  act_wait(&act);
  enum sluice_status status = act.status;
  lab_need(lab, status != SLUICE_OK || act.committed,
           "%s: done with SLUICE_OK before commit()", act.what);
  act_fini(&act);
  return status;
}

void objects_put(struct lab *lab, const char *key, struct sample sample) {
  struct act act;
  act_init(&act, lab);
  act_start_put(&act, &(struct act_put){.key = key, .sample = sample});
  act_wait(&act);
  act_expect(&act, SLUICE_OK);
  lab_need(lab, act.committed, "%s: done with SLUICE_OK before commit()",
           act.what);
  act_fini(&act);
}

void objects_head(struct lab *lab, const char *key, struct act *out) {
  act_init(out, lab);
  act_head(out, key);
  act_wait(out);
  act_expect(out, SLUICE_OK);
  lab_need(lab, out->described, "%s: done without sluice_meta()", out->what);
}

void objects_expect(struct lab *lab, const char *key, struct sample sample) {
  struct act act;
  objects_head(lab, key, &act);
  lab_need(lab, act.meta.length == sample.length,
           "%s: the meta says %llu bytes, and %llu were stored", act.what,
           (unsigned long long)act.meta.length,
           (unsigned long long)sample.length);
  act_fini(&act);
  act_init(&act, lab);
  act_start_get(&act, &(struct act_get){
                          .key = key, .wanted = &sample, .wanted_count = 1});
  act_wait(&act);
  act_expect(&act, SLUICE_OK);
  lab_need(lab, act.described, "%s: done without sluice_meta()", act.what);
  act_fini(&act);
}

void objects_expect_none(struct lab *lab, const char *key) {
  struct act act;
  act_init(&act, lab);
  act_head(&act, key);
  act_wait(&act);
  act_expect(&act, SLUICE_ENOENT);
  act_fini(&act);
  act_init(&act, lab);
  act_start_get(&act, &(struct act_get){.key = key});
  act_wait(&act);
  lab_need(lab, !act.left, "%s: a meta came of what isn't there", act.what);
  act_expect(&act, SLUICE_ENOENT);
  act_fini(&act);
}

void objects_remove(struct lab *lab, const char *key) {
  struct act act;
  act_init(&act, lab);
  act_remove(&act, key);
  act_wait(&act);
  act_expect(&act, SLUICE_OK);
  act_fini(&act);
}

/* SPDX-License-Identifier: MIT
 *
 * Operations from their start to their end.
 */
#include "objects.h"

#include "rules.h"

enum sluice_status objects_try(struct fixture *fixture,
                               const struct op_driver_put *put) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_start_put(&driver, put);
  op_driver_wait(&driver);
  enum sluice_status status = driver.status;
  fixture_need_by(fixture, status != SLUICE_OK || driver.committed,
                  RULE_COMMIT_FIRST, "%s: done with SLUICE_OK before commit()",
                  driver.what);
  op_driver_fini(&driver);
  return status;
}

void objects_put(struct fixture *fixture, const char *key,
                 struct sample sample) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_start_put(&driver,
                      &(struct op_driver_put){.key = key, .sample = sample});
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_OK);
  fixture_need_by(fixture, driver.committed, RULE_COMMIT_FIRST,
                  "%s: done with SLUICE_OK before commit()", driver.what);
  op_driver_fini(&driver);
}

void objects_head(struct fixture *fixture, const char *key,
                  struct op_driver *out) {
  op_driver_init(out, fixture);
  op_driver_head(out, key);
  op_driver_wait(out);
  op_driver_expect(out, SLUICE_OK);
  fixture_need_by(fixture, out->described, RULE_META,
                  "%s: done without sluice_meta()", out->what);
}

void objects_expect(struct fixture *fixture, const char *key,
                    struct sample sample) {
  struct op_driver driver;
  objects_head(fixture, key, &driver);
  fixture_need(fixture, driver.meta.length == sample.length,
               "%s: the meta says %llu bytes, and %llu were stored",
               driver.what, (unsigned long long)driver.meta.length,
               (unsigned long long)sample.length);
  op_driver_fini(&driver);
  op_driver_init(&driver, fixture);
  op_driver_start_get(&driver, &(struct op_driver_get){.key = key,
                                                       .wanted = &sample,
                                                       .wanted_count = 1});
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_OK);
  fixture_need_by(fixture, driver.described, RULE_META,
                  "%s: done without sluice_meta()", driver.what);
  op_driver_fini(&driver);
}

void objects_expect_none(struct fixture *fixture, const char *key) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_head(&driver, key);
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_ENOENT);
  op_driver_fini(&driver);
  op_driver_init(&driver, fixture);
  op_driver_start_get(&driver, &(struct op_driver_get){.key = key});
  op_driver_wait(&driver);
  fixture_need(fixture, !driver.left, "%s: a meta came of what isn't there",
               driver.what);
  op_driver_expect(&driver, SLUICE_ENOENT);
  op_driver_fini(&driver);
}

void objects_remove(struct fixture *fixture, const char *key) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_remove(&driver, key);
  op_driver_wait(&driver);
  op_driver_expect(&driver, SLUICE_OK);
  op_driver_fini(&driver);
}

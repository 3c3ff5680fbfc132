/* SPDX-License-Identifier: MIT
 *
 * A wish keeps what it was told, whatever becomes of the words it was given.
 */
#include "wish.h"

#include <string.h>

#include "budget.h"
#include "loop.h"
#include "op.h"
#include "unit.h"

#define MEMORY 65536

struct lent { /* of a caller, who uses it again */
  char key[16], type[16], md5[40], name[16], value[16];
  struct sluice_pair user[2];
  struct sluice_object object;
};

static void lend(struct lent *lent) {
  *lent = (struct lent){.key = "a/b",
                        .type = "text/plain",
                        .md5 = "d41d8cd98f00b204e9800998ecf8427e",
                        .name = "original-name",
                        .value = "b.txt"};
  lent->user[0] = (struct sluice_pair){lent->name, lent->value};
  lent->object = (struct sluice_object){.key = lent->key,
                                        .type = lent->type,
                                        .length = 7,
                                        .md5 = lent->md5,
                                        .user = lent->user,
                                        .exclusive = true};
}

static void check_object(const struct sluice_object *object) {
  CU_ASSERT_STRING_EQUAL(object->key, "a/b");
  CU_ASSERT_STRING_EQUAL(object->type, "text/plain");
  CU_ASSERT_STRING_EQUAL(object->md5, "d41d8cd98f00b204e9800998ecf8427e");
  CU_ASSERT_STRING_EQUAL(object->user[0].name, "original-name");
  CU_ASSERT_STRING_EQUAL(object->user[0].value, "b.txt");
  CU_ASSERT_PTR_NULL(object->user[1].name);
  CU_ASSERT_EQUAL(object->length, 7);
  CU_ASSERT_TRUE(object->exclusive);
  CU_ASSERT_PTR_NULL(object->if_match);
}

struct rig {
  struct loop *loop;
  struct budget memory;
  struct sluice_host host;
};

static void rig_begin(struct rig *rig) {
  *rig = (struct rig){.loop = loop_new(), .host = {.name = "test"}};
  CU_ASSERT_PTR_NOT_NULL_FATAL(rig->loop);
  rig->host.loop = rig->loop;
  atomic_init(&rig->memory.free, MEMORY);
  rig->host.memory = &rig->memory;
}

/* All that was taken is back. */
static void rig_end(struct rig *rig) {
  CU_ASSERT_EQUAL(atomic_load(&rig->memory.free), MEMORY);
  loop_free(rig->loop);
}

/* A copy of what is lent, which is overwritten then. */
static struct wish *kept(struct rig *rig, const struct wish *wish,
                         struct lent *lent) {
  struct wish *copy = wish_keep(wish, &rig->host);
  CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
  memset(lent, 'x', sizeof *lent);
  return copy;
}

static void test_object_that_a_put_is_told_is_kept(void) {
  struct rig rig;
  struct lent lent;
  rig_begin(&rig);
  lend(&lent);
  struct wish put = {.kind = WISH_PUT,
                     .of.put = {.length = 7, .object = &lent.object}};
  struct wish *copy = kept(&rig, &put, &lent);
  CU_ASSERT_EQUAL(copy->of.put.length, 7);
  check_object(copy->of.put.object);
  wish_free(copy, &rig.host);
  rig_end(&rig);
}

static void test_put_that_is_told_nothing_stays_so(void) {
  struct rig rig;
  struct lent lent;
  rig_begin(&rig);
  struct wish put = {.kind = WISH_PUT, .of.put = {.length = -1}};
  struct wish *copy = kept(&rig, &put, &lent);
  CU_ASSERT_PTR_NULL(copy->of.put.object);
  wish_free(copy, &rig.host);
  rig_end(&rig);
}

static void test_object_of_a_stage_is_kept(void) {
  struct rig rig;
  struct lent lent;
  rig_begin(&rig);
  lend(&lent);
  struct wish stage = {.kind = WISH_STAGE,
                       .of.stage = {.object = &lent.object}};
  struct wish *copy = kept(&rig, &stage, &lent);
  check_object(copy->of.stage.object);
  wish_free(copy, &rig.host);
  rig_end(&rig);
}

static void test_copy_that_has_no_room_is_none(void) {
  struct rig rig;
  struct lent lent;
  rig_begin(&rig);
  lend(&lent);
  struct wish put = {.kind = WISH_PUT, .of.put = {.object = &lent.object}};
  atomic_store(&rig.memory.free, 64);
  CU_ASSERT_PTR_NULL(wish_keep(&put, &rig.host));
  atomic_store(&rig.memory.free, MEMORY);
  rig_end(&rig);
}

static const struct unit_test tests[] = {
    UNIT(test_object_that_a_put_is_told_is_kept),
    UNIT(test_put_that_is_told_nothing_stays_so),
    UNIT(test_object_of_a_stage_is_kept),
    UNIT(test_copy_that_has_no_room_is_none),
    {NULL, NULL},
};

int main(void) {
  return unit_main("wish", tests);
}

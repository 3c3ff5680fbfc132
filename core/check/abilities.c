/* SPDX-License-Identifier: MIT
 *
 * Checks of what can() claims: each of its bits is tried, and what isn't
 * claimed is skipped.
 */
#include "suite.h"

#include <stdio.h>
#include <string.h>

#include "objects.h"

#define RIVALS 8
#define MANY 40
#define LARGE_LENGTH 100000 /* of one that may be kept in another way */

static const struct sluice_pair user[] = {
    {"original-filename", "Plan B.txt"}, {"uploaded-by", "ann"}, {NULL, NULL}};

static unsigned abilities_of(const struct fixture *fixture) {
  return fixture_can(fixture);
}

static void need_ability(struct fixture *fixture, unsigned bit,
                         const char *name) {
  if ((abilities_of(fixture) & bit) == 0)
    fixture_skip(fixture, "can() doesn't claim SLUICE_CAN_%s", name);
}

static void expect_status(struct fixture *fixture, const struct op_driver *it,
                          enum sluice_status wanted, const char *when) {
  fixture_need(fixture, it->status == wanted, "%s: %s, it ended with %s",
               it->what, when, op_driver_word(it->status));
}

static struct fixture_key etag_of(struct fixture *fixture, const char *key) {
  struct fixture_key etag;
  struct op_driver head;
  objects_head(fixture, key, &head);
  fixture_need(fixture, head.meta.etag != NULL,
               "%s: what has conditions has an ETag", head.what);
  snprintf(etag.text, sizeof etag.text, "%s", head.meta.etag);
  op_driver_fini(&head);
  return etag;
}

/* ---- the claims --------------------------------------------------------- */

static void claims(struct fixture *fixture) {
  const struct sluice_backend *backend = fixture->backend;
  unsigned bits = abilities_of(fixture);
  if (backend->can == NULL)
    fixture_skip(fixture, "it has no can()");
  fixture_need(fixture, bits < 2 * SLUICE_CAN_END,
               "can() says %#x, which has bits of no ability", bits);
  fixture_need(fixture, !(bits & SLUICE_CAN_REMOVE) || backend->remove_if,
               "can() claims SLUICE_CAN_REMOVE, and there is no remove_if()");
  fixture_need(fixture, !(bits & SLUICE_CAN_COPY) || backend->copy,
               "can() claims SLUICE_CAN_COPY, and there is no copy()");
  fixture_need(fixture,
               !(bits & SLUICE_CAN_COPY_NEW) || bits & SLUICE_CAN_COPY,
               "can() claims SLUICE_CAN_COPY_NEW without SLUICE_CAN_COPY");
}

/* ---- commits ------------------------------------------------------------ */

/* All of them have all bytes before the first commit; just one is taken. */
static void rivals(struct fixture *fixture, struct op_driver_put put,
                   enum sluice_status lost) {
  struct op_driver puts[RIVALS];
  int winner = -1;
  put.hold = true;
  for (uint32_t i = 0; i < RIVALS; i++) {
    put.sample.seed = 10 + i;
    op_driver_init(&puts[i], fixture);
    op_driver_start_put(&puts[i], &put);
  }
  for (int i = 0; i < RIVALS; i++)
    op_driver_hold(&puts[i]);
  for (int i = 0; i < RIVALS; i++)
    op_driver_commit(&puts[i]);
  for (int i = 0; i < RIVALS; i++) {
    op_driver_wait(&puts[i]);
    if (puts[i].status != SLUICE_OK)
      expect_status(fixture, &puts[i], lost, "as another was faster");
    fixture_need(fixture, puts[i].status != SLUICE_OK || winner < 0,
                 "two of %d commits with one condition ended with SLUICE_OK",
                 RIVALS);
    if (puts[i].status == SLUICE_OK)
      winner = i;
  }
  fixture_need(fixture, winner >= 0, "of %d commits none was taken", RIVALS);
  objects_expect(fixture, put.key, puts[winner].put.sample);
  for (int i = 0; i < RIVALS; i++)
    op_driver_fini(&puts[i]);
}

static void creates(struct fixture *fixture) {
  static const uint64_t lengths[] = {10, 100000};
  struct fixture_key key = fixture_key(fixture, "creates");
  need_ability(fixture, SLUICE_CAN_CREATE, "CREATE");
  for (int i = 0; i < 2; i++) {
    rivals(fixture,
           (struct op_driver_put){
               .key = key.text, .sample = {0, lengths[i]}, .exclusive = true},
           SLUICE_EEXIST);
    objects_remove(fixture, key.text);
  }
}

/* Also what is taken back, and not stored. */
static void rereads(struct fixture *fixture) {
  static const uint64_t lengths[] = {1, 10, 16384, 16385, 300000};
  struct fixture_key key = fixture_key(fixture, "rereads");
  need_ability(fixture, SLUICE_CAN_REREAD, "REREAD");
  for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    struct op_driver put;
    const struct sample sample = {i, lengths[i]};
    const struct op_driver_put wanted = {
        .key = key.text, .sample = sample, .rereads = true};
    enum sluice_status status = objects_try(fixture, &wanted);
    fixture_need(fixture, status == SLUICE_OK,
                 "a put that was read again ended with %s",
                 op_driver_word(status));
    objects_expect(fixture, key.text, sample);
    objects_remove(fixture, key.text);
    op_driver_init(&put, fixture);
    op_driver_start_put(&put, &(struct op_driver_put){.key = key.text,
                                                      .sample = sample,
                                                      .rereads = true,
                                                      .hold = true});
    op_driver_hold(&put);
    op_driver_leave(&put);
    op_driver_wait(&put);
    op_driver_fini(&put);
    objects_expect_none(fixture, key.text);
  }
}

/* Many bytes, as a backend may wait for some before it sends any; the last
 * time they are taken back. */
static void goes_early(struct fixture *fixture) {
  static const uint64_t lengths[] = {10, 300000, 20000000};
  struct fixture_key key = fixture_key(fixture, "early");
  need_ability(fixture, SLUICE_CAN_EARLY, "EARLY");
  for (uint32_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    struct op_driver put;
    const struct sample sample = {i, lengths[i]};
    struct op_driver_put wanted = {.key = key.text,
                                   .sample = sample,
                                   .chunk = 1 << 20,
                                   .hinted = true,
                                   .early = true,
                                   .exclusive = true,
                                   .user = user};
    enum sluice_status status = objects_try(fixture, &wanted);
    fixture_need(fixture, status == SLUICE_OK,
                 "a put that was told its object ended with %s",
                 op_driver_word(status));
    objects_expect(fixture, key.text, sample);
    objects_remove(fixture, key.text);
    wanted.hold = true;
    op_driver_init(&put, fixture);
    op_driver_start_put(&put, &wanted);
    op_driver_hold(&put);
    objects_expect_none(fixture, key.text);
    op_driver_leave(&put);
    op_driver_wait(&put);
    op_driver_fini(&put);
    objects_expect_none(fixture, key.text);
  }
}

static void replaces(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "replaces");
  const struct sample old = {1, 5000}, new = {2, 70000};
  struct op_driver_put put = {
      .key = key.text, .sample = new, .if_match = "another"};
  need_ability(fixture, SLUICE_CAN_REPLACE, "REPLACE");
  enum sluice_status status = objects_try(fixture, &put);
  fixture_need(fixture, status == SLUICE_EPRECOND || status == SLUICE_ENOENT,
               "a commit with if_match of a free key ended with %s",
               op_driver_word(status));
  objects_expect_none(fixture, key.text);
  objects_put(fixture, key.text, old);
  status = objects_try(fixture, &put);
  fixture_need(fixture, status == SLUICE_EPRECOND,
               "a commit with another ETag in if_match ended with %s",
               op_driver_word(status));
  objects_expect(fixture, key.text, old);
  struct fixture_key etag = etag_of(fixture, key.text);
  put.if_match = etag.text;
  rivals(fixture, put, SLUICE_EPRECOND);
}

static void expect_before(struct fixture *fixture, const struct op_driver *it,
                          int before) {
  static const char *const words[] = {"UNKNOWN", "FREE", "THERE"};
  expect_status(fixture, it, SLUICE_OK, "without a condition");
  fixture_need(fixture, it->described && it->before == before,
               "%s: before is SLUICE_BEFORE_%s instead of %s", it->what,
               words[it->described ? (unsigned)it->before % 3 : 0],
               words[before]);
}

static void tells(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "tells");
  static const uint64_t lengths[] = {10, 100000};
  need_ability(fixture, SLUICE_CAN_TELL, "TELL");
  for (int i = 0; i < 4; i++) {
    struct op_driver put;
    op_driver_init(&put, fixture);
    op_driver_start_put(
        &put, &(struct op_driver_put){.key = key.text,
                                      .sample = {1, lengths[i / 2]}});
    op_driver_wait(&put);
    expect_before(fixture, &put,
                  i % 2 == 0 ? SLUICE_BEFORE_FREE : SLUICE_BEFORE_THERE);
    struct fixture_key etag = etag_of(fixture, key.text);
    fixture_need(fixture,
                 put.meta.etag != NULL &&
                     strcmp(put.meta.etag, etag.text) == 0,
                 "%s: its meta has the ETag '%s', and head() '%s'", put.what,
                 put.meta.etag == NULL ? "" : put.meta.etag, etag.text);
    op_driver_fini(&put);
    if (i % 2 == 1)
      objects_remove(fixture, key.text);
  }
}

/* ---- remove_if ---------------------------------------------------------- */

static enum sluice_status try_remove(struct fixture *fixture,
                                     const struct sluice_removal *removal) {
  struct op_driver driver;
  op_driver_init(&driver, fixture);
  op_driver_remove_if(&driver, removal);
  op_driver_wait(&driver);
  enum sluice_status status = driver.status;
  op_driver_fini(&driver);
  return status;
}

static void abilities_removes(struct fixture *fixture) {
  struct fixture_key key = fixture_key(fixture, "removes");
  const struct sample old = {1, 100}, new = {2, 100};
  need_ability(fixture, SLUICE_CAN_REMOVE, "REMOVE");
  objects_put(fixture, key.text, old);
  struct fixture_key etag = etag_of(fixture, key.text);
  objects_put(fixture, key.text, new);
  const struct sluice_removal was = {.key = key.text, .if_match = etag.text};
  enum sluice_status status = try_remove(fixture, &was);
  fixture_need(fixture, status == SLUICE_EPRECOND,
               "remove_if() of what was replaced ended with %s",
               op_driver_word(status));
  objects_expect(fixture, key.text, new);
  struct fixture_key fresh = etag_of(fixture, key.text);
  const struct sluice_removal own = {.key = key.text, .if_match = fresh.text};
  status = try_remove(fixture, &own);
  fixture_need(fixture, status == SLUICE_OK,
               "remove_if() with the object's ETag ended with %s",
               op_driver_word(status));
  objects_expect_none(fixture, key.text);
  status = try_remove(fixture, &own);
  fixture_need(fixture,
               status == SLUICE_ENOENT || status == SLUICE_EPRECOND ||
                   status == SLUICE_OK, /* some storages can't tell */
               "remove_if() of an absent object ended with %s",
               op_driver_word(status));
}

/* ---- what has ended ----------------------------------------------------- */

static void expect_removal(struct fixture *fixture,
                           const struct sluice_removal *removal,
                           enum sluice_status want, const char *of) {
  enum sluice_status status = try_remove(fixture, removal);
  fixture_need(fixture, status == want,
               "remove_if() with if_ended of what %s ended with %s", of,
               op_driver_word(status));
}

static void after_end(struct fixture *fixture) {
  static const struct sluice_pair over[] = {{"sluice-expires", "1"},
                                            {NULL, NULL}};
  struct fixture_key key = fixture_key(fixture, "ends");
  struct op_driver_put put = {
      .key = key.text, .sample = {1, 100}, .user = over};
  need_ability(fixture, SLUICE_CAN_END, "END");
  need_ability(fixture, SLUICE_CAN_REMOVE, "REMOVE");
  objects_put(fixture, key.text, put.sample);
  struct fixture_key etag = etag_of(fixture, key.text);
  const struct sluice_removal removal = {
      .key = key.text, .if_match = "*", .if_ended = true};
  expect_removal(fixture, &removal, SLUICE_EPRECOND, "lives");
  objects_expect(fixture, key.text, put.sample);
  objects_try(fixture, &put);
  put.user = NULL;
  put.if_match = etag.text;
  enum sluice_status status = objects_try(fixture, &put);
  fixture_need(fixture, status == SLUICE_EPRECOND || status == SLUICE_ENOENT,
               "a commit with if_match of what has ended ended with %s",
               op_driver_word(status));
  expect_removal(fixture, &removal, SLUICE_OK, "has ended");
  put.user = over;
  put.if_match = NULL;
  objects_try(fixture, &put);
  put.user = NULL;
  put.exclusive = true;
  rivals(fixture, put, SLUICE_EEXIST);
}

/* ---- copy --------------------------------------------------------------- */

static void begin_copy(struct fixture *fixture, struct op_driver *driver,
                       const struct sluice_copy *copy) {
  op_driver_init(driver, fixture);
  op_driver_copy(driver, copy);
  op_driver_wait(driver);
}

static void expect_user(struct fixture *fixture, const struct op_driver *of) {
  for (size_t i = 0; user[i].name != NULL; i++) {
    bool found = false;
    for (size_t k = 0; k < of->user_count; k++)
      found = found || (strcmp(of->names[k], user[i].name) == 0 &&
                        strcmp(of->values[k], user[i].value) == 0);
    fixture_need(fixture, found, "%s: the copy has no '%s' with '%s'",
                 of->what, user[i].name, user[i].value);
  }
}

static void copies(struct fixture *fixture) {
  static const uint64_t lengths[] = {0, 10, 300000};
  struct fixture_key from = fixture_key(fixture, "from");
  struct fixture_key to = fixture_key(fixture, "copied");
  const struct sluice_copy copy = {.from = from.text, .to = to.text};
  struct op_driver it;
  need_ability(fixture, SLUICE_CAN_COPY, "COPY");
  for (uint32_t i = 0; i < 3; i++) {
    const struct sample sample = {i, lengths[i]};
    enum sluice_status status =
        objects_try(fixture, &(struct op_driver_put){.key = from.text,
                                                     .sample = sample,
                                                     .type = "text/css",
                                                     .user = user});
    fixture_need(fixture, status == SLUICE_OK, "a put ended with %s",
                 op_driver_word(status));
    begin_copy(fixture, &it, &copy);
    expect_status(fixture, &it, SLUICE_OK, "of an object");
    fixture_need(fixture, it.described && it.meta.length == sample.length,
                 "%s: no sluice_meta(), or with another length", it.what);
    op_driver_fini(&it);
    objects_expect(fixture, to.text, sample);
    objects_expect(fixture, from.text, sample);
    objects_head(fixture, to.text, &it);
    fixture_need(fixture, it.type != NULL && strcmp(it.type, "text/css") == 0,
                 "%s: the copy has another type", it.what);
    expect_user(fixture, &it);
    op_driver_fini(&it);
  }
  objects_remove(fixture, from.text);
  objects_expect(fixture, to.text, (struct sample){2, lengths[2]});
  begin_copy(fixture, &it, &copy);
  expect_status(fixture, &it, SLUICE_ENOENT, "of an absent object");
  op_driver_fini(&it);
}

static void copies_what_matches(struct fixture *fixture) {
  struct fixture_key from = fixture_key(fixture, "from");
  struct fixture_key to = fixture_key(fixture, "matched");
  struct op_driver it;
  need_ability(fixture, SLUICE_CAN_COPY, "COPY");
  objects_put(fixture, from.text, (struct sample){1, 1000});
  struct fixture_key etag = etag_of(fixture, from.text);
  objects_put(fixture, from.text, (struct sample){2, 1000});
  begin_copy(fixture, &it,
             &(struct sluice_copy){
                 .from = from.text, .to = to.text, .if_match = etag.text});
  expect_status(fixture, &it, SLUICE_EPRECOND, "of what was replaced");
  op_driver_fini(&it);
  objects_expect_none(fixture, to.text);
  etag = etag_of(fixture, from.text);
  begin_copy(fixture, &it,
             &(struct sluice_copy){
                 .from = from.text, .to = to.text, .if_match = etag.text});
  expect_status(fixture, &it, SLUICE_OK, "with its ETag");
  op_driver_fini(&it);
  objects_expect(fixture, to.text, (struct sample){2, 1000});
}

static void copies_to_free_keys(struct fixture *fixture) {
  struct fixture_key from = fixture_key(fixture, "from");
  struct fixture_key to = fixture_key(fixture, "spared");
  struct sluice_copy copy = {
      .from = from.text, .to = to.text, .exclusive = true};
  struct op_driver it;
  need_ability(fixture, SLUICE_CAN_COPY_NEW, "COPY_NEW");
  objects_put(fixture, from.text, (struct sample){1, 1000});
  objects_put(fixture, to.text, (struct sample){2, 1000});
  begin_copy(fixture, &it, &copy);
  expect_status(fixture, &it, SLUICE_EEXIST, "to a key that is taken");
  op_driver_fini(&it);
  objects_expect(fixture, to.text, (struct sample){2, 1000});
  objects_remove(fixture, to.text);
  begin_copy(fixture, &it, &copy);
  expect_status(fixture, &it, SLUICE_OK, "to a free key");
  op_driver_fini(&it);
}

static void copies_tell(struct fixture *fixture) {
  struct fixture_key from = fixture_key(fixture, "from");
  struct fixture_key to = fixture_key(fixture, "copytold");
  need_ability(fixture, SLUICE_CAN_COPY, "COPY");
  need_ability(fixture, SLUICE_CAN_TELL, "TELL");
  objects_put(fixture, from.text, (struct sample){1, 1000});
  for (int i = 0; i < 2; i++) {
    struct op_driver it;
    begin_copy(fixture, &it,
               &(struct sluice_copy){.from = from.text, .to = to.text});
    expect_before(fixture, &it,
                  i == 0 ? SLUICE_BEFORE_FREE : SLUICE_BEFORE_THERE);
    op_driver_fini(&it);
  }
}

/* ---- remove_many -------------------------------------------------------- */

static void removes_many(struct fixture *fixture) {
  struct fixture_key keys[MANY];
  const char *texts[MANY];
  struct op_driver it;
  if (fixture->backend->remove_many == NULL)
    fixture_skip(fixture, "it has no remove_many()");
  for (int i = 0; i < MANY; i++) {
    char name[16];
    snprintf(name, sizeof name, "many/%d", i);
    keys[i] = fixture_key(fixture, name);
    texts[i] = keys[i].text;
    if (i % 5 != 4) /* the others are absent */
      objects_put(fixture, texts[i],
                  (struct sample){1, i % 5 == 3 ? LARGE_LENGTH : 10});
  }
  struct fixture_key beside = fixture_key(fixture, "many/100");
  objects_put(fixture, beside.text, (struct sample){1, 10});
  op_driver_init(&it, fixture);
  op_driver_remove_many(&it, texts, MANY);
  op_driver_wait(&it);
  expect_status(fixture, &it, SLUICE_OK, "of keys like others");
  fixture_need(fixture, it.failures == 0,
               "%s: sluice_failed() of %zu of %d keys like others", it.what,
               it.failures, MANY);
  op_driver_fini(&it);
  for (int i = 0; i < MANY; i++)
    objects_expect_none(fixture, texts[i]);
  objects_expect(fixture, beside.text, (struct sample){1, 10});
  objects_remove(fixture, beside.text);
}

#define CAN                                                                 \
  "a backend decides this together with the write, so that of many at once" \
  " one succeeds"

const struct check ability_checks[] = {
    {"can: no more than there are entries for",
     "NULL in a descriptor means \"not offered\"", claims, CHECK_USUAL},
    {"can: of many exclusive commits one wins", CAN, creates, CHECK_USUAL},
    {"can: if_match of a commit", CAN, replaces, CHECK_USUAL},
    {"can: a put gives its bytes back",
     "read() comes for all of them, once at most; sluice_send() of one chunk, "
     "which is the last; after its more(): sluice_next()",
     rereads, CHECK_USUAL},
    {"can: a put may be told its object",
     "nobody sees them there: bytes that a put sends before commit()",
     goes_early, CHECK_USUAL},
    {"can: a commit tells what was there",
     "sluice_meta() of a commit or a copy has `before`", tells, CHECK_USUAL},
    {"can: remove_if removes what has the ETag",
     "done; SLUICE_ENOENT, SLUICE_EPRECOND: nothing was removed",
     abilities_removes, CHECK_USUAL},
    {"can: what has ended isn't there",
     "no other than what has ended: SLUICE_CAN_END", after_end, CHECK_USUAL},
    {"can: a copy has the bytes, the type and the metadata",
     "The object with its type and metadata: sluice_meta() of the new one, "
     "done; SLUICE_ENOENT: there is no `from`.",
     copies, CHECK_USUAL},
    {"can: if_match of a copy",
     "if_match: the ETag that `from` must have: SLUICE_EPRECOND",
     copies_what_matches, CHECK_USUAL},
    {"can: an exclusive copy doesn't replace",
     "exclusive: refuse to replace `to`: SLUICE_EEXIST", copies_to_free_keys,
     CHECK_USUAL},
    {"can: a copy tells what was there",
     "sluice_meta() of a commit or a copy has `before`", copies_tell,
     CHECK_USUAL},
    {"remove_many: each key is gone, or told of",
     "Removes up to 1000 keys: sluice_failed() for each that couldn't be, "
     "done.  What isn't there counts as removed.",
     removes_many, CHECK_USUAL},
    {0}};

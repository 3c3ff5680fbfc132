/* SPDX-License-Identifier: MIT
 *
 * One buffer, which is the plugin's until it says that it wants more.
 */
#include "stage_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "digest.h"
#include "op_driver.h"
#include "rules.h"

#define CHUNK 65536
#define POISON 0xdd

void stage_driver_init(struct stage_driver *driver, struct fixture *fixture) {
  *driver = (struct stage_driver){.fixture = fixture};
  driver->buffer = malloc(CHUNK);
  if (driver->buffer == NULL)
    abort();
}

/* ---- what the plugin says ----------------------------------------------- */

static void heard(struct stage_driver *driver, bool answer) {
  fixture_heard(driver->fixture, answer);
  driver->answered |= answer;
}

static void on_staged(void *arg, const struct sluice_staged *staged) {
  struct stage_driver *driver = arg;
  const char *id = op_text(driver->op, 0);
  heard(driver, true);
  if (id != NULL)
    snprintf(driver->id, sizeof driver->id, "%s", id);
  driver->offset = driver->lent = staged->offset;
  driver->complete = staged->complete;
  driver->expires_s = staged->expires_s;
  memcpy(driver->state, staged->state, staged->state_size);
  driver->state[staged->state_size] = '\0';
}

static void on_next(void *arg) {
  struct stage_driver *driver = arg;
  memset(driver->buffer, POISON, CHUNK);
  heard(driver, true);
}

static void on_alive(void *arg) {
  heard(arg, false);
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct stage_driver *driver = arg;
  driver->length = meta->length;
  heard(driver, true);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct stage_driver *driver = arg;
  char *data = malloc((size_t)chunk->length + 1);
  struct sluice_chunk copy = *chunk;
  if (data == NULL)
    abort();
  if (copy.fd >= 0) {
    FILE *file = fdopen(dup(copy.fd), "r");
    bool read = file != NULL &&
                fseeko(file, (off_t)copy.offset, SEEK_SET) == 0 &&
                fread(data, 1, (size_t)copy.length, file) == copy.length;
    if (file != NULL)
      fclose(file);
    fixture_need_by(driver->fixture, read, RULE_FILE,
                    "stage_get: its file can't be read");
  } else if (copy.length > 0) {
    memcpy(data, copy.data, (size_t)copy.length);
  }
  bool right =
      sample_is(&driver->wanted, driver->got, data, (size_t)copy.length);
  free(data);
  fixture_need(driver->fixture, right,
               "stage_get brings other bytes than were saved, from %llu on",
               (unsigned long long)driver->got);
  driver->got += copy.length;
  heard(driver, true);
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct stage_driver *driver = arg;
  driver->over = true;
  driver->op = NULL;
  driver->status = status;
  snprintf(driver->why, sizeof driver->why, "%s", why == NULL ? "" : why);
  heard(driver, true);
}

static const struct op_events events = {.meta = on_meta,
                                        .chunk = on_chunk,
                                        .next = on_next,
                                        .alive = on_alive,
                                        .staged = on_staged,
                                        .done = on_done};

/* ---- calls -------------------------------------------------------------- */

static void stage_enter(struct stage_driver *driver, const char *entry) {
  driver->entry = entry;
  driver->answered = driver->over;
  fixture_enter(driver->fixture, entry);
}

static void stage_wait_more(struct stage_driver *driver) {
  if (!fixture_until(driver->fixture, &driver->answered))
    fixture_fail_late(driver->fixture, RULE_DONE,
                      "%s: it isn't answered, and nothing was said for %lld "
                      "ms",
                      driver->entry,
                      (long long)driver->fixture->plan->patience_ms);
}

static void stage_wait(struct stage_driver *driver) {
  fixture_leave(driver->fixture);
  stage_wait_more(driver);
}

static struct sluice_save as_save(const char *state, int64_t expires_s) {
  return (struct sluice_save){
      .state = state, .state_size = strlen(state), .expires_s = expires_s};
}

void stage_driver_make(struct stage_driver *driver, const char *state,
                       int64_t expires_s, const char *owner,
                       uint64_t owner_max) {
  struct sluice_save save = as_save(state, expires_s);
  struct sluice_stage stage = {.save = &save,
                               .length = -1,
                               .owner = owner,
                               .owner_max = owner_max,
                               .unheard = driver->unheard};
  driver->over = false;
  stage_enter(driver, "stage");
  driver->op = op_stage(&driver->fixture->handle, &stage, &events, driver);
  stage_wait(driver);
  fixture_need(driver->fixture, driver->over || driver->id[0] != '\0',
               "stage: a new one has no id");
}

void stage_driver_open(struct stage_driver *driver, const char *id) {
  char *lent = strdup(id);
  if (lent == NULL)
    abort();
  driver->over = false;
  stage_enter(driver, "stage");
  driver->op = op_stage(&driver->fixture->handle,
                        &(struct sluice_stage){.id = lent}, &events, driver);
  memset(lent, '~', strlen(lent));
  stage_wait(driver);
  free(lent);
  snprintf(driver->id, sizeof driver->id, "%s", id);
}

void stage_driver_lend(struct stage_driver *driver,
                       const struct sample *sample, uint64_t length) {
  while (length > 0 && !driver->over) {
    size_t len = length < CHUNK ? (size_t)length : CHUNK;
    sample_bytes(sample, driver->lent, driver->buffer, len);
    driver->lent += len;
    length -= len;
    stage_enter(driver, "data");
    op_data(driver->op, &(struct sluice_chunk){
                            .data = driver->buffer, .length = len, .fd = -1});
    stage_wait(driver);
  }
}

void stage_driver_save(struct stage_driver *driver, const char *state,
                       int64_t expires_s) {
  char lent[SLUICE_STAGE_STATE_MAX + 1];
  snprintf(lent, sizeof lent, "%s", state);
  struct sluice_save save = as_save(lent, expires_s);
  if (driver->over)
    return;
  stage_enter(driver, "save");
  op_save(driver->op, &save);
  memset(lent, '~', sizeof lent);
  stage_wait(driver);
}

static void sum(char hex[2 * DIGEST_MD5_LEN + 1], const struct sample *sample,
                uint64_t length, char *buffer) {
  unsigned char md5[DIGEST_MD5_LEN];
  struct digest *digest = digest_new(DIGEST_MD5);
  if (digest == NULL)
    abort();
  for (uint64_t at = 0; at < length;) {
    size_t len = length - at < CHUNK ? (size_t)(length - at) : CHUNK;
    sample_bytes(sample, at, buffer, len);
    digest_update(digest, buffer, len);
    at += len;
  }
  digest_final(digest, md5);
  digest_free(digest);
  codec_hex(hex, md5, sizeof md5);
}

void stage_driver_commit(struct stage_driver *driver, const char *key,
                         const struct sample *sample, const char *state) {
  static const struct sluice_pair user[] = {
      {"original-filename", "a name.bin"}, {NULL, NULL}};
  char md5[2 * DIGEST_MD5_LEN + 1];
  struct sluice_save save = as_save(state, INT64_C(1) << 33);
  if (driver->over)
    return;
  sum(md5, sample, driver->lent, driver->buffer);
  struct sluice_object object = {.key = key,
                                 .type = "application/octet-stream",
                                 .length = driver->lent,
                                 .md5 = md5,
                                 .user = user};
  stage_enter(driver, "stage_commit");
  op_stage_commit(driver->op, &object, &save);
  memset(md5, '~', sizeof md5 - 1);
  stage_wait(driver);
  while (!driver->over) { /* that was sluice_meta() */
    driver->answered = false;
    stage_wait_more(driver);
  }
}

void stage_driver_get(struct stage_driver *driver, const char *id,
                      const struct sample *sample, uint64_t length) {
  driver->over = false;
  driver->got = 0;
  driver->wanted = *sample;
  stage_enter(driver, "stage_get");
  driver->op = op_stage_get(&driver->fixture->handle, id, &events, driver);
  stage_wait(driver);
  if (driver->over)
    return;
  fixture_need(driver->fixture, driver->length == length,
               "stage_get: it has %llu bytes, and %llu were saved",
               (unsigned long long)driver->length, (unsigned long long)length);
  stage_enter(driver, "read");
  op_read(driver->op, 0, UINT64_MAX);
  stage_wait(driver);
  while (!driver->over) {
    stage_enter(driver, "more");
    op_more(driver->op);
    stage_wait(driver);
  }
  stage_driver_ended(driver, SLUICE_OK);
  fixture_need(driver->fixture, driver->got == length,
               "stage_get: %llu bytes came of %llu",
               (unsigned long long)driver->got, (unsigned long long)length);
}

void stage_driver_remove(struct stage_driver *driver, const char *id) {
  driver->over = false;
  stage_enter(driver, "stage_remove");
  driver->op = op_stage_remove(&driver->fixture->handle, id, &events, driver);
  stage_wait(driver);
}

void stage_driver_sweep(struct stage_driver *driver, int64_t now_s) {
  driver->over = false;
  stage_enter(driver, "stage_sweep");
  driver->op =
      op_stage_sweep(&driver->fixture->handle, now_s, &events, driver);
  stage_wait(driver);
}

static void stage_driver_on_released(void *arg) {
  struct stage_driver *driver = arg;
  driver->over = true;
  driver->op = NULL;
  heard(driver, true);
}

void stage_driver_fini(struct stage_driver *driver) {
  if (!driver->over && driver->op != NULL) {
    stage_enter(driver, "cancel");
    op_leave(driver->op, stage_driver_on_released, driver);
    stage_wait(driver);
  }
  free(driver->buffer);
}

/* ---- what it has to be -------------------------------------------------- */

void stage_driver_ended(struct stage_driver *driver,
                        enum sluice_status status) {
  fixture_need(driver->fixture, driver->over && driver->status == status,
               "%s: it %s%s instead of %s%s%s", driver->entry,
               driver->over ? "ended with " : "goes on",
               driver->over ? op_driver_word(driver->status) : "",
               op_driver_word(status), driver->why[0] == '\0' ? "" : ": ",
               driver->why);
}

void stage_driver_stands(struct stage_driver *driver, uint64_t offset,
                         const char *state, bool complete) {
  fixture_need(driver->fixture, !driver->over, "%s: it ended with %s: %s",
               driver->entry, op_driver_word(driver->status), driver->why);
  fixture_need(driver->fixture, driver->offset == offset,
               "%s: the offset is %llu, and %llu bytes were saved",
               driver->entry, (unsigned long long)driver->offset,
               (unsigned long long)offset);
  fixture_need(driver->fixture, strcmp(driver->state, state) == 0,
               "%s: the state is '%.40s', and '%.40s' was saved with it",
               driver->entry, driver->state, state);
  fixture_need(driver->fixture, driver->complete == complete,
               "%s: it says that the stage %s complete", driver->entry,
               driver->complete ? "is" : "isn't");
}

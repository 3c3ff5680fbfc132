/* SPDX-License-Identifier: MIT
 *
 * As the gateway drives them, but for its buffers: all bytes are one chunk.
 */
#include "act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "date.h"

#define STAGE_SECONDS 3600
#define STATE "doctor"

void act_init(struct act *act, struct stand *stand, size_t backend) {
  *act = (struct act){.stand = stand, .backend = &stand->backends[backend]};
}

void act_fini(struct act *act) {
  free(act->got);
  act->got = NULL;
}

/* ---- what the backend says ---------------------------------------------- */

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct act *act = arg;
  act->length = meta->length;
  snprintf(act->etag, sizeof act->etag, "%s",
           meta->etag == NULL ? "" : meta->etag);
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct act *act = arg;
  act->status = status;
  snprintf(act->why, sizeof act->why, "%s", why == NULL ? "" : why);
  const char *text = op_text(act->op, 0);
  if (text != NULL && act->sought == NULL)
    snprintf(act->url, sizeof act->url, "%s", text);
  for (size_t i = 0; act->sought != NULL && i < op_entries(act->op); i++)
    if (strcmp(op_entry(act->op, i).key, act->sought) == 0)
      act->found = true;
  act->op = NULL;
  act->over = true;
}

static void act_on_get_meta(void *arg, const struct sluice_meta *meta) {
  struct act *act = arg;
  on_meta(arg, meta);
  uint64_t rest = act->first < meta->length ? meta->length - act->first : 0;
  if (act->count > rest)
    act->count = rest;
  op_read(act->op, act->first, act->count);
}

static void act_on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct act *act = arg;
  size_t room = (size_t)act->count - act->got_len;
  size_t len = chunk->length < room ? (size_t)chunk->length : room;
  char *to = act->got + act->got_len;
  if (chunk->fd < 0)
    memcpy(to, chunk->data, len);
  else if (pread(chunk->fd, to, len, (off_t)chunk->offset) != (ssize_t)len)
    len = 0; /* which is noticed, as bytes are missing */
  act->got_len += len;
  op_more(act->op);
}

static void act_lend(struct act *act, bool last) {
  act->lent = true;
  op_data(act->op, &(struct sluice_chunk){.data = act->bytes->data,
                                          .length = act->bytes->length,
                                          .fd = -1,
                                          .last = last});
}

static void on_put_next(void *arg) {
  struct act *act = arg;
  if (act->lent)
    op_commit(act->op, &act->object);
  else
    act_lend(act, true);
}

/* ---- waiting ------------------------------------------------------------ */

static enum sluice_status act_wait(struct act *act) {
  if (!stand_until(act->stand, &act->over, ACT_PATIENCE_MS)) {
    op_cancel(act->op);
    stand_until(act->stand, &act->over, ACT_PATIENCE_MS);
    act->status = SLUICE_ETIMEOUT;
    snprintf(act->why, sizeof act->why, "no answer for %d s",
             ACT_PATIENCE_MS / 1000);
  }
  return act->status;
}

static void act_begin(struct act *act) {
  act->over = act->lent = act->found = false;
  act->sought = NULL;
  act->etag[0] = act->why[0] = act->url[0] = '\0';
  act->got_len = 0;
}

static const struct op_events events = {.meta = on_meta, .done = on_done};

/* ---- operations --------------------------------------------------------- */

static struct sluice_object object_of(const char *key,
                                      const struct act_bytes *bytes) {
  static const struct sluice_pair user[] = {
      {"original-filename", "sluice doctor.txt"}, {NULL, NULL}};
  return (struct sluice_object){.key = key,
                                .type = "text/plain",
                                .length = bytes->length,
                                .md5 = bytes->md5,
                                .user = user};
}

enum sluice_status act_put(struct act *act, const char *key,
                           const struct act_bytes *bytes, bool exclusive,
                           const char *if_match) {
  static const struct op_events put = {
      .meta = on_meta, .next = on_put_next, .done = on_done};
  act_begin(act);
  act->bytes = bytes;
  act->object = object_of(key, bytes);
  act->object.exclusive = exclusive;
  act->object.if_match = if_match;
  act->op = op_put(act->backend,
                   &(struct sluice_put){.length = (int64_t)bytes->length},
                   &put, act);
  return act_wait(act);
}

enum sluice_status act_head(struct act *act, const char *key) {
  act_begin(act);
  act->op = op_head(act->backend, key, &events, act);
  return act_wait(act);
}

enum sluice_status act_get(struct act *act, const char *key, uint64_t first,
                           uint64_t count) {
  static const struct op_events get = {
      .meta = act_on_get_meta, .chunk = act_on_chunk, .done = on_done};
  act_begin(act);
  free(act->got);
  act->first = first;
  act->count = count;
  act->got = malloc((size_t)count + 1);
  if (act->got == NULL)
    return SLUICE_ENOMEM;
  act->op =
      op_get(act->backend,
             &(struct sluice_get){.key = key, .first = first, .count = count},
             &get, act);
  return act_wait(act);
}

enum sluice_status act_list(struct act *act, const char *prefix,
                            const char *sought) {
  act_begin(act);
  act->sought = sought;
  act->op = op_list(act->backend,
                    &(struct sluice_list){.prefix = prefix, .max = 1000},
                    &events, act);
  return act_wait(act);
}

enum sluice_status act_copy(struct act *act, const char *from,
                            const char *to) {
  act_begin(act);
  act->op =
      op_copy(act->backend, &(struct sluice_copy){.from = from, .to = to},
              &events, act);
  return act_wait(act);
}

enum sluice_status act_remove(struct act *act, const char *key) {
  act_begin(act);
  act->op = op_remove(act->backend, key, &events, act);
  return act_wait(act);
}

enum sluice_status act_remove_if(struct act *act, const char *key,
                                 const char *if_match) {
  act_begin(act);
  act->op = op_remove_if(
      act->backend, &(struct sluice_removal){.key = key, .if_match = if_match},
      &events, act);
  return act_wait(act);
}

static void on_many_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct act *act = arg;
  enum sluice_status removed = op_removed(act->op, 0);
  on_done(arg, status == SLUICE_OK ? removed : status, why);
}

enum sluice_status act_remove_many(struct act *act, const char *const *keys,
                                   size_t count) {
  static const struct op_events many = {.done = on_many_done};
  act_begin(act);
  act->op = op_remove_many(act->backend, keys, count, &many, act);
  return act_wait(act);
}

enum sluice_status act_presign(struct act *act, const char *key,
                               uint32_t seconds) {
  act_begin(act);
  act->op = op_presign(
      act->backend,
      &(struct sluice_link){.key = key,
                            .method = "GET",
                            .seconds = seconds,
                            .expires_s = date_now_ms() / 1000 + seconds,
                            .signed_url = ""},
      &events, act);
  return act_wait(act);
}

/* ---- stages ------------------------------------------------------------- */

static struct sluice_save stage_save(void) {
  return (struct sluice_save){.state = STATE,
                              .state_size = sizeof STATE - 1,
                              .expires_s =
                                  date_now_ms() / 1000 + STAGE_SECONDS};
}

static void on_stage_next(void *arg) {
  struct act *act = arg;
  struct sluice_save save = stage_save();
  op_save(act->op, &save);
}

/* Open and empty, or saved with all its bytes. */
static void on_staged(void *arg, const struct sluice_staged *staged) {
  struct act *act = arg;
  struct sluice_save save = stage_save();
  const char *id = op_text(act->op, 0);
  if (id != NULL)
    snprintf(act->id, sizeof act->id, "%s", id);
  if (!act->lent)
    act_lend(act, false);
  else if (staged->offset == act->bytes->length && !staged->complete)
    op_stage_commit(act->op, &act->object, &save);
}

enum sluice_status act_stage(struct act *act, const char *key,
                             const struct act_bytes *bytes) {
  static const struct op_events stage = {.meta = on_meta,
                                         .next = on_stage_next,
                                         .staged = on_staged,
                                         .done = on_done};
  struct sluice_save save = stage_save();
  act_begin(act);
  act->id[0] = '\0';
  act->bytes = bytes;
  act->object = object_of(key, bytes);
  act->op = op_stage(act->backend,
                     &(struct sluice_stage){.save = &save,
                                            .object = &act->object,
                                            .length = (int64_t)bytes->length,
                                            .owner = ""},
                     &stage, act);
  enum sluice_status status = act_wait(act);
  char why[sizeof act->why];
  memcpy(why, act->why, sizeof why);
  if (act->id[0] != '\0') {
    act_begin(act);
    act->op = op_stage_remove(act->backend, act->id, &events, act);
    act_wait(act);
  }
  memcpy(act->why, why, sizeof why);
  act->status = status;
  return status;
}

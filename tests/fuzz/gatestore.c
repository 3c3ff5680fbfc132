/* SPDX-License-Identifier: MIT
 *
 * Objects and stages in memory, and all that a storage can do wrong.
 */
#include "gatestore.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatething.h"

#define OBJECTS 16
#define STAGES 4
#define MOODS 64
#define PAIRS 16
#define PIECE 30000 /* of a download */

struct gatestore {
  struct thing objects[OBJECTS], stages[STAGES];
  unsigned moods[MOODS];
  size_t begin, end, names;
  bool dishonest;
};

struct call { /* an operation's state */
  unsigned mood;
  struct thing *stage;
  struct buf bytes;
  bool made;
  size_t at, end;
};

/* ---- what is said ------------------------------------------------------- */

static void end(struct sluice_op *op, enum sluice_status status) {
  struct call *call = sluice_op_state(op, sizeof *call);
  unsigned mood = call->mood;
  if (call->stage != NULL && call->stage->opener == op)
    call->stage->opener = NULL;
  if (call->made)
    buf_fini(&call->bytes);
  call->made = false;
  sluice_done(op, status, "%s", status == SLUICE_OK ? "" : "as it feels");
  if (mood == GATESTORE_TWICE) {
    sluice_done(op, SLUICE_EIO, "twice");
    sluice_next(op);
  }
}

/* False: the call is over already, or never will be by itself. */
static bool feels(struct gatestore *store, struct sluice_op *op) {
  struct call *call = sluice_op_state(op, sizeof *call);
  call->mood = store->begin < store->end ? store->moods[store->begin++ % MOODS]
                                         : GATESTORE_HONEST;
  if (!call->made)
    buf_init(&call->bytes, THING_MAX);
  call->made = true;
  if (call->mood >= GATESTORE_FAILS)
    end(op,
        (enum sluice_status)(SLUICE_EINVAL + call->mood - GATESTORE_FAILS));
  else if (call->mood == GATESTORE_BARE)
    end(op, SLUICE_OK);
  return call->mood < GATESTORE_FAILS && call->mood != GATESTORE_BARE &&
         call->mood != GATESTORE_SILENT;
}

static void settle(struct sluice_op *op, enum sluice_status status) {
  const struct call *call = sluice_op_state(op, sizeof *call);
  end(op, call->mood == GATESTORE_LATE ? SLUICE_EIO : status);
}

static void tell(struct sluice_op *op, const struct thing *thing,
                 const char *key, enum sluice_before before) {
  const struct call *call = sluice_op_state(op, sizeof *call);
  struct sluice_pair pairs[PAIRS + 1];
  struct sluice_meta meta = SLUICE_META;
  size_t count = 0;
  const char *at = thing->user.data;
  while (count < PAIRS && at < thing->user.data + thing->user.len) {
    pairs[count].name = at;
    pairs[count].value = at + strlen(at) + 1;
    at = pairs[count].value + strlen(pairs[count].value) + 1;
    count++;
  }
  pairs[count] = (struct sluice_pair){NULL, NULL};
  meta.length = thing->bytes.len;
  meta.mtime_ms = 1700000000000;
  meta.etag = thing->md5[0] != '\0' ? thing->md5 : NULL;
  meta.type = thing->type.len > 0 ? thing->type.data : NULL;
  meta.user = pairs;
  meta.before = (int)before;
  if (call->mood == GATESTORE_ODD) {
    meta.etag = "a\"b\r\nSet-Cookie: c";
    meta.type = "text/html\r\nX-N: 1\r\n\r\n";
    meta.mtime_ms = INT64_MIN;
    meta.encoding = meta.language = meta.cache_control = "\r\n\r\nHTTP/1.1";
    meta.length = INT64_MAX;
  }
  if (key != NULL)
    sluice_entry(op, key, &meta);
  else
    sluice_meta(op, &meta);
  if (call->mood == GATESTORE_TWICE && key == NULL)
    sluice_meta(op, &meta);
}

/* ---- reading ------------------------------------------------------------ */

static void store_head(void *handle, struct sluice_op *op, const char *key) {
  struct gatestore *store = handle;
  if (!feels(store, op))
    return;
  const struct thing *thing = thing_find(store->objects, OBJECTS, key);
  if (thing != NULL)
    tell(op, thing, NULL, SLUICE_BEFORE_UNKNOWN);
  settle(op, thing == NULL ? SLUICE_ENOENT : SLUICE_OK);
}

static void begin_get(struct sluice_op *op, const struct thing *thing) {
  struct call *call = sluice_op_state(op, sizeof *call);
  if (thing == NULL) {
    end(op, SLUICE_ENOENT);
    return;
  }
  buf_add(&call->bytes, thing->bytes.data, thing->bytes.len);
  tell(op, thing, NULL, SLUICE_BEFORE_UNKNOWN);
}

static void store_get(void *handle, struct sluice_op *op,
                      const struct sluice_get *get) {
  struct gatestore *store = handle;
  if (feels(store, op))
    begin_get(op, thing_find(store->objects, OBJECTS, get->key));
}

static void store_stage_get(void *handle, struct sluice_op *op,
                            const char *id) {
  struct gatestore *store = handle;
  if (feels(store, op))
    begin_get(op, thing_find(store->stages, STAGES, id));
}

static void store_more(void *handle, struct sluice_op *op) {
  struct call *call = sluice_op_state(op, sizeof *call);
  (void)handle;
  if (call->mood == GATESTORE_LATE && call->at > 0) {
    end(op, SLUICE_EIO);
    return;
  }
  if (call->at >= call->end && call->at > 0) {
    end(op, SLUICE_OK);
    return;
  }
  size_t len = call->end - call->at < PIECE ? call->end - call->at : PIECE;
  struct sluice_chunk chunk = {
      .data = call->bytes.data + call->at, .length = len, .fd = -1};
  call->at += len;
  chunk.last = call->at == call->end;
  call->at += call->at == 0; /* nothing was asked for: it is over, too */
  sluice_send(op, &chunk);
  if (call->mood == GATESTORE_TWICE)
    sluice_send(op, &chunk);
}

static void store_read(void *handle, struct sluice_op *op, uint64_t first,
                       uint64_t count) {
  struct call *call = sluice_op_state(op, sizeof *call);
  size_t len = call->bytes.len;
  call->at = first < len ? (size_t)first : len;
  call->end = count < len - call->at ? call->at + (size_t)count : len;
  if (call->mood == GATESTORE_SHORT && call->end > call->at)
    call->end--;
  if (call->mood == GATESTORE_LONG)
    call->end = len;
  if (call->at == call->end) { /* at may be 0 or not: one empty chunk */
    struct sluice_chunk none = {.data = "", .fd = -1, .last = true};
    call->at = call->end = 1;
    sluice_send(op, &none);
    return;
  }
  store_more(handle, op);
}

static void store_list(void *handle, struct sluice_op *op,
                       const struct sluice_list *list) {
  struct gatestore *store = handle;
  if (!feels(store, op))
    return;
  struct call *call = sluice_op_state(op, sizeof *call);
  const char *after = list->token != NULL ? list->token : "";
  uint32_t count = 0;
  for (const struct thing *next = NULL, *last = NULL;; last = next) {
    next = NULL; /* the least key beyond the one before */
    for (size_t i = 0; i < OBJECTS; i++) {
      const struct thing *thing = &store->objects[i];
      if (thing->there && strcmp(thing->key.data, after) > 0 &&
          strncmp(thing->key.data, list->prefix, strlen(list->prefix)) == 0 &&
          (last == NULL || strcmp(thing->key.data, last->key.data) > 0) &&
          (next == NULL || strcmp(thing->key.data, next->key.data) < 0))
        next = thing;
    }
    if (next == NULL)
      break;
    if (count++ == list->max) {
      sluice_truncated(op, last->key.data);
      break;
    }
    tell(op, next, next->key.data, SLUICE_BEFORE_UNKNOWN);
    if (call->mood == GATESTORE_TWICE)
      sluice_entry(op, "\xff\r\n", &(struct sluice_meta)SLUICE_META);
  }
  if (call->mood == GATESTORE_ENDLESS)
    sluice_truncated(op, after);
  settle(op, SLUICE_OK);
}

/* ---- writing ------------------------------------------------------------ */

static void store_put(void *handle, struct sluice_op *op,
                      const struct sluice_put *put) {
  (void)put;
  if (feels(handle, op))
    sluice_next(op);
}

static void store_data(void *handle, struct sluice_op *op,
                       const struct sluice_chunk *chunk) {
  struct call *call = sluice_op_state(op, sizeof *call);
  struct buf *bytes = call->stage != NULL ? &call->stage->bytes : &call->bytes;
  (void)handle;
  if (call->stage != NULL && call->stage->opener != op)
    end(op, SLUICE_EPRECOND);
  else if (!buf_add(bytes, chunk->data, (size_t)chunk->length))
    end(op, SLUICE_ENOSPC);
  else
    sluice_next(op);
}

static enum sluice_status may_replace(const struct thing *there,
                                      const struct sluice_object *object) {
  const char *match = object->if_match;
  if (object->exclusive && there != NULL)
    return SLUICE_EEXIST;
  if (match != NULL && (there == NULL || (strcmp(match, "*") != 0 &&
                                          strcmp(match, there->md5) != 0)))
    return SLUICE_EPRECOND;
  return SLUICE_OK;
}

static void put_object(struct gatestore *store, struct sluice_op *op,
                       const struct sluice_object *object,
                       const struct buf *bytes, struct thing *stage) {
  struct thing *there = thing_find(store->objects, OBJECTS, object->key);
  enum sluice_status status = may_replace(there, object);
  enum sluice_before before =
      there != NULL ? SLUICE_BEFORE_THERE : SLUICE_BEFORE_FREE;
  if (status == SLUICE_OK && there == NULL) {
    there = thing_make(store->objects, OBJECTS, object->key);
    status = there == NULL ? SLUICE_ENOSPC : SLUICE_OK;
  }
  if (status != SLUICE_OK) {
    end(op, status);
    return;
  }
  assert(object->length == bytes->len);
  buf_clear(&there->bytes);
  buf_add(&there->bytes, bytes->data, bytes->len);
  thing_describe(there, object);
  snprintf(there->md5, sizeof there->md5, "%s", object->md5);
  if (stage != NULL)
    stage->complete = true;
  tell(op, there, NULL, before);
  settle(op, SLUICE_OK);
}

static void store_commit(void *handle, struct sluice_op *op,
                         const struct sluice_object *object) {
  struct call *call = sluice_op_state(op, sizeof *call);
  if (feels(handle, op))
    put_object(handle, op, object, &call->bytes, NULL);
}

static void store_remove(void *handle, struct sluice_op *op, const char *key) {
  struct gatestore *store = handle;
  if (!feels(store, op))
    return;
  struct thing *thing = thing_find(store->objects, OBJECTS, key);
  if (thing != NULL)
    thing->there = false;
  settle(op, SLUICE_OK);
}

static void store_remove_if(void *handle, struct sluice_op *op,
                            const struct sluice_removal *removal) {
  struct gatestore *store = handle;
  if (!feels(store, op))
    return;
  struct thing *thing = thing_find(store->objects, OBJECTS, removal->key);
  const char *match = removal->if_match;
  bool fits = thing != NULL && (match == NULL || strcmp(match, "*") == 0 ||
                                strcmp(match, thing->md5) == 0);
  if (fits)
    thing->there = false;
  settle(op, fits            ? SLUICE_OK
             : thing == NULL ? SLUICE_ENOENT
                             : SLUICE_EPRECOND);
}

static void store_copy(void *handle, struct sluice_op *op,
                       const struct sluice_copy *copy) {
  struct gatestore *store = handle;
  struct call *call = sluice_op_state(op, sizeof *call);
  if (!feels(store, op))
    return;
  const struct thing *from = thing_find(store->objects, OBJECTS, copy->from);
  if (from == NULL ||
      (copy->if_match != NULL && strcmp(copy->if_match, from->md5) != 0)) {
    end(op, from == NULL ? SLUICE_ENOENT : SLUICE_EPRECOND);
    return;
  }
  struct sluice_object object = {.key = copy->to,
                                 .type = from->type.data,
                                 .length = from->bytes.len,
                                 .md5 = from->md5,
                                 .exclusive = copy->exclusive};
  buf_add(&call->bytes, from->bytes.data, from->bytes.len);
  put_object(store, op, &object, &call->bytes, NULL);
}

static void store_ping(void *handle, struct sluice_op *op) {
  if (feels(handle, op))
    settle(op, SLUICE_OK);
}

static void store_cancel(void *handle, struct sluice_op *op) {
  (void)handle;
  end(op, SLUICE_ECANCELED);
}

/* ---- stages ------------------------------------------------------------- */

static void keep(struct thing *stage, const struct sluice_save *save) {
  buf_clear(&stage->state);
  buf_add(&stage->state, save->state, save->state_size);
  stage->expires_s = save->expires_s;
  stage->saved = stage->bytes.len;
}

static void say_staged(struct sluice_op *op, const struct thing *stage) {
  const struct call *call = sluice_op_state(op, sizeof *call);
  struct sluice_staged staged = {.size = sizeof staged,
                                 .offset = stage->saved,
                                 .state = stage->state.data,
                                 .state_size = stage->state.len,
                                 .expires_s = stage->expires_s,
                                 .complete = stage->complete};
  if (call->mood == GATESTORE_LONG)
    staged.offset++;
  if (call->mood == GATESTORE_SHORT && staged.offset > 0)
    staged.offset--;
  if (call->mood == GATESTORE_ODD) {
    staged.state = "\x01nonsense";
    staged.state_size = 9;
  }
  sluice_staged(op, &staged);
}

static void store_stage(void *handle, struct sluice_op *op,
                        const struct sluice_stage *wish) {
  struct gatestore *store = handle;
  struct call *call = sluice_op_state(op, sizeof *call);
  char id[24];
  if (!feels(store, op))
    return;
  if (wish->id != NULL) {
    call->stage = thing_find(store->stages, STAGES, wish->id);
  } else {
    snprintf(id, sizeof id, "stage%zu", store->names++);
    call->stage = thing_make(store->stages, STAGES, id);
    if (call->stage != NULL) {
      keep(call->stage, wish->save);
      sluice_text(op, id);
    }
  }
  if (call->stage == NULL) {
    end(op, wish->id != NULL ? SLUICE_ENOENT : SLUICE_ENOSPC);
    return;
  }
  call->stage->bytes.len = call->stage->saved;
  call->stage->opener = op;
  say_staged(op, call->stage);
}

static void store_save(void *handle, struct sluice_op *op,
                       const struct sluice_save *save) {
  struct call *call = sluice_op_state(op, sizeof *call);
  if (!feels(handle, op))
    return;
  if (call->stage->opener != op) {
    end(op, SLUICE_EPRECOND);
    return;
  }
  keep(call->stage, save);
  say_staged(op, call->stage);
}

static void store_stage_commit(void *handle, struct sluice_op *op,
                               const struct sluice_object *object,
                               const struct sluice_save *save) {
  struct call *call = sluice_op_state(op, sizeof *call);
  if (!feels(handle, op))
    return;
  if (call->stage->opener != op) {
    end(op, SLUICE_EPRECOND);
    return;
  }
  keep(call->stage, save);
  put_object(handle, op, object, &call->stage->bytes, call->stage);
}

static void store_stage_remove(void *handle, struct sluice_op *op,
                               const char *id) {
  struct gatestore *store = handle;
  if (!feels(store, op))
    return;
  struct thing *stage = thing_find(store->stages, STAGES, id);
  if (stage != NULL) {
    stage->there = false;
    stage->opener = NULL;
  }
  settle(op, stage == NULL ? SLUICE_ENOENT : SLUICE_OK);
}

static void store_stage_sweep(void *handle, struct sluice_op *op,
                              int64_t now_s) {
  (void)now_s;
  if (feels(handle, op))
    settle(op, SLUICE_OK);
}

/* ---- life --------------------------------------------------------------- */

struct gatestore *gatestore_new(void) {
  struct gatestore *store = calloc(1, sizeof *store);
  assert(store != NULL);
  for (size_t i = 0; i < OBJECTS; i++)
    thing_init(&store->objects[i]);
  for (size_t i = 0; i < STAGES; i++)
    thing_init(&store->stages[i]);
  return store;
}

void gatestore_free(struct gatestore *store) {
  for (size_t i = 0; i < OBJECTS; i++)
    thing_fini(&store->objects[i]);
  for (size_t i = 0; i < STAGES; i++)
    thing_fini(&store->stages[i]);
  free(store);
}

void gatestore_feel(struct gatestore *store, unsigned mood) {
  if (store->end - store->begin == MOODS)
    return;
  store->moods[store->end++ % MOODS] = mood;
  store->dishonest |= mood != GATESTORE_HONEST;
}

bool gatestore_was_honest(const struct gatestore *store) {
  return !store->dishonest;
}

const struct sluice_backend gatestore_plugin = {
    SLUICE_HEAD(sluice_backend),
    .name = "gatestore",
    .head = store_head,
    .get = store_get,
    .read = store_read,
    .more = store_more,
    .put = store_put,
    .data = store_data,
    .commit = store_commit,
    .list = store_list,
    .remove = store_remove,
    .remove_if = store_remove_if,
    .copy = store_copy,
    .cancel = store_cancel,
    .ping = store_ping,
    .stage = store_stage,
    .save = store_save,
    .stage_commit = store_stage_commit,
    .stage_get = store_stage_get,
    .stage_remove = store_stage_remove,
    .stage_sweep = store_stage_sweep};

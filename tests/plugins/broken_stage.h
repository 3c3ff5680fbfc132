/* SPDX-License-Identifier: MIT
 *
 * Stages of the broken backend, in memory like its objects.
 */
#ifndef TESTS_PLUGINS_BROKEN_STAGE_H
#define TESTS_PLUGINS_BROKEN_STAGE_H

#include "broken.h"
#include "broken_change.h"

#include <stdio.h>

struct shelf { /* a stage */
  struct shelf *next;
  char id[24], owner[128];
  char state[SLUICE_STAGE_STATE_MAX];
  size_t state_size;
  int64_t expires_s;
  struct box *box; /* its durable bytes */
  unsigned turn;
  bool complete, gone, unheard;
};

static inline struct shelf *shelf_find(struct handle *handle, const char *id) {
  struct shelf *shelf = handle->instance->shelves;
  while (shelf != NULL && (shelf->gone || strcmp(shelf->id, id) != 0))
    shelf = shelf->next;
  if (shelf != NULL && shelf->expires_s <= (int64_t)time(NULL) &&
      !breaks(handle, "stage_never_ends"))
    return NULL;
  return shelf;
}

/* A box of its own with the bytes of another one. */
static inline struct box *box_copy(const struct box *from) {
  struct box *box = box_new();
  box_add(box, from->bytes, (size_t)from->meta.length);
  return box;
}

static inline void shelf_keep(struct call *call,
                              const struct sluice_save *save) {
  struct shelf *shelf = call->shelf;
  size_t size = save->state_size;
  if (breaks(call->handle, "stage_cuts_state") && size > 1000)
    size = 1000;
  memcpy(shelf->state, save->state, size);
  shelf->state_size = size;
  shelf->expires_s = save->expires_s;
}

static inline void shelf_tell(struct call *call) {
  const struct shelf *shelf = call->shelf;
  bool forgets = breaks(call->handle, "stage_forgets") && call->fresh &&
                 memcmp(shelf->state, "state", 5) == 0;
  struct sluice_staged staged = {.size = sizeof staged,
                                 .offset = shelf->box->meta.length,
                                 .state = forgets ? "first" : shelf->state,
                                 .state_size = forgets ? 5 : shelf->state_size,
                                 .expires_s = shelf->expires_s,
                                 .complete = shelf->complete};
  call->fresh = false;
  sluice_staged(call->op, &staged);
}

static inline struct shelf *shelf_new(struct handle *handle) {
  struct instance *instance = handle->instance;
  struct shelf *shelf = calloc(1, sizeof *shelf);
  if (shelf == NULL)
    abort();
  snprintf(shelf->id, sizeof shelf->id, "shelf %u", ++instance->shelf_count);
  shelf->box = box_new();
  shelf->expires_s = INT64_MAX;
  shelf->next = instance->shelves;
  instance->shelves = shelf;
  return shelf;
}

static inline uint64_t shelf_owned(struct handle *handle, const char *owner) {
  uint64_t count = 0;
  for (const struct shelf *shelf = handle->instance->shelves; shelf != NULL;
       shelf = shelf->next)
    count +=
        !shelf->gone && !shelf->complete && strcmp(shelf->owner, owner) == 0;
  return count;
}

static inline void stage(void *arg, struct sluice_op *op,
                         const struct sluice_stage *wanted) {
  struct handle *handle = arg;
  struct call *call = call_new(arg, op);
  bool any = wanted->id != NULL && breaks(handle, "stage_opens_any") &&
             strncmp(wanted->id, "shelf", 5) != 0;
  bool full = wanted->id == NULL && *wanted->owner != '\0' &&
              wanted->owner_max > 0 && !breaks(handle, "stage_any_number") &&
              shelf_owned(handle, wanted->owner) >= wanted->owner_max;
  if (full) {
    end(call, SLUICE_ERATE);
    return;
  }
  call->shelf = wanted->id == NULL || any ? shelf_new(handle)
                                          : shelf_find(handle, wanted->id);
  if (call->shelf == NULL) {
    end(call, SLUICE_ENOENT);
    return;
  }
  if (wanted->id == NULL) {
    snprintf(call->shelf->owner, sizeof call->shelf->owner, "%s",
             wanted->owner);
    shelf_keep(call, wanted->save);
    call->shelf->unheard = wanted->unheard;
    sluice_text(op, call->shelf->id);
  }
  call->fresh = true;
  call->turn = ++call->shelf->turn;
  call->box = box_copy(call->shelf->box);
  shelf_tell(call);
}

static inline bool shelf_lost(struct call *call, const char *rule) {
  const struct shelf *shelf = call->shelf;
  bool gone = shelf->gone && !breaks(call->handle, "stage_comes_back");
  if (!gone && (shelf->turn == call->turn || breaks(call->handle, rule)))
    return false;
  end(call, SLUICE_EPRECOND);
  return true;
}

/* Chunks that came back, but for the last. */
static inline void shelf_use_kept(struct call *call) {
  size_t at = 0;
  for (size_t i = 0; i < call->count; i++) {
    memcpy(call->box->bytes + at, call->kept[i].data, call->kept[i].length);
    at += call->kept[i].length;
  }
}

static inline void shelf_store(struct call *call) {
  struct box *old = call->shelf->box;
  call->shelf->box = box_copy(call->box);
  box_drop(call->handle->boxes, old);
}

static inline void save(void *arg, struct sluice_op *op,
                        const struct sluice_save *save) {
  struct call *call = call_of(op);
  (void)arg;
  if (shelf_lost(call, "stage_overtaken"))
    return;
  call->shelf->gone = false; /* where it comes back */
  shelf_store(call);
  shelf_keep(call, save);
  shelf_tell(call);
  call->shelf->gone |=
      call->shelf->unheard && breaks(call->handle, "stage_stays_unheard");
}

static inline void stage_commit(void *arg, struct sluice_op *op,
                                const struct sluice_object *object,
                                const struct sluice_save *save) {
  struct call *call = call_of(op);
  struct handle *handle = arg;
  if (shelf_lost(call, "stage_late_commit"))
    return;
  if (breaks(handle, "stage_keeps_chunk") &&
      strstr(call->shelf->owner, "lent") != NULL)
    shelf_use_kept(call);
  shelf_store(call);
  shelf_keep(call, save);
  call->shelf->complete = !breaks(handle, "stage_stays_open");
  box_name(call->box, object);
  store(call, object->exclusive, object->if_match);
}

static inline void stage_get(void *arg, struct sluice_op *op, const char *id) {
  struct handle *handle = arg;
  struct call *call = call_new(arg, op);
  struct shelf *shelf = shelf_find(handle, id);
  if (shelf == NULL || shelf->complete) {
    end(call, SLUICE_ENOENT);
    return;
  }
  if (breaks(handle, "stage_get_takes"))
    shelf->turn++;
  call->box = box_copy(shelf->box);
  call->box->key = strdup("stage");
  call->hint.key = call->box->key;
  struct sluice_meta meta = SLUICE_META;
  meta.length = call->box->meta.length;
  sluice_meta(op, &meta);
}

static inline void stage_remove(void *arg, struct sluice_op *op,
                                const char *id) {
  struct call *call = call_new(arg, op);
  struct shelf *shelf = shelf_find(arg, id);
  if (shelf != NULL) {
    shelf->gone = true;
    shelf->turn += !breaks(call->handle, "stage_comes_back");
  }
  end(call, shelf == NULL ? SLUICE_ENOENT : SLUICE_OK);
}

static inline void stage_sweep(void *arg, struct sluice_op *op,
                               int64_t now_s) {
  struct handle *handle = arg;
  for (struct shelf *shelf = handle->instance->shelves;
       shelf != NULL && !breaks(handle, "stage_never_ends");
       shelf = shelf->next)
    shelf->gone |= shelf->expires_s <= now_s;
  sluice_done(op, SLUICE_OK, NULL);
}

static inline void shelves_clear(struct instance *instance) {
  struct shelf *shelf;
  while ((shelf = instance->shelves) != NULL) {
    instance->shelves = shelf->next;
    box_free(shelf->box);
    free(shelf);
  }
}

#endif

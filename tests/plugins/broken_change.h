/* SPDX-License-Identifier: MIT
 *
 * The conditions, copies and batches of the broken backend.
 */
#ifndef TESTS_PLUGINS_BROKEN_CHANGE_H
#define TESTS_PLUGINS_BROKEN_CHANGE_H

#include "broken.h"

static unsigned can(void *instance) {
  const char *rule = ((struct instance *)instance)->conf->rule;
  unsigned all = SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE | SLUICE_CAN_REMOVE |
                 SLUICE_CAN_COPY | SLUICE_CAN_COPY_NEW | SLUICE_CAN_TELL |
                 SLUICE_CAN_EARLY;
  return strcmp(rule, "claims_more") == 0 ? all | 1u << 30 : all;
}

/* Others see something under the key that a put was told. */
static void show_early(struct handle *handle, const struct sluice_put *put) {
  const struct sluice_object *object = put->object;
  if (object == NULL ||
      !breaks_at(handle, "shows_early", object->key, "/early"))
    return;
  struct box *part = box_new();
  box_name(part, object);
  boxes_put(handle->boxes, part, false);
}

/* Tells what was stored, and what was there before. */
static void tell_stored(struct call *call, const struct box *box,
                        enum sluice_before before) {
  struct sluice_meta meta = told(call->handle, box);
  meta.before = (int)before;
  if (breaks_at(call->handle, "tells_wrong", box->key, "/tells"))
    meta.before = SLUICE_BEFORE_FREE;
  sluice_meta(call->op, &meta);
}

/* Takes the box of the call. */
static void store(struct call *call, bool exclusive, const char *etag) {
  struct boxes *boxes = call->handle->boxes;
  struct box *box = call->box;
  enum sluice_before before;
  box->users++; /* not yet shared */
  enum sluice_status status =
      boxes_put_if(boxes, box, exclusive, etag, &before);
  if (status == SLUICE_OK) {
    tell_stored(call, box, before);
    call->box = NULL;
    box_drop(boxes, box);
  } else {
    box->users--;
  }
  end(call, status);
}

static void remove_if(void *arg, struct sluice_op *op,
                      const struct sluice_removal *removal) {
  struct call *call = call_new(arg, op);
  const char *etag = removal->if_match;
  if (fails(call, removal->key))
    return;
  if (breaks_at(call->handle, "removes_any", removal->key, "/removes"))
    etag = NULL;
  end(call, boxes_remove_if(call->handle->boxes, removal->key, etag));
}

static void remove_many(void *arg, struct sluice_op *op,
                        const char *const *keys, size_t count) {
  struct call *call = call_new(arg, op);
  if (fails(call, keys[0]))
    return;
  for (size_t i = 0; i < count; i++)
    if (i != 7 || !breaks_at(call->handle, "forgets_key", keys[i], "/many"))
      boxes_remove(call->handle->boxes, keys[i]);
  end(call, SLUICE_OK);
}

static void copy(void *arg, struct sluice_op *op,
                 const struct sluice_copy *copy) {
  struct handle *handle = arg;
  struct call *call = call_new(arg, op);
  if (fails(call, copy->to))
    return;
  struct box *from = boxes_find(handle->boxes, copy->from);
  bool any = breaks_at(handle, "copies_any", copy->to, "/matched");
  bool other = from != NULL && copy->if_match != NULL && !any &&
               strcmp(from->etag, copy->if_match) != 0;
  if (from == NULL || other) {
    box_drop(handle->boxes, from);
    end(call, other ? SLUICE_EPRECOND : SLUICE_ENOENT);
    return;
  }
  static const struct sluice_pair none[] = {{NULL, NULL}};
  bool loses = breaks_at(handle, "copy_loses", copy->to, "/copied");
  call->box = box_new();
  box_add(call->box, from->bytes, (size_t)from->meta.length);
  box_name(call->box,
           &(struct sluice_object){.key = copy->to,
                                   .type = from->type,
                                   .md5 = from->etag,
                                   .user = loses ? none : from->pairs});
  box_drop(handle->boxes, from);
  store(call,
        copy->exclusive &&
            !breaks_at(handle, "copy_replaces", copy->to, "/spared"),
        NULL);
}

#endif

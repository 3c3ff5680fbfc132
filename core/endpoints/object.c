/* SPDX-License-Identifier: MIT
 *
 * PUT /files/object: the body becomes the object of a key that the client
 * names.  What the head says against it is told first, then hooks are asked,
 * then what is there is looked at, where the request or its answer depends on
 * that; only then the body is taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "etags.h"
#include "key.h"
#include "mime.h"
#include "objectkey.h"
#include "precondition.h"
#include "rawbody.h"
#include "reply.h"
#include "upload.h"
#include "upload_expiry.h"
#include "upload_hooks.h"

static enum operation asked(const struct head *head) {
  struct buf lines;
  buf_init(&lines, PRECONDITION_MAX);
  const char *none_match = head_list(head, "If-None-Match", &lines);
  bool creates = none_match != NULL && etags_is_any(none_match);
  buf_fini(&lines);
  return creates ? OPERATION_UPLOAD : OPERATION_REPLACE;
}

/* By a link that is over no object. */
static bool only_creates(const struct exchange *ex) {
  return ex->link != NULL && !ex->link->replace;
}

/* ---- what is there ------------------------------------------------------ */

static void object_note_md5(struct upload *upload,
                            const struct sluice_meta *meta) {
  const struct sluice_pair *pair = meta->user;
  for (; pair != NULL && pair->name != NULL; pair++)
    if (strcmp(pair->name, "md5") == 0 && pair->value != NULL)
      snprintf(upload->over_md5, sizeof upload->over_md5, "%s", pair->value);
}

static void object_on_meta(void *arg, const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  struct upload *upload = ex->work;
  upload_note_meta(upload, meta);
  upload->was_over = op_has_expired(meta);
  object_note_md5(upload, meta);
  upload->was_there = !upload->was_over;
}

static void object_go_on(struct exchange *ex) {
  ((struct upload *)ex->work)->etag[0] = '\0';
  if (rawbody_check(ex))
    rawbody_start(ex);
}

/* Whoever removed it, it is gone; or another object is there, and the backend
 * finds it. */
static void object_on_over_removed(void *arg, enum sluice_status status,
                                   const char *why) {
  struct exchange *ex = arg;
  ex->op = NULL;
  exchange_unwatch(ex);
  if (status == SLUICE_OK || status == SLUICE_ENOENT ||
      status == SLUICE_EPRECOND)
    object_go_on(ex);
  else
    reply_failure(ex, status, why);
}

/* An object that has ended isn't there, but the storage has it still: it is
 * removed as that very object, or, where that can't be, replaced as it.  A
 * storage that knows when its objects end does so with the write. */
static void object_take_over(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = object_on_over_removed};
  struct upload *upload = ex->work;
  bool over = upload->only_new && upload->was_over &&
              upload->etag[0] != '\0' && !exchange_can(ex, SLUICE_CAN_END);
  if (over && exchange_can(ex, SLUICE_CAN_REMOVE)) {
    exchange_watch(ex);
    ex->op = op_remove_if(exchange_backend(ex),
                          &(struct sluice_removal){.key = ex->key,
                                                   .if_match = upload->etag,
                                                   .if_ended = true},
                          &events, ex);
    return;
  }
  if (over && exchange_can(ex, SLUICE_CAN_REPLACE)) {
    upload->only_new = false;
    upload->takes_over = true;
    memcpy(upload->if_match, upload->etag, sizeof upload->if_match);
  }
  object_go_on(ex);
}

/* A condition other than "nothing is there" becomes the one ETag that is, or
 * that nothing is. */
static void object_on_looked(void *arg, enum sluice_status status,
                             const char *why) {
  struct exchange *ex = arg;
  struct upload *upload = ex->work;
  bool conditional = precondition_is_any(&upload->condition);
  bool there = upload->was_there;
  const char *etag = !there || upload->etag[0] == '\0' ? NULL : upload->etag;
  ex->op = NULL;
  exchange_unwatch(ex);
  if (status != SLUICE_OK && status != SLUICE_ENOENT) {
    reply_failure(ex, status, why);
    return;
  }
  if (!precondition_holds(&upload->condition, there, etag) ||
      (conditional && there && etag == NULL)) {
    precondition_refuse(ex);
    return;
  }
  if (only_creates(ex) && there) {
    reply_error(ex, 409, "object_exists",
                "An object of that key exists, and this link replaces none");
    return;
  }
  upload->only_new = only_creates(ex) || (conditional && !there);
  if (conditional && there && upload->if_match[0] == '\0')
    memcpy(upload->if_match, etag, strlen(etag) + 1);
  object_take_over(ex);
}

static void object_look(struct exchange *ex) {
  static const struct op_events events = {.sees_expired = true,
                                          .meta = object_on_meta,
                                          .alive = exchange_alive,
                                          .done = object_on_looked};
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), ex->key, &events, ex);
}

/* The backend decides by itself what needs no look: but most take an object
 * that has ended, and wasn't swept, for one that is there. */
static bool decides_alone(struct exchange *ex) {
  struct upload *upload = ex->work;
  const struct precondition *is = &upload->condition;
  bool ends = upload_expiry_is_on(ex) && !exchange_can(ex, SLUICE_CAN_END);
  if (only_creates(ex))
    return upload->only_new && !ends;
  if (precondition_only_there(is) && exchange_can(ex, SLUICE_CAN_MATCH_ANY))
    memcpy(upload->if_match, "*", sizeof "*");
  bool told = exchange_can(ex, SLUICE_CAN_TELL);
  return (upload->only_new && !ends) ||
         (upload->if_match[0] != '\0' && told) ||
         (!precondition_is_any(is) && told);
}

/* An object that is there is told before what is wrong with the body, and to
 * a client that waits for a word before it sends one.  The backend decides all
 * the same, with the write. */
static bool tells_early(const struct exchange *ex) {
  const struct upload *upload = ex->work;
  bool may_fail = upload->only_new || upload->if_match[0] != '\0';
  return may_fail && (ex->head.expect_continue || !rawbody_fits(ex));
}

static void object_on_key(struct exchange *ex) {
  struct upload *upload = ex->work;
  bool conditional = precondition_is_any(&upload->condition);
  upload->only_new = precondition_only_new(&upload->condition) ||
                     (only_creates(ex) && !conditional);
  unsigned needed = upload->only_new ? SLUICE_CAN_CREATE
                    : conditional    ? SLUICE_CAN_CREATE | SLUICE_CAN_REPLACE
                                     : 0;
  if (!precondition_offered(ex, &upload->condition, exchange_can(ex, needed)))
    return;
  if (!decides_alone(ex) || tells_early(ex))
    object_look(ex);
  else if (rawbody_check(ex))
    rawbody_start(ex);
}

static enum operation operation_of(const struct exchange *ex) {
  if (ex->link == NULL)
    return asked(&ex->head);
  return ex->link->replace ? OPERATION_REPLACE : OPERATION_UPLOAD;
}

/* ---- the beginning ------------------------------------------------------ */

/* A name is stored where the request gives one, and a type by it. */
static void object_describe(struct exchange *ex) {
  struct upload *upload = ex->work;
  const char *disposition = head_get(&ex->head, "Content-Disposition");
  char name[KEY_MAX + 1];
  struct buf given;
  buf_init(&given, HEAD_TARGET_MAX);
  key_name(name, upload->key);
  if (disposition != NULL && mime_filename(&given, disposition)) {
    key_filename(upload->filename, given.data, given.len);
    memcpy(name, upload->filename, strlen(upload->filename) + 1);
  }
  buf_fini(&given);
  upload_choose_type(ex, head_get(&ex->head, "Content-Type"), name);
}

static void put_start(struct exchange *ex) {
  char key[KEY_MAX + 1];
  if (ex->link != NULL)
    snprintf(key, sizeof key, "%s", ex->link->name);
  else if (!objectkey_read(ex, key, key_made_fault))
    return;
  if (!rawbody_check_part(ex))
    return;
  struct upload *upload = rawbody_new(ex);
  upload->by_key = true;
  memcpy(upload->key, key, strlen(key) + 1);
  object_describe(ex);
  bool able = exchange_can(ex, SLUICE_CAN_CREATE) ||
              exchange_can(ex, SLUICE_CAN_REPLACE);
  if (precondition_read(ex, &upload->condition, able) &&
      upload_read_uploader(ex) && upload_expiry_read(ex) &&
      updigest_read(ex, &upload->digest))
    upload_hooks_ask(ex, operation_of(ex), NULL, object_on_key);
}

const struct endpoint object_put_endpoint = {.operation = OPERATION_REPLACE,
                                             .asked = asked,
                                             .method = "PUT",
                                             .tail = "/object",
                                             .cost = EXCHANGE_COST,
                                             .gives_links = true,
                                             .start = put_start};

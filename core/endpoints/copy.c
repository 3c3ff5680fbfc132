/* SPDX-License-Identifier: MIT
 *
 * POST /files/copy and /files/move: an object under another key, without a
 * byte passing through the gateway.  Both keys are asked about before
 * anything is looked up.  A move removes its source only as what was copied,
 * so that nothing is lost, whoever writes meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "endpoints.h"
#include "expirynote.h"
#include "jsonbody.h"
#include "key.h"
#include "must.h"
#include "reply.h"
#include "upload_expiry.h"

#define TRIES_MAX 8 /* to copy what was looked at */
#define UNGUARDED                                                 \
  "remove an object only as what was copied; say \"unguarded\": " \
  "true where nobody else writes it"

struct copy {
  char *from, *to;
  bool moves, replace, unguarded;
  char *etag;     /* of the source, as a move saw it */
  unsigned tries; /* to see it */
  bool was_there; /* an object at `to` */
  bool was_over;  /* one whose moment had passed, of `to_etag` */
  char *to_etag, *type, *md5;
  uint64_t length;
  bool gone;                   /* the source is */
  unsigned told;               /* changes that hooks were told of */
  int64_t expires_s;           /* the end of the source, and so of the copy */
  struct expirynote *note;     /* that is being written of it */
  struct sluice_object object; /* the one that they are told of */
};

static void copy_left(void *work) {
  expirynote_leave(((struct copy *)work)->note);
}

static void copy_free(void *work) {
  struct copy *copy = work;
  free(copy->from);
  free(copy->to);
  free(copy->etag);
  free(copy->to_etag);
  free(copy->type);
  free(copy->md5);
  free(copy);
}

static char *text_copy(const char *text) {
  char *copy = text == NULL ? NULL : strdup(text);
  must_have(text == NULL || copy != NULL); /* charged with the request */
  return copy;
}

/* ---- answers ------------------------------------------------------------ */

static void copy_answer(struct exchange *ex) {
  const struct copy *copy = ex->work;
  json_t *document =
      json_pack("{s:s, s:I, s:s?, s:s?}", "key", copy->to, "size_bytes",
                (json_int_t)copy->length, "content_type", copy->type, "etag",
                copy->to_etag);
  if (copy->expires_s > 0) {
    char date[DATE_ISO_SIZE];
    date_iso(date, copy->expires_s);
    json_object_set_new(document, "expires_at", json_string(date));
  }
  expirynote_say(ex, copy->expires_s);
  reply_json(ex, copy->was_there ? 200 : 201, document);
}

static void copy_is_taken(struct exchange *ex) {
  reply_error(ex, 409, "object_exists",
              "There is an object at 'to'; say \"replace\": true to have it "
              "replaced");
}

static void is_changed(struct exchange *ex) {
  reply_error(ex, 409, "source_changed",
              "The object at 'from' was replaced meanwhile; look at both");
}

static void is_left_over(struct exchange *ex) {
  reply_error(ex, 502, "upstream_failed",
              "The object was copied, but its source couldn't be removed: "
              "both are there; repeat it with \"replace\": true");
}

static void not_offered(struct exchange *ex, const char *what) {
  reply_error(ex, 501, "not_implemented", "This storage can't %s", what);
}

/* ---- what took place ---------------------------------------------------- */

/* Hooks are told of the target, then of a source that went. */
static const struct sluice_object *next_change(struct exchange *ex) {
  struct copy *copy = ex->work;
  enum operation put = copy->replace ? OPERATION_REPLACE : OPERATION_UPLOAD;
  switch (copy->told++) {
  case 0:
    ex->request.operation = operation_name(put);
    copy->object = (struct sluice_object){.key = copy->to,
                                          .type = copy->type,
                                          .length = copy->length,
                                          .md5 = copy->md5};
    return &copy->object;
  case 1:
    ex->request.operation = operation_name(OPERATION_DELETE);
    copy->object = (struct sluice_object){.key = copy->from};
    return copy->gone ? &copy->object : NULL;
  default:
    return NULL;
  }
}

static void copy_on_removed(void *arg, enum sluice_status status,
                            const char *why) {
  struct exchange *ex = arg;
  struct copy *copy = ex->work;
  ex->op = NULL;
  copy->gone = status == SLUICE_OK || status == SLUICE_ENOENT;
  if (!copy->gone)
    reply_log_failure(ex, status, why);
  exchange_changed_all(ex, next_change,
                       copy->gone                  ? copy_answer
                       : status == SLUICE_EPRECOND ? is_changed
                                                   : is_left_over);
}

/* Part of the change that the copy began: whoever leaves, both take place. */
static void remove_source(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = copy_on_removed};
  const struct copy *copy = ex->work;
  struct op_backend *backend = exchange_backend(ex);
  exchange_alive(ex);
  if (copy->etag == NULL || !exchange_can(ex, SLUICE_CAN_REMOVE))
    ex->op = op_remove(backend, copy->from, &events, ex);
  else
    ex->op = op_remove_if(
        backend,
        &(struct sluice_removal){.key = copy->from, .if_match = copy->etag},
        &events, ex);
}

/* ---- the copy ----------------------------------------------------------- */

static const char *copy_md5_of(const struct sluice_meta *meta) {
  const struct sluice_pair *pair = meta->user;
  for (; pair != NULL && pair->name != NULL; pair++)
    if (strcmp(pair->name, "md5") == 0)
      return pair->value;
  return NULL;
}

static void on_copied_meta(void *arg, const struct sluice_meta *meta) {
  struct copy *copy = ((struct exchange *)arg)->work;
  copy->length = meta->length;
  copy->to_etag = text_copy(meta->etag);
  copy->type = text_copy(meta->type);
  copy->md5 = text_copy(copy_md5_of(meta));
  if (meta->before != SLUICE_BEFORE_UNKNOWN)
    copy->was_there = meta->before == SLUICE_BEFORE_THERE;
}

static void look_at_source(struct exchange *ex);

/* Nothing was copied yet: the source was replaced between the look and the
 * copy. */
static void look_again(struct exchange *ex) {
  struct copy *copy = ex->work;
  free(copy->etag);
  copy->etag = NULL;
  if (++copy->tries < TRIES_MAX)
    look_at_source(ex);
  else
    is_changed(ex);
}

static void on_copied(void *arg, enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  const struct copy *copy = ex->work;
  ex->op = NULL;
  if (status == SLUICE_OK && copy->moves) {
    remove_source(ex);
  } else if (status == SLUICE_OK) {
    exchange_changed_all(ex, next_change, copy_answer);
  } else if (status == SLUICE_EEXIST) {
    exchange_failed_as(ex, status, why, copy_is_taken);
  } else if (status == SLUICE_EPRECOND) {
    exchange_failed_as(ex, status, why, look_again);
  } else {
    exchange_failed(ex, status, why);
  }
}

static void copy_carry(struct exchange *ex) {
  static const struct op_events events = {
      .meta = on_copied_meta, .alive = exchange_alive, .done = on_copied};
  const struct copy *copy = ex->work;
  exchange_change(ex);
  ex->op = op_copy(exchange_backend(ex),
                   &(struct sluice_copy){.from = copy->from,
                                         .to = copy->to,
                                         .if_match = copy->etag,
                                         .exclusive = !copy->replace},
                   &events, ex);
}

/* The copy ends when its source does, so a sweep has to find both. */
static void carry(struct exchange *ex) {
  struct copy *copy = ex->work;
  exchange_set_key(ex, copy->to);
  if (copy->expires_s > 0)
    expirynote_write(&copy->note, ex, copy->to, copy->expires_s, copy_carry);
  else
    copy_carry(ex);
}

/* ---- what is there before ----------------------------------------------- */

static void on_target_meta(void *arg, const struct sluice_meta *meta) {
  struct copy *copy = ((struct exchange *)arg)->work;
  copy->was_over = op_has_expired(meta);
  copy->was_there = !copy->was_over;
  if (copy->was_over)
    copy->to_etag = text_copy(meta->etag);
}

/* Whoever removed it, it is gone; or another object is there, and the copy
 * finds it. */
static void on_over_removed(void *arg, enum sluice_status status,
                            const char *why) {
  struct exchange *ex = arg;
  struct copy *copy = ex->work;
  ex->op = NULL;
  free(copy->to_etag);
  copy->to_etag = NULL;
  if (status != SLUICE_OK && status != SLUICE_ENOENT &&
      status != SLUICE_EPRECOND)
    reply_failure(ex, status, why);
  else
    carry(ex);
}

/* A target that has ended isn't there, but the storage has it still. */
static bool removes_over(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = on_over_removed};
  const struct copy *copy = ex->work;
  if (!copy->was_over || copy->replace || copy->to_etag == NULL ||
      exchange_can(ex, SLUICE_CAN_END) || !exchange_can(ex, SLUICE_CAN_REMOVE))
    return false;
  exchange_alive(ex);
  ex->op = op_remove_if(exchange_backend(ex),
                        &(struct sluice_removal){.key = copy->to,
                                                 .if_match = copy->to_etag,
                                                 .if_ended = true},
                        &events, ex);
  return true;
}

static void on_target_looked(void *arg, enum sluice_status status,
                             const char *why) {
  struct exchange *ex = arg;
  ex->op = NULL;
  if (status != SLUICE_OK && status != SLUICE_ENOENT)
    reply_failure(ex, status, why);
  else if (!removes_over(ex)) {
    free(((struct copy *)ex->work)->to_etag);
    ((struct copy *)ex->work)->to_etag = NULL;
    carry(ex);
  }
}

/* The answer says whether it was there, which some storages don't tell. */
static void look_at_target(struct exchange *ex) {
  static const struct op_events events = {.sees_expired = true,
                                          .meta = on_target_meta,
                                          .alive = exchange_alive,
                                          .done = on_target_looked};
  const struct copy *copy = ex->work;
  bool ends = upload_expiry_is_on(ex) && !exchange_can(ex, SLUICE_CAN_END);
  if (copy->replace ? exchange_can(ex, SLUICE_CAN_TELL) : !ends) {
    carry(ex);
    return;
  }
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), copy->to, &events, ex);
}

static void on_source_meta(void *arg, const struct sluice_meta *meta) {
  struct copy *copy = ((struct exchange *)arg)->work;
  free(copy->etag);
  copy->expires_s = op_expires(meta);
  copy->etag =
      copy->moves || copy->expires_s > 0 ? text_copy(meta->etag) : NULL;
}

static void on_source_looked(void *arg, enum sluice_status status,
                             const char *why) {
  struct exchange *ex = arg;
  const struct copy *copy = ex->work;
  ex->op = NULL;
  if (status != SLUICE_OK)
    reply_failure(ex, status, why);
  else if (copy->moves && copy->etag == NULL && !copy->unguarded)
    not_offered(ex, UNGUARDED);
  else
    look_at_target(ex);
}

/* A move copies, and removes, what it saw; a copy of what ends, what it has
 * noted the end of. */
static void look_at_source(struct exchange *ex) {
  static const struct op_events events = {.meta = on_source_meta,
                                          .alive = exchange_alive,
                                          .done = on_source_looked};
  const struct copy *copy = ex->work;
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), copy->from, &events, ex);
}

/* ---- the beginning ------------------------------------------------------ */

static void copy_on_allowed(struct exchange *ex) {
  const struct copy *copy = ex->work;
  if (!exchange_can(ex, SLUICE_CAN_COPY))
    not_offered(ex, "copy objects");
  else if (!copy->replace && !exchange_can(ex, SLUICE_CAN_COPY_NEW))
    not_offered(ex, "see to it that a copy replaces nothing; say "
                    "\"replace\": true where it may");
  else if (copy->moves && !copy->unguarded &&
           !exchange_can(ex, SLUICE_CAN_REMOVE))
    not_offered(ex, UNGUARDED);
  else if (copy->moves || upload_expiry_is_on(ex))
    look_at_source(ex);
  else
    look_at_target(ex);
}

static void on_target_allowed(struct exchange *ex) {
  const struct copy *copy = ex->work;
  if (copy->moves)
    exchange_check_as(ex, OPERATION_DELETE, copy->from, copy_on_allowed);
  else
    copy_on_allowed(ex);
}

static void on_source_allowed(struct exchange *ex) {
  const struct copy *copy = ex->work;
  exchange_check_as(ex, copy->replace ? OPERATION_REPLACE : OPERATION_UPLOAD,
                    copy->to, on_target_allowed);
}

/* False when it was answered. */
static bool read_flag(struct exchange *ex, const json_t *document,
                      const char *name, bool *flag) {
  const json_t *value = json_object_get(document, name);
  *flag = json_is_true(value);
  if (value == NULL || json_is_boolean(value))
    return true;
  reply_error(ex, 400, "bad_request", "'%s' is neither true nor false", name);
  return false;
}

static void copy_on_json(struct exchange *ex, json_t *document, bool moves) {
  bool replace, unguarded;
  const char *from = jsonbody_key_of(ex, document, "from", key_found_fault);
  const char *to = from == NULL
                       ? NULL
                       : jsonbody_key_of(ex, document, "to", key_made_fault);
  if (to == NULL || !read_flag(ex, document, "replace", &replace) ||
      !read_flag(ex, document, "unguarded", &unguarded))
    return;
  if (strcmp(from, to) == 0) {
    reply_error(ex, 400, "bad_key", "'from' and 'to' are the same key");
    return;
  }
  struct copy *copy = calloc(1, sizeof *copy);
  must_have(copy); /* charged with the request */
  copy->from = text_copy(from);
  copy->to = text_copy(to);
  copy->moves = moves;
  copy->replace = replace;
  copy->unguarded = unguarded;
  ex->work = copy;
  ex->work_free = copy_free;
  ex->work_left = copy_left;
  exchange_check_as(ex, OPERATION_DOWNLOAD, copy->from, on_source_allowed);
}

static void on_copy_json(struct exchange *ex, json_t *document) {
  copy_on_json(ex, document, false);
}

static void on_move_json(struct exchange *ex, json_t *document) {
  copy_on_json(ex, document, true);
}

static void copy_start(struct exchange *ex) {
  jsonbody_read(ex, on_copy_json);
}

static void move_start(struct exchange *ex) {
  jsonbody_read(ex, on_move_json);
}

const struct endpoint copy_endpoint = {.operation = OPERATION_COPY,
                                       .method = "POST",
                                       .tail = "/copy",
                                       .cost = EXCHANGE_COST,
                                       .start = copy_start};

const struct endpoint move_endpoint = {.operation = OPERATION_COPY,
                                       .method = "POST",
                                       .tail = "/move",
                                       .cost = EXCHANGE_COST,
                                       .start = move_start};

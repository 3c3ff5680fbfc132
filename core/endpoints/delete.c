/* SPDX-License-Identifier: MIT
 *
 * DELETE /files and /files/object: an object is gone afterwards, whether or
 * not it was there.  Under If-Match it is looked at first, and removed as what
 * was seen.
 */
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "jsonbody.h"
#include "key.h"
#include "must.h"
#include "objectkey.h"
#include "precondition.h"
#include "reply.h"

static void delete_on_told(struct exchange *ex) {
  reply_json(ex, 200, json_pack("{s:s}", "deleted", ex->key));
}

static void delete_on_done(void *arg, enum sluice_status status,
                           const char *why) {
  struct exchange *ex = arg;
  ex->op = NULL;
  if (status != SLUICE_OK && status != SLUICE_ENOENT)
    exchange_failed(ex, status, why);
  else
    exchange_changed(ex, &(struct sluice_object){.key = ex->key},
                     delete_on_told);
}

static void remove_object(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = delete_on_done};
  exchange_change(ex);
  ex->op = op_remove(exchange_backend(ex), ex->key, &events, ex);
}

/* The first key with this prefix is the key itself, where there is one. */
static void delete_on_listed(void *arg, enum sluice_status status,
                             const char *why) {
  struct exchange *ex = arg;
  bool there = status == SLUICE_OK && op_entries(ex->op) > 0 &&
               op_entry(ex->op, 0).meta != NULL &&
               strcmp(op_entry(ex->op, 0).key, ex->key) == 0;
  ex->op = NULL;
  if (status != SLUICE_OK)
    reply_failure(ex, status, why);
  else if (there)
    remove_object(ex);
  else
    delete_on_told(ex);
}

/* A key whose dots a storage would climb by names another object there; only
 * one that lists it has it. */
static void look_first(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = delete_on_listed};
  exchange_watch(ex);
  ex->op =
      op_list(exchange_backend(ex),
              &(struct sluice_list){.prefix = ex->key, .max = 1}, &events, ex);
}

static void delete_on_key(struct exchange *ex) {
  if (key_climbs(ex->key, strlen(ex->key)))
    look_first(ex);
  else
    remove_object(ex);
}

static void delete_on_json(struct exchange *ex, json_t *document) {
  const char *key = jsonbody_key(ex, document, key_removed_fault);
  if (key != NULL)
    exchange_check_key(ex, key, delete_on_key);
}

static void delete_start(struct exchange *ex) {
  jsonbody_read(ex, delete_on_json);
}

/* ---- under a condition -------------------------------------------------- */

struct delete {
  struct precondition condition;
  char *etag; /* of what is there; NULL: nothing, or none */
  bool there;
};

static void delete_free(void *work) {
  struct delete *delete = work;
  precondition_fini(&delete->condition);
  free(delete->etag);
  free(delete);
}

static void on_removed_if(void *arg, enum sluice_status status,
                          const char *why) {
  if (status == SLUICE_ENOENT)
    status = SLUICE_EPRECOND;
  delete_on_done(arg, status, why);
}

static void delete_on_meta(void *arg, const struct sluice_meta *meta) {
  struct delete *delete = ((struct exchange *)arg)->work;
  delete->there = true;
  delete->etag = meta->etag == NULL ? NULL : strdup(meta->etag);
}

static void remove_if(struct exchange *ex, const char *etag) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = on_removed_if};
  exchange_change(ex);
  ex->op = op_remove_if(
      exchange_backend(ex),
      &(struct sluice_removal){.key = ex->key, .if_match = etag}, &events, ex);
}

static void delete_on_looked(void *arg, enum sluice_status status,
                             const char *why) {
  struct exchange *ex = arg;
  const struct delete *delete = ex->work;
  ex->op = NULL;
  if (status != SLUICE_OK && status != SLUICE_ENOENT)
    reply_failure(ex, status, why);
  else if (!precondition_holds(&delete->condition, delete->there,
                               delete->etag) ||
           (delete->there && delete->etag == NULL))
    precondition_refuse(ex);
  else if (!delete->there)
    delete_on_told(ex); /* without If-Match: there is nothing to remove */
  else
    remove_if(ex, delete->etag);
}

static void on_condition_key(struct exchange *ex) {
  static const struct op_events events = {.meta = delete_on_meta,
                                          .alive = exchange_alive,
                                          .done = delete_on_looked};
  const struct delete *delete = ex->work;
  bool able = exchange_can(ex, SLUICE_CAN_REMOVE);
  if (!precondition_offered(ex, &delete->condition, able))
    return;
  if (exchange_can(ex, SLUICE_CAN_MATCH_ANY) &&
      precondition_only_there(&delete->condition)) {
    remove_if(ex, "*");
    return;
  }
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), ex->key, &events, ex);
}

static void object_delete_start(struct exchange *ex) {
  char key[KEY_MAX + 1];
  struct delete *delete = calloc(1, sizeof *delete);
  must_have(delete); /* charged with the request */
  ex->work = delete;
  ex->work_free = delete_free;
  if (!precondition_read(ex, &delete->condition,
                         exchange_can(ex, SLUICE_CAN_REMOVE)))
    return;
  /* A key that is looked up may not climb. */
  bool looks = precondition_is_any(&delete->condition);
  if (objectkey_read(ex, key, looks ? key_found_fault : key_removed_fault))
    exchange_check_key(ex, key, looks ? on_condition_key : delete_on_key);
}

const struct endpoint delete_endpoint = {.operation = OPERATION_DELETE,
                                         .method = "DELETE",
                                         .tail = "",
                                         .cost = EXCHANGE_COST,
                                         .start = delete_start};

const struct endpoint object_delete_endpoint = {.operation = OPERATION_DELETE,
                                                .method = "DELETE",
                                                .tail = "/object",
                                                .cost = EXCHANGE_COST,
                                                .start = object_delete_start};

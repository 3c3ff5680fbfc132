/* SPDX-License-Identifier: MIT
 *
 * DELETE /files: an object is gone afterwards, whether or not it was there.
 */
#include "endpoints.h"
#include "jsonbody.h"

#include <string.h>

#include "key.h"
#include "reply.h"

static void on_told(struct exchange *ex) {
  reply_json(ex, 200, json_pack("{s:s}", "deleted", ex->key));
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct exchange *ex = arg;
  ex->op = NULL;
  if (status != SLUICE_OK && status != SLUICE_ENOENT)
    exchange_failed(ex, status, why);
  else
    exchange_changed(ex, &(struct sluice_object){.key = ex->key}, on_told);
}

static void remove_object(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = on_done};
  exchange_change(ex);
  ex->op = op_remove(exchange_backend(ex), ex->key, &events, ex);
}

/* The first key with this prefix is the key itself, where there is one. */
static void on_listed(void *arg, enum sluice_status status, const char *why) {
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
    on_told(ex);
}

/* A key whose dots a storage would climb by names another object there; only
 * one that lists it has it. */
static void look_first(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = on_listed};
  exchange_watch(ex);
  ex->op =
      op_list(exchange_backend(ex),
              &(struct sluice_list){.prefix = ex->key, .max = 1}, &events, ex);
}

static void on_key(struct exchange *ex) {
  if (key_climbs(ex->key, strlen(ex->key)))
    look_first(ex);
  else
    remove_object(ex);
}

static void on_json(struct exchange *ex, json_t *document) {
  const char *key = jsonbody_key(ex, document, key_removed_fault);
  if (key != NULL)
    exchange_check_key(ex, key, on_key);
}

static void delete_start(struct exchange *ex) {
  jsonbody_read(ex, on_json);
}

const struct endpoint delete_endpoint = {.operation = OPERATION_DELETE,
                                         .method = "DELETE",
                                         .tail = "",
                                         .cost = EXCHANGE_COST,
                                         .start = delete_start};

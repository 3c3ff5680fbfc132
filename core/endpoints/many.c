/* SPDX-License-Identifier: MIT
 *
 * POST /files/delete: many objects, by their keys or below a prefix.  Each key
 * is for itself: what hooks deny, and what the storage can't remove, is told
 * beside those that are gone.
 */
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "jsonbody.h"
#include "key.h"
#include "must.h"
#include "reply.h"

#define BODY_MAX (2u << 20)
#define KEYS_MAX 1000
#define COST_KEY 512 /* bytes of a key's own, beside its text */

struct one {
  json_t *text; /* the key, for answers */
  const char *key;
  const char *code, *error; /* NULL: it is, or will be, gone */
  bool repeated;            /* it was named before: told there */
};

struct many {
  struct one *ones;
  size_t count, at; /* the one that hooks are asked about, or told of */
  bool asking, asked;
  const char **keys; /* of those that are to go; lent to the backend */
  size_t *indices;   /* theirs in `ones` */
  size_t key_count;
  bool by_prefix, dry, truncated;
  uint64_t *sizes, size;       /* by prefix: of each, of all that are gone */
  struct sluice_object object; /* told to hooks */
};

static void many_free(void *work) {
  struct many *many = work;
  for (size_t i = 0; many->ones != NULL && i < many->count; i++)
    json_decref(many->ones[i].text);
  free(many->ones);
  free(many->keys);
  free(many->indices);
  free(many->sizes);
  free(many);
}

static void *many_alloc(size_t count, size_t size) {
  void *memory = calloc(count + 1, size);
  must_have(memory); /* charged */
  return memory;
}

static struct many *many_begin(struct exchange *ex, size_t count) {
  struct many *many = many_alloc(1, sizeof *many);
  many->ones = many_alloc(count, sizeof *many->ones);
  many->keys = many_alloc(count, sizeof *many->keys);
  many->indices = many_alloc(count, sizeof *many->indices);
  ex->work = many;
  ex->work_free = many_free;
  return many;
}

static void many_fail(struct one *one, const char *code, const char *error) {
  one->code = code;
  one->error = error;
}

/* ---- answers ------------------------------------------------------------ */

static json_t *failed(const struct many *many) {
  json_t *list = json_array();
  for (size_t i = 0; i < many->count; i++) {
    const struct one *one = &many->ones[i];
    if (one->code != NULL && !one->repeated)
      json_array_append_new(list,
                            json_pack("{s:O, s:s, s:s}", "key", one->text,
                                      "code", one->code, "error", one->error));
  }
  return list;
}

static size_t count_gone(const struct many *many) {
  size_t count = 0;
  for (size_t i = 0; i < many->count; i++)
    count += many->ones[i].code == NULL;
  return count;
}

static void answer_prefix(struct exchange *ex) {
  const struct many *many = ex->work;
  size_t gone = count_gone(many);
  reply_json(ex, 200,
             json_pack("{s:I, s:I, s:o, s:b}", "deleted", (json_int_t)gone,
                       "size_bytes", (json_int_t)many->size, "failed",
                       failed(many), "truncated",
                       many->truncated && gone > 0));
}

static void answer_keys(struct exchange *ex) {
  const struct many *many = ex->work;
  json_t *gone = json_array();
  for (size_t i = 0; i < many->count; i++)
    if (many->ones[i].code == NULL && !many->ones[i].repeated)
      json_array_append(gone, many->ones[i].text);
  reply_json(ex, 200,
             json_pack("{s:o, s:o}", "deleted", gone, "failed", failed(many)));
}

static void many_answer(struct exchange *ex) {
  const struct many *many = ex->work;
  if (many->by_prefix)
    answer_prefix(ex);
  else
    answer_keys(ex);
}

/* ---- the backend -------------------------------------------------------- */

/* Hooks are told of each that is gone. */
static const struct sluice_object *next_gone(struct exchange *ex) {
  struct many *many = ex->work;
  while (many->at < many->key_count) {
    const struct one *one = &many->ones[many->indices[many->at++]];
    if (one->code == NULL) {
      many->object = (struct sluice_object){.key = one->key};
      return &many->object;
    }
  }
  return NULL;
}

static void many_note(struct many *many, size_t i, enum sluice_status status) {
  struct one *one = &many->ones[many->indices[i]];
  if (status == SLUICE_OK || status == SLUICE_ENOENT) {
    many->size += many->by_prefix ? many->sizes[many->indices[i]] : 0;
    return;
  }
  many_fail(one, reply_code(status), "The storage couldn't remove it");
}

static void many_on_removed(void *arg, enum sluice_status status,
                            const char *why) {
  struct exchange *ex = arg;
  (void)status; /* op_removed() tells of each */
  struct many *many = ex->work;
  for (size_t i = 0; i < many->key_count; i++)
    many_note(many, i, op_removed(ex->op, i));
  ex->op = NULL;
  ex->work_lent = false;
  many->at = 0;
  const struct sluice_object *first = next_gone(ex);
  many->at = 0;
  if (first != NULL && why != NULL)
    reply_log_failure(ex, SLUICE_EUPSTREAM, why);
  if (first != NULL)
    exchange_changed_all(ex, next_gone, many_answer);
  else
    exchange_failed_as(ex, SLUICE_EUPSTREAM, why, many_answer);
}

static void remove_all(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = many_on_removed};
  struct many *many = ex->work;
  for (size_t i = 0; i < many->count; i++)
    if (many->ones[i].code == NULL && !many->ones[i].repeated) {
      many->indices[many->key_count] = i;
      many->keys[many->key_count++] = many->ones[i].key;
    }
  if (many->key_count == 0) {
    many_answer(ex);
    return;
  }
  exchange_change(ex);
  ex->work_lent = true;
  ex->op = op_remove_many(exchange_backend(ex), many->keys, many->key_count,
                          &events, ex);
}

/* ---- keys --------------------------------------------------------------- */

static void many_ask_on(struct exchange *ex);

static void next(struct exchange *ex) {
  struct many *many = ex->work;
  many->at++;
  if (many->asking)
    many->asked = true;
  else
    many_ask_on(ex);
}

static void many_on_denied(struct exchange *ex, enum sluice_status status) {
  struct many *many = ex->work;
  struct one *one = &many->ones[many->at];
  if (status == SLUICE_EBUSY || status == SLUICE_ERATE)
    many_fail(one, reply_code(status), "Too much is going on; try again");
  else
    many_fail(one, "forbidden", "This isn't allowed");
  next(ex);
}

/* Hooks that don't wait call back at once, which must not nest. */
static void many_ask_on(struct exchange *ex) {
  struct many *many = ex->work;
  many->asking = true;
  many->asked = true;
  while (many->asked && many->at < many->count) {
    const struct one *one = &many->ones[many->at];
    if (one->code != NULL || one->repeated) {
      many->at++;
      continue;
    }
    many->asked = false;
    exchange_try_key(ex, one->key, next, many_on_denied);
  }
  many->asking = false;
  if (many->asked)
    remove_all(ex);
}

static int compare(const struct one *a, const struct one *b) {
  size_t left = json_string_length(a->text);
  size_t right = json_string_length(b->text);
  int order = memcmp(a->key, b->key, left < right ? left : right);
  return order != 0 ? order : (left > right) - (left < right);
}

/* The same texts stand beside each other in a sorted list. */
static int many_by_text(const void *a, const void *b) {
  const struct one *const *left = a, *const *right = b;
  int order = compare(*left, *right);
  return order != 0 ? order : (*left > *right) - (*left < *right);
}

static void find_repeated(struct many *many) {
  struct one **sorted = many_alloc(many->count, sizeof *sorted);
  for (size_t i = 0; i < many->count; i++)
    sorted[i] = &many->ones[i];
  qsort(sorted, many->count, sizeof *sorted, many_by_text);
  for (size_t i = 1; i < many->count; i++)
    sorted[i]->repeated = compare(sorted[i - 1], sorted[i]) == 0;
  free(sorted);
}

static bool are_texts(const json_t *keys) {
  size_t i;
  const json_t *value;
  json_array_foreach(keys, i, value) {
    if (!json_is_string(value))
      return false;
  }
  return true;
}

/* Takes the text. */
static struct one *many_add(struct many *many, json_t *text) {
  struct one *one = &many->ones[many->count++];
  must_have(text); /* charged */
  one->text = text;
  one->key = json_string_value(text);
  return one;
}

static void start_keys(struct exchange *ex, const json_t *keys) {
  size_t count = json_array_size(keys);
  if (count == 0 || count > KEYS_MAX) {
    reply_error(ex, 400, "bad_request",
                "'keys' is a list of 1 to %d keys; send more in several "
                "requests",
                KEYS_MAX);
    return;
  }
  if (!are_texts(keys)) {
    reply_error(ex, 400, "bad_request", "'keys' holds what is no text");
    return;
  }
  if (!exchange_charge(ex, count * COST_KEY))
    return;
  struct many *many = many_begin(ex, count);
  for (size_t i = 0; i < count; i++) {
    struct one *one = many_add(many, json_incref(json_array_get(keys, i)));
    size_t len = json_string_length(one->text);
    const char *fault =
        len == 0 ? "It is empty" : key_found_fault(one->key, len);
    if (fault != NULL)
      many_fail(one, "bad_key", fault);
  }
  find_repeated(many);
  many_ask_on(ex);
}

/* ---- a prefix ----------------------------------------------------------- */

static void many_take_entries(struct many *many, const struct sluice_op *op) {
  size_t count = op_entries(op);
  for (size_t i = 0; i < count; i++) {
    struct op_entry entry = op_entry(op, i);
    struct one *one = many_add(many, json_string(entry.key));
    many->sizes[i] = entry.meta == NULL ? 0 : entry.meta->length;
    if (key_climbs(one->key, strlen(one->key)))
      many_fail(one, "bad_key",
                "It has a segment \".\" or \"..\"; remove it alone");
  }
  many->truncated = op_token(op) != NULL;
}

static void many_on_listed(void *arg, enum sluice_status status,
                           const char *why) {
  struct exchange *ex = arg;
  struct many *many = ex->work;
  if (status == SLUICE_OK)
    many_take_entries(many, ex->op);
  ex->op = NULL;
  if (status != SLUICE_OK) {
    reply_failure(ex, status, why);
  } else if (many->dry) {
    for (size_t i = 0; i < many->count; i++)
      many->size += many->ones[i].code == NULL ? many->sizes[i] : 0;
    many_answer(ex);
  } else {
    remove_all(ex);
  }
}

static void on_prefix(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = many_on_listed};
  exchange_watch(ex);
  ex->op = op_list(exchange_backend(ex),
                   &(struct sluice_list){.prefix = ex->key, .max = KEYS_MAX},
                   &events, ex);
}

static void start_prefix(struct exchange *ex, const json_t *value, bool dry) {
  const char *prefix = json_string_value(value);
  size_t len = json_string_length(value);
  const char *fault = NULL;
  bool reserved = prefix != NULL && key_reserved(prefix, len);
  if (reserved)
    fault = key_found_fault(prefix, len);
  else if (prefix == NULL || len == 0 || prefix[len - 1] != '/')
    fault = "It is a text that ends in /";
  else if (prefix[0] == '/')
    fault = "Keys don't begin with /";
  else
    fault = key_found_fault(prefix, len);
  if (fault != NULL) {
    reply_error(ex, 400, reserved ? "bad_key" : "bad_prefix",
                "Bad 'prefix': %s", fault);
    return;
  }
  if (!exchange_charge(ex, KEYS_MAX * (size_t)(COST_KEY + KEY_MAX)))
    return;
  struct many *many = many_begin(ex, KEYS_MAX);
  many->sizes = many_alloc(KEYS_MAX, sizeof *many->sizes);
  many->by_prefix = true;
  many->dry = dry;
  exchange_check_key(ex, prefix, on_prefix);
}

/* ---- the beginning ------------------------------------------------------ */

static void many_on_json(struct exchange *ex, json_t *document) {
  const json_t *keys = json_object_get(document, "keys");
  const json_t *prefix = json_object_get(document, "prefix");
  const json_t *dry = json_object_get(document, "dry_run");
  if ((keys == NULL) == (prefix == NULL))
    reply_error(ex, 400, "bad_request", "Say either 'keys' or 'prefix'");
  else if (keys != NULL && dry != NULL)
    reply_error(ex, 400, "bad_request",
                "'dry_run' goes with 'prefix' alone; nothing was deleted");
  else if (dry != NULL && !json_is_boolean(dry))
    reply_error(ex, 400, "bad_request",
                "'dry_run' is neither true nor false; nothing was deleted");
  else if (keys != NULL)
    start_keys(ex, keys);
  else
    start_prefix(ex, prefix, json_is_true(dry));
}

static void many_start(struct exchange *ex) {
  jsonbody_read_long(ex, BODY_MAX, many_on_json);
}

const struct endpoint many_endpoint = {.operation = OPERATION_DELETE,
                                       .method = "POST",
                                       .tail = "/delete",
                                       .cost = EXCHANGE_COST,
                                       .start = many_start};

/* SPDX-License-Identifier: MIT
 *
 * GET /files: a page of the objects below a prefix, in byte order.
 */
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "cursor.h"
#include "date.h"
#include "endpoints.h"
#include "key.h"
#include "must.h"
#include "query.h"
#include "reply.h"

#define LIST_DEFAULT 100
#define LIST_MAX 1000
#define DELIMITER_MAX 64
#define COST_ENTRY 1024 /* of an entry, as the backend and JSON hold it */

struct list {
  struct buf prefix, delimiter, token;
  uint32_t max, asked; /* entries: of the page, and of the backend's next */
  bool folded, resumed;
  bool wide;                  /* there is memory to skip many at once */
  json_t *objects, *prefixes; /* of the page, so far */
};

static void list_free(void *work) {
  struct list *list = work;
  buf_fini(&list->prefix);
  buf_fini(&list->delimiter);
  buf_fini(&list->token);
  json_decref(list->objects);
  json_decref(list->prefixes);
  free(list);
}

/* By hand, as json_pack() would check once more that keys and ETags are
 * UTF-8, and take twice as long. */
static json_t *entry_json(const struct op_entry *entry) {
  const char *etag = entry->meta->etag;
  char time[DATE_ISO_SIZE];
  json_t *json = json_object();
  date_iso(time, entry->meta->mtime_ms / 1000);
  json_object_set_new_nocheck(json, "key", json_string_nocheck(entry->key));
  json_object_set_new_nocheck(json, "size_bytes",
                              json_integer((json_int_t)entry->meta->length));
  json_object_set_new_nocheck(json, "last_modified",
                              json_string_nocheck(time));
  json_object_set_new_nocheck(json, "etag",
                              json_string_nocheck(etag ? etag : ""));
  return json;
}

static const struct digest_key *key_of(const struct exchange *ex) {
  return ex->gate->cursor_keys[ex->request.backend];
}

static uint32_t room(const struct list *list) {
  return list->max - (uint32_t)(json_array_size(list->objects) +
                                json_array_size(list->prefixes));
}

/* ---- the gateway's own -------------------------------------------------- */

/* Keys below KEY_OWN; they, and what they are folded into, are in no list. */
static bool list_is_own(const struct sluice_op *op, size_t i) {
  const char *key = op_entry(op, i).key;
  return key_reserved(key, strlen(key));
}

static size_t count_own(const struct sluice_op *op) {
  size_t count = 0;
  for (size_t i = 0; i < op_entries(op); i++)
    count += list_is_own(op, i);
  return count;
}

static size_t count_first_own(const struct sluice_op *op) {
  size_t count = 0;
  while (count < op_entries(op) && list_is_own(op, count))
    count++;
  return count;
}

/* There may be thousands of them, so a small page skips many at once. */
static uint32_t most(struct exchange *ex) {
  struct list *list = ex->work;
  size_t cost = (LIST_MAX - list->max) * (size_t)COST_ENTRY;
  if (!list->wide && budget_take(ex->gate->memory, cost)) {
    ex->cost += cost;
    list->wide = true;
  }
  return list->wide ? LIST_MAX : room(list);
}

/* Where more came than the page has room for, it is asked again: for those
 * that are skipped, and no more. */
static bool fits(struct list *list, const struct sluice_op *op) {
  size_t first = count_first_own(op);
  if (op_entries(op) - count_own(op) <= room(list))
    return true;
  list->asked = first > 0 ? (uint32_t)first : room(list);
  return false;
}

/* ---- a page ------------------------------------------------------------- */

static void list_take_entries(struct list *list, const struct sluice_op *op) {
  for (size_t i = 0; i < op_entries(op); i++) {
    struct op_entry entry = op_entry(op, i);
    if (list_is_own(op, i))
      continue;
    if (entry.meta == NULL)
      json_array_append_new(list->prefixes, json_string(entry.key));
    else
      json_array_append_new(list->objects, entry_json(&entry));
  }
}

static json_t *page_json(const struct exchange *ex, const struct list *list) {
  const char *token = op_token(ex->op);
  json_t *page =
      json_pack("{s:O, s:I, s:s, s:b}", "objects", list->objects, "count",
                (json_int_t)json_array_size(list->objects), "prefix",
                list->prefix.data, "truncated", token != NULL);
  if (list->folded)
    json_object_set(page, "prefixes", list->prefixes);
  if (token != NULL) {
    struct buf cursor;
    buf_init(&cursor, CURSOR_MAX);
    if (cursor_seal(&cursor, key_of(ex), list->prefix.data,
                    list->folded ? list->delimiter.data : NULL, token))
      json_object_set_new(page, "next_cursor", json_string(cursor.data));
    buf_fini(&cursor);
  }
  return page;
}

static void list_ask(struct exchange *ex);

/* A page from which some were left out is filled up. */
static bool is_short(struct exchange *ex) {
  struct list *list = ex->work;
  const char *token = op_token(ex->op);
  size_t count = op_entries(ex->op);
  if (token == NULL || count_own(ex->op) == 0 || room(list) == 0)
    return false;
  list->asked = list_is_own(ex->op, count - 1) ? most(ex) : room(list);
  buf_clear(&list->token);
  list->resumed = buf_adds(&list->token, token);
  return list->resumed;
}

static void list_on_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct exchange *ex = arg;
  struct list *list = ex->work;
  json_t *page = NULL;
  bool again = status == SLUICE_OK && !fits(list, ex->op);
  if (status == SLUICE_OK && !again) {
    list_take_entries(list, ex->op);
    again = is_short(ex);
  }
  if (status == SLUICE_OK && !again)
    page = page_json(ex, list);
  ex->op = NULL;
  if (status != SLUICE_OK)
    reply_failure(ex, status, why);
  else if (again)
    list_ask(ex);
  else if (page == NULL)
    reply_failure(ex, SLUICE_ENOMEM, why);
  else
    reply_json(ex, 200, page);
}

static void list_ask(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = list_on_done};
  const struct list *list = ex->work;
  exchange_watch(ex);
  ex->op = op_list(exchange_backend(ex),
                   &(struct sluice_list){
                       .prefix = list->prefix.data,
                       .delimiter = list->folded ? list->delimiter.data : NULL,
                       .token = list->resumed ? list->token.data : NULL,
                       .max = list->asked},
                   &events, ex);
}

static void list_on_key(struct exchange *ex) {
  struct list *list = ex->work;
  list->objects = json_array();
  list->prefixes = json_array();
  list->asked = list->max;
  list_ask(ex);
}

static bool has_control(const struct buf *text) {
  for (size_t i = 0; i < text->len; i++)
    if ((unsigned char)text->data[i] < 32 || text->data[i] == 127)
      return true;
  return false;
}

/* Digits, however many; what is above LIST_MAX counts as LIST_MAX. */
static uint32_t parse_limit(const char *text) {
  uint32_t limit = 0;
  for (; *text >= '0' && *text <= '9'; text++)
    if (limit <= LIST_MAX)
      limit = limit * 10 + (uint32_t)(*text - '0');
  if (*text != '\0')
    return 0;
  return limit > LIST_MAX ? LIST_MAX : limit;
}

static const char *read_limit(struct list *list, const char *query) {
  struct buf text;
  buf_init(&text, HEAD_TARGET_MAX);
  enum query_result found = query_get(&text, query, "limit");
  list->max = LIST_DEFAULT;
  if (found != QUERY_NONE)
    list->max = found == QUERY_FOUND ? parse_limit(text.data) : 0;
  buf_fini(&text);
  return list->max > 0 ? NULL : "'limit' isn't a whole number above 0";
}

static const char *list_read_prefix(struct list *list, enum query_result named,
                                    const char *fallback) {
  switch (named) {
  case QUERY_NONE:
    buf_clear(&list->prefix);
    return buf_addf(&list->prefix, "%s/", fallback)
               ? NULL
               : "the configured prefix is longer than a key; name one";
  case QUERY_FOUND:
    return has_control(&list->prefix) ? "'prefix' has a control character"
                                      : NULL;
  case QUERY_BAD:
    break;
  }
  return "'prefix' is given twice, isn't UTF-8, or is longer than a key";
}

static const char *read_delimiter(struct list *list, const char *query) {
  enum query_result found = query_get(&list->delimiter, query, "delimiter");
  list->folded = found == QUERY_FOUND && list->delimiter.len > 0;
  return found == QUERY_BAD || has_control(&list->delimiter)
             ? "'delimiter' is malformed"
             : NULL;
}

static const char *read_cursor(const struct exchange *ex, struct list *list,
                               const char *query) {
  struct buf cursor;
  buf_init(&cursor, CURSOR_MAX);
  enum query_result found = query_get(&cursor, query, "cursor");
  list->resumed = found == QUERY_FOUND;
  bool ok =
      found == QUERY_NONE ||
      (found == QUERY_FOUND &&
       cursor_open(&list->token, key_of(ex), cursor.data, list->prefix.data,
                   list->folded ? list->delimiter.data : NULL));
  buf_fini(&cursor);
  return ok ? NULL
            : "'cursor' isn't one that this gateway gave for this prefix and "
              "delimiter; begin again without it";
}

static void list_start(struct exchange *ex) {
  struct list *list = calloc(1, sizeof *list);
  must_have(list); /* charged with the request */
  buf_init(&list->prefix, KEY_MAX);
  buf_init(&list->delimiter, DELIMITER_MAX);
  buf_init(&list->token, CURSOR_TOKEN_MAX);
  ex->work = list;
  ex->work_free = list_free;
  const char *query = ex->head.query;
  char own[KEY_MAX + 1] = "";
  enum query_result named = query_get(&list->prefix, query, "prefix");
  if (named == QUERY_NONE && !exchange_own_prefix(ex, own))
    return;
  const char *fault = read_limit(list, query);
  if (fault == NULL)
    fault = list_read_prefix(list, named, own);
  if (fault == NULL)
    fault = read_delimiter(list, query);
  if (fault == NULL)
    fault = read_cursor(ex, list, query);
  if (fault != NULL)
    reply_error(ex, 400, "bad_query", "Bad query: %s", fault);
  else if (key_reserved(list->prefix.data, list->prefix.len))
    reply_error(ex, 400, "bad_key",
                "Bad 'prefix': what begins with \".sluice/\" is the "
                "gateway's own");
  else if (exchange_charge(ex, list->max * (size_t)COST_ENTRY))
    exchange_check_key(ex, list->prefix.data, list_on_key);
}

const struct endpoint list_endpoint = {.operation = OPERATION_LIST,
                                       .method = "GET",
                                       .tail = "",
                                       .cost = EXCHANGE_COST,
                                       .start = list_start};

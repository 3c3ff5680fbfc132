/* SPDX-License-Identifier: MIT
 *
 * GET /files/archive: objects below prefixes, or of keys, as one zip.  First
 * all of them are listed, or looked for, and hooks are asked whether each may
 * be read, so that the length is known, and nothing is left out in silence.
 */
#include "archive.h"

#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "endpoints.h"
#include "key.h"
#include "must.h"
#include "query.h"
#include "reply.h"

#define ITEMS_MAX 1000
#define ENTRIES_MAX 100000
#define PAGE 1000
#define COST_ENTRY 96 /* bytes of an entry, beside its key */
#define PAY (64 * 1024)
#define COST_PAGE (PAGE * (size_t)1024) /* as the backend holds it */

static void archive_free(void *work) {
  struct archive *archive = work;
  archive_send_free(archive->send);
  for (size_t i = 0; i < archive->item_count; i++)
    free(archive->items[i].text);
  for (size_t i = 0; i < archive->entry_count; i++)
    free(archive->entries[i].key);
  free(archive->items);
  free(archive->entries);
  buf_fini(&archive->token);
  free(archive);
}

/* ---- entries ------------------------------------------------------------ */

static void refuse_many(struct exchange *ex) {
  reply_error(ex, 400, "archive_too_large",
              "These are more than %d objects; take folders of them one by "
              "one",
              ENTRIES_MAX);
}

/* Memory is taken as entries come, in pieces.  False: it is answered. */
static bool pay(struct exchange *ex, size_t bytes) {
  struct archive *archive = ex->work;
  if (archive->paid < bytes) {
    if (!exchange_charge(ex, bytes + PAY))
      return false;
    archive->paid += bytes + PAY;
  }
  archive->paid -= bytes;
  return true;
}

static bool archive_make_room(struct exchange *ex) {
  struct archive *archive = ex->work;
  if (archive->entry_count < archive->entry_room)
    return true;
  size_t room = archive->entry_room * 2 + 64;
  if (!pay(ex, (room - archive->entry_room) * sizeof *archive->entries))
    return false;
  archive->entries =
      realloc(archive->entries, room * sizeof *archive->entries);
  must_have(archive->entries); /* charged */
  archive->entry_room = room;
  return true;
}

/* False: it is answered. */
static bool add_entry(struct exchange *ex, const char *key,
                      const struct sluice_meta *meta, bool allowed) {
  struct archive *archive = ex->work;
  size_t len = strlen(key);
  if (key_climbs(key, len)) {
    reply_error(ex, 409, "bad_key",
                "One of these has a segment \".\" or \"..\", which no archive "
                "may hold; take the others");
    return false;
  }
  if (archive->entry_count == ENTRIES_MAX) {
    refuse_many(ex);
    return false;
  }
  if (!pay(ex, len + COST_ENTRY) || !archive_make_room(ex))
    return false;
  char *copy = strdup(key);
  must_have(copy); /* charged */
  archive->entries[archive->entry_count++] =
      (struct archive_entry){.key = copy,
                             .size = meta->length,
                             .mtime_s = meta->mtime_ms / 1000,
                             .allowed = allowed};
  return true;
}

/* ---- hooks are asked about each ----------------------------------------- */

static void archive_ask_on(struct exchange *ex);

static void archive_on_allowed(struct exchange *ex) {
  struct archive *archive = ex->work;
  archive->entries[archive->at++].allowed = true;
  if (archive->asking)
    archive->asked = true;
  else
    archive_ask_on(ex);
}

static void archive_refuse(struct exchange *ex) {
  const struct archive *archive = ex->work;
  reply_denial(ex, ENDER_HOOK, archive->denied,
               "Not all of these may be read");
}

static void archive_on_denied(struct exchange *ex, enum sluice_status status) {
  struct archive *archive = ex->work;
  archive->denied = status == SLUICE_OK ? SLUICE_EAUTH : status;
  if (!archive->asking)
    archive_refuse(ex);
}

/* Hooks that don't wait call back at once, which must not nest. */
static void archive_ask_on(struct exchange *ex) {
  struct archive *archive = ex->work;
  archive->asking = archive->asked = true;
  while (archive->asked && archive->at < archive->entry_count) {
    if (archive->entries[archive->at].allowed) {
      archive->at++;
      continue;
    }
    archive->asked = false;
    ex->denied = archive_on_denied;
    exchange_check_as(ex, OPERATION_DOWNLOAD,
                      archive->entries[archive->at].key, archive_on_allowed);
  }
  archive->asking = false;
  if (archive->denied != SLUICE_OK)
    archive_refuse(ex);
  else if (archive->asked)
    archive_send(ex);
}

static void have_all(struct exchange *ex) {
  struct archive *archive = ex->work;
  archive->at = 0;
  if (archive->entry_count == 0)
    reply_error(ex, 404, "object_not_found", "Nothing is there");
  else
    archive_ask_on(ex);
}

/* ---- items -------------------------------------------------------------- */

static void next_item(struct exchange *ex);
static void list_on(struct exchange *ex);

static bool archive_take_page(struct exchange *ex,
                              const struct sluice_op *op) {
  for (size_t i = 0; i < op_entries(op); i++) {
    struct op_entry entry = op_entry(op, i);
    if (entry.meta != NULL && !key_reserved(entry.key, strlen(entry.key)) &&
        !add_entry(ex, entry.key, entry.meta, false))
      return false;
  }
  return true;
}

static void archive_on_listed(void *arg, enum sluice_status status,
                              const char *why) {
  struct exchange *ex = arg;
  struct archive *archive = ex->work;
  struct sluice_op *op = ex->op;
  const char *token = status == SLUICE_OK ? op_token(op) : NULL;
  buf_clear(&archive->token);
  archive->resumed = token != NULL && buf_adds(&archive->token, token);
  ex->op = NULL;
  if (status != SLUICE_OK)
    reply_failure(ex, status, why);
  else if (!archive_take_page(ex, op))
    return;
  else if (archive->resumed)
    list_on(ex);
  else if (token != NULL)
    reply_failure(ex, SLUICE_ENOMEM, "a token of a list is too long");
  else
    next_item(ex);
}

static void list_on(struct exchange *ex) {
  static const struct op_events events = {.alive = exchange_alive,
                                          .done = archive_on_listed};
  const struct archive *archive = ex->work;
  exchange_watch(ex);
  ex->op = op_list(exchange_backend(ex),
                   &(struct sluice_list){
                       .prefix = archive->items[archive->at - 1].text,
                       .token = archive->resumed ? archive->token.data : NULL,
                       .max = PAGE},
                   &events, ex);
}

static void archive_on_head_meta(void *arg, const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  const struct archive *archive = ex->work;
  add_entry(ex, archive->items[archive->at - 1].text, meta, true);
}

static void on_head_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct exchange *ex = arg;
  ex->op = NULL;
  if (status != SLUICE_OK)
    reply_failure(ex, status, why);
  else
    next_item(ex);
}

static void look_for(struct exchange *ex) {
  static const struct op_events events = {.meta = archive_on_head_meta,
                                          .alive = exchange_alive,
                                          .done = on_head_done};
  exchange_watch(ex);
  ex->op = op_head(exchange_backend(ex), ex->key, &events, ex);
}

/* `at` is one past the item that is worked on. */
static void next_item(struct exchange *ex) {
  struct archive *archive = ex->work;
  if (archive->at == archive->item_count) {
    have_all(ex);
    return;
  }
  const struct archive_item *item = &archive->items[archive->at++];
  archive->resumed = false;
  if (item->is_key)
    exchange_check_as(ex, OPERATION_DOWNLOAD, item->text, look_for);
  else
    exchange_check_as(ex, OPERATION_LIST, item->text, list_on);
}

/* ---- the request -------------------------------------------------------- */

static int archive_by_text(const void *a, const void *b) {
  const struct archive_item *left = a, *right = b;
  return strcmp(left->text, right->text);
}

/* Sorted, what is below a prefix stands behind it. */
static bool overlaps(struct archive *archive) {
  const char *prefix = NULL;
  qsort(archive->items, archive->item_count, sizeof *archive->items,
        archive_by_text);
  for (size_t i = 0; i < archive->item_count; i++) {
    const struct archive_item *item = &archive->items[i];
    if (prefix != NULL && strncmp(item->text, prefix, strlen(prefix)) == 0)
      return true;
    if (i > 0 && strcmp(item->text, item[-1].text) == 0)
      return true;
    if (!item->is_key)
      prefix = item->text;
  }
  return false;
}

/* Bytes of a key up to its last segment, of a folder up to its name. */
static size_t parent_of(const char *text) {
  size_t len = strlen(text);
  if (len > 0 && text[len - 1] == '/')
    len--;
  while (len > 0 && text[len - 1] != '/')
    len--;
  return len;
}

/* The folder that all of them are in. */
static size_t common_folder(const struct archive *archive) {
  const char *first = archive->items[0].text;
  size_t common = parent_of(first);
  for (size_t i = 1; i < archive->item_count; i++) {
    const char *text = archive->items[i].text;
    size_t most = parent_of(text), same = 0;
    while (same < common && same < most && first[same] == text[same])
      same++;
    while (same > 0 && first[same - 1] != '/')
      same--;
    common = same;
  }
  return common;
}

static const char *add_item(struct archive *archive, const struct buf *text,
                            bool is_key) {
  const char *fault = NULL;
  if (text->len > 0 && text->data[0] == '/')
    fault = "it begins with /";
  else if (text->len > 0)
    fault = key_found_fault(text->data, text->len);
  else if (is_key)
    fault = "it is empty";
  if (fault != NULL)
    return fault;
  if (archive->item_count == ITEMS_MAX)
    return "there are more than 1000 of them; ask for folders instead";
  struct archive_item *item = &archive->items[archive->item_count++];
  *item = (struct archive_item){.text = strdup(text->data), .is_key = is_key};
  must_have(item->text); /* a part of the head, which is charged */
  return NULL;
}

static const char *read_items(struct archive *archive, const char *query,
                              const char *name, bool is_key) {
  struct buf text;
  const char *fault = NULL;
  enum query_result found;
  buf_init(&text, KEY_MAX);
  while (fault == NULL &&
         (found = query_next(&text, &query, name)) != QUERY_NONE)
    fault = found == QUERY_BAD ? "it isn't UTF-8, or is longer than a key"
                               : add_item(archive, &text, is_key);
  buf_fini(&text);
  return fault;
}

static void archive_start(struct exchange *ex) {
  if (!exchange_charge(ex, COST_PAGE))
    return;
  struct archive *archive = calloc(1, sizeof *archive);
  must_have(archive); /* charged */
  archive->items = calloc(ITEMS_MAX, sizeof *archive->items);
  must_have(archive->items);
  buf_init(&archive->token, CURSOR_TOKEN_MAX);
  ex->work = archive;
  ex->work_free = archive_free;
  const char *fault = read_items(archive, ex->head.query, "key", true);
  const char *name = "key";
  if (fault == NULL) {
    name = "prefix";
    fault = read_items(archive, ex->head.query, name, false);
  }
  if (fault != NULL) {
    reply_error(ex, 400, "bad_key", "Bad '%s': %s", name, fault);
  } else if (archive->item_count == 0) {
    reply_error(ex, 400, "bad_request",
                "Say what goes into the archive: 'prefix' or 'key', each as "
                "often as needed");
  } else if (overlaps(archive)) {
    reply_error(ex, 400, "bad_request",
                "An object is named twice, by its key or by two prefixes");
  } else {
    archive->strip = common_folder(archive);
    next_item(ex);
  }
}

const struct endpoint archive_endpoint = {.operation = OPERATION_LIST,
                                          .method = "GET",
                                          .tail = "/archive",
                                          .cost = EXCHANGE_COST,
                                          .start = archive_start};

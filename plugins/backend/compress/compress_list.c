/* SPDX-License-Identifier: MIT
 *
 * A list tells plain sizes.  Where the storage's list has an object's metadata
 * they are there; else each object is asked for, several at once.  The page is
 * kept until all have answered, as it is told in its order.
 */
#include "compress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 16

struct list_row {
  struct compress_list *list;
  char *key, *etag;
  uint64_t length;
  int64_t mtime_ms;
  bool folded;
  bool asks; /* whether it is there, and how long */
  bool gone;
};

struct compress_list {
  struct sluice_op *op;
  struct compress_handle *handle;
  struct sluice_ask *asks[AT_ONCE]; /* NULL: a free place */
  struct list_row *of[AT_ONCE];
  struct list_row *rows;
  size_t count, at, taken, running;
  char *token;
  enum sluice_status status; /* of what failed first */
  char why[128];
};

/* ---- the end ------------------------------------------------------------ */

static void list_free(struct compress_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    free(list->rows[i].key);
    free(list->rows[i].etag);
  }
  free(list->rows);
  free(list->token);
  sluice_memory_give(list->handle->host, list->taken);
  free(list);
}

static void list_note(struct compress_list *list, enum sluice_status status,
                      const char *why) {
  if (list->status != SLUICE_OK)
    return;
  list->status = status;
  snprintf(list->why, sizeof list->why, "%s", why == NULL ? "" : why);
}

static void list_tell(const struct compress_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    const struct list_row *row = &list->rows[i];
    struct sluice_meta meta = SLUICE_META;
    meta.length = row->length;
    meta.mtime_ms = row->mtime_ms;
    meta.etag = row->etag;
    if (row->folded)
      sluice_prefix(list->op, row->key);
    else if (!row->gone)
      sluice_entry(list->op, row->key, &meta);
  }
  if (list->token != NULL)
    sluice_truncated(list->op, list->token);
}

static void list_finish(struct compress_list *list) {
  struct sluice_op *op = list->op;
  if (list->status == SLUICE_OK)
    list_tell(list);
  compress_end(op, list->status, list->why[0] == '\0' ? NULL : list->why);
  list_free(list);
}

/* ---- one object --------------------------------------------------------- */

static bool row_take(struct list_row *row, const struct sluice_meta *meta) {
  char *etag = meta->etag == NULL ? NULL : strdup(meta->etag);
  free(row->etag);
  row->etag = etag;
  row->length = meta->length;
  row->mtime_ms = meta->mtime_ms;
  return (etag == NULL) == (meta->etag == NULL);
}

/* A damaged one has no plain length: it is told as it is stored. */
static void row_describe(struct list_row *row,
                         const struct sluice_meta *stored) {
  struct sluice_pair pairs[COMPRESS_PAIRS + 1];
  struct sluice_meta plain;
  struct seekable shape;
  compress_meta(stored, &plain, pairs, &shape);
  if (!row_take(row, &plain))
    list_note(row->list, SLUICE_ENOMEM, "no memory is left for a list");
}

static void list_ask(struct compress_list *list);

static void on_row_meta(void *arg, const struct sluice_meta *stored) {
  row_describe(arg, stored);
}

static void on_row_done(void *arg, enum sluice_status status,
                        const char *why) {
  struct list_row *row = arg;
  struct compress_list *list = row->list;
  for (size_t i = 0; i < AT_ONCE; i++)
    if (list->of[i] == row) {
      list->of[i] = NULL;
      list->asks[i] = NULL;
    }
  list->running--;
  row->gone = status == SLUICE_ENOENT;
  if (status != SLUICE_OK && !row->gone)
    list_note(list, status, why);
  list_ask(list);
}

static void row_ask(struct list_row *row, size_t place) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_row_meta,
                                            .done = on_row_done};
  struct compress_list *list = row->list;
  list->of[place] = row;
  list->running++;
  list->asks[place] =
      sluice_ask_head(list->handle->store, list->op, row->key, &heard, row);
}

/* As many as may be at once; nothing more when one failed. */
static void list_ask(struct compress_list *list) {
  size_t place = 0;
  while (list->status == SLUICE_OK && list->running < AT_ONCE &&
         list->at < list->count) {
    struct list_row *row = &list->rows[list->at++];
    if (!row->asks)
      continue;
    while (list->of[place] != NULL)
      place++;
    row_ask(row, place);
  }
  if (list->running == 0)
    list_finish(list);
}

/* ---- the page ----------------------------------------------------------- */

static size_t page_size(const struct sluice_ask *ask, size_t *count) {
  const struct sluice_meta *meta;
  const char *key;
  size_t size = 0;
  for (*count = 0; (key = sluice_ask_entry(ask, *count, &meta)) != NULL;
       ++*count)
    size += sizeof(struct list_row) + strlen(key) + 1 + 160;
  return size;
}

static bool row_init(struct list_row *row, const char *key,
                     const struct sluice_meta *meta) {
  row->key = strdup(key);
  row->folded = meta == NULL;
  if (meta == NULL)
    return row->key != NULL;
  bool tells = meta->user != NULL && meta->user->name != NULL;
  row->asks = !tells && meta->length >= SEEKABLE_TABLE(1);
  if (tells)
    row_describe(row, meta);
  return row->key != NULL && (tells || row_take(row, meta));
}

static bool page_take(struct compress_list *list,
                      const struct sluice_ask *ask) {
  const char *token = sluice_ask_token(ask);
  const struct sluice_meta *meta;
  size_t count, size = page_size(ask, &count);
  if (!sluice_memory_take(list->handle->host, size))
    return false;
  list->taken = size;
  list->rows = calloc(count == 0 ? 1 : count, sizeof *list->rows);
  list->token = token == NULL ? NULL : strdup(token);
  if (list->rows == NULL || (token != NULL && list->token == NULL))
    return false;
  for (; list->count < count; list->count++) {
    struct list_row *row = &list->rows[list->count];
    const char *key = sluice_ask_entry(ask, list->count, &meta);
    row->list = list;
    if (!row_init(row, key, meta)) {
      list->count++;
      return false;
    }
  }
  return true;
}

static void on_page(void *arg, enum sluice_status status, const char *why) {
  struct compress_list *list = arg;
  struct sluice_ask *ask = list->asks[0];
  list->asks[0] = NULL;
  if (status != SLUICE_OK)
    list_note(list, status, why);
  else if (!page_take(list, ask))
    list_note(list, SLUICE_ENOMEM, "no memory is left for a list");
  list_ask(list);
}

void compress_list(void *handle, struct sluice_op *op,
                   const struct sluice_list *wanted) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .done = on_page};
  struct compress_op *state = sluice_op_state(op, COMPRESS_STATE);
  struct compress_list *list = calloc(1, sizeof *list);
  if (list == NULL) {
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a list");
    return;
  }
  state->list = list;
  list->op = op;
  list->handle = handle;
  list->asks[0] =
      sluice_ask_list(list->handle->store, op, wanted, &heard, list);
}

void compress_list_cancel(struct compress_list *list) {
  list_note(list, SLUICE_ECANCELED, NULL);
  for (size_t i = 0; i < AT_ONCE; i++)
    if (list->asks[i] != NULL)
      sluice_ask_cancel(list->asks[i]);
}

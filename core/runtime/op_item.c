/* SPDX-License-Identifier: MIT
 *
 * Copies of what plugins say of objects.  The size that a plugin's meta begins
 * with tells which fields it knows.
 */
#include "op_private.h"

#include <stdlib.h>
#include <string.h>

static size_t text_size(const char *text) {
  return text == NULL ? 0 : strlen(text) + 1;
}

/* Puts a text behind the others. */
static const char *text_copy(char **at, const char *text) {
  if (text == NULL)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = memcpy(*at, text, size);
  *at += size;
  return copy;
}

static bool pairs_measure(const struct sluice_pair *pairs, size_t *count,
                          size_t *size) {
  for (; pairs != NULL && pairs->name != NULL; pairs++) {
    *size += text_size(pairs->name) + text_size(pairs->value);
    if (++*count > OP_USER_MAX || *size > OP_META_MAX)
      return false;
  }
  return true;
}

/* The texts of a meta, all but the key's. */
static const size_t texts[] = {offsetof(struct sluice_meta, etag),
                               offsetof(struct sluice_meta, type),
                               offsetof(struct sluice_meta, encoding),
                               offsetof(struct sluice_meta, language),
                               offsetof(struct sluice_meta, cache_control),
                               offsetof(struct sluice_meta, expires),
                               offsetof(struct sluice_meta, md5)};

#define TEXTS (sizeof texts / sizeof *texts)

const char **op_item_text(struct sluice_meta *meta, size_t index) {
  return index < TEXTS ? (const char **)(void *)((char *)meta + texts[index])
                       : NULL;
}

struct op_item *op_item_new(const char *key, const struct sluice_meta *said) {
  struct sluice_meta meta = SLUICE_META;
  if (said != NULL)
    memcpy(&meta, said, said->size < sizeof meta ? said->size : sizeof meta);
  size_t count = 0, size = 0;
  for (size_t i = 0; i < TEXTS; i++)
    size += text_size(*op_item_text(&meta, i));
  if (!pairs_measure(meta.user, &count, &size) || size > OP_META_MAX)
    return NULL;
  size += text_size(key);
  struct op_item *item =
      malloc(sizeof *item + (count + 1) * sizeof(struct sluice_pair) + size);
  if (item == NULL)
    return NULL;
  struct sluice_pair *pairs = (struct sluice_pair *)(item + 1);
  char *at = (char *)(pairs + count + 1);
  *item = (struct op_item){.meta = meta, .folded = said == NULL};
  item->key = text_copy(&at, key);
  for (size_t i = 0; i < TEXTS; i++)
    *op_item_text(&item->meta, i) = text_copy(&at, *op_item_text(&meta, i));
  for (size_t i = 0; i < count; i++)
    pairs[i] =
        (struct sluice_pair){.name = text_copy(&at, meta.user[i].name),
                             .value = text_copy(&at, meta.user[i].value)};
  pairs[count] = (struct sluice_pair){NULL, NULL};
  item->meta.user = pairs;
  return item;
}

static void move_items(struct sluice_op *to, struct sluice_op *from) {
  if (to->item_count > 0)
    return;
  free(to->items);
  to->items = from->items;
  to->item_count = from->item_count;
  to->item_max = from->item_max;
  from->items = NULL;
  from->item_count = from->item_max = 0;
}

void op_move_answer(struct sluice_op *to, struct sluice_op *from) {
  move_items(to, from);
  if (to->text_count == 0) {
    memcpy(to->texts, from->texts, from->text_count * sizeof *to->texts);
    to->text_count = from->text_count;
    from->text_count = 0;
  }
  if (to->token == NULL) {
    to->token = from->token;
    from->token = NULL;
  }
}

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

struct op_item *op_item_new(const char *key, const struct sluice_meta *said) {
  struct sluice_meta meta = SLUICE_META;
  if (said != NULL)
    memcpy(&meta, said, said->size < sizeof meta ? said->size : sizeof meta);
  size_t count = 0, texts = text_size(meta.etag) + text_size(meta.type);
  if (!pairs_measure(meta.user, &count, &texts) || texts > OP_META_MAX)
    return NULL;
  texts += text_size(key);
  struct op_item *item =
      malloc(sizeof *item + (count + 1) * sizeof(struct sluice_pair) + texts);
  if (item == NULL)
    return NULL;
  struct sluice_pair *pairs = (struct sluice_pair *)(item + 1);
  char *at = (char *)(pairs + count + 1);
  *item = (struct op_item){.meta = meta, .folded = said == NULL};
  item->key = text_copy(&at, key);
  item->meta.etag = text_copy(&at, meta.etag);
  item->meta.type = text_copy(&at, meta.type);
  for (size_t i = 0; i < count; i++)
    pairs[i] =
        (struct sluice_pair){.name = text_copy(&at, meta.user[i].name),
                             .value = text_copy(&at, meta.user[i].value)};
  pairs[count] = (struct sluice_pair){NULL, NULL};
  item->meta.user = pairs;
  return item;
}

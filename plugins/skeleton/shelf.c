/* SPDX-License-Identifier: MIT
 *
 * A sorted list of objects.  A template is to be read: your storage is faster.
 */
#include "shelf.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct shelf_object *shelf_object_new(void) {
  struct shelf_object *object = calloc(1, sizeof *object);
  if (!object)
    return NULL;
  object->meta = (struct sluice_meta)SLUICE_META;
  object->meta.user = object->pairs;
  atomic_init(&object->users, 1);
  return object;
}

void shelf_object_drop(struct shelf_object *object) {
  if (!object || atomic_fetch_sub(&object->users, 1) > 1)
    return;
  free(object->data);
  free(object);
}

bool shelf_object_append(struct shelf_object *object, const void *data,
                         size_t length) {
  size_t before = (size_t)object->meta.length;
  if (length == 0)
    return true;
  if (length > SIZE_MAX - before)
    return false;
  char *grown = realloc(object->data, before + length);
  if (!grown)
    return false;
  memcpy(grown + before, data, length);
  object->data = grown;
  object->meta.length = before + length;
  return true;
}

/* NULL when it doesn't fit. */
static const char *copy(struct shelf_object *object, const char *text) {
  size_t size = strlen(text) + 1;
  if (size > sizeof object->texts - object->texts_len)
    return NULL;
  char *at = object->texts + object->texts_len;
  object->texts_len += size;
  return memcpy(at, text, size);
}

bool shelf_object_name(struct shelf_object *object,
                       const struct sluice_object *as) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  object->meta.mtime_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  object->key = copy(object, as->key);
  object->meta.type = copy(object, as->type);
  object->meta.etag = copy(object, as->md5);
  bool ok = object->key && object->meta.type && object->meta.etag;
  for (size_t i = 0; ok && as->user[i].name; i++) {
    if (i == SHELF_PAIRS_MAX)
      return false;
    object->pairs[i].name = copy(object, as->user[i].name);
    object->pairs[i].value = copy(object, as->user[i].value);
    ok = object->pairs[i].name && object->pairs[i].value;
  }
  return ok;
}

/* The place where the key is, or would be. */
static struct shelf_object **find(struct shelf *shelf, const char *key) {
  struct shelf_object **at = &shelf->first;
  while (*at && strcmp((*at)->key, key) < 0)
    at = &(*at)->next;
  return at;
}

static bool is_at(struct shelf_object *const *at, const char *key) {
  return *at && strcmp((*at)->key, key) == 0;
}

static struct shelf_object *use(struct shelf_object *object) {
  atomic_fetch_add(&object->users, 1);
  return object;
}

struct shelf_object *shelf_get(struct shelf *shelf, const char *key) {
  struct shelf_object **at = find(shelf, key);
  return is_at(at, key) ? use(*at) : NULL;
}

void shelf_remove(struct shelf *shelf, const char *key) {
  struct shelf_object **at = find(shelf, key), *old = *at;
  if (!is_at(at, key))
    return;
  *at = old->next;
  shelf_object_drop(old);
}

enum sluice_status shelf_put(struct shelf *shelf, struct shelf_object *object,
                             bool exclusive) {
  if (exclusive && is_at(find(shelf, object->key), object->key))
    return SLUICE_EEXIST;
  shelf_remove(shelf, object->key);
  struct shelf_object **at = find(shelf, object->key);
  object->next = *at;
  *at = object;
  return SLUICE_OK;
}

void shelf_clear(struct shelf *shelf) {
  while (shelf->first)
    shelf_remove(shelf, shelf->first->key);
}

size_t shelf_fold(const struct shelf_page *page, const char *key) {
  const char *at = *page->delimiter
                       ? strstr(key + strlen(page->prefix), page->delimiter)
                       : NULL;
  return at ? (size_t)(at - key) + strlen(page->delimiter) : 0;
}

/* Was it folded into the last name of this page, or of the one before?  Or was
 * it that name itself? */
static bool is_told(const struct shelf_page *page, const char *key) {
  size_t fold = shelf_fold(page, key);
  if (page->count == 0)
    return fold ? strncmp(page->token, key, fold) == 0
                : strcmp(page->token, key) == 0;
  const char *last = page->found[page->count - 1]->key;
  return fold && shelf_fold(page, last) == fold &&
         strncmp(last, key, fold) == 0;
}

void shelf_scan(struct shelf *shelf, struct shelf_page *page) {
  size_t prefix = strlen(page->prefix);
  struct shelf_object *object =
      *find(shelf, *page->token ? page->token : page->prefix);
  for (; object && strncmp(object->key, page->prefix, prefix) == 0;
       object = object->next) {
    if (is_told(page, object->key))
      continue;
    if (page->count == page->max) {
      page->more = true;
      return;
    }
    page->found[page->count++] = use(object);
  }
}

/* SPDX-License-Identifier: MIT
 *
 * A list: there are few, and most requests have none.  The bytes are part of
 * what each request is charged with.
 */
#include "attributes.h"

#include <sluice/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

struct attribute {
  struct attribute *next;
  size_t size; /* of both texts, with their NULs */
  const char *value;
  char name[];
};

static bool attributes_is_name(const char *name) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  size_t len = strspn(name, letters);
  return len > 0 && len <= SLUICE_ATTRIBUTE_NAME_MAX && name[len] == '\0';
}

static bool attributes_is_value(const char *value) {
  if (!codec_utf8_valid(value, strlen(value)))
    return false;
  for (const char *at = value; *at != '\0';)
    if (codec_control(codec_utf8_next(&at)))
      return false;
  return true;
}

/* Where it is, or would be: the end. */
static struct attribute **place_of(struct attribute **at, const char *name) {
  while (*at != NULL && strcmp((*at)->name, name) != 0)
    at = &(*at)->next;
  return at;
}

static struct attribute *attribute_new(const char *name, const char *value) {
  size_t named = strlen(name) + 1, valued = strlen(value) + 1;
  struct attribute *made = malloc(sizeof *made + named + valued);
  if (made == NULL)
    return NULL;
  memcpy(made->name, name, named);
  made->value = memcpy(made->name + named, value, valued);
  made->size = named + valued;
  return made;
}

static void drop(struct attributes *all, struct attribute **at) {
  struct attribute *gone = *at;
  if (gone == NULL)
    return;
  *at = gone->next;
  all->count--;
  all->size -= gone->size;
  free(gone);
}

/* The one that it takes the place of makes room. */
static bool has_room(const struct attributes *all,
                     const struct attribute *before, size_t size) {
  size_t count = all->count - (before != NULL);
  size_t used = all->size - (before == NULL ? 0 : before->size);
  return count < SLUICE_ATTRIBUTES_MAX &&
         size <= SLUICE_ATTRIBUTES_SIZE - used;
}

bool attributes_set(struct attributes *all, const char *name,
                    const char *value) {
  if (!attributes_is_name(name))
    return false;
  struct attribute **at = place_of(&all->first, name);
  if (value == NULL) {
    drop(all, at);
    return true;
  }
  size_t length = strlen(value);
  if (length >= SLUICE_ATTRIBUTES_SIZE || !attributes_is_value(value) ||
      !has_room(all, *at, strlen(name) + length + 2))
    return false;
  struct attribute *made = attribute_new(name, value);
  if (made == NULL)
    return false;
  drop(all, at);
  made->next = all->first;
  all->first = made;
  all->count++;
  all->size += made->size;
  return true;
}

const char *attributes_get(const struct attributes *all, const char *name) {
  const struct attribute *at = all->first;
  while (at != NULL && strcmp(at->name, name) != 0)
    at = at->next;
  return at == NULL ? NULL : at->value;
}

void attributes_fini(struct attributes *all) {
  while (all->first != NULL)
    drop(all, &all->first);
}

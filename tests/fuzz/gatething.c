/* SPDX-License-Identifier: MIT
 *
 * Objects and stages as they lie in the storage of a gateway that is fuzzed.
 */
#include "gatething.h"

#include <string.h>

void thing_init(struct thing *thing) {
  *thing = (struct thing){.there = false};
  buf_init(&thing->key, THING_MAX);
  buf_init(&thing->type, THING_MAX);
  buf_init(&thing->bytes, THING_MAX);
  buf_init(&thing->user, THING_MAX);
  buf_init(&thing->state, THING_MAX);
}

void thing_fini(struct thing *thing) {
  buf_fini(&thing->key);
  buf_fini(&thing->type);
  buf_fini(&thing->bytes);
  buf_fini(&thing->user);
  buf_fini(&thing->state);
}

struct thing *thing_find(struct thing *things, size_t count, const char *key) {
  for (size_t i = 0; i < count; i++)
    if (things[i].there && strcmp(things[i].key.data, key) == 0)
      return &things[i];
  return NULL;
}

struct thing *thing_make(struct thing *things, size_t count, const char *key) {
  for (size_t i = 0; i < count; i++) {
    if (things[i].there)
      continue;
    thing_fini(&things[i]);
    thing_init(&things[i]);
    things[i].there = true;
    buf_add(&things[i].key, key, strlen(key));
    return &things[i];
  }
  return NULL;
}

void thing_describe(struct thing *thing, const struct sluice_object *object) {
  const char *type = object->type != NULL ? object->type : "";
  buf_clear(&thing->type);
  buf_clear(&thing->user);
  buf_add(&thing->type, type, strlen(type));
  for (size_t i = 0; object->user != NULL && object->user[i].name; i++) {
    const struct sluice_pair *pair = &object->user[i];
    buf_add(&thing->user, pair->name, strlen(pair->name) + 1);
    buf_add(&thing->user, pair->value, strlen(pair->value) + 1);
  }
}

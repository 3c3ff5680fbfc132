/* SPDX-License-Identifier: MIT
 *
 * A copy is one block of memory: it is measured first, by the function that
 * then copies.
 */
#include "wish.h"

#include <stdlib.h>
#include <string.h>

const char *const wish_names[WISH_KINDS] = {[WISH_HEAD] = "head",
                                            [WISH_GET] = "get",
                                            [WISH_PUT] = "put",
                                            [WISH_LIST] = "list",
                                            [WISH_REMOVE] = "remove",
                                            [WISH_REMOVE_IF] = "remove_if",
                                            [WISH_REMOVE_MANY] = "remove_many",
                                            [WISH_COPY] = "copy",
                                            [WISH_STAGE] = "stage",
                                            [WISH_STAGE_GET] = "stage_get",
                                            [WISH_STAGE_REMOVE] =
                                                "stage_remove"};

struct sluice_ask *wish_ask(const struct wish *wish,
                            struct sluice_store *store, struct sluice_op *op,
                            const struct sluice_heard *heard, void *arg) {
  switch (wish->kind) {
  case WISH_HEAD:
    return sluice_ask_head(store, op, wish->of.key, heard, arg);
  case WISH_GET:
    return sluice_ask_get(store, op, &wish->of.get, heard, arg);
  case WISH_PUT:
    return sluice_ask_put(store, op, &wish->of.put, heard, arg);
  case WISH_LIST:
    return sluice_ask_list(store, op, &wish->of.list, heard, arg);
  case WISH_REMOVE:
    return sluice_ask_remove(store, op, wish->of.key, heard, arg);
  case WISH_REMOVE_IF:
    return sluice_ask_remove_if(store, op, &wish->of.removal, heard, arg);
  case WISH_REMOVE_MANY:
    return sluice_ask_remove_many(store, op, wish->of.many.keys,
                                  wish->of.many.count, heard, arg);
  case WISH_COPY:
    return sluice_ask_copy(store, op, &wish->of.copy, heard, arg);
  case WISH_STAGE:
    return sluice_ask_stage(store, op, &wish->of.stage, heard, arg);
  case WISH_STAGE_GET:
    return sluice_ask_stage_get(store, op, wish->of.key, heard, arg);
  case WISH_STAGE_REMOVE:
    return sluice_ask_stage_remove(store, op, wish->of.key, heard, arg);
  }
  return NULL;
}

/* ---- copies ------------------------------------------------------------- */

struct pack {
  char *base; /* NULL: it only measures */
  size_t used;
};

/* Room for `size` bytes; NULL: it only measures. */
static void *pack_bytes(struct pack *pack, const void *from, size_t size) {
  size_t at = pack->used;
  pack->used += (size + 15) / 16 * 16;
  if (pack->base == NULL)
    return NULL;
  if (size > 0)
    memcpy(pack->base + at, from, size);
  return pack->base + at;
}

static void pack_text(struct pack *pack, const char **text) {
  if (*text == NULL)
    return;
  const char *copy = pack_bytes(pack, *text, strlen(*text) + 1);
  if (copy != NULL)
    *text = copy;
}

static void pack_pairs(struct pack *pack, const struct sluice_pair **pairs) {
  size_t count = 0;
  while (*pairs != NULL && (*pairs)[count].name != NULL)
    count++;
  if (*pairs == NULL)
    return;
  struct sluice_pair *copy =
      pack_bytes(pack, *pairs, (count + 1) * sizeof *copy);
  for (size_t i = 0; i < count; i++) {
    struct sluice_pair pair = (*pairs)[i];
    pack_text(pack, &pair.name);
    pack_text(pack, &pair.value);
    if (copy != NULL)
      copy[i] = pair;
  }
  if (copy != NULL)
    *pairs = copy;
}

static void pack_object(struct pack *pack, const struct sluice_object **from) {
  if (*from == NULL)
    return;
  struct sluice_object object = **from;
  pack_text(pack, &object.key);
  pack_text(pack, &object.type);
  pack_text(pack, &object.md5);
  pack_text(pack, &object.if_match);
  pack_pairs(pack, &object.user);
  void *copy = pack_bytes(pack, &object, sizeof object);
  if (copy != NULL)
    *from = copy;
}

static void pack_stage(struct pack *pack, struct sluice_stage *stage) {
  pack_text(pack, &stage->id);
  pack_text(pack, &stage->owner);
  if (stage->save != NULL) {
    struct sluice_save save = *stage->save;
    void *state = pack_bytes(pack, save.state, save.state_size);
    if (state != NULL)
      save.state = state;
    void *copy = pack_bytes(pack, &save, sizeof save);
    if (copy != NULL)
      stage->save = copy;
  }
  pack_object(pack, &stage->object);
}

static void pack_wish(struct pack *pack, struct wish *wish) {
  switch (wish->kind) {
  case WISH_HEAD:
  case WISH_REMOVE:
  case WISH_STAGE_GET:
  case WISH_STAGE_REMOVE:
    pack_text(pack, &wish->of.key);
    break;
  case WISH_GET:
    pack_text(pack, &wish->of.get.key);
    break;
  case WISH_LIST:
    pack_text(pack, &wish->of.list.prefix);
    pack_text(pack, &wish->of.list.delimiter);
    pack_text(pack, &wish->of.list.token);
    break;
  case WISH_REMOVE_IF:
    pack_text(pack, &wish->of.removal.key);
    pack_text(pack, &wish->of.removal.if_match);
    break;
  case WISH_COPY:
    pack_text(pack, &wish->of.copy.from);
    pack_text(pack, &wish->of.copy.to);
    pack_text(pack, &wish->of.copy.if_match);
    break;
  case WISH_STAGE:
    pack_stage(pack, &wish->of.stage);
    break;
  case WISH_PUT:
    pack_object(pack, &wish->of.put.object);
    break;
  case WISH_REMOVE_MANY:
    break;
  }
}

struct wish *wish_keep(const struct wish *wish, struct sluice_host *host) {
  struct wish copy = *wish;
  struct pack pack = {.base = NULL};
  pack_wish(&pack, &copy);
  size_t head = (sizeof copy + 15) / 16 * 16;
  copy.size = head + pack.used;
  if (!sluice_memory_take(host, copy.size))
    return NULL;
  char *block = malloc(copy.size);
  if (block == NULL) {
    sluice_memory_give(host, copy.size);
    return NULL;
  }
  pack = (struct pack){.base = block + head};
  pack_wish(&pack, &copy);
  return memcpy(block, &copy, sizeof copy);
}

void wish_free(struct wish *wish, struct sluice_host *host) {
  if (wish == NULL)
    return;
  sluice_memory_give(host, wish->size);
  free(wish);
}

/* ---- answers ------------------------------------------------------------ */

static void answer_list(const struct sluice_ask *ask, struct sluice_op *op) {
  const struct sluice_meta *meta;
  const char *key;
  for (size_t i = 0; (key = sluice_ask_entry(ask, i, &meta)) != NULL; i++)
    if (meta == NULL)
      sluice_prefix(op, key);
    else
      sluice_entry(op, key, meta);
  if (sluice_ask_token(ask) != NULL)
    sluice_truncated(op, sluice_ask_token(ask));
}

void wish_answer(const struct wish *wish, const struct sluice_ask *ask,
                 struct sluice_op *op, enum sluice_status status,
                 const char *why) {
  if (wish->kind == WISH_LIST)
    answer_list(ask, op);
  if (wish->kind == WISH_REMOVE_MANY)
    for (size_t i = 0; i < wish->of.many.count; i++)
      if (sluice_ask_removed(ask, i) != SLUICE_OK)
        sluice_failed(op, i, sluice_ask_removed(ask, i));
  wish_end(op, status, why);
}

void wish_end(struct sluice_op *op, enum sluice_status status,
              const char *why) {
  if (why == NULL)
    sluice_done(op, status, NULL);
  else
    sluice_done(op, status, "%s", why);
}

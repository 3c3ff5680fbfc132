/* SPDX-License-Identifier: MIT
 *
 * Names below, and the operations that move no bytes.  A key is its name; the
 * gateway's own ones, below .sluice/, have a place of theirs there, as a route
 * over the storage itself has objects of these names, too: a secret of links,
 * say, which one of both couldn't read.
 */
#include "encrypt.h"

#include <stdio.h>
#include <string.h>

#define OWN ".sluice/"
#define OWN_BELOW ".sluice/encrypt/"

bool encrypt_is_own(const char *key) {
  return strncmp(key, OWN, sizeof OWN - 1) == 0;
}

const char *encrypt_down(const char *key, char room[ENCRYPT_NAME_SIZE]) {
  if (!encrypt_is_own(key))
    return key;
  int len =
      snprintf(room, ENCRYPT_NAME_SIZE, OWN_BELOW "%s", key + sizeof OWN - 1);
  return len < ENCRYPT_NAME_SIZE ? room : NULL;
}

const char *encrypt_up(const char *name, bool own,
                       char room[ENCRYPT_NAME_SIZE]) {
  if (!own)
    return name; /* the gateway leaves its own names out, and fills pages up */
  if (strncmp(name, OWN_BELOW, sizeof OWN_BELOW - 1) != 0)
    return NULL;
  int len =
      snprintf(room, ENCRYPT_NAME_SIZE, OWN "%s", name + sizeof OWN_BELOW - 1);
  return len < ENCRYPT_NAME_SIZE ? room : NULL;
}

void encrypt_end_too_long(struct sluice_op *op) {
  sluice_done(op, SLUICE_EINVAL,
              "a key below .sluice/ is longer than the %zu bytes that are "
              "left of %d below .sluice/encrypt/",
              ENCRYPT_KEY_MAX + sizeof OWN - sizeof OWN_BELOW,
              ENCRYPT_KEY_MAX);
}

static const char *fitting(struct sluice_op *op, const char *key,
                           char room[ENCRYPT_NAME_SIZE]) {
  const char *name = encrypt_down(key, room);
  if (name == NULL)
    encrypt_end_too_long(op);
  return name;
}

static struct sluice_store *store_of(const void *handle) {
  return ((const struct encrypt_handle *)handle)->store;
}

/* ---- removes ------------------------------------------------------------ */

void encrypt_remove(void *handle, struct sluice_op *op, const char *key) {
  char room[ENCRYPT_NAME_SIZE];
  const char *name = fitting(op, key, room);
  if (name != NULL)
    sluice_ask_remove(store_of(handle), op, name, NULL, NULL);
}

void encrypt_remove_if(void *handle, struct sluice_op *op,
                       const struct sluice_removal *removal) {
  char room[ENCRYPT_NAME_SIZE];
  struct sluice_removal below = *removal;
  below.key = fitting(op, removal->key, room);
  if (below.key != NULL)
    sluice_ask_remove_if(store_of(handle), op, &below, NULL, NULL);
}

/* They come from a client, who has no names below .sluice/. */
void encrypt_remove_many(void *handle, struct sluice_op *op,
                         const char *const *keys, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (encrypt_is_own(keys[i])) {
      sluice_done(op, SLUICE_EINVAL,
                  "keys below .sluice/ are removed one by one");
      return;
    }
  sluice_ask_remove_many(store_of(handle), op, keys, count, NULL, NULL);
}

/* ---- copies ------------------------------------------------------------- */

static void on_copied_meta(void *op, const struct sluice_meta *sealed) {
  struct sluice_meta plain;
  encrypt_meta(sealed, &plain);
  sluice_meta(op, &plain);
}

static void on_copied(void *op, enum sluice_status status, const char *why) {
  encrypt_end(op, status, why);
}

void encrypt_copy(void *handle, struct sluice_op *op,
                  const struct sluice_copy *copy) {
  static const struct sluice_heard told = {
      SLUICE_HEARD, .meta = on_copied_meta, .done = on_copied};
  char from[ENCRYPT_NAME_SIZE], to[ENCRYPT_NAME_SIZE];
  struct sluice_copy below = *copy;
  below.from = fitting(op, copy->from, from);
  if (below.from == NULL)
    return;
  below.to = fitting(op, copy->to, to);
  if (below.to != NULL)
    sluice_ask_copy(store_of(handle), op, &below, &told, op);
}

/* ---- lists -------------------------------------------------------------- */

static void on_listed(void *arg, enum sluice_status status, const char *why) {
  struct encrypt_op *list = arg;
  char room[ENCRYPT_NAME_SIZE];
  const struct sluice_meta *sealed;
  struct sluice_meta plain;
  const char *name;
  for (size_t i = 0; (name = sluice_ask_entry(list->ask, i, &sealed)) != NULL;
       i++) {
    const char *key = encrypt_up(name, list->own, room);
    if (key == NULL)
      continue;
    if (sealed == NULL) {
      sluice_prefix(list->op, key);
      continue;
    }
    encrypt_meta(sealed, &plain); /* else the length is as it is */
    sluice_entry(list->op, key, &plain);
  }
  if (sluice_ask_token(list->ask) != NULL)
    sluice_truncated(list->op, sluice_ask_token(list->ask));
  encrypt_end(list->op, status, why);
}

void encrypt_list(void *handle, struct sluice_op *op,
                  const struct sluice_list *wanted) {
  static const struct sluice_heard listed = {SLUICE_HEARD, .done = on_listed};
  struct encrypt_op *list = sluice_op_state(op, sizeof *list);
  char room[ENCRYPT_NAME_SIZE];
  struct sluice_list below = *wanted;
  list->op = op;
  list->own = encrypt_is_own(wanted->prefix);
  below.prefix = fitting(op, wanted->prefix, room);
  if (below.prefix != NULL)
    list->ask = sluice_ask_list(store_of(handle), op, &below, &listed, list);
}

/* ---- heads -------------------------------------------------------------- */

/* An object that isn't sealed has no plain length and can't be described. */
static void on_checked(void *arg, const struct sluice_meta *sealed) {
  struct encrypt_op *head = arg;
  struct sluice_meta plain;
  head->foreign = !encrypt_meta(sealed, &plain);
  if (!head->foreign)
    sluice_meta(head->op, &plain);
}

static void on_checked_done(void *arg, enum sluice_status status,
                            const char *why) {
  struct encrypt_op *head = arg;
  if (head->foreign)
    sluice_done(head->op, SLUICE_EUPSTREAM,
                "the object isn't one that was encrypted");
  else
    encrypt_end(head->op, status, why);
}

void encrypt_head(void *handle, struct sluice_op *op, const char *key) {
  static const struct sluice_heard checked = {SLUICE_HEARD, .meta = on_checked,
                                              .done = on_checked_done};
  struct encrypt_op *head = sluice_op_state(op, sizeof *head);
  char room[ENCRYPT_NAME_SIZE];
  const char *name = fitting(op, key, room);
  head->op = op;
  if (name != NULL)
    sluice_ask_head(store_of(handle), op, name, &checked, head);
}

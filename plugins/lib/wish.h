/* SPDX-License-Identifier: MIT
 *
 * An operation that a layer was asked for, as a thing that can be kept: a
 * layer that doesn't hand each on at once keeps a copy of all that was lent.
 */
#ifndef PLUGINS_WISH_H
#define PLUGINS_WISH_H

#include <sluice/plugin.h>

enum wish_kind {
  WISH_HEAD,
  WISH_GET,
  WISH_PUT,
  WISH_LIST,
  WISH_REMOVE,
  WISH_REMOVE_IF,
  WISH_REMOVE_MANY,
  WISH_COPY,
  WISH_STAGE,
  WISH_STAGE_GET,
  WISH_STAGE_REMOVE
};
#define WISH_KINDS (WISH_STAGE_REMOVE + 1)

/* "head", "stage_get": each as its entry is called. */
extern const char *const wish_names[WISH_KINDS];

struct wish {
  enum wish_kind kind;
  size_t size; /* of a copy: bytes taken of limits.memory */
  union {
    const char *key; /* head, remove, stage_get, stage_remove */
    struct sluice_get get;
    struct sluice_put put;
    struct sluice_list list;
    struct sluice_removal removal;
    struct sluice_copy copy;
    struct {
      const char *const *keys; /* lent until the operation is done */
      size_t count;
    } many;
    struct sluice_stage stage;
  } of;
};

/* Asks the store for it. */
struct sluice_ask *wish_ask(const struct wish *, struct sluice_store *,
                            struct sluice_op *, const struct sluice_heard *,
                            void *arg);
/* A copy of it and of what it points to; NULL: there is no memory. */
struct wish *wish_keep(const struct wish *, struct sluice_host *);
void wish_free(struct wish *, struct sluice_host *); /* NULL: nothing */

/* In done(): what was collected is said of the operation, too; then it is
 * done. */
void wish_answer(const struct wish *, const struct sluice_ask *,
                 struct sluice_op *, enum sluice_status, const char *why);
void wish_end(struct sluice_op *, enum sluice_status, const char *why);

/* The entries of a layer that begins each operation by the same function. */
#define WISH_ENTRIES(begin)                                                  \
  static void wished_head(void *handle, struct sluice_op *op,                \
                          const char *key) {                                 \
    begin(handle, op, &(struct wish){.kind = WISH_HEAD, .of.key = key});     \
  }                                                                          \
  static void wished_get(void *handle, struct sluice_op *op,                 \
                         const struct sluice_get *get) {                     \
    begin(handle, op, &(struct wish){.kind = WISH_GET, .of.get = *get});     \
  }                                                                          \
  static void wished_put(void *handle, struct sluice_op *op,                 \
                         const struct sluice_put *put) {                     \
    begin(handle, op, &(struct wish){.kind = WISH_PUT, .of.put = *put});     \
  }                                                                          \
  static void wished_list(void *handle, struct sluice_op *op,                \
                          const struct sluice_list *list) {                  \
    begin(handle, op, &(struct wish){.kind = WISH_LIST, .of.list = *list});  \
  }                                                                          \
  static void wished_remove(void *handle, struct sluice_op *op,              \
                            const char *key) {                               \
    begin(handle, op, &(struct wish){.kind = WISH_REMOVE, .of.key = key});   \
  }                                                                          \
  static void wished_remove_if(void *handle, struct sluice_op *op,           \
                               const struct sluice_removal *removal) {       \
    begin(handle, op,                                                        \
          &(struct wish){.kind = WISH_REMOVE_IF, .of.removal = *removal});   \
  }                                                                          \
  static void wished_remove_many(void *handle, struct sluice_op *op,         \
                                 const char *const *keys, size_t count) {    \
    begin(                                                                   \
        handle, op,                                                          \
        &(struct wish){.kind = WISH_REMOVE_MANY, .of.many = {keys, count}}); \
  }                                                                          \
  static void wished_copy(void *handle, struct sluice_op *op,                \
                          const struct sluice_copy *copy) {                  \
    begin(handle, op, &(struct wish){.kind = WISH_COPY, .of.copy = *copy});  \
  }                                                                          \
  static void wished_stage(void *handle, struct sluice_op *op,               \
                           const struct sluice_stage *stage) {               \
    begin(handle, op,                                                        \
          &(struct wish){.kind = WISH_STAGE, .of.stage = *stage});           \
  }                                                                          \
  static void wished_stage_get(void *handle, struct sluice_op *op,           \
                               const char *id) {                             \
    begin(handle, op, &(struct wish){.kind = WISH_STAGE_GET, .of.key = id}); \
  }                                                                          \
  static void wished_stage_remove(void *handle, struct sluice_op *op,        \
                                  const char *id) {                          \
    begin(handle, op,                                                        \
          &(struct wish){.kind = WISH_STAGE_REMOVE, .of.key = id});          \
  }

/* Those entries, for the descriptor. */
#define WISH_DESCRIBED                                                       \
  .head = wished_head, .get = wished_get, .put = wished_put,                 \
  .list = wished_list, .remove = wished_remove,                              \
  .remove_if = wished_remove_if, .remove_many = wished_remove_many,          \
  .copy = wished_copy, .stage = wished_stage, .stage_get = wished_stage_get, \
  .stage_remove = wished_stage_remove

#endif

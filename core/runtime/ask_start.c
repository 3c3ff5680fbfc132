/* SPDX-License-Identifier: MIT
 *
 * The operations that a layer may ask for, one call each.
 */
#include "ask_private.h"
#include "crash.h"

/* For an operation that was canceled while the layer was at work: without a
 * cancel() of its own the layer doesn't know, and nobody hears the answer. */
static struct sluice_ask *begun(struct sluice_ask *ask) {
  const struct sluice_op *parent = ask->parent;
  if (parent != NULL && parent->pending &&
      parent->backend->plugin->cancel == NULL)
    op_cancel(ask->op);
  return ask;
}

/* A layer may ask from a timer of its own. */
static struct about *for_its_request(const struct sluice_op *op) {
  return crash_about(op == NULL ? crash_request() : op_about(op));
}

/* Nothing of the operation is said before its start has returned. */
#define ASK(start)                                                   \
  struct sluice_ask *ask = ask_new(store, op, heard, arg, __func__); \
  if (ask == NULL)                                                   \
    return NULL;                                                     \
  struct about *before = for_its_request(op);                        \
  ask->op = start;                                                   \
  crash_about(before);                                               \
  return begun(ask)

struct sluice_ask *sluice_ask_head(struct sluice_store *store,
                                   struct sluice_op *op, const char *key,
                                   const struct sluice_heard *heard,
                                   void *arg) {
  ASK(op_head(store->below, key, &ask_events, ask));
}

struct sluice_ask *sluice_ask_get(struct sluice_store *store,
                                  struct sluice_op *op,
                                  const struct sluice_get *get,
                                  const struct sluice_heard *heard,
                                  void *arg) {
  ASK(op_get(store->below, get, &ask_events, ask));
}

struct sluice_ask *sluice_ask_put(struct sluice_store *store,
                                  struct sluice_op *op,
                                  const struct sluice_put *put,
                                  const struct sluice_heard *heard,
                                  void *arg) {
  ASK(op_put(store->below, put, &ask_events, ask));
}

struct sluice_ask *sluice_ask_list(struct sluice_store *store,
                                   struct sluice_op *op,
                                   const struct sluice_list *list,
                                   const struct sluice_heard *heard,
                                   void *arg) {
  ASK(op_list(store->below, list, &ask_events, ask));
}

struct sluice_ask *sluice_ask_remove(struct sluice_store *store,
                                     struct sluice_op *op, const char *key,
                                     const struct sluice_heard *heard,
                                     void *arg) {
  ASK(op_remove(store->below, key, &ask_events, ask));
}

struct sluice_ask *sluice_ask_remove_if(struct sluice_store *store,
                                        struct sluice_op *op,
                                        const struct sluice_removal *removal,
                                        const struct sluice_heard *heard,
                                        void *arg) {
  ASK(op_remove_if(store->below, removal, &ask_events, ask));
}

struct sluice_ask *
sluice_ask_remove_many(struct sluice_store *store, struct sluice_op *op,
                       const char *const *keys, size_t count,
                       const struct sluice_heard *heard, void *arg) {
  ASK(op_remove_many(store->below, keys, count, &ask_events, ask));
}

struct sluice_ask *sluice_ask_copy(struct sluice_store *store,
                                   struct sluice_op *op,
                                   const struct sluice_copy *copy,
                                   const struct sluice_heard *heard,
                                   void *arg) {
  ASK(op_copy(store->below, copy, &ask_events, ask));
}

struct sluice_ask *sluice_ask_ping(struct sluice_store *store,
                                   struct sluice_op *op,
                                   const struct sluice_heard *heard,
                                   void *arg) {
  ASK(op_ping(store->below, &ask_events, ask));
}

struct sluice_ask *sluice_ask_presign(struct sluice_store *store,
                                      struct sluice_op *op,
                                      const struct sluice_link *link,
                                      const struct sluice_heard *heard,
                                      void *arg) {
  ASK(op_presign(store->below, link, &ask_events, ask));
}

struct sluice_ask *sluice_ask_verify(struct sluice_store *store,
                                     struct sluice_op *op,
                                     const struct sluice_claim *claim,
                                     const struct sluice_heard *heard,
                                     void *arg) {
  ASK(op_verify(store->below, claim, &ask_events, ask));
}

struct sluice_ask *sluice_ask_stage(struct sluice_store *store,
                                    struct sluice_op *op,
                                    const struct sluice_stage *stage,
                                    const struct sluice_heard *heard,
                                    void *arg) {
  ASK(op_stage(store->below, stage, &ask_events, ask));
}

struct sluice_ask *sluice_ask_stage_get(struct sluice_store *store,
                                        struct sluice_op *op, const char *id,
                                        const struct sluice_heard *heard,
                                        void *arg) {
  ASK(op_stage_get(store->below, id, &ask_events, ask));
}

struct sluice_ask *sluice_ask_stage_remove(struct sluice_store *store,
                                           struct sluice_op *op,
                                           const char *id,
                                           const struct sluice_heard *heard,
                                           void *arg) {
  ASK(op_stage_remove(store->below, id, &ask_events, ask));
}

struct sluice_ask *sluice_ask_stage_sweep(struct sluice_store *store,
                                          struct sluice_op *op, int64_t now_s,
                                          const struct sluice_heard *heard,
                                          void *arg) {
  ASK(op_stage_sweep(store->below, now_s, &ask_events, ask));
}

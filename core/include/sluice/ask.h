/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: the calls of a layer, a backend that stands on others.  A part of
 * <sluice/plugin.h>, which says by which rules and is what a plugin includes.
 *
 * A layer asks the backends that its options name (SLUICE_BACKEND_NAME) for
 * the operations that the gateway asks a backend for, and the three rules hold
 * with the layer in the gateway's place: it asks on its own loop, nothing that
 * is asked is answered before the call has returned, and each ends in one
 * done().
 *
 * A layer that names one backend has only the entries of the descriptor that
 * it needs: what is NULL passes.  Of a whole operation (get, read and more;
 * put, data and commit; ...) that costs nothing; of a step, the step is passed
 * to what the layer asked for last for that operation.  And what a layer does
 * itself is never gone around:
 *   with a get or head of its own    presign, verify and copy don't pass;
 *   with a put, data or commit       presign, copy and staging don't pass;
 *   with a remove                    remove_if and remove_many don't pass;
 * a layer that can let them pass all the same has entries that hand them on.
 * presign, verify and staging of a layer are offered where the backend below
 * offers them.  NULL in can: what the backend below can, as far as the layer
 * has entries for it or lets it pass.  Without start() the instance is the
 * conf, without open() the handle is the loop's host.  Without cancel() what
 * it asked for is canceled, and an operation that waits for the gateway ends;
 * a layer that waits for anything else, as for a thread or a timer, ends the
 * operation when that is over: to end it sooner takes a cancel() of its own.
 */
#ifndef SLUICE_ASK_H
#define SLUICE_ASK_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sluice_store; /* a backend below, of start() or of one loop */
struct sluice_ask;   /* an operation in flight that a layer asked for */

/* So many may be in flight for one operation of a layer; one more ends with
 * SLUICE_EBUSY. */
#define SLUICE_ASKS_MAX 64

/* How an operation answers.  Each is lent until the function returns, a chunk
 * until sluice_ask_more().  NULL: handed on, word for word, to the operation
 * that it is asked for; of an ask for none, dropped.  A layer that hands a
 * chunk on owes the more(). */
struct sluice_heard {
  uint32_t size; /* SLUICE_HEARD */
  void (*meta)(void *arg, const struct sluice_meta *);
  void (*chunk)(void *arg, const struct sluice_chunk *);
  void (*next)(void *arg);
  void (*alive)(void *arg);
  void (*staged)(void *arg, const struct sluice_staged *);
  /* The last one: the ask is gone after it. */
  void (*done)(void *arg, enum sluice_status, const char *why);
};
#define SLUICE_HEARD .size = (uint32_t)sizeof(struct sluice_heard)

#pragma GCC visibility push(default)

/* The backend that an option of the layer names, as long as the host; for NULL
 * the first one.  In start() it can be asked what it can, and for nothing
 * else.  NULL: the options don't name it. */
struct sluice_store *sluice_store(struct sluice_host *, const char *name);
/* Bits of enum sluice_ability. */
unsigned sluice_store_can(const struct sluice_store *);

/* Each starts an operation of the store, for an operation of the layer, which
 * can't end before it; NULL: for none, as a layer that looks after its storage
 * asks, and then it has to end before close().  `heard` is copied; NULL: all
 * is handed on.  What isn't offered ends with SLUICE_ENOTSUP.  NULL comes back
 * only where the layer breaks the contract. */
struct sluice_ask *sluice_ask_head(struct sluice_store *, struct sluice_op *,
                                   const char *key,
                                   const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_get(struct sluice_store *, struct sluice_op *,
                                  const struct sluice_get *,
                                  const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_put(struct sluice_store *, struct sluice_op *,
                                  const struct sluice_put *,
                                  const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_list(struct sluice_store *, struct sluice_op *,
                                   const struct sluice_list *,
                                   const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_remove(struct sluice_store *, struct sluice_op *,
                                     const char *key,
                                     const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_remove_if(struct sluice_store *,
                                        struct sluice_op *,
                                        const struct sluice_removal *,
                                        const struct sluice_heard *,
                                        void *arg);
/* The keys are lent until done(). */
struct sluice_ask *
sluice_ask_remove_many(struct sluice_store *, struct sluice_op *,
                       const char *const *keys, size_t count,
                       const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_copy(struct sluice_store *, struct sluice_op *,
                                   const struct sluice_copy *,
                                   const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_ping(struct sluice_store *, struct sluice_op *,
                                   const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_presign(struct sluice_store *,
                                      struct sluice_op *,
                                      const struct sluice_link *,
                                      const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_verify(struct sluice_store *, struct sluice_op *,
                                     const struct sluice_claim *,
                                     const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_stage(struct sluice_store *, struct sluice_op *,
                                    const struct sluice_stage *,
                                    const struct sluice_heard *, void *arg);
struct sluice_ask *sluice_ask_stage_get(struct sluice_store *,
                                        struct sluice_op *, const char *id,
                                        const struct sluice_heard *,
                                        void *arg);
struct sluice_ask *sluice_ask_stage_remove(struct sluice_store *,
                                           struct sluice_op *, const char *id,
                                           const struct sluice_heard *,
                                           void *arg);
struct sluice_ask *sluice_ask_stage_sweep(struct sluice_store *,
                                          struct sluice_op *, int64_t now_s,
                                          const struct sluice_heard *,
                                          void *arg);

/* The steps of one, each in its turn. */
void sluice_ask_read(struct sluice_ask *, uint64_t first, uint64_t count);
void sluice_ask_more(struct sluice_ask *);
/* Lent until next(), staged() or done(). */
void sluice_ask_data(struct sluice_ask *, const struct sluice_chunk *);
void sluice_ask_commit(struct sluice_ask *, const struct sluice_object *);
void sluice_ask_save(struct sluice_ask *, const struct sluice_save *);
void sluice_ask_stage_commit(struct sluice_ask *, const struct sluice_object *,
                             const struct sluice_save *);
/* It ends soon: done() is all that follows, and says of a commit or a remove
 * whether it took place.  Does nothing the second time. */
void sluice_ask_cancel(struct sluice_ask *);

/* The last one that is in flight for an operation; NULL: none is. */
struct sluice_ask *sluice_asked(const struct sluice_op *);

/* The rest of an answer, in done(); NULL: there is no more. */
const char *sluice_ask_text(const struct sluice_ask *, size_t index);
/* *meta is NULL where it is a folded prefix. */
const char *sluice_ask_entry(const struct sluice_ask *, size_t index,
                             const struct sluice_meta **meta);
const char *sluice_ask_token(const struct sluice_ask *);
/* Of remove_many: what became of a key. */
enum sluice_status sluice_ask_removed(const struct sluice_ask *, size_t index);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif

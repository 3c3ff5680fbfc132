/* SPDX-License-Identifier: MIT
 *
 * The storage of askkit.h, and the side of the gateway.
 */
#include "askkit.h"

#include <stdio.h>

#include "unit.h"

const struct sluice_chunk ask_rig_last = {
    .data = "abc", .length = 3, .fd = -1, .last = true};

/* ---- the storage -------------------------------------------------------- */

void ask_rig_tell(struct sluice_op *op) {
  struct sluice_meta meta = SLUICE_META;
  meta.length = 3;
  meta.etag = "e";
  sluice_meta(op, &meta);
}

static void deep_head(void *rig, struct sluice_op *op, const char *key) {
  (void)key;
  ((struct ask_rig *)rig)->deep = op;
  if (((struct ask_rig *)rig)->hangs)
    return;
  ask_rig_tell(op);
  sluice_done(op, SLUICE_OK, "%s", "it is there");
}

static void deep_get(void *rig, struct sluice_op *op,
                     const struct sluice_get *get) {
  (void)get;
  ((struct ask_rig *)rig)->deep = op;
  ask_rig_tell(op);
}

static void deep_read(void *rig, struct sluice_op *op, uint64_t first,
                      uint64_t count) {
  (void)rig, (void)first, (void)count;
  sluice_send(op, &ask_rig_last);
}

static void deep_done(void *rig, struct sluice_op *op) {
  (void)rig;
  sluice_done(op, SLUICE_OK, NULL);
}

void ask_rig_deep_put(void *rig, struct sluice_op *op,
                      const struct sluice_put *put) {
  (void)put;
  ((struct ask_rig *)rig)->deep = op;
  sluice_next(op);
}

static void deep_data(void *rig, struct sluice_op *op,
                      const struct sluice_chunk *chunk) {
  ((struct ask_rig *)rig)->data += chunk->length;
  if (!((struct ask_rig *)rig)->hangs)
    sluice_next(op);
}

static void deep_commit(void *rig, struct sluice_op *op,
                        const struct sluice_object *object) {
  (void)object;
  ((struct ask_rig *)rig)->committed++;
  sluice_done(op, SLUICE_OK, NULL);
}

static void deep_list(void *rig, struct sluice_op *op,
                      const struct sluice_list *list) {
  struct sluice_meta meta = SLUICE_META;
  const struct sluice_pair user[] = {{"who", "ann"}, {NULL, NULL}};
  (void)rig, (void)list;
  meta.user = user;
  sluice_entry(op, "a", &meta);
  sluice_prefix(op, "b/");
  sluice_truncated(op, "b/");
  sluice_done(op, SLUICE_OK, NULL);
}

static void deep_remove(void *rig, struct sluice_op *op, const char *key) {
  (void)rig;
  sluice_done(op, key[0] == 'f' ? SLUICE_EIO : SLUICE_OK, NULL);
}

static void deep_cancel(void *rig, struct sluice_op *op) {
  ((struct ask_rig *)rig)->canceled++;
  if (!((struct ask_rig *)rig)->hangs)
    sluice_done(op, SLUICE_ECANCELED, NULL);
}

void ask_rig_deep_presign(void *rig, struct sluice_op *op,
                          const struct sluice_link *link) {
  (void)rig, (void)link;
  sluice_text(op, "https://here");
  sluice_done(op, SLUICE_OK, NULL);
}

/* ---- the other side ----------------------------------------------------- */

void ask_rig_on_meta(void *arg, const struct sluice_meta *meta) {
  ((struct ask_rig *)arg)->metas += meta->length == 3;
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  ((struct ask_rig *)arg)->chunks += chunk->length == 3;
}

static void on_next(void *arg) {
  ((struct ask_rig *)arg)->nexts++;
}

static void on_alive(void *arg) {
  ((struct ask_rig *)arg)->alives++;
}

void ask_rig_on_done(void *arg, enum sluice_status status, const char *why) {
  struct ask_rig *rig = arg;
  rig->dones++;
  rig->status = status;
  snprintf(rig->why, sizeof rig->why, "%s", why == NULL ? "" : why);
}

const struct op_events ask_rig_events = {.meta = ask_rig_on_meta,
                                         .chunk = on_chunk,
                                         .next = on_next,
                                         .alive = on_alive,
                                         .done = ask_rig_on_done};

/* ---- the rig ------------------------------------------------------------ */

/* `own`: what the layer has itself. */
void ask_rig_begin(struct ask_rig *rig, const struct sluice_backend *own) {
  *rig = (struct ask_rig){.loop = loop_new()};
  rig->storage = (struct sluice_backend){
      SLUICE_HEAD(sluice_backend), .name = "deep",
      .head = deep_head,           .get = deep_get,
      .read = deep_read,           .more = deep_done,
      .put = ask_rig_deep_put,     .data = deep_data,
      .commit = deep_commit,       .list = deep_list,
      .remove = deep_remove,       .cancel = deep_cancel,
      .ping = deep_done,           .presign = ask_rig_deep_presign};
  rig->own = *own;
  rig->own.name = "thin";
  layer_unfold(&rig->layer, &rig->own, &rig->storage);
  rig->below = (struct op_backend){
      .plugin = &rig->storage,
      .handle = rig,
      .host = {.name = "main", .loop = rig->loop, .memory = &rig->memory}};
  rig->on_loop =
      (struct op_layer){.calls = &rig->layer.calls, .below = &rig->below};
  rig->above = (struct op_backend){.plugin = &rig->layer.offers,
                                   .layer = &rig->on_loop,
                                   .handle = rig,
                                   .host = {.name = "top",
                                            .loop = rig->loop,
                                            .memory = &rig->memory,
                                            .stores = &rig->store,
                                            .store_count = 1}};
  rig->store = (struct sluice_store){.name = "main",
                                     .abilities = 5,
                                     .host = &rig->above.host,
                                     .layer = &rig->above,
                                     .below = &rig->below};
  atomic_init(&rig->memory.free, ASK_RIG_MEMORY);
}

void ask_rig_turn(struct ask_rig *rig) {
  for (int i = 0; i < 16; i++)
    event_base_loop(loop_base(rig->loop), EVLOOP_NONBLOCK);
}

void ask_rig_end(struct ask_rig *rig) {
  ask_rig_turn(rig);
  CU_ASSERT_EQUAL(rig->memory.free, ASK_RIG_MEMORY);
  loop_free(rig->loop);
}

void ask_rig_get(struct ask_rig *rig) {
  rig->op = op_get(&rig->above, &(struct sluice_get){.key = "k"},
                   &ask_rig_events, rig);
  ask_rig_turn(rig);
  op_read(rig->op, 0, 3);
  ask_rig_turn(rig);
  CU_ASSERT_EQUAL(rig->chunks, 1);
  op_more(rig->op);
  ask_rig_turn(rig);
  CU_ASSERT_EQUAL(rig->dones, 1);
  CU_ASSERT_EQUAL(rig->status, SLUICE_OK);
}

void ask_rig_put(struct ask_rig *rig) {
  rig->op = op_put(&rig->above, &(struct sluice_put){.length = -1},
                   &ask_rig_events, rig);
  ask_rig_turn(rig);
  op_data(rig->op, &ask_rig_last);
  ask_rig_turn(rig);
  CU_ASSERT_EQUAL(rig->nexts, 2);
  op_commit(rig->op, &(struct sluice_object){.key = "k", .length = 3});
  ask_rig_turn(rig);
  CU_ASSERT_EQUAL(rig->committed, 1);
  CU_ASSERT_EQUAL(rig->dones, 1);
}

void ask_rig_ask_head(void *arg, struct sluice_op *op, const char *key) {
  struct ask_rig *rig = arg;
  rig->ask = sluice_ask_head(&rig->store, op, key, NULL, NULL);
}

void ask_rig_head(struct ask_rig *rig) {
  rig->op = op_head(&rig->above, "k", &ask_rig_events, rig);
  ask_rig_turn(rig);
}

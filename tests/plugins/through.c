/* SPDX-License-Identifier: MIT
 *
 * A layer that changes nothing, and goes the long way about it: every
 * operation and every step is its own, and handed on.  So what a layer costs
 * can be measured, and all of <sluice/ask.h> is used.
 */
#include <sluice/plugin.h>

struct conf {
  const char *over;
};

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, offsetof(struct conf, over),
     "the backend below"},
    {0}};

static void *open_through(void *instance, struct sluice_host *host) {
  const struct conf *conf = instance;
  return sluice_store(host, conf->over);
}

static void close_through(void *store) {
  (void)store;
}

static void head(void *store, struct sluice_op *op, const char *key) {
  sluice_ask_head(store, op, key, NULL, NULL);
}

static void get(void *store, struct sluice_op *op,
                const struct sluice_get *get) {
  sluice_ask_get(store, op, get, NULL, NULL);
}

static void read_part(void *store, struct sluice_op *op, uint64_t first,
                      uint64_t count) {
  (void)store;
  sluice_ask_read(sluice_asked(op), first, count);
}

static void more(void *store, struct sluice_op *op) {
  (void)store;
  sluice_ask_more(sluice_asked(op));
}

static void put(void *store, struct sluice_op *op,
                const struct sluice_put *put) {
  sluice_ask_put(store, op, put, NULL, NULL);
}

static void data(void *store, struct sluice_op *op,
                 const struct sluice_chunk *chunk) {
  (void)store;
  sluice_ask_data(sluice_asked(op), chunk);
}

static void commit(void *store, struct sluice_op *op,
                   const struct sluice_object *object) {
  (void)store;
  sluice_ask_commit(sluice_asked(op), object);
}

static void list(void *store, struct sluice_op *op,
                 const struct sluice_list *list) {
  sluice_ask_list(store, op, list, NULL, NULL);
}

static void remove_key(void *store, struct sluice_op *op, const char *key) {
  sluice_ask_remove(store, op, key, NULL, NULL);
}

static void cancel(void *store, struct sluice_op *op) {
  (void)store;
  sluice_ask_cancel(sluice_asked(op));
}

static void ping(void *store, struct sluice_op *op) {
  sluice_ask_ping(store, op, NULL, NULL);
}

static void presign(void *store, struct sluice_op *op,
                    const struct sluice_link *link) {
  sluice_ask_presign(store, op, link, NULL, NULL);
}

static void verify(void *store, struct sluice_op *op,
                   const struct sluice_claim *claim) {
  sluice_ask_verify(store, op, claim, NULL, NULL);
}

static void remove_if(void *store, struct sluice_op *op,
                      const struct sluice_removal *removal) {
  sluice_ask_remove_if(store, op, removal, NULL, NULL);
}

static void copy(void *store, struct sluice_op *op,
                 const struct sluice_copy *copy) {
  sluice_ask_copy(store, op, copy, NULL, NULL);
}

static void remove_many(void *store, struct sluice_op *op,
                        const char *const *keys, size_t count) {
  sluice_ask_remove_many(store, op, keys, count, NULL, NULL);
}

static void stage(void *store, struct sluice_op *op,
                  const struct sluice_stage *stage) {
  sluice_ask_stage(store, op, stage, NULL, NULL);
}

static void save(void *store, struct sluice_op *op,
                 const struct sluice_save *save) {
  (void)store;
  sluice_ask_save(sluice_asked(op), save);
}

static void stage_commit(void *store, struct sluice_op *op,
                         const struct sluice_object *object,
                         const struct sluice_save *save) {
  (void)store;
  sluice_ask_stage_commit(sluice_asked(op), object, save);
}

static void stage_get(void *store, struct sluice_op *op, const char *id) {
  sluice_ask_stage_get(store, op, id, NULL, NULL);
}

static void stage_remove(void *store, struct sluice_op *op, const char *id) {
  sluice_ask_stage_remove(store, op, id, NULL, NULL);
}

static void stage_sweep(void *store, struct sluice_op *op, int64_t now_s) {
  sluice_ask_stage_sweep(store, op, now_s, NULL, NULL);
}

static const struct sluice_backend through = {
    SLUICE_HEAD(sluice_backend),
    .name = "through",
    .version = "1.0.0",
    .summary = "hands everything on",
    .options = options,
    .conf_size = sizeof(struct conf),
    .open = open_through,
    .close = close_through,
    .head = head,
    .get = get,
    .read = read_part,
    .more = more,
    .put = put,
    .data = data,
    .commit = commit,
    .list = list,
    .remove = remove_key,
    .cancel = cancel,
    .ping = ping,
    .presign = presign,
    .verify = verify,
    .remove_if = remove_if,
    .copy = copy,
    .remove_many = remove_many,
    .stage = stage,
    .save = save,
    .stage_commit = stage_commit,
    .stage_get = stage_get,
    .stage_remove = stage_remove,
    .stage_sweep = stage_sweep,
};
SLUICE_BACKEND(through, through)

/* SPDX-License-Identifier: MIT
 *
 * Entries that do nothing, for descriptors of plugins that are only loaded
 * and never run.
 */
#ifndef TESTS_PLUGINS_ENTRIES_H
#define TESTS_PLUGINS_ENTRIES_H

#include <sluice/plugin.h>

static inline void *entry_start(const void *conf, struct sluice_host *host) {
  (void)conf;
  return host;
}
static inline void entry_stop(void *instance) {
  (void)instance;
}
static inline void *entry_open(void *instance, struct sluice_host *host) {
  (void)host;
  return instance;
}
static inline void entry_key(void *h, struct sluice_op *op, const char *key) {
  (void)h, (void)op, (void)key;
}
static inline void entry_get(void *h, struct sluice_op *op,
                             const struct sluice_get *get) {
  (void)h, (void)op, (void)get;
}
static inline void entry_read(void *h, struct sluice_op *op, uint64_t first,
                              uint64_t count) {
  (void)h, (void)op, (void)first, (void)count;
}
static inline void entry_op(void *h, struct sluice_op *op) {
  (void)h, (void)op;
}
static inline void entry_put(void *h, struct sluice_op *op,
                             const struct sluice_put *put) {
  (void)h, (void)op, (void)put;
}
static inline void entry_data(void *h, struct sluice_op *op,
                              const struct sluice_chunk *chunk) {
  (void)h, (void)op, (void)chunk;
}
static inline void entry_commit(void *h, struct sluice_op *op,
                                const struct sluice_object *object) {
  (void)h, (void)op, (void)object;
}
static inline void entry_list(void *h, struct sluice_op *op,
                              const struct sluice_list *list) {
  (void)h, (void)op, (void)list;
}
static inline void entry_log(void *h, struct sluice_request *request,
                             const struct sluice_record *record) {
  (void)h, (void)request, (void)record;
}

/* All that is required of a backend but ping. */
#define ENTRIES_BUT_PING                                                      \
  .start = entry_start, .stop = entry_stop, .open = entry_open,               \
  .close = entry_stop, .head = entry_key, .get = entry_get,                   \
  .read = entry_read, .more = entry_op, .put = entry_put, .data = entry_data, \
  .commit = entry_commit, .list = entry_list, .remove = entry_key,            \
  .cancel = entry_op
#define ENTRIES_BACKEND ENTRIES_BUT_PING, .ping = entry_op
/* All that is required of a hook but an on_*. */
#define ENTRIES_HOOK                                            \
  .start = entry_start, .stop = entry_stop, .open = entry_open, \
  .close = entry_stop

#endif

/* SPDX-License-Identifier: MIT
 *
 * Shared by the parts of the broken backend: the rule that is broken, and the
 * state of an operation.
 */
#ifndef TESTS_PLUGINS_BROKEN_H
#define TESTS_PLUGINS_BROKEN_H

#include <sluice/plugin.h>

#include "boxes.h"

#include <stdatomic.h>
#include <unistd.h>

#define PIECE 65536
#define KEPT 64

struct conf {
  const char *rule, *outage;
};

struct shelf;

struct instance {
  const struct conf *conf;
  atomic_uint outages; /* that were seen */
  atomic_bool down;    /* when it was looked at last */
  struct boxes boxes;
  struct shelf *shelves;
  unsigned shelf_count;
};

struct handle {
  struct instance *instance;
  struct boxes *boxes, own;
  struct sluice_host *host;
  char shared[PIECE]; /* for the rule chunk_changes */
  bool blocked;
};

struct call {
  struct handle *handle;
  struct sluice_op *op;
  struct box *box;
  uint64_t at, end;
  struct sluice_get hint;
  struct sluice_chunk kept[KEPT];
  size_t count;
  struct shelf *shelf; /* of a stage */
  unsigned turn;
  bool fresh; /* it says for the first time how it stands */
};

static inline bool breaks(const struct handle *handle, const char *rule) {
  return strcmp(handle->instance->conf->rule, rule) == 0;
}

/* The storage is down while the file that the option names is there. */
static inline bool is_down(struct handle *handle) {
  struct instance *instance = handle->instance;
  const char *file = instance->conf->outage;
  bool down = *file != '\0' && access(file, F_OK) == 0;
  if (down && !atomic_exchange(&instance->down, true))
    instance->outages++;
  if (!down)
    instance->down = false;
  return down || (breaks(handle, "stays_down") && instance->outages > 1);
}

/* Only for keys with that word. */
static inline bool breaks_at(const struct handle *handle, const char *rule,
                             const char *key, const char *word) {
  return breaks(handle, rule) && strstr(key, word) != NULL;
}

static inline struct call *call_of(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct call));
}

static inline struct call *call_new(void *handle, struct sluice_op *op) {
  struct call *call = call_of(op);
  call->handle = handle;
  call->op = op;
  return call;
}

static inline void end(struct call *call, enum sluice_status status);

/* The operation ends at once where the storage is down. */
static inline bool fails(struct call *call, const char *key) {
  if (!is_down(call->handle))
    return false;
  if (!breaks_at(call->handle, "down_hangs", key, "/halfway"))
    end(call, breaks_at(call->handle, "down_lies", key, "/kept")
                  ? SLUICE_ENOENT
                  : SLUICE_EUPSTREAM);
  return true;
}

static inline void end(struct call *call, enum sluice_status status) {
  struct box *box = call->box;
  call->box = NULL;
  box_drop(call->handle->boxes, box);
  sluice_done(call->op, status, NULL);
}

/* The meta that it tells of an object. */
static inline struct sluice_meta told(const struct handle *handle,
                                      const struct box *box) {
  struct sluice_meta meta = box->meta;
  if (breaks_at(handle, "wrong_length", box->key, "/heads"))
    meta.length++;
  if (breaks(handle, "no_metadata"))
    meta.user = NULL;
  if (breaks(handle, "no_type"))
    meta.type = NULL;
  if (breaks_at(handle, "own_coding", box->key, "/codings"))
    meta.encoding = "gzip";
  if (breaks(handle, "no_time"))
    meta.mtime_ms = 0;
  if (breaks(handle, "same_etag"))
    meta.etag = "etag";
  if (breaks_at(handle, "quoted_etag", box->key, "/etags"))
    meta.etag = "\"etag\"";
  return meta;
}

#endif

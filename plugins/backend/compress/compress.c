/* SPDX-License-Identifier: MIT
 *
 * The layer `compress`: the storage below has frames of zstd where that is
 * shorter, and objects as they are where it isn't.  A mark in an object's
 * metadata says which, and the plain length.  sluice-compress(7); the format
 * is in docs/compressed-objects.md.
 */
#include "compress.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define LEVEL_MAX 19

static const struct sluice_option options[] = {
    {"over", SLUICE_BACKEND_NAME, NULL, offsetof(struct compress_conf, over),
     "the backend that keeps the compressed objects"},
    {"level", SLUICE_INT, "3", offsetof(struct compress_conf, level),
     "how hard zstd tries, 1 to 19"},
    {"frame_size", SLUICE_SIZE, "256KiB",
     offsetof(struct compress_conf, frame_size),
     "bytes that are compressed together, 4KiB to 8MiB"},
    {NULL, 0, NULL, 0, NULL}};

/* ---- metas -------------------------------------------------------------- */

static bool is_pair(const struct sluice_pair *pair, const char *name) {
  return strcmp(pair->name, name) == 0;
}

bool compress_pairs_up(const struct sluice_pair *user,
                       struct sluice_pair pairs[COMPRESS_PAIRS + 1]) {
  size_t count = 0;
  for (; user != NULL && user->name != NULL; user++) {
    if (is_pair(user, SEEKABLE_MARK))
      continue;
    if (count == COMPRESS_PAIRS)
      return false;
    pairs[count++] = *user;
    if (is_pair(user, SEEKABLE_ABOVE))
      pairs[count - 1].name = SEEKABLE_MARK;
  }
  pairs[count] = (struct sluice_pair){NULL, NULL};
  return true;
}

enum sluice_status
compress_pairs_down(const struct sluice_pair *user, const char *mark,
                    struct sluice_pair pairs[COMPRESS_PAIRS + 1],
                    const char **why) {
  size_t count = 0;
  for (; user != NULL && user->name != NULL; user++) {
    if (is_pair(user, SEEKABLE_ABOVE)) {
      *why = "three layers that compress stand on each other; leave one out";
      return SLUICE_EIO;
    }
    if (count + (mark != NULL) == COMPRESS_PAIRS) {
      *why = "the object has too much metadata";
      return SLUICE_EINVAL;
    }
    pairs[count++] = *user;
    if (is_pair(user, SEEKABLE_MARK))
      pairs[count - 1].name = SEEKABLE_ABOVE;
  }
  if (mark != NULL)
    pairs[count++] = (struct sluice_pair){SEEKABLE_MARK, mark};
  pairs[count] = (struct sluice_pair){NULL, NULL};
  return SLUICE_OK;
}

static const char *mark_of(const struct sluice_pair *user) {
  for (; user != NULL && user->name != NULL; user++)
    if (is_pair(user, SEEKABLE_MARK))
      return user->value;
  return NULL;
}

enum compress_kind compress_meta(const struct sluice_meta *stored,
                                 struct sluice_meta *plain,
                                 struct sluice_pair pairs[COMPRESS_PAIRS + 1],
                                 struct seekable *shape) {
  const char *mark = mark_of(stored->user);
  uint64_t frames;
  *plain = *stored;
  if (stored->user != NULL && !compress_pairs_up(stored->user, pairs))
    return COMPRESS_DAMAGED;
  plain->user = stored->user == NULL ? NULL : pairs;
  if (mark == NULL)
    return COMPRESS_AS_IS;
  if (!seekable_read_mark(shape, mark) ||
      !seekable_frames(shape, stored->length, &frames))
    return COMPRESS_DAMAGED;
  plain->length = shape->plain;
  plain->md5 = shape->md5;
  return COMPRESS_FRAMES;
}

void compress_end(struct sluice_op *op, enum sluice_status status,
                  const char *why) {
  if (why == NULL)
    sluice_done(op, status, NULL);
  else
    sluice_done(op, status, "%s", why);
}

/* ---- heads and copies --------------------------------------------------- */

static void on_told(void *arg, const struct sluice_meta *stored) {
  struct compress_op *state = arg;
  struct sluice_pair pairs[COMPRESS_PAIRS + 1];
  struct sluice_meta plain;
  struct seekable shape;
  state->damaged =
      compress_meta(stored, &plain, pairs, &shape) == COMPRESS_DAMAGED;
  if (!state->damaged)
    sluice_meta(state->op, &plain);
}

static void on_told_done(void *arg, enum sluice_status status,
                         const char *why) {
  struct compress_op *state = arg;
  if (state->damaged && status == SLUICE_OK)
    sluice_done(state->op, SLUICE_EUPSTREAM, COMPRESS_BROKEN);
  else
    compress_end(state->op, status, why);
}

static const struct sluice_heard told = {SLUICE_HEARD, .meta = on_told,
                                         .done = on_told_done};

static void compress_head(void *arg, struct sluice_op *op, const char *key) {
  struct compress_handle *handle = arg;
  struct compress_op *state = sluice_op_state(op, COMPRESS_STATE);
  state->op = op;
  sluice_ask_head(handle->store, op, key, &told, state);
}

/* The answer to a copy may be without metadata: then the sizes of both are
 * those that a head tells. */
struct copied {
  struct compress_op common;
  struct compress_handle *handle;
  char *to;
  int before;
};

_Static_assert(sizeof(struct copied) <= COMPRESS_STATE, "it has room");

static void on_copied_meta(void *arg, const struct sluice_meta *stored) {
  struct copied *copied = arg;
  copied->before = stored->before;
}

static void on_copied_head(void *arg, const struct sluice_meta *stored) {
  struct copied *copied = arg;
  struct sluice_meta with = *stored;
  with.before = copied->before;
  on_told(&copied->common, &with);
}

/* It took place, whatever is told of it now. */
static void on_described(void *arg, enum sluice_status status,
                         const char *why) {
  struct copied *copied = arg;
  (void)status, (void)why;
  free(copied->to);
  sluice_done(copied->common.op, SLUICE_OK, NULL);
}

static void on_copied(void *arg, enum sluice_status status, const char *why) {
  static const struct sluice_heard heads = {
      SLUICE_HEARD, .meta = on_copied_head, .done = on_described};
  struct copied *copied = arg;
  if (status == SLUICE_OK) {
    sluice_ask_head(copied->handle->store, copied->common.op, copied->to,
                    &heads, copied);
    return;
  }
  free(copied->to);
  compress_end(copied->common.op, status, why);
}

static void compress_copy(void *handle, struct sluice_op *op,
                          const struct sluice_copy *copy) {
  static const struct sluice_heard heard = {
      SLUICE_HEARD, .meta = on_copied_meta, .done = on_copied};
  struct copied *copied = sluice_op_state(op, COMPRESS_STATE);
  copied->common.op = op;
  copied->handle = handle;
  copied->to = strdup(copy->to);
  if (copied->to == NULL)
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a key");
  else
    sluice_ask_copy(copied->handle->store, op, copy, &heard, copied);
}

/* ---- life --------------------------------------------------------------- */

/* The memory of a context, as zstd says it of one that was used. */
static bool measure(struct compress *shared) {
  size_t frame = (size_t)shared->conf->frame_size;
  ZSTD_CCtx *packer = ZSTD_createCCtx();
  ZSTD_DCtx *opener = ZSTD_createDCtx();
  char *plain = calloc(1, frame), *packed = malloc(seekable_bound(frame));
  bool done =
      packer != NULL && opener != NULL && plain != NULL && packed != NULL &&
      !ZSTD_isError(ZSTD_compressCCtx(packer, packed, seekable_bound(frame),
                                      plain, frame, (int)shared->conf->level));
  shared->packer = done ? ZSTD_sizeof_CCtx(packer) : 0;
  shared->opener = done ? ZSTD_sizeof_DCtx(opener) : 0;
  ZSTD_freeCCtx(packer);
  ZSTD_freeDCtx(opener);
  free(plain);
  free(packed);
  return done;
}

static void *compress_start(const void *arg, struct sluice_host *host) {
  const struct compress_conf *conf = arg;
  struct compress *shared;
  if (conf->level < 1 || conf->level > LEVEL_MAX) {
    sluice_fail(host, "level: %lld isn't a level; write 1 to %d",
                (long long)conf->level, LEVEL_MAX);
    return NULL;
  }
  if (conf->frame_size < SEEKABLE_FRAME_MIN ||
      conf->frame_size > SEEKABLE_FRAME_MAX) {
    sluice_fail(host, "frame_size: %llu bytes; write 4KiB to 8MiB",
                (unsigned long long)conf->frame_size);
    return NULL;
  }
  shared = calloc(1, sizeof *shared);
  if (shared != NULL) {
    shared->conf = conf;
    if (measure(shared))
      return shared;
  }
  free(shared);
  sluice_fail(host, "no memory is left");
  return NULL;
}

static void *compress_open(void *instance, struct sluice_host *host) {
  struct compress_handle *handle = calloc(1, sizeof *handle);
  if (handle == NULL) {
    sluice_fail(host, "no memory is left");
    return NULL;
  }
  handle->host = host;
  handle->store = sluice_store(host, NULL);
  handle->shared = instance;
  return handle;
}

static void compress_cancel(void *handle, struct sluice_op *op) {
  struct compress_op *state = sluice_op_state(op, COMPRESS_STATE);
  (void)handle;
  if (state->get != NULL)
    compress_get_cancel(state->get);
  else if (state->put != NULL)
    compress_put_cancel(state->put);
  else if (state->list != NULL)
    compress_list_cancel(state->list);
  else
    sluice_ask_cancel(sluice_asked(op));
}

static const struct sluice_backend compress = {
    SLUICE_HEAD(sluice_backend),
    .name = "compress",
    .version = SLUICE_VERSION,
    .summary = "compresses what another backend keeps",
    .options = options,
    .conf_size = sizeof(struct compress_conf),
    .start = compress_start,
    .stop = free,
    .open = compress_open,
    .close = free,
    .head = compress_head,
    .get = compress_get,
    .read = compress_read,
    .more = compress_more,
    .put = compress_put,
    .data = compress_data,
    .commit = compress_commit,
    .list = compress_list,
    .cancel = compress_cancel,
    .copy = compress_copy,
    .op_memory = COMPRESS_MEMORY,
};

SLUICE_REACH({NULL, 0, NULL})
SLUICE_BACKEND(compress, compress)

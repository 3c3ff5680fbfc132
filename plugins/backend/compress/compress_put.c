/* SPDX-License-Identifier: MIT
 *
 * An upload: plain bytes gather to a frame, which a thread compresses and
 * which is then lent to the storage; the next one waits until that came back.
 * The first frame decides: where it doesn't get shorter by a sixteenth, the
 * object is stored as it is.
 */
#include "compress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "codec.h"
#include "digest.h"

#define SIZES_STEP 4096 /* frames, by which their list grows */

enum put_turn {
  TURN_GATEWAY, /* to give a chunk, or to commit */
  TURN_THREAD,  /* to compress a frame */
  TURN_STORAGE  /* to take what is lent to it */
};

enum put_form { FORM_OPEN, FORM_AS_IS, FORM_FRAMES };

struct compress_put {
  struct sluice_op *op;
  struct compress_handle *handle;
  struct sluice_ask *ask; /* NULL: it is over */
  enum put_turn turn;
  enum put_form form;
  ZSTD_CCtx *packer;
  struct digest *md5; /* of what is stored */
  unsigned char *plain, *packed;
  size_t room, packed_room; /* bytes of each */
  size_t taken_memory;
  size_t held, length;  /* bytes in each */
  uint64_t all, stored; /* bytes so far */
  uint32_t *sizes;      /* of the frames */
  size_t sizes_room;
  struct seekable shape; /* when all bytes came */
  uint32_t frames, unit; /* so far; the next one of the table */
  bool tabled, ended;    /* all frames are out; the last chunk is */
  bool canceled;
  struct sluice_chunk chunk; /* lent by the gateway */
  size_t taken;              /* of it */
  enum sluice_status status; /* why it fails, or how the storage ended */
  char why[128];
};

static void put_pump(struct compress_put *put);

static struct compress_put *put_of(struct sluice_op *op) {
  return ((struct compress_op *)sluice_op_state(op, COMPRESS_STATE))->put;
}

/* ---- the end ------------------------------------------------------------ */

static void put_free(struct compress_put *put) {
  ZSTD_freeCCtx(put->packer);
  digest_free(put->md5);
  free(put->plain);
  free(put->packed);
  free(put->sizes);
  sluice_memory_give(put->handle->host, put->taken_memory);
  free(put);
}

static void put_finish(struct compress_put *put) {
  struct sluice_op *op = put->op;
  enum sluice_status status = put->status;
  char why[sizeof put->why];
  memcpy(why, put->why, sizeof why);
  put_free(put);
  compress_end(op, status, why[0] == '\0' ? NULL : why);
}

static void put_note(struct compress_put *put, enum sluice_status status,
                     const char *why) {
  if (put->status != SLUICE_OK)
    return;
  put->status = status;
  snprintf(put->why, sizeof put->why, "%s", why == NULL ? "" : why);
}

/* The end comes when the storage has ended. */
static void put_fail(struct compress_put *put, enum sluice_status status,
                     const char *why) {
  put_note(put, status, why);
  if (put->ask != NULL)
    sluice_ask_cancel(put->ask);
}

/* A commit that is under way may take place all the same: the storage says
 * whether it did. */
void compress_put_cancel(struct compress_put *put) {
  put->canceled = true;
  if (put->ask != NULL)
    sluice_ask_cancel(put->ask);
}

static void on_put_done(void *arg, enum sluice_status status,
                        const char *why) {
  struct compress_put *put = arg;
  put->ask = NULL;
  put_note(put, status, why);
  if (put->turn != TURN_THREAD) /* else put_packed() comes */
    put_finish(put);
}

/* ---- frames ------------------------------------------------------------- */

static void pack(void *arg) {
  struct compress_put *put = arg;
  size_t length = ZSTD_compress2(put->packer, put->packed, put->packed_room,
                                 put->plain, put->held);
  put->length = ZSTD_isError(length) ? 0 : length;
  if (put->form == FORM_OPEN)
    put->form = put->length == 0 || put->length + SEEKABLE_TABLE(1) >
                                        put->held - put->held / 16
                    ? FORM_AS_IS
                    : FORM_FRAMES;
  if (put->form == FORM_FRAMES)
    digest_update(put->md5, put->packed, put->length);
}

static void lend(struct compress_put *put, const void *data, size_t length,
                 bool last) {
  const struct sluice_chunk chunk = {
      .data = data, .length = length, .fd = -1, .last = last};
  put->turn = TURN_STORAGE;
  put->ended = last;
  sluice_ask_data(put->ask, &chunk);
}

static bool all_came(const struct compress_put *put) {
  return put->chunk.last && put->taken == put->chunk.length;
}

static bool sizes_grow(struct compress_put *put) {
  size_t step = SIZES_STEP * sizeof *put->sizes;
  if (put->frames < put->sizes_room)
    return true;
  if (!sluice_memory_take(put->handle->host, step))
    return false;
  put->taken_memory += step;
  uint32_t *sizes =
      realloc(put->sizes, put->sizes_room * sizeof *sizes + step);
  if (sizes == NULL)
    return false;
  put->sizes = sizes;
  put->sizes_room += SIZES_STEP;
  return true;
}

static void lend_frame(struct compress_put *put) {
  if (put->length == 0) {
    put_fail(put, SLUICE_EIO, "a frame can't be compressed");
  } else if (put->frames == SEEKABLE_FRAMES_MAX) {
    put_fail(put, SLUICE_ETOOBIG,
             "the object has more frames than a table; "
             "write a larger frame_size");
  } else if (!sizes_grow(put)) {
    put_fail(put, SLUICE_ENOMEM, "no memory is left for the frames' table");
  } else {
    put->sizes[put->frames++] = (uint32_t)put->length;
    put->all += put->held;
    put->stored += put->length;
    put->held = 0;
    lend(put, put->packed, put->length, false);
  }
}

static void lend_as_is(struct compress_put *put) {
  size_t held = put->held;
  put->held = 0;
  lend(put, put->plain, held, all_came(put));
}

static void put_packed(void *arg) {
  struct compress_put *put = arg;
  put->turn = TURN_STORAGE;
  if (put->ask == NULL)
    put_finish(put);
  else if (!put->canceled && put->form == FORM_FRAMES)
    lend_frame(put);
  else if (!put->canceled)
    lend_as_is(put);
}

static void lend_table(struct compress_put *put) {
  if (!put->tabled)
    seekable_init(&put->shape, put->all, (uint32_t)put->room);
  put->tabled = true;
  size_t length = seekable_write_table(&put->shape, put->sizes, &put->unit,
                                       put->packed, put->packed_room);
  digest_update(put->md5, put->packed, length);
  put->stored += length;
  lend(put, put->packed, length, put->unit == put->shape.count + 2);
}

/* ---- the gateway's bytes ------------------------------------------------ */

static void put_gather(struct compress_put *put) {
  size_t left = (size_t)put->chunk.length - put->taken;
  size_t room = put->room - put->held;
  size_t count = left < room ? left : room;
  if (count > 0)
    memcpy(put->plain + put->held, (const char *)put->chunk.data + put->taken,
           count);
  put->held += count;
  put->taken += count;
}

/* False: the gateway has to go on. */
static bool put_frames(struct compress_put *put) {
  put_gather(put);
  if (put->held == put->room || (all_came(put) && put->held > 0)) {
    bool tiny = put->form == FORM_OPEN && put->held < COMPRESS_LEAST;
    if (tiny) {
      put->form = FORM_AS_IS;
      lend_as_is(put);
      return true;
    }
    put->turn = TURN_THREAD;
    sluice_work(put->handle->host, pack, put_packed, put);
    return true;
  }
  if (!all_came(put) || put->ended)
    return false;
  if (put->form == FORM_FRAMES) {
    lend_table(put);
  } else { /* nothing came at all */
    put->form = FORM_AS_IS;
    lend_as_is(put);
  }
  return true;
}

static bool put_as_is(struct compress_put *put) {
  size_t left = (size_t)put->chunk.length - put->taken;
  const char *data = (const char *)put->chunk.data + put->taken;
  if (left == 0 && (!put->chunk.last || put->ended))
    return false;
  put->taken += left;
  lend(put, data, left, put->chunk.last);
  return true;
}

/* Goes on until one of the others has its turn. */
static void put_pump(struct compress_put *put) {
  bool busy = put->form == FORM_AS_IS ? put_as_is(put) : put_frames(put);
  if (!busy)
    sluice_next(put->op);
}

static void on_put_next(void *arg) {
  struct compress_put *put = arg;
  put->turn = TURN_GATEWAY;
  put_pump(put);
}

/* The storage's word of a commit, but for the sizes. */
static void on_put_meta(void *arg, const struct sluice_meta *stored) {
  struct compress_put *put = arg;
  struct sluice_pair pairs[COMPRESS_PAIRS + 1];
  struct sluice_meta plain = *stored;
  plain.user = NULL;
  if (stored->user != NULL && compress_pairs_up(stored->user, pairs))
    plain.user = pairs;
  if (put->form == FORM_FRAMES) {
    plain.length = put->all;
    plain.md5 = NULL;
  }
  sluice_meta(put->op, &plain);
}

/* ---- the entries -------------------------------------------------------- */

/* Of an object that is known to be shorter than a frame, that is its frame. */
static size_t frame_room(const struct compress_put *put, int64_t length) {
  uint64_t room = put->handle->shared->conf->frame_size;
  if (length >= 0 && (uint64_t)length < room)
    room =
        (uint64_t)length < COMPRESS_LEAST ? COMPRESS_LEAST : (uint64_t)length;
  return (size_t)room;
}

/* False: there is no memory for frames. */
static bool put_init(struct compress_put *put, int64_t length) {
  int level = (int)put->handle->shared->conf->level;
  put->room = frame_room(put, length);
  put->packed_room = seekable_bound(put->room);
  size_t memory = put->room + put->packed_room + put->handle->shared->packer;
  if (!sluice_memory_take(put->handle->host, memory))
    return false;
  put->taken_memory = memory;
  put->plain = malloc(put->room);
  put->packed = malloc(put->packed_room);
  put->md5 = digest_new(DIGEST_MD5);
  put->packer = ZSTD_createCCtx();
  if (put->plain == NULL || put->packed == NULL || put->md5 == NULL ||
      put->packer == NULL)
    return false;
  return !ZSTD_isError(ZSTD_CCtx_setParameter(
             put->packer, ZSTD_c_compressionLevel, level)) &&
         !ZSTD_isError(
             ZSTD_CCtx_setParameter(put->packer, ZSTD_c_checksumFlag, 1));
}

/* The most that it may come to: a frame that gets longer is still a frame. */
static int64_t most(const struct compress_put *put, int64_t length) {
  uint64_t frames, all;
  if (length < 0)
    return -1;
  frames = (uint64_t)length / put->room + 1;
  if (__builtin_mul_overflow(frames, (uint64_t)seekable_bound(put->room),
                             &all) ||
      __builtin_add_overflow(all, SEEKABLE_TABLE(frames), &all) ||
      all > INT64_MAX)
    return -1;
  return (int64_t)all;
}

void compress_put(void *arg, struct sluice_op *op,
                  const struct sluice_put *wanted) {
  static const struct sluice_heard heard = {SLUICE_HEARD, .meta = on_put_meta,
                                            .next = on_put_next,
                                            .done = on_put_done};
  struct compress_handle *handle = arg;
  struct compress_op *state = sluice_op_state(op, COMPRESS_STATE);
  struct compress_put *put = calloc(1, sizeof *put);
  struct sluice_put below = {.length = wanted->length};
  if (put == NULL) {
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a frame");
    return;
  }
  put->op = op;
  put->handle = handle;
  put->turn = TURN_STORAGE;
  bool tiny = wanted->length >= 0 && wanted->length < COMPRESS_LEAST;
  if (tiny) {
    put->form = FORM_AS_IS;
  } else if (put_init(put, wanted->length)) {
    below.length = most(put, wanted->length);
  } else {
    put_free(put);
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a frame");
    return;
  }
  state->put = put;
  put->ask = sluice_ask_put(handle->store, op, &below, &heard, put);
}

void compress_data(void *handle, struct sluice_op *op,
                   const struct sluice_chunk *chunk) {
  struct compress_put *put = put_of(op);
  (void)handle;
  put->chunk = *chunk;
  put->taken = 0;
  put_pump(put);
}

/* The digest that the storage compares is that of its own bytes. */
void compress_commit(void *handle, struct sluice_op *op,
                     const struct sluice_object *object) {
  struct compress_put *put = put_of(op);
  struct sluice_object below = *object;
  struct sluice_pair pairs[COMPRESS_PAIRS + 1];
  unsigned char md5[DIGEST_MD5_LEN];
  char hex[2 * DIGEST_MD5_LEN + 1], mark[SEEKABLE_MARK_SIZE] = "";
  bool packed = put->form == FORM_FRAMES;
  (void)handle;
  if (packed) {
    digest_final(put->md5, md5);
    codec_hex(hex, md5, sizeof md5);
    snprintf(put->shape.md5, sizeof put->shape.md5, "%s", object->md5);
    seekable_write_mark(&put->shape, mark);
    below.md5 = hex;
    below.length = put->stored;
  }
  const char *why;
  enum sluice_status status =
      compress_pairs_down(object->user, packed ? mark : NULL, pairs, &why);
  if (status != SLUICE_OK) {
    put_fail(put, status, why);
    return;
  }
  below.user = pairs;
  sluice_ask_commit(put->ask, &below);
}

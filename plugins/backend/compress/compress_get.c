/* SPDX-License-Identifier: MIT
 *
 * A download: each frame is gathered and opened by a thread, and what it holds
 * is compared with its sum, before a byte of it is sent.  A range that begins
 * in the first frame is read from the start; for any other the table is read
 * first, and then the object is asked for once more.  An object that isn't
 * marked passes as it is.
 */
#include "compress_get.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

static struct compress_get *get_of(struct sluice_op *op) {
  return ((struct compress_op *)sluice_op_state(op, COMPRESS_STATE))->get;
}

/* ---- the end ------------------------------------------------------------ */

static void get_free(struct compress_get *get) {
  ZSTD_freeDCtx(get->opener);
  digest_free(get->md5);
  free(get->stored);
  free(get->plain);
  free(get->key);
  free(get->etag);
  sluice_memory_give(get->handle->host, get->taken_memory);
  free(get);
}

static void get_finish(struct compress_get *get) {
  struct sluice_op *op = get->op;
  enum sluice_status status = get->status;
  char why[sizeof get->why];
  memcpy(why, get->why, sizeof why);
  get_free(get);
  compress_end(op, status, why[0] == '\0' ? NULL : why);
}

static void get_note(struct compress_get *get, enum sluice_status status,
                     const char *why) {
  if (get->status != SLUICE_OK)
    return;
  get->status = status;
  snprintf(get->why, sizeof get->why, "%s", why == NULL ? "" : why);
}

/* Nothing more is read or sent; the end comes when the storage has ended. */
static void get_close(struct compress_get *get) {
  get->phase = PHASE_CLOSING;
  if (get->ask == NULL)
    get_finish(get);
  else
    sluice_ask_cancel(get->ask);
}

static void get_fail(struct compress_get *get, enum sluice_status status,
                     const char *why) {
  get_note(get, status, why);
  get_close(get);
}

/* Nothing is taken away from a thread. */
void compress_get_cancel(struct compress_get *get) {
  if (get->phase == PHASE_THREAD)
    get->canceled = true;
  else if (get->phase != PHASE_CLOSING)
    get_fail(get, SLUICE_ECANCELED, NULL);
}

static void ask_again(struct compress_get *get);

static void on_get_done(void *arg, enum sluice_status status,
                        const char *why) {
  struct compress_get *get = arg;
  get->ask = NULL;
  get->lent = false;
  switch (get->phase) {
  case PHASE_CLOSING:
    get_finish(get);
    break;
  case PHASE_AGAIN:
    ask_again(get); /* whatever became of the rest of the table's answer */
    break;
  case PHASE_THREAD:
  case PHASE_LENT: /* what is there may be sent; what isn't fails then */
    if (status != SLUICE_OK)
      get_note(get, status, why);
    break;
  case PHASE_AS_IS:
    compress_end(get->op, status, why);
    get_free(get);
    break;
  case PHASE_META:
  case PHASE_WAIT:
  case PHASE_SAME:
  case PHASE_GATHER:
    get_note(get, status, why);
    get_note(get, SLUICE_EUPSTREAM, "the storage ended before all bytes came");
    get_finish(get);
    break;
  }
}

/* ---- what is sent ------------------------------------------------------- */

static void get_go_on(struct compress_get *get);

/* Bytes behind the last frame that was asked for are no part of it. */
static bool has_rest(const struct compress_get *get) {
  return get->have > get->frame || get->chunk.length > 0 ||
         (get->lent && !get->last);
}

static void send_frame(struct compress_get *get) {
  uint64_t begin = (uint64_t)get->index * get->shape.frame;
  size_t skip = get->first > begin ? (size_t)(get->first - begin) : 0;
  size_t length = seekable_frame(&get->shape, get->index) - skip;
  if (length > get->left)
    length = (size_t)get->left;
  get->left -= length;
  if (get->left == 0 && get->exact && has_rest(get)) {
    get_fail(get, SLUICE_EUPSTREAM, COMPRESS_BROKEN);
    return;
  }
  get->have -= get->frame;
  memmove(get->stored, get->stored + get->frame, get->have);
  get->index++;
  get->phase = PHASE_LENT;
  const struct sluice_chunk chunk = {.data = get->plain + skip,
                                     .length = length,
                                     .fd = -1,
                                     .last = get->left == 0};
  sluice_send(get->op, &chunk);
}

/* The storage is given its chunk back, and the object is asked for anew. */
static void end_table(struct compress_get *get) {
  get->from = get->table.begin;
  get->count = get->table.end - get->table.begin;
  get->reads_table = false;
  get->phase = PHASE_AGAIN;
  if (get->ask == NULL)
    ask_again(get);
  else if (get->lent && get->last)
    sluice_ask_more(get->ask);
  else
    sluice_ask_cancel(get->ask);
}

static void want_more(struct compress_get *get) {
  if (get->chunk.length > 0) {
    get_go_on(get);
    return;
  }
  get->phase = PHASE_GATHER;
  if (get->ask == NULL) {
    get_fail(get, SLUICE_EUPSTREAM, "the storage ended before all bytes came");
    return;
  }
  get->lent = false;
  sluice_ask_more(get->ask);
}

static void after_search(void *arg) {
  struct compress_get *get = arg;
  if (get->canceled) {
    get_fail(get, SLUICE_ECANCELED, NULL);
    return;
  }
  switch (get->find) {
  case FIND_MORE:
    if (get->status != SLUICE_OK)
      get_close(get);
    else
      want_more(get);
    break;
  case FIND_FRAME:
    send_frame(get);
    break;
  case FIND_TABLE:
    end_table(get);
    break;
  case FIND_BROKEN:
    get_fail(get, SLUICE_EUPSTREAM, COMPRESS_BROKEN);
    break;
  case FIND_UNREAD:
    get_fail(get, SLUICE_EUPSTREAM, "the object's file can't be read");
    break;
  }
}

/* ---- what comes --------------------------------------------------------- */

/* Of a chunk in memory a part is taken here: who lent it may end early. */
static void copy_chunk(struct compress_get *get) {
  size_t room = get->room - get->have;
  size_t count = get->chunk.length < room ? (size_t)get->chunk.length : room;
  memcpy(get->stored + get->have, get->chunk.data, count);
  get->have += count;
  get->chunk.data = (const char *)get->chunk.data + count;
  get->chunk.length -= count;
}

static void get_go_on(struct compress_get *get) {
  if (get->lent && get->chunk.fd == -1 && get->chunk.length > 0)
    copy_chunk(get);
  get->phase = PHASE_THREAD;
  sluice_work(get->handle->host, compress_search, after_search, get);
}

static void on_get_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct compress_get *get = arg;
  if (get->phase == PHASE_AS_IS) {
    sluice_send(get->op, chunk);
    return;
  }
  if (get->phase != PHASE_GATHER)
    return;
  get->chunk = *chunk;
  get->lent = true;
  get->last = chunk->last;
  get_go_on(get);
}

/* ---- the object --------------------------------------------------------- */

static bool is_same(const struct compress_get *get,
                    const struct sluice_meta *meta) {
  if (meta->length != get->length)
    return false;
  return meta->etag == NULL || get->etag == NULL ||
         strcmp(meta->etag, get->etag) == 0;
}

/* Room for a frame, and for what it comes to. */
static bool make_room(struct compress_get *get) {
  get->plain_room = seekable_frame(&get->shape, 0);
  get->room = seekable_bound(get->plain_room);
  size_t memory = get->room + get->plain_room + get->handle->shared->opener;
  if (!sluice_memory_take(get->handle->host, memory))
    return false;
  get->taken_memory = memory;
  get->stored = malloc(get->room);
  get->plain = malloc(get->plain_room);
  get->opener = ZSTD_createDCtx();
  bool whole = get->first == 0 && get->left == get->shape.plain;
  get->md5 = whole ? digest_new(DIGEST_MD5) : NULL;
  return get->stored != NULL && get->plain != NULL && get->opener != NULL &&
         (get->md5 != NULL || !whole);
}

static void on_get_meta(void *arg, const struct sluice_meta *stored) {
  struct compress_get *get = arg;
  struct sluice_pair pairs[COMPRESS_PAIRS + 1];
  struct sluice_meta plain;
  if (get->phase == PHASE_SAME) {
    if (is_same(get, stored)) {
      get->phase = PHASE_GATHER;
      sluice_ask_read(get->ask, get->from, get->count);
    } else {
      get_fail(get, SLUICE_EUPSTREAM, "the object was replaced meanwhile");
    }
    return;
  }
  if (get->phase != PHASE_META)
    return;
  switch (compress_meta(stored, &plain, pairs, &get->shape)) {
  case COMPRESS_AS_IS:
    get->phase = PHASE_AS_IS;
    sluice_meta(get->op, &plain);
    return;
  case COMPRESS_DAMAGED:
    get_fail(get, SLUICE_EUPSTREAM, COMPRESS_BROKEN);
    return;
  case COMPRESS_FRAMES:
    break;
  }
  get->length = stored->length;
  get->etag = stored->etag == NULL ? NULL : strdup(stored->etag);
  get->phase = PHASE_WAIT;
  sluice_meta(get->op, &plain);
}

static const struct sluice_heard get_heard = {
    SLUICE_HEARD, .meta = on_get_meta, .chunk = on_get_chunk,
    .done = on_get_done};

static void ask_again(struct compress_get *get) {
  const struct sluice_get below = {
      .key = get->key, .first = get->from, .count = get->count};
  if (get->status != SLUICE_OK) {
    get_finish(get);
    return;
  }
  get->phase = PHASE_SAME;
  get->have = 0;
  get->chunk = (struct sluice_chunk){.fd = -1};
  get->ask =
      sluice_ask_get(get->handle->store, get->op, &below, &get_heard, get);
}

/* ---- the entries -------------------------------------------------------- */

/* Bytes in which so many plain ones from the start are, at most. */
static uint64_t front(uint64_t frame, uint64_t count) {
  uint64_t frames = count / frame + (count % frame != 0);
  return frames * seekable_bound((size_t)frame);
}

void compress_get(void *arg, struct sluice_op *op,
                  const struct sluice_get *wanted) {
  struct compress_handle *handle = arg;
  struct compress_op *state = sluice_op_state(op, COMPRESS_STATE);
  struct compress_get *get = calloc(1, sizeof *get);
  if (get != NULL)
    get->key = strdup(wanted->key);
  if (get == NULL || get->key == NULL) {
    free(get);
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a key");
    return;
  }
  state->get = get;
  get->op = op;
  get->handle = handle;
  get->chunk.fd = -1;
  get->ask = sluice_ask_get(handle->store, op, wanted, &get_heard, get);
}

/* All of it, a part from the start, or first the table. */
static void choose(struct compress_get *get) {
  uint64_t frames = 0, end = get->first + get->left;
  seekable_frames(&get->shape, get->length, &frames);
  get->index = (uint32_t)(get->first / get->shape.frame);
  get->from = 0;
  get->count = frames;
  get->exact = true;
  if (end == get->shape.plain && get->index == 0)
    return;
  if (get->index == 0) {
    uint64_t most = front(get->shape.frame, end);
    get->exact = false;
    get->count = most < frames ? most : frames;
    return;
  }
  get->reads_table = true;
  get->table = (struct seekable_table){
      .shape = get->shape,
      .frames = frames,
      .first = get->index,
      .last = (uint32_t)((end - 1) / get->shape.frame)};
  get->from = frames;
  get->count = get->length - frames;
}

void compress_read(void *handle, struct sluice_op *op, uint64_t first,
                   uint64_t count) {
  struct compress_get *get = get_of(op);
  (void)handle;
  if (get->phase == PHASE_AS_IS) {
    sluice_ask_read(get->ask, first, count);
    return;
  }
  if (get->phase != PHASE_WAIT)
    return; /* it is about to end */
  if (first >= get->shape.plain || count == 0) {
    get_fail(get, SLUICE_ERANGE, NULL);
    return;
  }
  get->first = first;
  get->left =
      count < get->shape.plain - first ? count : get->shape.plain - first;
  if (!make_room(get)) {
    get_fail(get, SLUICE_ENOMEM, "no memory is left for a frame");
    return;
  }
  choose(get);
  get->phase = PHASE_GATHER;
  sluice_ask_read(get->ask, get->from, get->count);
}

void compress_more(void *handle, struct sluice_op *op) {
  struct compress_get *get = get_of(op);
  (void)handle;
  if (get->phase == PHASE_AS_IS) {
    sluice_ask_more(get->ask);
    return;
  }
  if (get->phase != PHASE_LENT)
    return;
  if (get->left > 0 && get->status == SLUICE_OK) {
    get_go_on(get);
    return;
  }
  if (get->left == 0 && get->ask != NULL && get->lent && get->last &&
      get->chunk.length == 0) {
    get->phase = PHASE_CLOSING;
    get->lent = false;
    sluice_ask_more(get->ask);
    return;
  }
  get_close(get);
}

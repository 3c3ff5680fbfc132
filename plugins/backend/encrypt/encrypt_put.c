/* SPDX-License-Identifier: MIT
 *
 * An upload: plain bytes gather to a piece, which is sealed and lent to the
 * storage; the next one waits until that came back.  A full piece is held
 * until it is known whether it is the last.
 */
#include "encrypt.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "digest.h"

enum turn {
  TURN_GATEWAY, /* to give a chunk, or to commit */
  TURN_STORAGE  /* to take a piece */
};

struct encrypt_put {
  struct sluice_op *op;
  struct crypt *crypt;
  struct digest *md5; /* of what is sealed */
  struct put_buffers *buffers;
  enum turn turn;
  bool begun, ended; /* the header is out; the last piece is */
  bool too_long;     /* the key of the commit */
  uint64_t index, plain, sealed;
  size_t held;               /* plain bytes in the buffer */
  struct sluice_chunk chunk; /* lent by the gateway */
  size_t taken;              /* of it */
};

struct put_buffers {
  unsigned char plain[CRYPT_PIECE];
  unsigned char sealed[CRYPT_HEAD + CRYPT_SEALED];
};

static struct encrypt_put *put_of(struct sluice_op *op) {
  return ((struct encrypt_op *)sluice_op_state(op, sizeof(struct encrypt_op)))
      ->put;
}

static void put_free(struct encrypt_put *put) {
  crypt_free(put->crypt);
  digest_free(put->md5);
  if (put->buffers != NULL)
    digest_wipe(put->buffers->plain, sizeof put->buffers->plain);
  free(put->buffers);
  free(put);
}

/* ---- pieces ------------------------------------------------------------- */

static void encrypt_put_send_piece(struct encrypt_put *put, bool last) {
  struct put_buffers *buffers = put->buffers;
  size_t head = put->begun ? 0 : CRYPT_HEAD; /* it lies there already */
  size_t length = head + put->held + CRYPT_TAG;
  crypt_seal(put->crypt, put->index++, last, buffers->plain, put->held,
             buffers->sealed + head);
  digest_update(put->md5, buffers->sealed, length);
  put->plain += put->held;
  put->sealed += length;
  put->held = 0;
  put->begun = true;
  put->ended = last;
  put->turn = TURN_STORAGE;
  const struct sluice_chunk chunk = {
      .data = buffers->sealed, .length = length, .fd = -1, .last = last};
  sluice_ask_data(sluice_asked(put->op), &chunk);
}

/* Goes on until one of the two others has its turn. */
static void encrypt_put_pump(struct encrypt_put *put) {
  while (put->turn == TURN_GATEWAY) {
    size_t left = (size_t)put->chunk.length - put->taken;
    size_t room = CRYPT_PIECE - put->held;
    size_t count = left < room ? left : room;
    if (count > 0)
      memcpy(put->buffers->plain + put->held,
             (const char *)put->chunk.data + put->taken, count);
    put->held += count;
    put->taken += count;
    left -= count;
    if (left == 0 && put->chunk.last && !put->ended) {
      encrypt_put_send_piece(put, true);
    } else if (left > 0) {
      encrypt_put_send_piece(put, false);
    } else {
      sluice_next(put->op);
      return;
    }
  }
}

static void on_next(void *arg) {
  struct encrypt_put *put = arg;
  put->turn = TURN_GATEWAY;
  encrypt_put_pump(put);
}

static void encrypt_put_on_done(void *arg, enum sluice_status status,
                                const char *why) {
  struct encrypt_put *put = arg;
  struct sluice_op *op = put->op;
  bool too_long = put->too_long;
  put_free(put);
  if (too_long)
    encrypt_end_too_long(op);
  else
    encrypt_end(op, status, why);
}

/* The storage's word of a commit, but for the sizes. */
static void encrypt_put_on_meta(void *arg, const struct sluice_meta *sealed) {
  struct encrypt_put *put = arg;
  struct sluice_meta plain;
  encrypt_meta(sealed, &plain);
  plain.length = put->plain;
  sluice_meta(put->op, &plain);
}

/* False, and it is gone: there is no memory. */
static bool put_init(struct encrypt_put *put,
                     const struct encrypt_handle *handle) {
  if (put == NULL)
    return false;
  put->buffers = malloc(sizeof *put->buffers);
  put->md5 = digest_new(DIGEST_MD5);
  if (put->buffers != NULL)
    put->crypt = crypt_new(handle->keys, put->buffers->sealed);
  if (put->md5 != NULL && put->crypt != NULL)
    return true;
  put_free(put);
  return false;
}

void encrypt_put(void *arg, struct sluice_op *op,
                 const struct sluice_put *wanted) {
  static const struct sluice_heard heard = {
      SLUICE_HEARD, .meta = encrypt_put_on_meta, .next = on_next,
      .done = encrypt_put_on_done};
  struct encrypt_handle *handle = arg;
  struct encrypt_op *state = sluice_op_state(op, sizeof *state);
  struct encrypt_put *put = calloc(1, sizeof *put);
  struct sluice_put below = {.length = -1};
  uint64_t sealed;
  if (wanted->length >= 0 &&
      crypt_sealed_length((uint64_t)wanted->length, &sealed))
    below.length = (int64_t)sealed;
  if (!put_init(put, handle)) {
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a piece");
    return;
  }
  state->put = put;
  put->op = op;
  put->turn = TURN_STORAGE;
  sluice_ask_put(handle->store, op, &below, &heard, put);
}

void encrypt_data(void *handle, struct sluice_op *op,
                  const struct sluice_chunk *chunk) {
  struct encrypt_put *put = put_of(op);
  (void)handle;
  put->chunk = *chunk;
  put->taken = 0;
  encrypt_put_pump(put);
}

/* The digest that the storage compares is that of its own bytes. */
void encrypt_commit(void *handle, struct sluice_op *op,
                    const struct sluice_object *object) {
  struct encrypt_put *put = put_of(op);
  struct sluice_object below = *object;
  unsigned char md5[DIGEST_MD5_LEN];
  char hex[2 * DIGEST_MD5_LEN + 1], room[ENCRYPT_NAME_SIZE];
  (void)handle;
  below.key = encrypt_down(object->key, room);
  put->too_long = below.key == NULL;
  if (put->too_long) {
    sluice_ask_cancel(sluice_asked(op));
    return;
  }
  digest_final(put->md5, md5);
  codec_hex(hex, md5, sizeof md5);
  below.md5 = hex;
  below.length = put->sealed;
  sluice_ask_commit(sluice_asked(op), &below);
}

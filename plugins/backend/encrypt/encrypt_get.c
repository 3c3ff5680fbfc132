/* SPDX-License-Identifier: MIT
 *
 * A download: of a range, the pieces that it lies in are read, and each is
 * opened and checked before a byte of it is sent.  A range that begins with
 * the first piece brings the header along; for any other the header is read
 * first, and then the object is asked for once more.  So is one without bytes,
 * which nobody reads: its tag is checked before it is described.
 */
#include "encrypt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest.h"

enum phase {
  PHASE_META,   /* the storage has to describe it */
  PHASE_WAIT,   /* for read() */
  PHASE_GATHER, /* sealed bytes come */
  PHASE_FILE,   /* a thread reads them */
  PHASE_AGAIN,  /* what was to be read first is: the storage has to end, */
  PHASE_SAME,   /* and to describe the same object again */
  PHASE_LENT,   /* the gateway has plain bytes */
  PHASE_CLOSING /* all is sent, or it failed: the storage has to end */
};

struct get_buffers {
  unsigned char sealed[CRYPT_SEALED], plain[CRYPT_PIECE];
};

struct encrypt_get {
  struct sluice_op *op;
  struct encrypt_handle *handle;
  struct sluice_ask *ask; /* NULL: it is over */
  enum phase phase;
  struct crypt *crypt; /* NULL: the header isn't read yet */
  struct get_buffers *buffers;
  char *key, *etag;
  uint64_t plain, sealed; /* lengths of the object */
  uint64_t index;         /* of the piece that is gathered */
  uint64_t first, left;   /* of the plain range */
  uint64_t from, count;   /* of the sealed one */
  unsigned char head[CRYPT_HEAD];
  size_t have, want;         /* bytes of the header, or of the piece */
  struct sluice_chunk chunk; /* what is left of what the storage lent */
  bool lent;                 /* it is to be given back */
  bool canceled;             /* while a thread read */
  ssize_t was_read;
  enum sluice_status status;
  char why[128];
};

static void encrypt_get_pump(struct encrypt_get *get);

static struct encrypt_get *get_of(struct sluice_op *op) {
  return ((struct encrypt_op *)sluice_op_state(op, sizeof(struct encrypt_op)))
      ->get;
}

/* ---- the end ------------------------------------------------------------ */

static void get_free(struct encrypt_get *get) {
  crypt_free(get->crypt);
  if (get->buffers != NULL)
    digest_wipe(get->buffers->plain, sizeof get->buffers->plain);
  free(get->buffers);
  free(get->key);
  free(get->etag);
  free(get);
}

static void finish(struct encrypt_get *get) {
  struct sluice_op *op = get->op;
  enum sluice_status status = get->status;
  encrypt_end(op, status, get->why[0] == '\0' ? NULL : get->why);
  get_free(get);
}

static void note(struct encrypt_get *get, enum sluice_status status,
                 const char *why) {
  if (get->status != SLUICE_OK)
    return;
  get->status = status;
  snprintf(get->why, sizeof get->why, "%s", why == NULL ? "" : why);
}

/* Nothing more is read or sent; the end comes when the storage has ended. */
static void fail(struct encrypt_get *get, enum sluice_status status,
                 const char *why) {
  note(get, status, why);
  get->phase = PHASE_CLOSING;
  sluice_ask_cancel(get->ask);
}

/* A file isn't taken away from the thread that reads it. */
void encrypt_get_cancel(struct encrypt_get *get) {
  if (get->phase == PHASE_FILE)
    get->canceled = true;
  else
    fail(get, SLUICE_ECANCELED, NULL);
  if (get->phase == PHASE_CLOSING && get->ask == NULL)
    finish(get);
}

static void ask_again(struct encrypt_get *get);

static void encrypt_get_on_done(void *arg, enum sluice_status status,
                                const char *why) {
  struct encrypt_get *get = arg;
  bool early = get->phase != PHASE_CLOSING && get->phase != PHASE_AGAIN;
  get->ask = NULL;
  if (status != SLUICE_OK)
    note(get, status, why);
  else if (early)
    note(get, SLUICE_EUPSTREAM, "the storage ended before all bytes came");
  if (get->phase == PHASE_FILE || get->phase == PHASE_LENT)
    return; /* after_file() goes on, or encrypt_more() */
  if (get->phase == PHASE_AGAIN && get->status == SLUICE_OK)
    ask_again(get);
  else
    finish(get);
}

/* ---- what is sent ------------------------------------------------------- */

static uint64_t piece_length(const struct encrypt_get *get) {
  uint64_t at = CRYPT_HEAD + get->index * CRYPT_SEALED;
  uint64_t left = get->sealed - at;
  return left < CRYPT_SEALED ? left : CRYPT_SEALED;
}

static bool is_last(const struct encrypt_get *get) {
  return CRYPT_HEAD + get->index * CRYPT_SEALED + piece_length(get) ==
         get->sealed;
}

static void begin_piece(struct encrypt_get *get) {
  get->phase = PHASE_GATHER;
  get->have = 0;
  get->want = (size_t)piece_length(get);
}

/* The storage is given its chunk back, and the object is asked for anew. */
static void end_first(struct encrypt_get *get) {
  get->phase = PHASE_AGAIN;
  get->lent = false;
  sluice_ask_more(get->ask);
}

static void encrypt_get_send_piece(struct encrypt_get *get) {
  struct get_buffers *buffers = get->buffers;
  if (!crypt_unseal(get->crypt, get->index, is_last(get), buffers->sealed,
                    get->want, buffers->plain)) {
    fail(get, SLUICE_EUPSTREAM,
         "the object was altered, cut or put together of others");
    return;
  }
  if (get->plain == 0) {
    end_first(get);
    return;
  }
  uint64_t begin = get->index * CRYPT_PIECE;
  size_t skip = get->first > begin ? (size_t)(get->first - begin) : 0;
  size_t length = get->want - CRYPT_TAG - skip;
  if (length > get->left)
    length = (size_t)get->left;
  get->left -= length;
  get->phase = PHASE_LENT;
  const struct sluice_chunk chunk = {.data = buffers->plain + skip,
                                     .length = length,
                                     .fd = -1,
                                     .last = get->left == 0};
  sluice_send(get->op, &chunk);
}

/* ---- what comes --------------------------------------------------------- */

static unsigned char *place(struct encrypt_get *get) {
  return (get->crypt == NULL ? get->head : get->buffers->sealed) + get->have;
}

static void took(struct encrypt_get *get, size_t count) {
  get->have += count;
  get->chunk.length -= count;
  get->chunk.offset += count;
  if (get->chunk.fd == -1)
    get->chunk.data = (const char *)get->chunk.data + count;
}

static size_t takes(const struct encrypt_get *get) {
  size_t want = get->want - get->have;
  return get->chunk.length < want ? (size_t)get->chunk.length : want;
}

static void read_file(void *arg) {
  struct encrypt_get *get = arg;
  get->was_read =
      pread(get->chunk.fd, place(get), takes(get), (off_t)get->chunk.offset);
}

static void after_file(void *arg) {
  struct encrypt_get *get = arg;
  get->phase = PHASE_GATHER;
  if (get->ask == NULL || get->canceled || get->was_read <= 0) {
    fail(get, get->canceled ? SLUICE_ECANCELED : SLUICE_EUPSTREAM,
         "the object's file can't be read");
    if (get->ask == NULL)
      finish(get);
    return;
  }
  took(get, (size_t)get->was_read);
  encrypt_get_pump(get);
}

/* The next bytes; false: they aren't there yet. */
static bool gather(struct encrypt_get *get) {
  if (get->chunk.length == 0) {
    if (get->lent)
      sluice_ask_more(get->ask);
    get->lent = false;
    return false;
  }
  if (get->chunk.fd != -1) {
    get->phase = PHASE_FILE;
    sluice_work(get->handle->host, read_file, after_file, get);
    return false;
  }
  size_t count = takes(get);
  memcpy(place(get), get->chunk.data, count);
  took(get, count);
  return true;
}

static void open_head(struct encrypt_get *get) {
  const char *why;
  get->crypt = crypt_open(get->handle->keys, get->head, &why);
  if (get->crypt == NULL) {
    fail(get, SLUICE_EUPSTREAM, why);
  } else if (get->from > 0) {
    end_first(get);
  } else {
    begin_piece(get);
  }
}

static void encrypt_get_pump(struct encrypt_get *get) {
  while (get->phase == PHASE_GATHER) {
    if (get->have < get->want) {
      if (!gather(get))
        return;
    } else if (get->crypt == NULL) {
      open_head(get);
    } else {
      encrypt_get_send_piece(get);
    }
  }
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct encrypt_get *get = arg;
  get->chunk = *chunk;
  get->lent = true;
  encrypt_get_pump(get);
}

/* ---- the object --------------------------------------------------------- */

static bool is_same(const struct encrypt_get *get,
                    const struct sluice_meta *meta) {
  if (meta->length != get->sealed)
    return false;
  return meta->etag == NULL || get->etag == NULL ||
         strcmp(meta->etag, get->etag) == 0;
}

/* The sealed bytes that are read first: all, or the header. */
static void begin_first(struct encrypt_get *get, uint64_t count) {
  get->phase = PHASE_GATHER;
  get->want = CRYPT_HEAD;
  sluice_ask_read(get->ask, 0, count);
}

static void on_same(struct encrypt_get *get,
                    const struct sluice_meta *sealed) {
  struct sluice_meta plain;
  if (!is_same(get, sealed)) {
    fail(get, SLUICE_EUPSTREAM, "the object was replaced meanwhile");
  } else if (get->plain == 0) {
    encrypt_meta(sealed, &plain);
    get->phase = PHASE_WAIT;
    sluice_meta(get->op, &plain);
  } else {
    begin_piece(get);
    sluice_ask_read(get->ask, get->from, get->count);
  }
}

static void encrypt_get_on_meta(void *arg, const struct sluice_meta *sealed) {
  struct encrypt_get *get = arg;
  struct sluice_meta plain;
  if (get->phase == PHASE_SAME) {
    on_same(get, sealed);
    return;
  }
  if (!encrypt_meta(sealed, &plain)) {
    fail(get, SLUICE_EUPSTREAM, "the object isn't one that was encrypted");
    return;
  }
  get->sealed = sealed->length;
  get->plain = plain.length;
  get->etag = sealed->etag == NULL ? NULL : strdup(sealed->etag);
  if (plain.length == 0) {
    get->count = sealed->length;
    begin_first(get, get->count);
    return;
  }
  get->phase = PHASE_WAIT;
  sluice_meta(get->op, &plain);
}

static const struct sluice_heard heard = {
    SLUICE_HEARD, .meta = encrypt_get_on_meta, .chunk = on_chunk,
    .done = encrypt_get_on_done};

static void ask_again(struct encrypt_get *get) {
  const struct sluice_get below = {
      .key = get->key, .first = get->from, .count = get->count};
  get->phase = PHASE_SAME;
  get->chunk = (struct sluice_chunk){0};
  get->ask = sluice_ask_get(get->handle->store, get->op, &below, &heard, get);
}

void encrypt_get(void *arg, struct sluice_op *op,
                 const struct sluice_get *wanted) {
  struct encrypt_op *state = sluice_op_state(op, sizeof *state);
  struct encrypt_get *get = calloc(1, sizeof *get);
  struct sluice_get below = *wanted;
  char room[ENCRYPT_NAME_SIZE];
  below.key = encrypt_down(wanted->key, room);
  if (below.key == NULL) {
    free(get);
    encrypt_end_too_long(op);
    return;
  }
  if (get != NULL) {
    get->key = strdup(below.key);
    get->buffers = malloc(sizeof *get->buffers);
  }
  if (get == NULL || get->key == NULL || get->buffers == NULL) {
    if (get != NULL)
      get_free(get);
    sluice_done(op, SLUICE_ENOMEM, "no memory is left for a piece");
    return;
  }
  state->get = get;
  get->op = op;
  get->handle = arg;
  if (wanted->first >= CRYPT_PIECE)
    below.count = CRYPT_HEAD;
  else if (wanted->count < UINT64_MAX / 2)
    crypt_sealed_length((wanted->first + wanted->count + CRYPT_PIECE - 1) /
                            CRYPT_PIECE * CRYPT_PIECE,
                        &below.count);
  below.first = 0;
  get->ask = sluice_ask_get(get->handle->store, op, &below, &heard, get);
}

void encrypt_read(void *handle, struct sluice_op *op, uint64_t first,
                  uint64_t count) {
  struct encrypt_get *get = get_of(op);
  (void)handle;
  if (get->phase != PHASE_WAIT)
    return; /* it is about to end */
  if (first >= get->plain || count == 0) {
    fail(get, SLUICE_ERANGE, NULL);
    return;
  }
  get->first = first;
  get->left = count < get->plain - first ? count : get->plain - first;
  get->index = first / CRYPT_PIECE;
  uint64_t end = (first + get->left - 1) / CRYPT_PIECE + 1;
  uint64_t sealed_end = CRYPT_HEAD + end * CRYPT_SEALED;
  if (sealed_end > get->sealed)
    sealed_end = get->sealed;
  get->from = get->index == 0 ? 0 : CRYPT_HEAD + get->index * CRYPT_SEALED;
  get->count = sealed_end - get->from;
  begin_first(get, get->from == 0 ? get->count : CRYPT_HEAD);
}

void encrypt_more(void *handle, struct sluice_op *op) {
  struct encrypt_get *get = get_of(op);
  (void)handle;
  if (get->phase != PHASE_LENT)
    return;
  if (get->ask == NULL) {
    finish(get); /* the storage ended meanwhile */
    return;
  }
  if (get->left > 0) {
    get->index++;
    begin_piece(get);
    encrypt_get_pump(get);
    return;
  }
  get->phase = PHASE_CLOSING;
  if (get->lent)
    sluice_ask_more(get->ask);
  get->lent = false;
}

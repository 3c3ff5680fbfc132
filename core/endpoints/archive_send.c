/* SPDX-License-Identifier: MIT
 *
 * An archive on its way: headers, the bytes of each object as its backend
 * gives them, and their CRCs behind them.  Bytes are read and summed by a
 * thread of the pool, and the next are asked for when the client has taken
 * these, so no more than a piece of them is in memory.
 */
#include "archive.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "checksum.h"
#include "key.h"
#include "mime.h"
#include "must.h"
#include "reply.h"
#include "work.h"
#include "zip.h"

#define PIECE (256u * 1024)       /* of a file, at once */
#define ENOUGH (64u * 1024)       /* so much is sent, less waits for more */
#define HEAD_MAX (4u * 1024)      /* of a header with its name */
#define COST (2 * PIECE + 131072) /* the piece, its copy, a chunk */

enum send_state {
  SEND_IDLE,    /* the backend has to act */
  SEND_READING, /* a thread of the pool has the piece */
  SEND_UNSENT   /* the connection has `out` */
};

struct archive_send {
  struct exchange *ex; /* NULL: only the pool's thread is waited for */
  struct archive *archive;
  struct evbuffer *out;
  void (*then)(struct archive_send *); /* once that is sent */
  enum send_state state;
  size_t now;      /* the entry that is sent, or told of at the end */
  uint64_t left;   /* of its bytes, to come */
  uint64_t offset; /* of its header, at the end */
  struct zip_end end;
  struct checksum sum;
  struct sluice_chunk chunk; /* what is left of it */
  int fd;                    /* which outlives the chunk */
  size_t wanted;
  ssize_t got;
  char piece[PIECE];
};

static void next_entry(struct archive_send *send);
static void next_piece(struct archive_send *send);

static struct zip_entry entry_of(const struct archive_send *send) {
  const struct archive_entry *entry = &send->archive->entries[send->now];
  return (struct zip_entry){.name = entry->key + send->archive->strip,
                            .size = entry->size,
                            .mtime_s = entry->mtime_s,
                            .crc = entry->crc,
                            .offset = send->offset};
}

void archive_send_free(struct archive_send *send) {
  if (send == NULL)
    return;
  send->ex = NULL;
  if (send->state == SEND_READING)
    return;
  evbuffer_free(send->out);
  free(send);
}

/* ---- to the client ------------------------------------------------------ */

/* It is told each time that the output was drained, so also late. */
static void archive_send_on_drained(void *arg) {
  struct archive_send *send = arg;
  if (send->state != SEND_UNSENT || answer_unsent(send->ex->conn) > 0)
    return;
  send->state = SEND_IDLE;
  send->then(send);
}

static void archive_send_push(struct archive_send *send,
                              void (*then)(struct archive_send *)) {
  struct exchange *ex = send->ex;
  ex->bytes_out += evbuffer_get_length(send->out);
  send->then = then;
  send->state = SEND_UNSENT;
  answer_chunk(ex->conn, send->out, 0, archive_send_on_drained, send);
}

/* Goes on at once where there is too little to send. */
static void pass(struct archive_send *send,
                 void (*then)(struct archive_send *)) {
  if (evbuffer_get_length(send->out) < ENOUGH)
    then(send);
  else
    archive_send_push(send, then);
}

/* One header by `make`. */
static void add_head(struct archive_send *send,
                     bool (*make)(struct buf *, const struct zip_entry *)) {
  struct buf head;
  const struct zip_entry entry = entry_of(send);
  buf_init(&head, HEAD_MAX);
  must(make(&head, &entry));
  evbuffer_add(send->out, head.data, head.len);
  buf_fini(&head);
}

/* ---- the end ------------------------------------------------------------ */

static void archive_send_finish(struct archive_send *send) {
  answer_end(send->ex->conn); /* the exchange may be no more */
}

static void next_central(struct archive_send *send) {
  const struct archive *archive = send->archive;
  while (send->now < archive->entry_count &&
         evbuffer_get_length(send->out) < ENOUGH) {
    const struct zip_entry entry = entry_of(send);
    add_head(send, zip_central);
    send->offset +=
        zip_local_size(&entry) + entry.size + zip_descriptor_size(&entry);
    send->now++;
  }
  if (send->now < archive->entry_count) {
    archive_send_push(send, next_central);
    return;
  }
  struct buf end;
  buf_init(&end, HEAD_MAX);
  must(zip_end(&end, &send->end));
  evbuffer_add(send->out, end.data, end.len);
  buf_fini(&end);
  archive_send_push(send, archive_send_finish);
}

/* ---- an object ---------------------------------------------------------- */

static void end_entry(struct archive_send *send) {
  send->archive->entries[send->now].crc = ~send->sum.crc;
  checksum_fini(&send->sum);
  add_head(send, zip_descriptor);
  send->now++;
}

static void ask_more(struct archive_send *send) {
  exchange_watch(send->ex);
  op_more(send->ex->op);
}

static void archive_send_read_piece(void *arg) {
  struct archive_send *send = arg;
  do
    send->got =
        pread(send->fd, send->piece, send->wanted, (off_t)send->chunk.offset);
  while (send->got < 0 && errno == EINTR);
  if (send->got > 0)
    checksum_add(&send->sum, send->piece, (size_t)send->got);
}

static void archive_send_on_piece(void *arg) {
  struct archive_send *send = arg;
  send->state = SEND_IDLE;
  close(send->fd);
  if (send->ex == NULL) {
    archive_send_free(send);
    return;
  }
  if (send->got <= 0) {
    reply_break_off(send->ex, SLUICE_EIO, REPLY_UNREADABLE);
    return;
  }
  evbuffer_add(send->out, send->piece, (size_t)send->got);
  send->chunk.offset += (uint64_t)send->got;
  send->chunk.length -= (uint64_t)send->got;
  pass(send, next_piece);
}

static void next_piece(struct archive_send *send) {
  struct exchange *ex = send->ex;
  if (send->chunk.length == 0) {
    ask_more(send);
    return;
  }
  send->wanted =
      send->chunk.length < PIECE ? (size_t)send->chunk.length : (size_t)PIECE;
  send->fd = fcntl(send->chunk.fd, F_DUPFD_CLOEXEC, 0);
  if (send->fd < 0) {
    reply_abort(ex, ENDER_GATEWAY, SLUICE_ENOMEM);
    return;
  }
  send->state = SEND_READING;
  work_submit(exchange_backend(ex)->host.share, ex->gate->loop,
              archive_send_read_piece, archive_send_on_piece, send);
}

static struct archive_send *send_of(struct exchange *ex) {
  return ((struct archive *)ex->work)->send;
}

static void archive_send_on_chunk(void *arg,
                                  const struct sluice_chunk *chunk) {
  struct exchange *ex = arg;
  struct archive_send *send = send_of(ex);
  exchange_unwatch(ex);
  if (chunk->length > send->left || chunk->length == 0) {
    op_violation(exchange_backend(ex), "sluice_send",
                 "with another length than was asked for");
    reply_break_off(ex, SLUICE_EUPSTREAM,
                    "the backend sent another length than it said");
    return;
  }
  send->left -= chunk->length;
  send->chunk = *chunk;
  if (chunk->fd >= 0) {
    next_piece(send);
    return;
  }
  checksum_add(&send->sum, chunk->data, (size_t)chunk->length);
  evbuffer_add(send->out, chunk->data, (size_t)chunk->length);
  pass(send, ask_more);
}

/* Its length was promised. */
static void archive_send_on_meta(void *arg, const struct sluice_meta *meta) {
  struct exchange *ex = arg;
  const struct archive_send *send = send_of(ex);
  exchange_unwatch(ex);
  if (meta->length != send->left) {
    reply_break_off(ex, SLUICE_EUPSTREAM,
                    "an object of an archive was replaced meanwhile");
    return;
  }
  exchange_watch(ex);
  op_read(ex->op, 0, meta->length);
}

static void archive_send_on_done(void *arg, enum sluice_status status,
                                 const char *why) {
  struct exchange *ex = arg;
  struct archive_send *send = send_of(ex);
  ex->op = NULL;
  exchange_unwatch(ex);
  if (status == SLUICE_OK && send->left == 0) {
    end_entry(send);
    pass(send, next_entry);
    return;
  }
  reply_break_off(ex, status == SLUICE_OK ? SLUICE_EUPSTREAM : status,
                  why != NULL ? why : "an object of an archive is gone");
}

static void open_entry(struct archive_send *send) {
  static const struct op_events events = {.meta = archive_send_on_meta,
                                          .chunk = archive_send_on_chunk,
                                          .alive = exchange_alive,
                                          .done = archive_send_on_done};
  struct exchange *ex = send->ex;
  const struct archive_entry *entry = &send->archive->entries[send->now];
  exchange_watch(ex);
  ex->op = op_get(exchange_backend(ex),
                  &(struct sluice_get){.key = entry->key, .count = UINT64_MAX},
                  &events, ex);
}

static void begin_entry(struct archive_send *send) {
  must(checksum_init(&send->sum, CHECKSUM_CRC32)); /* takes no memory */
  send->left = send->archive->entries[send->now].size;
  add_head(send, zip_local);
}

/* There may be thousands of them behind each other. */
static void pass_empty(struct archive_send *send) {
  const struct archive *archive = send->archive;
  while (send->now < archive->entry_count &&
         archive->entries[send->now].size == 0 &&
         evbuffer_get_length(send->out) < ENOUGH) {
    begin_entry(send);
    end_entry(send);
  }
}

static void next_entry(struct archive_send *send) {
  const struct archive *archive = send->archive;
  pass_empty(send);
  if (evbuffer_get_length(send->out) >= ENOUGH) {
    archive_send_push(send, next_entry);
  } else if (send->now == archive->entry_count) {
    send->now = 0;
    send->offset = 0;
    next_central(send);
  } else {
    begin_entry(send);
    pass(send, open_entry);
  }
}

/* ---- the beginning ------------------------------------------------------ */

/* All that is sent; the end's places are known with it. */
static uint64_t measure(struct archive_send *send) {
  send->end = (struct zip_end){.count = send->archive->entry_count};
  for (send->now = 0; send->now < send->end.count; send->now++) {
    struct zip_entry entry = entry_of(send);
    send->end.size += zip_central_size(&entry);
    send->offset +=
        zip_local_size(&entry) + entry.size + zip_descriptor_size(&entry);
  }
  send->end.at = send->offset;
  send->now = 0;
  send->offset = 0;
  return send->end.at + send->end.size + zip_end_size(&send->end);
}

/* One item gives it its name. */
static void say_name(struct exchange *ex, const struct archive *archive) {
  char name[KEY_MAX + 8] = "files.zip";
  const char *text = archive->items[0].text;
  size_t len = strlen(text);
  if (len > 0 && text[len - 1] == '/')
    len--;
  if (archive->item_count == 1 && len > archive->strip) {
    len -= archive->strip;
    memcpy(name, text + archive->strip, len);
    memcpy(name + len, ".zip", sizeof ".zip");
  }
  struct buf value;
  buf_init(&value, 8 * KEY_MAX);
  mime_disposition(&value, false, name);
  if (!value.overflown)
    reply_header(ex, "Content-Disposition", value.data);
  buf_fini(&value);
}

void archive_send(struct exchange *ex) {
  struct archive *archive = ex->work;
  if (!exchange_charge(ex, COST))
    return;
  struct archive_send *send = calloc(1, sizeof *send);
  must_have(send); /* charged */
  send->out = evbuffer_new();
  must_have(send->out);
  send->ex = ex;
  send->archive = archive;
  archive->send = send;
  uint64_t length = measure(send);
  say_name(ex, archive);
  reply_header(ex, "Content-Type", "application/zip");
  reply_header(ex, "Cache-Control", "no-store");
  if (strcmp(ex->head.method, "HEAD") == 0) {
    reply_length(ex, length);
    reply_empty(ex, 200);
    return;
  }
  reply_start(ex, 200, length);
  next_entry(send);
}

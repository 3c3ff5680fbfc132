/* SPDX-License-Identifier: MIT
 *
 * Chunks in memory are sent by reference.  Those in a file go by sendfile(2)
 * on plain connections, in segments; what isn't in the page cache is read by a
 * thread of the pool first, so that no loop waits for a disk; so is what is
 * compared with its digest.
 */
#include "send.h"

#include <errno.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "codec.h"
#include "digest.h"
#include "must.h"
#include "pagecache.h"
#include "reply.h"
#include "work.h"

#define SEGMENT_FILE (1u << 20)     /* at once, by sendfile */
#define SEGMENT_MEMORY (128u << 10) /* at once, through memory: TLS */
#define LOW_WATER 65536 /* go on when so little is left in the buffer */

enum send_state {
  SEND_IDLE,    /* the backend has to send a chunk */
  SEND_READING, /* a thread of the pool reads a segment, from `fd` */
  SEND_UNSENT   /* the connection has one */
};

struct send {
  struct exchange *ex; /* NULL: only the pool's thread is waited for */
  struct evbuffer *out;
  void (*sent)(struct exchange *);
  struct sluice_chunk chunk; /* what is left of it */
  size_t segment;            /* of the file, being sent */
  char *memory;              /* SEGMENT_MEMORY, for TLS */
  ssize_t got;               /* by read_segment() */
  enum send_state state;
  size_t low;            /* bytes that may be left unsent when it goes on */
  int fd;                /* which outlives the chunk */
  struct digest *digest; /* of what was read; NULL: isn't compared */
  unsigned char md5[DIGEST_MD5_LEN]; /* that it should have */
  uint64_t unread;                   /* of the object */
};

static void send_go_on(struct send *send);

struct send *send_new(struct exchange *ex) {
  struct send *send = calloc(1, sizeof *send);
  must_have(send); /* charged with the request */
  send->ex = ex;
  send->out = evbuffer_new();
  must_have(send->out);
  /* Without this evbuffer would read the file instead of sending it. */
  evbuffer_set_flags(send->out, EVBUFFER_FLAG_DRAINS_TO_FD);
  return send;
}

void send_verify(struct send *send, const char *md5, uint64_t length) {
  if (!ingress_is_tls(send->ex->conn) ||
      !codec_unhex(send->md5, sizeof send->md5, md5))
    return;
  send->digest = digest_new(DIGEST_MD5);
  must_have(send->digest); /* charged with the request */
  send->unread = length;
}

void send_free(struct send *send) {
  if (send == NULL)
    return;
  send->ex = NULL;
  if (send->state == SEND_READING)
    return;
  evbuffer_free(send->out);
  digest_free(send->digest);
  free(send->memory);
  free(send);
}

/* It is told each time that the output was drained, so also late of what went
 * before this segment: then some of it is still there. */
static void send_on_drained(void *arg) {
  struct send *send = arg;
  if (send->state != SEND_UNSENT || answer_unsent(send->ex->conn) > send->low)
    return;
  send->state = SEND_IDLE;
  send_go_on(send);
}

/* Hands `out` over.  Only in the middle of a file may something be left
 * unsent when we go on: memory and descriptor are the backend's again after
 * sent(). */
static void send_push(struct send *send, size_t len, bool midfile) {
  struct exchange *ex = send->ex;
  send->chunk.offset += len;
  send->chunk.length -= len;
  ex->bytes_out += len;
  send->state = SEND_UNSENT;
  send->low = midfile ? LOW_WATER : 0;
  answer_chunk(ex->conn, send->out, send->low, send_on_drained, send);
}

static void push_file(struct send *send) {
  const struct sluice_chunk *chunk = &send->chunk;
  size_t len = send->segment;
  struct evbuffer_file_segment *file = evbuffer_file_segment_new(
      chunk->fd, (ev_off_t)chunk->offset, (ev_off_t)len, 0);
  if (file == NULL ||
      evbuffer_add_file_segment(send->out, file, 0, (ev_off_t)len) < 0) {
    if (file != NULL)
      evbuffer_file_segment_free(file);
    reply_abort(send->ex, ENDER_GATEWAY, SLUICE_ENOMEM);
    return;
  }
  evbuffer_file_segment_free(file);
  send_push(send, len, chunk->length > len);
}

static void push_memory(struct send *send, const void *data, size_t len) {
  evbuffer_add_reference(send->out, data, len, NULL, NULL);
  send_push(send, len, false);
}

/* Reads the segment; for sendfile only so that it is in the page cache. */
static void read_segment(void *arg) {
  struct send *send = arg;
  char scratch[65536];
  uint64_t offset = send->chunk.offset;
  size_t left = send->segment;
  if (send->memory != NULL) {
    send->got = pread(send->fd, send->memory, left, (off_t)offset);
    if (send->got > 0 && send->digest != NULL)
      digest_update(send->digest, send->memory, (size_t)send->got);
    return;
  }
  do {
    size_t len = left < sizeof scratch ? left : sizeof scratch;
    send->got = pread(send->fd, scratch, len, (off_t)offset);
    offset += len;
    left -= len;
  } while (send->got > 0 && left > 0);
}

/* As far as it was read: at the end, all of it. */
static bool is_sound(struct send *send) {
  unsigned char md5[DIGEST_MD5_LEN];
  if (send->digest == NULL)
    return true;
  send->unread -= (uint64_t)send->got;
  if (send->unread > 0)
    return true;
  digest_final(send->digest, md5);
  digest_free(send->digest);
  send->digest = NULL;
  return memcmp(md5, send->md5, sizeof md5) == 0;
}

static void push_segment(struct send *send) {
  if (send->got <= 0)
    reply_break_off(send->ex, SLUICE_EIO, REPLY_UNREADABLE);
  else if (!is_sound(send))
    reply_break_off(send->ex, SLUICE_EIO,
                    "the object's bytes aren't those that were stored");
  else if (send->memory != NULL)
    push_memory(send, send->memory, (size_t)send->got);
  else
    push_file(send);
}

static void on_segment_read(void *arg) {
  struct send *send = arg;
  send->state = SEND_IDLE;
  close(send->fd);
  if (send->ex == NULL)
    send_free(send);
  else
    push_segment(send);
}

/* Is a byte of the file in the page cache?  Where the kernel can't tell, yes:
 * waiting for a hop to the pool with every segment would cost more. */
static bool cached(int fd, uint64_t offset) {
  char byte;
  return pagecache_read(fd, &byte, 1, offset) >= 0 || errno != EAGAIN;
}

static void send_segment(struct send *send) {
  struct exchange *ex = send->ex;
  const struct sluice_chunk *chunk = &send->chunk;
  bool through_memory = ingress_is_tls(ex->conn);
  if (through_memory && send->memory == NULL) {
    send->memory = malloc(SEGMENT_MEMORY);
    must_have(send->memory); /* charged with the request */
  }
  size_t most = through_memory ? SEGMENT_MEMORY : SEGMENT_FILE;
  send->segment = chunk->length < most ? (size_t)chunk->length : most;
  bool there = send->digest == NULL && cached(chunk->fd, chunk->offset) &&
               cached(chunk->fd, chunk->offset + send->segment - 1);
  if (there && !through_memory) {
    push_file(send);
  } else if (there) {
    send->fd = chunk->fd;
    read_segment(send);
    push_segment(send);
  } else if ((send->fd = fcntl(chunk->fd, F_DUPFD_CLOEXEC, 0)) < 0) {
    reply_abort(ex, ENDER_GATEWAY, SLUICE_ENOMEM);
  } else {
    send->state = SEND_READING;
    work_submit(exchange_backend(ex)->host.share, ex->gate->loop, read_segment,
                on_segment_read, send);
  }
}

static void send_go_on(struct send *send) {
  if (send->chunk.length == 0)
    send->sent(send->ex);
  else if (send->chunk.fd >= 0)
    send_segment(send);
  else
    push_memory(send, send->chunk.data, (size_t)send->chunk.length);
}

void send_chunk(struct send *send, const struct sluice_chunk *chunk,
                void (*sent)(struct exchange *)) {
  must(chunk->length > 0);
  send->chunk = *chunk;
  send->sent = sent;
  send_go_on(send);
}

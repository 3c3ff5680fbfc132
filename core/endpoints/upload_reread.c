/* SPDX-License-Identifier: MIT
 *
 * A thread of the pool reads the file piece by piece, by a descriptor of its
 * own, as the backend may be told to end meanwhile.
 */
#include "upload_reread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "must.h"
#include "reply.h"
#include "upload.h"

#define PIECE 65536
#define PIECES 64 /* by one job */

struct reread {
  struct exchange *ex; /* NULL: gone */
  struct sums sums;    /* until it is done */
  int fd;
  int error; /* errno, or -1: the file ends early */
  uint64_t at, end;
  char piece[PIECE];
};

static void reread_free(struct reread *reread) {
  close(reread->fd);
  free(reread);
}

void upload_reread_leave(struct reread *reread) {
  if (reread != NULL)
    reread->ex = NULL;
}

bool upload_reread_due(const struct exchange *ex) {
  const struct updigest *digest = ((const struct upload *)ex->work)->digest;
  return digest != NULL && digest->field.said[SHA2_256] &&
         !digest->file.made[SHA2_256];
}

void upload_reread(struct exchange *ex) {
  struct upload *upload = ex->work;
  upload->backend = UPLOAD_REREADS;
  exchange_watch(ex);
  op_read(ex->op, 0, upload->size);
}

/* ---- in a thread -------------------------------------------------------- */

static bool upload_reread_read_piece(struct reread *reread) {
  uint64_t left = reread->end - reread->at;
  size_t len = left < PIECE ? (size_t)left : PIECE;
  ssize_t got = pread(reread->fd, reread->piece, len, (off_t)reread->at);
  if (got > 0) {
    sums_add(&reread->sums, reread->piece, (size_t)got);
    reread->at += (uint64_t)got;
  } else if (got == 0 || errno != EINTR) {
    reread->error = got == 0 ? -1 : errno;
  }
  return reread->error == 0;
}

static void read_pieces(void *arg) {
  struct reread *reread = arg;
  for (int i = 0; i < PIECES && reread->at < reread->end; i++)
    if (!upload_reread_read_piece(reread))
      return;
}

static void on_pieces(void *arg) {
  struct reread *reread = arg;
  struct exchange *ex = reread->ex;
  if (ex == NULL) {
    reread_free(reread);
    return;
  }
  struct upload *upload = ex->work;
  if (reread->error == 0 && reread->at < reread->end) {
    exchange_watch(ex);
    uploads_run(ex->gate->uploads, ex->gate->loop, read_pieces, on_pieces,
                reread);
    return;
  }
  int error = reread->error;
  upload->digest->file = reread->sums;
  upload->reread = NULL;
  reread_free(reread);
  if (error != 0)
    reply_failure(ex, SLUICE_EIO, "an upload's bytes can't be read again");
  else
    op_more(ex->op);
}

/* ---- the bytes ---------------------------------------------------------- */

static void upload_reread_start(struct exchange *ex,
                                const struct sluice_chunk *chunk) {
  struct upload *upload = ex->work;
  int fd = fcntl(chunk->fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) {
    reply_failure(ex, SLUICE_EBUSY, "no descriptor is left");
    return;
  }
  if (!exchange_charge(ex, sizeof(struct reread))) {
    close(fd);
    return;
  }
  struct reread *reread = calloc(1, sizeof *reread);
  must_have(reread); /* charged */
  upload->reread = reread;
  reread->ex = ex;
  reread->fd = fd;
  reread->at = chunk->offset;
  reread->end = chunk->offset + chunk->length;
  sums_make(&reread->sums, SHA2_256);
  uploads_run(ex->gate->uploads, ex->gate->loop, read_pieces, on_pieces,
              reread);
}

void upload_reread_on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct exchange *ex = arg;
  struct upload *upload = ex->work;
  if (chunk->length != upload->size) {
    op_violation(exchange_backend(ex), "sluice_send",
                 "with another length than was put");
    reply_failure(ex, SLUICE_EUPSTREAM,
                  "the backend gave back another length than it took");
  } else if (chunk->fd >= 0) {
    upload_reread_start(ex, chunk);
  } else { /* what a backend has in memory is small */
    sums_make(&upload->digest->file, SHA2_256);
    sums_add(&upload->digest->file, chunk->data, (size_t)chunk->length);
    op_more(ex->op);
  }
}

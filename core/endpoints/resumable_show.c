/* SPDX-License-Identifier: MIT
 *
 * An upload of several requests, read back from its stage for hooks that want
 * to see its bytes (decision 0033).  The stage stays open meanwhile: whoever
 * takes it over in between has the commit fail, so what is committed is what
 * they saw.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "must.h"
#include "reply.h"
#include "resumable.h"
#include "upload_hooks.h"

#define SHOW_PIECE UPLOAD_CHUNK

struct resumable_show {
  struct exchange *ex; /* NULL: gone */
  void (*then)(struct exchange *);
  struct sluice_op *op;
  struct sluice_chunk chunk; /* lent by the backend */
  uint64_t used;             /* bytes of it */
  uint64_t seen;             /* of all */
  bool calls;                /* hooks, in this very call */
  bool reading;              /* a thread has `piece` */
  ssize_t got;
  int error;
  char *piece; /* of SHOW_PIECE bytes; NULL: the request keeps it */
};

static void show_free(struct resumable_show *show) {
  if (show->op != NULL)
    op_leave(show->op, NULL, NULL);
  show->op = NULL;
  if (show->reading)
    return; /* the thread's end comes back to it */
  free(show->piece);
  free(show);
}

void resumable_show_leave(struct resumable *r) {
  struct resumable_show *show = r->show;
  if (show == NULL)
    return;
  r->show = NULL;
  if (!show->reading) /* a hook may have it */
    request_keep(&show->ex->request, &show->piece);
  show->ex = NULL;
  show_free(show);
}

/* Nothing more is to be seen. */
static void end_show(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  void (*then)(struct exchange *) = r->show->then;
  resumable_show_leave(r);
  exchange_unwatch(ex);
  r->state = RESUMABLE_WANTS;
  then(ex);
}

static void resumable_show_go_on(struct resumable_show *show);

static void resumable_show_on_seen(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  struct resumable_show *show = r->show;
  if (show->seen == r->upload.size || !request_wants_body(&ex->request))
    end_show(ex);
  else if (!show->calls)
    resumable_show_go_on(show);
}

/* Hooks see the piece; false: they have yet to answer, or it is over. */
static bool resumable_show_ask(struct resumable_show *show, size_t len) {
  struct exchange *ex = show->ex;
  struct resumable *r = resumable_of(ex);
  show->used += len;
  show->seen += len;
  show->calls = true;
  exchange_unwatch(ex);
  exchange_check_body(
      ex,
      &(struct sluice_chunk){.data = show->piece,
                             .length = len,
                             .fd = -1,
                             .last = show->seen == r->upload.size},
      resumable_show_on_seen);
  if (ex->work != r || r->show != show)
    return false;
  show->calls = false;
  return ex->state == EXCHANGE_WORKING;
}

/* ---- the bytes ---------------------------------------------------------- */

static size_t next_len(const struct resumable_show *show) {
  uint64_t left = show->chunk.length - show->used;
  return left < SHOW_PIECE ? (size_t)left : SHOW_PIECE;
}

static void resumable_show_read_piece(void *arg) {
  struct resumable_show *show = arg;
  do
    show->got = pread(show->chunk.fd, show->piece, next_len(show),
                      (off_t)(show->chunk.offset + show->used));
  while (show->got < 0 && errno == EINTR);
  show->error = show->got < 0 ? errno : 0;
}

static void resumable_show_on_piece(void *arg) {
  struct resumable_show *show = arg;
  show->reading = false;
  if (show->ex == NULL)
    show_free(show);
  else if (show->got <= 0)
    reply_failure(show->ex, SLUICE_EIO,
                  show->got < 0 ? strerror(show->error) : "a stage is cut");
  else if (resumable_show_ask(show, (size_t)show->got))
    resumable_show_go_on(show);
}

static void resumable_show_go_on(struct resumable_show *show) {
  struct exchange *ex = show->ex;
  while (show->used < show->chunk.length) {
    size_t len = next_len(show);
    if (show->chunk.fd >= 0) {
      show->reading = true;
      exchange_watch(ex);
      uploads_run(ex->gate->uploads, ex->gate->loop, resumable_show_read_piece,
                  resumable_show_on_piece, show);
      return;
    }
    memcpy(show->piece, (const char *)show->chunk.data + show->used, len);
    if (!resumable_show_ask(show, len))
      return;
  }
  exchange_watch(ex);
  op_more(show->op);
}

static void resumable_show_on_chunk(void *arg,
                                    const struct sluice_chunk *chunk) {
  struct resumable_show *show = arg;
  const struct resumable *r = resumable_of(show->ex);
  show->chunk = *chunk;
  show->used = 0;
  if (chunk->length > r->upload.size - show->seen)
    reply_failure(show->ex, SLUICE_EUPSTREAM, "a stage has more than it had");
  else
    resumable_show_go_on(show);
}

static void resumable_show_on_meta(void *arg, const struct sluice_meta *meta) {
  struct resumable_show *show = arg;
  if (meta->length != resumable_of(show->ex)->upload.size)
    reply_failure(show->ex, SLUICE_EUPSTREAM,
                  "a stage has another length than was saved");
  else
    op_read(show->op, 0, UINT64_MAX);
}

static void resumable_show_on_alive(void *arg) {
  struct resumable_show *show = arg;
  exchange_alive(show->ex);
}

/* All was seen before it ends, or it failed. */
static void resumable_show_on_done(void *arg, enum sluice_status status,
                                   const char *why) {
  struct resumable_show *show = arg;
  show->op = NULL;
  if (status == SLUICE_OK)
    reply_failure(show->ex, SLUICE_EUPSTREAM, "a stage gave back too little");
  else
    reply_failure(show->ex, status, why);
}

void resumable_show(struct exchange *ex, void (*then)(struct exchange *)) {
  static const struct op_events events = {.meta = resumable_show_on_meta,
                                          .chunk = resumable_show_on_chunk,
                                          .alive = resumable_show_on_alive,
                                          .done = resumable_show_on_done};
  struct resumable *r = resumable_of(ex);
  r->upload.is_bound = true;
  r->upload.length = (int64_t)r->upload.size;
  if (!request_wants_body(&ex->request)) {
    then(ex);
    return;
  }
  if (!exchange_charge(ex, sizeof(struct resumable_show) + SHOW_PIECE) ||
      !upload_hooks_tell(ex))
    return;
  struct resumable_show *show = calloc(1, sizeof *show);
  must_have(show); /* charged */
  show->piece = malloc(SHOW_PIECE);
  must_have(show->piece);
  show->ex = ex;
  show->then = then;
  r->show = show;
  r->state = RESUMABLE_SHOWING;
  if (r->upload.size == 0) {
    resumable_show_ask(show, 0);
    return;
  }
  exchange_watch(ex);
  show->op = op_stage_get(r->backend, r->stage, &events, show);
}

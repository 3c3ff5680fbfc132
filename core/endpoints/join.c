/* SPDX-License-Identifier: MIT
 *
 * Parts, one after the other: first each is opened to see how much it has,
 * then each is read.
 */
#include "join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "must.h"
#include "reply.h"

#define JOIN_PIECE UPLOAD_CHUNK

struct join_part {
  char *stage;
  uint64_t size;
};

struct join {
  const char *texts;   /* the addresses, as the head has them */
  struct exchange *ex; /* NULL: gone */
  struct op_backend *backend;
  struct join_part *parts;
  size_t count, at;
  bool found;           /* the part that is opened is complete */
  struct sluice_op *op; /* of a part */
  struct sluice_chunk chunk;
  bool has_chunk; /* lent by the backend */
  uint64_t used;  /* bytes of it */
  bool reading;   /* a thread has `piece` */
  ssize_t got;
  int error;
  char piece[JOIN_PIECE];
};

static void join_free(void *from) {
  struct join *join = from;
  join->ex = NULL;
  if (join->op != NULL)
    op_leave(join->op, NULL, NULL);
  join->op = NULL;
  if (join->reading)
    return; /* the thread's end comes back to it */
  for (size_t i = 0; i < join->count; i++)
    free(join->parts[i].stage);
  free(join->parts);
  free(join);
}

/* ---- addresses ---------------------------------------------------------- */

/* The part that an address names by its end; NULL: none of this client's. */
static char *find_part(struct exchange *ex, const char *address, size_t len) {
  const struct resumable *r = resumable_of(ex);
  struct uploadid id;
  char *text = strndup(address, len), *stage = NULL;
  must_have(text);
  const char *slash = strrchr(text, '/');
  if (slash != NULL && uploadid_read(&id, r->key, slash + 1)) {
    if (id.partial &&
        strcmp(id.texts[UPLOADID_UPLOADER], r->upload.uploader) == 0)
      stage = strdup(id.texts[UPLOADID_STAGE]);
    uploadid_fini(&id);
  }
  free(text);
  return stage;
}

/* ---- are they complete? ------------------------------------------------- */

static void check_next(struct join *join);

static void join_on_staged(void *arg, const struct sluice_staged *staged) {
  struct join *join = arg;
  struct exchange *ex = join->ex;
  int64_t length = resumable_length(staged);
  exchange_unwatch(ex);
  op_leave(join->op, NULL, NULL);
  join->op = NULL;
  if (length < 0 || (uint64_t)length != staged->offset) {
    reply_error(ex, 409, "upload_incomplete",
                "'Upload-Concat' names an upload that isn't complete");
    return;
  }
  join->parts[join->at++].size = staged->offset;
  check_next(join);
}

static void on_unstaged(void *arg, enum sluice_status status,
                        const char *why) {
  struct join *join = arg;
  join->op = NULL;
  resumable_failed(join->ex, status, why);
}

static void check_next(struct join *join) {
  static const struct op_events events = {.staged = join_on_staged,
                                          .done = on_unstaged};
  struct exchange *ex = join->ex;
  struct resumable *r = resumable_of(ex);
  if (join->at < join->count) {
    exchange_watch(ex);
    join->op =
        op_stage(join->backend,
                 &(struct sluice_stage){.id = join->parts[join->at].stage},
                 &events, join);
    return;
  }
  r->said = 0;
  for (size_t i = 0; i < join->count; i++)
    if (r->said <= (int64_t)ex->gate->settings->uploads.max_bytes)
      r->said += (int64_t)join->parts[i].size;
  resumable_create(ex);
}

void join_check(struct exchange *ex) {
  struct join *join = resumable_of(ex)->from;
  const char *texts = join->texts;
  size_t len;
  for (const char *part; (part = uploadhead_part(&texts, &len)) != NULL;) {
    char *stage = find_part(ex, part, len);
    if (stage == NULL) {
      reply_error(ex, 404, "upload_not_found",
                  "'Upload-Concat' names what is no partial upload");
      return;
    }
    join->parts[join->count++].stage = stage;
  }
  check_next(join);
}

/* ---- their bytes -------------------------------------------------------- */

static void join_next(struct join *join);

static void join_append(struct join *join, size_t len) {
  struct resumable *r = resumable_of(join->ex);
  struct upload_buffer *buffer = &r->upload.buffers[r->upload.filling];
  must(len <= buffer->room);
  memcpy(buffer->data, join->piece, len);
  buffer->len = len;
  r->upload.size += len;
  join->used += len;
  resumable_push(r);
}

static void join_read_piece(void *arg) {
  struct join *join = arg;
  uint64_t left = join->chunk.length - join->used;
  size_t len = left < sizeof join->piece ? (size_t)left : sizeof join->piece;
  do
    join->got = pread(join->chunk.fd, join->piece, len,
                      (off_t)(join->chunk.offset + join->used));
  while (join->got < 0 && errno == EINTR);
  join->error = join->got < 0 ? errno : 0;
}

static void join_on_piece(void *arg) {
  struct join *join = arg;
  join->reading = false;
  if (join->ex == NULL) {
    join_free(join);
    return;
  }
  exchange_unwatch(join->ex);
  if (join->got <= 0)
    reply_failure(join->ex, SLUICE_EIO,
                  join->got < 0 ? strerror(join->error)
                                : "a part of an upload is cut");
  else
    join_append(join, (size_t)join->got);
}

static void join_on_chunk(void *arg, const struct sluice_chunk *chunk) {
  struct join *join = arg;
  exchange_unwatch(join->ex);
  join->chunk = *chunk;
  join->has_chunk = true;
  join->used = 0;
  join_next(join);
}

static void join_on_meta(void *arg, const struct sluice_meta *meta) {
  struct join *join = arg;
  (void)meta;
  op_read(join->op, 0, UINT64_MAX);
}

static void join_on_read(void *arg, enum sluice_status status,
                         const char *why) {
  struct join *join = arg;
  join->op = NULL;
  if (status != SLUICE_OK) {
    resumable_failed(join->ex, status, why);
    return;
  }
  join->at++;
  join_next(join);
}

static void read_part(struct join *join) {
  static const struct op_events events = {
      .meta = join_on_meta, .chunk = join_on_chunk, .done = join_on_read};
  exchange_watch(join->ex);
  join->op =
      op_stage_get(join->backend, join->parts[join->at].stage, &events, join);
}

static void use_chunk(struct join *join) {
  struct exchange *ex = join->ex;
  uint64_t left = join->chunk.length - join->used;
  if (left == 0) {
    join->has_chunk = false;
    exchange_watch(ex);
    op_more(join->op);
  } else if (join->chunk.fd < 0) {
    size_t len = left < sizeof join->piece ? (size_t)left : sizeof join->piece;
    memcpy(join->piece, (const char *)join->chunk.data + join->used, len);
    join_append(join, len);
  } else {
    join->reading = true;
    exchange_watch(ex);
    uploads_run(ex->gate->uploads, ex->gate->loop, join_read_piece,
                join_on_piece, join);
  }
}

static void join_next(struct join *join) {
  struct resumable *r = resumable_of(join->ex);
  if (r->state != RESUMABLE_WANTS || r->upload.hash == UPLOAD_HASHING ||
      join->reading)
    return;
  if (join->has_chunk) {
    use_chunk(join);
  } else if (join->op == NULL && join->at < join->count) {
    read_part(join);
  } else if (join->op == NULL) {
    r->body = RESUMABLE_BODY_ENDED;
    resumable_push(r);
  }
}

static void join_go_on(struct exchange *ex) {
  join_next(resumable_of(ex)->from);
}

static void join_start(struct exchange *ex) {
  struct resumable *r = resumable_of(ex);
  struct join *join = r->from;
  if (!exchange_charge(ex, 2 * (size_t)JOIN_PIECE))
    return;
  for (size_t i = 0; i < 2; i++) {
    r->upload.buffers[i].room = JOIN_PIECE;
    r->upload.buffers[i].data = malloc(JOIN_PIECE);
    must_have(r->upload.buffers[i].data); /* charged */
  }
  join->at = 0;
  r->flush = true;
  join_next(join);
}

/* ---- the beginning ------------------------------------------------------ */

static const struct resumable_source joined = {
    .start = join_start, .go_on = join_go_on, .free = join_free};

bool join_read(struct exchange *ex, const char *parts) {
  struct resumable *r = resumable_of(ex);
  size_t room = strlen(parts) / 2 + 1;
  if (!exchange_charge(ex, sizeof(struct join) + strlen(parts) +
                               room * sizeof(struct join_part)))
    return false;
  struct join *join = calloc(1, sizeof *join);
  must_have(join);
  r->source = &joined;
  r->from = join;
  join->ex = ex;
  join->backend = exchange_backend(ex);
  join->parts = calloc(room, sizeof *join->parts);
  must_have(join->parts);
  join->texts = parts;
  return true;
}

/* SPDX-License-Identifier: MIT
 *
 * One buffer: while a thread hashes it, the body waits.
 */
#include "bodysum.h"

#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "uploads.h"

#define ROOM_MIN 1024
#define ROOM_MAX 65536

enum turn {
  GATHERS,
  HASHES,  /* a thread has the buffer, and the sums */
  ORPHANED /* so it does, and then they are freed */
};

struct bodysum {
  struct exchange *ex;
  void (*go_on)(struct exchange *);
  struct sums sums;
  enum turn turn;
  struct uploads_job job;
  size_t len, room;
  char data[];
};

struct bodysum *bodysum_new(struct exchange *ex,
                            void (*go_on)(struct exchange *)) {
  int64_t length = ex->head.chunked ? ROOM_MAX : ex->head.length;
  size_t room = length < ROOM_MIN   ? ROOM_MIN
                : length > ROOM_MAX ? ROOM_MAX
                                    : (size_t)length;
  if (!exchange_charge(ex, sizeof(struct bodysum) + room))
    return NULL;
  struct bodysum *body = calloc(1, sizeof *body + room);
  must_have(body); /* charged */
  body->ex = ex;
  body->go_on = go_on;
  body->room = room;
  return body;
}

void bodysum_free(struct bodysum *body) {
  if (body != NULL && body->turn == HASHES)
    body->turn = ORPHANED;
  else
    free(body);
}

void bodysum_make(struct bodysum *body, const struct digestfield *field) {
  sums_make_said(&body->sums, field);
}

static void bodysum_on_hashed(void *arg) {
  struct bodysum *body = arg;
  bool orphaned = body->turn == ORPHANED;
  body->turn = GATHERS;
  body->len = 0;
  if (orphaned)
    bodysum_free(body);
  else {
    exchange_hashed(body->ex);
    body->go_on(body->ex);
  }
}

static void bodysum_hash(struct bodysum *body) {
  const struct gate *gate = body->ex->gate;
  body->job =
      (struct uploads_job){.piece = {.data = body->data, .len = body->len},
                           .sums = {&body->sums},
                           .then = bodysum_on_hashed,
                           .arg = body};
  body->turn = HASHES;
  if (!uploads_hash(gate->uploads, gate->loop, &body->job)) {
    exchange_hashes(body->ex);
    return;
  }
  body->turn = GATHERS;
  body->len = 0;
}

size_t bodysum_room(struct bodysum *body) {
  if (body->turn == GATHERS && body->len == body->room)
    bodysum_hash(body);
  return body->turn == GATHERS ? body->room - body->len : 0;
}

void bodysum_add(struct bodysum *body, const void *data, size_t len) {
  must(body->turn == GATHERS && len <= body->room - body->len);
  memcpy(body->data + body->len, data, len);
  body->len += len;
}

bool bodysum_end(struct bodysum *body) {
  if (body->turn == GATHERS && body->len > 0)
    bodysum_hash(body);
  return body->turn == GATHERS;
}

const struct sums *bodysum_sums(const struct bodysum *body) {
  return &body->sums;
}

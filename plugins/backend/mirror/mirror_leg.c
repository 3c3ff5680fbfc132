/* SPDX-License-Identifier: MIT
 *
 * A leg is what one storage, which isn't the first, is asked for a change.  It
 * is asked for none of the gateway's operations, so that one that hangs holds
 * nothing but what it was lent.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mirror_write.h"

#define ROOM_STEP 16384

unsigned legs_in(const struct mirror_write *write, enum leg_state state) {
  unsigned set = 0;
  for (unsigned i = 1; i < write->handle->shared->count; i++)
    if (write->legs[i].state == state)
      set |= 1U << i;
  return set;
}

bool legs_in_flight(const struct mirror_write *write) {
  for (unsigned i = 1; i < write->handle->shared->count; i++)
    if (write->legs[i].ask != NULL || write->legs[i].carry != NULL)
      return true;
  return false;
}

/* ---- pieces ------------------------------------------------------------- */

static void piece_drop(struct piece **at, struct sluice_host *host) {
  struct piece *piece = *at;
  *at = NULL;
  if (piece == NULL || --piece->lent > 0)
    return;
  size_t size = sizeof *piece + piece->room;
  free(piece);
  sluice_memory_give(host, size);
}

/* Of nobody else, with that much room; NULL: there is no memory. */
static struct piece *piece_for(struct mirror_write *write, size_t length) {
  struct piece *piece = write->piece;
  struct sluice_host *host = write->handle->host;
  if (piece != NULL && piece->lent == 1 && piece->room >= length)
    return piece;
  piece_drop(&write->piece, host);
  size_t room = (length / ROOM_STEP + 1) * ROOM_STEP;
  if (!sluice_memory_take(host, sizeof *piece + room))
    return NULL;
  piece = malloc(sizeof *piece + room);
  if (piece == NULL) {
    sluice_memory_give(host, sizeof *piece + room);
    return NULL;
  }
  write->piece = piece;
  piece->lent = 1;
  piece->room = room;
  return piece;
}

/* ---- what it says ------------------------------------------------------- */

static void on_leg_meta(void *arg, const struct sluice_meta *meta) {
  (void)arg, (void)meta;
}

static void on_leg_next(void *arg) {
  struct leg *leg = arg;
  piece_drop(&leg->piece, leg->write->handle->host);
  leg->heard_ms = clock_ms();
  if (leg->state != LEG_ASKED)
    return;
  leg->state = LEG_READY;
  write_check(leg->write);
}

static enum leg_state after(const struct leg *leg, enum sluice_status status) {
  bool removes =
      leg->write->kind == WRITE_REMOVE || leg->write->kind == WRITE_REMOVE_IF;
  bool equal = status == SLUICE_OK || (removes && status == SLUICE_ENOENT);
  return leg->state == LEG_STORING && equal ? LEG_EQUAL : LEG_OUT;
}

static void on_leg_done(void *arg, enum sluice_status status,
                        const char *why) {
  struct leg *leg = arg;
  (void)why;
  leg->ask = NULL;
  piece_drop(&leg->piece, leg->write->handle->host);
  leg->state = after(leg, status);
  write_check(leg->write);
}

static void on_leg_alive(void *arg) {
  struct leg *leg = arg;
  leg->heard_ms = clock_ms();
  write_alive(leg->write);
}

static const struct sluice_heard leg_heard = {
    SLUICE_HEARD, .meta = on_leg_meta, .next = on_leg_next,
    .alive = on_leg_alive, .done = on_leg_done};

/* ---- copies of what the first storage has ------------------------------- */

/* A copy that is given up holds nobody up: over() may come much later. */
static void on_carried(void *arg, enum sluice_status status, const char *why) {
  struct leg *leg = arg;
  (void)why;
  if (status == SLUICE_ETIMEOUT)
    mirror_is_late(leg->write->handle->shared,
                   carry_blames_first(leg->carry) ? 0 : leg->store);
  leg->state = status == SLUICE_OK ? LEG_EQUAL : LEG_LATE;
  write_check(leg->write);
}

static void on_carry_over(void *arg) {
  struct leg *leg = arg;
  leg->carry = NULL;
  if (leg->state == LEG_LATE)
    leg->state = LEG_OUT;
  write_check(leg->write);
}

static void leg_carry(struct leg *leg) {
  static const struct carry_events events = {
      .alive = on_leg_alive, .result = on_carried, .over = on_carry_over};
  leg->carry = carry_start(leg->write->handle, leg->write->key, leg->store,
                           &events, leg);
  leg->state = leg->carry == NULL ? LEG_OUT : LEG_STORING;
}

/* ---- what it is asked --------------------------------------------------- */

/* From here on it owes an answer. */
static void leg_owes(struct leg *leg, enum leg_state state) {
  leg->state = state;
  leg->heard_ms = clock_ms();
}

void leg_start_put(struct leg *leg, int64_t length) {
  struct mirror_handle *handle = leg->write->handle;
  const struct sluice_put put = {.length = length};
  leg_owes(leg, LEG_ASKED);
  leg->ask =
      sluice_ask_put(handle->stores[leg->store], NULL, &put, &leg_heard, leg);
}

bool legs_data(struct mirror_write *write, const struct sluice_chunk *chunk) {
  if (legs_in(write, LEG_READY) == 0)
    return true;
  struct piece *piece = piece_for(write, (size_t)chunk->length);
  if (piece == NULL)
    return false;
  if (chunk->length > 0)
    memcpy(piece->bytes, chunk->data, (size_t)chunk->length);
  for (unsigned i = 1; i < write->handle->shared->count; i++) {
    struct leg *leg = &write->legs[i];
    if (leg->state != LEG_READY)
      continue;
    const struct sluice_chunk lent = {.data = piece->bytes,
                                      .length = chunk->length,
                                      .fd = -1,
                                      .last = chunk->last};
    leg_owes(leg, LEG_ASKED);
    leg->piece = piece;
    piece->lent++;
    sluice_ask_data(leg->ask, &lent);
  }
  return true;
}

/* Whatever is there is replaced: the first storage has decided. */
static void leg_commit(struct leg *leg) {
  struct sluice_object object = *leg->write->wish->of.stage.object;
  object.exclusive = false;
  object.if_match = NULL;
  leg_owes(leg, LEG_STORING);
  sluice_ask_commit(leg->ask, &object);
}

void leg_store(struct leg *leg) {
  struct mirror_handle *handle = leg->write->handle;
  switch (leg->write->kind) {
  case WRITE_PUT:
    if (leg->state == LEG_READY)
      leg_commit(leg);
    break;
  case WRITE_REMOVE:
  case WRITE_REMOVE_IF:
    leg_owes(leg, LEG_STORING);
    leg->ask = sluice_ask_remove(handle->stores[leg->store], NULL,
                                 leg->write->key, &leg_heard, leg);
    break;
  case WRITE_COPY:
  case WRITE_STAGE:
    leg_carry(leg);
    break;
  }
}

void legs_leave(struct mirror_write *write) {
  for (unsigned i = 1; i < write->handle->shared->count; i++) {
    struct leg *leg = &write->legs[i];
    if (leg->state != LEG_ASKED && leg->state != LEG_READY)
      continue;
    leg->state = LEG_LEAVING;
    sluice_ask_cancel(leg->ask);
  }
}

static void leg_drop(struct leg *leg) {
  mirror_is_late(leg->write->handle->shared, leg->store);
  leg->state = leg->state == LEG_STORING ? LEG_LATE : LEG_LEAVING;
  sluice_ask_cancel(leg->ask);
}

/* Copies have a clock of their own. */
int64_t legs_drop(struct mirror_write *write, enum leg_state state) {
  int64_t timeout_ms = write->handle->shared->conf->timeout_ms, next = 0;
  for (unsigned i = 1; i < write->handle->shared->count; i++) {
    struct leg *leg = &write->legs[i];
    if (leg->state != state || leg->ask == NULL)
      continue;
    int64_t left = timeout_ms - (int64_t)(clock_ms() - leg->heard_ms);
    if (left <= 0)
      leg_drop(leg);
    else if (next == 0 || left < next)
      next = left;
  }
  return next;
}

void legs_free(struct mirror_write *write) {
  piece_drop(&write->piece, write->handle->host);
}

/* SPDX-License-Identifier: MIT
 *
 * Gets: meta, read, chunk after chunk; every byte is compared.
 */
#include "act.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536
#define SLOW_MS 5

/* ---- bytes -------------------------------------------------------------- */

static void compare(struct act *act, uint64_t offset, const void *data,
                    size_t len) {
  for (size_t i = 0; i < act->get.wanted_count; i++)
    if ((act->matching & 1u << i) != 0 &&
        !sample_is(&act->get.wanted[i], offset, data, len))
      act->matching &= ~(1u << i);
}

/* Through pread(2), as the gateway does where it can't use sendfile(2). */
static void compare_file(struct act *act, uint64_t offset,
                         const struct sluice_chunk *chunk) {
  char *piece = malloc(PIECE);
  if (piece == NULL)
    abort();
  for (uint64_t done = 0; done < chunk->length;) {
    uint64_t left = chunk->length - done;
    ssize_t n = pread(chunk->fd, piece, left < PIECE ? (size_t)left : PIECE,
                      (off_t)(chunk->offset + done));
    lab_need(act->lab, n > 0,
             "%s: of a chunk in a file %llu bytes can't be read: %s",
             act->what, (unsigned long long)left,
             n == 0 ? "the file ends before" : strerror(errno));
    compare(act, offset + done, piece, (size_t)n);
    done += (uint64_t)n;
  }
  free(piece);
}

static void look(struct act *act, const struct sluice_chunk *chunk) {
  uint64_t offset = act->from + act->got;
  if (chunk->fd >= 0)
    compare_file(act, offset, chunk);
  else
    compare(act, offset, chunk->data, (size_t)chunk->length);
}

static void check_chunk(struct act *act, const struct sluice_chunk *chunk) {
  struct lab *lab = act->lab;
  lab_need(lab, chunk->length > 0, "%s: an empty chunk was sent", act->what);
  lab_need(lab, chunk->length <= act->want - act->got,
           "%s: more was sent than the %llu bytes that were asked for",
           act->what, (unsigned long long)act->want);
  unsigned long long now = act->got + chunk->length;
  unsigned long long from = act->from + act->got;
  bool end = now == act->want;
  lab_need(lab, chunk->last == end,
           "%s: `last` is %s after %llu of %llu bytes", act->what,
           chunk->last ? "set" : "not set", now,
           (unsigned long long)act->want);
  look(act, chunk);
  lab_need(lab, act->get.wanted_count == 0 || act->matching != 0,
           "%s: other bytes than were stored, in the chunk from %llu on",
           act->what, from);
}

/* ---- events ------------------------------------------------------------- */

static void go_on(struct act *act) {
  if (act_step(act))
    return;
  lab_enter(act->lab, "more");
  op_more(act->op);
  lab_leave(act->lab);
  act_step(act);
}

/* What was lent has to be the same until more(). */
static void look_again(evutil_socket_t fd, short what, void *arg) {
  struct act *act = arg;
  const struct sluice_chunk *chunk = &act->chunk;
  (void)fd, (void)what;
  act->got -= chunk->length;
  look(act, chunk);
  act->got += chunk->length;
  lab_need(act->lab, act->matching != 0,
           "%s: the bytes of a chunk changed before more()", act->what);
  go_on(act);
}

static void on_chunk(void *arg, const struct sluice_chunk *chunk) {
  static const struct timeval moment = {.tv_usec = SLOW_MS * 1000};
  struct act *act = arg;
  act_event(act, "sluice_send()");
  check_chunk(act, chunk);
  act->got += chunk->length;
  act->chunk = *chunk;
  if (!act->get.slow)
    go_on(act);
  else if (event_base_once(loop_base(act->lab->loop), -1, EV_TIMEOUT,
                           look_again, act, &moment) < 0)
    abort();
}

/* Only samples of the length that was told are left. */
static void match_length(struct act *act) {
  for (size_t i = 0; i < act->get.wanted_count; i++)
    if (act->get.wanted[i].length == act->meta.length)
      act->matching |= 1u << i;
  if (act->get.wanted_count > 0 && act->matching == 0)
    lab_fail(act->lab, "%s: the meta says %llu bytes, and %llu were stored",
             act->what, (unsigned long long)act->meta.length,
             (unsigned long long)act->get.wanted[0].length);
}

static void on_meta(void *arg, const struct sluice_meta *meta) {
  struct act *act = arg;
  const struct act_get *get = &act->get;
  act_on_meta(act, meta);
  match_length(act);
  if (act_step(act))
    return;
  act->from = get->other ? get->read_first : get->first;
  uint64_t count = get->other ? get->read_count : get->count;
  uint64_t rest = act->from < meta->length ? meta->length - act->from : 0;
  /* As the gateway asks, unless a check wants to know more than that. */
  if (count == 0 || (count > rest && !get->other))
    count = rest == 0 ? 1 : rest;
  /* As the gateway does: of an empty object nothing is read. */
  if (get->leave || meta->length == 0) {
    act_leave(act);
    return;
  }
  act->want = count < rest ? count : rest;
  lab_enter(act->lab, "read");
  op_read(act->op, act->from, count);
  lab_leave(act->lab);
  act_step(act);
}

static void on_done(void *arg, enum sluice_status status, const char *why) {
  struct act *act = arg;
  bool short_of = status == SLUICE_OK && act->got < act->want;
  act_on_done(arg, status, why);
  lab_need(act->lab, !short_of, "%s: done after %llu of %llu bytes", act->what,
           (unsigned long long)act->got, (unsigned long long)act->want);
}

void act_start_get(struct act *act, const struct act_get *get) {
  static const struct op_events events = {
      .meta = on_meta, .chunk = on_chunk, .done = on_done};
  act->get = *get;
  struct sluice_get lent = {.key = act_lend(act, get->key),
                            .first = get->first,
                            .count =
                                get->count == 0 ? UINT64_MAX : get->count};
  act_begin(act, "get", get->key);
  struct sluice_op *op = op_get(&act->lab->handle, &lent, &events, act);
  act_begun(act, op);
}

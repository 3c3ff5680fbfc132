/* SPDX-License-Identifier: MIT
 *
 * Gets: meta, read, chunk after chunk; every byte is compared.
 */
#include "op_driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rules.h"

#define PIECE 65536
#define SLOW_MS 5

/* ---- bytes -------------------------------------------------------------- */

static void op_driver_get_compare(struct op_driver *driver, uint64_t offset,
                                  const void *data, size_t len) {
  for (size_t i = 0; i < driver->get.wanted_count; i++)
    if ((driver->matching & 1u << i) != 0 &&
        !sample_is(&driver->get.wanted[i], offset, data, len))
      driver->matching &= ~(1u << i);
}

/* Through pread(2), as the gateway does where it can't use sendfile(2). */
static void compare_file(struct op_driver *driver, uint64_t offset,
                         const struct sluice_chunk *chunk) {
  char *piece = malloc(PIECE);
  if (piece == NULL)
    abort();
  for (uint64_t done = 0; done < chunk->length;) {
    uint64_t left = chunk->length - done;
    ssize_t n = pread(chunk->fd, piece, left < PIECE ? (size_t)left : PIECE,
                      (off_t)(chunk->offset + done));
    fixture_need_by(driver->fixture, n > 0, RULE_FILE,
                    "%s: of a chunk in a file %llu bytes can't be read: %s",
                    driver->what, (unsigned long long)left,
                    n == 0 ? "the file ends before" : strerror(errno));
    op_driver_get_compare(driver, offset + done, piece, (size_t)n);
    done += (uint64_t)n;
  }
  free(piece);
}

static void op_driver_get_look(struct op_driver *driver,
                               const struct sluice_chunk *chunk) {
  uint64_t offset = driver->from + driver->got;
  if (chunk->fd >= 0)
    compare_file(driver, offset, chunk);
  else
    op_driver_get_compare(driver, offset, chunk->data, (size_t)chunk->length);
}

static void check_chunk(struct op_driver *driver,
                        const struct sluice_chunk *chunk) {
  struct fixture *fixture = driver->fixture;
  fixture_need_by(fixture, chunk->length > 0, RULE_CHUNK,
                  "%s: an empty chunk was sent", driver->what);
  fixture_need_by(fixture, chunk->length <= driver->want - driver->got,
                  RULE_LENGTH,
                  "%s: more was sent than the %llu bytes that were asked for",
                  driver->what, (unsigned long long)driver->want);
  unsigned long long now = driver->got + chunk->length;
  unsigned long long from = driver->from + driver->got;
  bool end = now == driver->want;
  fixture_need_by(fixture, chunk->last == end, RULE_CHUNK,
                  "%s: `last` is %s after %llu of %llu bytes", driver->what,
                  chunk->last ? "set" : "not set", now,
                  (unsigned long long)driver->want);
  op_driver_get_look(driver, chunk);
  fixture_need(fixture, driver->get.wanted_count == 0 || driver->matching != 0,
               "%s: other bytes than were stored, in the chunk from %llu on",
               driver->what, from);
}

/* ---- events ------------------------------------------------------------- */

static void op_driver_get_go_on(struct op_driver *driver) {
  if (op_driver_step(driver))
    return;
  fixture_enter(driver->fixture, "more");
  op_more(driver->op);
  fixture_leave(driver->fixture);
  op_driver_step(driver);
}

/* The lent bytes have to be the same until more(). */
static void op_driver_get_look_again(evutil_socket_t fd, short what,
                                     void *arg) {
  struct op_driver *driver = arg;
  const struct sluice_chunk *chunk = &driver->chunk;
  (void)fd, (void)what;
  driver->got -= chunk->length;
  op_driver_get_look(driver, chunk);
  driver->got += chunk->length;
  fixture_need_by(driver->fixture, driver->matching != 0, RULE_LENT,
                  "%s: the bytes of a chunk changed before more()",
                  driver->what);
  op_driver_get_go_on(driver);
}

static void op_driver_get_on_chunk(void *arg,
                                   const struct sluice_chunk *chunk) {
  static const struct timeval moment = {.tv_usec = SLOW_MS * 1000};
  struct op_driver *driver = arg;
  op_driver_event(driver, "sluice_send()");
  check_chunk(driver, chunk);
  driver->got += chunk->length;
  driver->chunk = *chunk;
  if (!driver->get.slow)
    op_driver_get_go_on(driver);
  else if (event_base_once(loop_base(driver->fixture->loop), -1, EV_TIMEOUT,
                           op_driver_get_look_again, driver, &moment) < 0)
    abort();
}

/* Only samples of the length that was told are left. */
static void match_length(struct op_driver *driver) {
  for (size_t i = 0; i < driver->get.wanted_count; i++)
    if (driver->get.wanted[i].length == driver->meta.length)
      driver->matching |= 1u << i;
  if (driver->get.wanted_count > 0 && driver->matching == 0)
    fixture_fail(driver->fixture,
                 "%s: the meta says %llu bytes, and %llu were stored",
                 driver->what, (unsigned long long)driver->meta.length,
                 (unsigned long long)driver->get.wanted[0].length);
}

static void op_driver_get_on_meta(void *arg, const struct sluice_meta *meta) {
  struct op_driver *driver = arg;
  const struct op_driver_get *get = &driver->get;
  op_driver_on_meta(driver, meta);
  match_length(driver);
  if (op_driver_step(driver))
    return;
  driver->from = get->other ? get->read_first : get->first;
  uint64_t count = get->other ? get->read_count : get->count;
  uint64_t rest =
      driver->from < meta->length ? meta->length - driver->from : 0;
  /* As the gateway asks, unless a check wants to know more than that. */
  if (count == 0 || (count > rest && !get->other))
    count = rest == 0 ? 1 : rest;
  /* As the gateway does: of an empty object nothing is read. */
  if (get->leave || meta->length == 0) {
    op_driver_leave(driver);
    return;
  }
  driver->want = count < rest ? count : rest;
  fixture_enter(driver->fixture, "read");
  op_read(driver->op, driver->from, count);
  fixture_leave(driver->fixture);
  op_driver_step(driver);
}

static void op_driver_get_on_done(void *arg, enum sluice_status status,
                                  const char *why) {
  struct op_driver *driver = arg;
  bool short_of = status == SLUICE_OK && driver->got < driver->want;
  op_driver_on_done(arg, status, why);
  fixture_need_by(driver->fixture, !short_of, RULE_LENGTH,
                  "%s: done after %llu of %llu bytes", driver->what,
                  (unsigned long long)driver->got,
                  (unsigned long long)driver->want);
}

void op_driver_start_get(struct op_driver *driver,
                         const struct op_driver_get *get) {
  static const struct op_events events = {.meta = op_driver_get_on_meta,
                                          .chunk = op_driver_get_on_chunk,
                                          .alive = op_driver_on_alive,
                                          .done = op_driver_get_on_done};
  driver->get = *get;
  struct sluice_get lent = {.key = op_driver_lend(driver, get->key),
                            .first = get->first,
                            .count =
                                get->count == 0 ? UINT64_MAX : get->count};
  op_driver_begin(driver, "get", get->key);
  struct sluice_op *op =
      op_get(&driver->fixture->handle, &lent, &events, driver);
  op_driver_begun(driver, op);
}

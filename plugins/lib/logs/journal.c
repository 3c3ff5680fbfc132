/* SPDX-License-Identifier: MIT
 *
 * The loops' half of a journal.  A loop has at most one job in the lane: a
 * nudge, as what is to be written was handed over before.
 */
#include "journal.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>

#include "errmsg.h"
#include "journal_private.h"
#include "must.h"

#define RETRY_MS 250 /* until a sink that takes nothing is asked again */

struct journal_loop {
  struct journal *journal;
  struct sluice_host *host;
  struct event *timer;
  struct block *block; /* where lines are added; may be NULL */
  struct line line;    /* the one that is built, in the block */
  uint64_t dropped;    /* since the last that was added */
  bool timed;          /* the timer runs */
  bool nudged, again;  /* the lane has our job; it has to have it once more */
};

/* ---- blocks ------------------------------------------------------------- */

struct block *journal_block(struct journal *journal) {
  uint64_t room = atomic_load(&journal->room);
  do
    if (room < sizeof(struct block))
      return NULL;
  while (!atomic_compare_exchange_weak(&journal->room, &room,
                                       room - sizeof(struct block)));
  struct block *block = malloc(sizeof *block);
  if (block == NULL)
    atomic_fetch_add(&journal->room, sizeof *block);
  else
    block->len = block->done = 0;
  return block;
}

void journal_unblock(struct journal *journal, struct block *block) {
  free(block);
  atomic_fetch_add(&journal->room, sizeof *block);
}

void journal_hand(struct journal *journal, struct block *block) {
  block->next = atomic_load(&journal->handed);
  while (!atomic_compare_exchange_weak(&journal->handed, &block->next, block))
    ;
}

/* ---- the lane is told --------------------------------------------------- */

static void on_nudged(void *arg);

static void nudge(struct journal_loop *loop) {
  if (loop->block != NULL && loop->block->len > 0) {
    journal_hand(loop->journal, loop->block);
    loop->block = NULL;
  }
  loop->again = loop->nudged;
  if (loop->nudged)
    return;
  loop->nudged = true;
  sluice_lane_add(loop->journal->lane, loop->host, loop, on_nudged);
}

static void wake_in(struct journal_loop *loop, int64_t ms) {
  struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
  if (!loop->timed)
    event_add(loop->timer, &wait);
  loop->timed = true;
}

static void journal_on_timer(evutil_socket_t fd, short what, void *arg) {
  struct journal_loop *loop = arg;
  (void)fd, (void)what;
  loop->timed = false;
  nudge(loop);
}

static void add_newline(struct line *line) {
  line->room++;
  line_bytes(line, "\n", 1);
}

/* A block for further lines, which begins with what was lost before. */
static bool give_block(struct journal_loop *loop) {
  struct journal *journal = loop->journal;
  loop->block = journal_block(journal);
  if (loop->block == NULL)
    return false;
  uint64_t dropped = loop->dropped + atomic_exchange(&journal->unnoted, 0);
  loop->dropped = 0;
  if (dropped == 0)
    return true;
  struct line note = {loop->block->data, 0, LINE_SHORT_MAX - 1};
  journal->note(&note, dropped);
  add_newline(&note);
  loop->block->len = note.len;
  return true;
}

static void on_nudged(void *arg) {
  struct journal_loop *loop = arg;
  loop->nudged = false;
  if (loop->dropped > 0 && loop->block == NULL && give_block(loop))
    wake_in(loop, loop->journal->conf->delay_ms);
  if (loop->again)
    nudge(loop);
  else if (loop->dropped > 0 || atomic_load(&loop->journal->stuck))
    wake_in(loop, RETRY_MS);
}

/* ---- lines -------------------------------------------------------------- */

struct line *journal_line(struct journal_loop *loop) {
  struct block *block = loop->block;
  if (block != NULL && sizeof block->data - block->len < LINE_BYTES_MAX)
    nudge(loop);
  if (loop->block == NULL && !give_block(loop)) {
    loop->dropped++;
    atomic_fetch_add(&loop->journal->dropped, 1);
    wake_in(loop, RETRY_MS);
    return NULL;
  }
  block = loop->block;
  loop->line = (struct line){block->data + block->len, 0, LINE_BYTES_MAX - 1};
  return &loop->line;
}

void journal_add(struct journal_loop *loop) {
  add_newline(&loop->line);
  loop->block->len += loop->line.len;
  if (loop->journal->conf->delay_ms == 0)
    nudge(loop);
  else
    wake_in(loop, loop->journal->conf->delay_ms);
}

void journal_reload(struct journal_loop *loop) {
  atomic_store(&loop->journal->reopen, true);
  nudge(loop);
}

/* ---- life --------------------------------------------------------------- */

static bool journal_check(const struct journal_conf *conf,
                          struct sluice_host *host) {
  if (conf->buffer < JOURNAL_BUFFER_MIN || conf->buffer > JOURNAL_BUFFER_MAX) {
    sluice_fail(host,
                "buffer: %" PRIu64 " bytes is out of range; write "
                "256KiB to 1GiB",
                conf->buffer);
    return false;
  }
  if (conf->delay_ms >= 0 && conf->delay_ms <= JOURNAL_DELAY_MAX)
    return true;
  sluice_fail(host, "delay: %" PRId64 "ms is out of range; write 0 to 10s",
              conf->delay_ms);
  return false;
}

struct journal *journal_start(const struct journal_conf *conf,
                              struct sluice_host *host, journal_note *note) {
  struct errmsg err;
  if (!journal_check(conf, host))
    return NULL;
  struct sink *sink = sink_new(&conf->sink, &err);
  if (sink == NULL) {
    sluice_fail(host, "%s", err.text);
    return NULL;
  }
  struct journal *journal = calloc(1, sizeof *journal);
  struct sluice_lane *lane =
      journal == NULL ? NULL : sluice_lane_new(host, journal_run, journal);
  if (lane == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    sink_free(sink);
    free(journal);
    return NULL;
  }
  journal->conf = conf;
  journal->host = host;
  journal->lane = lane;
  journal->sink = sink;
  journal->note = note;
  journal->end = &journal->first;
  atomic_init(&journal->room, conf->buffer);
  return journal;
}

void journal_stop(struct journal *journal) {
  journal_finish(journal);
  sluice_lane_free(journal->lane);
  sink_free(journal->sink);
  free(journal);
}

struct journal_loop *journal_open(struct journal *journal,
                                  struct sluice_host *host) {
  struct journal_loop *loop = calloc(1, sizeof *loop);
  if (loop != NULL)
    loop->timer = evtimer_new(sluice_loop(host), journal_on_timer, loop);
  if (loop == NULL || loop->timer == NULL) {
    sluice_fail(host, "there is no memory; lower limits.memory");
    free(loop);
    return NULL;
  }
  loop->journal = journal;
  loop->host = host;
  return loop;
}

/* Nothing runs on the loop any more, so the rest is for stop(). */
void journal_close(struct journal_loop *loop) {
  must(!loop->nudged);
  event_free(loop->timer);
  if (loop->block != NULL)
    journal_hand(loop->journal, loop->block);
  atomic_fetch_add(&loop->journal->unnoted, loop->dropped);
  free(loop);
}

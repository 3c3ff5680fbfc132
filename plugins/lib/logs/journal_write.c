/* SPDX-License-Identifier: MIT
 *
 * The lane's half of a journal: blocks written in the order in which each loop
 * handed them over.  What the sink doesn't take stays first in line, so that
 * no line is lost, doubled or torn while there is room for those behind it.
 */
#include "journal_private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "date.h"

#define TOLD_MS 1000 /* between two reports of dropped lines */
#define LAST_MS 3000 /* for what is left at the end, without progress */
#define LAST_TRIES 500

/* The stack of what was handed over, turned around. */
static void take_handed(struct journal *journal) {
  struct block *block = atomic_exchange(&journal->handed, NULL);
  struct block *turned = NULL;
  struct block **end = block == NULL ? journal->end : &block->next;
  while (block != NULL) {
    struct block *next = block->next;
    block->next = turned;
    turned = block;
    block = next;
  }
  *journal->end = turned;
  journal->end = end;
}

/* Of a block that was written by half, the line in the middle goes to the new
 * file as a whole. */
static void reopen(struct journal *journal) {
  struct errmsg err;
  struct block *block = journal->first;
  bool moved = false;
  if (!sink_reopen(journal->sink, &moved, &err)) {
    sluice_log(journal->host, SLUICE_LOG_ERROR, "%s; the old one is used",
               err.text);
    return;
  }
  while (moved && block != NULL && block->done > 0 &&
         block->data[block->done - 1] != '\n')
    block->done--;
}

/* 0 when everything is written, or why it isn't. */
static int write_blocks(struct journal *journal) {
  int error = 0;
  while (journal->first != NULL) {
    struct block *block = journal->first;
    block->done += sink_write(journal->sink, block->data + block->done,
                              block->len - block->done, &error);
    if (block->done < block->len)
      return error;
    journal->first = block->next;
    if (journal->first == NULL)
      journal->end = &journal->first;
    journal_unblock(journal, block);
  }
  return 0;
}

static void tell_dropped(struct journal *journal, uint64_t dropped) {
  sluice_log(journal->host, SLUICE_LOG_WARN,
             "%" PRIu64 " lines were dropped: the log takes them too slowly; "
             "raise buffer, or choose a faster disk",
             dropped - journal->told);
  journal->told = dropped;
  journal->told_ms = date_now_ms();
}

/* A fault is told once, and once that it is over. */
static void journal_write_tell(struct journal *journal, int error) {
  uint64_t dropped = atomic_load(&journal->dropped);
  if (error == EAGAIN || error == EWOULDBLOCK)
    return;
  if (error != 0 && error != journal->error)
    sluice_log(journal->host, SLUICE_LOG_ERROR,
               "the log can't be written: %s; lines wait as far as buffer "
               "allows",
               strerror(error));
  if (error == 0 && journal->error != 0)
    sluice_log(journal->host, SLUICE_LOG_INFO, "the log is written again");
  journal->error = error;
  if (error == 0 && dropped != journal->told &&
      date_now_ms() - journal->told_ms >= TOLD_MS)
    tell_dropped(journal, dropped);
}

void journal_run(void *arg, void **jobs, size_t count) {
  struct journal *journal = arg;
  (void)jobs, (void)count;
  take_handed(journal);
  if (atomic_exchange(&journal->reopen, false))
    reopen(journal);
  int error = write_blocks(journal);
  atomic_store(&journal->stuck, error != 0);
  journal_write_tell(journal, error);
}

/* ---- the end ------------------------------------------------------------ */

static void add_note(struct journal *journal) {
  uint64_t dropped = atomic_load(&journal->unnoted);
  struct block *block = dropped == 0 ? NULL : journal_block(journal);
  if (block == NULL)
    return;
  struct line note = {block->data, 0, LINE_SHORT_MAX};
  journal->note(&note, dropped);
  line_bytes(&note, "\n", 1);
  block->len = note.len;
  journal_hand(journal, block);
  take_handed(journal);
}

static uint64_t drop_blocks(struct journal *journal) {
  uint64_t lines = 0;
  while (journal->first != NULL) {
    struct block *block = journal->first;
    for (size_t at = block->done; at < block->len; at++)
      lines += block->data[at] == '\n';
    journal->first = block->next;
    journal_unblock(journal, block);
  }
  return lines;
}

/* Somebody may still be reading, or make room. */
void journal_finish(struct journal *journal) {
  const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
  int64_t until = date_now_ms() + LAST_MS;
  int error;
  take_handed(journal);
  add_note(journal);
  for (unsigned i = 0; (error = write_blocks(journal)) != 0; i++) {
    if (i == LAST_TRIES || date_now_ms() > until)
      break;
    nanosleep(&pause, NULL);
  }
  journal_write_tell(journal, error);
  uint64_t lines = drop_blocks(journal);
  if (atomic_load(&journal->dropped) != journal->told)
    tell_dropped(journal, atomic_load(&journal->dropped));
  if (lines > 0)
    sluice_log(journal->host, SLUICE_LOG_ERROR,
               "%" PRIu64 " lines are lost: %s", lines, strerror(error));
}

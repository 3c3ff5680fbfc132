/* SPDX-License-Identifier: MIT
 *
 * The events that wait, in an SQLite database in WAL mode that this process
 * has for itself.  Used by one thread at a time: by the lane, or before and
 * after there is one.
 *
 * Of each key only the first event is `ready`; the next one becomes it when
 * that is removed.
 */
#ifndef EVENTS_QUEUE_H
#define EVENTS_QUEUE_H

#include <stdint.h>

#include "errmsg.h"

#define QUEUE_FILE "events.db"
#define QUEUE_BODY_MAX 65536
#define QUEUE_PAGE_MAX 64
#define QUEUE_ID_LEN 32

struct queue;

struct queue_item { /* to be stored */
  char id[QUEUE_ID_LEN + 1];
  const char *key, *body;
  size_t len; /* of body */
  int64_t created_ms;
};

struct queue_event { /* that was */
  int64_t number;
  char id[QUEUE_ID_LEN + 1];
  int64_t created_ms, attempts;
  char *body; /* owned */
  size_t len;
};

struct queue_result { /* what became of one */
  int64_t number;
  bool over; /* it is removed; else it is due again */
  int64_t due_ms, attempts;
};

struct queue_page {
  int64_t now_ms;
  size_t room; /* at most QUEUE_PAGE_MAX */
  size_t held_count;
  int64_t held[QUEUE_PAGE_MAX]; /* numbers of those that aren't wanted */
  size_t count;                 /* what came: */
  struct queue_event events[QUEUE_PAGE_MAX];
  int64_t next_ms; /* when another one is due; 0: none will be */
};

/* NULL and why.  The directory is made when it isn't there. */
struct queue *queue_open(const char *directory, int64_t now_ms,
                         struct errmsg *);
void queue_close(struct queue *);
int64_t queue_count(struct queue *); /* of events; -1: it can't be read */

/* All of it in one transaction that is durable when it returns, or nothing of
 * it, and why. */
bool queue_change(struct queue *, struct queue_item *const *items,
                  size_t item_count, const struct queue_result *results,
                  size_t result_count, struct errmsg *);
/* The events that are due and first of their keys, those that wait longest
 * first.  False and why: nothing came. */
bool queue_load(struct queue *, struct queue_page *, struct errmsg *);

#endif

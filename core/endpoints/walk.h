/* SPDX-License-Identifier: MIT
 *
 * A walk through what the gateway keeps in a folder of a backend, again and
 * again: a page is listed, some of its entries are chosen, and something is
 * done with each of those, a few at a time; then it rests.  What can't be done
 * with one is told of and tried again later, and holds up none behind it; the
 * storage ends each operation some time, and a page waits for that.
 * Its kind says what is looked at, chosen and done.  All of it on one loop.
 */
#ifndef ENDPOINTS_WALK_H
#define ENDPOINTS_WALK_H

#include "op.h"

#define WALK_AT_ONCE 4 /* entries of a page */

struct walk;
struct walk_task;

enum walk_choice {
  WALK_PASSES,
  WALK_TAKES,
  WALK_STOPS /* here: it passes all behind it, too */
};

enum walk_rest {
  WALK_BEGINS,
  WALK_PAGE_ENDS, /* more follow */
  WALK_ROUND_ENDS,
  WALK_FINDS_NOTHING, /* in the whole folder */
  WALK_FAILS
};

struct walk_kind {
  const char *folder;        /* the keys of its entries begin with that */
  const char *failure;       /* a sentence without its end: nothing is found */
  enum sluice_status untold; /* a failure that isn't worth a line */
  unsigned page;             /* entries, at most */
  size_t size, task_size;    /* a kind's own begin with the common part */
  /* How long a look that is due is put off, in ms; NULL: never. */
  int64_t (*wait)(struct walk *);
  /* NULL: a page is listed.  The walk is the argument of its events. */
  struct sluice_op *(*look)(struct walk *, const struct op_events *);
  enum walk_choice (*choose)(struct walk *, const struct op_entry *);
  /* Ends in walk_done(), but not before it returns. */
  void (*start)(struct walk_task *);
  int64_t (*pause)(struct walk *, enum walk_rest); /* in ms */
};

struct walk_entry {
  char *key, *etag; /* the latter NULL: it has none */
  int64_t mtime_ms;
};

/* Something is done with one entry. */
struct walk_task {
  struct walk *walk;
  const struct walk_entry *entry; /* NULL: it is free */
  const char *key;      /* that a failure names: at first the entry's */
  struct sluice_op *op; /* canceled when the walk is stopped */
};

struct walk {
  const struct walk_kind *kind;
  struct op_backend *backend;
  const void *of;  /* the kind's: its gate, */
  size_t index;    /* and which of its backends that is */
  uint64_t failed; /* entries, since it began */

  /* ---- private ---- */

  struct loop_debt *debt;
  struct event *timer;
  struct sluice_op *op; /* the list */
  char *token;          /* of the next page; NULL: from the start */
  struct walk_entry *entries;
  size_t count, at;
  char *tasks; /* WALK_AT_ONCE of them */
  size_t busy;
  unsigned failures; /* in a row */
  char *passed;      /* entries up to this one failed; NULL: none */
  bool broken;       /* the round ends when nothing is under way */
  bool stopped;
};

/* It begins after the first pause.  Each step is owed to the debt.  NULL: no
 * memory. */
struct walk *walk_new(const struct walk_kind *, struct op_backend *,
                      struct loop_debt *, const void *of, size_t index);
/* No entry and no page begins any more, and each task's operation is canceled.
 */
void walk_stop(struct walk *);
/* Once the debt is paid.  NULL: nothing. */
void walk_free(struct walk *);

/* Nothing, or something else, is there by now: also good. */
bool walk_is_gone(enum sluice_status);
/* As just that one, where the backend can compare and an ETag is given; else
 * whatever is there.  NULL as events: it is the last thing to do. */
void walk_remove(struct walk_task *, const struct sluice_removal *,
                 const struct op_events *);
/* The last call of a task, for whatever reason. */
void walk_done(struct walk_task *, enum sluice_status, const char *why);

#endif

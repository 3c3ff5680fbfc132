/* SPDX-License-Identifier: MIT
 *
 * The surroundings of a check: the plugin, started and opened on a loop of its
 * own, in a process of its own.  A check that fails ends the process, so that
 * it can be written straight down; suite.c reads its words.
 */
#ifndef CHECK_FIXTURE_H
#define CHECK_FIXTURE_H

#include "breach.h"
#include "key.h"
#include "op.h"
#include "request.h"
#include "subject.h"

#define FIXTURE_BLOCK_MS 250 /* how long a call may keep its loop waiting */

/* For all checks. */
struct fixture_plan {
  struct subject *subject;
  const char *spool; /* a folder */
  char prefix[48];   /* what every key begins with */
  int64_t patience_ms;
  uint64_t large;     /* bytes of the largest object */
  unsigned rounds;    /* of what is repeated to find leaks */
  const char *header; /* a line that says who is allowed, or NULL */
  bool one_loop;      /* all that the plugin serves */
};

struct fixture {
  const struct fixture_plan *plan;
  const struct sluice_backend *backend; /* the one that is checked, or NULL */
  const struct sluice_hook *hook;
  int words;       /* a descriptor: to it the process writes its words */
  unsigned number; /* of the check: a part of its keys */
  /* Lent memory is spoiled as soon as that is allowed. */
  bool poison_texts, poison_chunks;
  bool second; /* beside another one, in a thread */
  struct work_pool *pool;
  void *instance;
  struct sluice_host host; /* of start() */
  struct breach_watch watch;
  struct loop *loop;
  struct op_backend handle;        /* on the loop */
  struct request_hook hook_handle; /* the same of a hook */
  const char *inside;              /* the entry that is running, or NULL */
  int64_t since_us;
  long slept, ousted; /* how often this thread was, before the call */
};

struct fixture_key {
  char text[KEY_MAX + 128];
};

void fixture_init(struct fixture *, const struct fixture_plan *, int words,
                  unsigned number);
/* start(), then open() on a new loop; what is refused fails the check. */
void fixture_start(struct fixture *);
void fixture_open(struct fixture *);
/* open() alone, on the fixture's loop: NULL when it is refused. */
void *fixture_open_on(struct fixture *, struct sluice_host *);
/* Both also let the loop end, as the gateway does. */
void fixture_close(struct fixture *);
void fixture_stop(struct fixture *);
/* The same plugin on one more loop, of the calling thread. */
void fixture_open_second(struct fixture *, const struct fixture *first);

/* The check has failed, or is none for this plugin: ends the process. */
_Noreturn void fixture_fail(struct fixture *, const char *fmt, ...)
    SLUICE_PRINTF(2, 3);
_Noreturn void fixture_skip(struct fixture *, const char *fmt, ...)
    SLUICE_PRINTF(2, 3);
/* Fails unless it is true. */
void fixture_need(struct fixture *, bool, const char *fmt, ...)
    SLUICE_PRINTF(3, 4);
/* A rule of its own is broken, whatever this check is about. */
void fixture_report(struct fixture *, const char *rule, const char *fmt, ...)
    SLUICE_PRINTF(3, 4);

/* Around each call of the plugin on its loop: `entry` for messages. */
void fixture_enter(struct fixture *, const char *entry);
void fixture_leave(struct fixture *);

/* Runs the loop until it is true; false: not in time. */
bool fixture_until(struct fixture *, const bool *flag);
/* Runs the loop for a moment, as something shouldn't happen in it. */
void fixture_idle(struct fixture *, int64_t ms);

/* prefix/number/name: a key of this check's own. */
struct fixture_key fixture_key(const struct fixture *, const char *name);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Where a check works: the plugin started and opened on a loop of its own, in
 * a process of its own.  Who fails there ends the process, so that a check can
 * be written straight down; its words are read by suite.c.
 */
#ifndef CHECK_LAB_H
#define CHECK_LAB_H

#include "breach.h"
#include "key.h"
#include "op.h"
#include "request.h"
#include "subject.h"

#define LAB_BLOCK_MS 250 /* how long a call may keep its loop waiting */

/* For all checks. */
struct lab_plan {
  struct subject *subject;
  const char *spool; /* a folder */
  char prefix[48];   /* what every key begins with */
  int64_t patience_ms;
  uint64_t large;     /* bytes of the largest object */
  unsigned rounds;    /* of what is repeated to find leaks */
  const char *header; /* a line that says who is allowed, or NULL */
  bool one_loop;      /* all that the plugin serves */
};

struct lab {
  const struct lab_plan *plan;
  const struct sluice_backend *backend; /* the one that is checked, or NULL */
  const struct sluice_hook *hook;
  int words;       /* a descriptor: what the process has to say */
  unsigned number; /* of the check: a part of its keys */
  /* What was lent is spoiled as soon as that is allowed. */
  bool poison_texts, poison_chunks;
  bool second; /* beside another one, in a thread */
  struct work_pool *pool;
  void *instance;
  struct sluice_host host; /* of start() */
  struct breach_watch watch;
  struct loop *loop;
  struct op_backend handle; /* on the loop */
  struct request_hook ask;  /* the same of a hook */
  const char *inside;       /* the entry that is running, or NULL */
  int64_t since_us;
  long slept, ousted; /* how often this thread was, before the call */
};

struct lab_key {
  char text[KEY_MAX + 128];
};

void lab_init(struct lab *, const struct lab_plan *, int words,
              unsigned number);
/* start(), then open() on a new loop; what is refused fails the check. */
void lab_start(struct lab *);
void lab_open(struct lab *);
/* open() alone, on the lab's loop: NULL when it is refused. */
void *lab_open_on(struct lab *, struct sluice_host *);
/* Both also let the loop end, as the gateway does. */
void lab_close(struct lab *);
void lab_stop(struct lab *);
/* The same plugin on one more loop, of the calling thread. */
void lab_open_second(struct lab *, const struct lab *first);

/* The check has failed, or is none for this plugin: ends the process. */
_Noreturn void lab_fail(struct lab *, const char *fmt, ...)
    SLUICE_PRINTF(2, 3);
_Noreturn void lab_skip(struct lab *, const char *fmt, ...)
    SLUICE_PRINTF(2, 3);
/* Fails unless it is true. */
void lab_need(struct lab *, bool, const char *fmt, ...) SLUICE_PRINTF(3, 4);
/* A rule of its own is broken, whatever this check is about. */
void lab_breach(struct lab *, const char *rule, const char *fmt, ...)
    SLUICE_PRINTF(3, 4);

/* Around each call of the plugin on its loop: `entry` for messages. */
void lab_enter(struct lab *, const char *entry);
void lab_leave(struct lab *);

/* Runs the loop until it is true; false: not in time. */
bool lab_until(struct lab *, const bool *flag);
/* Runs the loop for a moment, for what shouldn't happen. */
void lab_idle(struct lab *, int64_t ms);

/* prefix/number/name: a key of this check's own. */
struct lab_key lab_key(const struct lab *, const char *name);

#endif

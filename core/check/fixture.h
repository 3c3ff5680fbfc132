/* SPDX-License-Identifier: MIT
 *
 * The surroundings of a check: the plugin, started and opened on a loop of its
 * own, in a process of its own.  A check that fails ends the process, so that
 * it can be written straight down; suite.c reads its words.
 */
#ifndef CHECK_FIXTURE_H
#define CHECK_FIXTURE_H

#include <stdatomic.h>

#include "violation.h"
#include "call_clock.h"
#include "floors.h"
#include "key.h"
#include "meter.h"
#include "op.h"
#include "request.h"
#include "subject.h"

/* A call may not keep its loop waiting for so long, nor may some calls for the
 * plan's block_ms. */
#define FIXTURE_BLOCK_MS 250
#define FIXTURE_BLOCKS 3        /* so many of them, and */
#define FIXTURE_BLOCKS_SHARE 50 /* one in so many calls of a check */

/* For all checks. */
struct fixture_plan {
  struct subject *subject;
  const struct floors_plan *floors; /* below it */
  const char *spool;                /* a folder */
  char prefix[48];                  /* what every key begins with */
  int64_t patience_ms;
  uint64_t large;        /* bytes of the largest object */
  unsigned rounds;       /* of what is repeated to find leaks */
  const char *header;    /* a line that says who is allowed, or NULL */
  bool one_loop;         /* all that the plugin serves */
  int64_t block_ms;      /* that a call may sleep; see FIXTURE_BLOCKS */
  const char *down, *up; /* commands for the storage, or NULL */
  bool no_fork;          /* for a debugger: no process of its own, no alarm */
};

/* Seen by the process that waits for the check, too. */
struct fixture_progress {
  _Atomic uint64_t words; /* of the plugin */
  /* The entry that is running, or NULL; both processes have its text. */
  const char *_Atomic inside;
};

struct fixture {
  const struct fixture_plan *plan;
  /* The one that is checked, or NULL; of a layer, all that it offers. */
  const struct sluice_backend *backend;
  const struct sluice_hook *hook;
  int words;       /* a descriptor: to it the process writes its words */
  unsigned number; /* of the check: a part of its keys */
  /* Lent memory is spoiled as soon as that is allowed. */
  bool poison_texts, poison_chunks;
  bool second; /* beside another one, in a thread */
  struct work_pool *pool;
  void *instance;
  struct sluice_host host; /* of start() */
  struct violation_watch watch;
  struct meter *meter; /* of what it counts */
  struct loop *loop;
  struct op_backend handle;        /* on the loop */
  struct floor floors[FLOORS_MAX]; /* below it */
  struct sluice_store start_store, store;
  struct op_layer on_loop;
  struct request_hook hook_handle; /* the same of a hook */
  struct fixture_progress *progress;
  const char *inside; /* the entry that is running, or NULL */
  struct call_clock clock;
  unsigned calls, blocks;     /* of the plugin; that slept */
  int64_t blocked_us;         /* all that they slept */
  bool blocking;              /* it was reported */
  bool violated;              /* something was */
  int64_t heard_us, moved_us; /* its last word; its last step */
};

struct fixture_key {
  char text[KEY_MAX + 128];
};

/* `words` is -1 without a process of its own: then they are printed. */
void fixture_init(struct fixture *, const struct fixture_plan *,
                  struct fixture_progress *, int words, unsigned number);
/* start(), then open() on a new loop; a refusal fails the check. */
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
/* The same by another rule than the check's (rules.h). */
_Noreturn void fixture_fail_by(struct fixture *, const char *rule,
                               const char *fmt, ...) SLUICE_PRINTF(3, 4);
void fixture_need_by(struct fixture *, bool, const char *rule, const char *fmt,
                     ...) SLUICE_PRINTF(4, 5);
/* The plugin's patience is over: the run has less from then on. */
_Noreturn void fixture_fail_late(struct fixture *, const char *rule,
                                 const char *fmt, ...) SLUICE_PRINTF(3, 4);
/* A rule that has a line of its own is broken; the check goes on. */
void fixture_report(struct fixture *, const char *name, const char *fmt, ...)
    SLUICE_PRINTF(3, 4);
/* The check is through. */
_Noreturn void fixture_pass(struct fixture *);

/* Bits of enum sluice_ability. */
unsigned fixture_can(const struct fixture *);

/* Around each call of the plugin on its loop: `entry` for messages. */
void fixture_enter(struct fixture *, const char *entry);
void fixture_leave(struct fixture *);

/* The plugin said something: its patience begins anew.  `moved`: and that was
 * a step, not only that it is alive. */
void fixture_heard(struct fixture *, bool moved);
/* Runs the loop until it is true; false: nothing was heard for too long. */
bool fixture_until(struct fixture *, const bool *flag);
/* Runs the loop for a moment, as something shouldn't happen in it. */
void fixture_idle(struct fixture *, int64_t ms);

/* prefix/number/name: a key of this check's own. */
struct fixture_key fixture_key(const struct fixture *, const char *name);

#endif

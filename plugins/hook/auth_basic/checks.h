/* SPDX-License-Identifier: MIT
 *
 * Passwords that are being checked for one loop: one at a time by a thread of
 * the pool.  The others wait, each client's in a line of its own, and the
 * lines take turns: many passwords of one client delay another's by no more
 * than the one at work.
 *
 * All lines together have a bounded length.  When they are full, who waits in
 * the longest line gives way to a client that has fewer there.
 */
#ifndef AUTH_BASIC_CHECKS_H
#define AUTH_BASIC_CHECKS_H

#include <sluice/plugin.h>
#include <sys/queue.h>

#include "digest.h"

struct checks;

enum checks_result {
  CHECKS_RIGHT,
  CHECKS_WRONG,
  CHECKS_BUSY,  /* not checked: too many wait, or there is no memory */
  CHECKS_BARRED /* not checked: may() said so */
};

struct checks_waiter { /* in memory of whoever waits */
  TAILQ_ENTRY(checks_waiter) in_line;
  void (*then)(struct checks_waiter *, enum checks_result);
};

struct checks_question {
  /* Stands for the hash, the password and the user. */
  unsigned char key[DIGEST_SHA256_LEN];
  uint64_t client; /* whose line it waits in */
  uint64_t who;    /* for may() and done() */
  const char *hash, *password;
  bool decoy; /* there is no such user: it costs the same, and isn't right */
};

struct checks_calls {
  /* Before a password is checked, when its turn has come. */
  bool (*may)(void *arg, uint64_t who);
  /* After it was checked, before those that wait for it. */
  void (*done)(void *arg, const struct checks_question *, bool right);
};

/* 1 or more passwords in all; NULL: no memory.  `calls` is lent until
 * checks_free(). */
struct checks *checks_new(struct sluice_host *, size_t max,
                          const struct checks_calls *calls, void *arg);
void checks_free(struct checks *); /* nothing is asked any more */
/* then() comes later, never within.  Whoever asks what the client asks already
 * waits with that.  False, as CHECKS_BUSY: there is no room, or no memory. */
bool checks_ask(struct checks *, const struct checks_question *,
                struct checks_waiter *);

#endif

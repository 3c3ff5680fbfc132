/* SPDX-License-Identifier: MIT
 *
 * Passwords that are being checked for one loop: one at a time by a thread of
 * the pool, the others in a line of bounded length.  Who asks for what is
 * asked already waits with those.
 */
#ifndef AUTH_BASIC_CHECKS_H
#define AUTH_BASIC_CHECKS_H

#include <sluice/plugin.h>
#include <sys/queue.h>

#include "digest.h"

struct checks;

struct checks_waiter { /* in memory of whoever waits */
  TAILQ_ENTRY(checks_waiter) in_line;
  void (*then)(struct checks_waiter *, bool good);
};

struct checks_question {
  /* Stands for all three of the others, and the user. */
  unsigned char key[DIGEST_SHA256_LEN];
  const char *hash, *password;
  bool decoy; /* there is no such user: it costs the same, and isn't good */
};

/* `done` hears of each answer, before those that wait for it. */
struct checks *checks_new(struct sluice_host *, size_t max,
                          void (*done)(void *arg, const unsigned char *key,
                                       bool good),
                          void *arg);
void checks_free(struct checks *); /* nothing is asked any more */
/* then() comes later.  False: the line is full, or there is no memory. */
bool checks_ask(struct checks *, const struct checks_question *,
                struct checks_waiter *);

#endif

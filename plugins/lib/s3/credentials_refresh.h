/* SPDX-License-Identifier: MIT
 *
 * Keeps a loop's credentials fresh: asks for others before they expire, when
 * the service says that they have or doesn't know them, and when the file has
 * changed that they came from.
 */
#ifndef S3_CREDENTIALS_REFRESH_H
#define S3_CREDENTIALS_REFRESH_H

#include <stdint.h>
#include <sys/queue.h>

#include "credentials.h"

struct s3_loop;
struct credentials_refresh;

/* `base` and `credentials` of the loop are set.  NULL: no memory. */
struct credentials_refresh *credentials_refresh_new(struct s3_loop *);
/* Nobody waits any more; not from inside an event of HTTP. */
void credentials_refresh_free(struct credentials_refresh *);

/* Before something is signed: has the file changed that they came from?  It is
 * read again then, for what is signed later. */
void credentials_look(struct credentials_refresh *);

struct credentials_waiter { /* zeroed at first */
  TAILQ_ENTRY(credentials_waiter) in_line;
  struct credentials_refresh *refresh; /* NULL: it doesn't wait */
  void (*wake)(void *arg);
  void *arg;
};

enum credentials_hope {
  CREDENTIALS_NO_HOPE, /* there won't be others soon */
  CREDENTIALS_OTHERS,  /* the loop has others already */
  CREDENTIALS_WAIT     /* wake() comes when there are, or were none */
};

/* A request whose credentials were the loop's when `renewals` was so much was
 * refused as they had expired, or aren't known any more. */
enum credentials_hope credentials_expired(struct credentials_refresh *,
                                          unsigned renewals,
                                          struct credentials_waiter *,
                                          void (*wake)(void *arg), void *arg);
void credentials_leave(struct credentials_waiter *);

/* When to ask for others, from now, of some that have `left` milliseconds. */
int64_t credentials_due_ms(const struct credentials_timing *, int64_t left);

#endif

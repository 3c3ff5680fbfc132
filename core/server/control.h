/* SPDX-License-Identifier: MIT
 *
 * Operators ask and order this on a UNIX socket at server.admin, beside the
 * metrics; sluice-ctl(1) speaks to it.  Answers are JSON.  The main thread's.
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "handover.h"
#include "head.h"
#include "inflight.h"
#include "readyask.h"
#include "reload.h"

#define CONTROL_ANSWER_MAX (64u << 20) /* bytes of a document */

struct gateway;

struct control { /* of one request; zeroed but for these */
  struct gateway *gateway;
  /* Once, at once or later: status of HTTP, and the document, which is taken;
   * NULL: there is no memory. */
  void (*told)(void *arg, int status, json_t *document);
  void *arg;

  enum control_wait {
    CONTROL_WAITS_FOR_NOTHING,
    CONTROL_WAITS_FOR_LOOPS,
    CONTROL_WAITS_FOR_READY,
    CONTROL_WAITS_FOR_RELOAD,
    CONTROL_WAITS_FOR_HANDOVER
  } waits;
  struct inflight_waiter loops;
  struct readyask_waiter ready;
  struct reload_waiter reload;
  struct handover_waiter handover;
};

/* Is there anything at this path? */
bool control_has(const char *path);
void control_ask(struct control *, const struct head *);
/* Nobody waits any more: told() isn't called. */
void control_leave(struct control *);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A call's inside: call.c decides, call_correct.c puts a request right, send.c
 * makes one attempt.
 */
#ifndef S3_CALL_PRIVATE_H
#define S3_CALL_PRIVATE_H

#include <stdint.h>

#include "call.h"

enum s3_body {              /* of a 2xx */
               BODY_OURS,   /* read as XML, or passed over */
               BODY_PASSED, /* the caller's, from its first byte */
               BODY_TAKEN   /* and the caller has some: no attempt follows */
};

struct s3_call {
  struct s3_loop *loop;
  const struct s3_request *request;
  const struct s3_events *events;
  void *arg;
  struct httpc_call *http; /* of the attempt */
  struct event *timer;     /* to the next attempt */
  struct xml *xml;
  struct s3_answer answer;
  struct credentials_waiter waiter; /* for others than those refused */
  struct buf why;
  unsigned attempt; /* from 1 */
  unsigned away;    /* of those, the ones that found nobody there */
  int64_t started_ms;
  int64_t alive_ms;     /* when the operation was last told */
  uint64_t sent;        /* of the body, in this attempt */
  uint64_t most_sent;   /* and the most of any attempt */
  enum s3_body body;    /* the answer's */
  bool corrected;       /* clock or region: not again */
  unsigned renewals;    /* of the credentials that signed it */
  bool renewed;         /* they had expired: not again */
  bool fresh;           /* on a new connection */
  bool outcome_unknown; /* an attempt may have been done */
  bool reading_spool;   /* a thread reads: s3_call_unspooled() comes */
};

/* Can the request be made right?  Then at once, and only once. */
bool s3_call_correct(struct s3_call *, int http, const char *code,
                     const struct xml_result *);
/* Makes one attempt; false when it can't be made at all. */
bool s3_call_send(struct s3_call *);
void s3_call_ended(void *call, enum httpc_result, const char *why);
void s3_call_unspooled(struct s3_call *);

#endif

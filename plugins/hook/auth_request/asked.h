/* SPDX-License-Identifier: MIT
 *
 * One request that the service is asked about, and what the service's word
 * means to it.
 */
#ifndef AUTH_ASKED_H
#define AUTH_ASKED_H

#include <sluice/plugin.h>

#include "asking.h"

struct asked {
  struct asking *asking;
  struct sluice_request *request;
  struct httpc_call *call;    /* NULL: it doesn't wait */
  struct auth_answer *answer; /* the last one; NULL: there is none */
  size_t body;                /* bytes that came of the answer's */
  int64_t retry_ms; /* of our own 503: until it makes sense; 0: any */
  bool in_key;      /* it is the key that is asked about */
  bool admitted;    /* by this hook */
  bool probe;       /* for the breaker */
  bool faulty;      /* the answer was good for nothing */
  unsigned char digest[DIGEST_SHA256_LEN];
};

/* The request's; NULL: one that the hook has nothing to do with. */
struct asked *asked_of(struct asking *, struct sluice_request *);

/* The verdict of an answer, which is held. */
enum sluice_verdict asked_judge(struct asked *, struct auth_answer *);
/* The verdict where there is none: fails closed.  `why` is logged. */
enum sluice_verdict asked_fail(struct asked *, enum sluice_status,
                               const char *why);

#endif

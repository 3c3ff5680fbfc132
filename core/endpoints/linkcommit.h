/* SPDX-License-Identifier: MIT
 *
 * The last word on an upload by a link, before it is stored: the link is still
 * good, and has a use for it.
 */
#ifndef ENDPOINTS_LINKCOMMIT_H
#define ENDPOINTS_LINKCOMMIT_H

#include "exchange.h"
#include "linkuses.h"
#include "revocations.h"

struct linkcommit { /* of one upload; zeros in the beginning */
  struct exchange *ex;
  void (*then)(struct exchange *);
  struct revocations_waiter known;
  struct linkuses_waiter use;
  bool taken; /* a use is */
};

/* Goes on with then(), at once or later; else it was answered.  Of a request
 * without a link it is then() alone. */
void linkcommit_ask(struct linkcommit *, struct exchange *,
                    void (*then)(struct exchange *));
/* It wasn't stored after all: then(), once the use is given back. */
void linkcommit_undo(struct linkcommit *, struct exchange *,
                     void (*then)(struct exchange *));
/* Before its memory goes. */
void linkcommit_leave(struct linkcommit *);

#endif

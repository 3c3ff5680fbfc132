/* SPDX-License-Identifier: MIT
 *
 * The plugins of a configuration, started and opened on one loop, without a
 * socket and without a request: what commands work on.
 */
#ifndef TOOLS_STAND_H
#define TOOLS_STAND_H

#include "gateway.h"
#include "op.h"
#include "request.h"

struct stand {
  struct gateway *gateway;
  struct loop *loop;
  struct op_backend *backends; /* as many as the gateway's */
  struct op_backend **each;    /* of them */
  struct request_hook *hooks;
};

/* False and why. */
bool stand_init(struct stand *, struct gateway *, struct errmsg *);
/* With all that it stands on, those first.  False and why. */
bool stand_backend(struct stand *, size_t index, struct errmsg *);
bool stand_hook(struct stand *, size_t index, struct errmsg *);
/* Runs the loop until the flag is set; false: it wasn't within `ms`. */
bool stand_until(struct stand *, const bool *flag, int64_t ms);
/* Closes and stops all that was started.  The gateway is the caller's, and may
 * have another stand. */
void stand_fini(struct stand *);

#endif

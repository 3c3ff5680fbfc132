/* SPDX-License-Identifier: MIT
 *
 * Objects whose moment has passed, told of or removed, as a gateway does, for
 * `sluice sweep`.
 */
#ifndef TOOLS_SWEEP_EXPIRED_H
#define TOOLS_SWEEP_EXPIRED_H

#include <stdint.h>

#include "errmsg.h"
#include "report.h"

#define SWEEP_EXPIRED_NONE UINT64_MAX

/* Of a backend of the configuration in `file`, with those that it stands on.
 * `count` is how many there were; SWEEP_EXPIRED_NONE: a line named another one
 * to be asked for them.  False and why. */
bool sweep_expired(const char *file, const char *backend, bool removes,
                   struct report *, uint64_t *count, struct errmsg *);

#endif

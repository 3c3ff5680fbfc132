/* SPDX-License-Identifier: MIT
 *
 * The process that starts helpers of the hook `sniff`, because a gateway that
 * has confined itself can't: one for all instances of the hook in a process,
 * from the first start to the last stop.
 */
#ifndef SNIFF_LAUNCHER_H
#define SNIFF_LAUNCHER_H

#include <stdbool.h>

#include "errmsg.h"

/* In start() and stop().  One more user; each true is followed by one
 * launcher_leave(). */
bool launcher_join(struct errmsg *);
/* The last one ends the process, and with it every helper that is left. */
void launcher_leave(void);

/* From any thread of a user.  A new helper, which reads its database from this
 * descriptor and answers on the one that is returned: a stream that doesn't
 * block, and whose close() ends the helper.  -1, and why. */
int launcher_start(int database, struct errmsg *);

#endif

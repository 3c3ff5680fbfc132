/* SPDX-License-Identifier: MIT
 *
 * The process may make the system calls of a list, from now on, and no other.
 * One that isn't there fails with EPERM, and once each a line of the log names
 * it and whoever made it; one that this system's headers don't know fails with
 * ENOSYS, as on an older kernel, which libraries expect.
 */
#ifndef SERVER_SYSCALLS_H
#define SERVER_SYSCALLS_H

#include <stdbool.h>

#include "errmsg.h"

/* Of all threads.  False and why: the kernel has none, or the build. */
bool syscalls_apply(struct errmsg *);

#endif

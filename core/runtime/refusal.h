/* SPDX-License-Identifier: MIT
 *
 * A system call that the process isn't let make (SIGSYS): it fails, and the
 * first time of each a line of the log says which one and who made it.
 */
#ifndef RUNTIME_REFUSAL_H
#define RUNTIME_REFUSAL_H

#include <stdbool.h>

#define REFUSAL_CALLS 1024 /* numbers of calls that may have a name */
#define REFUSAL_NAME_MAX 31

/* A call that this system knows; one without a name fails with ENOSYS. */
void refusal_name(int number, const char *name);
/* False: how a call fails isn't known on this processor. */
bool refusal_watch(void);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Rules of the kernel for files and ports, landlock(7), by its own calls: no
 * library has them.  Versions are those of its ABI.
 */
#ifndef SERVER_LANDLOCK_H
#define SERVER_LANDLOCK_H

#include "reach.h"

/* 0: this kernel has none. */
int landlock_version(void);
/* This thread, and all that it makes from now on, reach that and no more.
 * False and why. */
bool landlock_apply(int version, const struct reach *, struct errmsg *);

#endif

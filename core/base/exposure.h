/* SPDX-License-Identifier: MIT
 *
 * Files that decide who comes in, or hold secrets, and whom else the machine
 * lets near them.
 */
#ifndef BASE_EXPOSURE_H
#define BASE_EXPOSURE_H

#include <sys/stat.h>

enum exposure {                  /* what harm others could do */
                EXPOSURE_SECRET, /* by reading it, too: it holds secrets */
                EXPOSURE_PUBLIC  /* by writing to it only */
};

/* "can be read by any user; chmod o=", behind which the path belongs; NULL:
 * others can do no harm. */
const char *exposure_fault(mode_t, enum exposure);

#endif

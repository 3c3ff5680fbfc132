/* SPDX-License-Identifier: MIT
 *
 * Files that decide who comes in, and whom else the machine lets near them.
 */
#ifndef HOOK_EXPOSURE_H
#define HOOK_EXPOSURE_H

#include <sluice/plugin.h>

enum exposure {                  /* what harm others could do */
                EXPOSURE_SECRET, /* by reading it, too: it holds secrets */
                EXPOSURE_PUBLIC  /* by writing to it only */
};

/* In start(), as it may block: one line of the log where any user of the
 * machine can do what harms. */
void exposure_tell(struct sluice_host *, const char *path, enum exposure);

#endif

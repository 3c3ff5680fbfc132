/* SPDX-License-Identifier: MIT
 *
 * A plugin's files that other users of the machine could read or change.
 */
#ifndef LIB_EXPOSURE_TELL_H
#define LIB_EXPOSURE_TELL_H

#include <sluice/plugin.h>

#include "exposure.h"

/* In start(), as it may block: one line of the log where any user of the
 * machine can do what harms. */
void exposure_tell(struct sluice_host *, const char *path, enum exposure);

#endif

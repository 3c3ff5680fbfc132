/* SPDX-License-Identifier: MIT
 *
 * A backend without ping, which is required.
 */
#include "entries.h"

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend), .name = "missingentry", .version = "1",
    .summary = "Wrong",          ENTRIES_BUT_PING,
};
SLUICE_BACKEND(missingentry, backend)

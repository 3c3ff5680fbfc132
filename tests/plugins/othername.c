/* SPDX-License-Identifier: MIT
 *
 * A backend whose descriptor bears the name of another.
 */
#include "entries.h"

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend), .name = "goodbackend", .version = "1",
    .summary = "Wrong",          ENTRIES_BACKEND,
};
SLUICE_BACKEND(othername, backend)

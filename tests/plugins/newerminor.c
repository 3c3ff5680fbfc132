/* SPDX-License-Identifier: MIT
 *
 * Built against the next minor version of the ABI.
 */
#include "entries.h"

static const struct sluice_backend backend = {
    .abi = SLUICE_ABI + 1,
    .size = (uint32_t)sizeof(struct sluice_backend),
    .name = "newerminor",
    .version = "1",
    .summary = "Wrong",
    ENTRIES_BACKEND,
};
SLUICE_BACKEND(newerminor, backend)

/* SPDX-License-Identifier: MIT
 *
 * Built against the next major version of the ABI.
 */
#include "entries.h"

static const struct sluice_backend backend = {
    .abi = (SLUICE_ABI_MAJOR + 1) << 16,
    .size = (uint32_t)sizeof(struct sluice_backend),
    .name = "othermajor",
    .version = "1",
    .summary = "Wrong",
    ENTRIES_BACKEND,
};
SLUICE_BACKEND(othermajor, backend)

/* SPDX-License-Identifier: MIT
 *
 * A descriptor that ends before ping, the last required entry.
 */
#include "entries.h"

static const struct sluice_backend backend = {
    .abi = SLUICE_ABI,
    .size = (uint32_t)offsetof(struct sluice_backend, ping),
    .name = "shortsize",
    .version = "1",
    .summary = "Wrong",
    ENTRIES_BACKEND,
};
SLUICE_BACKEND(shortsize, backend)

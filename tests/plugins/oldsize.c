/* SPDX-License-Identifier: MIT
 *
 * A descriptor that ends after ping, as if presign were of a later version: it
 * must be read as if presign were NULL.
 */
#include "entries.h"

static void presign(void *h, struct sluice_op *op,
                    const struct sluice_link *link) {
  (void)h, (void)op, (void)link;
}

static const struct sluice_backend backend = {
    .abi = SLUICE_ABI,
    .size = (uint32_t)offsetof(struct sluice_backend, presign),
    .name = "oldsize",
    .version = "1",
    .summary = "Of an older version",
    ENTRIES_BACKEND,
    .presign = presign,
};
SLUICE_BACKEND(oldsize, backend)

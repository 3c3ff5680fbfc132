/* SPDX-License-Identifier: MIT
 *
 * A hook without any on_*.
 */
#include "entries.h"

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook), .name = "deafhook", .version = "1",
    .summary = "Wrong",       ENTRIES_HOOK,
};
SLUICE_HOOK(deafhook, hook)

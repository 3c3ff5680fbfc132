/* SPDX-License-Identifier: MIT
 *
 * A hook that loads; it has no options at all.
 */
#include "entries.h"

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook),   .name = "goodhook", .version = "0.1",
    .summary = "Hears nothing", .guards = true,     ENTRIES_HOOK,
    .on_log = entry_log,
};
SLUICE_HOOK(goodhook, hook)

/* SPDX-License-Identifier: MIT
 *
 * A hook that declares a metric of the plugin countinghook as another thing.
 */
#include "entries.h"

static const struct sluice_metric metrics[] = {
    {"countinghook_open", SLUICE_GAUGE, "Something else.", NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook), .name = "clashhook",  .version = "1",
    .summary = "Wrong",       .start = entry_start, .stop = entry_stop,
    .open = entry_open,       .close = entry_stop,  .on_log = entry_log,
    .metrics = metrics,
};
SLUICE_HOOK(clashhook, hook)

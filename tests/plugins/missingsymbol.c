/* SPDX-License-Identifier: MIT
 *
 * Calls a function that nobody has.
 */
#include "entries.h"

void sluice_is_nowhere(void);

static void stop(void *instance) {
  (void)instance;
  sluice_is_nowhere();
}

static const struct sluice_hook hook = {
    SLUICE_HEAD(sluice_hook), .name = "missingsymbol", .version = "1",
    .summary = "Wrong",       .start = entry_start,    .stop = stop,
    .open = entry_open,       .close = entry_stop,     .on_log = entry_log,
};
SLUICE_HOOK(missingsymbol, hook)

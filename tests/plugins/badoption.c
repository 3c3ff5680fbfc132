/* SPDX-License-Identifier: MIT
 *
 * A backend whose option lies behind the end of its struct.
 */
#include "entries.h"

struct conf {
  bool sync;
};

static const struct sluice_option options[] = {
    {"sync", SLUICE_BOOL, "true", offsetof(struct conf, sync), "wait for it"},
    {"part", SLUICE_SIZE, "8MiB", 8, "bytes of a part"},
    {0}};

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend),
    .name = "badoption",
    .version = "1",
    .summary = "Wrong",
    .options = options,
    .conf_size = sizeof(struct conf),
    ENTRIES_BACKEND,
};
SLUICE_BACKEND(badoption, backend)

/* SPDX-License-Identifier: MIT
 *
 * A backend that declares a counter under the name of a gauge.
 */
#include "entries.h"

static const struct sluice_metric metrics[] = {
    {"badmetric_objects", SLUICE_COUNTER, "Objects.", NULL, NULL},
    {NULL, 0, NULL, NULL, NULL}};

static const struct sluice_backend backend = {
    SLUICE_HEAD(sluice_backend), .name = "badmetric", .version = "1",
    .summary = "Wrong",          ENTRIES_BACKEND,     .metrics = metrics,
};
SLUICE_BACKEND(badmetric, backend)

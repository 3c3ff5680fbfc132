/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: a lane whose jobs run side by side.  A part of
 * <sluice/plugin.h>, which says by which rules and is what a plugin includes.
 */
#ifndef SLUICE_LANE_H
#define SLUICE_LANE_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_LANE_WIDTH 64

#pragma GCC visibility push(default)

/* A lane of which up to `width` jobs (1 to SLUICE_LANE_WIDTH) run at once, on
 * as many threads of the pool where the plugin has so many: each in a call of
 * run() of its own, begun in the order in which they were added, and each back
 * on its loop as soon as that call has returned.  So a slow one holds up one
 * of `width` places, and none that has run.  What run() touches may be touched
 * by `width` threads.  Added to and freed as any.  NULL: no memory, or no such
 * width. */
struct sluice_lane *sluice_lane_new_wide(struct sluice_host *,
                                         void (*run)(void *arg, void **jobs,
                                                     size_t count),
                                         void *arg, unsigned width);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif

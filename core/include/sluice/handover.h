/* SPDX-License-Identifier: MIT
 *
 * Since 1.1: a gateway takes over from one that runs, in a process of its own,
 * and both serve the same storage until the one before has ended its requests.
 * A storage with one user at a time passes on what makes it the one, a file
 * that is locked say, as descriptors: the entry `hand_over` of its backend
 * gives up to SLUICE_HANDOVER_FDS of them, copies that the gateway closes, and
 * returns their number; it is called on the main thread while loops run.  From
 * then on somebody else may use the storage, though nobody has to.  A part of
 * <sluice/plugin.h>, which is what a plugin includes.
 */
#ifndef SLUICE_HANDOVER_H
#define SLUICE_HANDOVER_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_HANDOVER_FDS 8

struct sluice_handed {
  size_t count;
  int fds[SLUICE_HANDOVER_FDS]; /* one that the plugin takes, it sets to -1 */
};

#pragma GCC visibility push(default)

/* In start(): what the backend of the same name gave in the process before;
 * NULL: there is none.  Lent until start() returns. */
struct sluice_handed *sluice_handed(struct sluice_host *);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif

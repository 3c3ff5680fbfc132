/* SPDX-License-Identifier: MIT
 *
 * Chores of a store, for sluice(1): each kind is in a file of its own.
 */
#ifndef LOCAL_CHORE_H
#define LOCAL_CHORE_H

#include <sluice/plugin.h>

enum sluice_status chore_do(const void *conf, struct sluice_host *,
                            const struct sluice_chore *);

#endif

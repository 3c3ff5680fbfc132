/* SPDX-License-Identifier: MIT
 *
 * A copy of the index as it is at one moment, whether or not a gateway uses
 * the store.  For `sluice check` and `sluice backup`.
 */
#ifndef LOCAL_SNAPSHOT_H
#define LOCAL_SNAPSHOT_H

#include "errmsg.h"

/* Copies index.db and its log from the store's folder to another one, where
 * they aren't.  The caller has HOLD_COPY.  False and why; ENOENT: there is no
 * index. */
bool snapshot_take(int from, int to, struct errmsg *);

#endif

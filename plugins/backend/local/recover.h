/* SPDX-License-Identifier: MIT
 *
 * The start of an instance on what the last one left, however that ended.
 */
#ifndef LOCAL_RECOVER_H
#define LOCAL_RECOVER_H

#include "errmsg.h"

struct local;

/* Opens the index and the ledger, and removes what has no row.  The datadir
 * and the store are open. */
bool recover(struct local *, struct errmsg *);

#endif

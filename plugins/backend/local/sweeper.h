/* SPDX-License-Identifier: MIT
 *
 * `sluice sweep` of a store: uploads in several requests that have expired.
 */
#ifndef LOCAL_SWEEPER_H
#define LOCAL_SWEEPER_H

#include "local.h"

/* A chore; sluice_fail() says why it can't be done. */
enum sluice_status sweeper_run(const struct local_conf *, struct sluice_host *,
                               const struct sluice_chore *);

#endif

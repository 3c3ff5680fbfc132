/* SPDX-License-Identifier: MIT
 *
 * `sluice backup` and `sluice restore` of a store.  A backup is a folder that
 * is a store itself, which nobody serves.
 */
#ifndef LOCAL_BACKUP_H
#define LOCAL_BACKUP_H

#include "local.h"

/* Chores; sluice_fail() says why one can't be done. */
enum sluice_status backup_run(const struct local_conf *, struct sluice_host *,
                              const struct sluice_chore *);
enum sluice_status restore_run(const struct local_conf *, struct sluice_host *,
                               const struct sluice_chore *);

#endif

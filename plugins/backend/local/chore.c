/* SPDX-License-Identifier: MIT
 *
 * The kinds of chores.
 */
#include "chore.h"

#include "backup.h"
#include "checker.h"
#include "sweeper.h"

enum sluice_status chore_do(const void *conf, struct sluice_host *host,
                            const struct sluice_chore *chore) {
  switch (chore->kind) {
  case SLUICE_CHORE_CHECK:
    return checker_run(conf, host, chore);
  case SLUICE_CHORE_BACKUP:
    return backup_run(conf, host, chore);
  case SLUICE_CHORE_RESTORE:
    return restore_run(conf, host, chore);
  case SLUICE_CHORE_SWEEP:
    return sweeper_run(conf, host, chore);
  }
  return SLUICE_ENOTSUP;
}

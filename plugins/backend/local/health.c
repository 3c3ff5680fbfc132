/* SPDX-License-Identifier: MIT
 *
 * The state is changed once, by the thread that meets the first fault; the
 * reason is written before others can see the new state.
 */
#include "health.h"

void health_fault(struct health *health, enum sluice_status status,
                  const char *what) {
  int good = HEALTH_GOOD;
  if (status != SLUICE_EIO ||
      !atomic_compare_exchange_strong(&health->state, &good, HEALTH_CHANGING))
    return;
  errmsg_set(&health->reason, "%s", what);
  atomic_store(&health->state, HEALTH_READ_ONLY);
  sluice_log(health->host, SLUICE_LOG_ERROR,
             "directory %s is read-only from now on: %s; downloads go on, "
             "uploads and deletes are answered with 503; check the disk, then "
             "restart the gateway",
             health->path, what);
}

/* A fault that another thread is just noting counts, too. */
bool health_read_only(const struct health *health) {
  return atomic_load(&health->state) != HEALTH_GOOD;
}

void health_tell(const struct health *health, struct errmsg *why) {
  bool known = atomic_load(&health->state) == HEALTH_READ_ONLY;
  errmsg_set(why, "the store is read-only since a write failed: %s",
             known ? health->reason.text : "see the log");
}

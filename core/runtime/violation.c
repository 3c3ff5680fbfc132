/* SPDX-License-Identifier: MIT
 *
 * The lines that name a plugin which breaks the contract.
 */
#include "violation.h"

#include <stdlib.h>

#include "log.h"
#include "op.h"

bool violation_shows(uint64_t n) {
  return n <= VIOLATION_LINES || (n & (n - 1)) == 0;
}

static void violation_tell(const struct sluice_host *host, const char *call,
                           const char *what) {
  if (host->watch != NULL)
    host->watch->told(host->watch->arg, call, what);
}

void violation_note(uint64_t *count, const struct sluice_host *host,
                    const char *plugin, const char *call, const char *what) {
  if (violation_shows(++*count))
    log_line(SLUICE_LOG_ERROR, host->name,
             "plugin '%s' breaks the contract: %s%s%s (violation %llu on this "
             "loop)",
             plugin, call == NULL ? "" : call, call == NULL ? "" : "() ", what,
             (unsigned long long)*count);
  violation_tell(host, call, what);
}

void violation_of_thread(const struct sluice_host *host, const char *plugin,
                         const char *call) {
  log_line(SLUICE_LOG_ERROR, host->name,
           "plugin '%s' breaks the contract: %s() " VIOLATION_THREAD
           "; the process ends, as nothing it has is safe now",
           plugin, call);
  violation_tell(host, call, VIOLATION_THREAD);
  log_settle(LOG_PATIENCE_MS / 10);
  abort();
}

void violation_sum(const char *host, const char *plugin, uint64_t misused,
                   uint64_t silent) {
  const unsigned long long broken = misused, left = silent;
  if (broken > 0)
    log_line(SLUICE_LOG_WARN, host,
             "plugin '%s' broke the contract on this loop: %llu time%s",
             plugin, broken, broken == 1 ? "" : "s");
  if (left > 0)
    log_line(SLUICE_LOG_WARN, host,
             "plugin '%s' left requests without an answer in time on this "
             "loop: %llu",
             plugin, left);
}

/* SPDX-License-Identifier: MIT
 *
 * A plugin's violations of the contract: counted, and logged under its name.
 * Of many only some get a line, which tells how many there were.
 */
#ifndef RUNTIME_VIOLATION_H
#define RUNTIME_VIOLATION_H

#include <stdbool.h>
#include <stdint.h>

/* So many are logged each, then every one whose number is a power of two. */
#define VIOLATION_LINES 16

/* Names of some of them, for who sorts them. */
#define VIOLATION_AFTER_DONE "after sluice_done()"
#define VIOLATION_TWICE "twice"
#define VIOLATION_RESUMED "of a request that doesn't wait for it"
#define VIOLATION_THREAD "from another thread than its loop's"
#define VIOLATION_OWED "before all that it asked for has ended"
#define VIOLATION_KEEPS "with memory that it hasn't given back"
#define VIOLATION_METRIC "of a metric that its table doesn't declare so"
#define VIOLATION_TIMERS "of timers that run after its end"

struct sluice_host;

/* Hears of each one, also of those without a line, on the thread that
 * breaks the contract. */
struct violation_watch {
  void (*told)(void *arg, const char *call, const char *what);
  void *arg;
};

/* Is the n-th of something worth a line? */
bool violation_shows(uint64_t n);
/* Counts one more.  `plugin` is the plugin's own name; `call` is what it
 * called, NULL: nothing, then `what` says all. */
void violation_note(uint64_t *count, const struct sluice_host *,
                    const char *plugin, const char *call, const char *what);
/* It can't be contained: logs why and ends the process. */
_Noreturn void violation_of_thread(const struct sluice_host *,
                                   const char *plugin, const char *call);
/* At the end of a loop, of the configured name: how often, where there is
 * anything to tell. */
void violation_sum(const char *host, const char *plugin, uint64_t misused,
                   uint64_t silent);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A plugin's breaches of the contract: counted, and logged under its name.  Of
 * many only some get a line, which tells how many there were.
 */
#ifndef RUNTIME_BREACH_H
#define RUNTIME_BREACH_H

#include <stdbool.h>
#include <stdint.h>

/* So many are logged each, then every one whose number is a power of two. */
#define BREACH_LINES 16

/* Is the n-th of something worth a line? */
bool breach_shows(uint64_t n);
/* Counts one more.  `host` is the configured name, `plugin` the plugin's own;
 * `call` is what it called, NULL: nothing, then `what` says all. */
void breach_note(uint64_t *count, const char *host, const char *plugin,
                 const char *call, const char *what);
/* It can't be contained: logs why and ends the process. */
_Noreturn void breach_of_thread(const char *host, const char *plugin,
                                const char *call);
/* At the end of a loop: how often, where there is anything to tell. */
void breach_sum(const char *host, const char *plugin, uint64_t misused,
                uint64_t silent);

#endif

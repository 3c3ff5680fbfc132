/* SPDX-License-Identifier: MIT
 *
 * Conditions that hold, or the program is wrong and goes on to no good: a line
 * says which condition failed and where, and the process aborts.  Unlike
 * assert() it is there in every build, and its condition may do something.
 * Input from the network, a disk or a plugin is never a matter of must().
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#define must(condition) \
  ((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__, __func__))

/* From any thread, and with any lock held. */
_Noreturn void must_fail(const char *condition, const char *file, int line,
                         const char *function);

#endif

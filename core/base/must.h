/* SPDX-License-Identifier: MIT
 *
 * Conditions that hold, or the program is wrong and goes on to no good: a line
 * says which condition failed and where, and the process aborts.  Unlike
 * assert() it is there in every build, and its condition may do something.
 * Input from the network, a disk or a plugin is never a matter of must().
 *
 * Memory is had before it is asked for: what a request takes is charged to
 * limits.memory first, and refused there.  Where the system has none though,
 * nothing can be told any more, and must_have() ends the process in the same
 * way; whoever started it starts it again.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stddef.h>

#define must(condition) \
  ((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__, __func__))

#define must_have(memory) \
  ((memory) ? (void)0     \
            : must_fail_memory(#memory, __FILE__, __LINE__, __func__))

/* From any thread, and with any lock held. */
_Noreturn void must_fail(const char *condition, const char *file, int line,
                         const char *function);
_Noreturn void must_fail_memory(const char *what, const char *file, int line,
                                const char *function);

/* For libraries that don't look at what they got; freed by free(). */
void *must_malloc(size_t size);
void *must_calloc(size_t count, size_t size);
void *must_realloc(void *of, size_t size);
char *must_strdup(const char *text);

#endif

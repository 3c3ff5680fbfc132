/* SPDX-License-Identifier: MIT
 *
 * Words in messages about configuration: which one was meant, and lists of
 * those that are known.  For the gateway's own keys and for plugins.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_LEN_MAX 64 /* bytes of a word; longer ones aren't guessed */

/* The entry of the NULL-ended words that is nearest to `word`; NULL when none
 * is near. */
const char *words_nearest(const char *word, const char *const *words);

/* Is it one of the NULL-ended words? */
bool words_has(const char *const *words, const char *word);

/* Writes "a, b, c", cut with "..." when `size` bytes don't hold it. */
void words_join(char *out, size_t size, const char *const *words);

#endif

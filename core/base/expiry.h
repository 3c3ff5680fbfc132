/* SPDX-License-Identifier: MIT
 *
 * Objects that end by themselves: the moment that an object's metadata tells,
 * and the key of the note by which a sweep finds it.  The notes' keys begin
 * with the moment, so that a list has what is due first.
 */
#ifndef BASE_EXPIRY_H
#define BASE_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPIRY_META "sluice-expires" /* seconds since 1970, in digits */
#define EXPIRY_TEXT_SIZE 24          /* of that */
#define EXPIRY_FOLDER ".sluice/expiry/"
#define EXPIRY_KEY_SIZE 64
#define EXPIRY_MAX_S INT64_C(253402300799) /* the end of the year 9999 */

/* Digits and nothing else, 1 to EXPIRY_MAX_S; of a moment, or of a number of
 * seconds. */
bool expiry_parse(const char *text, int64_t *seconds);
/* The first moment that isn't before a number of seconds from now. */
int64_t expiry_moment(int64_t now_ms, int64_t seconds);
bool expiry_is_over(int64_t moment_s, int64_t now_ms);
/* Did the wall clock go on as the one that never goes back did, but for some
 * seconds?  Else it was set, or was wrong before. */
bool expiry_clocks_agree(int64_t wall_ms, int64_t passed_ms);
/* Until the next look at a folder that was empty again: 30 s after the first
 * time, where before_ms is 0, and twice as long each time, up to 8 min. */
int64_t expiry_idle_ms(int64_t before_ms);

/* The same of metadata as `local` keeps it: name NUL value NUL, and so on.  0:
 * it tells of none. */
int64_t expiry_in_texts(const char *texts, size_t len);

void expiry_note_key(char out[EXPIRY_KEY_SIZE], int64_t moment_s,
                     const char *key);
/* False: it is no note's key. */
bool expiry_note_moment(const char *note_key, int64_t *moment_s);
/* Is that the note of this key? */
bool expiry_note_is_of(const char *note_key, const char *key);

#endif

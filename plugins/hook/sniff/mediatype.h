/* SPDX-License-Identifier: MIT
 *
 * Media types as the hook `sniff` compares them: without parameters, in lower
 * case, and with one name for what has several.
 */
#ifndef SNIFF_MEDIATYPE_H
#define SNIFF_MEDIATYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "errmsg.h"

#define MEDIATYPE_MAX 128 /* bytes of a type, with its NUL */
#define MEDIATYPE_EMPTY "inode/x-empty"
#define MEDIATYPE_UNKNOWN "application/octet-stream"

/* The type and subtype of `text`, of `len` bytes, in lower case; what follows
 * a ";" is left out.  False: it has none, or it is too long. */
bool mediatype_read(const char *text, size_t len, char out[MEDIATYPE_MAX]);

/* Is it a pattern: image/png, image/star or star/star, where a star is an
 * asterisk, in any case?  False, and why. */
bool mediatype_check(const char *option, const char *pattern, struct errmsg *);
/* Does one of the patterns, which end with a NULL, mean this type, which
 * mediatype_read() gave? */
bool mediatype_listed(const char *const *patterns, const char *type);

/* May bytes that are found to be `found` be said to be `said`?  Both are of
 * mediatype_read(). */
bool mediatype_agrees(const char *said, const char *found);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The opaque cursor of a list: a backend's token, tied to the prefix and the
 * delimiter it is for, with a checksum that tells what the gateway gave from
 * what it didn't.  No secret: a list by cursor shows nothing that a list
 * without one wouldn't.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "buf.h"

#define CURSOR_TOKEN_MAX 4096
/* Characters of a sealed token of the longest kind. */
#define CURSOR_MAX 5600

bool cursor_seal(struct buf *, const char *prefix, const char *delimiter,
                 const char *token);
/* Puts the token into `token` (cleared before).  False unless it was sealed
 * for this prefix and delimiter (NULL: none). */
bool cursor_open(struct buf *token, const char *cursor, const char *prefix,
                 const char *delimiter);

#endif

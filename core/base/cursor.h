/* SPDX-License-Identifier: MIT
 *
 * The opaque cursor of a list: a backend's token, tied to the prefix and the
 * delimiter it is for, and sealed with a key, so that nobody but a gateway
 * with that key makes one.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "buf.h"
#include "digest.h"

#define CURSOR_TOKEN_MAX 4096
/* Characters of a sealed token of the longest kind. */
#define CURSOR_MAX 5600

bool cursor_seal(struct buf *, const struct digest_key *, const char *prefix,
                 const char *delimiter, const char *token);
/* Puts the token into `token` (cleared before).  False unless it was sealed
 * with this key, for this prefix and delimiter (NULL: none). */
bool cursor_open(struct buf *token, const struct digest_key *,
                 const char *cursor, const char *prefix,
                 const char *delimiter);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Text that nobody else can read, make or change: AES-256-GCM, as base64url.
 * Each text has a key of its own, made of the given one and 16 random bytes by
 * HMAC-SHA-256, so that none is used twice, however many are sealed.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "buf.h"
#include "digest.h"

/* Adds the text; false: `out` is full. */
bool seal_close(struct buf *out, const struct digest_key *, const void *plain,
                size_t len);
/* Puts the plain bytes into `plain` (cleared before); false: it wasn't sealed
 * with this key, or was changed. */
bool seal_open(struct buf *plain, const struct digest_key *, const char *text,
               size_t len);

#endif

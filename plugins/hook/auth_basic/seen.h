/* SPDX-License-Identifier: MIT
 *
 * Keys that were seen lately: a bounded set, whose members leave after a time,
 * or when there is no room and nobody asked for them the longest.
 */
#ifndef AUTH_BASIC_SEEN_H
#define AUTH_BASIC_SEEN_H

#include "digest.h"

#define SEEN_KEY_LEN DIGEST_SHA256_LEN

struct seen;

/* Keys have to be digests: their bytes are used as they are.  1..65536; NULL:
 * no memory. */
struct seen *seen_new(size_t max);
void seen_free(struct seen *);
/* Times are of one clock that doesn't jump. */
bool seen_has(struct seen *, const unsigned char key[SEEN_KEY_LEN],
              int64_t now_ms);
void seen_add(struct seen *, const unsigned char key[SEEN_KEY_LEN],
              int64_t until_ms);

#endif

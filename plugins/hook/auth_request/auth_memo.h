/* SPDX-License-Identifier: MIT
 *
 * Answers that may be given again for a time: a hash table of one loop, with a
 * bound in bytes beyond which the longest unused goes.  Its keys are keyed
 * digests of all that the service was told.
 */
#ifndef AUTH_MEMO_H
#define AUTH_MEMO_H

#include "auth_answer.h"
#include "digest.h"

struct memo;

/* `bytes` for everything in it; NULL: no memory. */
struct memo *memo_new(size_t bytes);
void memo_free(struct memo *); /* NULL: nothing */

/* Lent until the next call; NULL: not there, or too old. */
struct auth_answer *memo_get(struct memo *,
                             const unsigned char digest[DIGEST_SHA256_LEN],
                             int64_t now_ms);
/* Holds the answer; does nothing where it can't. */
void memo_put(struct memo *, const unsigned char digest[DIGEST_SHA256_LEN],
              struct auth_answer *, int64_t until_ms);
size_t memo_count(const struct memo *);

#endif

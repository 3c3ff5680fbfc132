/* SPDX-License-Identifier: MIT
 *
 * The file of tokens: hashes of keys, and what who has the key may do.  The
 * table that is made of it doesn't change any more.
 */
#ifndef AUTH_TOKEN_TOKENS_H
#define AUTH_TOKEN_TOKENS_H

#include "digest.h"
#include "errmsg.h"
#include "grants.h"

#define TOKENS_MAX 10000
#define TOKENS_FILE_MAX (4u << 20) /* bytes */
#define TOKENS_KEY_MAX 512         /* bytes of a key, as it is sent */
#define TOKENS_IDENTITY_MAX 256
#define TOKENS_FOREVER INT64_MAX

struct token {
  unsigned char hash[DIGEST_SHA256_LEN]; /* of the key */
  unsigned line;
  char *identity;
  struct grants grants;
  int64_t expires_s; /* since 1970; TOKENS_FOREVER */
};

struct tokens {
  struct token *rows; /* sorted by their hashes, none twice */
  size_t count;
};

/* `data` ends in NUL; `file` is for messages, which begin with file:line. */
struct tokens *tokens_parse(const char *file, const char *data, size_t len,
                            struct errmsg *);
void tokens_free(struct tokens *);

/* Whose key has this hash?  NULL: nobody's.  The search tells by its time only
 * what is known of the hash, from which nobody finds a key. */
const struct token *tokens_find(const struct tokens *,
                                const unsigned char hash[DIGEST_SHA256_LEN]);

#endif

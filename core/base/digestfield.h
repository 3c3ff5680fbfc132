/* SPDX-License-Identifier: MIT
 *
 * Content-Digest, Repr-Digest and Want-Repr-Digest (RFC 9530), of the two
 * algorithms that are good for it; and the sums that they are compared with.
 */
#ifndef BASE_DIGESTFIELD_H
#define BASE_DIGESTFIELD_H

#include "buf.h"
#include "sha2.h"

/* The digests that somebody says, of those algorithms that are `said`. */
struct digestfield {
  bool said[SHA2_KINDS];
  unsigned char sum[SHA2_KINDS][SHA2_MAX];
};

/* Takes over what the field says; algorithms that aren't known don't count.
 * `text` may be NULL, which says nothing.  NULL, or why it is refused: a
 * constant for the client, who is told the field's name before it. */
const char *digestfield_read(struct digestfield *, const char *text);
bool digestfield_is_any(const struct digestfield *);

/* Does Want-Repr-Digest want SHA-256?  One that makes no sense wants
 * nothing. */
bool digestfield_wants(const char *text);

/* Adds sha-256=:...: of 32 bytes; false: no room. */
bool digestfield_add(struct buf *, const unsigned char sum[SHA2_256_LEN]);

struct sums { /* running ones of the same bytes, of those that are `made` */
  bool made[SHA2_KINDS];
  struct sha2 of[SHA2_KINDS];
};

/* Makes this one, too; before the first byte. */
void sums_make(struct sums *, enum sha2_kind);
/* Those that the field says. */
void sums_make_said(struct sums *, const struct digestfield *);
bool sums_is_any(const struct sums *);
void sums_add(struct sums *, const void *data, size_t len);
/* Are all that the field says the ones of these bytes? */
bool sums_fit(const struct sums *, const struct digestfield *);

#endif

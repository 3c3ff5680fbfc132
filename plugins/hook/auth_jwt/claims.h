/* SPDX-License-Identifier: MIT
 *
 * The claims of a token (RFC 7519, section 4) whose signature was verified: is
 * it for us and of this time, who is it, and what may they do?
 */
#ifndef AUTH_JWT_CLAIMS_H
#define AUTH_JWT_CLAIMS_H

#include <stdint.h>

#include "grants.h"
#include "jws.h"

#define CLAIMS_AUDIENCES_MAX 64      /* of a token */
#define CLAIMS_IDENTITY_MAX 256      /* bytes, as the gateway takes them */
#define CLAIMS_TIME_MAX 253402300799 /* seconds since 1970: year 9999 */

struct claims_policy { /* "" and empty lists: see sluice-auth_jwt(7) */
  const char *issuer;
  const char *const *audience; /* one of them is enough */
  const char *const *types;    /* of typ */
  int64_t leeway_s;
  const char *identity_claim;
  const char *operations_claim, *operations_prefix;
  unsigned operations; /* of a token without operations_claim */
  const char *prefixes_claim;
  const char *const *prefixes; /* of a token without prefixes_claim */
};

struct bearer { /* of a good token */
  unsigned references;
  int64_t from_s, until_s; /* with the leeway */
  char *identity;
  struct grants grants;
  char **prefixes; /* its own, or NULL */
};

/* NULL and *bearer with one reference, or why it is refused. */
const char *claims_read(const struct claims_policy *, const struct jws *,
                        int64_t now_s, struct bearer **bearer);

struct bearer *bearer_hold(struct bearer *);
void bearer_drop(struct bearer *); /* NULL: nothing */

#endif

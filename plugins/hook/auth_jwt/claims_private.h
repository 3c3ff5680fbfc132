/* SPDX-License-Identifier: MIT
 *
 * The two halves of claims: whether they are good, and what they give.
 */
#ifndef AUTH_JWT_CLAIMS_PRIVATE_H
#define AUTH_JWT_CLAIMS_PRIVATE_H

#include "claims.h"
#include "jwtjson.h"

/* Fills the identity, operations and prefixes; NULL, or why not. */
const char *claims_give(const struct claims_policy *, const json_t *claims,
                        struct bearer *);

#endif

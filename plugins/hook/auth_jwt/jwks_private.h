/* SPDX-License-Identifier: MIT
 *
 * For the files that make sets of keys.
 */
#ifndef AUTH_JWT_JWKS_PRIVATE_H
#define AUTH_JWT_JWKS_PRIVATE_H

#include "jwks.h"

/* Without keys, of this text; NULL: no memory. */
struct jwks *jwks_new(const char *data, size_t len, struct errmsg *);

#endif

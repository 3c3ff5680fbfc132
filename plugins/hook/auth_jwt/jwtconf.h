/* SPDX-License-Identifier: MIT
 *
 * The options of auth_jwt, and what start() makes of them for all loops.
 */
#ifndef AUTH_JWT_JWTCONF_H
#define AUTH_JWT_JWTCONF_H

#include <sluice/plugin.h>

#include "claims.h"
#include "issuer.h"

struct jwtconf {
  const char *issuer, *secret, *secret_file, *key_file, *jwks;
  const char *ca_file, *proxy, *realm;
  const char *identity_claim, *operations_claim, *operations_prefix;
  const char *prefixes_claim;
  const char *const *audience, *const *types, *const *algorithms;
  const char *const *operations, *const *prefixes;
  int64_t leeway_ms, refresh_ms, pause_ms, keep_ms, timeout_ms, cache;
};

extern const struct sluice_option jwtconf_options[];

struct jwtsetup { /* the instance */
  const struct jwtconf *conf;
  struct claims_policy policy;
  unsigned algorithms; /* bits of enum jwa */
  struct watch_file file;
  struct issuer_settings settings;
  struct watch_told told;            /* of a file */
  atomic_uint_least64_t issuer_told; /* of a URL */
};

/* False and what to change.  What it points to lives as long as conf. */
bool jwtsetup_init(struct jwtsetup *, const struct jwtconf *, struct errmsg *);
/* Of a secret or a file: read now, for issuer_new(); NULL and why.  NULL
 * without a reason: they are at a URL. */
struct jwks *jwtsetup_keys(const struct jwtsetup *, struct errmsg *);

#endif

/* SPDX-License-Identifier: MIT
 *
 * The names of signatures.
 */
#include "jwa.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {"unknown", "HS256", "RS256", "ES256",
                                    "EdDSA"};

enum jwa jwa_named(const char *name) {
  for (size_t i = JWA_HS256; i <= JWA_EDDSA; i++)
    if (strcmp(name, names[i]) == 0)
      return (enum jwa)i;
  return JWA_UNKNOWN;
}

const char *jwa_name(enum jwa alg) {
  return names[alg];
}

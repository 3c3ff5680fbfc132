/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a token, and as a key set for it.  The first line is the token,
 * the rest the set.  What is read keeps its limits, and no secret is ever
 * read from a set that an issuer publishes.
 */
#include "claims.h"
#include "jwks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_jws(const struct jws *jws) {
  assert(jws->alg != JWA_UNKNOWN);
  assert(jws->input_len < JWS_TOKEN_MAX);
  assert(jws->payload.len > 0 && jws->payload.len <= JWS_PAYLOAD_MAX);
  assert(jws->signature.len > 0 && jws->signature.len <= JWS_SIGNATURE_MAX);
  assert(strlen(jws->kid) <= JWS_KID_MAX);
  assert(strlen(jws->type) <= JWS_TYPE_MAX);
}

static void check_claims(const struct jws *jws) {
  static const char *const none[] = {NULL};
  static const struct claims_policy policy = {.issuer = "",
                                              .audience = none,
                                              .types = none,
                                              .leeway_s = 30,
                                              .identity_claim = "sub",
                                              .operations_claim = "scope",
                                              .operations_prefix = "files:",
                                              .prefixes_claim = "prefixes",
                                              .prefixes = none};
  struct bearer *bearer;
  const char *fault = claims_read(&policy, jws, 1300819000, &bearer);
  assert((fault == NULL) == (bearer != NULL));
  if (bearer != NULL) {
    size_t len = strlen(bearer->identity);
    assert(len > 0 && len <= CLAIMS_IDENTITY_MAX);
    assert(bearer->until_s > 1300819000 && bearer->from_s <= 1300819000);
    assert((bearer->grants.operations & ~(unsigned)GRANTS_ALL) == 0);
    for (size_t i = 0; bearer->grants.prefixes[i] != NULL; i++)
      assert(grants_prefix_fault(bearer->grants.prefixes[i]) == NULL);
  }
  bearer_drop(bearer);
}

static void check_keys(const char *text, size_t len, const struct jws *jws) {
  struct errmsg why = {""};
  struct jwks *keys = jwks_read(text, len, false, &why);
  assert((keys == NULL) == (why.text[0] != '\0'));
  if (keys != NULL) {
    assert(keys->count > 0 && keys->count <= JWKS_KEYS_MAX);
    for (size_t i = 0; i < keys->count; i++)
      assert(keys->keys[i].algs != 0 && keys->keys[i].secret == NULL);
    if (jws != NULL)
      jwks_verify(keys, jws);
  }
  jwks_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  const char *end = memchr(text, '\n', size);
  size_t len = end == NULL ? size : (size_t)(end - text);
  struct jws jws;
  bool good = jws_parse(&jws, text, len) == NULL;
  if (good) {
    check_jws(&jws);
    check_claims(&jws);
  }
  if (end != NULL)
    check_keys(end + 1, size - len - 1, good ? &jws : NULL);
  jws_fini(&jws);
  return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * A token as it comes: JWS in its compact form (RFC 7515, section 7.1), taken
 * apart and not believed.
 */
#ifndef AUTH_JWT_JWS_H
#define AUTH_JWT_JWS_H

#include "buf.h"
#include "jwa.h"

/* As much as a request's head has room for, beside its other headers: some 500
 * groups with UUIDs for names. */
#define JWS_TOKEN_MAX 28672
#define JWS_HEADER_MAX 2048 /* the rest in bytes after decoding */
#define JWS_PAYLOAD_MAX 20480
#define JWS_SIGNATURE_MAX 512 /* of RSA with 4096 bits */
#define JWS_KID_MAX 256
#define JWS_TYPE_MAX 64

struct jws {
  enum jwa alg;
  bool has_kid, has_type;
  char kid[JWS_KID_MAX + 1];
  char type[JWS_TYPE_MAX + 1]; /* without "application/" */
  const char *input;           /* what was signed: lent by the token */
  size_t input_len;
  struct buf payload, signature;
};

/* NULL, or why it is refused: a constant for the client.  jws_fini() in both
 * cases.  Whatever the header says about keys (jwk, jku, x5c, x5u) is
 * ignored, what changes the meaning of the token (crit, b64, zip, enc, a cty
 * of JWT) is refused. */
const char *jws_parse(struct jws *, const char *token, size_t len);
void jws_fini(struct jws *);

/* A text of at most `max` bytes without control characters?  NULL isn't. */
bool jws_is_word(const char *text, size_t max);

#endif

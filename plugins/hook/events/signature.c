/* SPDX-License-Identifier: MIT
 *
 * The time is part of what is signed, so that an old delivery can't be sent
 * again as a new one.
 */
#include "signature.h"

#include <inttypes.h>
#include <string.h>

#include "codec.h"
#include "digest.h"

bool signature_add(struct buf *out, const char *secret, int64_t seconds,
                   const char *body, size_t len) {
  unsigned char mac[DIGEST_SHA256_LEN];
  char hex[2 * sizeof mac + 1];
  struct buf text;
  buf_init(&text, len + 32);
  buf_addf(&text, "%" PRId64 ".", seconds);
  buf_add(&text, body, len);
  bool whole = !text.overflown;
  digest_hmac_sha256(mac, secret, strlen(secret), text.data, text.len);
  buf_fini(&text);
  codec_hex(hex, mac, sizeof mac);
  return whole && buf_addf(out, "t=%" PRId64 ",v1=%s", seconds, hex);
}

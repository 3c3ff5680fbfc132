/* SPDX-License-Identifier: MIT
 *
 * Names of links: 9 random bytes, 5 of the end, 7 that stand for the owner, 12
 * of an HMAC of all that.  Called with what clients send.
 */
#include "linkid.h"

#include <string.h>

#include "codec.h"

#define RANDOM_LEN 9
#define END_LEN 5
#define OWNER_LEN 7
#define MAC_LEN 12
#define BODY_LEN (RANDOM_LEN + END_LEN + OWNER_LEN)
#define RAW_LEN (BODY_LEN + MAC_LEN)
#define LABEL "sluice-link-id\n"
#define OWNER_LABEL "sluice-link-owner\n"
#define OWNER_MAX 1024 /* bytes of an identity, as other places bound it */

static void sum_owner(unsigned char out[OWNER_LEN],
                      const struct digest_key *key, const char *owner) {
  unsigned char sum[DIGEST_SHA256_LEN];
  char text[sizeof OWNER_LABEL + OWNER_MAX] = OWNER_LABEL;
  size_t len = owner == NULL ? 0 : strnlen(owner, OWNER_MAX);
  if (len > 0)
    memcpy(text + sizeof OWNER_LABEL - 1, owner, len);
  digest_key_sum(key, sum, text, sizeof OWNER_LABEL - 1 + len);
  memcpy(out, sum, OWNER_LEN);
}

static void sum_body(unsigned char out[MAC_LEN], const struct digest_key *key,
                     const unsigned char body[BODY_LEN]) {
  unsigned char sum[DIGEST_SHA256_LEN];
  unsigned char text[sizeof LABEL - 1 + BODY_LEN];
  memcpy(text, LABEL, sizeof LABEL - 1);
  memcpy(text + sizeof LABEL - 1, body, BODY_LEN);
  digest_key_sum(key, sum, text, sizeof text);
  memcpy(out, sum, MAC_LEN);
}

void linkid_make(char out[LINKID_SIZE], const struct digest_key *key,
                 const char *owner, int64_t expires_s) {
  unsigned char raw[RAW_LEN];
  struct buf text;
  digest_random(raw, RANDOM_LEN);
  for (size_t i = 0; i < END_LEN; i++)
    raw[RANDOM_LEN + i] =
        (unsigned char)((uint64_t)expires_s >> 8 * (END_LEN - 1 - i));
  sum_owner(raw + RANDOM_LEN + END_LEN, key, owner);
  sum_body(raw + BODY_LEN, key, raw);
  buf_init(&text, LINKID_SIZE);
  codec_base64url(&text, raw, sizeof raw);
  memset(out, 0, LINKID_SIZE);
  memcpy(out, text.data, text.len < LINKID_SIZE ? text.len : 0);
  buf_fini(&text);
}

static bool unpack(unsigned char raw[RAW_LEN], const char *id) {
  struct buf bytes;
  buf_init(&bytes, RAW_LEN);
  bool ok = strlen(id) == LINKID_SIZE - 1 &&
            codec_unbase64url(&bytes, id, LINKID_SIZE - 1) &&
            bytes.len == RAW_LEN;
  if (ok)
    memcpy(raw, bytes.data, RAW_LEN);
  buf_fini(&bytes);
  return ok;
}

bool linkid_read(const struct digest_key *key, const char *id,
                 int64_t *expires_s) {
  unsigned char raw[RAW_LEN], mac[MAC_LEN];
  if (!unpack(raw, id))
    return false;
  sum_body(mac, key, raw);
  *expires_s = 0;
  for (size_t i = 0; i < END_LEN; i++)
    *expires_s = *expires_s << 8 | raw[RANDOM_LEN + i];
  return digest_equal(mac, raw + BODY_LEN, MAC_LEN);
}

bool linkid_is_of(const struct digest_key *key, const char *id,
                  const char *owner) {
  unsigned char raw[RAW_LEN], sum[OWNER_LEN];
  if (!unpack(raw, id))
    return false;
  sum_owner(sum, key, owner);
  return digest_equal(sum, raw + RANDOM_LEN + END_LEN, OWNER_LEN);
}

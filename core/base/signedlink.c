/* SPDX-License-Identifier: MIT
 *
 * Signed queries.  Called with what clients send.  Values are percent-encoded,
 * so no value can hold a separator.
 */
#include "signedlink.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "quantity.h"
#include "query.h"

#define SCOPE_MAX 4096
#define SIGNATURE "&signature="
#define HEX_LEN (2 * DIGEST_SHA256_LEN)
#define TAIL_LEN (sizeof SIGNATURE - 1 + HEX_LEN)

static bool sign(char hex[HEX_LEN + 1], const struct digest_key *key,
                 const char *scope, const char *query, size_t len) {
  unsigned char mac[DIGEST_SHA256_LEN];
  struct buf text;
  buf_init(&text, SIGNEDLINK_MAX + SCOPE_MAX);
  bool ok = buf_adds(&text, scope) && buf_add(&text, query, len);
  if (ok) {
    digest_key_sum(key, mac, text.data, text.len);
    codec_hex(hex, mac, sizeof mac);
  }
  buf_fini(&text);
  return ok;
}

static void add(struct buf *url, const char *name, const char *value) {
  if (value == NULL || *value == '\0')
    return;
  buf_adds(url, name);
  codec_percent(url, value, strlen(value), CODEC_UNRESERVED);
}

bool signedlink_make(struct buf *url, const struct digest_key *key,
                     const char *scope, const struct signedlink *link) {
  char hex[HEX_LEN + 1];
  size_t start = url->len;
  add(url, "key=", link->key);
  buf_addf(url, "&expires=%lld", (long long)link->expires_s);
  add(url, "&disposition=", link->disposition);
  add(url, "&type=", link->type);
  return !url->overflown &&
         sign(hex, key, scope, url->data + start, url->len - start) &&
         buf_adds(url, SIGNATURE) && buf_adds(url, hex);
}

static bool is_signed(const struct digest_key *key, const char *scope,
                      const char *query, size_t len) {
  char hex[HEX_LEN + 1];
  const char *tail = query + len;
  return memcmp(tail, SIGNATURE, sizeof SIGNATURE - 1) == 0 &&
         sign(hex, key, scope, query, len) &&
         digest_equal(hex, tail + sizeof SIGNATURE - 1, HEX_LEN);
}

static bool read_grant(struct signedlink_grant *grant, const char *query,
                       int64_t *expires) {
  struct buf text;
  buf_init(&text, 32);
  bool ok = query_get(&text, query, "expires") == QUERY_FOUND &&
            quantity_int(text.data, expires);
  buf_fini(&text);
  return ok && query_get(&grant->key, query, "key") == QUERY_FOUND &&
         query_get(&grant->disposition, query, "disposition") != QUERY_BAD &&
         query_get(&grant->type, query, "type") != QUERY_BAD;
}

const char *signedlink_check(struct signedlink_grant *grant,
                             const struct digest_key *key, const char *scope,
                             const char *query, int64_t now_s) {
  int64_t expires = 0;
  size_t len = query == NULL ? 0 : strlen(query);
  buf_init(&grant->key, SIGNEDLINK_MAX);
  buf_init(&grant->disposition, SIGNEDLINK_MAX);
  buf_init(&grant->type, SIGNEDLINK_MAX);
  if (len <= TAIL_LEN || len > SIGNEDLINK_MAX)
    return "the link isn't one of ours";
  len -= TAIL_LEN;
  if (!is_signed(key, scope, query, len))
    return "the link's signature is wrong";
  char *text = strndup(query, len);
  bool readable = text != NULL && read_grant(grant, text, &expires);
  free(text);
  if (!readable)
    return "the link can't be read";
  return now_s > expires ? "the link has expired" : NULL;
}

void signedlink_fini(struct signedlink_grant *grant) {
  buf_fini(&grant->key);
  buf_fini(&grant->disposition);
  buf_fini(&grant->type);
}

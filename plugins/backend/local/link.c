/* SPDX-License-Identifier: MIT
 *
 * A link's query is key=K&expires=SECONDS[&disposition=D][&type=T] and then
 * &signature=HEX, the HMAC-SHA-256 of a version, a method and all before it.
 * Values are percent-encoded, so no value can hold a separator.
 */
#include "link.h"

#include "codec.h"
#include "quantity.h"
#include "query.h"

#include <stdlib.h>
#include <string.h>

#define VERSION "sluice-local-1\nGET\n"
#define SIGNATURE "&signature="
#define HEX_LEN (2 * DIGEST_SHA256_LEN)
#define TAIL_LEN (sizeof SIGNATURE - 1 + HEX_LEN)

static bool link_sign(char hex[HEX_LEN + 1], const struct digest_key *key,
                      const char *query, size_t len) {
  unsigned char mac[DIGEST_SHA256_LEN];
  struct buf text;
  buf_init(&text, LINK_MAX + sizeof VERSION);
  bool ok = buf_adds(&text, VERSION) && buf_add(&text, query, len);
  if (ok) {
    digest_key_sum(key, mac, text.data, text.len);
    codec_hex(hex, mac, sizeof mac);
  }
  buf_fini(&text);
  return ok;
}

/* HEAD is what GET allows. */
static bool is_read(const char *method) {
  return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void link_add(struct buf *url, const char *name, const char *value) {
  if (!value || !*value)
    return;
  buf_adds(url, name);
  codec_percent(url, value, strlen(value), CODEC_UNRESERVED);
}

enum sluice_status link_make(struct buf *url, const struct digest_key *key,
                             const struct sluice_link *link,
                             const char **why) {
  char hex[HEX_LEN + 1];
  *why = NULL;
  if (!is_read(link->method)) {
    *why = "links are for GET and HEAD only";
    return SLUICE_ENOTSUP;
  }
  buf_adds(url, link->signed_url);
  buf_addc(url, '?');
  size_t start = url->len;
  link_add(url, "key=", link->key);
  buf_addf(url, "&expires=%lld", (long long)link->expires_s);
  link_add(url, "&disposition=", link->disposition);
  link_add(url, "&type=", link->type);
  if (url->overflown ||
      !link_sign(hex, key, url->data + start, url->len - start) ||
      !buf_adds(url, SIGNATURE) || !buf_adds(url, hex)) {
    *why = "the link would be too long";
    return SLUICE_EINVAL;
  }
  return SLUICE_OK;
}

static bool is_signed(const struct digest_key *key, const char *query,
                      size_t len) {
  char hex[HEX_LEN + 1];
  const char *tail = query + len;
  return memcmp(tail, SIGNATURE, sizeof SIGNATURE - 1) == 0 &&
         link_sign(hex, key, query, len) &&
         digest_equal(hex, tail + sizeof SIGNATURE - 1, HEX_LEN);
}

static bool read_grant(struct link_grant *grant, const char *query,
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

static const char *refusal(struct link_grant *grant,
                           const struct digest_key *key,
                           const struct sluice_claim *claim, int64_t now_s) {
  int64_t expires = 0;
  size_t len = claim->query ? strlen(claim->query) : 0;
  if (!is_read(claim->method))
    return "the link is for another method";
  if (len <= TAIL_LEN || len > LINK_MAX)
    return "the link isn't one of ours";
  len -= TAIL_LEN;
  if (!is_signed(key, claim->query, len))
    return "the link's signature is wrong";
  char *query = strndup(claim->query, len);
  bool readable = query && read_grant(grant, query, &expires);
  free(query);
  if (!readable)
    return "the link can't be read";
  return now_s > expires ? "the link has expired" : NULL;
}

enum sluice_status link_check(struct link_grant *grant,
                              const struct digest_key *key,
                              const struct sluice_claim *claim, int64_t now_s,
                              const char **why) {
  buf_init(&grant->key, LINK_MAX);
  buf_init(&grant->disposition, LINK_MAX);
  buf_init(&grant->type, LINK_MAX);
  *why = refusal(grant, key, claim, now_s);
  return *why ? SLUICE_EDENIED : SLUICE_OK;
}

void link_fini(struct link_grant *grant) {
  buf_fini(&grant->key);
  buf_fini(&grant->disposition);
  buf_fini(&grant->type);
}

/* SPDX-License-Identifier: MIT
 *
 * AWS Signature Version 4 as S3 has it.  Called for every request and every
 * link.  What is signed is exactly what sigv4_target() writes; the secret and
 * the keys derived from it are wiped before a function returns, but for the
 * one in the caller's cache.
 */
#include "sigv4.h"

#include "codec.h"
#include "date.h"

#include <stdio.h>
#include <string.h>

#include "must.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TEXT_MAX (64u << 10) /* of a canonical request, and of each part */
#define PRESIGN_PAIRS 6      /* what presigning adds to the query */
#define PAIRS_MAX SIGV4_HEADERS_MAX
#define HEX_SIZE (2 * DIGEST_SHA256_LEN + 1)

_Static_assert(SIGV4_QUERY_MAX + PRESIGN_PAIRS <= PAIRS_MAX,
               "a presigned query fits");

/* Names and values, encoded and in order. */
struct pairs {
  struct buf text; /* "name\0value\0", again and again */
  struct sigv4_pair at[PAIRS_MAX];
  size_t count;
};

static void pairs_init(struct pairs *pairs) {
  buf_init(&pairs->text, TEXT_MAX);
  pairs->count = 0;
}

static void end_text(struct pairs *pairs) {
  buf_addc(&pairs->text, '\0');
}

static int compare(const struct sigv4_pair *a, const struct sigv4_pair *b,
                   bool by_value) {
  int order = strcmp(a->name, b->name);

  return order || !by_value ? order : strcmp(a->value, b->value);
}

/* Stable: the values of a repeated header stay in the order of sending. */
static void sort(struct pairs *pairs, bool by_value) {
  for (size_t i = 1; i < pairs->count; i++) {
    struct sigv4_pair pair = pairs->at[i];
    size_t to = i;
    for (; to && compare(&pairs->at[to - 1], &pair, by_value) > 0; to--)
      pairs->at[to] = pairs->at[to - 1];
    pairs->at[to] = pair;
  }
}

/* Once the text stays where it is: points at it. */
static bool pairs_order(struct pairs *pairs, size_t count, bool by_value) {
  const char *at = pairs->text.data;

  if (pairs->text.overflown)
    return false;
  for (pairs->count = 0; pairs->count < count; pairs->count++) {
    struct sigv4_pair *pair = &pairs->at[pairs->count];
    pair->name = at;
    pair->value = at + strlen(at) + 1;
    at = pair->value + strlen(pair->value) + 1;
  }
  sort(pairs, by_value);
  return true;
}

static void add_pair(struct buf *out, const char *before,
                     const struct sigv4_pair *pair, char between) {
  buf_adds(out, before);
  buf_adds(out, pair->name);
  buf_addc(out, between);
  buf_adds(out, pair->value);
}

/* ---- query -------------------------------------------------------------- */

static void add_query(struct pairs *pairs, const struct sigv4_pair *add,
                      size_t count) {
  for (size_t i = 0; i < count; i++) {
    codec_percent(&pairs->text, add[i].name, strlen(add[i].name),
                  CODEC_UNRESERVED);
    end_text(pairs);
    codec_percent(&pairs->text, add[i].value, strlen(add[i].value),
                  CODEC_UNRESERVED);
    end_text(pairs);
  }
}

/* The request's parameters and `more`, as they are sent and signed. */
static bool write_query(struct buf *out, const struct sigv4_request *request,
                        const struct sigv4_pair *more, size_t more_count) {
  struct pairs pairs;
  bool done = false;

  pairs_init(&pairs);
  if (request->query_count > SIGV4_QUERY_MAX)
    goto out;
  add_query(&pairs, request->query, request->query_count);
  add_query(&pairs, more, more_count);
  if (!pairs_order(&pairs, request->query_count + more_count, true))
    goto out;
  for (size_t i = 0; i < pairs.count; i++)
    add_pair(out, i ? "&" : "", &pairs.at[i], '=');
  done = !out->overflown;
out:
  buf_fini(&pairs.text);
  return done;
}

static bool write_path(struct buf *out, const struct sigv4_request *request) {
  must(request->path[0] == '/');
  return codec_percent(out, request->path, strlen(request->path), CODEC_PATH);
}

bool sigv4_target(struct buf *out, const struct sigv4_request *request) {
  if (!write_path(out, request) || !request->query_count)
    return !out->overflown;
  return buf_addc(out, '?') && write_query(out, request, NULL, 0);
}

/* ---- headers ------------------------------------------------------------ */

static bool sigv4_is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Trimmed, and inner runs of space as one.  Line ends count as space, so that
 * no value makes a line of its own. */
static void add_folded(struct buf *out, const char *value) {
  bool gap = false;
  size_t start = out->len;

  for (; *value; value++) {
    if (sigv4_is_space(*value)) {
      gap = true;
      continue;
    }
    if (gap && out->len > start)
      buf_addc(out, ' ');
    gap = false;
    buf_addc(out, *value);
  }
}

static bool order_headers(struct pairs *pairs,
                          const struct sigv4_request *request) {
  pairs_init(pairs);
  if (request->header_count > SIGV4_HEADERS_MAX)
    return false;
  for (size_t i = 0; i < request->header_count; i++) {
    for (const char *at = request->headers[i].name; *at; at++)
      buf_addc(&pairs->text, codec_lower(*at));
    end_text(pairs);
    add_folded(&pairs->text, request->headers[i].value);
    end_text(pairs);
  }
  return pairs_order(pairs, request->header_count, false);
}

/* "host:example\n" for each, and "host;range". */
static bool sigv4_write_headers(struct buf *lines, struct buf *names,
                                const struct sigv4_request *request) {
  struct pairs pairs;
  bool done = order_headers(&pairs, request);

  for (size_t i = 0; i < pairs.count; i++) {
    const struct sigv4_pair *pair = &pairs.at[i];
    if (i && strcmp(pair->name, pair[-1].name) == 0) {
      buf_addc(lines, ',');
      buf_adds(lines, pair->value);
      continue;
    }
    add_pair(lines, i ? "\n" : "", pair, ':');
    buf_adds(names, i ? ";" : "");
    buf_adds(names, pair->name);
  }
  buf_addc(lines, '\n');
  buf_fini(&pairs.text);
  return done && !lines->overflown && !names->overflown;
}

/* ---- signature ---------------------------------------------------------- */

struct signing {
  struct buf path, query, lines, names; /* parts of the canonical request */
  struct buf text;                      /* the request, the text to sign */
  struct buf scope;
  char date[17];
};

static void signing_init(struct signing *s,
                         const struct sigv4_request *request,
                         const struct sigv4_key *key) {
  struct buf *const parts[] = {&s->path,  &s->query, &s->lines,
                               &s->names, &s->text,  &s->scope};

  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    buf_init(parts[i], TEXT_MAX);
  sigv4_date(s->date, request->time_s);
  buf_addf(&s->scope, "%.8s/%s/%s/aws4_request", s->date, key->region,
           key->service);
}

static void signing_fini(struct signing *s) {
  buf_fini(&s->path);
  buf_fini(&s->query);
  buf_fini(&s->lines);
  buf_fini(&s->names);
  buf_fini(&s->text);
  buf_fini(&s->scope);
}

static void hmac(unsigned char out[DIGEST_SHA256_LEN], const char *text) {
  unsigned char key[DIGEST_SHA256_LEN];

  memcpy(key, out, sizeof key);
  digest_hmac_sha256(out, key, sizeof key, text, strlen(text));
  digest_wipe(key, sizeof key);
}

/* The signing key, of four HMACs. */
static struct digest_key *derive_key(const struct signing *s,
                                     const struct sigv4_key *key) {
  char secret[4 + SIGV4_SECRET_MAX];
  unsigned char mac[DIGEST_SHA256_LEN];
  struct digest_key *derived;
  size_t len = strlen(key->secret_key);

  must(len <= SIGV4_SECRET_MAX);
  memcpy(secret, "AWS4", 4);
  memcpy(secret + 4, key->secret_key, len);
  digest_hmac_sha256(mac, secret, 4 + len, s->date, 8);
  digest_wipe(secret, sizeof secret);
  hmac(mac, key->region);
  hmac(mac, key->service);
  hmac(mac, "aws4_request");
  derived = digest_key_new(mac, sizeof mac);
  digest_wipe(mac, sizeof mac);
  return derived;
}

/* All that a signing key is derived from is compared, as credentials are
 * renewed and regions corrected behind our back. */
static void refresh(struct sigv4_cache *cache, const struct signing *s,
                    const struct sigv4_key *key) {
  unsigned char secret[DIGEST_SHA256_LEN];

  digest_sha256(secret, key->secret_key, strlen(key->secret_key));
  if (!cache->key || strcmp(cache->scope, s->scope.data) != 0 ||
      !digest_equal(cache->secret, secret, sizeof secret)) {
    sigv4_cache_fini(cache);
    cache->key = derive_key(s, key);
    memcpy(cache->secret, secret, sizeof secret);
    memcpy(cache->scope, s->scope.data, s->scope.len + 1);
  }
  digest_wipe(secret, sizeof secret);
}

void sigv4_cache_fini(struct sigv4_cache *cache) {
  digest_key_free(cache->key);
  digest_wipe(cache, sizeof *cache);
}

/* False: the secret or the scope is too long. */
static bool sigv4_sign(char hex[HEX_SIZE], const struct signing *s,
                       const struct sigv4_key *key) {
  unsigned char mac[DIGEST_SHA256_LEN];
  struct sigv4_cache once = {0};
  struct sigv4_cache *cache = key->cache ? key->cache : &once;

  if (strlen(key->secret_key) > SIGV4_SECRET_MAX ||
      s->scope.len > SIGV4_SCOPE_MAX)
    return false;
  refresh(cache, s, key);
  digest_key_sum(cache->key, mac, s->text.data, s->text.len);
  sigv4_cache_fini(&once);
  codec_hex(hex, mac, sizeof mac);
  return true;
}

static void add_lines(struct buf *out, const char *const *lines,
                      size_t count) {
  for (size_t i = 0; i < count; i++) {
    buf_adds(out, i ? "\n" : "");
    buf_adds(out, lines[i]);
  }
}

/* With path, query, lines and names in place: the signature. */
static bool signing_finish(char hex[HEX_SIZE], struct signing *s,
                           const struct sigv4_request *request,
                           const struct sigv4_key *key) {
  unsigned char digest[DIGEST_SHA256_LEN];
  const char *const canonical[] = {request->method, s->path.data,
                                   s->query.data,   s->lines.data,
                                   s->names.data,   request->payload};
  const char *const to_sign[] = {ALGORITHM, s->date, s->scope.data, hex};

  add_lines(&s->text, canonical, sizeof canonical / sizeof *canonical);
  if (s->text.overflown || s->scope.overflown)
    return false;
  digest_sha256(digest, s->text.data, s->text.len);
  codec_hex(hex, digest, sizeof digest);
  buf_clear(&s->text);
  add_lines(&s->text, to_sign, sizeof to_sign / sizeof *to_sign);
  return !s->text.overflown && sigv4_sign(hex, s, key);
}

bool sigv4_authorization(struct buf *out, const struct sigv4_request *request,
                         const struct sigv4_key *key) {
  struct signing s;
  char hex[HEX_SIZE];
  bool done;

  signing_init(&s, request, key);
  done = write_path(&s.path, request) &&
         write_query(&s.query, request, NULL, 0) &&
         sigv4_write_headers(&s.lines, &s.names, request) &&
         signing_finish(hex, &s, request, key) &&
         buf_addf(out,
                  ALGORITHM " Credential=%s/%s, SignedHeaders=%s, "
                            "Signature=%s",
                  key->access_key, s.scope.data, s.names.data, hex);
  signing_fini(&s);
  return done;
}

/* The query but for the signature, which nothing follows. */
static bool presign_query(struct signing *s,
                          const struct sigv4_request *request,
                          const struct sigv4_key *key, uint32_t seconds) {
  struct buf credential;
  char expires[11];
  bool done;

  buf_init(&credential, TEXT_MAX);
  done = buf_addf(&credential, "%s/%s", key->access_key, s->scope.data);
  snprintf(expires, sizeof expires, "%u", seconds);
  const struct sigv4_pair more[PRESIGN_PAIRS] = {
      {"X-Amz-Algorithm", ALGORITHM},
      {"X-Amz-Credential", credential.data},
      {"X-Amz-Date", s->date},
      {"X-Amz-Expires", expires},
      {"X-Amz-SignedHeaders", s->names.data},
      {"X-Amz-Security-Token", key->session_token},
  };
  done = done && write_query(&s->query, request, more,
                             PRESIGN_PAIRS - !key->session_token);
  buf_fini(&credential);
  return done;
}

bool sigv4_presign(struct buf *out, const struct sigv4_request *request,
                   const struct sigv4_key *key, uint32_t seconds) {
  struct signing s;
  char hex[HEX_SIZE];
  bool done;

  signing_init(&s, request, key);
  done = write_path(&s.path, request) &&
         sigv4_write_headers(&s.lines, &s.names, request) &&
         presign_query(&s, request, key, seconds) &&
         signing_finish(hex, &s, request, key) &&
         buf_adds(&s.query, "&X-Amz-Signature=") && buf_adds(&s.query, hex) &&
         buf_adds(out, s.query.data);
  signing_fini(&s);
  return done;
}

void sigv4_date(char out[17], int64_t time_s) {
  char iso[DATE_ISO_SIZE]; /* "2013-05-24T00:00:00+00:00" */
  size_t len = 0;

  date_iso(iso, time_s);
  for (size_t i = 0; i < 19; i++)
    if (iso[i] != '-' && iso[i] != ':')
      out[len++] = iso[i];
  out[len++] = 'Z';
  out[len] = '\0';
}

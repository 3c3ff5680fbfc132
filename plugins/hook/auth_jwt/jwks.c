/* SPDX-License-Identifier: MIT
 *
 * Sets of keys, and those of them that a token means.
 */
#include "jwks.h"

#include <stdlib.h>
#include <string.h>

#include "jwks_private.h"
#include "jwtjson.h"

struct jwks *jwks_new(const char *data, size_t len, struct errmsg *errmsg) {
  struct jwks *set = calloc(1, sizeof *set);
  if (set == NULL)
    errmsg_set(errmsg, "there is no memory");
  else
    digest_sha256(set->digest, data, len);
  return set;
}

void jwks_free(struct jwks *set) {
  if (set == NULL)
    return;
  for (size_t i = 0; i < set->count; i++)
    jwk_fini(&set->keys[i]);
  free(set);
}

bool jwks_is_secret(const struct jwks *set) {
  for (size_t i = 0; i < set->count; i++)
    if (set->keys[i].secret != NULL)
      return true;
  return false;
}

/* ---- a set of JSON ------------------------------------------------------ */

static bool same_text(const char *a, const char *b) {
  return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* Would a token have to be tried with more keys than it may be?  Rotation may
 * leave two of one kid, one of which is the old one. */
static bool is_crowded(const struct jwks *set, const struct jwk *key) {
  size_t alike = 0;
  for (size_t i = 0; i < set->count; i++)
    if ((set->keys[i].algs & key->algs) != 0 &&
        same_text(set->keys[i].kid, key->kid))
      alike++;
  return alike >= JWKS_TRIES_MAX;
}

static void jwks_add(struct jwks *set, const json_t *json, size_t number,
                     bool secrets) {
  struct jwk *key = &set->keys[set->count];
  const char *fault = jwk_read(key, json, secrets);
  if (fault == NULL && is_crowded(set, key))
    fault = key->kid == NULL ? "four others before it have no kid either"
                             : "four others before it have its kid";
  if (fault == NULL) {
    set->count++;
    return;
  }
  jwk_fini(key);
  if (set->skipped++ == 0)
    errmsg_set(&set->why, "key %zu isn't used: %s", number, fault);
}

static bool jwks_add_all(struct jwks *set, const json_t *keys, bool secrets,
                         struct errmsg *errmsg) {
  if (!json_is_array(keys))
    return errmsg_set(errmsg, "there is no JSON object with an array 'keys' "
                              "in it, or it has a name twice or is too deep");
  if (json_array_size(keys) > JWKS_KEYS_MAX)
    return errmsg_set(errmsg, "there are more than %d keys", JWKS_KEYS_MAX);
  for (size_t i = 0; i < json_array_size(keys); i++)
    jwks_add(set, json_array_get(keys, i), i + 1, secrets);
  if (set->count > 0)
    return true;
  return errmsg_set(errmsg, "there is no key that can be used%s%.200s",
                    set->skipped > 0 ? ": " : "", set->why.text);
}

struct jwks *jwks_read(const char *data, size_t len, bool secrets,
                       struct errmsg *errmsg) {
  if (len > JWKS_TEXT_MAX) {
    errmsg_set(errmsg, "it is longer than %d bytes", JWKS_TEXT_MAX);
    return NULL;
  }
  struct jwks *set = jwks_new(data, len, errmsg);
  if (set == NULL)
    return NULL;
  json_t *document = jwtjson_read(data, len);
  bool good =
      jwks_add_all(set, json_object_get(document, "keys"), secrets, errmsg);
  json_decref(document);
  set->named = true;
  if (good)
    return set;
  jwks_free(set);
  return NULL;
}

/* ---- trying ------------------------------------------------------------- */

static const struct jwk *only_one(const struct jwks *set, enum jwa alg) {
  const struct jwk *found = NULL;
  for (size_t i = 0; i < set->count; i++) {
    if (!jwk_has(&set->keys[i], alg))
      continue;
    if (found != NULL)
      return NULL;
    found = &set->keys[i];
  }
  return found;
}

static bool is_meant(const struct jwks *set, const struct jwk *key,
                     const struct jws *jws) {
  return !set->named || same_text(key->kid, jws->has_kid ? jws->kid : NULL) ||
         (!jws->has_kid && key == only_one(set, jws->alg));
}

/* A token without kid may be of a key that is new and has none either. */
enum jwks_answer jwks_verify(const struct jwks *set, const struct jws *jws) {
  enum jwks_answer answer = JWKS_NO_KEY;
  for (size_t i = 0; i < set->count; i++) {
    const struct jwk *key = &set->keys[i];
    if (!jwk_has(key, jws->alg) || !is_meant(set, key, jws))
      continue;
    if (jwk_verify(key, jws))
      return JWKS_SIGNED;
    if (jws->has_kid || !set->named)
      answer = JWKS_FORGED;
  }
  return answer;
}

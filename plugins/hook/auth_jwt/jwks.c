/* SPDX-License-Identifier: MIT
 *
 * Sets of keys: which one a token means.
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

/* ---- a set of JSON ------------------------------------------------------ */

static bool same_name(const struct jwk *a, const struct jwk *b) {
  return a->alg == b->alg && a->kid != NULL && b->kid != NULL &&
         strcmp(a->kid, b->kid) == 0;
}

static void add(struct jwks *set, const json_t *json, size_t number,
                bool secrets) {
  struct jwk *key = &set->keys[set->count];
  const char *fault = jwk_read(key, json, secrets);
  for (size_t i = 0; fault == NULL && i < set->count; i++)
    if (same_name(&set->keys[i], key))
      fault = "another one before it has its kid";
  if (fault == NULL) {
    set->count++;
    return;
  }
  jwk_fini(key);
  if (set->skipped++ == 0)
    errmsg_set(&set->why, "key %zu isn't used: %s", number, fault);
}

static bool add_all(struct jwks *set, const json_t *keys, bool secrets,
                    struct errmsg *errmsg) {
  if (!json_is_array(keys))
    return errmsg_set(errmsg, "there is no JSON object with an array 'keys' "
                              "in it, or it has a name twice or is too deep");
  if (json_array_size(keys) > JWKS_KEYS_MAX)
    return errmsg_set(errmsg, "there are more than %d keys", JWKS_KEYS_MAX);
  for (size_t i = 0; i < json_array_size(keys); i++)
    add(set, json_array_get(keys, i), i + 1, secrets);
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
  bool good = add_all(set, json_object_get(document, "keys"), secrets, errmsg);
  json_decref(document);
  set->named = true;
  if (good)
    return set;
  jwks_free(set);
  return NULL;
}

/* ---- which one ---------------------------------------------------------- */

/* Of a set with names; NULL: none, or it isn't clear which. */
static const struct jwk *find(const struct jwks *set, const struct jws *jws) {
  const struct jwk *found = NULL;
  for (size_t i = 0; i < set->count; i++) {
    const struct jwk *key = &set->keys[i];
    if (key->alg != jws->alg)
      continue;
    if (jws->has_kid) {
      if (key->kid != NULL && strcmp(key->kid, jws->kid) == 0)
        return key;
    } else if (found != NULL) {
      return NULL;
    } else {
      found = key;
    }
  }
  return found;
}

static enum jwks_answer try_all(const struct jwks *set,
                                const struct jws *jws) {
  enum jwks_answer answer = JWKS_NO_KEY;
  for (size_t i = 0; i < set->count; i++) {
    if (set->keys[i].alg != jws->alg)
      continue;
    if (jwk_verify(&set->keys[i], jws))
      return JWKS_SIGNED;
    answer = JWKS_FORGED;
  }
  return answer;
}

enum jwks_answer jwks_verify(const struct jwks *set, const struct jws *jws) {
  if (!set->named)
    return try_all(set, jws);
  const struct jwk *key = find(set, jws);
  if (key == NULL)
    return JWKS_NO_KEY;
  return jwk_verify(key, jws) ? JWKS_SIGNED : JWKS_FORGED;
}

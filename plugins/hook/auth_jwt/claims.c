/* SPDX-License-Identifier: MIT
 *
 * Whether a token's claims are good: for us, and now.
 */
#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "claims_private.h"
#include "codec.h"

static bool has(const char *const *list, const char *text) {
  for (; *list != NULL; list++)
    if (strcmp(*list, text) == 0)
      return true;
  return false;
}

/* ---- for whom ----------------------------------------------------------- */

/* RFC 8725, section 3.11: a token for another purpose isn't one for us. */
static const char *check_type(const struct claims_policy *policy,
                              const struct jws *jws) {
  static const char *const usual[] = {"JWT", "at+jwt", NULL};
  bool chosen = policy->types[0] != NULL;
  const char *const *types = chosen ? policy->types : usual;
  if (!jws->has_type)
    return chosen ? "The token has no typ" : NULL;
  for (; *types != NULL; types++)
    if (codec_same(jws->type, strlen(jws->type), *types))
      return NULL;
  return "The token's typ is another one than expected";
}

static const char *check_issuer(const struct claims_policy *policy,
                                const json_t *claims) {
  const char *issuer = jwtjson_text(claims, "iss");
  if (policy->issuer[0] == '\0' ||
      (issuer != NULL && strcmp(issuer, policy->issuer) == 0))
    return NULL;
  return "The token is of another issuer";
}

static const char *check_audience(const struct claims_policy *policy,
                                  const json_t *claims) {
  static const char fault[] = "The token is for another audience";
  const json_t *audience = json_object_get(claims, "aud"), *item;
  bool found = false;
  size_t i;
  if (policy->audience[0] == NULL)
    return NULL;
  if (json_is_string(audience))
    return has(policy->audience, json_string_value(audience)) ? NULL : fault;
  if (json_array_size(audience) > CLAIMS_AUDIENCES_MAX)
    return "The token has too many audiences";
  json_array_foreach(audience, i, item) {
    if (!json_is_string(item))
      return "The token's aud is no text and no list of texts";
    found = found || has(policy->audience, json_string_value(item));
  }
  return found ? NULL : fault;
}

/* ---- when --------------------------------------------------------------- */

/* Fractions are allowed (RFC 7519, section 2); they are cut. */
static bool read_time(const json_t *claims, const char *name, int64_t *out) {
  const json_t *value = json_object_get(claims, name);
  if (!json_is_number(value))
    return false;
  double seconds = json_number_value(value);
  if (!(seconds >= 0 && seconds <= CLAIMS_TIME_MAX))
    return false;
  *out = (int64_t)seconds;
  return true;
}

static const char *check_times(const struct claims_policy *policy,
                               const json_t *claims, int64_t now,
                               struct bearer *bearer) {
  int64_t until, from = 0, issued = 0, leeway = policy->leeway_s;
  if (!read_time(claims, "exp", &until))
    return "The token's exp is missing, or no time";
  if (json_object_get(claims, "nbf") && !read_time(claims, "nbf", &from))
    return "The token's nbf is no time";
  if (json_object_get(claims, "iat") && !read_time(claims, "iat", &issued))
    return "The token's iat is no time";
  bearer->until_s = until + leeway;
  bearer->from_s = (from > issued ? from : issued) - leeway;
  if (now >= bearer->until_s)
    return "The token has expired";
  if (now < from - leeway)
    return "The token is not valid yet";
  if (now < issued - leeway)
    return "The token was issued in the future";
  return NULL;
}

/* ---- all of it ---------------------------------------------------------- */

static const char *claims_check(const struct claims_policy *policy,
                                const struct jws *jws, const json_t *claims,
                                int64_t now, struct bearer *bearer) {
  const char *fault = check_type(policy, jws);
  if (fault == NULL)
    fault = check_issuer(policy, claims);
  if (fault == NULL)
    fault = check_audience(policy, claims);
  if (fault == NULL)
    fault = check_times(policy, claims, now, bearer);
  if (fault == NULL)
    fault = claims_give(policy, claims, bearer);
  return fault;
}

const char *claims_read(const struct claims_policy *policy,
                        const struct jws *jws, int64_t now,
                        struct bearer **bearer) {
  const char *fault = "The token's payload is no JSON object, or not as "
                      "strict as it has to be";
  json_t *claims = jwtjson_read(jws->payload.data, jws->payload.len);
  struct bearer *made = calloc(1, sizeof *made);
  *bearer = NULL;
  if (made == NULL) {
    json_decref(claims);
    return "There is no memory";
  }
  made->references = 1;
  if (claims != NULL)
    fault = claims_check(policy, jws, claims, now, made);
  json_decref(claims);
  if (fault != NULL)
    bearer_drop(made);
  else
    *bearer = made;
  return fault;
}

struct bearer *bearer_hold(struct bearer *bearer) {
  bearer->references++;
  return bearer;
}

void bearer_drop(struct bearer *bearer) {
  if (bearer == NULL || --bearer->references > 0)
    return;
  for (size_t i = 0; bearer->prefixes != NULL && bearer->prefixes[i] != NULL;
       i++)
    free(bearer->prefixes[i]);
  free(bearer->prefixes);
  free(bearer->identity);
  free(bearer);
}

/* SPDX-License-Identifier: MIT
 *
 * A token's claims give an identity, operations and prefixes.
 */
#include <stdlib.h>
#include <string.h>

#include "claims_private.h"
#include "codec.h"

/* ---- who ---------------------------------------------------------------- */

static bool is_identity(const char *text) {
  size_t len = strlen(text);
  if (len == 0 || len > CLAIMS_IDENTITY_MAX || !codec_utf8_valid(text, len))
    return false;
  while (*text != '\0')
    if (codec_control(codec_utf8_next(&text)))
      return false;
  return true;
}

static const char *give_identity(const struct claims_policy *policy,
                                 const json_t *claims, struct bearer *bearer) {
  const char *text = jwtjson_text(claims, policy->identity_claim);
  if (text == NULL || !is_identity(text))
    return "The token does not say who it is for, or not in a way that can "
           "be used";
  bearer->identity = strdup(text);
  return bearer->identity == NULL ? "There is no memory" : NULL;
}

/* ---- what --------------------------------------------------------------- */

/* Words of other applications are nothing to us. */
static unsigned operation_of(const struct claims_policy *policy,
                             const char *word, size_t len) {
  char name[16];
  size_t skip = strlen(policy->operations_prefix);
  if (len < skip || memcmp(word, policy->operations_prefix, skip) != 0 ||
      len - skip >= sizeof name)
    return 0;
  memcpy(name, word + skip, len - skip);
  name[len - skip] = '\0';
  return grants_operation(name);
}

static unsigned operations_of(const struct claims_policy *policy,
                              const char *words) {
  unsigned operations = 0;
  while (*words != '\0') {
    size_t len = strcspn(words, " ");
    operations |= operation_of(policy, words, len);
    words += len + strspn(words + len, " ");
  }
  return operations;
}

static const char *give_operations(const struct claims_policy *policy,
                                   const json_t *claims,
                                   struct bearer *bearer) {
  const json_t *claim = json_object_get(claims, policy->operations_claim);
  const json_t *item;
  size_t i;
  if (policy->operations_claim[0] == '\0' || claim == NULL) {
    bearer->grants.operations = policy->operations;
    return NULL;
  }
  if (json_is_string(claim)) {
    bearer->grants.operations =
        operations_of(policy, json_string_value(claim));
    return NULL;
  }
  if (!json_is_array(claim))
    return "The token's operations are no text and no list";
  json_array_foreach(claim, i, item) {
    if (!json_is_string(item))
      return "The token's operations are no list of texts";
    bearer->grants.operations |= operation_of(policy, json_string_value(item),
                                              json_string_length(item));
  }
  return NULL;
}

/* ---- where -------------------------------------------------------------- */

static const char *add_prefix(struct bearer *bearer, size_t at,
                              const json_t *item) {
  const char *prefix = json_string_value(item);
  if (prefix == NULL || grants_prefix_fault(prefix) != NULL)
    return "The token's prefixes are no list of prefixes that can be used";
  bearer->prefixes[at] = strdup(prefix);
  return bearer->prefixes[at] == NULL ? "There is no memory" : NULL;
}

static const char *own_prefixes(struct bearer *bearer, const json_t *claim) {
  bool list = json_is_array(claim);
  size_t count = list ? json_array_size(claim) : 1;
  const char *fault = NULL;
  if (count > GRANTS_PREFIXES_MAX)
    return "The token has too many prefixes";
  bearer->prefixes = calloc(count + 1, sizeof *bearer->prefixes);
  if (bearer->prefixes == NULL)
    return "There is no memory";
  for (size_t i = 0; fault == NULL && i < count; i++)
    fault = add_prefix(bearer, i, list ? json_array_get(claim, i) : claim);
  bearer->grants.prefixes = (const char *const *)bearer->prefixes;
  return fault;
}

static const char *give_prefixes(const struct claims_policy *policy,
                                 const json_t *claims, struct bearer *bearer) {
  const json_t *claim = json_object_get(claims, policy->prefixes_claim);
  if (policy->prefixes_claim[0] != '\0' && claim != NULL)
    return own_prefixes(bearer, claim);
  bearer->grants.prefixes = policy->prefixes;
  return NULL;
}

const char *claims_give(const struct claims_policy *policy,
                        const json_t *claims, struct bearer *bearer) {
  const char *fault = give_identity(policy, claims, bearer);
  if (fault == NULL)
    fault = give_operations(policy, claims, bearer);
  if (fault == NULL)
    fault = give_prefixes(policy, claims, bearer);
  return fault;
}

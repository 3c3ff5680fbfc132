/* SPDX-License-Identifier: MIT
 *
 * Grants.  Everything that isn't named is refused: operations of a later
 * version, keys that no prefix reaches, identities that would climb.
 */
#include "grants.h"

#include <string.h>

#include "key.h"
#include "words.h"

#define DEBUG "debug"

unsigned grants_operation(const char *name) {
  enum operation operation = operation_find(name);
  if (strcmp(name, "*") == 0)
    return GRANTS_ALL;
  if (strcmp(name, DEBUG) == 0)
    return GRANTS_DEBUG;
  return operation < OPERATION_SIGNED ? OPERATION_BIT(operation) : 0;
}

const char *grants_prefix_fault(const char *prefix) {
  const char *fault = key_fault(prefix, strlen(prefix));
  if (fault != NULL)
    return fault;
  if (*prefix == '/')
    return "A prefix begins with \"/\"; keys don't, so drop it";
  const char *user = strstr(prefix, GRANTS_USER);
  if (user == NULL)
    return NULL;
  user += strlen(GRANTS_USER);
  if (strstr(user, GRANTS_USER) != NULL)
    return "A prefix has \"{user}\" twice; once is all it may";
  if (strchr(user, '/') == NULL)
    return "A prefix has no \"/\" after \"{user}\"; without it bob would "
           "reach what is bobby's";
  return NULL;
}

static bool grants_unknown(const char *name, struct errmsg *err) {
  const char *words[OPERATION_WORDS + 1];
  char list[128];
  size_t count = 0;
  operation_words(words, DEBUG);
  while (words[count] != NULL)
    count++;
  words[count++] = "*";
  words[count] = NULL;
  words_join(list, sizeof list, words);
  const char *nearest = words_nearest(name, words);
  if (nearest != NULL)
    return errmsg_set(err,
                      "'operations': '%.32s' is not known; did you mean '%s'?",
                      name, nearest);
  return errmsg_set(
      err, "'operations': '%.32s' is not known; write some of %s", name, list);
}

bool grants_take_operations(struct grants *grants, const char *const *names,
                            struct errmsg *err) {
  for (; *names != NULL; names++) {
    unsigned bits = grants_operation(*names);
    if (bits == 0)
      return grants_unknown(*names, err);
    grants->operations |= bits;
  }
  return true;
}

bool grants_take_prefixes(struct grants *grants, const char *const *prefixes,
                          struct errmsg *err) {
  for (size_t i = 0; prefixes[i] != NULL; i++) {
    const char *fault = grants_prefix_fault(prefixes[i]);
    if (fault != NULL)
      return errmsg_set(err, "'prefixes': '%.64s': %s", prefixes[i], fault);
    if (i == GRANTS_PREFIXES_MAX)
      return errmsg_set(err, "'prefixes' has more than %d; write fewer",
                        GRANTS_PREFIXES_MAX);
  }
  grants->prefixes = prefixes;
  return true;
}

bool grants_allow(const struct grants *grants, const char *name) {
  enum operation operation = operation_find(name);
  return operation < OPERATION_SIGNED &&
         (grants->operations & OPERATION_BIT(operation)) != 0;
}

static bool is_segment(const char *identity) {
  return identity != NULL && *identity != '\0' &&
         strchr(identity, '/') == NULL && strcmp(identity, ".") != 0 &&
         strcmp(identity, "..") != 0;
}

/* The key behind part[0..len); NULL: it begins otherwise. */
static const char *past(const char *key, const char *part, size_t len) {
  return strncmp(key, part, len) == 0 ? key + len : NULL;
}

static bool reaches(const char *prefix, const char *identity,
                    const char *key) {
  const char *user = strstr(prefix, GRANTS_USER);
  if (user == NULL)
    return past(key, prefix, strlen(prefix)) != NULL;
  if (!is_segment(identity))
    return false;
  key = past(key, prefix, (size_t)(user - prefix));
  if (key != NULL)
    key = past(key, identity, strlen(identity));
  user += strlen(GRANTS_USER);
  return key != NULL && past(key, user, strlen(user)) != NULL;
}

bool grants_reach(const struct grants *grants, const char *identity,
                  const char *key) {
  if (key == NULL || grants->prefixes == NULL ||
      key_found_fault(key, strlen(key)) != NULL)
    return false;
  for (size_t i = 0; grants->prefixes[i] != NULL; i++)
    if (reaches(grants->prefixes[i], identity, key))
      return true;
  return false;
}

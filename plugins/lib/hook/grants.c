/* SPDX-License-Identifier: MIT
 *
 * What somebody may do.  Everything that isn't named is refused: operations of
 * a later version, keys that no prefix reaches, identities that would climb.
 */
#include "grants.h"

#include <string.h>

#include "key.h"

static const struct {
  const char *name;
  unsigned bits;
} operations[] = {{"upload", GRANTS_UPLOAD},     {"presign", GRANTS_PRESIGN},
                  {"download", GRANTS_DOWNLOAD}, {"list", GRANTS_LIST},
                  {"delete", GRANTS_DELETE},     {"*", GRANTS_ALL}};

unsigned grants_operation(const char *name) {
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    if (strcmp(operations[i].name, name) == 0)
      return operations[i].bits;
  return 0;
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

bool grants_allow(const struct grants *grants, const char *operation) {
  unsigned bits = operation == NULL || strcmp(operation, "*") == 0
                      ? 0
                      : grants_operation(operation);
  return (grants->operations & bits) != 0;
}

static bool is_segment(const char *identity) {
  return identity != NULL && *identity != '\0' &&
         strchr(identity, '/') == NULL && strcmp(identity, ".") != 0 &&
         strcmp(identity, "..") != 0;
}

/* What follows part[0..len) in the key; NULL: the key begins otherwise. */
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
      key_fault(key, strlen(key)) != NULL)
    return false;
  for (size_t i = 0; grants->prefixes[i] != NULL; i++)
    if (reaches(grants->prefixes[i], identity, key))
      return true;
  return false;
}

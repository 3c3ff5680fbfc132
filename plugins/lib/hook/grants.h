/* SPDX-License-Identifier: MIT
 *
 * What somebody may do: operations, and prefixes of keys.  Hooks that know
 * people keep one in a request's state and ask it in both phases.
 */
#ifndef HOOK_GRANTS_H
#define HOOK_GRANTS_H

#include <sluice/plugin.h>

#define GRANTS_PREFIXES_MAX 64
#define GRANTS_USER "{user}" /* in a prefix: the identity */

enum grants_operation { /* bits */
                        GRANTS_UPLOAD = 1,
                        GRANTS_PRESIGN = 2,
                        GRANTS_DOWNLOAD = 4,
                        GRANTS_LIST = 8,
                        GRANTS_DELETE = 16,
                        GRANTS_ALL = 31
};

struct grants {
  unsigned operations; /* of enum grants_operation */
  /* Keys, and prefixes of lists, begin with one of these; ends with NULL;
   * none at all: no key. */
  const char *const *prefixes;
};

/* The bit of a name ("upload", "*" for all); 0: no such operation. */
unsigned grants_operation(const char *name);

/* Why a prefix can't be used, or NULL: it isn't UTF-8, has control characters,
 * a segment "." or "..", is over 1024 bytes, begins with "/", holds more than
 * one "{user}", or no "/" after it: "users/{user}" would open users/bobby to
 * bob.  Fine is "": every key. */
const char *grants_prefix_fault(const char *prefix);

/* In on_request: may this operation be begun?  False for any that isn't
 * known. */
bool grants_allow(const struct grants *, const char *operation);

/* In on_key: does the key (or the prefix of a list) begin with one of the
 * prefixes, byte for byte, "{user}" replaced by the identity?  A prefix with
 * "{user}" matches nothing for an identity that is NULL, empty, "." or "..",
 * or has a "/".  What can't be a key (key_fault()) is never reached. */
bool grants_reach(const struct grants *, const char *identity,
                  const char *key);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Grants: the operations that somebody may do, and the prefixes of their keys.
 * Hooks that know people keep one in a request's state and ask it in both
 * phases.
 */
#ifndef HOOK_GRANTS_H
#define HOOK_GRANTS_H

#include <sluice/plugin.h>

#include "errmsg.h"
#include "operation.h"

#define GRANTS_PREFIXES_MAX 64
#define GRANTS_USER "{user}" /* in a prefix: the identity */

/* The bits of all operations that may be granted. */
#define GRANTS_ALL (OPERATION_BIT(OPERATION_SIGNED) - 1)

/* "debug": no operation, but to see how long what took.  "*" hasn't it. */
#define GRANTS_DEBUG (1u << 31)

struct grants {
  unsigned operations; /* OPERATION_BIT() of each, and GRANTS_DEBUG */
  /* Keys, and prefixes of lists, begin with one of these; ends with NULL;
   * none at all: no key. */
  const char *const *prefixes;
};

/* The bits of a name ("upload", "debug", "*" for all); 0: it is none. */
unsigned grants_operation(const char *name);

/* Why a prefix can't be used, or NULL: it isn't UTF-8, has control characters,
 * a segment "." or "..", is over 1024 bytes, begins with "/", holds more than
 * one "{user}", or no "/" after it: "users/{user}" would open users/bobby to
 * bob.  Fine is "": every key. */
const char *grants_prefix_fault(const char *prefix);

/* Of options called 'operations' and 'prefixes': lists that end with NULL, and
 * that are lent as long as the grants.  False and what to change. */
bool grants_take_operations(struct grants *, const char *const *names,
                            struct errmsg *);
bool grants_take_prefixes(struct grants *, const char *const *prefixes,
                          struct errmsg *);

/* In on_request: may this operation be begun?  False for any that isn't
 * known. */
bool grants_allow(const struct grants *, const char *operation);

/* Of somebody who is admitted: the answer tells how long what took, if they
 * may see it. */
static inline void grants_show(const struct grants *grants,
                               struct sluice_request *request) {
  if ((grants->operations & GRANTS_DEBUG) != 0)
    sluice_request_debug(request);
}

/* In on_key: does the key (or the prefix of a list) begin with one of the
 * prefixes, byte for byte, "{user}" replaced by the identity?  A prefix with
 * "{user}" matches nothing for an identity that is NULL, empty, "." or "..",
 * or has a "/".  A key that a storage might climb by (key_found_fault()) is
 * never reached. */
bool grants_reach(const struct grants *, const char *identity,
                  const char *key);

#endif

/* SPDX-License-Identifier: MIT
 *
 * WWW-Authenticate: how to ask for credentials (RFC 9110, section 11.6.1), and
 * when to come back with them.
 */
#ifndef HOOK_CHALLENGE_H
#define HOOK_CHALLENGE_H

#include <sluice/plugin.h>

#define CHALLENGE_REALM_MAX 128

/* Why it can't be a realm, or NULL: it is empty, too long, or not all of it is
 * printable ASCII. */
const char *challenge_realm_fault(const char *realm);

/* In on_response of a 401 adds `Bearer realm="..."`.  `error` is a code of
 * RFC 6750, section 3.1, and `why` is for people; NULL: there is nothing to
 * say, as when no token came. */
void challenge_bearer(struct sluice_request *, const char *realm,
                      const char *error, const char *why);
/* Basic realm="...", charset="UTF-8" (RFC 7617) */
void challenge_basic(struct sluice_request *, const char *realm);
/* In on_response of a 429: Retry-After. */
void challenge_later(struct sluice_request *, unsigned seconds);

#endif

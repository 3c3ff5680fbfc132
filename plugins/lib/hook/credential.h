/* SPDX-License-Identifier: MIT
 *
 * The credentials of an Authorization header, read strictly: RFC 9110, section
 * 11.6.2, with the tokens of RFC 6750 and the pairs of RFC 7617.
 */
#ifndef HOOK_CREDENTIAL_H
#define HOOK_CREDENTIAL_H

#include <sluice/plugin.h>

#define CREDENTIAL_USER_MAX 256 /* bytes, as an identity's */
#define CREDENTIAL_PASSWORD_MAX 256

enum credential {
  CREDENTIAL_NONE, /* no header, or of another scheme */
  CREDENTIAL_BAD,  /* of this scheme, but not as it has to be, or too long */
  CREDENTIAL_GOOD
};

/* "Bearer", one or more spaces, a b64token of at most `max` bytes: *token gets
 * into `header`, and ends with it.  The scheme may be in any case.  `header`
 * NULL: CREDENTIAL_NONE. */
enum credential credential_bearer(const char *header, size_t max,
                                  const char **token);
/* Is it a b64token (letters, digits, -._~+/ and then =) of 1..max bytes? */
bool credential_token(const char *text, size_t max);

struct credential_basic {
  char user[CREDENTIAL_USER_MAX + 1];
  char password[CREDENTIAL_PASSWORD_MAX + 1];
};

/* "Basic" and base64 with its padding, without bits left over, of a user that
 * isn't empty, a colon, and a password: UTF-8 without control characters.
 * Filled only when it is good; wipe it then. */
enum credential credential_basic(const char *header,
                                 struct credential_basic *);
void credential_basic_wipe(struct credential_basic *);

#endif

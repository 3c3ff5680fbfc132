/* SPDX-License-Identifier: MIT
 *
 * The host of a URL, with a port or not (RFC 3986, section 3.2): what requests
 * name, and which of them links may begin with.
 */
#ifndef BASE_AUTHORITY_H
#define BASE_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

#define AUTHORITY_MAX 1024 /* bytes */

/* A name or an address, with a port or not.  RFC 3986 allows more letters, but
 * no host in use has them, and hosts are put into URLs. */
bool authority_valid(const char *text);

/* A pattern is an authority, or a host with ":*", which means any port and
 * none.  NULL, or what is wrong with it. */
const char *authority_pattern_fault(const char *pattern);
/* Whatever the case of the letters. */
bool authority_matches(const char *authority, const char *pattern);
/* How long the pattern is without ":*". */
size_t authority_pattern_len(const char *pattern);

#endif

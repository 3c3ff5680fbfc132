/* SPDX-License-Identifier: MIT
 *
 * Whose request it is that came through proxies: X-Forwarded-For, as far as
 * it can be believed.
 */
#ifndef BASE_FORWARDED_H
#define BASE_FORWARDED_H

#include "cidr.h"
#include "head.h"

#define FORWARDED_HOPS_MAX                         \
  32 /* entries that are looked at, from the right \
      */

/* The rightmost address of all X-Forwarded-For lines together that isn't a
 * trusted proxy's, when `peer` is one; the leftmost when all are.  Whatever
 * isn't an address ends the search: what stands right of it was written by
 * proxies that are trusted, and the last of these it is.  `out` gets the peer
 * itself when it isn't trusted. */
void forwarded_client(char out[CIDR_TEXT_SIZE], const char *peer,
                      const struct cidr *trusted, size_t count,
                      const struct head *);

#endif

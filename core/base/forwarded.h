/* SPDX-License-Identifier: MIT
 *
 * The word of proxies on a request, as far as it can be believed: whose it is
 * (X-Forwarded-For), and which URL it had (X-Forwarded-Proto, -Host and
 * -Prefix, or Forwarded of RFC 7239).
 */
#ifndef BASE_FORWARDED_H
#define BASE_FORWARDED_H

#include "cidr.h"
#include "head.h"

#define FORWARDED_HOPS_MAX 32 /* entries that are looked at */
#define FORWARDED_HOST_MAX 255
#define FORWARDED_PREFIX_MAX 255

/* The rightmost address of all X-Forwarded-For lines together that isn't a
 * trusted proxy's, when `peer` is one; the leftmost when all are.  Whatever
 * isn't an address ends the search: what stands right of it was written by
 * proxies that are trusted, and the last of these it is.  `out` gets the peer
 * itself when it isn't trusted. */
void forwarded_client(char out[CIDR_TEXT_SIZE], const char *peer,
                      const struct cidr *trusted, size_t count,
                      const struct head *);

struct forwarded { /* each "" where nobody said it, or it isn't one */
  char proto[6];   /* http, https */
  char host[FORWARDED_HOST_MAX + 1];     /* with its port or not */
  char prefix[FORWARDED_PREFIX_MAX + 1]; /* "/a/b", without a final slash */
};

/* Reads what the proxy at the other end of the connection, when it is one that
 * is trusted, says of the URL that the client asked for.  Of a list the last
 * element counts, which that proxy wrote; but of Forwarded an element further
 * left, as long as all right of it came from trusted proxies.  Where both
 * kinds say something, the X-Forwarded- one counts. */
void forwarded_url(struct forwarded *, const char *peer,
                   const struct cidr *trusted, size_t count,
                   const struct head *);

#endif

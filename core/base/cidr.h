/* SPDX-License-Identifier: MIT
 *
 * Addresses and blocks of them.  All are 16 bytes: an IPv4 address is its
 * mapped form, ::ffff:a.b.c.d, so that both spellings are one address.
 */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include <stdbool.h>
#include <stddef.h>

#define CIDR_UNIX "unix:" /* what a peer on a Unix socket is called */
#define CIDR_TEXT_SIZE 46 /* of an address, with NUL */

struct cidr_address {
  unsigned char bytes[16];
  bool is_unix; /* no address at all; bytes are 0 */
};

struct cidr {
  struct cidr_address address;
  unsigned bits; /* that count: 0..128 */
};

/* "10.1.2.3", "::1", "::ffff:10.1.2.3", "unix:"; no zone, no port. */
bool cidr_address(struct cidr_address *, const char *text, size_t len);
/* RFC 5952; a mapped one as IPv4. */
void cidr_print(char out[CIDR_TEXT_SIZE], const struct cidr_address *);
bool cidr_is_v4(const struct cidr_address *);
/* Clears all but the first `v4` or `v6` bits, counted as each family does. */
void cidr_mask(struct cidr_address *, unsigned v4, unsigned v6);

/* An address, or one with "/bits".  NULL, or why it is none: what to change.
 * Bits behind those that count have to be 0. */
const char *cidr_parse(struct cidr *, const char *text);
bool cidr_holds(const struct cidr *, const struct cidr_address *);

#endif

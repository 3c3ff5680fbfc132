/* SPDX-License-Identifier: MIT
 *
 * The numbers that stand for clients in tables: a client is the block of
 * addresses that one household or host has, an IPv6 /64 as a rule.  Nobody
 * outside can choose whose number is near whose.
 */
#ifndef HOOK_CLIENTBLOCK_H
#define HOOK_CLIENTBLOCK_H

#include <stdint.h>

#include "siphash.h"

#define CLIENTBLOCK_V4_BITS 32
#define CLIENTBLOCK_V6_BITS 64

struct clientblock {
  unsigned char key[SIPHASH_KEY_LEN];
  unsigned v4_bits, v6_bits; /* of an address, that count */
};

/* With a key of its own; digest_wipe() it. */
void clientblock_init(struct clientblock *, unsigned v4_bits,
                      unsigned v6_bits);
/* `client` is what sluice_request_client() says. */
uint64_t clientblock_hash(const struct clientblock *, const char *client);
/* Of a name, wherever it comes from: at most 256 bytes of it. */
uint64_t clientblock_name(const struct clientblock *, const char *name);
/* Of a name that comes from this client. */
uint64_t clientblock_pair(const struct clientblock *, const char *client,
                          const char *name);

#endif

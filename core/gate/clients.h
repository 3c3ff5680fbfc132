/* SPDX-License-Identifier: MIT
 *
 * Counts of open connections and of requests in flight by client, over all
 * loops.  A client is an address, of IPv6 a /64, which is what a network
 * gives to one of its users.
 */
#ifndef GATE_CLIENTS_H
#define GATE_CLIENTS_H

#include "settings.h"
#include "siphash.h"
#include "tally.h"

struct clients {
  struct tally *connections, *requests;
  unsigned char secret[SIPHASH_KEY_LEN];
};

/* `connections`: as many as there can be in the process.  False: no memory. */
bool clients_init(struct clients *, size_t connections);
void clients_fini(struct clients *);

/* Addresses as in ingress_peer(); where there is no limit, they aren't
 * counted. False: it has all that it may have. True: tally_leave() at the end.
 */
bool clients_connect(struct clients *, const struct settings *,
                     const char *peer, struct tally_ticket *);
bool clients_request(struct clients *, const struct settings *,
                     const char *client, struct tally_ticket *);

#endif

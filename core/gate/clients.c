/* SPDX-License-Identifier: MIT
 *
 * Clients by address.  Each open connection and each request in flight needs
 * one word of a table at most, so four times as many nearly never lack room;
 * where they do, it isn't counted, and nobody is refused.
 */
#include "clients.h"

#include <string.h>

#include "digest.h"

#define SPARE 4

bool clients_init(struct clients *clients, size_t connections) {
  *clients = (struct clients){.connections = tally_new(connections * SPARE),
                              .requests = tally_new(connections * SPARE)};
  digest_random(clients->secret, sizeof clients->secret);
  return clients->connections != NULL && clients->requests != NULL;
}

void clients_fini(struct clients *clients) {
  tally_free(clients->connections);
  tally_free(clients->requests);
  clients->connections = clients->requests = NULL;
}

static bool is_proxy(const struct settings_server *server,
                     const struct cidr_address *address) {
  for (size_t i = 0; i < server->trusted_count; i++)
    if (cidr_holds(&server->trusted[i], address))
      return true;
  return false;
}

static bool clients_count(const struct clients *clients, struct tally *tally,
                          struct cidr_address *address, int64_t limit,
                          struct tally_ticket *ticket) {
  cidr_mask(address, 32, 64);
  uint64_t hash =
      siphash(clients->secret, address->bytes, sizeof address->bytes);
  switch (tally_add(tally, hash, (uint32_t)limit)) {
  case TALLY_COUNTED:
    *ticket = (struct tally_ticket){tally, hash};
    return true;
  case TALLY_AT_LIMIT:
    return false;
  case TALLY_NO_ROOM:
    break;
  }
  return true;
}

bool clients_connect(struct clients *clients, const struct settings *settings,
                     const char *peer, struct tally_ticket *ticket) {
  int64_t most = settings->limits.client_connections;
  struct cidr_address address;
  *ticket = (struct tally_ticket){NULL, 0};
  if (most == 0 || !cidr_address(&address, peer, strlen(peer)) ||
      address.is_unix || is_proxy(&settings->server, &address))
    return true;
  return clients_count(clients, clients->connections, &address, most, ticket);
}

bool clients_request(struct clients *clients, const struct settings *settings,
                     const char *client, struct tally_ticket *ticket) {
  int64_t most = settings->limits.client_requests;
  struct cidr_address address;
  *ticket = (struct tally_ticket){NULL, 0};
  if (most == 0 || !cidr_address(&address, client, strlen(client)) ||
      address.is_unix)
    return true;
  return clients_count(clients, clients->requests, &address, most, ticket);
}

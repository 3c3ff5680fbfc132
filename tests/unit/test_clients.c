/* SPDX-License-Identifier: MIT
 *
 * Clients by address: who is one, and how much it may have at once.
 */
#include "clients.h"
#include "unit.h"

#include <stdio.h>

#define ROW(row, holds) \
  CU_assertImplementation((holds), __LINE__, (row), __FILE__, "", CU_FALSE)

struct bench {
  struct settings settings;
  struct cidr proxy;
  struct clients clients;
};

static void bench_init(struct bench *b, int64_t connections,
                       int64_t requests) {
  *b =
      (struct bench){.settings = {.limits = {.client_connections = connections,
                                             .client_requests = requests}}};
  CU_ASSERT_PTR_NULL(cidr_parse(&b->proxy, "10.0.0.0/8"));
  b->settings.server.trusted = &b->proxy;
  b->settings.server.trusted_count = 1;
  CU_ASSERT_TRUE(clients_init(&b->clients, 1000));
}

static void test_each_client_has_its_connections_up_to_the_limit(void) {
  static const struct {
    const char *first, *second;
    bool same;
  } rows[] = {
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"192.0.2.1", "::ffff:192.0.2.1", true},
      {"2001:db8::1", "2001:db8::ffff:1:2:3", true},
      {"2001:db8::1", "2001:db8:0:1::1", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct bench b;
    struct tally_ticket tickets[4];
    bench_init(&b, 2, 0);
    for (int k = 0; k < 2; k++)
      ROW(rows[i].first, clients_connect(&b.clients, &b.settings,
                                         rows[i].first, &tickets[k]));
    ROW(rows[i].second,
        clients_connect(&b.clients, &b.settings, rows[i].second,
                        &tickets[2]) != rows[i].same);
    tally_leave(&tickets[0]);
    ROW(rows[i].first,
        clients_connect(&b.clients, &b.settings, rows[i].first, &tickets[3]));
    clients_fini(&b.clients);
  }
}

static void test_proxies_and_unix_peers_connect_as_they_like(void) {
  static const char *const peers[] = {"10.1.2.3", "::ffff:10.9.9.9", "unix:"};
  struct bench b;
  struct tally_ticket ticket;
  bench_init(&b, 1, 1);
  for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
    for (int k = 0; k < 5; k++) {
      ROW(peers[i],
          clients_connect(&b.clients, &b.settings, peers[i], &ticket));
      ROW(peers[i], ticket.tally == NULL);
    }
  clients_fini(&b.clients);
}

static void test_requests_of_a_proxy_itself_are_counted(void) {
  struct bench b;
  struct tally_ticket ticket, second;
  bench_init(&b, 1, 1);
  CU_ASSERT_TRUE(
      clients_request(&b.clients, &b.settings, "10.1.2.3", &ticket));
  CU_ASSERT_FALSE(
      clients_request(&b.clients, &b.settings, "10.1.2.3", &second));
  CU_ASSERT_TRUE(
      clients_request(&b.clients, &b.settings, "192.0.2.1", &second));
  CU_ASSERT_TRUE(
      clients_connect(&b.clients, &b.settings, "192.0.2.1", &second));
  clients_fini(&b.clients);
}

static void test_zero_counts_nobody(void) {
  struct bench b;
  struct tally_ticket ticket;
  bench_init(&b, 0, 0);
  for (int i = 0; i < 5; i++) {
    CU_ASSERT_TRUE(
        clients_connect(&b.clients, &b.settings, "192.0.2.1", &ticket));
    CU_ASSERT_TRUE(
        clients_request(&b.clients, &b.settings, "192.0.2.1", &ticket));
  }
  clients_fini(&b.clients);
}

/* More addresses than there is room for: nobody is refused for it. */
static void test_a_flood_of_addresses_needs_no_more_memory(void) {
  struct bench b;
  char name[32];
  size_t counted = 0;
  struct tally_ticket ticket;
  bench_init(&b, 1, 1);
  for (int i = 0; i < 100000; i++) {
    snprintf(name, sizeof name, "192.%d.%d.%d", i >> 16, i >> 8 & 255,
             i & 255);
    if (!clients_connect(&b.clients, &b.settings, name, &ticket))
      CU_FAIL("a stranger was refused");
    counted += ticket.tally != NULL;
  }
  CU_ASSERT(counted >= 1000 && counted <= 4096);
  clients_fini(&b.clients);
}

int main(void) {
  static const struct unit_test tests[] = {
      UNIT(test_each_client_has_its_connections_up_to_the_limit),
      UNIT(test_proxies_and_unix_peers_connect_as_they_like),
      UNIT(test_requests_of_a_proxy_itself_are_counted),
      UNIT(test_zero_counts_nobody),
      UNIT(test_a_flood_of_addresses_needs_no_more_memory),
      {NULL, NULL}};
  return unit_main("clients", tests);
}

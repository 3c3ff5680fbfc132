/* SPDX-License-Identifier: MIT
 *
 * Forwarding headers on hostile text: a line with a trusted block, one with
 * the peer, and header lines, which are taken for each of the headers in turn.
 * The client is the peer, untouched when it isn't trusted, or an address that
 * reads as itself; what is said of the URL can stand in one.
 */
#include "authority.h"
#include "cidr.h"
#include "forwarded.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(const struct cidr *block, const char *peer,
                      struct head *head) {
  static const char *const names[] = {"Forwarded", "X-Forwarded-Host",
                                      "X-Forwarded-Prefix",
                                      "X-Forwarded-Proto"};
  struct cidr_address address;
  struct forwarded url;

  for (size_t i = 0; i < head->count; i++)
    head->fields[i].name = names[i % 4];
  forwarded_url(&url, peer, block, 1, head);
  assert(!*url.proto || !strcmp(url.proto, "http") ||
         !strcmp(url.proto, "https"));
  assert(!*url.host || authority_valid(url.host));
  assert(!*url.prefix || (*url.prefix == '/' && !strstr(url.prefix, "//") &&
                          !strpbrk(url.prefix, "?# \"<>\\\r\n") &&
                          !strstr(url.prefix, "/../")));
  if (!cidr_address(&address, peer, strlen(peer)) ||
      !cidr_holds(block, &address))
    assert(!*url.proto && !*url.host && !*url.prefix);
}

static void check(const struct cidr *block, const char *peer, char *lines) {
  struct head head = {0};
  struct cidr_address address;
  char out[CIDR_TEXT_SIZE], again[CIDR_TEXT_SIZE];

  while (lines && head.count < HEAD_FIELDS_MAX)
    head.fields[head.count++] =
        (struct head_field){"X-Forwarded-For", strsep(&lines, "\n")};
  forwarded_client(out, peer, block, 1, &head);
  check_url(block, peer, &head);
  if (!cidr_address(&address, peer, strlen(peer)) ||
      !cidr_holds(block, &address)) {
    assert(strncmp(out, peer, sizeof out - 1) == 0);
    return;
  }
  if (strcmp(out, peer) == 0)
    return;
  assert(cidr_address(&address, out, strlen(out)));
  cidr_print(again, &address);
  assert(strcmp(again, out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *copy = strndup((const char *)data, size), *at = copy;
  const char *text = strsep(&at, "\n");
  const char *peer = at ? strsep(&at, "\n") : "";
  struct cidr block;

  if (!copy)
    return 0;
  if (!cidr_parse(&block, text))
    check(&block, peer, at);
  free(copy);
  return 0;
}

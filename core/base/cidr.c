/* SPDX-License-Identifier: MIT
 *
 * Addresses and blocks of them.  Called with what clients send in
 * X-Forwarded-For.
 */
#include "cidr.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "quantity.h"

#define V4_AT 12 /* where an IPv4 address begins in its mapped form */

static const unsigned char mapped[V4_AT] = {0, 0, 0, 0, 0,    0,
                                            0, 0, 0, 0, 0xff, 0xff};

bool cidr_is_v4(const struct cidr_address *address) {
  return !address->is_unix && memcmp(address->bytes, mapped, V4_AT) == 0;
}

bool cidr_address(struct cidr_address *out, const char *text, size_t len) {
  char copy[CIDR_TEXT_SIZE];
  *out = (struct cidr_address){0};
  if (len >= sizeof copy || memchr(text, '\0', len) != NULL)
    return false;
  memcpy(copy, text, len);
  copy[len] = '\0';
  out->is_unix = strcmp(copy, CIDR_UNIX) == 0;
  if (out->is_unix || inet_pton(AF_INET6, copy, out->bytes) == 1)
    return true;
  memcpy(out->bytes, mapped, V4_AT);
  return inet_pton(AF_INET, copy, out->bytes + V4_AT) == 1;
}

void cidr_print(char out[CIDR_TEXT_SIZE], const struct cidr_address *address) {
  bool v4 = cidr_is_v4(address);
  if (address->is_unix)
    memcpy(out, CIDR_UNIX, sizeof CIDR_UNIX);
  else
    inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? V4_AT : 0), out,
              CIDR_TEXT_SIZE);
}

/* The bits of a byte that are among the first `bits` of all. */
static unsigned char mask_at(size_t byte, unsigned bits) {
  if (bits >= 8 * (byte + 1))
    return 0xff;
  if (bits <= 8 * byte)
    return 0;
  return (unsigned char)(0xff00u >> (bits - 8 * byte));
}

void cidr_mask(struct cidr_address *address, unsigned v4, unsigned v6) {
  unsigned bits = cidr_is_v4(address) ? 8 * V4_AT + v4 : v6;
  for (size_t i = 0; i < sizeof address->bytes; i++)
    address->bytes[i] &= mask_at(i, bits);
}

const char *cidr_parse(struct cidr *out, const char *text) {
  size_t len = strcspn(text, "/");
  int64_t bits = 0;
  if (!cidr_address(&out->address, text, len))
    return "it is no address; write one, as in 10.0.0.0/8, ::1 or unix:";
  out->bits = 128;
  if (text[len] == '\0')
    return NULL;
  if (out->address.is_unix)
    return "unix: has no mask; write unix:";
  /* A mapped address that was written as one counts its bits so, too. */
  int64_t most = memchr(text, ':', len) == NULL ? 32 : 128;
  if (!quantity_int(text + len + 1, &bits) || bits < 0 || bits > most)
    return most == 32 ? "its mask is no number from 0 to 32"
                      : "its mask is no number from 0 to 128";
  out->bits = (unsigned)(bits + 128 - most);
  for (size_t i = 0; i < sizeof out->address.bytes; i++)
    if (out->address.bytes[i] & ~mask_at(i, out->bits))
      return "it has bits behind its mask; write zeroes there";
  return NULL;
}

bool cidr_holds(const struct cidr *block, const struct cidr_address *address) {
  if (block->address.is_unix || address->is_unix)
    return block->address.is_unix && address->is_unix;
  for (size_t i = 0; i < sizeof address->bytes; i++)
    if ((block->address.bytes[i] ^ address->bytes[i]) &
        mask_at(i, block->bits))
      return false;
  return true;
}

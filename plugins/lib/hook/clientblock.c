/* SPDX-License-Identifier: MIT
 *
 * The numbers that stand for clients.  Each kind of text that is hashed has
 * its own first letter, so that none is another's.
 */
#include "clientblock.h"

#include <string.h>

#include "cidr.h"
#include "digest.h"

#define NAME_MAX_LEN 256

struct text {
  unsigned char bytes[2 + 16 + NAME_MAX_LEN]; /* a client and a name */
  size_t len;
};

void clientblock_init(struct clientblock *block, unsigned v4_bits,
                      unsigned v6_bits) {
  digest_random(block->key, sizeof block->key);
  block->v4_bits = v4_bits;
  block->v6_bits = v6_bits;
}

static void clientblock_add(struct text *text, const void *bytes, size_t len) {
  memcpy(text->bytes + text->len, bytes, len);
  text->len += len;
}

static void add_client(struct text *text, const struct clientblock *block,
                       const char *client) {
  struct cidr_address address;
  cidr_address(&address, client, strlen(client));
  cidr_mask(&address, block->v4_bits, block->v6_bits);
  clientblock_add(text, address.is_unix ? "u" : "a", 1);
  clientblock_add(text, address.bytes, sizeof address.bytes);
}

static void add_name(struct text *text, const char *name) {
  clientblock_add(text, "i", 1);
  clientblock_add(text, name, strnlen(name, NAME_MAX_LEN));
}

static uint64_t number_of(const struct clientblock *block,
                          const struct text *text) {
  return siphash(block->key, text->bytes, text->len);
}

uint64_t clientblock_hash(const struct clientblock *block,
                          const char *client) {
  struct text text = {.len = 0};
  add_client(&text, block, client);
  return number_of(block, &text);
}

uint64_t clientblock_name(const struct clientblock *block, const char *name) {
  struct text text = {.len = 0};
  add_name(&text, name);
  return number_of(block, &text);
}

uint64_t clientblock_pair(const struct clientblock *block, const char *client,
                          const char *name) {
  struct text text = {.len = 0};
  add_client(&text, block, client);
  add_name(&text, name);
  return number_of(block, &text);
}

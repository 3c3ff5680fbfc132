/* SPDX-License-Identifier: MIT
 *
 * The letters of a token (RFC 9110, section 5.6.2), which methods, field
 * names and parameter names are made of.  For the parsers' inner loops.
 */
#ifndef BASE_TOKEN_H
#define BASE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

static inline bool token_char(unsigned char c) {
  /* One bit a letter: ! # $ % & ' * + - . 0-9, then A-Z ^ _ ` a-z | ~ */
  static const uint64_t set[4] = {0x03ff6cfa00000000, 0x57ffffffc7fffffe};
  return set[c >> 6] >> (c & 63) & 1;
}

#endif

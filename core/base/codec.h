/* SPDX-License-Identifier: MIT
 *
 * Text encodings: percent (RFC 3986), hexadecimal, base64url (RFC 4648) and
 * the validity of UTF-8 (RFC 3629).  None depends on a locale.
 */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H

#include "buf.h"
#include <stdint.h>

enum codec_set {
  CODEC_UNRESERVED, /* A-Z a-z 0-9 - . _ ~ stay */
  CODEC_PATH,       /* and / */
  CODEC_ATTR        /* attr-char of RFC 5987: for filename* */
};

/* Upper-case escapes for every byte that doesn't stay. */
bool codec_percent(struct buf *, const char *in, size_t len, enum codec_set);
/* False for a bad or cut escape and for a NUL, escaped or not; `plus`: + is a
 * space. */
bool codec_unpercent(struct buf *, const char *in, size_t len, bool plus);

void codec_hex(char *out /* 2 * len + 1 */, const void *in, size_t len);
/* False unless in is exactly 2 * len digits of either case. */
bool codec_unhex(void *out, size_t len, const char *in);

/* Without padding. */
bool codec_base64url(struct buf *, const void *in, size_t len);
/* False for padding, other letters, an impossible length, or trailing bits
 * that aren't 0: each text has one encoding. */
bool codec_unbase64url(struct buf *, const char *in, size_t len);

/* Shortest forms only, no surrogates, up to U+10FFFF. */
bool codec_utf8_valid(const char *in, size_t len);
/* Bytes of the character that in[0..len) begins with, 0 when it isn't valid or
 * not all there. */
size_t codec_utf8_len(const char *in, size_t len);
/* Reads one character of valid UTF-8 and moves *at past it. */
uint32_t codec_utf8_next(const char **at);
/* C0, DEL or C1: never part of a key, a file name or a header. */
bool codec_control(uint32_t character);
/* Makes one line of valid UTF-8 of a text: `?` for each byte of what is a
 * control, or isn't UTF-8. */
void codec_clean(char *text);

char codec_lower(char); /* of ASCII letters */
/* Is in[0..len) this word, whatever the case of its ASCII letters? */
bool codec_same(const char *in, size_t len, const char *word);

#endif

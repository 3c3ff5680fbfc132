/* SPDX-License-Identifier: MIT
 *
 * Text encodings.  Called with what clients and storages send: every decoder
 * refuses what has no meaning, and none reads beyond its input.
 */
#include "codec.h"

#include <string.h>

static const char upper_digits[] = "0123456789ABCDEF";
static const char lower_digits[] = "0123456789abcdef";
static const char base64_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The characters that stay besides letters and digits, by codec_set. */
static const char *const stays_too[] = {
    [CODEC_UNRESERVED] = "-._~",
    [CODEC_PATH] = "-._~/",
    [CODEC_ATTR] = "!#$&+-.^_`|~",
};

char codec_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool stays(char c, enum codec_set set) {
  char letter = codec_lower(c);

  return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') ||
         (c && strchr(stays_too[set], c));
}

bool codec_percent(struct buf *out, const char *in, size_t len,
                   enum codec_set set) {
  size_t from = 0;

  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)in[i];
    const char escape[] = {'%', upper_digits[c >> 4], upper_digits[c & 15]};

    if (stays(in[i], set))
      continue;
    buf_add(out, in + from, i - from);
    buf_add(out, escape, sizeof escape);
    from = i + 1;
  }
  return buf_add(out, in + from, len - from);
}

static int digit_value(char c) {
  char letter = codec_lower(c);

  if (c >= '0' && c <= '9')
    return c - '0';
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* The byte of two digits, -1 when they aren't digits. */
static int byte_value(const char *in) {
  int high = digit_value(in[0]);
  int low = high < 0 ? -1 : digit_value(in[1]);

  return low < 0 ? -1 : high << 4 | low;
}

/* How many of them mean themselves. */
static size_t plain_len(const char *in, size_t len, bool plus) {
  size_t i = 0;
  while (i < len && in[i] != '%' && in[i] != '\0' && !(plus && in[i] == '+'))
    i++;
  return i;
}

bool codec_unpercent(struct buf *out, const char *in, size_t len, bool plus) {
  for (size_t i = 0; i < len; i++) {
    size_t plain = plain_len(in + i, len - i, plus);
    if (!buf_add(out, in + i, plain))
      return false;
    i += plain;
    if (i == len)
      break;

    char c = in[i];
    if (c == '%') {
      int value = len - i < 3 ? -1 : byte_value(in + i + 1);
      if (value < 0)
        return false;
      c = (char)value;
      i += 2;
    } else if (c == '+') {
      c = ' ';
    }
    if (!c || !buf_addc(out, c))
      return false;
  }
  return !out->overflown;
}

void codec_hex(char *out, const void *in, size_t len) {
  const unsigned char *bytes = in;

  for (size_t i = 0; i < len; i++) {
    *out++ = lower_digits[bytes[i] >> 4];
    *out++ = lower_digits[bytes[i] & 15];
  }
  *out = '\0';
}

bool codec_unhex(void *out, size_t len, const char *in) {
  unsigned char *bytes = out;

  for (size_t i = 0; i < len; i++, in += 2) {
    int value = byte_value(in);
    if (value < 0)
      return false;
    bytes[i] = (unsigned char)value;
  }
  return !*in;
}

bool codec_base64url(struct buf *out, const void *in, size_t len) {
  const unsigned char *bytes = in;
  uint32_t bits = 0;
  unsigned held = 0; /* bits not written yet, below 6 */

  for (size_t i = 0; i < len; i++) {
    bits = bits << 8 | bytes[i];
    for (held += 8; held >= 6; held -= 6)
      buf_addc(out, base64_letters[bits >> (held - 6) & 63]);
  }
  if (held)
    buf_addc(out, base64_letters[bits << (6 - held) & 63]);
  return !out->overflown;
}

static int base64_value(char c) {
  const char *at = c ? strchr(base64_letters, c) : NULL;

  return at ? (int)(at - base64_letters) : -1;
}

bool codec_unbase64url(struct buf *out, const char *in, size_t len) {
  uint32_t bits = 0;
  unsigned held = 0;

  for (size_t i = 0; i < len; i++) {
    int value = base64_value(in[i]);
    if (value < 0)
      return false;
    bits = bits << 6 | (uint32_t)value;
    held += 6;
    if (held < 8)
      continue;
    held -= 8;
    if (!buf_addc(out, (char)(bits >> held & 0xFF)))
      return false;
  }
  return held < 6 && !(bits & ((1u << held) - 1)) && !out->overflown;
}

size_t codec_utf8_len(const char *in, size_t len) {
  const unsigned char *byte = (const unsigned char *)in;
  unsigned char least = 0x80, most = 0xBF; /* of the second byte */
  size_t size;

  if (!len || byte[0] < 0x80)
    return len ? 1 : 0;
  size = byte[0] < 0xE0 ? 2 : byte[0] < 0xF0 ? 3 : 4;
  if (byte[0] < 0xC2 || byte[0] > 0xF4 || len < size)
    return 0;
  if (byte[0] == 0xE0 || byte[0] == 0xF0) /* shortest forms only */
    least = byte[0] == 0xE0 ? 0xA0 : 0x90;
  if (byte[0] == 0xED || byte[0] == 0xF4) /* surrogates, above U+10FFFF */
    most = byte[0] == 0xED ? 0x9F : 0x8F;
  if (byte[1] < least || byte[1] > most)
    return 0;
  for (size_t i = 2; i < size; i++)
    if ((byte[i] & 0xC0) != 0x80)
      return 0;
  return size;
}

/* Most of what comes is ASCII, so eight bytes are looked at together. */
static size_t ascii_len(const char *in, size_t len) {
  size_t i = 0;
  uint64_t word;

  for (; len - i >= sizeof word; i += sizeof word) {
    memcpy(&word, in + i, sizeof word);
    if (word & UINT64_C(0x8080808080808080))
      break;
  }
  return i;
}

bool codec_utf8_valid(const char *in, size_t len) {
  size_t i = ascii_len(in, len);

  while (i < len) {
    size_t size = codec_utf8_len(in + i, len - i);
    if (!size)
      return false;
    i += size;
    if (size == 1)
      i += ascii_len(in + i, len - i);
  }
  return true;
}

uint32_t codec_utf8_next(const char **at) {
  const unsigned char *byte = (const unsigned char *)*at;
  size_t size = byte[0] < 0x80   ? 1
                : byte[0] < 0xE0 ? 2
                : byte[0] < 0xF0 ? 3
                                 : 4;
  uint32_t character = size == 1 ? byte[0] : byte[0] & (0x7Fu >> size);

  for (size_t i = 1; i < size; i++)
    character = character << 6 | (byte[i] & 0x3Fu);
  *at += size;
  return character;
}

bool codec_control(uint32_t character) {
  return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

void codec_clean(char *text) {
  size_t left = strlen(text);
  while (left > 0) {
    size_t len = codec_utf8_len(text, left);
    const char *at = text;
    bool bad = len == 0 || codec_control(codec_utf8_next(&at));
    if (len == 0)
      len = 1;
    if (bad)
      memset(text, '?', len);
    text += len;
    left -= len;
  }
}

bool codec_same(const char *in, size_t len, const char *word) {
  for (size_t i = 0; i < len; i++)
    if (!word[i] || codec_lower(in[i]) != codec_lower(word[i]))
      return false;
  return !word[len];
}

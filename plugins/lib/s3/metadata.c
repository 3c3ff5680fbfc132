/* SPDX-License-Identifier: MIT
 *
 * User metadata in HTTP headers.  Called for each value of each object.  Our
 * own form is that of RFC 8187, "UTF-8''na%C3%AFve", which no storage changes
 * and other tools can read; a text that looks like an encoded one is encoded,
 * so that every text comes back as it was.  What others stored may come as RFC
 * 2047's encoded words, UTF-8 or Latin-1.
 */
#include "metadata.h"

#include "codec.h"

#include <string.h>

#define MARK "UTF-8''"
#define MARK_LEN (sizeof MARK - 1)
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* ---- encoding ----------------------------------------------------------- */

static bool is_marked(const char *text, size_t len) {
  return len >= MARK_LEN && codec_same(text, MARK_LEN, MARK);
}

/* An empty value is none to some storages, and outer and double spaces don't
 * survive a signature. */
static bool is_plain(const char *value) {
  size_t len = strlen(value);

  if (!len || value[0] == ' ' || value[len - 1] == ' ' ||
      is_marked(value, len) || strstr(value, "=?") || strstr(value, "  "))
    return false;
  for (size_t i = 0; i < len; i++)
    if (value[i] < ' ' || value[i] > '~')
      return false;
  return true;
}

bool metadata_encode(struct buf *out, const char *value) {
  if (is_plain(value))
    return buf_adds(out, value);
  return buf_adds(out, MARK) &&
         codec_percent(out, value, strlen(value), CODEC_ATTR);
}

/* ---- encoded words (RFC 2047) ------------------------------------------- */

struct word {
  const char *charset, *text;
  size_t charset_len, text_len;
  size_t len; /* of all */
  char encoding;
};

/* Up to the next question mark; words hold visible ASCII only. */
static size_t part_len(const char *at, const char *end) {
  const char *from = at;

  while (at<end && * at> ' ' && *at != '?')
    at++;
  return at < end && *at == '?' ? (size_t)(at - from) : 0;
}

/* "=?charset?B?text?=" */
static bool scan_word(struct word *word, const char *at, const char *end) {
  const char *from = at;

  if (end - at < 2 || at[0] != '=' || at[1] != '?')
    return false;
  word->charset = at += 2;
  word->charset_len = part_len(at, end);
  at += word->charset_len + 1;
  if (!word->charset_len || part_len(at, end) != 1)
    return false;
  word->encoding = codec_lower(*at);
  word->text = at += 2;
  word->text_len = part_len(at, end);
  at += word->text_len;
  if (end - at < 2 || at[0] != '?' || at[1] != '=')
    return false;
  word->len = (size_t)(at + 2 - from);
  return true;
}

/* RFC 2045's letters with padding, by way of those of RFC 4648. */
static bool decode_b(struct buf *out, const char *text, size_t len) {
  struct buf url;
  bool done;

  buf_init(&url, len);
  for (size_t i = 0; i < 2 && len && text[len - 1] == '='; i++)
    len--;
  for (size_t i = 0; i < len; i++)
    buf_addc(&url, text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
  done = !memchr(text, '-', len) && !memchr(text, '_', len) &&
         codec_unbase64url(out, url.data, url.len);
  buf_fini(&url);
  return done;
}

/* Escapes are those of percent encoding, with another sign. */
static bool decode_q(struct buf *out, const char *text, size_t len) {
  struct buf percent;
  bool done;

  buf_init(&percent, 3 * len);
  for (size_t i = 0; i < len; i++)
    if (text[i] == '=')
      buf_addc(&percent, '%');
    else if (text[i] == '%')
      buf_adds(&percent, "%25");
    else
      buf_addc(&percent, text[i] == '_' ? ' ' : text[i]);
  done = codec_unpercent(out, percent.data, percent.len, false);
  buf_fini(&percent);
  return done;
}

static void add_latin1(struct buf *out, const char *in, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)in[i];
    if (!c)
      buf_adds(out, REPLACEMENT);
    else if (c < 0x80)
      buf_addc(out, in[i]);
    else {
      buf_addc(out, (char)(0xC0 | c >> 6));
      buf_addc(out, (char)(0x80 | (c & 0x3F)));
    }
  }
}

/* In UTF-8, of which a word may end inside a character. */
static bool decode_word(struct buf *out, const struct word *word) {
  const char *language = memchr(word->charset, '*', word->charset_len);
  size_t len = language ? (size_t)(language - word->charset)
                        : word->charset_len; /* RFC 2231, section 5 */
  bool utf8 = codec_same(word->charset, len, "UTF-8") ||
              codec_same(word->charset, len, "US-ASCII");
  struct buf bytes;
  bool done;

  buf_init(&bytes, word->text_len);
  done =
      (utf8 || codec_same(word->charset, len, "ISO-8859-1")) &&
      (word->encoding == 'b'   ? decode_b(&bytes, word->text, word->text_len)
       : word->encoding == 'q' ? decode_q(&bytes, word->text, word->text_len)
                               : false) &&
      !memchr(bytes.data, '\0', bytes.len);
  if (done && utf8)
    buf_add(out, bytes.data, bytes.len);
  else if (done)
    add_latin1(out, bytes.data, bytes.len);
  buf_fini(&bytes);
  return done;
}

/* Decodes the words from `at` on, with the space between them, which doesn't
 * count.  The bytes taken; 0: there is no word, or it is malformed.  Words
 * that together aren't UTF-8 stay as they came. */
static size_t decode_run(struct buf *out, const char *at, const char *end) {
  struct word word;
  struct buf text;
  const char *from = at, *taken = at;

  buf_init(&text, 2 * (size_t)(end - at));
  while (scan_word(&word, at, end) && decode_word(&text, &word)) {
    taken = at += word.len;
    while (at < end && (*at == ' ' || *at == '\t'))
      at++;
  }
  if (codec_utf8_valid(text.data, text.len))
    buf_add(out, text.data, text.len);
  else
    buf_add(out, from, (size_t)(taken - from));
  buf_fini(&text);
  return (size_t)(taken - from);
}

/* ---- decoding ----------------------------------------------------------- */

static void decode_text(struct buf *out, const char *in, size_t len) {
  bool utf8 = codec_utf8_valid(in, len) && !memchr(in, '\0', len);
  const char *end = in + len;

  while (in < end && !out->overflown) {
    size_t taken = *in == '=' ? decode_run(out, in, end) : 0;
    if (!taken && utf8)
      buf_addc(out, *in);
    else if (!taken)
      add_latin1(out, in, 1);
    in += taken ? taken : 1;
  }
}

bool metadata_decode(struct buf *out, const char *header, size_t len) {
  struct buf text;

  buf_init(&text, len);
  if (is_marked(header, len) &&
      codec_unpercent(&text, header + MARK_LEN, len - MARK_LEN, false) &&
      codec_utf8_valid(text.data, text.len))
    buf_add(out, text.data, text.len);
  else
    decode_text(out, header, len);
  buf_fini(&text);
  return !out->overflown;
}

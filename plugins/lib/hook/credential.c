/* SPDX-License-Identifier: MIT
 *
 * The credentials of an Authorization header.  Nothing is guessed: a text that
 * two readers might understand differently is bad.
 */
#include "credential.h"

#include <string.h>

#include "codec.h"
#include "digest.h"

#define PAIR_MAX (CREDENTIAL_USER_MAX + 1 + CREDENTIAL_PASSWORD_MAX)
#define BASE64_MAX ((PAIR_MAX + 2) / 3 * 4)

/* Moves *header past the scheme and its spaces. */
static enum credential skip_scheme(const char **header, const char *scheme) {
  size_t len = strlen(scheme);
  if (*header == NULL || strnlen(*header, len) < len ||
      !codec_same(*header, len, scheme))
    return CREDENTIAL_NONE;
  const char *at = *header + len;
  if (*at == '\0')
    return CREDENTIAL_BAD;
  if (*at != ' ')
    return CREDENTIAL_NONE; /* a longer word, or a list that isn't one */
  *header = at + strspn(at, " ");
  return CREDENTIAL_GOOD;
}

bool credential_token(const char *text, size_t max) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz"
                                "0123456789-._~+/";
  size_t len = strnlen(text, max + 1);
  if (len == 0 || len > max)
    return false;
  size_t used = strspn(text, letters);
  return used > 0 && used + strspn(text + used, "=") == len;
}

enum credential credential_bearer(const char *header, size_t max,
                                  const char **token) {
  enum credential found = skip_scheme(&header, "Bearer");
  if (found != CREDENTIAL_GOOD)
    return found;
  if (!credential_token(header, max))
    return CREDENTIAL_BAD;
  *token = header;
  return CREDENTIAL_GOOD;
}

/* ---- Basic -------------------------------------------------------------- */

/* RFC 4648, section 4, into its section 5 without padding: `out` has room for
 * BASE64_MAX; 0: it isn't base64 with its padding. */
static size_t to_base64url(char *out, const char *in) {
  size_t len = strnlen(in, BASE64_MAX + 1);
  if (len == 0 || len > BASE64_MAX || len % 4 != 0)
    return 0;
  if (in[len - 1] == '=')
    len -= in[len - 2] == '=' ? 2 : 1;
  for (size_t i = 0; i < len; i++) {
    if (in[i] == '-' || in[i] == '_')
      return 0;
    out[i] = in[i];
    if (in[i] == '+')
      out[i] = '-';
    if (in[i] == '/')
      out[i] = '_';
  }
  return len;
}

static bool is_clean(const char *text, size_t len) {
  if (!codec_utf8_valid(text, len))
    return false;
  for (const char *at = text; at < text + len;)
    if (codec_control(codec_utf8_next(&at)))
      return false;
  return true;
}

static bool credential_split(struct credential_basic *out, const char *pair,
                             size_t len) {
  const char *colon = memchr(pair, ':', len);
  if (colon == NULL || !is_clean(pair, len))
    return false;
  size_t user = (size_t)(colon - pair), password = len - user - 1;
  if (user == 0 || user > CREDENTIAL_USER_MAX ||
      password > CREDENTIAL_PASSWORD_MAX)
    return false;
  memcpy(out->user, pair, user);
  out->user[user] = '\0';
  memcpy(out->password, colon + 1, password);
  out->password[password] = '\0';
  return true;
}

enum credential credential_basic(const char *header,
                                 struct credential_basic *out) {
  char text[BASE64_MAX];
  struct buf pair;
  bool good = false;
  enum credential found = skip_scheme(&header, "Basic");
  if (found != CREDENTIAL_GOOD)
    return found;
  size_t len = to_base64url(text, header);
  buf_init(&pair, BASE64_MAX);
  /* All of its room at once: growing would leave pieces behind. */
  if (len > 0 && buf_addf(&pair, "%*s", BASE64_MAX, "")) {
    buf_clear(&pair);
    good = codec_unbase64url(&pair, text, len) &&
           credential_split(out, pair.data, pair.len);
  }
  if (pair.room > 0)
    digest_wipe(pair.data, pair.room);
  buf_fini(&pair);
  digest_wipe(text, sizeof text);
  return good ? CREDENTIAL_GOOD : CREDENTIAL_BAD;
}

void credential_basic_wipe(struct credential_basic *basic) {
  digest_wipe(basic, sizeof *basic);
}

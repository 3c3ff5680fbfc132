/* SPDX-License-Identifier: MIT
 *
 * Takes a token apart.
 */
#include "jws.h"

#include <string.h>

#include "codec.h"
#include "jwtjson.h"

struct piece {
  const char *data;
  size_t len;
};

static bool jws_split(struct piece pieces[3], const char *token, size_t len) {
  const char *end = token + len;
  for (size_t i = 0; i < 3; i++) {
    const char *dot = memchr(token, '.', (size_t)(end - token));
    if ((dot != NULL) != (i < 2))
      return false;
    pieces[i].data = token;
    pieces[i].len = (size_t)((dot != NULL ? dot : end) - token);
    if (pieces[i].len == 0)
      return false;
    token = pieces[i].data + pieces[i].len + (dot != NULL);
  }
  return true;
}

/* ---- the header --------------------------------------------------------- */

bool jws_is_word(const char *text, size_t max) {
  if (text == NULL || strnlen(text, max + 1) > max)
    return false;
  while (*text != '\0')
    if (codec_control(codec_utf8_next(&text)))
      return false;
  return true;
}

/* A text that fits, or none at all. */
static bool take_text(const json_t *header, const char *name, char *out,
                      size_t max, bool *there) {
  const json_t *value = json_object_get(header, name);
  *there = value != NULL;
  out[0] = '\0';
  if (!*there)
    return true;
  const char *text = json_string_value(value);
  if (!jws_is_word(text, max))
    return false;
  memcpy(out, text, strlen(text) + 1);
  return true;
}

static bool changes_meaning(const json_t *header) {
  static const char *const names[] = {"crit", "b64", "zip", "enc"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (json_object_get(header, names[i]) != NULL)
      return true;
  return false;
}

/* RFC 7515, section 4.1.9: it may be left out where there is no other "/". */
static void drop_application(char *type) {
  static const char prefix[] = "application/";
  size_t len = strlen(type), skip = sizeof prefix - 1;
  if (len > skip && codec_same(type, skip, prefix) &&
      strchr(type + skip, '/') == NULL)
    memmove(type, type + skip, len - skip + 1);
}

static const char *take_header(struct jws *jws, const json_t *header) {
  const char *alg = jwtjson_text(header, "alg");
  char content[JWS_TYPE_MAX + 1];
  bool has_content;
  jws->alg = alg == NULL ? JWA_UNKNOWN : jwa_named(alg);
  if (jws->alg == JWA_UNKNOWN)
    return "The token's alg is none that is known";
  if (changes_meaning(header))
    return "The token's header has an extension that is not supported";
  if (!take_text(header, "kid", jws->kid, JWS_KID_MAX, &jws->has_kid))
    return "The token's kid is no text, or too long";
  if (!take_text(header, "typ", jws->type, JWS_TYPE_MAX, &jws->has_type))
    return "The token's typ is no text, or too long";
  if (!take_text(header, "cty", content, JWS_TYPE_MAX, &has_content))
    return "The token's cty is no text, or too long";
  drop_application(jws->type);
  drop_application(content);
  if (has_content && codec_same(content, strlen(content), "JWT"))
    return "The token holds another token, which is not supported";
  return NULL;
}

static const char *read_header(struct jws *jws, const struct piece *piece) {
  const char *fault = "The token's header is no JSON object, or not as strict "
                      "as it has to be";
  struct buf text;
  buf_init(&text, JWS_HEADER_MAX);
  json_t *header = codec_unbase64url(&text, piece->data, piece->len)
                       ? jwtjson_read(text.data, text.len)
                       : NULL;
  if (text.overflown)
    fault = "The token's header is too long";
  if (header != NULL)
    fault = take_header(jws, header);
  json_decref(header);
  buf_fini(&text);
  return fault;
}

/* ---- all of it ---------------------------------------------------------- */

const char *jws_parse(struct jws *jws, const char *token, size_t len) {
  struct piece pieces[3];
  *jws = (struct jws){.alg = JWA_UNKNOWN};
  buf_init(&jws->payload, JWS_PAYLOAD_MAX);
  buf_init(&jws->signature, JWS_SIGNATURE_MAX);
  if (len > JWS_TOKEN_MAX)
    return "The token is too long";
  if (!jws_split(pieces, token, len))
    return "The token is not made of three parts";
  jws->input = token;
  jws->input_len = pieces[0].len + 1 + pieces[1].len;
  const char *fault = read_header(jws, &pieces[0]);
  if (fault != NULL)
    return fault;
  if (!codec_unbase64url(&jws->payload, pieces[1].data, pieces[1].len))
    return "The token's payload is no base64url, or too long";
  if (!codec_unbase64url(&jws->signature, pieces[2].data, pieces[2].len))
    return "The token's signature is no base64url, or too long";
  return NULL;
}

void jws_fini(struct jws *jws) {
  buf_fini(&jws->payload);
  buf_fini(&jws->signature);
}

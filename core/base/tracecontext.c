/* SPDX-License-Identifier: MIT
 *
 * Trace Context: the grammar of https://www.w3.org/TR/trace-context/, sections
 * 3.2 and 3.3.
 */
#include "tracecontext.h"

#include <string.h>

#include "codec.h"

#define KEY_MAX_LEN 256
#define TENANT_MAX_LEN 241
#define SYSTEM_MAX_LEN 14
#define VALUE_MAX_LEN 256
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* ---- traceparent -------------------------------------------------------- */

static bool is_zero(const unsigned char *bytes, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

/* `len` bytes of digits, which are lower case, from *at on. */
static bool tracecontext_read_hex(const char **at, void *out, size_t len) {
  char digits[2 * TRACECONTEXT_TRACE_LEN + 1];
  if (strspn(*at, DIGITS "abcdef") < 2 * len)
    return false;
  memcpy(digits, *at, 2 * len);
  digits[2 * len] = '\0';
  *at += 2 * len;
  return codec_unhex(out, len, digits);
}

static bool read_dash(const char **at) {
  return *(*at)++ == '-';
}

/* Later versions may say more, behind another dash. */
static bool ends_well(const char *rest, unsigned char version) {
  return *rest == '\0' || (version > 0 && *rest == '-');
}

bool tracecontext_read(struct tracecontext *context, const char *traceparent) {
  struct tracecontext read;
  unsigned char version, flags;
  const char *at = traceparent;
  if (strnlen(traceparent, TRACECONTEXT_PARENT_MAX + 1) >
          TRACECONTEXT_PARENT_MAX ||
      !tracecontext_read_hex(&at, &version, 1) || version == 0xff ||
      !read_dash(&at) ||
      !tracecontext_read_hex(&at, read.trace, sizeof read.trace) ||
      !read_dash(&at) ||
      !tracecontext_read_hex(&at, read.span, sizeof read.span) ||
      !read_dash(&at) || !tracecontext_read_hex(&at, &flags, 1) ||
      !ends_well(at, version) || is_zero(read.trace, sizeof read.trace) ||
      is_zero(read.span, sizeof read.span))
    return false;
  read.flags = flags & (TRACECONTEXT_SAMPLED | TRACECONTEXT_RANDOM);
  *context = read;
  return true;
}

void tracecontext_write(char out[TRACECONTEXT_TEXT_SIZE],
                        const struct tracecontext *context) {
  const unsigned char flags = (unsigned char)context->flags;
  memcpy(out, "00-", 3);
  codec_hex(out + 3, context->trace, sizeof context->trace);
  out[35] = '-';
  codec_hex(out + 36, context->span, sizeof context->span);
  out[52] = '-';
  codec_hex(out + 53, &flags, 1);
}

void tracecontext_fix(struct tracecontext *context) {
  if (is_zero(context->trace, sizeof context->trace))
    context->trace[0] = 1;
  if (is_zero(context->span, sizeof context->span))
    context->span[0] = 1;
}

/* ---- tracestate --------------------------------------------------------- */

struct member {
  const char *key;
  size_t key_len;
};

/* lcalpha ..., or tenant@system. */
static bool is_key(const char *key, size_t len) {
  static const char more[] = LETTERS DIGITS "_-*/";
  const char *at = memchr(key, '@', len);
  if (len == 0 || len > KEY_MAX_LEN)
    return false;
  if (at == NULL)
    return strchr(LETTERS, key[0]) != NULL && strspn(key, more) >= len;
  size_t tenant = (size_t)(at - key), system = len - tenant - 1;
  return tenant > 0 && tenant <= TENANT_MAX_LEN && system > 0 &&
         system <= SYSTEM_MAX_LEN && strchr(LETTERS DIGITS, key[0]) != NULL &&
         strchr(LETTERS, at[1]) != NULL && strspn(key, more) == tenant &&
         strspn(at + 1, more) >= system;
}

/* Printable ASCII but "," and "="; it doesn't end with a space. */
static bool is_value(const char *value, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (value[i] < ' ' || value[i] > '~' || value[i] == ',' || value[i] == '=')
      return false;
  return len > 0 && len <= VALUE_MAX_LEN && value[len - 1] != ' ';
}

static bool is_new(const struct member *members, size_t count) {
  const struct member *last = &members[count];
  for (size_t i = 0; i < count; i++)
    if (members[i].key_len == last->key_len &&
        memcmp(members[i].key, last->key, last->key_len) == 0)
      return false;
  return true;
}

static bool tracecontext_read_member(struct member *members, size_t count,
                                     const char *text, size_t len) {
  const char *equals = memchr(text, '=', len);
  if (equals == NULL)
    return false;
  size_t key_len = (size_t)(equals - text);
  members[count] = (struct member){text, key_len};
  return is_key(text, key_len) && is_value(equals + 1, len - key_len - 1) &&
         is_new(members, count);
}

/* White space around a member doesn't count; an empty one is none. */
bool tracecontext_state_valid(const char *tracestate) {
  struct member members[TRACECONTEXT_STATES_MAX];
  size_t count = 0;
  if (strnlen(tracestate, TRACECONTEXT_STATE_MAX + 1) > TRACECONTEXT_STATE_MAX)
    return false;
  for (const char *at = tracestate;; at++) {
    at += strspn(at, " \t");
    size_t whole = strcspn(at, ","), len = whole;
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
      len--;
    if (len > 0 && (count == TRACECONTEXT_STATES_MAX ||
                    !tracecontext_read_member(members, count++, at, len)))
      return false;
    at += whole;
    if (*at == '\0')
      return count > 0;
  }
}

/* SPDX-License-Identifier: MIT
 *
 * Fields of HTTP, as a table of algorithms.  SHA-1 and MD5 prove nothing to
 * whom RFC 9530 is for, and are ignored as all others.
 */
#include "digestfield.h"

#include <string.h>

#include "structured.h"

static const char *const names[SHA2_KINDS] = {
    [SHA2_256] = "sha-256", [SHA2_512] = "sha-512"};
#define WANT_MAX 10

static bool read_sum(struct digestfield *field, enum sha2_kind kind,
                     const struct structured *value) {
  struct buf sum;
  buf_init(&sum, SHA2_MAX);
  bool ok = value->kind == STRUCTURED_BYTES &&
            structured_add_bytes(&sum, value) && sum.len == sha2_size(kind);
  if (ok)
    memcpy(field->sum[kind], sum.data, sum.len);
  field->said[kind] = ok;
  buf_fini(&sum);
  return ok;
}

const char *digestfield_read(struct digestfield *field, const char *text) {
  *field = (struct digestfield){.said = {false}};
  for (unsigned kind = 0; text != NULL && kind < SHA2_KINDS; kind++) {
    struct structured value;
    switch (structured_member(&value, text, names[kind])) {
    case STRUCTURED_NONE:
      break;
    case STRUCTURED_BAD:
      return "isn't a dictionary; write it as in sha-256=:<base64>:";
    case STRUCTURED_FOUND:
      if (!read_sum(field, kind, &value))
        return "has a value that is no digest of its algorithm in base64 "
               "between colons";
    }
  }
  return NULL;
}

bool digestfield_is_any(const struct digestfield *field) {
  return field->said[SHA2_256] || field->said[SHA2_512];
}

bool digestfield_wants(const char *text) {
  struct structured value;
  return text != NULL &&
         structured_member(&value, text, names[SHA2_256]) ==
             STRUCTURED_FOUND &&
         value.kind == STRUCTURED_INTEGER && value.integer >= 1 &&
         value.integer <= WANT_MAX;
}

bool digestfield_add(struct buf *out, const unsigned char sum[SHA2_256_LEN]) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789+/";
  buf_addf(out, "%s=:", names[SHA2_256]);
  for (size_t i = 0; i < SHA2_256_LEN; i += 3) {
    uint32_t bits = 0;
    size_t left = SHA2_256_LEN - i;
    for (size_t n = 0; n < 3; n++)
      bits = bits << 8 | (n < left ? sum[i + n] : 0u);
    for (size_t n = 0; n < 4; n++)
      buf_addc(out, n > left ? '=' : letters[bits >> (18 - 6 * n) & 63]);
  }
  return buf_addc(out, ':');
}

/* ---- sums --------------------------------------------------------------- */

void sums_make(struct sums *sums, enum sha2_kind kind) {
  if (!sums->made[kind])
    sha2_init(&sums->of[kind], kind);
  sums->made[kind] = true;
}

void sums_make_said(struct sums *sums, const struct digestfield *field) {
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    if (field->said[kind])
      sums_make(sums, kind);
}

bool sums_is_any(const struct sums *sums) {
  return sums->made[SHA2_256] || sums->made[SHA2_512];
}

void sums_add(struct sums *sums, const void *data, size_t len) {
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++)
    if (sums->made[kind])
      sha2_add(&sums->of[kind], data, len);
}

bool sums_fit(const struct sums *sums, const struct digestfield *field) {
  for (unsigned kind = 0; kind < SHA2_KINDS; kind++) {
    unsigned char sum[SHA2_MAX];
    if (!field->said[kind])
      continue;
    if (!sums->made[kind])
      return false;
    sha2_sum(&sums->of[kind], sum);
    if (memcmp(sum, field->sum[kind], sha2_size(kind)) != 0)
      return false;
  }
  return true;
}

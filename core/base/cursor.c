/* SPDX-License-Identifier: MIT
 *
 * The cursor of a list: base64url of a version, a part of an HMAC-SHA-256 and
 * the backend's token.  Called by the list operation, with what a client sends
 * back.
 */
#include "cursor.h"

#include "codec.h"
#include <string.h>

#define CURSOR_VERSION 2
#define SEAL_LEN 16
#define HEAD_LEN (1 + SEAL_LEN)
#define SEALED_MAX 16384 /* bytes of prefix, delimiter and token together */

/* The NULs and the presence byte keep any two lists apart. */
static bool put_head(unsigned char head[HEAD_LEN],
                     const struct digest_key *key, const char *prefix,
                     const char *delimiter, const char *token) {
  unsigned char sum[DIGEST_SHA256_LEN];
  struct buf sealed;

  buf_init(&sealed, SEALED_MAX);
  buf_addc(&sealed, CURSOR_VERSION);
  buf_add(&sealed, prefix, strlen(prefix) + 1);
  buf_addc(&sealed, delimiter != NULL);
  if (delimiter)
    buf_adds(&sealed, delimiter);
  buf_addc(&sealed, '\0');
  buf_adds(&sealed, token);
  bool whole = !sealed.overflown;
  if (whole)
    digest_key_sum(key, sum, sealed.data, sealed.len);
  buf_fini(&sealed);
  head[0] = CURSOR_VERSION;
  if (whole)
    memcpy(head + 1, sum, SEAL_LEN);
  return whole;
}

bool cursor_seal(struct buf *out, const struct digest_key *key,
                 const char *prefix, const char *delimiter,
                 const char *token) {
  unsigned char head[HEAD_LEN];
  struct buf plain;
  bool sealed = false;

  buf_init(&plain, HEAD_LEN + CURSOR_TOKEN_MAX);
  if (!put_head(head, key, prefix, delimiter, token))
    goto out;
  buf_add(&plain, head, sizeof head);
  if (buf_adds(&plain, token))
    sealed = codec_base64url(out, plain.data, plain.len);
out:
  buf_fini(&plain);
  return sealed;
}

bool cursor_open(struct buf *token, const struct digest_key *key,
                 const char *cursor, const char *prefix,
                 const char *delimiter) {
  unsigned char head[HEAD_LEN];
  size_t len = strnlen(cursor, CURSOR_MAX + 1);
  struct buf plain;
  bool opened = false;

  buf_clear(token);
  buf_init(&plain, HEAD_LEN + CURSOR_TOKEN_MAX);
  if (len > CURSOR_MAX || !codec_unbase64url(&plain, cursor, len) ||
      plain.len < HEAD_LEN ||
      strlen(plain.data + HEAD_LEN) != plain.len - HEAD_LEN)
    goto out;
  if (put_head(head, key, prefix, delimiter, plain.data + HEAD_LEN) &&
      digest_equal(head, plain.data, HEAD_LEN))
    opened = buf_adds(token, plain.data + HEAD_LEN);
out:
  buf_fini(&plain);
  return opened;
}

/* SPDX-License-Identifier: MIT
 *
 * The cursor of a list: base64url of a version, a checksum and the backend's
 * token.  Called by the list operation, with what a client sends back.
 */
#include "cursor.h"

#include "codec.h"
#include "digest.h"
#include <string.h>

#define CURSOR_VERSION 1
#define CHECKSUM_LEN 8
#define HEAD_LEN (1 + CHECKSUM_LEN)

/* The NULs and the presence byte keep any two lists apart. */
static bool put_head(unsigned char head[HEAD_LEN], const char *prefix,
                     const char *delimiter, const char *token) {
  unsigned char sum[DIGEST_SHA256_LEN];
  const unsigned char version = CURSOR_VERSION, present = delimiter != NULL;
  struct digest *digest = digest_new(DIGEST_SHA256);

  if (!digest)
    return false;
  digest_update(digest, &version, 1);
  digest_update(digest, prefix, strlen(prefix) + 1);
  digest_update(digest, &present, 1);
  digest_update(digest, present ? delimiter : "",
                present ? strlen(delimiter) + 1 : 1);
  digest_update(digest, token, strlen(token));
  digest_final(digest, sum);
  digest_free(digest);
  head[0] = version;
  memcpy(head + 1, sum, CHECKSUM_LEN);
  return true;
}

bool cursor_seal(struct buf *out, const char *prefix, const char *delimiter,
                 const char *token) {
  unsigned char head[HEAD_LEN];
  struct buf plain;
  bool sealed = false;

  buf_init(&plain, HEAD_LEN + CURSOR_TOKEN_MAX);
  if (!put_head(head, prefix, delimiter, token))
    goto out;
  buf_add(&plain, head, sizeof head);
  if (buf_adds(&plain, token))
    sealed = codec_base64url(out, plain.data, plain.len);
out:
  buf_fini(&plain);
  return sealed;
}

bool cursor_open(struct buf *token, const char *cursor, const char *prefix,
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
  if (put_head(head, prefix, delimiter, plain.data + HEAD_LEN) &&
      digest_equal(head, plain.data, HEAD_LEN))
    opened = buf_adds(token, plain.data + HEAD_LEN);
out:
  buf_fini(&plain);
  return opened;
}

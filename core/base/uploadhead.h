/* SPDX-License-Identifier: MIT
 *
 * The fields of resumable uploads: structured ones of the draft (RFC 9651),
 * and those of tus 1.0.0.
 */
#ifndef BASE_UPLOADHEAD_H
#define BASE_UPLOADHEAD_H

#include "buf.h"
#include "checksum.h"

/* A boolean item with any parameters; false: it isn't one.  `text` may be
 * NULL. */
bool uploadhead_boolean(const char *text, bool *value);
/* An integer item that isn't negative. */
bool uploadhead_integer(const char *text, int64_t *value);
/* Of tus: decimal digits, at most 15 that count. */
bool uploadhead_number(const char *text, int64_t *value);

enum uploadhead_found {
  UPLOADHEAD_NONE,
  UPLOADHEAD_FOUND,
  UPLOADHEAD_BAD /* malformed, a key twice, or what is looked for too long */
};

/* Checks Upload-Metadata as a whole, and puts the value of the key, decoded,
 * into `out` (cleared before).  A value may hold any bytes. */
enum uploadhead_found uploadhead_metadata(struct buf *out, const char *text,
                                          const char *key);

struct uploadhead_checksum {
  enum checksum_kind kind;
  unsigned char sum[CHECKSUM_MAX];
};

/* NULL, or why Upload-Checksum is refused: a constant for the client. */
const char *uploadhead_checksum(struct uploadhead_checksum *,
                                const char *text);

enum uploadhead_concat { /* Upload-Concat */
                         UPLOADHEAD_PARTIAL,
                         UPLOADHEAD_FINAL,
                         UPLOADHEAD_ODD
};
/* FINAL: *parts are addresses with spaces between, at least one. */
enum uploadhead_concat uploadhead_concat(const char *text, const char **parts);
/* The next address of such a list, and *len of it; NULL: none is left. */
const char *uploadhead_part(const char **at, size_t *len);

#endif

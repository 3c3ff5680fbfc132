/* SPDX-License-Identifier: MIT
 *
 * An object as the index has it.
 */
#ifndef LOCAL_ROW_H
#define LOCAL_ROW_H

#include "buf.h"
#include "digest.h"

#include <sluice/plugin.h>
#include <sqlite3.h>

#define ROW_COLUMNS "size, mtime, etag, small, blob, type, user"

struct row {
  uint64_t length;
  int64_t mtime_ms;
  unsigned char md5[DIGEST_MD5_LEN];
  uint64_t small, blob; /* 0: not there */
  char *type;           /* NULL: unknown */
  struct buf user;      /* name NUL value NUL ... */
};

void row_init(struct row *);
void row_fini(struct row *);
/* What a commit gives: SLUICE_EINVAL for an md5 that isn't one. */
enum sluice_status row_set(struct row *, const struct sluice_object *);
/* What a statement returned with ROW_COLUMNS; SLUICE_EIO: nonsense. */
enum sluice_status row_load(struct row *, sqlite3_stmt *);
bool row_is_whole(const struct row *); /* are the metadata pairs? */
/* Binds a row's columns as ?2... */
void row_bind(const struct row *, sqlite3_stmt *);
/* sluice_meta() with it; false: no memory. */
bool row_tell(const struct row *, struct sluice_op *);

#endif

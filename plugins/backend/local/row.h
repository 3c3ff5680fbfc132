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

#define ROW_COLUMNS "size, mtime, etag, small, blob, type, user, sum"
#define ROW_SHOWN "key, size, mtime, etag, sum, user" /* by lists */
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
/* Takes over what a commit gives; SLUICE_EINVAL: its md5 isn't one. */
enum sluice_status row_set(struct row *, const struct sluice_object *);
/* A row's fields where they are: in a statement, until its next step. */
struct row_fields {
  const void *key, *md5, *type, *user; /* type: NULL or not */
  size_t key_len, type_len, user_len;
  uint64_t length, mtime, small, blob;
};

/* Reads what a statement with ROW_COLUMNS returned.  False: they, or the key,
 * aren't what was written.  Rows of version 1 have no sum, and pass. */
bool row_read(struct row_fields *, sqlite3_stmt *, const void *key,
              size_t key_len);
/* Has the moment passed that its metadata tells? */
bool row_is_over(const struct row_fields *);
/* The same of what a statement with ROW_SHOWN returned. */
bool row_shown_is_over(sqlite3_stmt *);
/* Reads what one with ROW_SHOWN returned: key, MD5, length and mtime. */
bool row_read_shown(struct row_fields *, sqlite3_stmt *);
/* The same as a row; SLUICE_EIO: they aren't, or make no sense. */
enum sluice_status row_load(struct row *, sqlite3_stmt *, const char *key);
bool row_is_whole(const struct row *); /* are the metadata pairs? */
/* Binds key and ROW_COLUMNS as ?1..., and the sum of them. */
void row_bind(const struct row *, sqlite3_stmt *, const char *key);
/* sluice_meta() of what was stored just now, without its metadata. */
void row_tell_stored(const struct row *, struct sluice_op *,
                     enum sluice_before);
/* sluice_meta() with it; `verify`: with the MD5, to be compared.  False: no
 * memory. */
bool row_tell(const struct row *, struct sluice_op *, enum sluice_before,
              bool verify);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A blob's file: the bytes of one object, then its description, from which a
 * lost index can be made again.  Both are written and synced before the file
 * has a row in the index, and never changed afterwards.
 *
 *   offset                 bytes
 *   0                      length      the object's
 *   length                 K, T, U     key, media type, metadata: names and
 *                                      values, each with a NUL
 *   length + K + T + U     4 4 4       K, T (2^32 - 1: no type), U
 *                          4           1, the version of all this
 *                          8 8 16      length, mtime in ms since 1970, MD5
 *                          8           SipHash-2-4 under a key of zeros, of
 *                                      all from `length` to here
 *                          8           "SLUIBLOB"
 *
 * Numbers are little-endian.  Blobs that were written by earlier versions have
 * no description; state.marked of the index tells which.
 */
#ifndef LOCAL_BLOB_H
#define LOCAL_BLOB_H

#include "row.h"

#define BLOB_TAIL_LEN 64u

/* The description of an object; false: no memory. */
bool blob_describe(struct buf *, const char *key, const struct row *);
/* NULL where the file is as long as the row says and was written for it, else
 * what is wrong.  It costs one read of the tail. */
const char *blob_mismatch(int fd, const struct row *, bool described);

/* Reads and checks the description.  The key is the caller's, and so is what
 * is in the row, which is initialised.  SLUICE_EIO: there is none, or it is
 * damaged. */
enum sluice_status blob_read_description(int fd, char **key, struct row *);
/* Reads all of the object's bytes: NULL, or what is wrong. */
const char *blob_verify(int fd, const struct row *);

#endif

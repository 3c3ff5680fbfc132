/* SPDX-License-Identifier: MIT
 *
 * The format of zip archives (APPNOTE 6.3.10) whose files are stored as they
 * are, with their CRC-32 behind them, as they are sent before it is known.
 * Names are UTF-8; what is over four GiB, or 65 534 files, is in the fields of
 * zip64.  All sizes are known beforehand.
 */
#ifndef BASE_ZIP_H
#define BASE_ZIP_H

#include "buf.h"
#include <stdint.h>

#define ZIP_NAME_MAX 65535

struct zip_entry {
  const char *name; /* one that ends in / is a folder's */
  uint64_t size;
  int64_t mtime_s;
  uint32_t crc;    /* of ITU-T V.42; for all but the local header */
  uint64_t offset; /* of the local header; for zip_central() */
};

/* Before the bytes of a file. */
size_t zip_local_size(const struct zip_entry *);
bool zip_local(struct buf *, const struct zip_entry *);
/* Behind them. */
size_t zip_descriptor_size(const struct zip_entry *);
bool zip_descriptor(struct buf *, const struct zip_entry *);
/* Behind all files, once for each of them. */
size_t zip_central_size(const struct zip_entry *);
bool zip_central(struct buf *, const struct zip_entry *);

struct zip_end {
  uint64_t count; /* of files */
  uint64_t at;    /* where the first zip_central() stands */
  uint64_t size;  /* of all of them */
};

size_t zip_end_size(const struct zip_end *);
bool zip_end(struct buf *, const struct zip_end *);

#endif

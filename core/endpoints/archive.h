/* SPDX-License-Identifier: MIT
 *
 * An archive: which objects are in it, and its way to the client.
 */
#ifndef ENDPOINTS_ARCHIVE_H
#define ENDPOINTS_ARCHIVE_H

#include "exchange.h"

struct archive_entry {
  char *key;
  uint64_t size;
  int64_t mtime_s;
  uint32_t crc; /* once it is sent */
  bool allowed; /* hooks let it be read */
};

struct archive_item { /* that the request names */
  char *text;
  bool is_key; /* else a prefix */
};

struct archive_send;

struct archive {
  struct archive_item *items;
  size_t item_count;
  struct archive_entry *entries;
  size_t entry_count, entry_room;
  size_t strip; /* bytes of each key that its name in the archive lacks */
  size_t at;    /* of the items, then of the entries, in turn */
  size_t paid;  /* bytes charged for entries, and not yet used */
  bool asking, asked;
  enum sluice_status denied; /* SLUICE_OK: none so far */
  bool resumed;              /* a list goes on at `token` */
  struct buf token;
  struct archive_send *send; /* NULL until it begins */
};

/* All is known and allowed: sends it, with its Content-Length. */
void archive_send(struct exchange *);
/* The exchange ends: NULL is nothing. */
void archive_send_free(struct archive_send *);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Blobs that are brought from one store to another: for backups, and back.
 */
#ifndef LOCAL_MIRROR_H
#define LOCAL_MIRROR_H

#include "row.h"
#include "store.h"

#include <sqlite3.h>

struct mirror {
  const struct sluice_chore *chore;
  struct store from, to;
  bool share; /* a file of both, where that can be */
  bool read;  /* compare all bytes with their MD5 */
  uint64_t objects, bytes, blobs, brought, dropped, damaged;
  uint64_t marked;
  struct errmsg err;
};

/* The folders of both; false and err.  Nothing of `from` is changed. */
bool mirror_open(struct mirror *, int from, int to);
void mirror_close(struct mirror *);
/* Brings those that are committed and not there yet. */
bool mirror_all(struct mirror *);
/* Brings those of the index that aren't there yet, tells of those that are
 * damaged or missing, and fills its table `owned`. */
bool mirror_rows(struct mirror *, sqlite3 *);
/* Removes from `to` those that aren't in `owned`. */
bool mirror_drop(struct mirror *, sqlite3 *);
void mirror_count(const struct mirror *);

#endif

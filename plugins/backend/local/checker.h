/* SPDX-License-Identifier: MIT
 *
 * `sluice check` of a store: its index against its blobs.
 *
 *   1  the files below blobs are listed, then the index is copied, in a moment
 *      in which the gateway removes none; to repair, the store is this
 *      process's alone, and the index is the store's own
 *   2  each row is compared with its bytes (checker_rows.c)
 *   3  files without a row are looked at (checker_strays.c)
 *   4  what seems wrong is asked for again in a newer copy: the gateway may
 *      have replaced it meanwhile
 *
 * Nothing is ever deleted: to repair makes rows, and moves files to lost+found
 * or back.
 */
#ifndef LOCAL_CHECKER_H
#define LOCAL_CHECKER_H

#include "local.h"
#include "strays.h"

struct checker {
  const struct sluice_chore *chore;
  struct sluice_host *host;
  const char *directory;
  int dir; /* the store's folder */
  struct datadir datadir;
  struct store store;
  sqlite3 *db; /* the copy, or the index itself */
  /* Folders of copies, in the store's; "": none. */
  char copies[2][48];
  bool repair, read;
  bool rebuilt;    /* the index was made anew */
  uint64_t marked; /* blobs from this number on have a description */
  uint64_t objects, bytes, blobs, damaged, mended, last;
  struct errmsg err;
};

/* A chore; sluice_fail() says why it can't be done. */
enum sluice_status checker_run(const struct local_conf *, struct sluice_host *,
                               const struct sluice_chore *);

/* ---- for the other files ---- */

void checker_tell(struct checker *, const char *what, const char *key,
                  bool good, const char *fmt, ...) SLUICE_PRINTF(5, 6);
/* False, with err set: the index can't be used. */
bool checker_rows(struct checker *);
bool checker_strays(struct checker *);
/* Mends rows of the table `bad`, or tells them. */
bool checker_bad(struct checker *);
/* A folder of the store by its path; -1. */
int checker_open(const struct checker *, const char *name);
/* The index as it is by now, in a copy beside the first; NULL, with err. */
sqlite3 *checker_copy_again(struct checker *);
/* Moves a blob to lost+found, as an older one. */
bool checker_put_aside(struct checker *, uint64_t number);
bool checker_failed(struct checker *); /* the index's error; false */

#endif

/* SPDX-License-Identifier: MIT
 *
 * Tells whether the directory is still the store that was started: nobody
 * removed it, its index or its blobs, unmounted it, or put another one in its
 * place.
 * The files that are open can't lose their inodes to new ones, so comparing
 * these with what the names lead to is enough.
 *
 * The file store.id and the index hold the same random number, by which a
 * start notices parts of two stores.
 */
#ifndef LOCAL_IDENTITY_H
#define LOCAL_IDENTITY_H

#include "errmsg.h"
#include "datadir.h"

#include <sys/stat.h>

enum { IDENTITY_FOLDER, IDENTITY_INDEX, IDENTITY_WAL, IDENTITY_BLOBS };
#define IDENTITY_PLACES 4

struct identity {
  struct {
    dev_t device;
    ino_t inode;
  } places[IDENTITY_PLACES];
};

/* At a start, when all of it is there and open; false and why. */
bool identity_note(struct identity *, const struct datadir *, struct errmsg *);
/* False and why, which says what to do.  From any thread. */
bool identity_holds(const struct identity *, const struct datadir *,
                    struct errmsg *);
/* The same of the folder and index.db alone. */
bool identity_holds_index(const struct identity *, const struct datadir *);

/* Does store.id say that a store was here? */
bool identity_marked(const struct datadir *);
/* The number in store.id; false: there is none. */
bool identity_read(const struct datadir *, uint64_t *id);
/* Compares store.id with the index's number, or makes it. */
bool identity_mark(const struct datadir *, uint64_t id, struct errmsg *);

#endif

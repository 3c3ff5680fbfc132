/* SPDX-License-Identifier: MIT
 *
 * The directory of a layer `cache`: its lock, and files of entries by name.
 * All of it blocks, so it is for start(), stop() and the lane.  Nothing in it
 * is ever deleted but files with names that the cache gives.
 */
#ifndef CACHE_CACHEDIR_H
#define CACHE_CACHEDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "cacheform.h"
#include "errmsg.h"

struct cachedir {
  int dir, lock; /* -1: not open */
  uint64_t next; /* the name of the next file that isn't an entry yet */
};
#define CACHEDIR_CLOSED \
  { .dir = -1, .lock = -1 }

struct cachedir_file { /* an entry, as its file is found at the start */
  unsigned char id[CACHEFORM_ID_LEN];
  uint64_t bytes;  /* of disk */
  int64_t used_ms; /* when it was read last, nearly */
};

/* Makes what isn't there, and removes what a process left that had not become
 * an entry; all of it when the directory was another backend's.  False: `err`
 * says why. */
bool cachedir_open(struct cachedir *, const char *directory, const char *over,
                   struct errmsg *err);
void cachedir_close(struct cachedir *);

/* Entries, the one used longest ago first, to be freed; -1: no memory, or the
 * disk failed. */
long cachedir_scan(const struct cachedir *, struct cachedir_file **);

/* Bytes of disk that a file of so many bytes takes. */
uint64_t cachedir_bytes(uint64_t size);

/* Descriptors, or -1 and errno. */
int cachedir_get(const struct cachedir *,
                 const unsigned char id[CACHEFORM_ID_LEN]);
/* A file that is no entry; *number is its name. */
int cachedir_make(struct cachedir *, uint64_t *number);
/* It becomes one, in the place of one of that id; false and errno. */
bool cachedir_keep(const struct cachedir *, uint64_t number,
                   const unsigned char id[CACHEFORM_ID_LEN]);
void cachedir_unmake(const struct cachedir *, uint64_t number);
void cachedir_remove(const struct cachedir *,
                     const unsigned char id[CACHEFORM_ID_LEN]);

#endif

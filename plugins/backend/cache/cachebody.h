/* SPDX-License-Identifier: MIT
 *
 * The bytes of one version of an object, in a file, for as long as somebody
 * reads or writes them.  It is made and freed by the index, on its lane, which
 * counts who has it (pins); loops look at it without a lock, as what isn't
 * atomic is written before the state that says so, and never again.
 */
#ifndef CACHE_CACHEBODY_H
#define CACHE_CACHEBODY_H

#include <stdatomic.h>

#include "cacheform.h"

#define CACHEBODY_WHY 128

enum cachebody_state {
  CACHEBODY_ASKED,    /* the storage hasn't described it yet */
  CACHEBODY_FILLING,  /* it is described, and `have` bytes are there */
  CACHEBODY_CHECKING, /* it is described and there; nobody may read it yet */
  CACHEBODY_WHOLE,    /* it is described, and all is there */
  CACHEBODY_FAILED,   /* the storage failed: `status` and `why` */
  CACHEBODY_LOST,     /* nothing more comes by this way: ask the storage */
  CACHEBODY_UNCHECKED /* the same, but its file may be good: it was CHECKING,
                       * and that was given up */
};

struct cache_entry;

struct cachebody {
  /* Of the lane. */
  struct cache_entry *entry; /* NULL: it is in the index no more */
  size_t pins;
  uint64_t bytes;  /* of disk, that it holds */
  uint64_t number; /* of its file, while that isn't an entry */
  bool made;       /* there is such a file */

  /* Of whoever makes it, until the state says that it is described. */
  int fd;
  unsigned char *head; /* what `form` was read of */
  unsigned char *copy; /* a small object's bytes, in memory; or NULL */
  struct cacheform form;
  char md5[2 * DIGEST_MD5_LEN + 1]; /* what the tail says; "": nobody did */
  uint64_t asked_ms;                /* before the storage was */
  enum sluice_status status;
  char why[CACHEBODY_WHY];

  /* Of all. */
  _Atomic int state;     /* enum cachebody_state */
  _Atomic uint64_t have; /* bytes in the file */
  _Atomic unsigned life; /* changes when something goes on */
  atomic_size_t readers;
};

static inline enum cachebody_state
cachebody_state(const struct cachebody *body) {
  return (enum cachebody_state)atomic_load(&body->state);
}

#endif

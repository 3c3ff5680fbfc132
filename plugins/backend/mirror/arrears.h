/* SPDX-License-Identifier: MIT
 *
 * A mirror's arrears are what each of its storages lacks: a table of keys,
 * each with a set of storages, and a file that has all of it whatever happens.
 * The layer's lane calls it, and nobody else; it knows neither loops nor
 * storages.
 *
 * A key is taken before the first storage changes anything of it: from then on
 * it is in the file for all the others, and nobody else has it, until it is
 * left with those that didn't get what was changed.  So a gateway that is
 * killed in between finds the key again.
 *
 * The file is lines of text: a sum, the set in hex, and the key.  The last
 * line of a key counts.  A line that a kill cut is dropped at the next start.
 */
#ifndef MIRROR_ARREARS_H
#define MIRROR_ARREARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errmsg.h"

#define ARREARS_STORES 8

struct arrears;

struct arrears_conf {
  const char *directory;
  const char *names; /* of the storages, in their order: "a b" */
  unsigned all;      /* the set of those that may lack something */
  uint64_t limit;    /* bytes of memory for keys */
  uint64_t pause_ms; /* before a key that couldn't be healed is given again */
};

struct arrears_read { /* what the file had */
  size_t keys;
  size_t cut;     /* bytes at its end that are no whole line */
  size_t damaged; /* lines before others that are whole */
  bool other;     /* it is of other storages */
};

/* Reads the file, or makes one, and locks the directory.  NULL: err says why.
 */
struct arrears *arrears_open(const struct arrears_conf *,
                             struct arrears_read *, struct errmsg *err);
void arrears_close(struct arrears *); /* NULL: nothing */
/* Bytes of memory, whether there are keys or not. */
size_t arrears_memory(const struct arrears_conf *);

enum arrears_answer {
  ARREARS_TAKEN,
  ARREARS_BUSY, /* somebody has it */
  ARREARS_FULL,
  ARREARS_UNWRITTEN, /* this time; another one may be */
  ARREARS_FAILED     /* the file can't be written until the next start */
};

/* Takes a key, which counts when arrears_sync() was true: `owed` is the set
 * that lacked it before, `late` of those that may still be at an older change.
 */
enum arrears_answer arrears_take(struct arrears *, const char *key,
                                 unsigned *owed, unsigned *late);
/* Leaves a key that was taken, or is to be healed. */
void arrears_leave(struct arrears *, const char *key, unsigned owed,
                   unsigned late);
/* These aren't at an older change any more. */
void arrears_over(struct arrears *, const char *key, unsigned late);
/* The set that lacks it; for NULL, the set that lacks anything. */
unsigned arrears_owed(const struct arrears *, const char *key);
/* Takes the next key that one of `willing` may get; NULL: there is none.
 * `owed` is the set of these.  It stays until the key is left. */
const char *arrears_next(struct arrears *, uint64_t now_ms, unsigned willing,
                         unsigned *owed);
/* It wasn't healed, so others come before it. */
void arrears_postpone(struct arrears *, const char *key, uint64_t now_ms);

/* Makes durable what was taken since; false: none of it counts, and it was
 * given back. */
bool arrears_sync(struct arrears *);

/* The last sync failed; a try makes something durable that is there already.
 */
bool arrears_is_unwritten(const struct arrears *);
void arrears_try(struct arrears *);

/* Writes what was left since, which need not be durable. */
void arrears_flush(struct arrears *);

/* Keys that this storage lacks. */
size_t arrears_count(const struct arrears *, unsigned store);
bool arrears_is_full(const struct arrears *);
bool arrears_is_broken(const struct arrears *); /* until the next start */

#endif

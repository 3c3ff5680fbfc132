/* SPDX-License-Identifier: MIT
 *
 * Where loops ask the lane of a mirror, which alone has its arrears.  What
 * comes at the same time shares one fdatasync().
 */
#ifndef MIRROR_DESK_H
#define MIRROR_DESK_H

#include "mirror_layer.h"

enum desk_wish {
  DESK_TAKE,  /* `key`: `answer`, `owed` and `late` as they were */
  DESK_LEAVE, /* `key`, with `owed` and `late` */
  DESK_OVER,  /* `key`, `late` */
  DESK_LOOK,  /* `key`, or NULL: `owed` */
  DESK_NEXT   /* `owed`, those that may get something: `next`, `late`, which of
                 them lack it, and `owed`, all that do */
};

struct desk_job {
  enum desk_wish wish;
  const char *key; /* lent until then() */
  unsigned owed, late;
  bool postpone; /* of DESK_LEAVE: it wasn't healed */
  enum arrears_answer answer;
  char *next;              /* the caller's; NULL: none */
  void (*then)(void *arg); /* on the loop that asked */
  void *arg;
  struct mirror *shared; /* the desk's */
};

/* The job is the caller's, and stays until then(). */
void desk_ask(struct mirror_handle *, struct desk_job *);
void desk_run(void *shared, void **jobs, size_t count); /* of the lane */
/* Reads the arrears into what all loops see. */
void desk_count(struct mirror *);

#endif

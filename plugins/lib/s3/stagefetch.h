/* SPDX-License-Identifier: MIT
 *
 * The bytes of a stage, read from the objects that they lie in.
 */
#ifndef S3_STAGEFETCH_H
#define S3_STAGEFETCH_H

#include "call.h"
#include "stagename.h"
#include "stagerecord.h"

struct stagefetch {
  struct s3_loop *loop;
  struct sluice_op *op;
  const char *base;                 /* lent until done, */
  const struct stagerecord *record; /* and so is this */
  uint64_t first, left;             /* of the stage's bytes */
  /* As httpc's: false, "not yet", until stagefetch_go_on(). */
  bool (*data)(void *arg, const char *data, size_t len);
  void (*done)(void *arg, enum sluice_status, const char *why);
  void *arg;

  struct s3_call *call; /* NULL: none is under way.  The rest is private */
  struct s3_request request;
  uint64_t inner, wanted; /* bytes of the object: where, and how many */
  char key[STAGENAME_MAX], range[64];
  unsigned breaks;
  bool stopped;
};

/* The fields above are set; no event comes from inside.  There is a byte to
 * be read. */
void stagefetch_start(struct stagefetch *);
void stagefetch_go_on(struct stagefetch *);
void stagefetch_cancel(struct stagefetch *); /* no event follows */

#endif

/* SPDX-License-Identifier: MIT
 *
 * Finds out what a stage is: all its records are listed, and the one that
 * counts is read.
 */
#ifndef S3_STAGEREAD_H
#define S3_STAGEREAD_H

#include "listing.h"
#include "stagename.h"
#include "stagerecord.h"

struct stageread {
  struct s3_loop *loop;
  struct sluice_op *op;
  const char *base; /* lent until done */
  bool tidy;        /* records that nobody needs are removed on the way */
  bool gone_too;    /* what was there before it was removed */
  /* SLUICE_ENOENT: there is none, or it is gone. */
  void (*done)(void *arg, enum sluice_status, const char *why);
  void *arg;

  struct stagename_look look; /* of the list */
  bool complete;              /* the record is of its end */
  struct stagerecord record;  /* once it is done */
  struct buf text;            /* of it */

  struct s3_listing listing; /* the rest is private */
  struct s3_call *call;
  struct s3_request request;
  char prefix[STAGENAME_MAX], key[STAGENAME_MAX];
};

/* The fields above are set; no event comes from inside. */
void stageread_start(struct stageread *);
/* Ends what is under way, and frees the record and its text. */
void stageread_fini(struct stageread *);

#endif

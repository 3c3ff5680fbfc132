/* SPDX-License-Identifier: MIT
 *
 * Writes a record of a stage.
 */
#ifndef S3_STAGEWRITE_H
#define S3_STAGEWRITE_H

#include "buf.h"
#include "call.h"
#include "stagename.h"

struct stagewrite {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct s3_call *call; /* NULL: none is under way */
  struct buf text;      /* of the record */
  char key[STAGENAME_MAX];
  void (*done)(void *arg, enum sluice_status, const char *why);
  void *arg;

  struct s3_request request; /* the rest is private */
  char md5[32], sha256[65];
};

void stagewrite_init(struct stagewrite *, struct s3_loop *,
                     struct sluice_op *);
void stagewrite_fini(struct stagewrite *); /* ends what is under way */
/* The text under the record's name; done() is never called from inside. */
void stagewrite_start(
    struct stagewrite *, const char *base, const struct stagename_record *,
    void (*done)(void *arg, enum sluice_status, const char *why), void *arg);

#endif

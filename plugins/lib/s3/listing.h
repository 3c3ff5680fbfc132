/* SPDX-License-Identifier: MIT
 *
 * The keys below a prefix, in their order: for what the plugin itself keeps in
 * the bucket.
 */
#ifndef S3_LISTING_H
#define S3_LISTING_H

#include "buf.h"
#include "call.h"

struct s3_listing {
  struct s3_loop *loop;
  struct sluice_op *op; /* to be told that it goes on */
  const char *prefix;   /* lent until done */
  unsigned max;         /* keys; 0: all */
  /* Each key, lent until it returns; false: that is enough. */
  bool (*key)(void *arg, const char *key);
  /* The last event; `why` is for the log. */
  void (*done)(void *arg, enum sluice_status, const char *why);
  void *arg;

  struct s3_call *call; /* NULL: none is under way.  The rest is private */
  struct s3_request request;
  struct xml_events xml;
  struct buf token, last;
  char max_keys[16];
  unsigned found, before, empty;
  bool enough;
};

/* The fields above are set; no event comes from inside. */
void s3_listing_start(struct s3_listing *);
void s3_listing_cancel(struct s3_listing *); /* no event follows */

#endif

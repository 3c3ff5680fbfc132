/* SPDX-License-Identifier: MIT
 *
 * An upload in parts from the inside: multipart.c begins it, sends the parts
 * and gives it up, complete.c makes an object of them.
 */
#ifndef S3_MULTIPART_H
#define S3_MULTIPART_H

#include <sluice/plugin.h>

#include "put.h"

struct part { /* one that is under way */
  struct put *put;
  uint32_t number; /* from 1; 0: idle */
  struct spool_sum sum;
  bool summing;
  struct spool *spool; /* its own, of a part that goes early; NULL: put's */
  size_t held;         /* of the memory for those */
  struct s3_call *call;
  struct s3_request request;
  char number_text[12], md5_base64[32], sha256_hex[65];
  char range[64];   /* of a copy's source */
  char joined[256]; /* the segment that it is: "bucket/key" */
};

struct multipart {
  char *upload_id;
  uint64_t part_size;
  uint32_t count, next, finished;
  unsigned char (*md5s)[16]; /* of all parts: what the ETag is made of */
  char **etags;              /* and theirs, as the service gave them */
  struct part *parts;        /* conf->parallel_parts of them */
  size_t slots;
  struct buf document;
  size_t cost;   /* taken from the host's memory */
  bool opaque;   /* ETags are no MD5s, as an answer has told */
  bool sweeping; /* uploads of this key that nobody heard of */
  bool aborting;
};

/* Takes what it needs for so many parts, at most, and begins it: false when it
 * ended instead.  early_advance() follows, or parts of put->spool are sent. */
bool multipart_begin(struct put *, uint64_t part_size, uint32_t count);
/* Sends sum.count bytes of part->spool, or of put->spool. */
void multipart_send(struct part *);

put_ending multipart_end;
/* Aborts what was begun, then ends. */
put_ending multipart_give_up;
/* Where it is being given up and nothing is under way any more, it ends. */
void multipart_idle(struct put *);

/* All parts are there. */
void complete_start(struct put *);

#endif

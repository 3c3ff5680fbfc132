/* SPDX-License-Identifier: MIT
 *
 * An upload's inside: put.c takes the bytes and commits, by single.c in one
 * PUT or by multipart.c in parts; both end in put_end().
 */
#ifndef S3_PUT_H
#define S3_PUT_H

#include <sluice/plugin.h>

#include "task.h"

struct multipart;
struct put;

struct reconcile_ends;

typedef void put_ending(struct put *, enum sluice_status, const char *why);

struct put {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct spool *spool;
  struct digest *sha256; /* over plain HTTP, while it may be one PUT */
  struct s3_call *call;  /* parts have their own */
  struct s3_request request;
  struct multipart *multipart;
  bool adding;   /* the spool has a chunk */
  bool canceled; /* ends when nothing is under way */
  bool removing; /* what may have been stored */
  bool exclusive;
  bool was_absent; /* as a HEAD before said */

  /* As commit() said. */
  char *key, *type, *md5_hex;
  uint64_t length;
  struct buf user[S3_META_NAMES]; /* encoded */
  char user_names[S3_META_NAMES][48];
  size_t user_count;
  char md5_base64[32], sha256_hex[65];

  /* Once something is wrong: how it ends. */
  enum sluice_status failure;
  char why[512];

  /* Of reconcile.c. */
  char etag[64]; /* that the object's is compared with; "": none */
  const struct reconcile_ends *ends;
  put_ending *then;
};

/* Headers that describe the object; how many there are. */
size_t put_headers(const struct put *, struct sigv4_pair *);
/* The whole of it is done with; the spool goes in the background. */
put_ending put_end;
void put_keep_failure(struct put *, enum sluice_status, const char *why);

/* In one PUT; ends in put_end(). */
void single_start(struct put *);

/* In parts; ends in put_end(). */
void multipart_start(struct put *);
void multipart_cancel(struct put *);

/* 24 letters and NUL. */
void put_base64_md5(char out[32], const unsigned char md5[16]);

#endif

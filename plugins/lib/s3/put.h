/* SPDX-License-Identifier: MIT
 *
 * An upload's inside: put.c takes the bytes and commits, by single.c in one
 * PUT or by multipart.c in parts; both end in put_end().  A copy in parts is
 * an upload whose bytes are an object's.
 */
#ifndef S3_PUT_H
#define S3_PUT_H

#include <sluice/plugin.h>

#include "task.h"

struct early;
struct multipart;
struct put;

struct reconcile_ends;

typedef void put_ended(void *arg, enum sluice_status, const char *why);
typedef void put_ending(struct put *, enum sluice_status, const char *why);

/* Segments of a stage, which are its first parts. */
struct put_joined {
  const char *base;
  const struct stagerecord *record;
  uint32_t count;
};

#define PUT_ETAG_MAX 160 /* NUL included */

struct put {
  struct s3_loop *loop;
  struct sluice_op *op;
  struct spool *spool;
  struct digest *sha256;      /* over plain HTTP, while it may be one PUT */
  struct s3_call *call;       /* parts have their own */
  struct copy_source *source; /* of a copy; NULL: the spool's bytes */
  const struct put_joined *joined; /* before those; NULL: nothing is */
  put_ended *ended; /* of a copy; NULL: the operation ends with it */
  /* All parts are there: complete_go_on() follows.  NULL: it needn't. */
  void (*last)(void *ended_arg);
  void *ended_arg;
  struct s3_request request;
  struct multipart *multipart;
  struct early *early; /* parts go out before the commit; NULL: none */
  bool adding;         /* the spool has a chunk */
  bool canceled;       /* ends when nothing is under way */
  bool removing;       /* what may have been stored */
  bool exclusive;
  bool lasting; /* of a stage: an object of its length may have been found by
                   another request, which said so, and stays */
  bool was_absent;                 /* as a HEAD before said */
  char if_match[PUT_ETAG_MAX + 2]; /* as it is sent; "": none */
  char write_id[33];         /* kept with the object: no other write has it */
  char stored[PUT_ETAG_MAX]; /* the object's ETag, once it is known */

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

/* Of a new operation; NULL: no memory. */
struct put *put_new(struct s3_loop *, struct sluice_op *);
/* Takes over what the bytes become; NULL, or why they can't. */
const char *put_take_object(struct put *, const struct sluice_object *);
/* The same before the bytes, without length and MD5.  False: more metadata
 * than the provider takes. */
bool put_foresee_object(struct put *, const struct sluice_object *);
/* Forgets it, to be told again. */
void put_forget_object(struct put *);
/* Stores it; ends in put_end(). */
void put_send(struct put *);
/* Ends it; what was begun of it in parts is given up first. */
void put_give_up(struct put *, enum sluice_status, const char *why);
/* Does the service decide on its condition where it comes in parts? */
bool put_may_be_in_parts(const struct put *);
/* Headers that describe the object; how many there are. */
size_t put_headers(const struct put *, struct sigv4_pair *);
/* Those that say what may be replaced; how many there are. */
size_t put_conditions(const struct put *, struct sigv4_pair *);
/* How an upload ends whose condition the service refused. */
enum sluice_status put_refusal(const struct put *);
/* The whole of it is done with; the spool goes in the background. */
put_ending put_end;
void put_keep_failure(struct put *, enum sluice_status, const char *why);

/* In one PUT; ends in put_end(). */
void single_start(struct put *);

/* In parts; ends in put_end(). */
void multipart_start(struct put *);
void multipart_cancel(struct put *);
void put_cancel(struct put *); /* ends in put_end(), perhaps at once */
/* The answer to put->last(): an object is made, or none. */
put_ending complete_go_on;
/* A copy in parts, or of no bytes: key, length, source and ended are set. */
void put_copy(struct put *);

/* 24 letters and NUL. */
void put_base64_md5(char out[32], const unsigned char md5[16]);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A configured S3 service, as a whole and on one loop, for the files that are
 * the operations.
 */
#ifndef S3_CLIENT_H
#define S3_CLIENT_H

#include <sluice/plugin.h>
#include <stdatomic.h>

#include "buf.h"
#include "credentials.h"
#include "credentials_refresh.h"
#include "errmsg.h"
#include "httpc.h"
#include "s3.h"
#include "sigv4.h"
#include "spool.h"
#include "stagebusy.h"

enum { S3_REGION_MAX = 63 };

struct s3_endpoint {
  bool tls;
  bool virtual_host; /* the bucket is part of `host` */
  char host[300];    /* as Host has it: with the port where it isn't the
                        scheme's */
};

enum s3_metric {
  S3_SPOOL_BYTES,
  S3_SPOOL_FILES,
  S3_SPOOL_MAX,
  S3_CREDENTIALS_END,
  S3_CREDENTIALS_RENEWED,
  S3_CREDENTIALS_FAILED
};

struct s3 {                 /* the instance */
  struct sluice_host *host; /* until stop() */
  struct sluice_timer *timer;
  const struct s3_conf *conf;
  const struct s3_dialect *dialect;
  struct s3_endpoint endpoint, presign;
  struct credentials_source source;
  struct credentials first; /* what each loop begins with */
  struct spool_settings spools;
  atomic_size_t early;  /* memory that parts which go early may hold */
  atomic_bool sweeping; /* a loop looks for stages that have expired */
  struct stagebusy busy;
  char region[S3_REGION_MAX + 1]; /* as configured, or as the start found it */
  int64_t skew_s;                 /* so too */
};

struct s3_loop { /* the handle */
  struct s3 *s3;
  struct sluice_host *host;
  struct event_base *base;
  bool starting; /* it is the start's, not one of the gateway's */
  struct httpc *http;
  struct credentials credentials;
  unsigned renewals; /* of them */
  struct sigv4_cache signing;
  struct credentials_refresh *refresh;
  struct leftovers *leftovers;
  struct eraser *eraser;
  struct event *age; /* of the spools' files; NULL where no uploads are */
  char region[S3_REGION_MAX + 1]; /* as configured, or as corrected */
  int64_t skew_s;                 /* the service's clock less ours */
  int64_t refusal_ms;             /* when one of a key was told last */
};

bool s3_loop_init(struct s3_loop *, struct s3 *, struct sluice_host *,
                  struct event_base *, bool starting);
void s3_loop_fini(struct s3_loop *);

/* Can it be part of a signature's scope?  1 to S3_REGION_MAX letters, digits,
 * hyphens, dots and underscores. */
bool s3_is_region(const char *);
/* "http://host:port" as configured.  `bucket` goes into the host name when
 * `virtual_host`. */
bool s3_endpoint_parse(struct s3_endpoint *, const char *url,
                       bool virtual_host, const char *bucket, struct errmsg *);
/* "/bucket/key" or "/key", raw; NULL for the bucket itself. */
bool s3_path(struct buf *, const struct s3 *, const struct s3_endpoint *,
             const char *key);

struct sigv4_key s3_signing_key(struct s3_loop *);
int64_t s3_now(const struct s3_loop *); /* by the service's clock */
/* Bits of enum s3_guard, as the dialect and the options say. */
unsigned s3_guards(const struct s3 *);
/* Is an ETag of this service one PUT's, or one part's, MD5?  And of parts the
 * MD5 of theirs? */
bool s3_etag_is_md5(const struct s3_loop *);
bool s3_etag_is_of_parts(const struct s3_loop *);

struct s3_sweep {   /* which unfinished multipart uploads to give up */
  const char *key;  /* all of this one; NULL: those of the bucket that are
                       older than the options say */
  const char *keep; /* but the one of this id; NULL: none */
  /* Told of each that is wanted; NULL: the log is. */
  void (*found)(void *arg, const char *key, int64_t age_ms);
  bool look; /* and give none up */
  /* Never from inside; a failure: some may be left. */
  void (*done)(void *arg, enum sluice_status);
  void *arg;
};
void s3_sweep_start(struct s3_loop *, const struct s3_sweep *);

/* Makes sure that the bucket is there; logs, or fails as start() does. */
bool s3_bucket_check(struct s3 *, struct sluice_host *);

#endif

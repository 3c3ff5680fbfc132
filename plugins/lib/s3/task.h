/* SPDX-License-Identifier: MIT
 *
 * Every operation's state: how to cancel it, and its own work.
 */
#ifndef S3_TASK_H
#define S3_TASK_H

#include <sluice/plugin.h>

#include "call.h"

struct s3_task { /* the state of a sluice_op */
  void (*cancel)(void *work);
  void *work;
  /* Of what takes bytes, or gives some; NULL else. */
  void (*data)(void *work, const struct sluice_chunk *);
  void (*read)(void *work, uint64_t first, uint64_t count);
  void (*more)(void *work);
};

static inline struct s3_task *s3_task_of(struct sluice_op *op) {
  return sluice_op_state(op, sizeof(struct s3_task));
}

/* A key that no object of this service has: to be answered without asking, as
 * the service would take it for another one's, or refuse it. */
bool s3_is_no_key(const struct s3_loop *, const char *key);

/* "name" of x-amz-meta-name, as the gateway stores it. */
#define S3_META_NAMES 7
extern const char *const s3_meta_names[S3_META_NAMES];
/* Tells one write of an object from another, of the same bytes too. */
#define S3_WRITE_ID "x-amz-meta-write-id"

/* Tells the operation what an answer's head says of the object, whose length
 * is given. */
void s3_meta_tell(struct sluice_op *, const struct s3_call *, uint64_t length);
/* False: the answer tells of an encryption under which an ETag is no MD5. */
bool s3_etag_tells(const struct s3_call *);
/* Without quotes and W/; "" when there is none. */
void s3_etag(char out[160], const char *header);

struct s3_span { /* of an object, as an answer brings it */
  uint64_t first, count, total;
};
/* Content-Length; false: there is none, or it is no number. */
bool s3_length(const struct s3_call *, uint64_t *length);
/* By Content-Range, in a 200 too, as some services answer so to a range; else
 * the whole object.  False: the answer doesn't say which bytes it brings. */
bool s3_span(const struct s3_call *, struct s3_span *);

#endif

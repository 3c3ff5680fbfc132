/* SPDX-License-Identifier: MIT
 *
 * A small object of the gateway's own, below .sluice/: read as a text, written
 * as one, perhaps only where it is what it was, or removed.  One call at a
 * time; each ends in one then(), whoever has left, and the loop doesn't end
 * before.  Until then its memory stays.
 */
#ifndef ENDPOINTS_OWNOBJECT_H
#define ENDPOINTS_OWNOBJECT_H

#include <sys/types.h>

#include "digest.h"
#include "op.h"

#define OWNOBJECT_KEY_SIZE 96
#define OWNOBJECT_ETAG_MAX 255

enum ownobject_writing {
  OWNOBJECT_ANYHOW,
  OWNOBJECT_NEW,  /* where nothing is: SLUICE_EEXIST */
  OWNOBJECT_AS_IS /* over that of own->etag: SLUICE_EPRECOND, SLUICE_ENOENT */
};

enum ownobject_thread { /* of the pool, where bytes are in a file */
                        OWNOBJECT_HERE,
                        OWNOBJECT_AWAY,      /* it reads */
                        OWNOBJECT_AWAY_ENDED /* though the backend has ended
                                                meanwhile */
};

struct ownobject {
  struct op_backend *backend;
  struct sluice_op *op; /* NULL: nothing is under way */
  char *text;           /* the caller's: `max` bytes, and a NUL */
  size_t max, length;
  char key[OWNOBJECT_KEY_SIZE];
  char etag[OWNOBJECT_ETAG_MAX + 1];  /* of what is there; "": isn't known */
  char match[OWNOBJECT_ETAG_MAX + 1]; /* of what a write is over */
  char md5[2 * DIGEST_MD5_LEN + 1];   /* of what was written */
  struct sluice_object object;
  struct sluice_chunk chunk; /* in a file */
  ssize_t got;               /* of that */
  enum ownobject_thread thread;
  enum sluice_status status; /* of the backend that has ended */
  bool foreign;    /* what is there can't be ours: SLUICE_EUPSTREAM */
  bool lent;       /* the text, to a put */
  bool wants_etag; /* the caller's: a write ends once the ETag is known */
  bool learns;     /* it, as the backend told none */
  void (*then)(void *arg, enum sluice_status, const char *why);
  void *arg;
};

/* `text` may be NULL where objects are only removed. */
void ownobject_init(
    struct ownobject *, struct op_backend *, char *text, size_t max,
    void (*then)(void *arg, enum sluice_status, const char *why), void *arg);
void ownobject_read(struct ownobject *, const char *key);
/* Puts text[0..length).  SLUICE_EPRECOND, too, where the ETag is wanted and
 * what is there is another one's text by now. */
void ownobject_write(struct ownobject *, const char *key, size_t length,
                     enum ownobject_writing);
/* Where it has own->etag, as far as the backend can compare and one is known;
 * else anyhow. */
void ownobject_remove(struct ownobject *, const char *key);

#endif

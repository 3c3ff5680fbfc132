/* SPDX-License-Identifier: MIT
 *
 * A small object of the gateway's own, read and written as a whole, and only
 * where it is what it was.  One call at a time; each ends in `then`, whoever
 * has left, and its memory stays until it does.
 */
#ifndef ENDPOINTS_NOTE_H
#define ENDPOINTS_NOTE_H

#include "digest.h"
#include "gate.h"
#include "oncerecord.h"

#define NOTE_ETAG_MAX 255

struct note {
  struct gate *gate;
  struct op_backend *backend;
  const char *key;
  void (*then)(void *arg, enum sluice_status, const char *why);
  void *arg;

  /* The content that was read or written last. */
  char etag[NOTE_ETAG_MAX + 1];
  char text[ONCERECORD_MAX];
  size_t len;

  struct sluice_op *op; /* NULL: no call is under way */
  bool lent;            /* the text, to a put */
  bool verifies;        /* what was written is read again, for its ETag */
  bool nonsense;        /* it is longer than any of ours */
  char md5[2 * DIGEST_MD5_LEN + 1]; /* of what was written */
  struct sluice_object object;
  struct sluice_chunk chunk; /* in a file */
  ssize_t got;               /* of that */
};

/* Of backends with the
 * abilities SLUICE_CAN_CREATE and SLUICE_CAN_REPLACE. */
void note_read(struct note *); /* SLUICE_ENOENT */
/* Puts text[0..len): with `if_match`, an ETag, in place of that one
 * (SLUICE_EPRECOND, SLUICE_ENOENT), else where nothing is (SLUICE_EEXIST). */
void note_write(struct note *, const char *if_match);
/* Where it has that ETag, as far as the backend can tell. */
void note_remove(struct note *, const char *if_match);

#endif

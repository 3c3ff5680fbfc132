/* SPDX-License-Identifier: MIT
 *
 * Uploads of all loops share this: the threads that make their MD5s, and
 * the random parts of their keys.
 */
#ifndef ENDPOINTS_UPLOADS_H
#define ENDPOINTS_UPLOADS_H

#include <stdint.h>

#include "md5.h"

struct checksum;
struct loop;
struct sums;
struct uploads;
struct work_share;

/* One buffer of an upload on its way through its digest; the memory of whoever
 * hands it in, until then() is called. */
struct uploads_job {
  struct md5_piece piece; /* its MD5 may be NULL: then it isn't made */
  struct checksum *also;  /* NULL, or: another sum of the same bytes */
  struct sums *sums[2];   /* so, too */
  void (*then)(void *arg);
  void *arg;
  struct uploads *uploads;
};

struct uploads *uploads_new(struct work_share *); /* NULL: no memory */
void uploads_free(struct uploads *);

/* From any loop.  True: it is hashed already, as it is small.  False: then()
 * is called from the loop when a thread of the pool has done it. */
bool uploads_hash(struct uploads *, struct loop *, struct uploads_job *);

/* Any work of an upload that blocks, on a thread of the pool; then() comes
 * from the loop. */
void uploads_run(struct uploads *, struct loop *, void (*work)(void *),
                 void (*then)(void *), void *arg);

/* The random part of a key: none twice, until the gateway restarts. */
uint32_t uploads_random(struct uploads *);

/* A note was written of an object that ends, and how many were. */
void uploads_count_note(struct uploads *);
unsigned uploads_notes(struct uploads *);

#endif

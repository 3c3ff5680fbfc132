/* SPDX-License-Identifier: MIT
 *
 * An upload that is made once, however often its request comes
 * (Idempotency-Key).  A record in the storage says who has it and what became
 * of it (decision 0036):
 *
 *   claimed     put where nothing is, before the body is read
 *   committing  the key is fixed; then the object is put, where nothing is
 *   done        before the client is told
 *
 * Whoever comes later finds it.  An owner that died is taken over from when
 * its claim isn't renewed any more.
 */
#ifndef ENDPOINTS_IDEMPOTENCY_H
#define ENDPOINTS_IDEMPOTENCY_H

#include "exchange.h"
#include "oncerecord.h"

struct idempotency; /* of one request; in all of these NULL is none */

/* Reads the request's key, of that identity; *once stays NULL where it has
 * none.  False: answered. */
bool idempotency_read(struct exchange *, struct idempotency **once,
                      const char *identity);
/* Goes on once the upload is this request's, or was made before.  Else it is
 * answered. */
void idempotency_claim(struct exchange *, struct idempotency *,
                       void (*then)(struct exchange *));
/* Was it made before?  Then nothing is stored. */
bool idempotency_replays(const struct idempotency *);
/* The record of that. */
const struct oncerecord *idempotency_record(const struct idempotency *);
/* Is it the same upload, by its names, size and digests? */
bool idempotency_fits(const struct idempotency *, const struct oncerecord *);

/* The key that one which was taken over from would have stored these names
 * as: so no two of them do.  NULL: any. */
const char *idempotency_earlier(const struct idempotency *, const char *prefix,
                                const char *filename);
/* Records what is about to be stored; goes on, or it was answered. */
void idempotency_fix(struct exchange *, struct idempotency *,
                     const struct oncerecord *,
                     void (*then)(struct exchange *));
/* The backend is asked to store it; it did. */
void idempotency_commits(struct idempotency *);
void idempotency_stored(struct idempotency *);
/* Another one did, and it is as this says. */
void idempotency_found(struct idempotency *, const struct oncerecord *);
/* Records that it is stored; goes on in any case. */
void idempotency_done(struct exchange *, struct idempotency *,
                      void (*then)(struct exchange *));

/* 409 and 422. */
void idempotency_refuse_flight(struct exchange *);
void idempotency_refuse_other(struct exchange *);

/* The request is over: what it claimed, and didn't store, is free. */
void idempotency_leave(struct idempotency *);

#endif

/* SPDX-License-Identifier: MIT
 *
 * An upload of which parts go out while the next one comes in: put.c starts
 * it, where the gateway has told what its bytes become; multipart.c sends the
 * parts.  What ends before the first part is full goes the usual way.
 */
#ifndef S3_EARLY_H
#define S3_EARLY_H

#include "multipart.h"

#define EARLY_FLIGHT 2u                /* parts of an upload that go at once */
#define EARLY_PART ((uint64_t)8 << 20) /* bytes of one, where that does */
#define EARLY_MEMORY ((size_t)96 << 20) /* of all of a backend's */

/* False: its bytes wait in the spool, as ever. */
bool early_start(struct put *, const struct sluice_put *);
void early_data(void *put, const struct sluice_chunk *);
/* Of one that has begun. */
void early_commit(struct put *, const struct sluice_object *);
/* It has begun, or a part of it is there. */
void early_advance(struct put *);
/* A part's bytes aren't needed any more. */
void early_drop(struct put *, struct part *);
void early_free(struct put *);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Ends an upload whose answer doesn't tell what is stored: shared
 * by single.c and complete.c, which differ in how they end.
 */
#ifndef S3_RECONCILE_H
#define S3_RECONCILE_H

#include "put.h"

struct reconcile_ends {
  put_ending *settled;   /* what was sent is an object, or gone */
  put_ending *unsettled; /* parts of it may be there yet */
};

/* Asks what lies under the key, and ends the upload by it.  put->failure is
 * SLUICE_OK after an answer of success.  `etag`: what an ETag that is made of
 * MD5s has to be; "": that of this object never is. */
void reconcile_start(struct put *, const char *etag,
                     const struct reconcile_ends *);
/* Removes an object of other bytes than were sent, which nobody shall find,
 * and ends the upload. */
void reconcile_remove_spoiled(struct put *, put_ending *);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Multipart uploads that couldn't be given up: asked for again, one at a time
 * and ever less often, as long as the gateway runs.
 */
#ifndef S3_LEFTOVERS_H
#define S3_LEFTOVERS_H

#include "client.h"

#define LEFTOVERS_MAX 1000 /* remembered, on each loop */

struct leftovers;

struct leftovers *leftovers_new(struct s3_loop *); /* NULL: no memory */
/* Logs how many are left in the bucket.  NULL: nothing. */
void leftovers_free(struct leftovers *);
/* The service refused to abort this upload, or didn't answer; `why` is for the
 * log. */
void leftovers_add(struct leftovers *, const char *key, const char *upload_id,
                   const char *why);

#endif

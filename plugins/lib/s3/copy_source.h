/* SPDX-License-Identifier: MIT
 *
 * The object that a copy is made of, as a HEAD described it.
 */
#ifndef S3_COPY_SOURCE_H
#define S3_COPY_SOURCE_H

#include "call.h"

struct copy_source;

/* NULL: it has more metadata than can go along. */
struct copy_source *copy_source_new(const struct s3 *, const char *key,
                                    const struct s3_call *head);
void copy_source_free(struct copy_source *); /* NULL: nothing */
/* Headers that name it, and pin it where the service can; how many. */
size_t copy_source_names(const struct copy_source *, struct sigv4_pair *);
/* Those that describe it: what its copy begins with; how many. */
size_t copy_source_headers(const struct copy_source *, struct sigv4_pair *);

#endif

/* SPDX-License-Identifier: MIT
 *
 * A URL's query, read one parameter at a time.
 */
#ifndef BASE_QUERY_H
#define BASE_QUERY_H

#include "buf.h"

enum query_result {
  QUERY_NONE,
  QUERY_FOUND,
  QUERY_BAD /* bad escape, %00, no UTF-8, there twice, or `out` is full */
};

/* The decoded value of `name` is put into `out` (cleared before).  + is a
 * space.  "?name" and "?name=" are found, and empty.  `query` may be NULL. */
enum query_result query_get(struct buf *out, const char *query,
                            const char *name);

/* The same of the next parameter that is called so, one of several; `*query`
 * is moved past it. */
enum query_result query_next(struct buf *out, const char **query,
                             const char *name);

#endif

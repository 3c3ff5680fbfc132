/* SPDX-License-Identifier: MIT
 *
 * If-Match and If-None-Match of a request that changes an object (RFC 9110,
 * section 13.1).  The backend decides with the write; it takes one ETag, or
 * that nothing may be there, so what a request says is first compared with
 * what is there.
 */
#ifndef ENDPOINTS_PRECONDITION_H
#define ENDPOINTS_PRECONDITION_H

#include "exchange.h"

#define PRECONDITION_MAX 32768 /* bytes of one, all its lines together */

struct precondition {
  struct buf match_lines, none_match_lines;
  const char *match, *none_match; /* NULL: not there */
  bool unmodified_since;          /* If-Unmodified-Since counts */
};

/* Of the request's head, which outlives it.  False when it was answered: one
 * isn't a list of ETags, which is 400, or 501 where the backend isn't able to
 * decide any for this method. */
bool precondition_read(struct exchange *, struct precondition *, bool able);
void precondition_fini(struct precondition *);

bool precondition_is_any(const struct precondition *); /* is there one? */
/* Nothing but that no object is there. */
bool precondition_only_new(const struct precondition *);
/* Nothing but that an object is there. */
bool precondition_only_there(const struct precondition *);
/* Does what is there fulfill it?  `etag` is NULL where it has none. */
bool precondition_holds(const struct precondition *, bool there,
                        const char *etag);
/* 412. */
void precondition_refuse(struct exchange *);
/* Is it looked at, and the backend `able` to decide it together with the
 * change?  Else it was answered with 501. */
bool precondition_offered(struct exchange *, const struct precondition *,
                          bool able);

#endif

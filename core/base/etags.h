/* SPDX-License-Identifier: MIT
 *
 * Lists of entity-tags, as If-Match and If-None-Match have them (RFC 9110,
 * section 13.1): "*", or tags with commas between and around them.
 */
#ifndef BASE_ETAGS_H
#define BASE_ETAGS_H

#include <stdbool.h>

/* Is it "*", or a list of one tag at least? */
bool etags_valid(const char *list);
bool etags_is_any(const char *list); /* "*" */
/* Is this ETag, which is without quotes, in the list, or is that "*"?  NULL
 * is an object without an ETag.  `weak`: those that begin with W/ count, too.
 * A list that isn't valid has those before its fault. */
bool etags_has(const char *list, const char *etag, bool weak);
/* Is `text` just this one tag, compared strongly? */
bool etags_is(const char *text, const char *etag);

#endif

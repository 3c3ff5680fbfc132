/* SPDX-License-Identifier: MIT
 *
 * Media types and dispositions: whether a client's is well formed, what can be
 * made of one that isn't, and their parameters.
 */
#ifndef BASE_MIME_H
#define BASE_MIME_H

#include "buf.h"

#define MIME_MAX 255 /* bytes of a media type with its parameters */

/* type "/" subtype *( OWS ";" OWS [ parameter ] ) of RFC 9110, section 8.3.1,
 * in UTF-8, at most MIME_MAX bytes.  A range of types, with
 * an asterisk, is none. */
bool mime_valid(const char *type);
/* Makes a valid type of what a client says, into `out` (cleared before): as it
 * is, but for tabs, which become spaces; else its essence with those of its
 * parameters that are ones and fit.  False: it has no essence. */
bool mime_clean(struct buf *out, const char *type);
/* Is `type` this essence (lower case, as "multipart/form-data"), whatever its
 * case and parameters? */
bool mime_is(const char *type, const char *essence);

enum mime_parameter { MIME_NONE, MIME_FOUND, MIME_BAD };
/* A parameter's value of a disposition (all after the first ";"), put into
 * `out` (cleared before).  The name is compared without case.  A quoted value
 * may hold controls.  One without quotes ends at a blank or a semicolon, and
 * may hold what no token may, as clients write it.  A backslash escapes a
 * quote or a backslash, before all else it is itself: old browsers send
 * C:\dir\name so.  BAD: the parameters are malformed, the name is there twice,
 * or `out` is full. */
enum mime_parameter mime_parameter(struct buf *out, const char *header,
                                   const char *name);

/* Decodes UTF-8'language'text of RFC 8187 into `out` (cleared before), but for
 * NULs, which are dropped.  False: it isn't that. */
bool mime_extended(struct buf *out, const char *text);
/* The file name of a request's Content-Disposition (RFC 6266), filename*
 * before filename.  False: it names none, or none that can be read. */
bool mime_filename(struct buf *out, const char *disposition);

/* "attachment; filename=...", with filename* where the name isn't ASCII, or
 * holds what some browsers would decode (RFC 6266, RFC 8187).  Quotes and
 * backslashes are escaped, control characters never written, a byte that isn't
 * UTF-8 becomes "_". */
bool mime_disposition(struct buf *, bool inline_, const char *filename);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Media types: by a file name's extension, whether a client's is well formed,
 * and which of them a browser would run.
 */
#ifndef BASE_MIME_H
#define BASE_MIME_H

#include "buf.h"

#define MIME_UNKNOWN "application/octet-stream"
#define MIME_MAX 255 /* bytes of a media type with its parameters */

/* Of the extension after the last dot, in any case; never NULL:
 * "application/octet-stream" when it isn't known. */
const char *mime_by_name(const char *filename);
/* type "/" subtype *( OWS ";" OWS [ parameter ] ) of RFC 9110, section 8.3.1,
 * in UTF-8, at most MIME_MAX bytes. */
bool mime_valid(const char *type);
/* HTML, XHTML, any XML, SVG, PDF: content that can hold scripts.  So does what
 * isn't a valid type: a browser makes of it what it likes. */
bool mime_active(const char *type);
/* Is `type` this essence (lower case, as "multipart/form-data"), whatever its
 * case and parameters? */
bool mime_is(const char *type, const char *essence);

enum mime_parameter { MIME_NONE, MIME_FOUND, MIME_BAD };
/* A parameter's value, quoted or not, of a media type or of a disposition
 * (all after the first ";"), put into `out` (cleared before).  The name is
 * compared without case.  A backslash escapes a quote or a backslash, before
 * all else it is itself: old browsers send C:\dir\name so.  BAD: the
 * parameters are malformed, the name is there twice, or `out` is full. */
enum mime_parameter mime_parameter(struct buf *out, const char *header,
                                   const char *name);

/* "attachment; filename=...", with filename* where the name isn't ASCII
 * (RFC 6266, RFC 8187).  Quotes and backslashes are escaped, control
 * characters never written, a byte that isn't UTF-8 becomes "_". */
bool mime_disposition(struct buf *, bool inline_, const char *filename);

#endif

/* SPDX-License-Identifier: MIT
 *
 * User metadata in HTTP headers: ASCII as it is, everything else
 * percent-encoded with a mark that tells so; what providers return in RFC 2047
 * or raw UTF-8 is understood.
 */
#ifndef S3_METADATA_H
#define S3_METADATA_H

#include "buf.h"

/* A value that any provider stores and gives back unchanged: visible ASCII and
 * inner single spaces.  `value` is UTF-8. */
bool metadata_encode(struct buf *, const char *value);
/* The way back.  What isn't encoded comes out as it is; never fails but for
 * room: what is malformed stays as it came, what isn't UTF-8 is read as
 * Latin-1. */
bool metadata_decode(struct buf *, const char *header, size_t len);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Values as S3 writes them into XML.
 */
#ifndef S3_XMLVALUE_H
#define S3_XMLVALUE_H

#include <stdint.h>

#include "buf.h"

/* "2009-10-12T17:50:30.000Z": a fraction of any length or none, Z or an
 * offset such as +02:00.  Digits beyond milliseconds are dropped. */
bool xmlvalue_time(const char *text, int64_t *ms);
/* Digits only, up to 2^63 - 1, which is what sizes are in S3. */
bool xmlvalue_size(const char *text, uint64_t *size);
/* "true" or "false". */
bool xmlvalue_bool(const char *text, bool *value);
/* Without a pair of outer quotes. */
bool xmlvalue_etag(struct buf *, const char *text);
/* A key that was asked for with encoding-type=url: both + (AWS, MinIO) and %20
 * (Ceph) are a space, + itself comes as %2B.  False: a bad escape, %00, or no
 * UTF-8. */
bool xmlvalue_key(struct buf *, const char *text);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Cloudflare R2.
 */
#include "s3/s3.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const struct sluice_option options[] = {
    S3_OPTIONS(NULL, "auto", "true", "false"), {0}};

/* Cloudflare's documentation of R2: HTTPS only, parts of equal size, a PUT of
 * at most 5 GiB less 5 MiB, 8 KiB of metadata; response-content-* isn't among
 * what it lists.  A token for objects may list but not see its bucket.  Its
 * page on conditional operations has PutObject and CompleteMultipartUpload, a
 * copy's source too, but not DeleteObject. */
static const struct s3_dialect dialect = {
    .name = "R2",
    .require_tls = true,
    .etag_is_md5 = true,
    .multipart_etag = true,
    .conflict_is_mine = true,
    .probe = S3_PROBE_LIST,
    .location = S3_LOCATION_NEVER,
    .guards = S3_GUARDS_PUT | S3_GUARDS_PARTS | S3_GUARDS_SOURCE,
    .put_max = 5 * GIB - 5 * MIB,
    .copy_max = 5 * GIB - 5 * MIB,
    .part_max = 5 * GIB - 5 * MIB,
    .metadata_max = 8192,
    .part_min = 5 * MIB,
    .parts_max = 10000};

S3_BACKEND(r2, "Cloudflare R2", options, dialect)

/* SPDX-License-Identifier: MIT
 *
 * AWS S3, and services that behave like it.
 */
#include "s3/s3.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const struct sluice_option options[] = {
    S3_OPTIONS("https://s3.amazonaws.com", "us-east-1", "true", "true"), {0}};

/* Amazon S3 API reference: bucket names are host names, a single PUT has at
 * most 5 GB, user metadata 2 KB, and a copy 5 GB; PutObject,
 * CompleteMultipartUpload and DeleteObject know If-Match (the last since
 * September 2025), the first two If-None-Match: *.  CopyObject knows them of
 * its target too, but services that are like AWS ignore that (versitygw 1.8.0,
 * asked), so a copy that may not replace is made in parts. */
static const struct s3_dialect dialect = {
    .name = "S3",
    .virtual_host = true,
    .etag_is_md5 = true,
    .multipart_etag = true,
    .overrides = true,
    .fresh_after_503 = true,
    .probe = S3_PROBE_HEAD,
    .location = S3_LOCATION_UNLESS_US_EAST_1,
    .guards = S3_GUARDS_PUT | S3_GUARDS_PARTS | S3_GUARDS_SOURCE,
    .put_max = 5000000000,
    .copy_max = 5000000000,
    .part_max = 5 * GIB,
    .metadata_max = 2048,
    .part_min = 5 * MIB,
    .parts_max = 10000};

S3_BACKEND(s3, "AWS S3 and services that behave like it", options, dialect)

/* SPDX-License-Identifier: MIT
 *
 * MinIO.
 */
#include "s3/s3.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const struct sluice_option options[] = {
    S3_OPTIONS("http://localhost:9000", "us-east-1", "true", "false"), {0}};

/* minio/minio, cmd/: 2 KiB of metadata that count the headers' names, and
 * conditions of PutObject, CompleteMultipartUpload and a copy's source
 * (object-handlers.go, object-multipart-handlers.go,
 * object-handlers-common.go, whose isETagEqual() takes ETags without quotes,
 * too; so does a Ceph that is spoken to as if it were one, and it takes no
 * others).  2026-02, asked: of a copy's target and of a DELETE they are
 * ignored. */
static const struct s3_dialect dialect = {
    .name = "MinIO",
    .slash_aliases = true,
    .uploads_by_key = true,
    .etag_is_md5 = true,
    .multipart_etag = true,
    .overrides = true,
    .bare_etags = true,
    .probe = S3_PROBE_HEAD,
    .location = S3_LOCATION_NEVER,
    .guards = S3_GUARDS_PUT | S3_GUARDS_PARTS | S3_GUARDS_SOURCE,
    .put_max = 5 * GIB,
    .copy_max = 5 * GIB,
    .part_max = 5 * GIB,
    .metadata_max = 2048,
    .part_min = 5 * MIB,
    .parts_max = 10000};

S3_BACKEND(minio, "MinIO", options, dialect)

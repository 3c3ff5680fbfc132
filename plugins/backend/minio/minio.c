/* SPDX-License-Identifier: MIT
 *
 * MinIO.
 */
#include "s3/s3.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const struct sluice_option options[] = {
    S3_OPTIONS("http://localhost:9000", "us-east-1", "true"), {0}};

/* minio/minio, cmd/: conditional PUT, and 2 KiB of metadata that count the
 * headers' names. */
static const struct s3_dialect dialect = {.name = "MinIO",
                                          .slash_aliases = true,
                                          .uploads_by_key = true,
                                          .etag_is_md5 = true,
                                          .multipart_etag = true,
                                          .overrides = true,
                                          .probe = S3_PROBE_HEAD,
                                          .location = S3_LOCATION_NEVER,
                                          .put_max = 5 * GIB,
                                          .part_max = 5 * GIB,
                                          .metadata_max = 2048,
                                          .part_min = 5 * MIB,
                                          .parts_max = 10000};

S3_BACKEND(minio, "MinIO", options, dialect)

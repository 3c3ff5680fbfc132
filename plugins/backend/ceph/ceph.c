/* SPDX-License-Identifier: MIT
 *
 * Ceph's RADOS Gateway.
 */
#include "s3/s3.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const struct sluice_option options[] = {
    S3_OPTIONS(NULL, "us-east-1", "true", "false"), {0}};

/* ceph/ceph, src/rgw: a PUT knows If-None-Match since 2014 (feature 8562), and
 * 16.2.15 tells two at once apart; there are reports of versions that ignore
 * it, for which conditional_put is false.  16.2.15, asked: If-Match of a PUT
 * is compared without quotes; all conditions are ignored at the end of parts,
 * of a copy's source and target, and of a DELETE (the last since ceph#63348 of
 * July 2025 only, for which conditional_delete is true). */
static const struct s3_dialect dialect = {.name = "Ceph",
                                          .etag_is_md5 = true,
                                          .multipart_etag = true,
                                          .overrides = true,
                                          .probe = S3_PROBE_HEAD,
                                          .location = S3_LOCATION_NEVER,
                                          .guards = S3_GUARDS_PUT,
                                          .bare_etags = true,
                                          .put_max = 5 * GIB,
                                          .copy_max = 5 * GIB,
                                          .part_max = 5 * GIB,
                                          .metadata_max = 2048,
                                          .part_min = 5 * MIB,
                                          .parts_max = 10000};

S3_BACKEND(ceph, "Ceph RADOS Gateway", options, dialect)

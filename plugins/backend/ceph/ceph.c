/* SPDX-License-Identifier: MIT
 *
 * Ceph's RADOS Gateway.
 */
#include "s3/s3.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const struct sluice_option options[] = {
    S3_OPTIONS(NULL, "us-east-1", "true"), {0}};

/* ceph/ceph, src/rgw: a PUT knows If-None-Match since 2014 (feature 8562), and
 * 16.2.15 tells two at once apart; there are reports of versions that ignore
 * it, for which conditional_put is false.  At the end of parts 16.2.15 ignores
 * it too. */
static const struct s3_dialect dialect = {.name = "Ceph",
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

S3_BACKEND(ceph, "Ceph RADOS Gateway", options, dialect)

/* SPDX-License-Identifier: MIT
 *
 * Backblaze B2, by its S3-compatible API.
 */
#include "s3/s3.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static const struct sluice_option options[] = {
    S3_OPTIONS(NULL, NULL, "false", "false"), {0}};

/* Backblaze's documentation: HTTPS only, no conditions (501 of a PUT; its page
 * of CopyObject names none of the source), an ETag of
 * parts that nobody describes, 2048 bytes of name and metadata where objects
 * are encrypted, no control characters in keys.  Reports: a 503 is tied to the
 * connection that it came on. */
static const struct s3_dialect dialect = {.name = "B2",
                                          .require_tls = true,
                                          .etag_is_md5 = true,
                                          .overrides = true,
                                          .fresh_after_503 = true,
                                          .no_controls = true,
                                          .probe = S3_PROBE_HEAD,
                                          .location = S3_LOCATION_NEVER,
                                          .put_max = 5000000000,
                                          .copy_max = 5000000000,
                                          .part_max = 5000000000,
                                          .metadata_max = 2048,
                                          .part_min = 5 * MIB,
                                          .parts_max = 10000};

S3_BACKEND(b2, "Backblaze B2", options, dialect)

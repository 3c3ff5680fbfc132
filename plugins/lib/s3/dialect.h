/* SPDX-License-Identifier: MIT
 *
 * The differences between providers of S3, each of them a field with its
 * reason; a plugin is its options and one of these.
 */
#ifndef S3_DIALECT_H
#define S3_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

enum s3_probe { /* how to ask whether a bucket is there */
                S3_PROBE_HEAD,
                S3_PROBE_LIST /* for keys that may list objects but not see the
                                 bucket */
};

enum s3_location { /* what CreateBucket says of the region */
                   S3_LOCATION_NEVER,
                   S3_LOCATION_UNLESS_US_EAST_1
};

/* Bits: conditions that a service decides together with the change.  Those
 * that it is known to ignore aren't here, as its 200 then says nothing. */
enum s3_guard {
  S3_GUARDS_PUT = 1,   /* PutObject: If-None-Match: *, If-Match */
  S3_GUARDS_PARTS = 2, /* CompleteMultipartUpload: so too */
  S3_GUARDS_SOURCE = 4 /* CopyObject, UploadPartCopy:
                          x-amz-copy-source-if-match */
};

struct s3_dialect {
  const char *name;
  bool virtual_host;     /* buckets as host names by default, not as paths */
  bool require_tls;      /* plain HTTP is refused at the start */
  bool etag_is_md5;      /* of a single PUT */
  bool multipart_etag;   /* is the MD5 of the parts' MD5s, "-", their number */
  bool overrides;        /* presigned GETs may name response-content-* */
  bool fresh_after_503;  /* a failing server is tied to the connection */
  bool slash_aliases;    /* "/a" is taken for "a": so it isn't asked for */
  bool no_controls;      /* in keys: so such keys aren't asked for */
  bool conflict_is_mine; /* CreateBucket's 409 BucketConflict: it is ours */
  bool uploads_by_key;   /* lists unfinished uploads of an exact key only */
  enum s3_probe probe;
  enum s3_location location;
  unsigned guards;   /* enum s3_guard */
  bool bare_etags;   /* If-Match of a PUT has no quotes around its ETag */
  uint64_t put_max;  /* bytes of a single PUT */
  uint64_t copy_max; /* and of one CopyObject or UploadPartCopy */
  uint64_t part_min, part_max;
  uint32_t parts_max;
  uint32_t metadata_max; /* bytes of user metadata, names included */
};

#endif

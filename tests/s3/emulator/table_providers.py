# SPDX-License-Identifier: MIT
"""The rules of single providers."""
from .rules import DIALECTS, only

aws, minio, r2, b2, ceph = map(only, DIALECTS)
RULE_OF = {"kind": "behaviour"}
NOT_IMPLEMENTED = ("A header you provided implies functionality that is not "
                   "implemented")
METADATA = ("Your metadata headers exceed the maximum allowed metadata size")

AWS = [
    aws("AWS.region", "report", "flatware", "a scope for another region",
        400, "AuthorizationHeaderMalformed", "The authorization header is "
        "malformed; the region '{got}' is wrong; expecting '{region}'"),
    aws("AWS.recreate-us-east-1", "documented", "AWS-model CreateBucket",
        "one's own bucket created again in us-east-1: 200", **RULE_OF),
    aws("AWS.recreate", "documented", "AWS-model CreateBucket",
        "one's own bucket created again elsewhere", 409,
        "BucketAlreadyOwnedByYou", "Your previous request to create the "
        "named bucket succeeded and you already own it.", **RULE_OF),
    aws("AWS.location", "documented", "AWS-model CreateBucket",
        "a LocationConstraint that isn't the endpoint's region", 400,
        "IllegalLocationConstraintException", "The {got} location "
        "constraint is incompatible for the region specific endpoint this "
        "request was sent to."),
    aws("AWS.metadata-size", "documented", "AWS-UG UsingMetadata.md",
        "more than 2 KB of metadata", 400, "MetadataTooLarge", METADATA),
    aws("AWS.metadata-ascii", "documented", "AWS-UG UsingMetadata.md",
        "raw UTF-8 in metadata: it comes back as RFC 2047 of Latin-1"),
    aws("AWS.keep-alive-space", "documented", "AWS-model "
        "CompleteMultipartUpload", "200 and white space before the XML of "
        "Complete and Copy", **RULE_OF),
    aws("AWS.condition-star", "documented", "AWS-model PutObject",
        "If-None-Match on a PUT with anything but *", 501,
        "NotImplemented", NOT_IMPLEMENTED),
    aws("AWS.race", "documented", "AWS-model PutObject",
        "two conditional PUTs of one key at once", 409,
        "ConditionalRequestConflict", "The conditional request cannot "
        "succeed due to a conflicting operation against this resource.",
        **RULE_OF),
    aws("AWS.silent-etag", "report", "s3rver",
        "an ETag that is no MD5, though nothing says so (a service that is "
        "like AWS; variant encryption=silent)", **RULE_OF),
    aws("AWS.kms-etag", "documented", "AWS-model Object.ETag",
        "encrypted by SSE-KMS an ETag is no MD5 (variant encryption=kms; "
        "dsse is taken for the same)", **RULE_OF),
    aws("AWS.sse-s3", "documented", "AWS-model Object.ETag",
        "encrypted by SSE-S3 an ETag is an MD5 (variant encryption=s3)",
        **RULE_OF),
    aws("AWS.customer-etag", "inferred", "AWS-model Object.ETag",
        "encrypted by SSE-C an ETag is no MD5 (variant "
        "encryption=customer, which no bucket does by itself)", **RULE_OF),
    aws("AWS.no-list-403", "documented", "AWS-model GetObject",
        "a missing key is 403 to whom may not list", 403, "AccessDenied",
        "Access Denied", **RULE_OF),
]

MINIO = [
    minio("MINIO.region", "source", "MINIO auth-handler.go",
          "a scope for another region, when the server has one", 400,
          "AuthorizationHeaderMalformed", "The authorization header is "
          "malformed; the region is wrong; expecting '{region}'."),
    minio("MINIO.location", "source", "MINIO bucket-handlers.go",
          "a LocationConstraint that isn't the server's", 400,
          "InvalidRegion", "Region does not match."),
    minio("MINIO.recreate", "source", "MINIO bucket-handlers.go",
          "one's own bucket created again", 409, "BucketAlreadyOwnedByYou",
          "Your previous request to create the named bucket succeeded and "
          "you already own it.", **RULE_OF),
    minio("MINIO.virtual-host", "source", "MINIO generic-handlers.go",
          "a bucket in Host, though the server has no domain", 404,
          "NoSuchBucket", "The specified bucket does not exist"),
    minio("MINIO.key-dots", "source", "MINIO generic-handlers.go",
          "a key with a segment . or ..", 400,
          "XMinioInvalidResourceName", "Resource name contains bad "
          'components such as ".." or ".".'),
    minio("MINIO.key-name", "source", "MINIO object-api-utils.go",
          "a key with //, a NUL or bad UTF-8", 400,
          "XMinioInvalidObjectName",
          "Object name contains unsupported characters."),
    minio("MINIO.leading-slash", "source", "MINIO generic-handlers.go",
          "a leading / of a key is dropped: two names, one object"),
    minio("MINIO.list-prefix", "source", "MINIO api-utils.go",
          "a prefix with // or ..", 400, "XMinioInvalidObjectName",
          "Object name contains unsupported characters."),
    minio("MINIO.list-marker", "source", "MINIO bucket-listobjects-"
          "handlers.go", "start-after outside of the prefix", 501,
          "NotImplemented", NOT_IMPLEMENTED),
    minio("MINIO.empty-token", "source", "MINIO api-resources.go",
          "an empty continuation token", 400, "InvalidArgument",
          "The continuation token provided is incorrect"),
    minio("MINIO.metadata-size", "source", "MINIO generic-handlers.go",
          "more than 2 KiB of metadata, names with x-amz-meta- counted",
          400, "MetadataTooLarge", METADATA),
    minio("MINIO.storage-class", "source", "MINIO object-handlers.go",
          "a class that isn't STANDARD or REDUCED_REDUNDANCY", 400,
          "InvalidStorageClass", "Invalid storage class."),
    minio("MINIO.acl", "source", "MINIO acl-handlers.go",
          "an ACL that isn't private", 501, "NotImplemented",
          NOT_IMPLEMENTED),
    minio("MINIO.cors", "source", "MINIO dummy-handlers.go",
          "CORS of a bucket", 501, "NotImplemented", NOT_IMPLEMENTED),
    minio("MINIO.if-match-missing", "source", "MINIO object-handlers.go",
          "If-Match on a PUT of a key that isn't there", 404, "NoSuchKey",
          "The specified key does not exist.", **RULE_OF),
    minio("MINIO.uploads-by-key", "source", "MINIO erasure-multipart.go",
          "ListMultipartUploads lists those of the key that `prefix` is",
          **RULE_OF),
    minio("MINIO.head-error", "source", "MINIO api-response.go",
          "the code of an error in x-minio-error-code on HEAD", **RULE_OF),
]

R2 = [
    r2("R2.tls", "inferred", "R2-api", "plain HTTP", 400, "InvalidRequest",
       "Please use HTTPS."),
    r2("R2.region", "inferred", "R2-api",
       "a region that isn't auto, us-east-1 or empty", 400,
       "InvalidRegionName", "The region name '{got}' is not valid. Must be "
       "one of: wnam, enam, weur, eeur, apac, oc, auto"),
    r2("R2.location", "documented", "R2-loc",
       "a LocationConstraint that is no hint", 400,
       "InvalidLocationConstraint",
       "The specified location constraint is not valid."),
    r2("R2.recreate", "documented", "R2-err 10073",
       "one's own bucket created again", 409, "BucketConflict",
       "The bucket you tried to create already exists, and you own it.",
       **RULE_OF),
    r2("R2.bucket-name", "documented", "R2-err",
       "a bucket's name with dots", 400, "InvalidBucketName",
       "The specified bucket name is not valid."),
    r2("R2.scope", "report", "remotely",
       "HeadBucket, ListBuckets or CreateBucket with a token for objects",
       403, "AccessDenied", "Access Denied"),
    r2("R2.no-continue", "documented", "R2-ext",
       "Expect: 100-continue is never answered by 100", **RULE_OF),
    r2("R2.streaming", "report", "soto",
       "a payload signed chunk by chunk", 501, "NotImplemented",
       "{got} not implemented"),
    r2("R2.header", "inferred", "R2-api",
       "x-amz-server-side-encryption, x-amz-tagging or an x-amz-acl other "
       "than public-read", 501, "NotImplemented",
       "Header '{got}' with value '{value}' not implemented"),
    r2("R2.full-checksum", "inferred", "R2-api",
       "FULL_OBJECT checksums of uploads that aren't CRC64NVME", 501,
       "NotImplemented", "Checksum type FULL_OBJECT with {got} not "
       "implemented"),
    r2("R2.equal-parts", "documented", "R2-mp and r2-parts",
       "parts of different lengths, the last aside", 400, "InvalidPart",
       "All non-trailing parts must have the same length."),
    r2("R2.write-rate", "documented", "R2-lim",
       "a second write to one key within a second", 429,
       "TooManyRequests", "Reduce your concurrent request rate for the "
       "same object."),
    r2("R2.nfc", "documented", "R2-uni",
       "keys are made NFC: two names, one object", **RULE_OF),
    r2("R2.metadata-2047", "documented", "R2-ext",
       "RFC 2047 in metadata is decoded, and encoded on reading",
       **RULE_OF),
    r2("R2.metadata-size", "documented", "R2-lim",
       "more than 8192 bytes of metadata", 400, "MetadataTooLarge",
       METADATA),
    r2("R2.presign-expired", "documented", "R2-err 10018",
       "a presigned URL after its time", 400, "ExpiredRequest",
       "Request has expired", **RULE_OF),
    r2("R2.complete-condition", "inferred", "R2-api",
       "a conditional Complete that fails ends the upload", **RULE_OF),
    r2("R2.form", "documented", "R2-presign", "an upload by POST form",
       501, "NotImplemented", "PostObject not implemented"),
    r2("R2.overrides", "report", "bun and guren",
       "response-content-* left out of account", **RULE_OF),
]

B2 = [
    b2("B2.tls", "documented", "B2-call", "plain HTTP", 400,
       "InvalidRequest", "Only HTTPS connections are supported."),
    b2("B2.region", "inferred", "B2-call", "another region than the host's",
       400, "AuthorizationHeaderMalformed", "The authorization header is "
       "malformed; the region '{got}' is wrong; expecting '{region}'"),
    b2("B2.bucket-name", "documented", "B2-bucket",
       "a name under 6 characters, with a dot, or beginning with b2-", 400,
       "InvalidBucketName", "The specified bucket is not valid."),
    b2("B2.recreate", "inferred", "B2-bucket",
       "one's own bucket created again", 409, "BucketAlreadyOwnedByYou",
       "Your previous request to create the named bucket succeeded and you "
       "already own it.", **RULE_OF),
    b2("B2.scope", "documented", "B2-keys",
       "ListBuckets or CreateBucket with a key for one bucket", 403,
       "AccessDenied", "not entitled"),
    b2("B2.checksum", "report", "b2-checksum",
       "x-amz-checksum-*, x-amz-sdk-checksum-algorithm or "
       "x-amz-checksum-mode (until mid-2025)", 400, "InvalidArgument",
       "Unsupported header '{got}' received for this API call."),
    b2("B2.condition", "report", "b2-condition",
       "If-Match or If-None-Match on a PUT", 501, "NotImplemented",
       NOT_IMPLEMENTED),
    b2("B2.tagging", "documented", "B2-put", "x-amz-tagging", 400,
       "InvalidArgument", "Unsupported header 'x-amz-tagging' received for "
       "this API call."),
    b2("B2.acl", "documented", "B2-put",
       "an x-amz-acl that isn't the bucket's", 400, "InvalidArgument",
       "Backblaze does not support different access-control for an object "
       "than for its bucket"),
    b2("B2.hide-marker", "documented", "B2-del",
       "every DELETE leaves a hide marker and names it", **RULE_OF),
    b2("B2.versions", "documented", "B2-ver",
       "an overwrite keeps the version before", **RULE_OF),
    b2("B2.not-empty", "documented", "B2-ver",
       "a bucket with hidden versions isn't empty", 409, "BucketNotEmpty",
       "The bucket you tried to delete is not empty.", **RULE_OF),
    b2("B2.metadata-size", "documented", "B2-info",
       "name and metadata over 7000 bytes (2048 with encryption)", 400,
       "InvalidArgument", "Name and metadata are too long"),
    b2("B2.metadata-name", "documented", "B2-info",
       "a metadata name over 50 bytes", 400, "InvalidArgument",
       "Metadata name is too long"),
    b2("B2.key", "documented", "B2-files",
       "a key with control characters", 400, "InvalidArgument",
       "File names must not contain DEL or characters below 32"),
    b2("B2.strict-key", "documented", "B2-files",
       "the older page: a key with a backslash, //, a slash at an end, or "
       "a segment over 250 bytes (variant keys=strict)", 400,
       "InvalidArgument", "File names must not contain that"),
]

CEPH = [
    ceph("CEPH.virtual-host", "source", "RGW-src rgw_rest.cc",
         "a bucket in Host, though the server has no name", 404,
         "NoSuchBucket", ""),
    ceph("CEPH.location", "source", "RGW-src rgw_op.cc",
         "a LocationConstraint that no zone group has", 400,
         "InvalidLocationConstraint",
         "The specified location-constraint is not valid"),
    ceph("CEPH.recreate", "source", "RGW-src rgw_rest_s3.cc",
         "one's own bucket created again: 200", **RULE_OF),
    ceph("CEPH.condition-ignored", "report", "contentkit",
         "If-None-Match on a PUT is ignored (variant conditions=ignored)",
         **RULE_OF),
    ceph("CEPH.key", "report", "rgw-16", "a key of more than 1024 bytes",
         400, "InvalidObjectName"),
    ceph("CEPH.parts-sorted", "report", "rgw-16",
         "parts out of order at Complete are put in order", **RULE_OF),
    ceph("CEPH.range", "report", "rgw-16",
         "a range that can't be read is 416", **RULE_OF),
    ceph("CEPH.no-message", "report", "rgw-16", "<Message> is empty",
         **RULE_OF),
    ceph("CEPH.raw-token", "report", "rgw-16",
         "NextContinuationToken is the last key, not encoded, also where XML "
         "has no place for it (variant tokens=raw)", **RULE_OF),
    ceph("CEPH.copy-condition", "source", "RGW-tests test_s3.py",
         "x-amz-copy-source-if-* are ignored", **RULE_OF),
    ceph("CEPH.trailer", "inferred", "RGW-tests test_s3.py",
         "unsigned trailers (variant trailers=refused)", 400,
         "InvalidArgument", "UnknownError"),
]

RULES = AWS + MINIO + R2 + B2 + CEPH

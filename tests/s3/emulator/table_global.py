# SPDX-License-Identifier: MIT
"""The rules of every provider: G1 signatures, G2 time, G3 errors, G4
digests, G5 multipart, G6 listing, G8 bulk delete, G9 lengths, G10 copies.
(G7 is the fault script.)"""
from .rules import Rule

MISMATCH = ("The request signature we calculated does not match the "
            "signature you provided. Check your key and signing method.")
MALFORMED = "AuthorizationHeaderMalformed"
INVALID = "InvalidArgument"
SHA256 = ("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
          "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.")


def behaviour(*words, **more):
    return Rule(*words, kind="behaviour", **more)


SIGNATURES = [
    Rule("G1.anonymous", "documented", "AWS-DG RESTAuthentication.md",
         "a request without a signature", 403, "AccessDenied",
         "Access Denied"),
    Rule("G1.signature", "documented", "AWS-sig", "a wrong signature",
         403, "SignatureDoesNotMatch", MISMATCH),
    Rule("G1.malformed", "documented", "AWS-sig",
         "an Authorization header that can't be read", 400, MALFORMED, ""),
    Rule("G1.presign-parameters", "documented", "AWS-query",
         "query parameters of a presigned URL that can't be read, or more "
         "than a week", 400, "AuthorizationQueryParametersError", ""),
    Rule("G1.two-signatures", "documented", "AWS-query",
         "a signature in the head and one in the query", 400, INVALID,
         "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
         "parameter, Signature query string parameter or the Authorization "
         "header should be specified"),
    Rule("G1.access-key", "documented", "AWS-model", "an unknown access key",
         403, "InvalidAccessKeyId", "The AWS Access Key Id you provided "
         "does not exist in our records."),
    Rule("G1.service", "documented", "AWS-sig",
         "a scope for another service than s3", 400, MALFORMED,
         "The authorization header is malformed; incorrect service. This "
         'endpoint belongs to "s3".'),
    Rule("G1.unsigned-header", "documented", "AWS-sig",
         "host, content-type, content-md5 or x-amz-* not among the signed "
         "headers", 403, "AccessDenied", "There were headers present in the "
         "request which were not signed"),
    Rule("G1.unsigned-range", "inferred", "botocore auth.py",
         "a range that isn't among the signed headers", 403, "AccessDenied",
         "There were headers present in the request which were not signed"),
    Rule("G1.unstable-header", "source", "botocore auth.py",
         "a header signed that proxies and libraries change", 403,
         "SignatureDoesNotMatch", MISMATCH),
    Rule("G1.path-encoding", "inferred", "clawhub",
         "a path on the wire that isn't the canonical one", 403,
         "SignatureDoesNotMatch", MISMATCH),
    Rule("G1.path-normalised", "source", "botocore auth.py",
         "a path signed after . and .. or // were resolved", 403,
         "SignatureDoesNotMatch", MISMATCH),
    Rule("G1.query-plus", "source", "MINIO signature-v4.go",
         "a + for a space in the query", 403, "SignatureDoesNotMatch",
         MISMATCH),
    Rule("G1.token", "documented", "AWS-sig",
         "a session token that is wrong, missing or needless", 400,
         "InvalidToken", "The provided token is malformed or otherwise "
         "invalid."),
    Rule("G1.no-content-sha256", "documented", "AWS-sig",
         "no x-amz-content-sha256", 400, "InvalidRequest", "Missing "
         "required header for this request: x-amz-content-sha256"),
    Rule("G1.content-sha256", "report", "go-sdk 1667",
         "another value of x-amz-content-sha256", 400, INVALID, SHA256),
    Rule("G1.payload-hash", "documented", "AWS-sig",
         "a body whose SHA-256 isn't the one that was signed", 400,
         "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' "
         "header does not match what was computed."),
    Rule("G1.chunk", "documented", "AWS-chunk",
         "an aws-chunked body with a wrong signature or framing", 403,
         "SignatureDoesNotMatch", MISMATCH),
    behaviour("G1.unsigned-over-plain", "source", "botocore auth.py",
              "UNSIGNED-PAYLOAD without TLS: servers take it, SDKs don't "
              "send it"),
    behaviour("G1.presign-expired", "inferred", "general",
              "a presigned URL after its time", 403, "AccessDenied",
              "Request has expired",
              dialects=("aws", "minio", "b2", "ceph")),
    Rule("G2.skew", "documented", "AWS-DG RESTAuthentication.md",
         "a time more than 15 minutes off", 403, "RequestTimeTooSkewed",
         "The difference between the request time and the current time is "
         "too large."),
]

ANSWERS = [
    behaviour("G3.xmlns", "inferred", "general",
              "<Error> with and without a namespace, in turn"),
    behaviour("G3.head-no-body", "documented", "AWS-model",
              "the answer to a HEAD has no body, not even an error's"),
    Rule("G4.digest-form", "documented", "AWS-model",
         "a Content-MD5 that isn't base64 of 16 bytes", 400,
         "InvalidDigest", "The Content-MD5 you specified is not valid."),
    Rule("G4.digest", "documented", "AWS-model",
         "a Content-MD5 that isn't the body's", 400, "BadDigest",
         "The Content-MD5 you specified did not match what we received."),
    Rule("G4.checksum", "documented", "AWS-UG "
         "checking-object-integrity.md", "a checksum that isn't the body's",
         400, "BadDigest", "The checksum you specified did not match the "
         "calculated checksum."),
    Rule("G9.length", "documented", "AWS-model",
         "a PUT without Content-Length", 411, "MissingContentLength",
         "You must provide the Content-Length HTTP header."),
]

OBJECTS = [
    Rule("G5.upload", "documented", "AWS-model",
         "an upload that isn't there, or not any more", 404, "NoSuchUpload",
         "The specified upload does not exist. The upload ID may be "
         "invalid, or the upload may have been aborted or completed."),
    Rule("G5.number", "documented", "AWS-model",
         "a part number outside 1..10000", 400, INVALID, "Part number must "
         "be an integer between 1 and 10000, inclusive"),
    Rule("G5.order", "documented", "AWS-model",
         "parts out of order at Complete", 400, "InvalidPartOrder",
         "The list of parts was not in ascending order. The parts list must "
         "be specified in order by part number.",
         dialects=("aws", "minio", "b2")),
    Rule("G5.part", "documented", "AWS-model",
         "a part at Complete that wasn't uploaded, or has another ETag",
         400, "InvalidPart", "One or more of the specified parts could not "
         "be found. The part may not have been uploaded, or the specified "
         "entity tag may not match the part's entity tag."),
    Rule("G5.small", "documented", "AWS-model",
         "a part under 5 MiB that isn't the last", 400, "EntityTooSmall",
         "Your proposed upload is smaller than the minimum allowed size"),
    Rule("G5.xml", "documented", "AWS-model",
         "a body that isn't the XML of the operation", 400, "MalformedXML",
         "The XML you provided was not well-formed or did not validate "
         "against our published schema"),
    Rule("G6.max-keys", "documented", "AWS-model",
         "max-keys that is no number", 400, INVALID,
         "Provided max-keys not an integer or within integer range"),
    Rule("G6.token", "documented", "AWS-model",
         "a continuation token of another list, or none of ours", 400,
         INVALID, "The continuation token provided is incorrect"),
    behaviour("G6.short-page", "documented", "AWS-model",
              "a page with fewer keys than asked for, and more to come"),
    behaviour("G6.empty-page", "inferred", "general",
              "a page without keys, and more to come"),
    behaviour("G6.space-plus", "source", "MINIO api-response.go",
              "a space comes as + in a list that is encoded",
              dialects=("aws", "minio", "r2", "b2")),
    behaviour("G6.space-percent", "source", "RGW-src rgw_rest_s3.cc",
              "a space comes as %20 in a list that is encoded",
              dialects=("aws", "r2", "b2", "ceph")),
    behaviour("G6.raw-control", "documented", "AWS-model",
              "control characters in a list that isn't encoded: the XML is "
              "none"),
    Rule("G8.no-digest", "documented", "AWS-model",
         "DeleteObjects without Content-MD5 or a checksum", 400,
         "InvalidRequest", "Missing required header for this request: "
         "Content-MD5"),
    Rule("G8.count", "documented", "AWS-model",
         "DeleteObjects of no key or more than 1000", 400, "MalformedXML",
         "The XML you provided was not well-formed or did not validate "
         "against our published schema"),
    Rule("G10.self-copy", "documented", "AWS-UG copy-object.md",
         "a copy onto itself that changes nothing", 400, "InvalidRequest",
         "This copy request is illegal because it is trying to copy an "
         "object to itself without changing the object's metadata, storage "
         "class, website redirect location or encryption attributes."),
    Rule("G10.large-copy", "documented", "AWS-UG copy-object.md",
         "a copy of more than one request may copy", 400, "InvalidRequest",
         "The specified copy source is larger than the maximum allowable "
         "size for a copy source"),
    Rule("limit.put", "documented", "AWS-model",
         "more than one PUT or part may hold", 400, "EntityTooLarge",
         "Your proposed upload exceeds the maximum allowed size"),
    Rule("limit.key", "documented", "AWS-UG object-keys.md",
         "a key of more than 1024 bytes", 400, "KeyTooLongError",
         "Your key is too long", dialects=("aws", "minio", "r2", "b2")),
    Rule("limit.bucket-name", "documented", "AWS-UG bucketnamingrules.md",
         "a name that no bucket can have", 400, "InvalidBucketName",
         "The specified bucket is not valid."),
]

RULES = SIGNATURES + ANSWERS + OBJECTS

# SPDX-License-Identifier: MIT
"""A bucket's default encryption, as far as clients see it: what answers say
of it, and which ETags stop being MD5s (variant encryption=...)."""
import secrets

PREFIX = "x-amz-server-side-encryption"
KEY = "arn:aws:kms:us-east-1:111122223333:key/emulator"
CUSTOMER = "customer"
SILENT = "silent"  # no encryption at all, and no MD5 either
WORDS = {"s3": "AES256", "kms": "aws:kms", "dsse": "aws:kms:dsse"}


def way(call):
    return call.state.variants.get("encryption", "none")


def sealed(call, md5):
    """The ETag of a PUT or part with this MD5."""
    if way(call) in ("none", "s3"):
        return md5
    if way(call) == SILENT:
        call.note("AWS.silent-etag")
        return secrets.token_hex(16)
    call.note("AWS.customer-etag" if way(call) == CUSTOMER
              else "AWS.kms-etag")
    return secrets.token_hex(16)


def headers(call):
    """The headers of each answer that concerns an object's bytes."""
    if way(call) in ("none", SILENT):
        return []
    if way(call) == CUSTOMER:
        return [(PREFIX + "-customer-algorithm", "AES256")]
    if way(call) == "s3":
        call.note("AWS.sse-s3")
    found = [(PREFIX, WORDS[way(call)])]
    if way(call) != "s3":
        found.append((PREFIX + "-aws-kms-key-id", KEY))
    return found

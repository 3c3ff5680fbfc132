#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads one object by boto3, which shares nothing with the gateway, and
prints what it found as JSON:

  reader.py ENDPOINT REGION ACCESS_KEY SECRET_KEY BUCKET KEY [CERTIFICATE]

  {"metadata": {...}, "content_type": ..., "content_disposition": ...,
   "md5": ..., "etag": ..., "size": ..., "last_modified": ...}

The exit status is 0, 1 when there is no such object, 77 without boto3."""
import hashlib
import json
import sys

PIECE = 1 << 20


def client(endpoint, region, access_key, secret_key, certificate=None):
    import boto3
    from botocore.config import Config
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name=region,
        aws_access_key_id=access_key, aws_secret_access_key=secret_key,
        verify=certificate, config=Config(
            signature_version="s3v4", s3={"addressing_style": "path"},
            retries={"max_attempts": 1}))


def read(s3, bucket, key):
    answer = s3.get_object(Bucket=bucket, Key=key)
    digest, size = hashlib.md5(), 0
    for data in answer["Body"].iter_chunks(PIECE):
        digest.update(data)
        size += len(data)
    return {"metadata": answer["Metadata"],
            "content_type": answer["ContentType"],
            "content_disposition": answer.get("ContentDisposition"),
            "md5": digest.hexdigest(), "etag": answer["ETag"].strip('"'),
            "size": size,
            "last_modified": answer["LastModified"].isoformat()}


def main():
    if len(sys.argv) not in (7, 8):
        sys.exit(__doc__)
    *server, bucket, key = sys.argv[1:7]
    try:
        s3 = client(*server, *sys.argv[7:])
    except ImportError:
        print("skipped: boto3 is not installed", file=sys.stderr)
        sys.exit(77)
    try:
        found = read(s3, bucket, key)
    except s3.exceptions.ClientError as error:
        sys.exit(f"{bucket}/{key}: {error}")
    print(json.dumps(found, ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    main()

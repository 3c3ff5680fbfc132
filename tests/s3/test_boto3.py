#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boto3, which knows S3 from Amazon and nothing of this project, against the
emulator: what it does is right by definition, so no rule may complain, and
what it reads must be what it wrote.  Against Ceph it does the same."""
import hashlib
import io
import os
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

try:
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    print("skipped: boto3 is not installed")
    sys.exit(77)

# pylint: disable=wrong-import-position
from s3.kit import Emulator, Rgw, boto3_read, shared  # noqa: E402
from kit import (MIB, TESTS, Mismatch, equal, expect, main, md5,  # noqa
                 test)

KEYS = ["a", "a b", "a+b", "ü/日本", "!'()*~-._", "50%", "a&b=c?d#e;f:@",
        "tab\there", "x/y/z/", "\U0001f600"]


def connect(s3, **more):
    if s3.dialect in ("r2", "b2") and hasattr(
            Config(), "request_checksum_calculation"):
        # The settings that these two tell their users to make.
        more["request_checksum_calculation"] = "when_required"
    return boto3.client(
        "s3", endpoint_url=s3.endpoint, region_name=s3.region or "us-east-1",
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        aws_session_token=s3.token or None, verify=s3.certificate,
        config=Config(signature_version="s3v4",
                      s3={"addressing_style": "path"},
                      retries={"max_attempts": 0}, **more))


def refusal(act, **words):
    try:
        act(**words)
    except ClientError as error:
        return (error.response["ResponseMetadata"]["HTTPStatusCode"],
                error.response["Error"]["Code"])
    raise Mismatch("boto3 was not refused")


def round_trip(s3, client, bucket):
    """Objects under odd names, with metadata, read back and deleted."""
    keys = [key for key in KEYS if s3.dialect != "b2" or "\t" not in key]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode(),
                          ContentType="text/x", Metadata={"name": "v"})
        got = client.get_object(Bucket=bucket, Key=key)
        equal("read", (got["Body"].read(), got["ContentType"],
                       got["Metadata"], got["ETag"]),
              (key.encode(), "text/x", {"name": "v"},
               f'"{md5(key.encode())}"'))
        part = client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")
        equal("range", part["Body"].read(), key.encode()[:1])
        equal("size", client.head_object(Bucket=bucket, Key=key)
              ["ContentLength"], len(key.encode()))
    found = [thing["Key"] for page in client.get_paginator(
        "list_objects_v2").paginate(Bucket=bucket, PaginationConfig={
            "PageSize": 3}) for thing in page.get("Contents", [])]
    equal("list", found, sorted(keys, key=str.encode))
    client.delete_object(Bucket=bucket, Key=keys[0])
    equal("deleted", refusal(client.get_object, Bucket=bucket, Key=keys[0]),
          (404, "NoSuchKey"))


def multipart(s3, client, bucket):
    data = os.urandom(13 * MIB)
    client.upload_fileobj(
        io.BytesIO(data), bucket, "large",
        ExtraArgs={"Metadata": {"a": "b"}}, Config=TransferConfig(
            multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB))
    found = client.get_object(Bucket=bucket, Key="large")
    equal("object", md5(found["Body"].read()), md5(data))
    sums = b"".join(hashlib.md5(data[at:at + 5 * MIB]).digest()
                    for at in range(0, len(data), 5 * MIB))
    equal("ETag", found["ETag"], f'"{hashlib.md5(sums).hexdigest()}-3"')
    upload = client.create_multipart_upload(Bucket=bucket, Key="cancelled")
    client.upload_part(Bucket=bucket, Key="cancelled", PartNumber=1,
                       UploadId=upload["UploadId"], Body=b"x")
    equal("parts", len(client.list_parts(
        Bucket=bucket, Key="cancelled",
        UploadId=upload["UploadId"])["Parts"]), 1)
    # By its whole key, as MinIO lists no others.
    equal("uploads", [one["Key"] for one in client.list_multipart_uploads(
        Bucket=bucket, Prefix="cancelled")["Uploads"]], ["cancelled"])
    client.abort_multipart_upload(Bucket=bucket, Key="cancelled",
                                  UploadId=upload["UploadId"])


def presigned(s3, client, bucket):
    client.put_object(Bucket=bucket, Key="p ü+", Body=b"hello")
    url = client.generate_presigned_url("get_object", Params={
        "Bucket": bucket, "Key": "p ü+", "ResponseContentType": "a/b",
        "ResponseContentDisposition": 'attachment; filename="x y"'},
        ExpiresIn=60)
    with urllib.request.urlopen(url, context=s3.context) as answer:
        equal("answer", (answer.read(), answer.headers["Content-Type"],
                         answer.headers["Content-Disposition"]),
              (b"hello", "a/b", 'attachment; filename="x y"'))
    try:
        with urllib.request.urlopen(url.replace("a%2Fb", "a%2Fc"),
                                    context=s3.context):
            raise Mismatch("a changed URL was taken")
    except urllib.error.HTTPError as error:
        equal("changed", error.code, 403)
    if isinstance(s3, Emulator):
        equal("violations", s3.violations(), ["G1.signature"])
        s3.forget()


def bulk(s3, client, bucket):
    for at in range(5):
        client.put_object(Bucket=bucket, Key=f"bulk/{at}", Body=b"")
    answer = client.delete_objects(Bucket=bucket, Delete={
        "Objects": [{"Key": f"bulk/{at}"} for at in range(5)]})
    equal("deleted", len(answer["Deleted"]), 5)
    page = client.list_objects_v2(Bucket=bucket, Prefix="bulk/",
                                  Delimiter="/")
    equal("left", page.get("Contents", []), [])


def copying(s3, client, bucket):
    client.put_object(Bucket=bucket, Key="from", Body=b"hello")
    client.copy_object(Bucket=bucket, Key="to",
                       CopySource={"Bucket": bucket, "Key": "from"},
                       MetadataDirective="REPLACE", Metadata={"m": "n"})
    got = client.get_object(Bucket=bucket, Key="to")
    equal("copy", (got["Body"].read(), got["Metadata"]),
          (b"hello", {"m": "n"}))


def reader(s3, client, bucket):
    client.put_object(Bucket=bucket, Key="r ü", Body=b"hello",
                      ContentType="text/x", Metadata={"a": "b"})
    found = boto3_read(s3, bucket, "r ü")
    equal("found", (found["md5"], found["etag"], found["size"],
                    found["content_type"], found["metadata"]),
          (md5(b"hello"), md5(b"hello"), 5, "text/x", {"a": "b"}))
    equal("missing", boto3_read(s3, bucket, "none"), None)


SCENES = (round_trip, multipart, presigned, bulk, copying, reader)


def emulator(dialect="aws", waits=False):
    words = {"checksums": "new"} if dialect == "b2" else {}
    if dialect == "r2" and not waits:
        # boto3 waits a second for R2's 100, each time.
        words["without"] = ("R2.no-continue",)
    return shared(dialect, xmlns="no", **words)


def on_emulator(scene, dialect):
    s3 = emulator(dialect, scene is multipart)
    bucket = "boto3-" + scene.__name__.replace("_", "-")
    client = connect(s3)
    client.create_bucket(Bucket=bucket)
    scene(s3, client, bucket)
    s3.blameless()


for one in SCENES:
    for word in ("aws", "minio", "ceph", "r2", "b2"):
        TESTS.append((f"test_boto3_breaks_no_rule[{word}, {one.__name__}]",
                      lambda one=one, word=word: on_emulator(one, word)))

RGW = []


def on_ceph(scene):
    if not RGW:
        RGW.append(Rgw())
    client = connect(RGW[0])
    bucket = "boto3-" + scene.__name__.replace("_", "-")
    client.create_bucket(Bucket=bucket)
    scene(RGW[0], client, bucket)


for one in SCENES:
    TESTS.append((f"test_boto3_finds_the_same_on_ceph[{one.__name__}]",
                  lambda one=one: on_ceph(one)))


@test
def test_boto3_meets_errors_by_their_codes():
    s3 = emulator()
    client = connect(s3)
    equal("key", refusal(client.get_object, Bucket="bucket-1", Key="none"),
          (404, "NoSuchKey"))
    equal("bucket", refusal(client.list_objects_v2, Bucket="bucket-none"),
          (404, "NoSuchBucket"))
    equal("HEAD", refusal(client.head_bucket, Bucket="bucket-none"),
          (404, "404"))
    for word in ("500", "503"):
        s3.faults({"do": word})
        equal(word, refusal(client.head_object, Bucket="bucket-1",
                            Key="x")[0], int(word))


@test
def test_boto3_with_a_wrong_secret_is_refused():
    s3 = emulator()
    s3.secret_key = "wrong"
    equal("answer", refusal(connect(s3).list_buckets),
          (403, "SignatureDoesNotMatch"))
    equal("violations", s3.violations(), ["G1.signature"])


@test
def test_boto3_with_a_session_token_is_let_in():
    s3 = emulator()
    s3.use(1)
    connect(s3).list_buckets()
    s3.blameless()


@test
def test_boto3_retries_what_the_script_breaks():
    s3 = emulator()
    client = boto3.client(
        "s3", endpoint_url=s3.endpoint, region_name=s3.region,
        aws_access_key_id=s3.access_key, aws_secret_access_key=s3.secret_key,
        config=Config(signature_version="s3v4", retries={
            "max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path"}))
    s3.faults({"do": "reset-before-head"}, {"do": "500"})
    client.put_object(Bucket="bucket-1", Key="again", Body=b"x")
    equal("requests", [one["fault"] for one in s3.requests("PUT")],
          ["reset-before-head", "500", None])
    s3.blameless()


@test
def test_boto3_uploads_side_by_side():
    s3 = emulator()
    client, trouble = connect(s3, max_pool_connections=8), []

    def work(number):
        data = os.urandom(100_000)
        client.put_object(Bucket="bucket-1", Key=f"many/{number}", Body=data)
        got = client.get_object(Bucket="bucket-1", Key=f"many/{number}")
        if got["Body"].read() != data:
            trouble.append(number)
    threads = [threading.Thread(target=work, args=(number,))
               for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(not trouble, f"{trouble}")
    s3.blameless()


if __name__ == "__main__":
    try:
        main()
    finally:
        for server in RGW:
            server.stop()

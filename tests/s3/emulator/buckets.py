# SPDX-License-Identifier: MIT
"""Buckets: list, create, head, location, delete, and the bulk delete."""
import re

from .checks import check_bucket_name
from .errors import S3Error, document, element
from .multipart import xml_body
from .objects import iso, removed
from .store import Bucket

R2_HINTS = {"", "auto", "us-east-1", "wnam", "enam", "weur", "eeur", "apac",
            "oc"}
BULK_MAX = 1000


def check_scope(call, *rules):
    """Credentials for objects only."""
    if call.credential.scoped:
        for rule in rules:
            call.violate(rule)
        if call.dialect.name in ("aws", "minio", "ceph"):
            raise S3Error(403, "AccessDenied", "Access Denied")


def list_buckets(call):
    check_scope(call, "R2.scope", "B2.scope")
    rows = ["<Bucket>" + element("Name", bucket.name)
            + element("CreationDate", iso(bucket.created)) + "</Bucket>"
            for bucket in call.store.buckets.values()]
    return call.xml(document(
        "ListAllMyBucketsResult", "<Owner><ID>emulator</ID></Owner>",
        "<Buckets>", *rows, "</Buckets>"))


def create(call):
    check_scope(call, "R2.scope", "B2.scope")
    check_bucket_name(call, call.bucket_name)
    location = ""
    if call.body.length:
        location = xml_body(call).findtext("LocationConstraint", "")
    check_location(call, location)
    with call.store.lock:
        there = call.store.buckets.get(call.bucket_name)
        if there:
            return again(call, there)
        owner = "me"
        if call.bucket_name.startswith("foreign-") and \
                call.dialect.name != "r2":
            owner = "somebody else"
        there = Bucket(call.bucket_name, owner, int(call.now()),
                       call.state.region)
        call.store.buckets[call.bucket_name] = there
        if owner != "me":
            return again(call, there)
    return call.answer(200, {"Location": "/" + call.bucket_name})


def check_location(call, location):
    region = call.state.region
    if call.dialect.name == "aws" and \
            (location or "us-east-1") != region:
        call.violate("AWS.location", location, got=location or "unspecified")
    if location and region and location != region:
        call.violate("MINIO.location", location)
        call.violate("CEPH.location", location)
    if location.lower() not in R2_HINTS:
        call.violate("R2.location", location)


def again(call, bucket):
    """CreateBucket where there is one."""
    if bucket.owner != "me":
        raise S3Error(409, "BucketAlreadyExists", "The requested bucket "
                      "name is not available.",
                      {"BucketName": bucket.name})
    if call.dialect.name == "aws" and call.state.region == "us-east-1":
        call.note("AWS.recreate-us-east-1")
    elif not call.note("CEPH.recreate"):
        for dialect in ("AWS", "MINIO", "R2", "B2"):
            call.violate(dialect + ".recreate")
    return call.answer(200, {"Location": "/" + bucket.name})


def head(call):
    check_scope(call, "R2.scope")
    bucket = call.bucket()
    headers = {}
    if call.dialect.name in ("aws", "r2"):
        headers["x-amz-bucket-region"] = bucket.region
    return call.answer(200, headers)


def location(call):
    region = call.bucket().region
    return call.xml(document("LocationConstraint",
                             "" if region == "us-east-1" else region))


def delete(call):
    with call.store.lock:
        bucket = call.bucket()
        if not bucket.objects and any(bucket.versions.values()):
            call.violate("B2.not-empty")
        if bucket.objects:
            raise S3Error(409, "BucketNotEmpty", "The bucket you tried to "
                          "delete is not empty")
        del call.store.buckets[call.bucket_name]
    return call.answer(204)


def delete_objects(call):
    digests = [name for name, _ in call.request.headers
               if name == "content-md5" or name.startswith("x-amz-checksum-")
               or name == "x-amz-trailer"]
    if not digests:
        call.violate("G8.no-digest")
    root = xml_body(call)
    named = [(node.findtext("Key", ""), node.findtext("VersionId"))
             for node in root.findall("Object")]
    if not 0 < len(named) <= BULK_MAX:
        call.violate("G8.count", f"{len(named)} keys")
    quiet = root.findtext("Quiet", "") == "true"
    rows = []
    with call.store.lock:
        bucket = call.bucket()
        for key, version in named:
            rows.append(deleted(call, bucket, key, version, quiet))
    return call.xml(document("DeleteResult", *rows))


def deleted(call, bucket, key, version, quiet):
    """A key that no object can have fails alone."""
    if len(key.encode("utf-8", "surrogateescape")) > 1024:
        return ("<Error>" + element("Key", key)
                + element("Code", "KeyTooLongError")
                + element("Message", "Your key is too long") + "</Error>")
    if call.key_error and re.search(call.key_error.get("key", ""), key):
        code = call.key_error.get("code")
        return code and ("<Error>" + element("Key", key)
                         + element("Code", code)
                         + element("Message", "a fault") + "</Error>") or ""
    removed(call, bucket, key, version)
    if quiet:
        return ""
    return "<Deleted>" + element("Key", key) + "</Deleted>"


def cors(call):
    call.bucket()
    call.violate("MINIO.cors")
    if call.request.method == "PUT":
        xml_body(call)
        return call.answer(200)
    raise S3Error(404, "NoSuchCORSConfiguration",
                  "The CORS configuration does not exist")


def form(call):
    call.violate("R2.form")
    raise S3Error(501, "NotImplemented", "No forms here")

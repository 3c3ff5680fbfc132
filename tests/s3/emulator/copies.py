# SPDX-License-Identifier: MIT
"""Copies within the server, whole objects and parts of uploads."""
import hashlib
import re
from urllib.parse import unquote

from .checks import check_headers, read_metadata
from .errors import S3Error, document, element
from .objects import failed, iso, kept_headers, store, tagged, writing
from .store import Object, Slice

# Of a larger part of a copy the ETag is made of the source's.
DIGESTED = 64 << 20


def copy_source(call):
    """The object that x-amz-copy-source names."""
    name = unquote(call.header("x-amz-copy-source").split("?")[0])
    bucket_name, _, key = name.lstrip("/").partition("/")
    with call.store.lock:
        bucket = call.store.buckets.get(bucket_name)
        if not bucket:
            raise S3Error(404, "NoSuchBucket",
                          "The specified bucket does not exist")
        thing = bucket.objects.get(key)
    if not thing:
        raise S3Error(404, "NoSuchKey", "The specified key does not exist.",
                      {"Key": key})
    check_copy_conditions(call, thing)
    return bucket_name, thing


def check_copy_conditions(call, thing):
    match = call.header("x-amz-copy-source-if-match")
    none = call.header("x-amz-copy-source-if-none-match")
    if (match or none) and (call.note("CEPH.copy-condition") or
                            call.note("B2.copy-condition")):
        return
    if match and not tagged(thing.etag, match) or \
            none and tagged(thing.etag, none):
        raise failed("x-amz-copy-source-If-Match")


def copy(call):
    check_headers(call)
    bucket_name, source = copy_source(call)
    replace = call.header("x-amz-metadata-directive") == "REPLACE"
    if (bucket_name, source.key) == (call.bucket_name, call.key) and \
            not replace:
        call.violate("G10.self-copy")
    if source.size > call.dialect.copy_max:
        call.violate("G10.large-copy", f"{source.size} bytes")
    headers, metadata = source.headers, source.metadata
    if replace:
        headers, metadata = kept_headers(call), read_metadata(call)
    thing = Object(call.key, source.blob, source.etag.partition("-")[0],
                   int(call.now()), dict(headers), metadata)
    with writing(call):
        store(call, thing)
    return late_xml(call, document(
        "CopyObjectResult", element("LastModified", iso(thing.modified)),
        element("ETag", f'"{thing.etag}"')))


def late_xml(call, body, headers=None):
    """An answer that AWS begins before it knows the end."""
    if call.book.on("AWS.keep-alive-space"):
        if call.state.variants.turn("late") % 2 and \
                call.note("AWS.keep-alive-space"):
            mark = body.index(b"?>") + 2
            body = body[:mark] + b" \r\n " * 3 + body[mark:]
    return call.xml(body, headers=headers)


def copy_part(call):
    """A part that is a piece of another object, and the answer."""
    _, source = copy_source(call)
    blob = source.blob
    found = re.fullmatch(r"bytes=(\d+)-(\d+)",
                         call.header("x-amz-copy-source-range", ""))
    start, last = (int(found[1]), int(found[2])) if found else \
        (0, blob.size - 1)
    if last >= blob.size:
        raise S3Error(400, "InvalidArgument", "Range specified is not valid "
                      f"for source object of size: {blob.size}")
    if last - start + 1 > call.dialect.part_max:
        call.violate("G10.large-copy", f"{last - start + 1} bytes")
    piece, md5 = Slice(blob, start, last - start + 1), hashlib.md5()
    if piece.size <= DIGESTED:
        for data in piece.pieces():
            md5.update(data)
    else:
        md5.update(f"{source.etag} {start}-{last}".encode())
    part = Object(call.key, piece, md5.hexdigest(), int(call.now()), {}, [])
    return part, late_xml(call, document(
        "CopyPartResult", element("LastModified", iso(part.modified)),
        element("ETag", f'"{part.etag}"')))

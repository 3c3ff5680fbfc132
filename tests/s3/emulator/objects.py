# SPDX-License-Identifier: MIT
"""PUT, copy, GET, HEAD and DELETE of an object."""
import contextlib
import re
from email.utils import formatdate, parsedate_to_datetime
from time import gmtime, strftime
from urllib.parse import unquote

from .checks import check_headers, read_metadata, show_metadata
from .errors import S3Error, document, element
from .payload import Payload
from .store import Marker, Object, Sink

KEPT = ("content-type", "cache-control", "content-disposition",
        "content-encoding", "content-language", "expires")
OVERRIDES = {"response-" + name: name for name in KEPT}


def iso(seconds):
    return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(seconds))


def no_such_key(call):
    if call.credential.scoped:
        call.violate("AWS.no-list-403")
    return S3Error(404, "NoSuchKey", "The specified key does not exist.",
                   {"Key": call.key})


def find(call):
    with call.store.lock:
        thing = call.bucket().objects.get(call.key)
    if not thing:
        raise no_such_key(call)
    return thing


# ---- writing

def check_length(call, most):
    """G9, and what a header can already prove too large."""
    size = call.header("x-amz-decoded-content-length",
                       call.header("content-length"))
    if size is None or not size.isdecimal():
        call.violate("G9.length")
        raise S3Error(411, "MissingContentLength", "No length")
    if int(size) > most:
        call.violate("limit.put", f"{size} bytes", {
            "ProposedSize": size, "MaxSizeAllowed": most})


def receive(call):
    """The whole body: a blob and its MD5."""
    call.payload, sink = Payload(call), Sink()
    for data in call.payload.pieces():
        sink.write(data)
    return sink.blob(), call.payload.md5.hexdigest()


def kept_headers(call):
    headers = {name: call.header(name) for name in KEPT
               if call.header(name) is not None}
    coding = [word.strip() for word in
              headers.pop("content-encoding", "").split(",")]
    coding = ", ".join(word for word in coding
                       if word not in ("", "aws-chunked"))
    if coding:
        headers["content-encoding"] = coding
    headers.setdefault("content-type", "binary/octet-stream")
    for name, value in call.request.headers:
        if name.startswith("x-amz-checksum-"):
            headers[name] = value
    return headers


def put(call):
    check_headers(call)
    check_length(call, call.dialect.put_max)
    headers, metadata = kept_headers(call), read_metadata(call)
    with writing(call):
        check_write(call)
        blob, md5 = receive(call)
        headers.update(call.payload.trailers)
        thing = Object(call.key, blob, md5, int(call.now()), headers,
                       metadata)
        store(call, thing)
    return call.answer(200, stored_headers(call, thing))


def stored_headers(call, thing):
    headers = [("ETag", f'"{thing.etag}"')]
    headers += [(name, value) for name, value in thing.headers.items()
                if name.startswith("x-amz-checksum-")]
    if call.dialect.versioned:
        headers.append(("x-amz-version-id", thing.version))
    return headers


@contextlib.contextmanager
def writing(call):
    """Two conditional writes of one key at once: one of them is told so."""
    name = (call.bucket_name, call.key)
    if call.header("if-none-match") is None:
        yield
        return
    with call.store.lock:
        if name in call.state.writing:
            call.violate("AWS.race")
        call.state.writing.add(name)
    try:
        yield
    finally:
        call.state.writing.discard(name)


def check_write(call):
    """Conditions of a write that can be told before its body is read."""
    with call.store.lock:
        there = call.bucket().objects.get(call.key)
    none_match = call.header("if-none-match")
    match = call.header("if-match")
    if none_match is not None or match is not None:
        call.violate("B2.condition")
        if call.state.variants.get("conditions") == "ignored":
            call.note("CEPH.condition-ignored")
            return
    if none_match not in (None, "*"):
        call.violate("AWS.condition-star", none_match)
    if match is not None and not there:
        call.violate("MINIO.if-match-missing")
        raise no_such_key(call)
    if none_match is not None and there and \
            tagged(there.etag, none_match) or \
            match is not None and not tagged(there.etag, match):
        raise failed("If-None-Match" if none_match else "If-Match")


def failed(condition):
    return S3Error(412, "PreconditionFailed", "At least one of the "
                   "pre-conditions you specified did not hold",
                   {"Condition": condition})


def store(call, thing):
    """Makes a new object visible, if it still may be."""
    with call.store.lock:
        bucket = call.bucket()
        check_write(call)
        check_rate(call)
        if bucket.objects.get(call.key):
            call.note("B2.versions")
        bucket.put(thing, call.dialect.versioned)


def check_rate(call):
    name, now = (call.bucket_name, call.key), call.now()
    if now - call.store.written.get(name, 0) < 1:
        call.violate("R2.write-rate")
    call.store.written[name] = now


# ---- copying

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
    if (match or none) and call.note("CEPH.copy-condition"):
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


def late_xml(call, body):
    """An answer that AWS begins before it knows the end."""
    if call.book.on("AWS.keep-alive-space"):
        if call.state.variants.turn("late") % 2 and \
                call.note("AWS.keep-alive-space"):
            mark = body.index(b"?>") + 2
            body = body[:mark] + b" \r\n " * 3 + body[mark:]
    return call.xml(body)


# ---- conditions and ranges of a read

def tagged(etag, value):
    tags = [tag.strip().removeprefix("W/").strip('"')
            for tag in value.split(",")]
    return "*" in tags or etag in tags


def date(value):
    try:
        return parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return None


def check_read(call, thing):
    """RFC 9110, 13.2.2."""
    match, none = call.header("if-match"), call.header("if-none-match")
    until = date(call.header("if-unmodified-since"))
    since = date(call.header("if-modified-since"))
    if match is not None:
        if not tagged(thing.etag, match):
            raise failed("If-Match")
    elif until is not None and thing.modified > until:
        raise failed("If-Unmodified-Since")
    same = none is not None and tagged(thing.etag, none) or \
        none is None and since is not None and thing.modified <= since
    if same:
        raise S3Error(304, "NotModified", "Not Modified", headers={
            "ETag": f'"{thing.etag}"',
            "Last-Modified": formatdate(thing.modified, usegmt=True)})


def wanted(call, size):
    """(start, length) of the range, None for all."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", call.header("range", ""))
    if not found or found[0] == "bytes=-":
        return None
    if found[1]:
        first = int(found[1])
        last = min(int(found[2] or size - 1), size - 1)
    else:
        first, last = max(size - int(found[2]), 0), size - 1
    if found[1] and found[2] and int(found[2]) < first and \
            call.dialect.name != "minio":
        return None
    if first >= size or first > last:
        raise S3Error(416, "InvalidRange", "The requested range is not "
                      "satisfiable", {"RangeRequested": found[0],
                                      "ActualObjectSize": size},
                      {"Content-Range": f"bytes */{size}"})
    return first, last - first + 1


def get(call):
    check_headers(call)
    if call.header("x-amz-checksum-mode") and \
            call.state.variants.get("checksums") == "old":
        call.violate("B2.checksum", "x-amz-checksum-mode",
                     got="x-amz-checksum-mode")
    thing = find(call)
    check_read(call, thing)
    part = wanted(call, thing.size)
    headers = described(call, thing, bool(part))
    if not part:
        return call.answer(200, headers, thing.blob.pieces(), thing.size)
    start, length = part
    headers.append(("Content-Range",
                    f"bytes {start}-{start + length - 1}/{thing.size}"))
    return call.answer(206, headers, thing.blob.pieces(start, length),
                       length)


def described(call, thing, part):
    """The headers of an answer; a checksum is that of the whole."""
    headers = dict(thing.headers)
    if part or not call.header("x-amz-checksum-mode"):
        headers = {name: value for name, value in headers.items()
                   if not name.startswith("x-amz-checksum-")}
    ignored = call.state.variants.get("overrides") == "ignored"
    for name, header in OVERRIDES.items():
        if name in call.query:
            if ignored and call.note("R2.overrides"):
                continue
            headers[header] = call.query[name].encode().decode("latin-1")
    found = [(name.title(), value) for name, value in headers.items()]
    found += [("ETag", f'"{thing.etag}"'), ("Accept-Ranges", "bytes"),
              ("Last-Modified", formatdate(thing.modified, usegmt=True))]
    found += show_metadata(call, thing.metadata)
    if call.dialect.versioned:
        found.append(("x-amz-version-id", thing.version))
    return found


# ---- deleting

def delete(call):
    version = call.query.get("versionId")
    with call.store.lock:
        bucket = call.bucket()
        there = bucket.objects.get(call.key)
        match = call.header("if-match")
        if match is not None and call.dialect.name in ("aws", "ceph") and \
                there and not tagged(there.etag, match):
            raise failed("If-Match")
        headers = removed(call, bucket, call.key, version)
    return call.answer(204, headers)


def removed(call, bucket, key, version=None):
    """Takes an object away; the headers that say so."""
    if not call.dialect.versioned:
        bucket.remove(key)
        return []
    versions = bucket.versions.setdefault(key, [])
    if version is not None:
        versions[:] = [one for one in versions if one.version != version]
        latest = versions[-1] if versions else None
        bucket.remove(key)
        if isinstance(latest, Object):
            bucket.put(latest, False)
        return [("x-amz-version-id", version)]
    call.note("B2.hide-marker")
    versions.append(Marker(key, int(call.now())))
    bucket.remove(key)
    return [("x-amz-delete-marker", "true"),
            ("x-amz-version-id", versions[-1].version)]

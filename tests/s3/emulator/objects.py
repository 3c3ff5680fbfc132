# SPDX-License-Identifier: MIT
"""PUT and DELETE of an object, and what other operations share."""
import contextlib
import re
from time import gmtime, strftime

from . import encryption
from .checks import check_headers, read_metadata
from .errors import S3Error
from .payload import Payload
from .store import Marker, Object, Sink

KEPT = ("content-type", "cache-control", "content-disposition",
        "content-encoding", "content-language", "expires")


def iso(seconds):
    return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(seconds))


def no_such_key(call):
    if call.credential.scoped:
        call.violate("AWS.no-list-403")
    return S3Error(404, "NoSuchKey", "The specified key does not exist.",
                   {"Key": call.key})


def tagged(etag, value):
    tags = [tag.strip().removeprefix("W/").strip('"')
            for tag in value.split(",")]
    return "*" in tags or etag in tags


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
        thing = Object(call.key, blob, encryption.sealed(call, md5),
                       int(call.now()), headers, metadata)
        store(call, thing)
    return call.answer(200, stored_headers(call, thing))


def stored_headers(call, thing):
    headers = [("ETag", f'"{thing.etag}"')]
    headers += [(name, value) for name, value in thing.headers.items()
                if name.startswith("x-amz-checksum-")]
    if call.dialect.versioned:
        headers.append(("x-amz-version-id", thing.version))
    return headers + encryption.headers(call)


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


def ignored(call):
    """Whether the service doesn't look at a condition of this write, which
    no client may then send."""
    if call.state.variants.get("conditions") == "ignored":
        call.note("CEPH.condition-ignored")
        return True
    if "uploadId" in call.query:
        rules = ("CEPH.complete-condition",)
    elif call.header("x-amz-copy-source") is not None:
        rules = ("MINIO.copy-target", "R2.copy-target", "CEPH.copy-target")
    else:
        rules = ()
    return any([call.note(rule) for rule in rules])


def check_write(call):
    """Conditions of a write that can be told before its body is read."""
    with call.store.lock:
        there = call.bucket().objects.get(call.key)
    none_match = call.header("if-none-match")
    match = call.header("if-match")
    if none_match is None and match is None:
        return
    call.violate("B2.condition")
    if ignored(call):
        return
    if none_match not in (None, "*"):
        call.violate("AWS.condition-star", none_match)
        if call.note("CEPH.none-match-etag", none_match):
            none_match = None
    if none_match is not None and there and tagged(there.etag, none_match):
        raise failed("If-None-Match")
    if match is not None:
        check_match(call, there, match)


def check_match(call, there, match):
    """If-Match of a write: most services take one ETag and nothing else."""
    if call.dialect.name == "ceph":
        if match.startswith('"'):
            call.note("CEPH.if-match", match)
        if not there or match != "*" and not match.startswith(there.etag):
            raise failed("If-Match")
        return
    if not there:
        call.violate("MINIO.if-match-missing")
        raise no_such_key(call)
    if match == "*" and call.dialect.name != "aws":
        return
    if call.dialect.name != "r2" and not re.fullmatch('"?[^",]*"?', match):
        call.violate("AWS.if-match", match)
        call.violate("MINIO.if-match", match)
    if match == "*" or not tagged(there.etag, match):
        raise failed("If-Match")


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


# ---- deleting

def delete(call):
    version = call.query.get("versionId")
    with call.store.lock:
        bucket = call.bucket()
        there = bucket.objects.get(call.key)
        match = call.header("if-match")
        if match is not None:
            for name in "MINIO", "R2", "B2", "CEPH":
                call.note(name + ".delete-condition", match)
            if call.note("AWS.delete-condition") and there and \
                    not tagged(there.etag, match):
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

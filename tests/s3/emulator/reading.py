# SPDX-License-Identifier: MIT
"""GET and HEAD of an object: conditions, ranges, and headers that a signed
request may choose."""
import re
from email.utils import formatdate, parsedate_to_datetime

from . import encryption
from .checks import check_headers, show_metadata
from .errors import S3Error
from .objects import KEPT, failed, find, tagged

OVERRIDES = {"response-" + name: name for name in KEPT}


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


def unsatisfiable(call, size):
    return S3Error(416, "InvalidRange", "The requested range is not "
                   "satisfiable", {"RangeRequested": call.header("range"),
                                   "ActualObjectSize": size},
                   {"Content-Range": f"bytes */{size}"})


def wanted(call, size):
    """(start, length) of the range, None for all."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", call.header("range", ""))
    if not found or found[0] == "bytes=-":
        if call.header("range") and call.note("CEPH.range"):
            raise unsatisfiable(call, size)
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
        raise unsatisfiable(call, size)
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
    return found + encryption.headers(call)

# SPDX-License-Identifier: MIT
"""ListObjectsV2 and its elder.  Pages are sometimes shorter than asked for
or empty, tokens say nothing to anybody else, and belong to one list."""
import base64
import binascii
import hashlib
import hmac
import json
from urllib.parse import quote

from .errors import S3Error, document, element
from .objects import iso
from .store import order

PAGE_MAX = 1000
PAGES = 5  # of these, one is short and one is empty


class Encoding:
    """How keys are written in one answer."""

    def __init__(self, call):
        self.url = call.query.get("encoding-type") == "url"
        self.minio = call.dialect.name == "minio"
        self.safe = "*'()-_.~" if call.dialect.name == "ceph" else "/*-_."
        self.space, self.call = "%20", call
        if self.url:
            way = call.state.variants.choose("spaces", "plus", "percent")
            self.space = "+" if way == "plus" else "%20"
            call.note(f"G6.space-{way}")

    def __call__(self, key):
        if not self.url:
            if any(byte < 32 for byte in order(key)):
                self.call.note("G6.raw-control", repr(key))
            return key
        name = quote(order(key), safe=self.safe).replace("%20", self.space)
        return name.replace("~", "%7E") if self.minio else name


def seal(call, position, prefix, delimiter):
    """A continuation token; never the same twice, as SDKs take one that
    comes again for an endless loop."""
    data = json.dumps([call.id, position, prefix, delimiter]).encode()
    proof = hmac.digest(call.state.secret, data, hashlib.sha256)[:12]
    return base64.urlsafe_b64encode(proof + data).decode()


def written(call, page, prefix, delimiter):
    """NextContinuationToken as an element.  Ceph's may be the last key as it
    is: whatever `encoding-type` says, and though XML has no place for it."""
    if call.state.variants.get("tokens") != "raw":
        return element("NextContinuationToken", seal(
            call, page.position, prefix, delimiter))
    call.note("CEPH.raw-token", repr(page.position))
    return element("NextContinuationToken", page.position)


def unseal(call, token, prefix, delimiter):
    if call.state.variants.get("tokens") == "raw":
        return token
    try:
        data = base64.urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        data = b""
    proof = hmac.digest(call.state.secret, data[12:], hashlib.sha256)[:12]
    if hmac.compare_digest(proof, data[:12]):
        _, position, *names = json.loads(data[12:])
        if names == [prefix, delimiter]:
            return position
    call.violate("G6.token", token[:200])
    raise S3Error(400, "InvalidArgument", "The continuation token provided "
                  "is incorrect")


def page_size(call):
    text = call.query.get("max-keys", str(PAGE_MAX))
    if not text.isdecimal():
        call.violate("G6.max-keys", text)
        return PAGE_MAX
    return min(int(text), PAGE_MAX)


class Page:
    """Objects and common prefixes after `position`, `most` together."""

    def __init__(self, bucket, prefix, delimiter, position, most):
        self.objects, self.prefixes, self.cut = [], [], False
        self.position, self.most = position, most
        # Inside of a prefix that was given already nothing is new.
        passed = position if delimiter and position.endswith(delimiter) \
            and position != prefix else None
        for key in bucket.after(max(position, before(prefix), key=order)):
            if order(key) < order(prefix):
                continue
            if not key.startswith(prefix):
                break
            if passed is not None and key.startswith(passed):
                continue
            common = self.common(key, prefix, delimiter)
            if common and self.prefixes[-1:] == [common]:
                continue
            if self.full():
                break
            self.take(bucket, key, common)

    @staticmethod
    def common(key, prefix, delimiter):
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        return key[:end + len(delimiter)] if end >= 0 else None

    def full(self):
        self.cut = len(self.objects) + len(self.prefixes) >= self.most
        return self.cut

    def take(self, bucket, key, common):
        if common:
            self.prefixes.append(common)
        else:
            self.objects.append(bucket.objects[key])
        self.position = common or key


def before(prefix):
    """A string that sorts below every key with this prefix, and above most
    others: the prefix without its last character."""
    return prefix[:-1]


def next_page(call, bucket, prefix, delimiter, position, most):
    """A page, which may be short for no reason that a client can see."""
    if call.state.variants.get("pages") == "short" and most > 1:
        turn = call.state.variants.turn("page") % PAGES
        if turn == 2:
            page = Page(bucket, prefix, delimiter, position, most // 2)
            if page.cut:
                call.note("G6.short-page")
            return page
        # A raw token of a page that begins nowhere would be none.
        raw = call.state.variants.get("tokens") == "raw"
        if turn == 4 and not (raw and not position):
            page = Page(bucket, prefix, delimiter, position, 1)
            if page.cut:
                call.note("G6.empty-page")
                page.objects, page.prefixes = [], []
                page.position = position
                return page
    return Page(bucket, prefix, delimiter, position, most)


def content(call, name, thing):
    return ("<Contents>" + element("Key", name(thing.key))
            + element("LastModified", iso(thing.modified))
            + element("ETag", f'"{thing.etag}"')
            + element("Size", thing.size)
            + element("StorageClass", "STANDARD") + "</Contents>")


def common_prefixes(name, page):
    return "".join("<CommonPrefixes>" + element("Prefix", name(prefix))
                   + "</CommonPrefixes>" for prefix in page.prefixes)


def check_minio(call, prefix, start):
    if "//" in prefix or ".." in prefix.split("/"):
        call.violate("MINIO.list-prefix", prefix)
    if start and prefix and not start.startswith(prefix):
        call.violate("MINIO.list-marker", start)


def list_v2(call):
    query, bucket = call.query, call.bucket()
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    start, token = query.get("start-after", ""), \
        query.get("continuation-token")
    check_minio(call, prefix, start)
    position = start
    if token == "":
        call.violate("MINIO.empty-token")
    if token:
        position = unseal(call, token, prefix, delimiter)
    most = page_size(call)
    with call.store.lock:
        page = next_page(call, bucket, prefix, delimiter, position, most)
    name = Encoding(call)
    rows = [element("Name", bucket.name), element("Prefix", name(prefix)),
            element("KeyCount", len(page.objects) + len(page.prefixes)),
            element("MaxKeys", most),
            element("IsTruncated", str(page.cut).lower())]
    if delimiter:
        rows.append(element("Delimiter", name(delimiter)))
    if start:
        rows.append(element("StartAfter", name(start)))
    if token:
        rows.append(element("ContinuationToken", token))
    if page.cut:
        rows.append(written(call, page, prefix, delimiter))
    return shown(call, name, page, rows)


def list_v1(call):
    query, bucket = call.query, call.bucket()
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    marker, most = query.get("marker", ""), page_size(call)
    check_minio(call, prefix, marker)
    with call.store.lock:
        page = Page(bucket, prefix, delimiter, marker, most)
    name = Encoding(call)
    rows = [element("Name", bucket.name), element("Prefix", name(prefix)),
            element("Marker", name(marker)), element("MaxKeys", most),
            element("IsTruncated", str(page.cut).lower())]
    if delimiter:
        rows.append(element("Delimiter", name(delimiter)))
        if page.cut:
            rows.append(element("NextMarker", name(page.position)))
    return shown(call, name, page, rows)


def shown(call, name, page, rows):
    if name.url:
        rows.append(element("EncodingType", "url"))
    rows += [content(call, name, thing) for thing in page.objects]
    rows.append(common_prefixes(name, page))
    return call.xml(document("ListBucketResult", *rows))


def list_versions(call):
    """Enough of ListObjectVersions to empty a bucket; one page."""
    bucket, prefix = call.bucket(), call.query.get("prefix", "")
    name, rows = Encoding(call), []
    with call.store.lock:
        for key in sorted(bucket.versions, key=order):
            found = bucket.versions[key]
            for thing in reversed(found) if key.startswith(prefix) else ():
                kind = "Version" if hasattr(thing, "etag") else \
                    "DeleteMarker"
                rows.append(
                    f"<{kind}>" + element("Key", name(key))
                    + element("VersionId", thing.version)
                    + element("IsLatest", str(thing is found[-1]).lower())
                    + f"</{kind}>")
    return call.xml(document(
        "ListVersionsResult", element("Name", bucket.name),
        element("IsTruncated", "false"), *rows))

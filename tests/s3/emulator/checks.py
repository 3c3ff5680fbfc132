# SPDX-License-Identifier: MIT
"""Checks of a request's names and headers: each check breaks a rule
of the tables, which know whose rule it is."""
import re
import unicodedata
from email.header import decode_header, make_header
from email.errors import HeaderParseError
import base64

from .store import order

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def check_bucket_name(call, name):
    if not BUCKET.fullmatch(name) or ".." in name or ADDRESS.fullmatch(name):
        call.violate("limit.bucket-name", name)
    if "." in name:
        call.violate("R2.bucket-name", name)
    if len(name) < 6 or "." in name or name.startswith("b2-"):
        call.violate("B2.bucket-name", name)


def check_key(call):
    """The key as the provider will know it."""
    key, raw = call.key, order(call.key)
    if len(raw) > 1024:
        call.violate("limit.key", f"{len(raw)} bytes", {
            "Size": len(raw), "MaxSizeAllowed": 1024})
        call.violate("CEPH.key", f"{len(raw)} bytes")
    check_minio_key(call, key, raw)
    check_b2_key(call, key, raw)
    if call.book.on("MINIO.leading-slash") and key.startswith("/"):
        call.violate("MINIO.leading-slash", key)
        key = key.lstrip("/")
    composed = unicodedata.normalize("NFC", key)
    if composed != key and call.note("R2.nfc", key):
        key = composed
    return key


def check_minio_key(call, key, raw):
    segments = [segment.strip() for segment in re.split(r"[/\\]", key)]
    if {".", ".."} & set(segments):
        call.violate("MINIO.key-dots", key)
    if "//" in key or b"\0" in raw or "\ufffd" in \
            raw.decode("utf-8", "replace"):
        call.violate("MINIO.key-name", key)


def check_b2_key(call, key, raw):
    if any(byte < 32 or byte == 127 for byte in raw):
        call.violate("B2.key", key)
    if call.state.variants.get("keys") != "strict":
        return
    long = any(len(order(segment)) > 250 for segment in key.split("/"))
    if long or "\\" in key or "//" in key or key.strip("/") != key:
        call.violate("B2.strict-key", key)


def check_headers(call):
    """Headers that single providers don't take."""
    acl = call.header("x-amz-acl")
    storage = call.header("x-amz-storage-class")
    if acl not in (None, "private"):
        call.violate("MINIO.acl", acl)
        call.violate("B2.acl", acl)
    if storage not in (None, "STANDARD", "REDUCED_REDUNDANCY"):
        call.violate("MINIO.storage-class", storage)
    if acl not in (None, "public-read"):
        refuse_r2(call, "x-amz-acl")
    for name in ("x-amz-server-side-encryption", "x-amz-tagging"):
        if call.header(name) is not None:
            refuse_r2(call, name)
    if call.header("x-amz-tagging") is not None:
        call.violate("B2.tagging")
    if call.state.variants.get("checksums") == "old":
        check_b2_checksums(call)


def refuse_r2(call, name):
    call.violate("R2.header", name, got=name, value=call.header(name))


def check_b2_checksums(call):
    for name, _ in call.request.headers:
        if name.startswith("x-amz-checksum-") or \
                name == "x-amz-sdk-checksum-algorithm":
            call.violate("B2.checksum", name, got=name)


# ---- metadata

def read_metadata(call):
    """[(name, value)] as the provider stores them."""
    found = [(name[len("x-amz-meta-"):], value) for name, value
             in call.request.headers if name.startswith("x-amz-meta-")]
    check_metadata_size(call, found)
    if any(not value.isascii() for _, value in found):
        call.violate("AWS.metadata-ascii", repr(found))
    if call.book.on("R2.metadata-2047"):
        found = [(name, from_rfc2047(call, value)) for name, value in found]
    return found


def check_metadata_size(call, found):
    sizes = [(len(name), len(value)) for name, value in found]
    plain = sum(map(sum, sizes))
    if plain > 2048:
        call.violate("AWS.metadata-size", f"{plain} bytes", {
            "Size": plain, "MaxSizeAllowed": 2048})
    whole = plain + len("x-amz-meta-") * len(sizes)
    if whole > 2048:
        call.violate("MINIO.metadata-size", f"{whole} bytes")
    if plain > 8192:
        call.violate("R2.metadata-size", f"{plain} bytes")
    encrypted = call.header("x-amz-server-side-encryption")
    named = plain + len(order(call.key))
    if named > (2048 if encrypted else 7000):
        call.violate("B2.metadata-size", f"{named} bytes")
    for name, _ in found:
        if len(name) > 50:
            call.violate("B2.metadata-name", name)


def from_rfc2047(call, value):
    if "=?" not in value:
        return value
    try:
        text = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeError):
        return value
    call.note("R2.metadata-2047", value)
    return text.encode().decode("latin-1")


def rfc2047(data):
    return "=?UTF-8?B?" + base64.b64encode(data).decode() + "?="


def show_metadata(call, metadata):
    """The headers that give metadata back."""
    for name, value in metadata:
        if not value.isascii():
            if call.book.on("AWS.metadata-ascii"):
                value = rfc2047(value.encode("utf-8"))
            elif call.note("R2.metadata-2047", value):
                value = rfc2047(value.encode("latin-1"))
        yield "x-amz-meta-" + name, value

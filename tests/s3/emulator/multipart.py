# SPDX-License-Identifier: MIT
"""Multipart uploads: create, parts, complete, abort and both lists."""
import hashlib
import re
from xml.etree import ElementTree

from . import encryption
from .checks import check_headers, read_metadata
from .copies import copy_part, late_xml
from .errors import S3Error, document, element
from .objects import (check_length, check_write, iso, kept_headers,
                      receive, store, writing)
from .payload import Payload
from .store import Joined, Object, Upload

BODY_MAX = 2 << 20


def xml_body(call):
    """The request's XML; namespaces are taken off."""
    if call.body.length > BODY_MAX:
        call.violate("G5.xml", f"{call.body.length} bytes")
    call.payload = Payload(call)
    try:
        root = ElementTree.fromstring(call.payload.whole())
    except ElementTree.ParseError as error:
        call.violate("G5.xml", str(error))
        raise S3Error(400, "MalformedXML", str(error)) from None
    for node in root.iter():
        node.tag = node.tag.partition("}")[2] or node.tag
    return root


def create(call):
    check_headers(call)
    algorithm = call.header("x-amz-checksum-algorithm")
    if call.header("x-amz-checksum-type") == "FULL_OBJECT" and \
            algorithm != "CRC64NVME":
        call.violate("R2.full-checksum", algorithm, got=algorithm)
    upload = Upload(call.key, int(call.now()), kept_headers(call),
                    read_metadata(call))
    with call.store.lock:
        call.bucket().uploads[upload.id] = upload
    return call.xml(document(
        "InitiateMultipartUploadResult",
        element("Bucket", call.bucket_name), element("Key", call.key),
        element("UploadId", upload.id)), headers=encryption.headers(call))


def find_upload(call):
    upload = call.bucket().uploads.get(call.query["uploadId"])
    if not upload or upload.key != call.key:
        call.violate("G5.upload", call.query["uploadId"],
                     {"UploadId": call.query["uploadId"]})
        raise S3Error(404, "NoSuchUpload", "No such upload")
    return upload


def part_number(call, text):
    if not re.fullmatch(r"\d{1,6}", text) or not 1 <= int(text) <= 10000:
        call.violate("G5.number", text)
    return int(text)


def put_part(call):
    check_headers(call)
    number = part_number(call, call.query["partNumber"])
    with call.store.lock:
        find_upload(call)
    if call.header("x-amz-copy-source") is not None:
        part, answer = copy_part(call)
    else:
        check_length(call, call.dialect.part_max)
        blob, md5 = receive(call)
        etag = encryption.sealed(call, md5)
        part = Object(call.key, blob, etag, int(call.now()), {}, [])
        answer = call.answer(200, [("ETag", f'"{etag}"'),
                                   *encryption.headers(call)])
    with call.store.lock:
        find_upload(call).parts[number] = part
    return answer


# ---- complete

def named_parts(call, root):
    """[(number, etag)] of the request, checked for form and order."""
    named = []
    for node in root.findall("Part"):
        number = node.findtext("PartNumber", "").strip()
        named.append((part_number(call, number),
                      node.findtext("ETag", "").strip().strip('"')))
    if root.tag != "CompleteMultipartUpload" or not named:
        call.violate("G5.xml", "no Part")
    numbers = [number for number, _ in named]
    if numbers != sorted(set(numbers)):
        call.violate("G5.order", str(numbers[:20]))
        call.note("CEPH.parts-sorted", str(numbers[:20]))
    return sorted(named)


def chosen_parts(call, upload, named):
    parts = []
    for number, etag in named:
        part = upload.parts.get(number)
        if not part or part.etag != etag:
            call.violate("G5.part", f"part {number}", {
                "UploadId": upload.id, "PartNumber": number, "ETag": etag})
            raise S3Error(400, "InvalidPart", f"part {number}")
        parts.append(part)
    for number, part in zip((number for number, _ in named), parts[:-1]):
        if part.size < call.dialect.part_min:
            call.violate("G5.small", f"part {number}: {part.size} bytes", {
                "ProposedSize": part.size, "PartNumber": number,
                "MinSizeAllowed": call.dialect.part_min,
                "ETag": part.etag})
    check_equal(call, [part.size for part in parts])
    return parts


def check_equal(call, sizes):
    if len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]:
        call.violate("R2.equal-parts", f"{sizes[:5]}... {sizes[-1]}")


def complete(call):
    with call.store.lock:
        find_upload(call)
    named = named_parts(call, xml_body(call))
    with writing(call), call.store.lock:
        upload = find_upload(call)
        check_completion(call, upload)
        parts = chosen_parts(call, upload, named)
        sums = b"".join(bytes.fromhex(part.etag) for part in parts)
        thing = Object(
            call.key, Joined([part.blob for part in parts]),
            f"{hashlib.md5(sums).hexdigest()}-{len(parts)}",
            int(call.now()), upload.headers, upload.metadata)
        thing.parts = parts
        store(call, thing)
        del call.bucket().uploads[upload.id]
    location = f"http://{call.header('host')}{call.request.raw_path}"
    return late_xml(call, document(
        "CompleteMultipartUploadResult", element("Location", location),
        element("Bucket", call.bucket_name), element("Key", call.key),
        element("ETag", f'"{thing.etag}"')), encryption.headers(call))


def check_completion(call, upload):
    try:
        check_write(call)
    except S3Error:
        if call.note("R2.complete-condition"):
            del call.bucket().uploads[upload.id]
        raise


def abort(call):
    with call.store.lock:
        find_upload(call)
        del call.bucket().uploads[call.query["uploadId"]]
    return call.answer(204)


# ---- lists

def list_parts(call):
    with call.store.lock:
        parts = sorted(find_upload(call).parts.items())
    after = int(call.query.get("part-number-marker") or 0)
    most = min(int(call.query.get("max-parts") or 1000), 1000)
    rest = [(number, part) for number, part in parts if number > after]
    page = rest[:most]
    cut = len(rest) > len(page)
    rows = ["<Part>" + element("PartNumber", number)
            + element("LastModified", iso(part.modified))
            + element("ETag", f'"{part.etag}"')
            + element("Size", part.size) + "</Part>"
            for number, part in page]
    marker = element("NextPartNumberMarker", page[-1][0]) if page else ""
    return call.xml(document(
        "ListPartsResult", element("Bucket", call.bucket_name),
        element("Key", call.key),
        element("UploadId", call.query["uploadId"]),
        element("PartNumberMarker", after), marker,
        element("MaxParts", most),
        element("IsTruncated", str(cut).lower()), *rows))


def list_uploads(call):
    prefix = call.query.get("prefix", "")
    exact = call.note("MINIO.uploads-by-key", prefix)
    with call.store.lock:
        uploads = sorted((upload for upload in call.bucket().uploads.values()
                          if (upload.key == prefix if exact else
                              upload.key.startswith(prefix))),
                         key=lambda upload: (upload.key, upload.begun))
    rows = ["<Upload>" + element("Key", upload.key)
            + element("UploadId", upload.id)
            + element("Initiated", iso(upload.begun)) + "</Upload>"
            for upload in uploads[:1000]]
    return call.xml(document(
        "ListMultipartUploadsResult", element("Bucket", call.bucket_name),
        element("Prefix", prefix), element("MaxUploads", 1000),
        element("IsTruncated", str(len(uploads) > 1000).lower()), *rows))

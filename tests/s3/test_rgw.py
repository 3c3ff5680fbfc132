#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real Ceph answers each of these requests as the emulator's ceph dialect
does, status and code; where the two are known to differ, the case says it.
So the emulator isn't only what somebody believes of S3."""
import base64
import hashlib
import os
import sys
from pathlib import Path

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from s3.client import path_of  # noqa: E402
from s3.kit import Rgw, shared  # noqa: E402
from kit import MIB, TESTS, equal, main, md5, test  # noqa: E402

BUCKET, RGW = "bucket-1", []


def rgw():
    if not RGW:
        RGW.append(Rgw())
        RGW[0].create(BUCKET)
    return RGW[0]


def code(answer):
    if answer.status < 300 or not answer.body:
        return ""
    return answer.body.decode().partition("<Code>")[2].partition("<")[0]


def put(key="a", body=b"hello", headers=None, **more):
    return lambda client: client.put(BUCKET, key, body, headers, **more)


def get(key="a", **headers):
    headers = {name.replace("_", "-"): value for name, value
               in headers.items()}
    return lambda client: client.get(BUCKET, key, headers)


def ask(method, target, body=b"", headers=None, **more):
    return lambda client: client.ask(method, target, headers, body, **more)


def presigned(method, expires=60, query=None, change=("", "")):
    def act(client):
        target = client.presigned(method, path_of(BUCKET, "a"), expires,
                                  query=query)
        return client.plain(method, target.replace(*change))
    return act


def digest(data):
    return {"content-md5": base64.b64encode(
        hashlib.md5(data).digest()).decode()}


def matched(form):
    """A PUT over what has this ETag, in this form."""
    def act(client):
        etag = client.put(BUCKET, "m", b"1").header("etag").strip('"')
        return client.put(BUCKET, "m", b"2", {"if-match": form.format(etag)})
    return act


def deleted_if(client):
    client.put(BUCKET, "stays", b"1")
    return client.ask("DELETE", f"/{BUCKET}/stays", {"if-match": '"x"'})


def completed(*sizes, order=1, wrong=False, headers=None):
    def act(client):
        answer = client.ask("POST", f"/{BUCKET}/mp?uploads")
        name = answer.body.decode().partition("<UploadId>")[2]
        name, rows = name.partition("<")[0], []
        for number, size in enumerate(sizes, 1):
            etag = client.ask("PUT", f"/{BUCKET}/mp?partNumber={number}&"
                              f"uploadId={name}", body=bytes(size)).header(
                                  "etag")
            rows.append(f"<Part><PartNumber>{number}</PartNumber><ETag>"
                        f"{md5(b'') if wrong else etag}</ETag></Part>")
        body = "<CompleteMultipartUpload>" + "".join(rows[::order]) + \
            "</CompleteMultipartUpload>"
        return client.ask("POST", f"/{BUCKET}/mp?uploadId={name}", headers,
                          body=body.encode())
    return act


STAR = {"if-none-match": "*"}
DELETE = b"<Delete><Object><Key>none</Key></Object></Delete>"

CASES = {
    "put": put(), "get": get(), "put odd key": put("!'()*~ ü+%&?#;:@="),
    "get odd key": get("!'()*~ ü+%&?#;:@="), "dots": put("a/../b//c/."),
    "missing key": get("none"),
    "missing bucket": ask("GET", "/bucket-none/a"),
    "head missing": ask("HEAD", f"/{BUCKET}/none"),
    "delete missing": ask("DELETE", f"/{BUCKET}/none"),
    "range": get(range="bytes=1-2"), "range past end": get(range="bytes=9-"),
    "bad range": get(range="bytes=x"), "suffix": get(range="bytes=-2"),
    "if-match": get(if_match='"x"'), "if-none-match": get(
        if_none_match=f'"{md5(b"hello")}"'),
    "put if-none-match there": put(headers=STAR),
    "put if-none-match new": put("new", headers=STAR),
    "put if-match": matched("{}"), "put if-match quoted": matched('"{}"'),
    "put if-match other": matched("x"), "put if-match more": matched("{}x"),
    "put if-match star": matched("*"),
    "put if-match free": put("free", headers={"if-match": "x"}),
    "put if-none-match etag": put(headers={
        "if-none-match": f'"{md5(b"hello")}"'}),
    "complete if-none-match there": completed(1, headers=STAR),
    "copy if-none-match there": put("b", b"", {
        "x-amz-copy-source": f"/{BUCKET}/a", **STAR}),
    "copy if-match there": put("b", b"", {
        "x-amz-copy-source": f"/{BUCKET}/a", "if-match": '"x"'}),
    "copy source if-match": put("b", b"", {
        "x-amz-copy-source": f"/{BUCKET}/a",
        "x-amz-copy-source-if-match": '"x"'}),
    "delete if-match": deleted_if,
    "content-md5": put(headers=digest(b"hello")),
    "wrong content-md5": put(headers=digest(b"other")),
    "bad content-md5": put(headers={"content-md5": "x"}),
    "wrong sha256": put(payload=hashlib.sha256(b"other").hexdigest()),
    "unsigned payload": put(payload="UNSIGNED-PAYLOAD"),
    "long key": put("k" * 1025), "longest key": put("k" * 1024),
    "presigned": presigned("GET"),
    "presigned override": presigned("GET", query={
        "response-content-type": "a/b"}),
    "presigned changed": presigned("GET", change=("Expires=60",
                                                  "Expires=61")),
    "presigned other method": presigned("PUT", change=("X-Amz-Sig",
                                                       "x=y&X-Amz-Sig")),
    "wrong secret": lambda client: type(client)(
        client.endpoint, client.region, client.access_key, "x").get(
            BUCKET, "a"),
    "unknown access key": lambda client: type(client)(
        client.endpoint, client.region, "NOBODY", "x").get(BUCKET, "a"),
    "normalised path": ask("GET", f"/{BUCKET}/a/../b",
                           path=f"/{BUCKET}/b"),
    "old": ask("GET", f"/{BUCKET}/a", at=1),
    "list": ask("GET", f"/{BUCKET}?list-type=2&max-keys=2"),
    "list bad number": ask("GET", f"/{BUCKET}?list-type=2&max-keys=x"),
    "create again": ask("PUT", f"/{BUCKET}"),
    "create elsewhere": lambda client: client.create("bucket-2", "mars"),
    "create bad name": ask("PUT", "/b"),
    "head bucket": ask("HEAD", f"/{BUCKET}"),
    "head no bucket": ask("HEAD", "/bucket-none"),
    "delete full bucket": ask("DELETE", f"/{BUCKET}"),
    "bulk delete": ask("POST", f"/{BUCKET}?delete", DELETE, digest(DELETE)),
    "bulk nonsense": ask("POST", f"/{BUCKET}?delete", b"x", digest(b"x")),
    "complete": completed(5 * MIB, 1), "complete small": completed(1, 1),
    "complete disorder": completed(5 * MIB, 1, order=-1),
    "complete wrong etag": completed(1, wrong=True),
    "complete nothing": completed(),
    "no upload": ask("PUT", f"/{BUCKET}/a?partNumber=1&uploadId=x", b"x"),
    "abort no upload": ask("DELETE", f"/{BUCKET}/a?uploadId=x"),
    "self copy": put(body=b"", headers={
        "x-amz-copy-source": f"/{BUCKET}/a"}),
    "copy": put("b", b"", {"x-amz-copy-source": f"/{BUCKET}/a"}),
    "copy missing": put("b", b"", {"x-amz-copy-source": f"/{BUCKET}/none"}),
}


# The emulator stays with what is documented.
KNOWN = {"bulk nonsense": ((400, ""), (400, "MalformedXML"))}


def alike(name):
    found = [(answer.status, code(answer)) for answer in (
        CASES[name](s3.client()) for s3 in (rgw(), shared("ceph")))]
    if name in KNOWN:
        equal("both answers", tuple(found), KNOWN[name])
    else:
        equal("the emulator's answer", found[1], found[0])


for word in CASES:
    TESTS.append((f"test_ceph_answers_alike[{word}]",
                  lambda word=word: alike(word)))


@test
def test_rgw_offers_what_the_emulator_offers():
    s3 = rgw()
    equal("names", sorted(s3.env), sorted(shared().env))
    equal("options", sorted(s3.options("b")), sorted(shared().options("b")))


if __name__ == "__main__":
    try:
        main()
    finally:
        for server in RGW:
            server.stop()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulator's own tests: lists, multipart uploads and bulk deletes."""
import base64
import hashlib
import os
import sys
from pathlib import Path
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from s3.client import path_of  # noqa: E402
from s3.kit import shared  # noqa: E402
from kit import MIB, equal, expect, like, main, md5, test  # noqa: E402

SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def xml(answer):
    root = ElementTree.fromstring(answer.body)
    for node in root.iter():
        node.tag = node.tag.replace(SPACE, "")
    return root


def code(answer):
    return xml(answer).findtext("Code")


def refused(answer, status, word):
    equal("answer", (answer.status, code(answer)), (status, word))


def fill(s3, bucket, keys):
    client = s3.client()
    client.create(bucket)
    for key in keys:
        equal(key, client.put(bucket, key).status, 200)
    s3.forget()
    return client


def walk(client, bucket, query="", size=3):
    """Every key and prefix, and how many pages it took."""
    keys, prefixes, token, pages = [], [], "", 0
    while True:
        more = f"&continuation-token={quote(token, safe='')}" if token else ""
        root = xml(client.ask("GET", f"/{bucket}?list-type=2&max-keys={size}"
                              f"{query}{more}"))
        keys += [node.text for node in root.findall("Contents/Key")]
        prefixes += [node.text for node in
                     root.findall("CommonPrefixes/Prefix")]
        equal("KeyCount", int(root.findtext("KeyCount")),
              len(root.findall("Contents"))
              + len(root.findall("CommonPrefixes")))
        pages += 1
        if root.findtext("IsTruncated") == "false":
            return keys, prefixes, pages
        token = root.findtext("NextContinuationToken")


KEYS = sorted(["a", "a/1", "a/2", "a/b/1", "b", "b!", "c/1", "c/2", "c0",
               "ü", "日"] + [f"n/{at:02}" for at in range(20)],
              key=str.encode)


@test
def test_walk_gives_every_key_once_in_byte_order():
    s3 = shared()
    client = fill(s3, "bucket-walk", KEYS)
    for size in (2, 3, 7, 1000):
        keys, _, _ = walk(client, "bucket-walk", size=size)
        equal(f"{size} a page", keys, KEYS)
    equal("prefix", walk(client, "bucket-walk", "&prefix=a")[0],
          [key for key in KEYS if key.startswith("a")])
    equal("start-after", walk(client, "bucket-walk", "&start-after=c/1")[0],
          [key for key in KEYS if key.encode() > b"c/1"])
    s3.blameless()


@test
def test_walk_with_delimiter_gives_each_prefix_once():
    client = fill(shared(), "bucket-walk", KEYS)
    for size in (1, 2, 3, 1000):
        keys, prefixes, _ = walk(client, "bucket-walk", "&delimiter=%2F",
                                 size=size)
        equal("keys", keys, [key for key in KEYS if "/" not in key])
        equal("prefixes", prefixes, ["a/", "c/", "n/"])
    keys, prefixes, _ = walk(client, "bucket-walk",
                             "&delimiter=%2F&prefix=a%2F")
    equal("below a/", (keys, prefixes), (["a/1", "a/2"], ["a/b/"]))


@test
def test_walk_meets_short_and_empty_pages():
    s3 = shared()
    client = fill(s3, "bucket-walk", KEYS)
    for _ in range(3):
        walk(client, "bucket-walk", size=4)
    expect(s3.fired("G6.short-page") and s3.fired("G6.empty-page"), "none")


@test
def test_token_belongs_to_its_list():
    s3 = shared()
    client = fill(s3, "bucket-walk", KEYS)
    while True:
        root = xml(client.ask("GET", "/bucket-walk?list-type=2&max-keys=1"))
        token = root.findtext("NextContinuationToken")
        if token:
            break
    for query in (f"&prefix=a&continuation-token={quote(token, safe='')}",
                  "&continuation-token=abc", "&continuation-token=%00"):
        refused(client.ask("GET", "/bucket-walk?list-type=2" + query), 400,
                "InvalidArgument")
    equal("violations", s3.violations(), ["G6.token"] * 3)


@test
def test_keys_are_encoded_when_asked_for():
    s3 = shared()
    names = ["a b", "a+b", "a\x01b", "ü", "a&<b"]
    client = fill(s3, "bucket-odd", names)
    for _ in range(2):
        answer = client.ask("GET", "/bucket-odd?encoding-type=url&"
                            "list-type=2")
        while xml(answer).findtext("IsTruncated") == "true":
            answer = client.ask("GET", "/bucket-odd?encoding-type=url&"
                                "list-type=2")
        found = [unquote_plus(node.text) for node in
                 xml(answer).findall("Contents/Key")]
        equal("keys", found, sorted(names, key=str.encode))
    expect(s3.fired("G6.space-plus") and s3.fired("G6.space-percent"),
           "spaces always looked the same")
    answer = client.ask("GET", "/bucket-odd?list-type=2")
    if b"Contents" in answer.body:
        like("raw", answer.body.decode(), "&#x1;")


# ---- multipart --------------------------------------------------------------

def begin(client, key):
    answer = client.ask("POST", path_of("bucket-1", key) + "?uploads")
    return xml(answer).findtext("UploadId")


def part(client, key, upload, number, data):
    answer = client.ask("PUT", path_of("bucket-1", key) + f"?partNumber="
                        f"{number}&uploadId={upload}", body=data)
    return answer.header("etag")


def complete(client, key, upload, parts, headers=None):
    rows = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}"
                   "</ETag></Part>" for number, etag in parts)
    body = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
    return client.ask("POST", path_of("bucket-1", key) +
                      f"?uploadId={upload}", headers, body.encode())


@test
def test_parts_become_one_object():
    s3 = shared()
    client = s3.client()
    upload = begin(client, "mp")
    data = [b"a" * 5 * MIB, b"b" * 5 * MIB, b"c"]
    parts = [(number, part(client, "mp", upload, number, piece))
             for number, piece in enumerate(data, 1)]
    equal("not there yet", client.get("bucket-1", "mp").status, 404)
    answer = complete(client, "mp", upload, parts)
    sums = b"".join(hashlib.md5(piece).digest() for piece in data)
    want = f'"{hashlib.md5(sums).hexdigest()}-3"'
    equal("ETag", xml(answer).findtext("ETag"), want)
    got = client.get("bucket-1", "mp")
    equal("object", md5(got.body), md5(b"".join(data)))
    across = client.get("bucket-1", "mp", {
        "range": f"bytes={5 * MIB - 1}-{10 * MIB}"})
    equal("across parts", across.body, b"a" + data[1] + b"c")
    later = client.get("bucket-1", "mp", {
        "range": f"bytes={10 * MIB - 2}-{10 * MIB}"})
    equal("in later parts", later.body, b"bbc")
    s3.blameless()
    refused(complete(client, "mp", upload, parts), 404, "NoSuchUpload")


@test
def test_complete_names_what_is_wrong():
    s3 = shared()
    client = s3.client()
    upload = begin(client, "mp2")
    one = part(client, "mp2", upload, 1, b"small")
    two = part(client, "mp2", upload, 2, b"last")
    for parts, word in (([(1, one), (2, two)], "EntityTooSmall"),
                        ([(2, two), (1, one)], "InvalidPartOrder"),
                        ([(1, one), (1, one)], "InvalidPartOrder"),
                        ([(1, two)], "InvalidPart"),
                        ([(3, two)], "InvalidPart"),
                        ([(0, two)], "InvalidArgument"),
                        ([(10001, two)], "InvalidArgument"),
                        ([], "MalformedXML")):
        refused(complete(client, "mp2", upload, parts), 400, word)
    answer = client.ask("GET", f"/bucket-1/mp2?uploadId={upload}")
    equal("parts", [node.text for node in
                    xml(answer).findall("Part/Size")], ["5", "4"])
    equal("abort", client.ask(
        "DELETE", f"/bucket-1/mp2?uploadId={upload}").status, 204)
    refused(client.ask("DELETE", f"/bucket-1/mp2?uploadId={upload}"), 404,
            "NoSuchUpload")
    equal("uploads", s3.state("bucket-1")["uploads"], [])


@test
def test_bulk_delete_needs_a_digest_and_deletes():
    s3 = shared()
    client = s3.client()
    client.put("bucket-1", "d1")
    body = b"<Delete><Object><Key>d1</Key></Object><Object><Key>" + \
        b"k" * 1025 + b"</Key></Object></Delete>"
    refused(client.ask("POST", "/bucket-1?delete", body=body), 400,
            "InvalidRequest")
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    root = xml(client.ask("POST", "/bucket-1?delete",
                          {"content-md5": digest}, body))
    equal("deleted", [node.text for node in root.findall("Deleted/Key")],
          ["d1"])
    equal("errors", len(root.findall("Error")), 1)
    equal("gone", client.get("bucket-1", "d1").status, 404)


if __name__ == "__main__":
    main()

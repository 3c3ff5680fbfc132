#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulator's own tests: what its operations do."""
import base64
import hashlib
import os
import re
import sys
import threading
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from s3.client import path_of  # noqa: E402
from s3.kit import Emulator, shared  # noqa: E402
from kit import (MIB, each, equal, eventually, expect, head,  # noqa: E402
                 like, main, md5, test)

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


@test
def test_object_comes_back_with_what_it_was_given():
    s3 = shared()
    client = s3.client()
    headers = {"content-type": "text/x", "cache-control": "no-cache",
               "content-disposition": 'inline; filename="a"',
               "x-amz-meta-one": "1", "x-amz-meta-two": "a  b"}
    answer = client.put("bucket-1", "a", b"hello", headers)
    equal("ETag", answer.header("etag"), f'"{md5(b"hello")}"')
    got = client.get("bucket-1", "a")
    for name in headers:
        equal(name, got.header(name), headers[name])
    only = client.ask("HEAD", "/bucket-1/a")
    equal("HEAD", (only.header("content-length"), only.body), ("5", b""))
    equal("ETag", only.header("etag"), got.header("etag"))


@test
def test_missing_things_have_their_codes():
    client = shared().client()
    refused(client.get("bucket-1", "none"), 404, "NoSuchKey")
    refused(client.get("bucket-none", "a"), 404, "NoSuchBucket")
    answer = client.ask("HEAD", "/bucket-1/none")
    equal("HEAD", (answer.status, answer.body), (404, b""))
    equal("DELETE", client.ask("DELETE", "/bucket-1/none").status, 204)


RANGES = {"bytes=0-0": b"0", "bytes=3-5": b"345", "bytes=7-": b"789",
          "bytes=-2": b"89", "bytes=-20": b"0123456789",
          "bytes=5-99": b"56789"}


@each({word: (word, want) for word, want in RANGES.items()})
def test_range_gives_part_of_it(case):
    word, want = case
    client = shared().client()
    client.put("bucket-1", "digits", b"0123456789")
    answer = client.get("bucket-1", "digits", {"range": word})
    equal("part", (answer.status, answer.body), (206, want))
    first = 10 - len(want) if word[6] == "-" else int(word[6])
    equal("Content-Range", answer.header("content-range"),
          f"bytes {first}-{first + len(want) - 1}/10")


@test
def test_range_past_the_end_is_416_and_a_bad_one_is_ignored():
    client = shared().client()
    client.put("bucket-1", "digits", b"0123456789")
    answer = client.get("bucket-1", "digits", {"range": "bytes=10-"})
    refused(answer, 416, "InvalidRange")
    equal("Content-Range", answer.header("content-range"), "bytes */10")
    for word in ("bytes=a-b", "bytes=1-2,4-5", "bytes=-", "lines=1-2"):
        equal(word, client.get("bucket-1", "digits",
                               {"range": word}).status, 200)


OLD, NEW = "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
TAG = f'"{md5(b"hello")}"'
CONDITIONS = {
    "if-match": ({"if-match": TAG}, 200),
    "if-match other": ({"if-match": '"x"'}, 412),
    "if-none-match": ({"if-none-match": TAG}, 304),
    "if-none-match star": ({"if-none-match": "*"}, 304),
    "if-none-match other": ({"if-none-match": '"x"'}, 200),
    "if-modified-since": ({"if-modified-since": NEW}, 304),
    "if-modified-since old": ({"if-modified-since": OLD}, 200),
    "if-unmodified-since": ({"if-unmodified-since": OLD}, 412),
    "match wins": ({"if-match": TAG, "if-unmodified-since": OLD}, 200),
    "none-match wins": ({"if-none-match": '"x"', "if-modified-since": NEW},
                        200)}


@each(CONDITIONS)
def test_conditions_of_a_read(case):
    headers, want = case
    client = shared().client()
    client.put("bucket-1", "a", b"hello")
    answer = client.get("bucket-1", "a", headers)
    equal("status", answer.status, want)
    if want == 304:
        equal("body", answer.body, b"")


@test
def test_conditional_put_writes_once():
    s3 = shared()
    client = s3.client()
    client.ask("DELETE", "/bucket-1/once")
    star = {"if-none-match": "*"}
    equal("first", client.put("bucket-1", "once", b"1", star).status, 200)
    refused(client.put("bucket-1", "once", b"2", star), 412,
            "PreconditionFailed")
    equal("object", client.get("bucket-1", "once").body, b"1")
    s3.blameless()


@test
def test_two_conditional_puts_at_once_are_told_apart():
    s3 = shared()
    s3.faults({"match": {"method": "PUT", "path": "race"}, "do": "stall",
               "at": 1})
    client = s3.client()
    star = {"if-none-match": "*"}
    with client.wire() as slow:
        client.send(slow, "PUT", "/bucket-1/race", star, b"12")
        s3.wait_for_fault()
        eventually("the first begins", lambda: client.put(
            "bucket-1", "race", b"2", star).status == 409)
    s3.blameless()


@test
def test_presigned_get_overrides_headers():
    client = shared().client()
    client.put("bucket-1", "a", b"hello")
    words = {"response-content-type": "text/y",
             "response-content-disposition": 'attachment; filename="q"',
             "response-cache-control": "no-store"}
    target = client.presigned("GET", "/bucket-1/a", query=words)
    answer = client.plain("GET", target)
    for name, value in words.items():
        equal(name, answer.header(name.partition("-")[2]), value)


@test
def test_expect_continue_is_answered_only_when_the_head_is_good():
    client = shared().client()
    lines = client.signed("PUT", "/bucket-1/e", body=b"hello")
    lines += ["Content-Length: 5", "Expect: 100-continue"]
    with client.wire() as wire:
        wire.send(head("PUT", "/bucket-1/e", *lines, host=client.host))
        equal("interim", wire.head().status, 100)
        wire.send(b"hello")
        equal("final", wire.answer().status, 200)
    lines = [line.replace("/bucket-1", "") for line in lines]
    with client.wire() as wire:
        wire.send(head("PUT", "/bucket-none/e", *lines, host=client.host))
        equal("refusal", wire.head().status, 403)


@test
def test_upload_that_breaks_off_leaves_nothing():
    s3 = shared()
    client = s3.client()
    lines = client.signed("PUT", "/bucket-1/broken", body=b"12345")
    with client.wire() as wire:
        wire.send(head("PUT", "/bucket-1/broken", *lines,
                       "Content-Length: 5", host=client.host) + b"123")
    eventually("the request ends", lambda: any(
        "broken" in one for one in s3.requests("PUT")))
    equal("object", client.get("bucket-1", "broken").status, 404)


# ---- lists -------------------------------------------------------------------

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
    from urllib.parse import unquote_plus
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


# ---- multipart ---------------------------------------------------------------

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


@test
def test_large_bodies_do_not_fill_the_memory():
    size = 256 * MIB
    with Emulator("aws") as s3:
        s3.create("bucket-1")
        client = s3.client()
        lines = client.signed("PUT", "/bucket-1/large",
                              payload="UNSIGNED-PAYLOAD")
        with client.wire(timeout=60) as wire:
            wire.send(head("PUT", "/bucket-1/large", *lines,
                           f"Content-Length: {size}", host=client.host))
            equal("sent", wire.flood(bytes(MIB), size, 60), size)
            equal("PUT", wire.answer().status, 200)
            lines = client.signed("GET", "/bucket-1/large")
            wire.send(head("GET", "/bucket-1/large", *lines,
                           host=client.host))
            equal("GET", wire.head().status, 200)
            equal("bytes", wire.digest(size), hashlib.md5(
                bytes(size)).hexdigest())
        text = Path(f"/proc/{s3.process.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+)", text)[1]) >> 10
        expect(peak < 128, f"{peak} MiB")


@test
def test_connections_are_served_side_by_side():
    s3 = shared()
    client = s3.client()
    trouble = []

    def work(number):
        for at in range(10):
            key = f"side/{number}/{at}"
            if client.put("bucket-1", key, key.encode()).status != 200 or \
                    client.get("bucket-1", key).body != key.encode():
                trouble.append(key)
    threads = [threading.Thread(target=work, args=(number,))
               for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal("trouble", trouble, [])
    s3.blameless()


if __name__ == "__main__":
    main()

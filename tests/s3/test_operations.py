#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulator's own tests: what its operations do."""
import hashlib
import os
import re
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from s3.kit import Emulator, shared  # noqa: E402
from kit import (MIB, each, equal, eventually, expect, head,  # noqa: E402
                 main, md5, test)

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

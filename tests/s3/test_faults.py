#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulator's own tests: each fault of the script is seen by a client."""
import json
import os
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from s3.kit import shared  # noqa: E402
from kit import (Mismatch, Wire, each, equal, eventually,  # noqa: E402
                 expect, head, like, main, request, test)

DATA = bytes(range(256)) * 1024  # 256 KiB


def prepared(*steps, dialect="aws"):
    """An emulator with one object, and the script."""
    s3 = shared(dialect)
    client = s3.client()
    equal("PUT", client.put("bucket-1", "data", DATA).status, 200)
    s3.forget()
    s3.faults(*steps)
    return s3, client


def code(answer):
    return answer.body.decode().partition("<Code>")[2].partition("<")[0]


def raw(client, method, target, body=b"", take=1 << 20):
    """All bytes that come until the end, and whether that was RST."""
    with client.wire() as wire:
        client.send(wire, method, target, body=body)
        data = b""
        try:
            while more := wire.socket.recv(take):
                data += more
        except ConnectionResetError:
            return data, True
        return data, False


STATUS = {"500": (500, "InternalError"), "503": (503, "SlowDown"),
          "503 SlowDown": (503, "SlowDown"),
          "503 ServiceUnavailable": (503, "ServiceUnavailable"),
          "429": (429, "TooManyRequests"), "401": (401, "Unauthorized"),
          "403": (403, "AccessDenied")}


@each({word: (word, want) for word, want in STATUS.items()})
def test_status_fires_once(case):
    word, want = case
    s3, client = prepared({"do": word})
    answer = client.get("bucket-1", "data")
    equal("answer", (answer.status, code(answer)), want)
    equal("next", client.get("bucket-1", "data").body, DATA)
    equal("fired", [one["step"]["do"] for one in s3.faults_fired()], [word])


@test
def test_status_can_tell_when_to_come_again():
    _, client = prepared({"do": "503", "retry_after": 2, "times": 2})
    for _ in range(2):
        answer = client.get("bucket-1", "data")
        equal("answer", (answer.status, answer.header("retry-after")),
              (503, "2"))
    equal("third", client.get("bucket-1", "data").status, 200)


@test
def test_status_before_the_body_does_not_read_it():
    s3, client = prepared({"do": "503", "match": {"method": "PUT"}})
    lines = client.signed("PUT", "/bucket-1/big",
                          payload="UNSIGNED-PAYLOAD")
    with client.wire() as wire:
        wire.send(head("PUT", "/bucket-1/big", *lines,
                       "Content-Length: 100000000", host=client.host))
        answer = wire.answer()
    equal("answer", (answer.status, answer.header("connection")),
          (503, "close"))
    # It is noted behind the answer.
    eventually("a note", lambda: "received" in s3.requests("PUT")[0])
    equal("received", s3.requests("PUT")[0]["received"], 0)


@test
def test_status_after_the_operation_leaves_it_done():
    _, client = prepared({"do": "500", "when": "after"})
    equal("status", client.put("bucket-1", "after", b"x").status, 500)
    equal("object", client.get("bucket-1", "after").body, b"x")


@test
def test_sticky_status_stays_with_its_connection():
    _, client = prepared({"do": "503 ServiceUnavailable", "sticky": True,
                          "message": "no tomes available"})
    with client.wire() as wire:
        for _ in range(3):
            client.send(wire, "GET", "/bucket-1/data")
            answer = wire.answer()
            equal("same connection", (answer.status, code(answer)),
                  (503, "ServiceUnavailable"))
            like("message", answer.body.decode(), "no tomes available")
    equal("new connection", client.get("bucket-1", "data").status, 200)


@test
def test_minio_says_slow_down_in_its_own_words():
    _, client = prepared({"do": "503", "times": 2}, dialect="minio")
    equal("read", code(client.get("bucket-1", "data")), "SlowDownRead")
    equal("write", code(client.put("bucket-1", "x")), "SlowDownWrite")


@test
def test_match_picks_the_nth_request_of_its_kind():
    s3, client = prepared({"do": "500", "match": {
        "method": "GET", "path": "da.a$", "query": "versionId|^$",
        "nth": 3}})
    found = [client.get("bucket-1", "data").status for _ in range(4)]
    equal("statuses", found, [200, 200, 500, 200])
    equal("pending", s3.control("GET", "faults")["pending"], [])


@test
def test_steps_that_match_one_request_come_one_after_the_other():
    _, client = prepared({"do": "500"}, {"do": "503"})
    found = [client.get("bucket-1", "data").status for _ in range(3)]
    equal("statuses", found, [500, 503, 200])


@test
def test_reset_before_the_head_gives_no_byte():
    _, client = prepared({"do": "reset-before-head"})
    equal("what came", raw(client, "GET", "/bucket-1/data"), (b"", True))


@test
def test_reset_in_the_answer_cuts_its_body():
    _, client = prepared({"do": "reset-in-body", "at": 1000})
    data, _ = raw(client, "GET", "/bucket-1/data", take=500)
    like("head", data.decode("latin-1"), "HTTP/1.1 200")
    expect(len(data) < 2500, f"{len(data)} bytes")


@test
def test_reset_in_the_request_leaves_nothing():
    s3, client = prepared({"do": "reset-in-body", "at": 1000})
    equal("what came", raw(client, "PUT", "/bucket-1/r", DATA), (b"", True))
    equal("received", s3.requests("PUT")[0]["received"], 1000)
    equal("object", client.get("bucket-1", "r").status, 404)


@test
def test_stall_before_the_head_waits():
    _, client = prepared({"do": "stall", "seconds": 0.3})
    begun = time.monotonic()
    equal("status", client.get("bucket-1", "data").status, 200)
    expect(time.monotonic() - begun >= 0.3, "it came at once")


@test
def test_stall_without_end_lasts_until_the_client_goes():
    s3, client = prepared({"do": "stall"})
    wire = client.wire()
    client.send(wire, "GET", "/bucket-1/data")
    s3.wait_for_fault()
    expect("broken" not in s3.requests("GET")[0], "it ended by itself")
    wire.close()
    eventually("end", lambda: "gone" in s3.requests("GET")[0].get("broken",
                                                                 ""))


@each({"request": ("PUT", "/bucket-1/s", DATA),
       "response": ("GET", "/bucket-1/data", b"")})
def test_stall_in_a_body_goes_on(case):
    method, target, body = case
    _, client = prepared({"do": "stall", "at": 100000, "seconds": 0.3})
    begun = time.monotonic()
    answer = client.ask(method, target, body=body)
    expect(time.monotonic() - begun >= 0.3, "it came at once")
    equal("status", answer.status, 200)
    equal("object", client.get("bucket-1", target[10:]).body, DATA)


@test
def test_drip_comes_in_drops():
    _, client = prepared({"do": "drip", "bytes": 50000, "seconds": 0.05})
    begun = time.monotonic()
    equal("body", client.get("bucket-1", "data").body, DATA)
    expect(time.monotonic() - begun >= 0.25, "it came at once")


@test
def test_close_ends_a_connection_that_promised_to_stay():
    _, client = prepared({"do": "close"})
    with client.wire() as wire:
        client.send(wire, "GET", "/bucket-1/data")
        answer = wire.answer()
        equal("answer", (answer.status, answer.header("connection")),
              (200, None))
        wire.ended()


@test
def test_truncated_body_is_shorter_than_it_says():
    _, client = prepared({"do": "truncate", "at": 5000})
    data, reset = raw(client, "GET", "/bucket-1/data")
    start, body = data.split(b"\r\n\r\n", 1)
    like("head", start.decode(), f"Content-Length: {len(DATA)}")
    equal("body", (body, reset), (DATA[:5000], False))


@test
def test_corrupt_body_has_one_wrong_byte():
    _, client = prepared({"do": "corrupt", "at": 70000})
    body = client.get("bucket-1", "data").body
    wrong = [at for at, (one, other) in enumerate(zip(body, DATA))
             if one != other]
    equal("wrong", (len(body), wrong), (len(DATA), [70000]))


@test
def test_bad_xml_is_no_xml():
    _, client = prepared({"do": "bad-xml"})
    answer = client.ask("GET", "/bucket-1?list-type=2")
    equal("status", answer.status, 200)
    try:
        ElementTree.fromstring(answer.body)
    except ElementTree.ParseError:
        return
    raise Mismatch("it is XML")


@test
def test_huge_xml_is_as_large_as_asked_for():
    _, client = prepared({"do": "huge-xml", "bytes": 5 << 20})
    answer = client.ask("GET", "/bucket-1?list-type=2")
    expect(len(answer.body) > 5 << 20, f"{len(answer.body)} bytes")
    ElementTree.fromstring(answer.body)


def upload(client):
    """An upload with one part; the target and body of its Complete."""
    answer = client.ask("POST", "/bucket-1/mp?uploads")
    name = answer.body.decode().partition("<UploadId>")[2].partition("<")[0]
    etag = client.ask("PUT", f"/bucket-1/mp?partNumber=1&uploadId={name}",
                      body=b"x").header("etag")
    body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" \
        f"<ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    return f"/bucket-1/mp?uploadId={name}", body.encode()


@test
def test_complete_can_fail_with_200():
    s3, client = prepared()
    target, body = upload(client)
    s3.faults({"do": "error-in-200", "match": {"method": "POST"}})
    answer = client.ask("POST", target, body=body)
    equal("answer", (answer.status, code(answer)), (200, "InternalError"))
    equal("retry", code(client.ask("POST", target, body=body)), "")


@each({"lost-answer": "lost-answer", "error after": "error-in-200"})
def test_complete_can_be_done_without_saying_so(word):
    s3, client = prepared()
    client.ask("DELETE", "/bucket-1/mp")
    target, body = upload(client)
    s3.faults({"do": word, "when": "after", "match": {"method": "POST"}})
    if word == "lost-answer":
        equal("answer", raw(client, "POST", target, body), (b"", False))
    else:
        equal("answer", client.ask("POST", target, body=body).status, 200)
    answer = client.ask("POST", target, body=body)
    equal("retry", (answer.status, code(answer)), (404, "NoSuchUpload"))
    equal("object", client.get("bucket-1", "mp").body, b"x")


@test
def test_clock_skew_tells_another_time():
    s3, client = prepared({"do": "clock-skew", "seconds": -5000})
    answer = client.get("bucket-1", "data")
    equal("answer", (answer.status, code(answer)),
          (403, "RequestTimeTooSkewed"))
    date = parsedate_to_datetime(answer.header("date")).timestamp()
    expect(-5010 < date - time.time() < -4990, answer.header("date"))
    s3.blameless()


@each({"redirect": (301, "PermanentRedirect"),
       "malformed": (400, "AuthorizationHeaderMalformed")})
def test_wrong_region_names_the_right_one(case):
    status, word = case
    _, client = prepared({"do": "wrong-region", "region": "eu-west-1", "as":
                          "redirect" if status == 301 else "malformed"})
    answer = client.get("bucket-1", "data")
    equal("answer", (answer.status, code(answer)), (status, word))
    equal("region", answer.header("x-amz-bucket-region"), "eu-west-1")
    if status == 400:
        like("body", answer.body.decode(), "<Region>eu-west-1</Region>")


@test
def test_fault_that_nobody_knows_is_refused():
    s3 = shared()
    for step in ({"do": "explode"}, {}, {"do": "200"}):
        with Wire(s3.endpoint) as wire:
            wire.send(request("POST", "/_emulator/faults",
                              body=json.dumps([step]).encode()))
            equal("status", wire.answer().status, 400)


if __name__ == "__main__":
    main()

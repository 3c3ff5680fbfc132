#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The emulator's own tests: what it lets in, and how it refuses the rest."""
import base64
import hashlib
import os
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

# The runner asks for a gateway, which isn't needed here.
os.environ.setdefault("SLUICE", sys.executable)
sys.path[0] = str(Path(__file__).resolve().parents[1])

# pylint: disable=wrong-import-position
from s3.client import path_of  # noqa: E402
from s3.kit import shared  # noqa: E402
from kit import each, equal, expect, like, main, test  # noqa: E402

EMPTY = hashlib.sha256(b"").hexdigest()


def code(answer):
    like("an error", answer.body.decode(), "<Code>[A-Za-z0-9]+</Code>")
    text = answer.body.decode()
    return text.partition("<Code>")[2].partition("</Code>")[0]


def denied(s3, answer, status, word, *rules):
    equal("answer", (answer.status, code(answer)), (status, word))
    equal("violations", s3.violations(), list(rules))
    s3.forget()


@test
def test_what_is_signed_right_breaks_no_rule():
    s3 = shared()
    client = s3.client()
    for key in ("a", "a b", "ü/日本", "a+b=c&d?e#f%20", "!'()*~-._",
                "//a//", "./../x", "%", "\\", "a:b@c,d;e"):
        equal(f"PUT {key}", client.put("bucket-1", key, b"x").status, 200)
        equal(f"GET {key}", client.get("bucket-1", key).body, b"x")
        target = client.presigned("GET", path_of("bucket-1", key))
        equal(f"presigned {key}", client.plain("GET", target).status, 200)
    s3.blameless()


@test
def test_wrong_secret_and_unknown_key_are_refused():
    s3 = shared()
    denied(s3, s3.client(secret_key="other").get("bucket-1", "a"), 403,
           "SignatureDoesNotMatch", "G1.signature")
    denied(s3, s3.client(access_key="OTHER").get("bucket-1", "a"), 403,
           "InvalidAccessKeyId", "G1.access-key")
    denied(s3, s3.client().plain("GET", "/bucket-1/a"), 403, "AccessDenied",
           "G1.anonymous")


@test
def test_request_changed_after_signing_is_refused():
    s3 = shared()
    client = s3.client()
    lines = client.signed("GET", "/bucket-1/a?x=1", {"range": "bytes=0-1"})
    for target, changed in (
            ("/bucket-1/b?x=1", lines), ("/bucket-1/a?x=2", lines),
            ("/bucket-1/a?x=1", [line.replace("bytes=0-1", "bytes=0-2")
                                 for line in lines])):
        denied(s3, client.plain("GET", target, *changed), 403,
               "SignatureDoesNotMatch", "G1.signature")


@test
def test_body_that_was_not_signed_is_refused_and_not_stored():
    s3 = shared()
    client = s3.client()
    answer = client.put("bucket-1", "gone", b"x", payload=EMPTY)
    denied(s3, answer, 400, "XAmzContentSHA256Mismatch", "G1.payload-hash")
    equal("object", client.get("bucket-1", "gone").status, 404)


@test
def test_path_that_was_normalised_is_told_apart():
    s3 = shared()
    answer = s3.client().ask("GET", "/bucket-1/a/../b", path="/bucket-1/b")
    denied(s3, answer, 403, "SignatureDoesNotMatch", "G1.path-normalised")


@test
def test_headers_that_matter_must_be_signed():
    s3 = shared()
    for name, value, rule in (
            ("content-type", "a/b", "G1.unsigned-header"),
            ("content-md5", base64.b64encode(bytes(16)).decode(),
             "G1.unsigned-header"),
            ("x-amz-meta-a", "b", "G1.unsigned-header"),
            ("range", "bytes=0-1", "G1.unsigned-range")):
        answer = s3.client().ask("GET", "/bucket-1/a", {name: value},
                                 leave=(name,))
        denied(s3, answer, 403, "AccessDenied", rule)


@test
def test_headers_that_others_change_must_not_be_signed():
    s3 = shared()
    answer = s3.client().ask("GET", "/bucket-1/a", {"user-agent": "x"})
    denied(s3, answer, 403, "SignatureDoesNotMatch", "G1.unstable-header")


@each({"space in the path": ("/bucket-1/a(b)", "G1.path-encoding"),
       "lower hex": ("/bucket-1/%c3%bc", "G1.path-encoding"),
       "plus": ("/bucket-1?list-type=2&prefix=a+b", "G1.query-plus")})
def test_target_that_is_not_canonical_is_refused(case):
    target, rule = case
    s3 = shared()
    denied(s3, s3.client().ask("GET", target), 403, "SignatureDoesNotMatch",
           rule)


@test
def test_payload_word_is_checked():
    s3 = shared()
    ask = s3.client().ask
    denied(s3, ask("GET", "/bucket-1", payload="none"), 400,
           "InvalidArgument", "G1.content-sha256")
    denied(s3, ask("GET", "/bucket-1", {"x-amz-content-sha256": None}), 400,
           "InvalidRequest", "G1.no-content-sha256")
    equal("unsigned", ask("PUT", "/bucket-1/a", body=b"x",
                          payload="UNSIGNED-PAYLOAD").status, 200)
    s3.blameless()
    expect(s3.fired("G1.unsigned-over-plain"), "not noticed")


@test
def test_clock_may_be_off_by_15_minutes_and_no_more():
    s3 = shared()
    now = time.time()
    for off in (-890, 890):
        equal("status", s3.client().ask("GET", "/bucket-1?location",
                                        at=now + off).status, 200)
    for off in (-910, 910):
        answer = s3.client().ask("GET", "/bucket-1?location", at=now + off)
        denied(s3, answer, 403, "RequestTimeTooSkewed", "G2.skew")


@test
def test_date_of_a_skewed_answer_is_what_to_sign_with():
    s3 = shared()
    s3.clock(7200)
    answer = s3.client().ask("GET", "/bucket-1?location")
    date = parsedate_to_datetime(answer.header("date")).timestamp()
    denied(s3, answer, 403, "RequestTimeTooSkewed", "G2.skew")
    equal("second", s3.client().ask("GET", "/bucket-1?location",
                                    at=date).status, 200)


@test
def test_presigned_url_ends_when_it_says():
    s3 = shared()
    client = s3.client()
    client.put("bucket-1", "a", b"x")
    target = client.presigned("GET", "/bucket-1/a", 60)
    equal("in time", client.plain("GET", target).status, 200)
    s3.clock(65)
    answer = client.plain("GET", target)
    equal("late", (answer.status, code(answer)), (403, "AccessDenied"))
    s3.blameless()


@test
def test_presigned_url_changed_in_any_part_is_refused():
    s3 = shared()
    client = s3.client()
    query = {"response-content-type": "a/b"}
    target = client.presigned("GET", "/bucket-1/a", 60, query=query)
    for old, new in (("bucket-1/a", "bucket-1/b"), ("a%2Fb", "a%2Fc"),
                     ("Expires=60", "Expires=61"), ("SignedHeaders=host",
                                                    "SignedHeaders=date"),
                     ("Signature=", "Signature=0")):
        expect(old in target, old)
        answer = client.plain("GET", target.replace(old, new))
        equal(f"{old} -> {new}", answer.status, 403)
    equal("PUT", client.plain("PUT", target, body=b"x").status, 403)
    expect(s3.violations(), "nothing was recorded")


@test
def test_session_token_must_be_there_and_right():
    s3 = shared()
    s3.use(1)
    client = s3.client()
    equal("right", client.ask("GET", "/bucket-1?location").status, 200)
    target = client.presigned("GET", "/bucket-1?location".split("?")[0],
                              query={"location": ""})
    equal("presigned", client.plain("GET", target).status, 200)
    s3.blameless()
    for token in ("", "wrong"):
        answer = s3.client(token=token).ask("GET", "/bucket-1?location")
        denied(s3, answer, 400, "InvalidToken", "G1.token")


if __name__ == "__main__":
    main()

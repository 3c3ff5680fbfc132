#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uploads in several requests: what was told is there after SIGKILL, what
expired is swept, limits are kept, and hooks hear of each request."""
import base64
import hashlib
import os
import random
import tempfile

from kit import MIB, Gateway, equal, eventually, expect, main, md5, test

PARTIAL = "Content-Type: application/partial-upload"


def create(gateway, *lines, body=b"", query="filename=a.bin"):
    answer = gateway.ask("POST", "/files/uploads?" + query,
                         "Upload-Complete: ?0", *lines, body=body)
    equal("status of a creation", answer.status, 201)
    return answer.header("location")


def append(gateway, where, at, data, last=False, *lines):
    return gateway.ask("PATCH", where, PARTIAL, f"Upload-Offset: {at}",
                       f"Upload-Complete: ?{last:d}", *lines, body=data)


def offset(gateway, where):
    answer = gateway.ask("HEAD", where)
    equal("status of HEAD", answer.status, 200)
    return int(answer.header("upload-offset"))


@test
def test_told_offsets_survive_sigkill_20_times():
    chance, data, at = random.Random(7), os.urandom(3 * MIB), 0
    with tempfile.TemporaryDirectory() as folder:
        where = None
        for _ in range(20):
            gateway = Gateway(folder=folder)
            if where is None:
                where = create(gateway, f"Upload-Length: {len(data)}")
            equal("offset after SIGKILL", offset(gateway, where), at)
            size = chance.randrange(1, 150_000)
            answer = append(gateway, where, at, data[at:at + size])
            equal("status", answer.status, 204)
            at += size
            gateway.kill()
        with Gateway(folder=folder) as gateway:
            equal("offset after SIGKILL", offset(gateway, where), at)
            answer = append(gateway, where, at, data[at:], True)
            equal("status", answer.status, 201)
            equal("md5", answer.json["md5"], md5(data))


@test
def test_a_creation_without_a_body_is_no_html():
    with Gateway() as gateway:
        for line in "Upload-Complete: ?0", "Tus-Resumable: 1.0.0":
            answer = gateway.ask("POST", "/files/uploads?filename=a", line,
                                 "Upload-Length: 3", body=b"")
            equal("status", (answer.status, answer.body), (201, b""))
            equal("type", answer.header("content-type"),
                  "application/octet-stream")


@test
def test_what_expired_is_gone_and_swept():
    with Gateway({"uploads": {"resumable": {"expires": "1s"}}}) as gateway:
        where = create(gateway, body=b"hello")
        eventually("the upload is gone",
                   lambda: gateway.ask("HEAD", where).status == 404)


@test
def test_one_more_than_max_open_is_429():
    with Gateway({"uploads": {"resumable": {"max_open": 2}}}) as gateway:
        where = [create(gateway) for _ in range(2)][0]
        answer = gateway.ask("POST", "/files/uploads", "Upload-Complete: ?0",
                             body=b"")
        equal("status, code", (answer.status, answer.json["code"]),
              (429, "too_many_uploads"))
        equal("status", gateway.ask("DELETE", where).status, 204)
        create(gateway)


@test
def test_a_length_that_came_with_a_wrong_digest_isnt_kept():
    digest = "Content-Digest: sha-256=:" + base64.b64encode(
        hashlib.sha256(b"hello").digest()).decode() + ":"
    with Gateway() as gateway:
        where = create(gateway)
        answer = append(gateway, where, 0, b"other", True, digest)
        equal("status, code", (answer.status, answer.json["code"]),
              (400, "digest_mismatch"))
        equal("length", gateway.ask("GET", where).json["length"], None)
        answer = append(gateway, where, 0, b"", False, "Upload-Length: 6",
                        digest.replace("sha-256", "x"))
        equal("status", answer.status, 204)
        equal("length", gateway.ask("GET", where).json["length"], 6)
        equal("status", append(gateway, where, 0, b"hello!", True).status,
              201)


@test
def test_an_append_below_min_append_is_400_but_for_the_last():
    with Gateway({"uploads": {"resumable": {"min_append": "5B"}}}) as gateway:
        where = create(gateway)
        equal("status", append(gateway, where, 0, b"four").status, 400)
        equal("status", append(gateway, where, 0, b"fives").status, 204)
        equal("status", append(gateway, where, 5, b"x", True).status, 201)


@test
def test_another_identity_finds_nothing():
    with Gateway() as gateway:
        where = create(gateway, "X-User-Id: alice")
        for method in "HEAD", "GET", "DELETE":
            equal("status", gateway.ask(method, where, "X-User-Id: bob")
                  .status, 404)
        equal("status", gateway.ask("HEAD", where, "X-User-Id: alice")
              .status, 200)


@test
def test_cors_allows_and_exposes_the_fields():
    with Gateway({"cors": {"origins": ["https://app.example"]}}) as gateway:
        answer = gateway.ask("OPTIONS", "/files/uploads",
                             "Origin: https://app.example",
                             "Access-Control-Request-Method: POST")
        equal("status", answer.status, 204)
        expect("Tus-Resumable" in
               answer.header("access-control-allow-headers"), "allowed")
        answer = gateway.ask("POST", "/files/uploads", "Upload-Complete: ?0",
                             "Origin: https://app.example", body=b"")
        expect("Upload-Offset" in
               answer.header("access-control-expose-headers"), "exposed")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The backend `ceph` over a real Ceph: what another client reads of it and
puts beside it, versioned buckets, what a crash leaves."""
import atexit
import signal
import time

from bucket import gateway, noise
from kit import (FORM, MIB, equal, eventually, expect, field, file, form,
                 head, like, main, md5, needs, test)
from oracle.client import Client
from oracle.load import Load
from oracle.objects import Objects
from s3.kit import Rgw, boto3_read
from s3.reader import client

SERVER = []


def ceph():
    """One server for all tests of this program."""
    if not SERVER:
        SERVER.append(Rgw())
        atexit.register(SERVER[0].stop)
    return SERVER[0]


def boto3(s3):
    try:
        return client(s3.endpoint, s3.region, s3.access_key, s3.secret_key)
    except ImportError:
        needs(False, "boto3 is not installed")


def uploaded(running, data, name="a.txt", **headers):
    lines = [f"{key.replace('_', '-')}: {value}"
             for key, value in headers.items()]
    answer = running.ask("POST", "/files", FORM, *lines,
                         body=form(field("prefix", "t"),
                                   file(data, name, "application/pdf")))
    equal("status", answer.status, 201)
    return answer.json


@test
def test_another_client_reads_what_was_stored():
    s3 = ceph()
    with gateway(s3, "readers") as running:
        for data in b"", b"small", noise(2 * MIB + 1):
            got = uploaded(running, data, "отчёт 5%.pdf",
                           X_User_Id="alice@example.org")
            seen = boto3_read(s3, "readers", got["key"])
            equal("md5, size, type",
                  (seen["md5"], seen["size"], seen["content_type"]),
                  (md5(data), len(data), "application/pdf"))
            equal("metadata", seen["metadata"]["md5"], md5(data))
            equal("metadata", seen["metadata"]["uploaded-by"],
                  "alice@example.org")
            expect(seen["metadata"]["original-filename"].isascii(),
                   seen["metadata"])


@test
def test_parts_read_as_one_object():
    s3 = ceph()
    options = {"multipart_threshold": "5MiB", "part_size": "5MiB"}
    with gateway(s3, "in-parts", **options) as running:
        data = noise(17 * MIB + 3)
        got = uploaded(running, data, "big.bin")
        seen = boto3_read(s3, "in-parts", got["key"])
        equal("md5, size", (seen["md5"], seen["size"]), (md5(data), len(data)))
        like("etag", seen["etag"], "[0-9a-f]{32}-4")
        left = boto3(s3).list_multipart_uploads(Bucket="in-parts")
        expect("Uploads" not in left, left)


@test
def test_parts_go_while_the_next_comes_in():
    s3, data = ceph(), noise(17 * MIB + 3)
    options = {"multipart_threshold": "5MiB", "part_size": "5MiB"}
    early = {"uploads": {"early_parts": "true"}}
    with gateway(s3, "early", more=early, **options) as running:
        seen = boto3(s3)

        def begun():
            found = seen.list_multipart_uploads(Bucket="early")
            return found.get("Uploads", [])

        def parts():
            return [part for one in begun() for part in seen.list_parts(
                Bucket="early", Key=one["Key"],
                UploadId=one["UploadId"]).get("Parts", [])]

        for leaves in True, False:
            with running.wire() as wire:
                wire.send(head("POST", "/files/uploads?filename=a&prefix=t",
                               f"Content-Length: {len(data)}"))
                wire.send(data[:16 * MIB])
                eventually("parts before the end", parts)
                if leaves:
                    wire.reset()
                    eventually("nothing left", lambda: not begun())
                    continue
                wire.send(data[16 * MIB:])
                answer = wire.answer()
                equal("status", answer.status, 201)
        there = boto3_read(s3, "early", answer.json["key"])
        equal("md5, size", (there["md5"], there["size"]),
              (md5(data), len(data)))
        equal("the answer's", answer.json["md5"], md5(data))
        like("etag", there["etag"], "[0-9a-f]{32}-4")
        equal("objects", len(running.keys()), 1)
        equal("left", begun(), [])


@test
def test_what_others_stored_is_listed_and_served():
    s3 = ceph()
    with gateway(s3, "others") as running:
        keys = ["a", "a/b", "a//b", "a b+c&d#e?f=%20", "ключ/日本😀",
                "~!$'()*,;:@=", "ends/", "Zz"]
        for key in keys:
            boto3(s3).put_object(Bucket="others", Key=key, Body=key.encode(),
                                 Metadata={"x": "y"})
        page = running.ask("GET", "/files?prefix=").json
        equal("keys", [thing["key"] for thing in page["objects"]],
              sorted(keys, key=str.encode))
        for key in keys:
            equal(f"status, body of {key}",
                  (running.download(key).status, running.download(key).body),
                  (200, key.encode()))


@test
def test_versions_of_a_bucket_are_left_alone():
    s3 = ceph()
    with gateway(s3, "versions") as running:
        boto3(s3).put_bucket_versioning(
            Bucket="versions",
            VersioningConfiguration={"Status": "Enabled"})
        key = uploaded(running, b"one")["key"]
        boto3(s3).put_object(Bucket="versions", Key=key, Body=b"two!")
        equal("body", running.download(key).body, b"two!")
        running.delete(key)
        equal("status", running.download(key).status, 404)
        page = running.ask("GET", "/files?prefix=t/").json
        equal("objects", page["objects"], [])
        kept = boto3(s3).list_object_versions(Bucket="versions")
        equal("versions, markers",
              (len(kept["Versions"]), len(kept["DeleteMarkers"])), (2, 1))


@test
def test_unfinished_uploads_are_swept_on_request_only():
    s3 = ceph()
    with gateway(s3, "leftovers") as running:
        running.alive()
    for number in range(3):
        boto3(s3).create_multipart_upload(Bucket="leftovers",
                                          Key=f"é {number}")

    def left():
        found = boto3(s3).list_multipart_uploads(Bucket="leftovers")
        return len(found.get("Uploads", []))
    with gateway(s3, "leftovers") as running:
        equal("left without a word", left(), 3)
    with gateway(s3, "leftovers", sweep_uploads="1h") as running:
        running.says("0 unfinished uploads given up, 3 are younger")
        equal("left as they are young", left(), 3)
    with gateway(s3, "leftovers", sweep_uploads="1ms") as running:
        running.says("3 unfinished uploads given up, 0 are younger")
        equal("left", left(), 0)


@test
def test_gateway_that_is_killed_leaves_no_object():
    s3 = ceph()
    body = form(field("prefix", "t"), file(noise(8 * MIB), "a.bin"))
    with gateway(s3, "killed") as running:
        with running.wire() as wire:
            wire.send(b"POST /files HTTP/1.1\r\nHost: a\r\n" +
                      FORM.encode() + b"\r\nContent-Length: %d\r\n\r\n" %
                      len(body) + body[:-100])
            running.alive()
            running.signal(signal.SIGKILL)
            running.wait()
            running.stopped = True
    found = boto3(s3).list_objects_v2(Bucket="killed")
    equal("objects", found["KeyCount"], 0)


@test
def test_two_gateways_over_one_bucket_answer_as_one():
    """Also while one of them is killed in the middle of its work."""
    load = Load(Objects(), "two gateways", kept=12, sizes=(0, 100, 40_000))
    with gateway(ceph(), "shared") as one:
        other = gateway(ceph(), "shared")

        def both():
            eventually("requests", lambda: load.oracle.calls > 250)

        def one_dies():
            seen = load.oracle.calls
            eventually("requests", lambda: load.oracle.calls > seen + 150)
            other.process.kill()
        load.run([one.url, other.url], both)
        load.run([one.url, other.url], one_dies, dying=True)
        other.kill()
        # A request that was sent whole may be done after its sender's end.
        time.sleep(1)
        load.oracle.settle()
        with Client(load.oracle, one.url, "reader") as client:
            client.read_all()
    equal("undecided", load.oracle.undecided, 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The end of an upload in several requests over S3: an object that a client
may know stays, of two gateways one makes it, and what fails is no 404."""
import os
import threading
import time

from bucket import BUCKET, PARTS, gateway, shared, stored
from kit import MIB, SLOWNESS, each, equal, eventually, expect, main, test
from test_s3_stages import Kept, finish, holds
from test_uploads import append, create, offset

COMPLETE = {"method": "POST", "query": "uploadId="}
COPY = {"method": "PUT", "query": "partNumber="}
UPLOADS = {"method": "GET", "query": "(^|&)uploads="}
STAGE = len(".sluice/stages/" + "o" * 16 + "/" + "i" * 32)
OBJECT = "^/bucket-1/[^.]"
FEW = {"attempts": "2", **PARTS}


def later(act, *words):
    """Does it on a thread; the list gets its answer."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(act(*words)))
    thread.start()
    return thread, answers


def objects(s3):
    return {key for key in s3.state(BUCKET)["objects"]
            if not key.startswith(".sluice/")}


def asked(s3, method, word):
    return [one for one in s3.requests(method) if word in one["target"]]


@each({"told_by_the_service": ("aws", {}, 1),
       "asked_before": ("ceph", {"conditional_put": "false"}, 2)})
def test_an_object_that_nobody_can_tell_of_stays_and_is_told_later(case):
    dialect, options, nth = case
    s3, data = shared(dialect), os.urandom(6 * MIB)
    s3.forget()
    before = objects(s3)
    with gateway(s3, **FEW, **options) as front:
        where = create(front, body=data)
        s3.faults({"match": COMPLETE, "do": "lost-answer", "times": 9},
                  {"match": {"method": "HEAD", "path": OBJECT, "nth": nth},
                   "do": "500", "times": 9})
        equal("status", append(front, where, len(data), b"", True).status,
              502)
        key, = objects(s3) - before
        equal("removals", [one for one in asked(s3, "DELETE", key)
                           if "uploadId=" not in one["target"]], [])
        s3.forget()
        answer = front.ask("HEAD", where)
        equal("offset, complete", (answer.header("upload-offset"),
                                   answer.header("upload-complete")),
              (str(len(data)), "?0"))
        equal("key", finish(front, where, len(data), data), key)
        equal("copies", asked(s3, "PUT", "partNumber="), [])
        holds(front, key, data)
        equal("complete",
              front.ask("HEAD", where).header("upload-complete"), "?1")


@test
def test_an_object_of_another_length_isnt_the_uploads():
    s3, data = shared(), os.urandom(6 * MIB)
    s3.forget()
    before = objects(s3)
    with gateway(s3, **FEW) as front:
        where = create(front, body=data)
        s3.faults({"match": COMPLETE, "do": "spoil", "lost": True},
                  {"match": {"method": "HEAD", "path": OBJECT},
                   "do": "500", "times": 9})
        equal("status", append(front, where, len(data), b"", True).status,
              502)
        key, = objects(s3) - before
        equal("length", stored(s3, key)["size"], len(data) - 1)
        s3.forget()
        equal("status", append(front, where, len(data), b"", True).status,
              502)  # it is removed
        holds(front, finish(front, where, len(data), data), data)


@test
def test_a_look_doesnt_end_a_commit_of_the_same_gateway():
    s3, data = shared(), os.urandom(6 * MIB)
    s3.forget()
    with gateway(s3, **PARTS) as front:
        where = create(front, body=data)
        s3.faults({"match": COMPLETE, "do": "stall",
                   "seconds": 0.7 * SLOWNESS})
        thread, answers = later(append, front, where, len(data), b"", True)
        s3.wait_for_fault()
        answer = front.ask("GET", where)
        equal("status, code", (answer.status, answer.json["code"]),
              (503, "overloaded"))
        thread.join()
        equal("status", answers[0].status, 201)
        holds(front, answers[0].json["key"], data)


@test
def test_nothing_is_made_once_another_gateway_has_the_upload():
    s3, data = shared(), os.urandom(6 * MIB)
    s3.forget()
    with gateway(s3, **PARTS) as one, gateway(s3, **PARTS) as other:
        where = create(one, body=data)
        s3.faults({"match": COPY, "do": "stall", "seconds": 0.5 * SLOWNESS},
                  {"match": UPLOADS, "do": "stall", "seconds": 0.9 * SLOWNESS})
        thread, answers = later(append, one, where, len(data), b"", True)
        s3.wait_for_fault()
        equal("offset", offset(other, where), len(data))
        thread.join()
        equal("status", answers[0].status, 409)
        equal("ends", [line for line in asked(s3, "POST", "uploadId=")], [])
        holds(other, finish(other, where, len(data), data), data)


@each({"list": (UPLOADS, "403"),
       "records": ({"method": "GET", "query": "prefix=.sluice"}, "404 Gone")})
def test_a_look_that_fails_is_502(case):
    match, word = case
    s3, data = shared(), os.urandom(6 * MIB)
    s3.forget()
    with gateway(s3, **FEW) as front:
        where = create(front, body=data)
        s3.faults({"match": COMPLETE, "do": "403"})
        equal("status", append(front, where, len(data), b"", True).status,
              502)
        s3.faults({"match": match, "do": word, "times": 9})
        equal("status", front.ask("HEAD", where).status, 502)
        s3.forget()
        equal("offset", offset(front, where), len(data))
        holds(front, finish(front, where, len(data), data), data)


@test
def test_a_creation_that_fails_leaves_no_record():
    s3 = shared()
    s3.forget()
    kept = Kept(s3)
    with gateway(s3, **FEW) as front:
        s3.faults({"match": {"method": "PUT", "path": "/r/"},
                   "do": "lost-answer", "times": 2})
        equal("status", front.ask("POST", "/files/uploads",
                                  "Upload-Complete: ?0", body=b"").status,
              502)
        kept.nothing()


@test
def test_segments_that_no_record_names_are_removed():
    s3, data = shared(), os.urandom(12 * MIB)
    s3.forget()
    kept = Kept(s3)
    with gateway(s3, **FEW, parallel_parts="1") as front:
        where = create(front)
        s3.faults({"match": {"method": "PUT", "path": "/s/00001"},
                   "do": "403", "times": 9})
        equal("status", append(front, where, 0, data).status, 502)
        eventually("no segment is left", lambda: not any(
            "/s/" in key for key in kept.now()))
        s3.forget()
        holds(front, finish(front, where, offset(front, where), data), data)


@test
def test_a_stage_that_cant_be_swept_keeps_no_other():
    s3 = shared()
    s3.forget()
    kept = Kept(s3)
    more = {"uploads": {"resumable": {"expires": "3s"}}}
    with gateway(s3, more=more, **FEW) as front:
        for _ in range(2):
            create(front, body=b"hello")
        first = min(kept.now())[:STAGE]
        s3.faults({"match": {"method": "GET", "path": first}, "do": "403",
                   "times": 99})
        eventually("only what can't be read is left", lambda: all(
            key.startswith(first) for key in kept.now()), 60)
        eventually("no sweep's record is in the way", lambda: not any(
            key[-1] == "h" for key in kept.now()), 60)


@test
def test_an_upload_outlives_its_commit():
    s3, data = shared(), os.urandom(6 * MIB)
    s3.forget()
    kept = Kept(s3)
    more = {"uploads": {"resumable": {"expires": "60s"}}}
    with gateway(s3, more=more, **FEW) as front:
        where = create(front, body=data)
        s3.faults({"match": COMPLETE, "do": "403"})
        equal("status", append(front, where, len(data), b"", True).status,
              502)
        ends = max(int(key[-11:-1], 16) for key in kept.now()
                   if key[-1] == "o")
        expect(ends > time.time() + 3000, f"it expires at {ends}")


@test
def test_repeated_commits_make_no_record_longer():
    s3, data = shared(), os.urandom(6 * MIB)
    s3.forget()
    kept, sizes = Kept(s3), []
    with gateway(s3, **FEW) as front:
        where = create(front, body=data)
        for _ in range(3):
            s3.faults({"match": COMPLETE, "do": "403"})
            equal("status",
                  append(front, where, len(data), b"", True).status, 502)
            sizes.append(max(stored(s3, key)["size"]
                             for key in kept.now() if key[-1] == "o"))
        expect(len(set(sizes[1:])) == 1, f"they grow: {sizes}")
        holds(front, finish(front, where, len(data), data), data)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uploads in several requests over S3, in each dialect: what was told is
there after SIGKILL and through another gateway, nothing is left behind, and
two who go on with one upload don't mix their bytes."""
import os
import random
import threading

from bucket import BUCKET, DIALECTS, PARTS, gateway, shared
from kit import (MIB, SLOWNESS, each, equal, eventually, expect, main, md5,
                 test)
from test_uploads import append, create, offset

EVERY = {name: dialect for name, dialect in DIALECTS.items()}
SWEPT = {"uploads": {"resumable": {"expires": "1s"}}}


class Kept:
    """The keys of what is kept for the uploads of a test."""

    def __init__(self, s3):
        self.s3, self.before = s3, set(self.all(s3))

    @staticmethod
    def all(s3):
        return [key for key in s3.state(BUCKET)["objects"]
                if key.startswith(".sluice/stages/")]

    def now(self):
        """But for records of an end, which stay for a while."""
        return [key for key in self.all(self.s3)
                if key not in self.before and key[-1] not in "dg"]

    def nothing(self, seconds=20):
        eventually("all that was kept is removed",
                   lambda: self.now() == [], seconds)


def finish(front, where, at, data):
    answer = append(front, where, at, data[at:], True)
    equal("status, offset", (answer.status, answer.header("upload-offset")),
          (201, str(len(data))))
    equal("md5", answer.json["md5"], md5(data))
    return answer.json["key"]


def holds(front, key, data):
    answer = front.ask("GET", "/files/download?key=" + key)
    equal("status, object", (answer.status, answer.body == data), (200, True))


@each(EVERY)
def test_an_upload_goes_on_through_another_gateway(dialect):
    s3, data = shared(dialect), os.urandom(12 * MIB + 12345)
    kept = Kept(s3)
    with gateway(s3, **PARTS) as one, gateway(s3, **PARTS) as other:
        where, at = create(one, f"Upload-Length: {len(data)}"), 0
        for front, size in ((one, 1), (other, 70_000), (one, 6 * MIB),
                            (other, 5 * MIB - 1)):
            equal("offset", offset(front, where), at)
            equal("status",
                  append(front, where, at, data[at:at + size]).status, 204)
            at += size
        key = finish(other, where, at, data)
        holds(one, key, data)
        kept.nothing()
    s3.blameless()


@each(EVERY)
def test_what_was_told_survives_sigkill(dialect):
    s3, data, at = shared(dialect), os.urandom(11 * MIB), 0
    chance, where = random.Random(3), None
    for _ in range(4):
        front = gateway(s3, **PARTS)
        where = where or create(front)
        equal("offset", offset(front, where), at)
        size = chance.choice((1, 100_000, 3 * MIB))
        equal("status",
              append(front, where, at, data[at:at + size]).status, 204)
        at += size
        front.kill()
    with gateway(s3, **PARTS) as front:
        equal("offset", offset(front, where), at)
        holds(front, finish(front, where, at, data), data)


@each({"empty": 0, "one": 1, "a_part_less_one": 5 * MIB - 1,
       "a_part": 5 * MIB, "a_part_and_one": 5 * MIB + 1,
       "two_parts": 10 * MIB})
def test_an_upload_of_this_size_in_one_request(size):
    s3, data = shared(), os.urandom(size)
    kept = Kept(s3)
    with gateway(s3, **PARTS) as front:
        answer = front.ask("POST", "/files/uploads?filename=a",
                           "Upload-Complete: ?1", body=data)
        equal("status, md5", (answer.status, answer.json["md5"]),
              (201, md5(data)))
        holds(front, answer.json["key"], data)
        kept.nothing()
    s3.blameless()


@test
def test_many_small_appends_leave_few_objects():
    s3, data = shared(), os.urandom(60)
    kept = Kept(s3)
    with gateway(s3) as front:
        where = create(front)
        for at in range(60):
            equal("status",
                  append(front, where, at, data[at:at + 1]).status, 204)
        eventually("few are left", lambda: len(kept.now()) < 12)
        holds(front, finish(front, where, 60, data), data)


@each(EVERY)
def test_what_expired_is_swept(dialect):
    s3 = shared(dialect)
    kept = Kept(s3)
    with gateway(s3, more=SWEPT, **PARTS) as front:
        where = create(front, body=os.urandom(6 * MIB))
        eventually("it is gone",
                   lambda: front.ask("HEAD", where).status == 404)
        kept.nothing(60)
        equal("status", append(front, where, 0, b"x").status, 404)


@test
def test_a_removed_upload_is_gone_for_all():
    s3 = shared()
    kept = Kept(s3)
    with gateway(s3, **PARTS) as one, gateway(s3, **PARTS) as other:
        where = create(one, body=os.urandom(6 * MIB))
        equal("status", other.ask("DELETE", where).status, 204)
        for front in one, other:
            equal("status", front.ask("HEAD", where).status, 404)
            equal("status", append(front, where, 0, b"x").status, 404)
        kept.nothing()


@test
def test_tiny_appends_cost_requests_and_few_bytes():
    """Bytes that lie there aren't written again with each of them."""
    s3, count = shared("minio"), 100
    kept = Kept(s3)
    with gateway(s3, **PARTS) as front:
        where = create(front)
        with front.wire() as wire:
            for at in range(count):
                answer = wire.ask(
                    "PATCH", where, "Upload-Complete: ?0",
                    "Content-Type: application/partial-upload",
                    f"Upload-Offset: {at}", body=b"x")
                equal("status", answer.status, 204)
        asked = s3.requests()
        written = sum(one.get("received", 0) for one in asked)
        expect(written <= 2048 * count, f"{written} bytes")
        expect(len(asked) <= 25 * count, f"{len(asked)} requests")
        expect(len(kept.now()) <= 12, kept.now())
        finish(front, where, count, b"x" * count)
        kept.nothing()


@test
def test_one_more_than_max_open_is_429():
    s3 = shared()
    more = {"uploads": {"resumable": {"max_open": 2}}}
    alice = "X-User-Id: alice-of-two"
    with gateway(s3, more=more) as one, gateway(s3, more=more) as other:
        where = [create(front, alice) for front in (one, other)][0]
        answer = other.ask("POST", "/files/uploads", "Upload-Complete: ?0",
                           alice, body=b"")
        equal("status, code", (answer.status, answer.json["code"]),
              (429, "too_many_uploads"))
        equal("status", one.ask("DELETE", where, alice).status, 204)
        create(other, alice)


@test
def test_of_two_who_append_at_once_one_counts():
    s3 = shared()
    pieces = [bytes([65 + n]) * 3_000_000 for n in range(4)]
    with gateway(s3, **PARTS) as one, gateway(s3, **PARTS) as other:
        where, at, data = create(one), 0, b""
        for _ in range(3):
            answers = [None] * 4

            def go(n, at=at, answers=answers):
                answers[n] = append((one, other)[n % 2], where, at, pieces[n])
            threads = [threading.Thread(target=go, args=(n,))
                       for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            good = [n for n in range(4) if answers[n].status == 204]
            expect(len(good) <= 1, f"{good} were stored at one offset")
            now = offset(one, where)
            for n in good:
                equal("offset", now, at + len(pieces[n]))
                data += pieces[n]
            if not good:
                break
            at = now
        if good:
            answer = append(other, where, at, b"", True)
            equal("md5", answer.json["md5"], md5(data))
            holds(one, answer.json["key"], data)


@test
def test_a_record_that_comes_late_takes_back_no_offset():
    s3, data = shared(), os.urandom(1000)
    with gateway(s3) as one, gateway(s3) as other:
        where, answers = create(one), []
        # The first record of a kind says how far it is, the next one saves.
        s3.faults({"match": {"method": "PUT", "path": "/r/[^?]*o$", "nth": 2},
                   "do": "stall", "when": "before", "seconds": SLOWNESS / 2})
        thread = threading.Thread(target=lambda: answers.append(
            append(one, where, 0, b"x" * 2000)))
        thread.start()
        s3.wait_for_fault()
        equal("offset", offset(other, where), 0)
        thread.join()
        equal("status", answers[0].status, 409)
        equal("offset", offset(one, where), 0)
        holds(other, finish(other, where, 0, data), data)


@each({"record": "/r/", "piece": "/t/", "segment": "/s/"})
def test_a_lost_answer_to_this_loses_nothing(what):
    s3, data = shared(), os.urandom(8 * MIB)
    with gateway(s3, **PARTS) as front:
        where = create(front)
        s3.faults({"match": {"method": "PUT", "path": what},
                   "do": "lost-answer"})
        answer = append(front, where, 0, data[:6 * MIB])
        at = offset(front, where)
        equal("status, offset", (answer.status, at), (204, 6 * MIB))
        s3.wait_for_fault()
        holds(front, finish(front, where, at, data), data)


if __name__ == "__main__":
    main()

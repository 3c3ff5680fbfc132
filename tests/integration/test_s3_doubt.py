#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uploads of which nobody heard what became of them, or whose ETag doesn't
tell: the gateway asks the service, says what is so, and leaves nothing."""
from bucket import (BUCKET, DIALECTS, PARTS, Emulator, gateway, noise,
                    seconds, stored)
from kit import (FORM, MIB, SLOWNESS, each, equal, eventually, expect, field,
                 file, form, like, main, md5, request, test)

SMALL, LARGE = noise(200_000), noise(12 * MIB + 1)
ONE = {"server": {"workers": "1"}}
PUT = {"method": "PUT", "query": "^$"}
BEGIN = {"method": "POST", "query": "^uploads"}
COMPLETE = {"method": "POST", "query": "^uploadId"}
SIZES = {"one PUT": (SMALL, PUT), "parts": (LARGE, COMPLETE)}
OPTIONS = {"attempts": "3", "retry_time": seconds(6), **PARTS}


class Place:
    """A gateway over an emulator of its own."""

    def __init__(self, dialect="aws", options=None, more=None, **variants):
        self.s3 = Emulator(dialect, **variants)
        self.s3.create(BUCKET)
        self.running = gateway(self.s3, more={**ONE, **(more or {})},
                               **{**OPTIONS, **(options or {})})
        self.s3.forget()

    def __enter__(self):
        return self

    def __exit__(self, *words):
        try:
            self.running.__exit__(*words)
        finally:
            self.s3.stop()

    def fault(self, match, do, **more):
        self.s3.faults({"match": match, "do": do, "times": 99, **more})

    def upload(self, data):
        body = form(field("prefix", "t"), file(data, "a.txt"))
        return self.running.ask("POST", "/files", FORM, body=body)

    def asked(self):
        """The methods of what went to the bucket."""
        return [one["method"] for one in self.s3.requests()]

    def check(self, answer, data):
        """It is there, whole, and nothing else is."""
        equal("status", answer.status, 201)
        state = self.s3.state(BUCKET)
        equal("keys", list(state["objects"]), [answer.json["key"]])
        equal("uploads", state["uploads"], [])
        self.s3.control("DELETE", "faults")
        expect(self.running.download(answer.json["key"]).body == data,
               "other bytes")

    def check_failed(self, answer, status):
        equal("status", answer.status, status)
        eventually("left behind", lambda: not any(
            self.s3.state(BUCKET)[kind] for kind in ("objects", "uploads")))


# ---- answers that are lost each time

LOST = {"answers lost": {"do": "lost-answer"},
        "500 each time": {"do": "500", "when": "after"},
        "502 each time": {"do": "502 BadGateway", "when": "after"}}


@each({f"{size}, {word}, {plugin}": (*SIZES[size], step, dialect)
       for size in SIZES for word, step in LOST.items()
       for plugin, dialect in DIALECTS.items()})
def test_upload_that_was_done_unheard_succeeds(case):
    data, match, step, dialect = case
    with Place(dialect) as here:
        here.fault(match, **step)
        here.check(here.upload(data), data)


@test
def test_parts_whose_end_fell_silent_but_was_done_succeed():
    with Place("minio", {"attempts": "1", "idle_timeout": seconds(0.5)}
               ) as here:
        here.fault(COMPLETE, "drip", bytes=1, seconds=30)
        here.check(here.upload(LARGE), LARGE)


@each({f"{size}, {plugin}": (*SIZES[size], dialect) for size in SIZES
       for plugin, dialect in DIALECTS.items()})
def test_upload_that_was_spoiled_unheard_is_removed(case):
    data, match, dialect = case
    with Place(dialect) as here:
        here.fault(match, "spoil", lost=True)
        here.check_failed(here.upload(data), 502)


@each({f"{size}, {plugin}": (*SIZES[size], dialect) for size in SIZES
       for plugin, dialect in DIALECTS.items()})
def test_upload_that_was_spoiled_is_removed(case):
    data, match, dialect = case
    with Place(dialect) as here:
        here.fault(match, "spoil")
        here.check_failed(here.upload(data), 502)
        expect("HEAD" in here.asked() or dialect == "b2" or match is PUT,
               "parts were not compared")


@each(SIZES)
def test_upload_that_nobody_can_tell_of_is_removed(case):
    data, match = case
    with Place("ceph", {"conditional_put": "false"}) as here:
        here.fault(match, "lost-answer")
        # The first HEAD asks whether the key is free.
        here.fault({"method": "HEAD", "nth": 2}, "500")
        here.check_failed(here.upload(data), 502)


@test
def test_upload_that_nobody_can_tell_of_is_left_when_it_may_be_anybodys():
    with Place("minio") as here:
        here.fault(PUT, "lost-answer")
        here.fault({"method": "HEAD"}, "500")
        equal("status", here.upload(SMALL).status, 502)
        here.running.says("may be stored all the same")
        expect("DELETE" not in here.asked(), here.asked())


@each({f"{size}, {word}": (*SIZES[size], word == "refused") for size in SIZES
       for word in ("silence", "refused") if (size, word) !=
       ("parts", "refused")})
def test_object_of_somebody_else_is_never_removed(case):
    data, match, refused = case
    with Place("minio", {"attempts": "1", "idle_timeout": seconds(1.5)}
               ) as here:
        step = {"seconds": 0.7} if refused else {}
        here.s3.faults({"match": match, "do": "stall", **step})
        body = form(field("prefix", "t"), file(data, "a.txt"))
        with here.running.wire() as wire:
            wire.send(request("POST", "/files", FORM, body=body))
            here.s3.wait_for_fault()
            line = here.s3.faults_fired()[0]["request"]
            key = line.split()[1].partition("?")[0].split("/", 2)[2]
            equal("theirs", here.s3.client().put(
                BUCKET, key, b"theirs").status, 200)
            equal("status", wire.answer("POST").status, 409)
        equal("theirs", here.s3.client().get(BUCKET, key).body, b"theirs")
        equal("uploads", here.s3.state(BUCKET)["uploads"], [])


@test
def test_upload_that_the_service_refused_is_not_asked_for():
    with Place("minio") as here:
        here.fault(PUT, "403")
        here.check_failed(here.upload(SMALL), 502)
        equal("requests", here.asked(), ["PUT"])


# ---- beginnings that nobody heard of

@each({f"{word}, {plugin}": (step, dialect) for word, step in LOST.items()
       for plugin, dialect in DIALECTS.items()})
def test_beginning_that_nobody_heard_of_is_aborted(case):
    step, dialect = case
    with Place(dialect) as here:
        here.s3.faults({"match": BEGIN, **step})
        here.check(here.upload(LARGE), LARGE)


@each({f"{word}, {plugin}": (step, dialect) for word, step in LOST.items()
       for plugin, dialect in DIALECTS.items()})
def test_beginnings_of_which_none_was_heard_of_are_aborted(case):
    step, dialect = case
    with Place(dialect) as here:
        here.fault(BEGIN, **step)
        here.check_failed(here.upload(LARGE), 502)
        equal("begun", here.asked().count("POST"), 3)


@test
def test_uploads_of_longer_keys_are_left_alone():
    with Place(options={"idle_timeout": seconds(1)}) as here:
        here.s3.faults({"match": BEGIN, "do": "stall"})
        body = form(field("prefix", "t"), file(LARGE, "a.txt"))
        with here.running.wire() as wire:
            wire.send(request("POST", "/files", FORM, body=body))
            here.s3.wait_for_fault()
            line = here.s3.faults_fired()[0]["request"]
            other = line.split()[1].partition("?")[0] + "2"
            theirs = here.s3.client().ask("POST", other + "?uploads")
            equal("theirs", theirs.status, 200)
            answer = wire.answer("POST")
        equal("status", answer.status, 201)
        equal("uploads", [one["key"] for one in
                          here.s3.state(BUCKET)["uploads"]],
              [answer.json["key"] + "2"])


@test
def test_beginnings_that_cannot_be_listed_are_told_in_the_log():
    with Place() as here:
        here.s3.faults({"match": BEGIN, "do": "lost-answer"})
        here.fault({"method": "GET", "query": "uploads"}, "403")
        equal("status", here.upload(LARGE).status, 201)
        here.running.says("unfinished uploads can't be listed")


@test
def test_beginning_that_is_canceled_leaves_no_upload():
    with Place(options={"idle_timeout": "30s"}, more={
            "limits": {"backend_timeout": seconds(0.5)}}) as here:
        here.s3.faults({"match": BEGIN, "do": "drip", "bytes": 1,
                        "seconds": 5 * SLOWNESS})
        equal("status", here.upload(LARGE).status, 504)
        expect(here.s3.state(BUCKET)["uploads"], "it wasn't begun")
        here.running.says("what nobody waits for; it is canceled")
        eventually("no upload", lambda: not
                   here.s3.state(BUCKET)["uploads"])
        equal("objects", here.s3.state(BUCKET)["objects"], {})


@test
def test_one_beginning_is_one_request_on_a_connection_of_its_own():
    with Place() as here:
        for _ in range(2):
            equal("status", here.upload(LARGE).status, 201)
        begun = [one for one in here.s3.requests("POST")
                 if one["target"].endswith("?uploads=")]
        equal("begun", len(begun), 2)
        for one in begun:
            before = [other for other in here.s3.requests()
                      if other["connection"] == one["connection"] and
                      other["time"] < one["time"]]
            equal("requests before on it", before, [])


# ---- ETags that are no MD5s

ENCRYPTED = {"SSE-KMS": "kms", "DSSE-KMS": "dsse", "SSE-C, inferred":
             "customer"}


@each({f"{word}, {size}": (way, *SIZES[size])
       for word, way in ENCRYPTED.items() for size in SIZES})
def test_encrypted_bucket_takes_uploads(case):
    way, data, _ = case
    with Place(encryption=way) as here:
        answer = here.upload(data)
        expect(md5(data) not in stored(here.s3, answer.json["key"])["etag"],
               "the emulator's ETag is an MD5")
        here.check(answer, data)
        here.s3.blameless()


@each(SIZES)
def test_length_in_an_encrypted_bucket_is_checked(case):
    data, match = case
    with Place(encryption="kms") as here:
        here.fault(match, "spoil")
        here.check_failed(here.upload(data), 502)


@each({f"{word}, {size}": (step, *SIZES[size])
       for word, step in LOST.items() for size in SIZES})
def test_upload_to_an_encrypted_bucket_that_was_done_unheard_succeeds(case):
    step, data, match = case
    with Place(encryption="kms") as here:
        here.fault(match, **step)
        here.check(here.upload(data), data)


@each(SIZES)
def test_upload_to_an_encrypted_bucket_that_was_spoiled_unheard(case):
    data, match = case
    with Place(encryption="kms") as here:
        here.fault(match, "spoil", lost=True)
        here.check_failed(here.upload(data), 502)


@each(SIZES)
def test_etag_counts_where_the_service_holds_the_key(case):
    data, match = case
    with Place(encryption="s3") as here:
        here.check(here.upload(data), data)
        before = len(here.asked())
        equal("HEADs", here.asked().count("HEAD"), 0)
        here.running.delete(next(iter(here.s3.state(BUCKET)["objects"])))
        here.fault(match, "spoil")
        here.check_failed(here.upload(data), 502)
        expect(len(here.asked()) > before, "nothing was asked")


@test
def test_parts_are_named_as_the_service_named_them():
    with Place(encryption="kms") as here:
        here.check(here.upload(LARGE), LARGE)
        equal("violations", here.s3.violations(), [])
    with Place("minio") as here:
        equal("HEADs before", here.asked(), [])
        here.check(here.upload(LARGE), LARGE)
        like("etag", next(iter(here.s3.state(BUCKET)["objects"].values()))[
            "etag"], "-3$")


# ---- how many requests

@each({"s3": ("aws", "PUT"), "minio": ("minio", "PUT"), "r2": ("r2", "PUT"),
       "b2": ("b2", "HEAD PUT"), "ceph": ("ceph", "PUT")})
def test_small_upload_takes_so_many_requests(case):
    dialect, want = case
    with Place(dialect) as here:
        equal("status", here.upload(noise(4096)).status, 201)
        equal("requests", " ".join(here.asked()), want)
        here.s3.blameless()


@each({"false": ("minio", "false", "HEAD PUT"), "true": ("b2", "true", "")})
def test_conditional_put_is_an_option(case):
    dialect, value, want = case
    with Place(dialect, {"conditional_put": value}) as here:
        answer = here.upload(noise(4096))
        if want:
            equal("requests", " ".join(here.asked()), want)
        else:
            equal("status", answer.status, 502)
            equal("violations", set(here.s3.violations()), {"B2.condition"})


main()

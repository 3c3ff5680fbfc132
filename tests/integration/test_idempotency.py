#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Idempotency-Key: one upload, however often and wherever its request comes,
whatever is killed or stands still meanwhile."""
import os
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from bucket import BUCKET, DIALECTS, Emulator, gateway as over
from kit import (FORM, MIB, Gateway, among, each, equal, eventually, expect,
                 field, file, form, head, index_of, main, test)

QUICK = {"limits": {"backend_timeout": "1s"}}  # and so are leases
RAW = "/files/uploads?filename=a.bin&prefix=t"
CREATES = ("s3", "minio", "r2", "ceph")


def key(name):
    return f"Idempotency-Key: {name}"


def plain(gateway, name, data=b"hello", *lines, target=RAW):
    return gateway.ask("POST", target, key(name), *lines, body=data)


def posted(gateway, name, data=b"hello"):
    return gateway.ask("POST", "/files", FORM, key(name),
                       body=form(field("prefix", "t"), file(data)))


def first(answer):
    equal("status", answer.status, 201)
    equal("Idempotency-Replayed", answer.header("idempotency-replayed"), None)
    return answer.json


def again(answer, before):
    equal("status", answer.status, 201)
    equal("Idempotency-Replayed", answer.header("idempotency-replayed"),
          "true")
    for word in before:
        if word != "download_url":
            equal(word, answer.json[word], before[word])


def refused(answer, status, code):
    equal("status, code", (answer.status, answer.json["code"]),
          (status, code))


def in_flight(answer):
    refused(answer, 409, "idempotency_in_flight")


def until_made(ask):
    """The answer once the claim of one that died is taken over from."""
    answers = []

    def over_():
        answers.append(ask())
        if answers[-1].status == 201:
            return True
        in_flight(answers[-1])
        return False
    eventually("the upload is made", over_, pause=0.1)
    return answers[-1]


def records(folder):
    with index_of(folder) as index:
        rows = index.execute(
            "SELECT count(*) FROM object "
            "WHERE CAST(key AS TEXT) LIKE '.sluice/once/%'")
        return rows.fetchone()[0]


class Half:
    """A request that lacks its last byte, and has its claim: else its body
    wouldn't be asked for."""

    def __init__(self, gateway, name, data=b"hello"):
        self.data = data
        self.wire = gateway.wire()
        self.wire.send(head("POST", RAW, key(name), "Expect: 100-continue",
                            f"Content-Length: {len(data)}"))
        equal("interim answer", self.wire.line(), "HTTP/1.1 100 Continue")
        equal("its end", self.wire.line(), "")
        self.wire.send(data[:-1])

    def finish(self):
        self.wire.send(self.data[-1:])
        return self.wire.answer()


# ---- what is remembered -----------------------------------------------------

@each({"form": posted, "raw": plain})
def test_it_is_remembered_after_restart_sigkill_and_deletion(send):
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            made = first(send(gateway, "k"))
        gateway = Gateway(folder=folder)
        again(send(gateway, "k"), made)
        gateway.kill()
        with Gateway(folder=folder) as gateway:
            again(send(gateway, "k"), made)
            gateway.delete(made["key"])
            again(send(gateway, "k"), made)
            equal("keys", gateway.keys(), [])
            refused(send(gateway, "k", b"other"), 422,
                    "idempotency_mismatch")
            equal("records", records(folder), 1)


@test
def test_it_is_compared_by_name_prefix_type_and_bytes():
    with Gateway() as gateway:
        made = first(plain(gateway, "k", b"hello", "Content-Type: a/b"))
        for target, line, data in (
                ("/files/uploads?filename=b.bin&prefix=t", "Content-Type: a/b",
                 b"hello"),
                ("/files/uploads?filename=a.bin&prefix=u", "Content-Type: a/b",
                 b"hello"),
                (RAW, "Content-Type: a/c", b"hello"),
                (RAW, "Content-Type: a/b", b"jello"),
                (RAW, "Content-Type: a/b", b"")):
            refused(plain(gateway, "k", data, line, target=target), 422,
                    "idempotency_mismatch")
        again(plain(gateway, '"k"', b"hello", "Content-Type: a/b"), made)
        equal("keys", gateway.keys(), [made["key"]])


@each({f"{size} bytes": size for size in
       (0, 1, 16384, 131072, 131073, 5 * MIB)})
def test_content_of_any_size_is_compared(size):
    data = os.urandom(size)
    with Gateway() as gateway:
        for send in plain, posted:
            made = first(send(gateway, "k", data))
            again(send(gateway, "k", data), made)
            refused(send(gateway, "k", data + b"x"), 422,
                    "idempotency_mismatch")


@test
def test_the_digest_that_was_kept_is_told_again():
    with Gateway() as gateway:
        made = first(plain(gateway, "k", b"x", "Want-Repr-Digest: sha-256=1"))
        expect("sha256" in made, "sha256 in the first")
        again(plain(gateway, "k", b"x"), made)
        made = first(plain(gateway, "l", b"x"))
        answer = plain(gateway, "l", b"x", "Want-Repr-Digest: sha-256=1")
        again(answer, made)
        expect("sha256" not in answer.json, "no sha256, as before")


@test
def test_it_expires_and_is_swept():
    short = {"uploads": {"idempotency_expires": "1s"}}
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(short, folder=folder) as gateway:
            made = first(plain(gateway, "k"))

            def is_anew():
                answer = plain(gateway, "k")
                equal("status", answer.status, 201)
                return answer.json["key"] != made["key"]
            eventually("it is forgotten", is_anew, pause=0.2)
            eventually("its record is swept", lambda: records(folder) == 0,
                       pause=0.2)


@test
def test_other_requests_do_not_look_at_it():
    with Gateway() as gateway:
        bad = key("x" * 256)
        for answer in (gateway.ask("PUT", "/files/object?key=k", bad,
                                   body=b"x"),
                       plain(gateway, "x" * 256, b"x",
                             "Upload-Complete: ?1")):
            equal("status", answer.status, 201)
        refused(plain(gateway, "x" * 256), 400, "bad_idempotency_key")
        refused(plain(gateway, "a", b"x", key("b")), 400,
                "bad_idempotency_key")


# ---- what is under way ------------------------------------------------------

@test
def test_a_claim_is_renewed_as_long_as_its_upload_runs():
    with Gateway(QUICK) as gateway:
        half = Half(gateway, "k")
        end = time.monotonic() + 3
        while time.monotonic() < end:
            in_flight(plain(gateway, "k"))
        made = first(half.finish())
        again(plain(gateway, "k"), made)


@test
def test_a_client_that_left_gives_it_back():
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            half = Half(gateway, "k")
            half.wire.reset()
            first(until_made(lambda: plain(gateway, "k", b"other")))
            half = Half(gateway, "l")
            half.wire.reset()
            eventually("the record is gone", lambda: records(folder) == 1)


@test
def test_a_renewal_that_never_ends_lets_nobody_wait_for_ever():
    with Emulator("aws") as s3, over(s3, more=QUICK,
                                     idle_timeout="60s") as gateway:
        half = Half(gateway, "k")
        s3.faults({"match": {"method": "PUT", "path": "once/"},
                   "do": "stall"})
        s3.wait_for_fault()
        equal("status", half.finish().status, 504)


@each({"the same": b"hello", "another": b"other"})
def test_a_gateway_that_was_killed_is_taken_over_from(data):
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(QUICK, folder=folder)
        Half(gateway, "k")
        gateway.kill()
        with Gateway(QUICK, folder=folder) as gateway:
            made = first(until_made(lambda: plain(gateway, "k", data)))
            again(plain(gateway, "k", data), made)
            equal("keys", gateway.keys(), [made["key"]])


@test
def test_of_many_at_once_one_is_made():
    with Gateway() as gateway, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: plain(gateway, "k"), range(64)))
        for answer in answers:
            among("status", answer.status, (201, 409))
        equal("firsts", sum(
            answer.status == 201 and
            answer.header("idempotency-replayed") is None
            for answer in answers), 1)
        equal("keys", len(gateway.keys()), 1)


# ---- storages ---------------------------------------------------------------

class Place:
    """Two gateways over one bucket."""

    def __init__(self, plugin, more=None, slow=False, **options):
        lenient = plugin == "r2" and not slow
        self.s3 = Emulator(DIALECTS[plugin],
                           without=["R2.write-rate"] if lenient else [])
        self.s3.create(BUCKET)
        self.both = [over(self.s3, more=more, **options) for _ in range(2)]

    def __enter__(self):
        return self.both

    def __exit__(self, *words):
        try:
            for one in self.both:
                one.__exit__(*words)
        finally:
            self.s3.stop()


@each({plugin: plugin for plugin in CREATES})
def test_gateways_of_one_bucket_know_of_each_other(plugin):
    with Place(plugin) as (one, other):
        made = first(plain(one, "k"))
        again(plain(other, "k"), made)
        refused(plain(other, "k", b"other"), 422, "idempotency_mismatch")
        half = Half(one, "l")
        in_flight(plain(other, "l"))
        made = first(half.finish())
        again(plain(other, "l"), made)
        equal("keys", len(other.keys()), 2)


@test
def test_one_write_a_second_of_a_key_is_enough():
    with Place("r2", slow=True) as (one, other):
        made = first(plain(one, "k"))
        again(plain(other, "k"), made)


@each({"b2": ("b2", {}), "without": ("s3", {"conditional_put": "false"})})
def test_storages_without_conditions_say_501(case):
    plugin, options = case
    with Place(plugin, **options) as (gateway, _):
        refused(plain(gateway, "k"), 501, "not_implemented")
        equal("status", gateway.ask("POST", RAW, body=b"x").status, 201)


@each({f"{word} over {plugin}": (plugin, data)
       for plugin in ("s3", "ceph")
       for word, data in (("the same", b"hello"), ("another", b"other"))})
def test_a_gateway_that_stood_still_makes_no_second_object(case):
    """Another one took over meanwhile, and has told its client."""
    plugin, data = case
    with Place(plugin, QUICK) as (one, other):
        half = Half(one, "k")
        os.kill(one.pid, signal.SIGSTOP)
        try:
            made = first(until_made(lambda: plain(other, "k", data)))
        finally:
            os.kill(one.pid, signal.SIGCONT)
        among("status", half.finish().status, (201, 409, 422))
        again(plain(one, "k", data), made)
        equal("keys", other.keys(), [made["key"]])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uploads over S3 with uploads.early_parts: a part is at the service while
the client still sends, there is no file of the spool, and what doesn't come to
its end leaves nothing."""
from bucket import (BUCKET, DIALECTS, PARTS, backend, gateway, noise, shared,
                    stored)
from kit import (FORM, MIB, PLUGINS, Gateway, built, chunked, each, equal,
                 eventually, expect, field, file, form, head, hook_source,
                 main, md5, test)

EVERY = dict(DIALECTS)
DATA = noise(12 * MIB + 12345)
HALF = 11 * MIB
QUICK = {"attempts": "2", "spool_keep": "0", **PARTS}
RAW = "/files/uploads?filename=a.bin&prefix=t"


def early(s3, uploads=None, more=None, **options):
    words = {"early_parts": "true", "expire_max": "0", **(uploads or {})}
    return gateway(s3, more={"uploads": words, **(more or {})},
                   **{**QUICK, **options})


def begun(s3):
    return s3.state(BUCKET)["uploads"]


def parts(s3):
    return sum(len(upload["parts"]) for upload in begun(s3))


def spools(running):
    return [name for name in running.descriptors() if "(deleted)" in name]


def by_form(*before):
    whole = form(*before, file(DATA, "a.bin"))
    return ("POST", "/files", [FORM, f"Content-Length: {len(whole)}"], whole)


def raw(method="POST", target=RAW, lines=()):
    return (method, target, [f"Content-Length: {len(DATA)}", *lines], DATA)


WAYS = {
    "plain": lambda: raw(),
    "in chunks": lambda: ("POST", RAW, ["Transfer-Encoding: chunked"],
                          chunked(DATA)),
    "form": lambda: by_form(field("prefix", "t")),
    "by name": lambda: raw("PUT", "/files/object?key=t/named.bin"),
}
# These wait in the spool, as what goes to the service first isn't known.
LATE = {
    "a form without a prefix": lambda: by_form(),
    "a form whose prefix follows": lambda: (
        "POST", "/files", [FORM, f"Content-Length: {len(LATER)}"], LATER),
    "a digest that is kept": lambda: raw(
        lines=["Want-Repr-Digest: sha-256=1"]),
    "an Idempotency-Key": lambda: raw(lines=["Idempotency-Key: once"]),
}
LATER = form(file(DATA, "a.bin"), field("prefix", "t"))


def start(wire, way):
    """Sends the greater part of it; the rest."""
    method, target, lines, body = way
    wire.send(head(method, target, *lines))
    wire.send(body[:HALF])
    return body[HALF:]


def stays_away(s3, running):
    """Nothing is left at the service, nor on disk."""
    eventually("uploads that are left", lambda: begun(s3) == [])
    eventually("files that are left", lambda: spools(running) == [])


def goes_early(s3, running, way):
    with running.wire() as wire:
        rest = start(wire, way)
        eventually("parts before the end", lambda: parts(s3) >= 1)
        equal("files of the spool", spools(running), [])
        wire.send(rest)
        answer = wire.answer()
    equal("status, md5", (answer.status, answer.json.get("md5")),
          (201, md5(DATA)))
    there = stored(s3, answer.json["key"])
    equal("size", there["size"], len(DATA))
    got = running.download(answer.json["key"])
    expect(got.body == DATA, "other bytes came back")
    stays_away(s3, running)


@each({f"{way}, {dialect}": (way, dialect) for way in WAYS
       for dialect in EVERY if way == "plain" or dialect == "r2"})
def test_parts_go_while_the_next_comes_in(case):
    way, dialect = case
    s3 = shared(DIALECTS[dialect])
    with early(s3) as running:
        goes_early(s3, running, WAYS[way]())
    s3.blameless()


@test
def test_layer_that_hands_a_put_on_later_keeps_what_it_was_told():
    s3 = shared("minio")
    with Gateway({
            "backends": {"main": backend(s3, **QUICK),
                         "calm": {"plugin": "throttle", "over": "main",
                                  "concurrent": "1"}},
            "routes": [{"mount": "/files", "backend": "calm"}],
            "uploads": {"early_parts": "true"}}) as running:
        with running.wire() as first, running.wire() as second:
            rest = start(first, raw())
            eventually("parts before the end", lambda: parts(s3) >= 1)
            second.send(head("POST", RAW, f"Content-Length: {len(DATA)}"))
            second.send(DATA[:MIB])
            first.send(rest)
            equal("status", first.answer().status, 201)
            second.send(DATA[MIB:])
            answer = second.answer()
        equal("status, md5", (answer.status, answer.json.get("md5")),
              (201, md5(DATA)))
        equal("type", running.download(answer.json["key"]).header(
            "content-type"), "application/octet-stream")
        stays_away(s3, running)


@test
def test_two_parts_are_on_their_way_at_most():
    s3 = shared("minio")
    s3.faults({"match": {"query": "partNumber="}, "do": "stall",
               "seconds": 0.3, "times": 9})
    with early(s3) as running, running.wire() as wire:
        rest = start(wire, raw())
        s3.wait_for_fault(2)
        wire.send(rest)
        equal("status", wire.answer().status, 201)
        equal("parts", len([one for one in s3.requests("PUT")
                            if "partNumber" in one["target"]]), 3)


@each(LATE)
def test_what_is_not_known_waits_in_the_spool(way):
    s3 = shared("minio")
    with early(s3) as running, running.wire() as wire:
        rest = start(wire, way())
        eventually("a file", lambda: spools(running) != [])
        equal("uploads that began", begun(s3), [])
        wire.send(rest)
        equal("status", wire.answer().status, 201)
        stays_away(s3, running)


@test
def test_a_form_may_say_behind_its_file_when_its_object_ends():
    s3 = shared("minio")
    whole = form(field("prefix", "t"), file(DATA, "a.bin"),
                 field("expire_after", "100"))
    way = ("POST", "/files", [FORM, f"Content-Length: {len(whole)}"], whole)
    with early(s3, {"expire_max": "1h"}) as running, running.wire() as wire:
        rest = start(wire, way)
        eventually("a file", lambda: spools(running) != [])
        wire.send(rest)
        answer = wire.answer()
        equal("status", answer.status, 201)
        expect("sluice-expires" in str(stored(s3, answer.json["key"])),
               "the object has its end")


@test
def test_it_is_off_unless_asked_for():
    s3 = shared("minio")
    with gateway(s3, **QUICK) as running, running.wire() as wire:
        rest = start(wire, raw())
        eventually("a file", lambda: spools(running) != [])
        equal("uploads that began", begun(s3), [])
        wire.send(rest)
        equal("status", wire.answer().status, 201)


@test
def test_less_than_a_part_is_one_put_with_all_metadata():
    s3 = shared("minio")
    with early(s3, part_size="8MiB", multipart_threshold="8MiB") as running:
        for size, puts in (8 * MIB, 1), (8 * MIB + 1, 2):
            s3.forget()
            data = DATA[:size]
            answer = running.ask("POST", RAW, body=data)
            equal("status, md5", (answer.status, answer.json["md5"]),
                  (201, md5(data)))
            equal("requests with bytes", len(s3.requests("PUT")), puts)
            kept = stored(s3, answer.json["key"])["metadata"]
            equal("md5 is kept", "md5" in str(kept), puts == 1)
            expect("a.bin" in str(kept), kept)


@each(WAYS)
def test_a_client_that_leaves_leaves_nothing(way):
    s3 = shared("minio")
    before = set(s3.state(BUCKET)["objects"])
    with early(s3) as running:
        with running.wire() as wire:
            start(wire, way())
            eventually("parts before the end", lambda: parts(s3) >= 1)
            wire.reset()
            stays_away(s3, running)
        equal("objects", set(s3.state(BUCKET)["objects"]), before)


FAULTS = {
    "a beginning": ("^uploads", {"do": "403"}, 502),
    "a part": ("partNumber=2", {"do": "500", "times": 9}, 502),
    "a part that is spoiled": ("partNumber=1", {"do": "corrupt", "at": 99},
                               201),
    "the end": ("^uploadId", {"do": "403"}, 502),
    "the end's answer": ("^uploadId", {"do": "lost-answer"}, 201),
    "a full bucket": ("partNumber=1", {"do": "507 InsufficientStorage",
                                       "times": 9}, 507),
}


@each(FAULTS)
def test_a_storage_that_fails_leaves_nothing(fault):
    s3 = shared("minio")
    before = set(s3.state(BUCKET)["objects"])
    query, how, status = fault
    with early(s3) as running:
        s3.faults({"match": {"query": query}, **how})
        with running.wire() as wire:
            wire.send(head("POST", RAW, f"Content-Length: {len(DATA)}"))
            wire.flood(DATA, len(DATA))
            answer = wire.answer()
        equal("status", answer.status, status)
        expect(s3.faults_fired(), "no fault")
        stays_away(s3, running)
        new = set(s3.state(BUCKET)["objects"]) - before
        equal("objects", len(new), int(status == 201))


@each({"at it": (0, 201), "one past it": (1, 413)})
def test_the_limit_of_a_body_of_unknown_length(case):
    over, status = case
    s3 = shared("minio")
    data = DATA + bytes(over)
    with early(s3, {"max_bytes": f"{len(DATA)}B"}) as running:
        with running.wire() as wire:
            wire.send(head("POST", RAW, "Transfer-Encoding: chunked"))
            body = chunked(data)
            wire.flood(body, len(body))
            equal("status", wire.answer().status, status)
        stays_away(s3, running)


@each({"minio": ("minio", True), "ceph": ("ceph", False)})
def test_a_condition_is_decided_at_the_end(case):
    """Where the end of parts knows none, all of it is one PUT."""
    dialect, goes = case
    s3 = shared(dialect)
    with early(s3) as running, running.wire() as wire:
        way = raw("PUT", "/files/object?key=t/new.bin", ["If-None-Match: *"])
        rest = start(wire, way)
        if goes:
            eventually("parts before the end", lambda: parts(s3) >= 1)
        else:
            eventually("a file", lambda: spools(running) != [])
        equal("another one", running.ask(
            "PUT", "/files/object?key=t/new.bin", "If-None-Match: *",
            body=b"first").status, 201)
        wire.send(rest)
        equal("status", wire.answer().status, 412)
        equal("the first", running.download("t/new.bin").body, b"first")
        stays_away(s3, running)


@test
def test_without_memory_parts_wait_in_files_and_go_early_all_the_same():
    s3 = shared("minio")
    with early(s3, more={"limits": {"memory": "3MiB"}}) as running:
        with running.wire() as wire:
            rest = start(wire, raw())
            eventually("parts before the end", lambda: parts(s3) >= 1)
            wire.send(rest)
            answer = wire.answer()
        equal("status, md5", (answer.status, answer.json.get("md5")),
              (201, md5(DATA)))
        stays_away(s3, running)


@each({way: WAYS[way] for way in ("plain", "form")})
def test_hooks_are_asked_before_any_byte_goes(way):
    s3 = shared("minio")
    with early(s3) as first:
        folder = first.folder
        built(folder, "judge", hook_source(
            "judge", ask="return SLUICE_DENY;").replace("on_request =",
                                                        "on_key ="))
        more = {"plugin_path": [*PLUGINS, str(folder)],
                "hooks": [{"plugin": "judge"}]}
        with early(s3, more=more) as running, running.wire() as wire:
            method, target, lines, body = way()
            wire.send(head(method, target, *lines))
            wire.flood(body, len(body))
            equal("status", wire.answer().status, 403)
            equal("uploads that began", [
                one for one in s3.requests("POST")], [])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An object by its name: PUT, GET, HEAD and DELETE of /files/object, with
conditions that are decided together with the change."""
import os
import random
import tempfile
import time

from kit import (KIB, MIB, Gateway, among, chunked, denying, each, equal,
                 expect, head, like, main, md5, request, test)
from objectskit import (BAD_KEYS, STALL, WITNESS, get, is_there, put,
                        together, url, witnessed)

# ---- one object -------------------------------------------------------------

KEYS = ["a", "a/b.txt", "über/ß.txt", "a b/+&=?#%.txt", "x" * 1024,
        "d/" + "😀" * 255]


@test
def test_put_stores_and_answers_as_an_upload():
    with Gateway() as gateway:
        for key in KEYS:
            data = os.urandom(3000)
            answer = put(gateway, key, data, "Content-Type: text/css")
            said = answer.json
            equal("status", answer.status, 201)
            equal("JSON", (said["key"], said["size_bytes"], said["md5"],
                           said["etag"], said["content_type"]),
                  (key, 3000, md5(data), md5(data), "text/css"))
            equal("filename", said["filename"], key.split("/")[-1])
            equal("ETag", answer.header("etag"), f'"{md5(data)}"')
            like("Location", answer.header("location"), "/files/object.key=")
            got = is_there(gateway, key, data)
            equal("type", got.header("content-type"), "text/css")
            answer = put(gateway, key, b"2")
            equal("status", (answer.status, answer.header("location")),
                  (200, None))
            is_there(gateway, key, b"2")
            length = get(gateway, key, method="HEAD").header("content-length")
            equal("length", length, "1")
            answer = gateway.ask("DELETE", url(key))
            equal("delete", (answer.status, answer.json),
                  (200, {"deleted": key}))
            equal("status", get(gateway, key).status, 404)
            equal("once more", gateway.ask("DELETE", url(key)).status, 200)


@each({"none": 0, "one": 1, "inline limit": 64 * KIB,
       "one more": 64 * KIB + 1, "a chunk": 128 * KIB,
       "large": 3 * MIB + 7})
def test_bytes_come_back_by_length_and_in_chunks(size):
    data = random.Random(size).randbytes(size)
    with Gateway() as gateway:
        equal("status", put(gateway, "a", data).status, 201)
        is_there(gateway, "a", data)
        with gateway.wire() as wire:
            wire.send(head("PUT", url("b"), "Transfer-Encoding: chunked") +
                      chunked(data, 7000))
            equal("in chunks", wire.answer().status, 201)
        is_there(gateway, "b", data)
        part = get(gateway, "b", "Range: bytes=0-0").status
        equal("range", part, 206 if size else 416)


@test
def test_a_name_is_kept_only_where_the_request_gives_one():
    with Gateway() as gateway:
        name = 'Content-Disposition: attachment; filename="Plan B.txt"'
        said = put(gateway, "a/b.bin", b"x", name).json
        equal("name", (said["filename"], said["content_type"]),
              ("Plan B.txt", "text/plain"))
        like("shown", get(gateway, "a/b.bin").header("content-disposition"),
             "Plan B.txt")
        put(gateway, "a/b.bin", b"y")
        like("shown", get(gateway, "a/b.bin").header("content-disposition"),
             r"b\.bin")


# ---- refusals and their order -----------------------------------------------

REFUSED = {
    "no key": ("/files/object", [], b"x", 400, "missing_key"),
    "empty key": ("/files/object?key=", [], b"x", 400, "missing_key"),
    "key twice": ("/files/object?key=a&key=b", [], b"x", 400, "bad_key"),
    **{word: (url(key), [], b"x", 400, "bad_key")
       for word, key in BAD_KEYS.items()},
    "part": (url("a"), ["Content-Range: bytes 0-0/2"], b"x", 400,
             "bad_request"),
    "condition": (url("a"), ["If-Match: x"], b"x", 400, "bad_request"),
    "condition of nothing": (url("a"), ["If-None-Match: ,"], b"x", 400,
                             "bad_request"),
    "star in a list": (url("a"), ['If-Match: "x", *'], b"x", 400,
                       "bad_request"),
    "time": (url("a"), ["If-Unmodified-Since: Mon, 30 Nov 2026 00:00:00 GMT"],
             b"x", 501, "not_implemented"),
    "no length": (url("a"), [], None, 411, "length_required"),
    "coded": (url("a"), ["Content-Encoding: gzip"], b"x", 415,
              "unsupported_media_type"),
    "too large": (url("a"), ["Content-Length: 1025"], None, 413,
                  "too_large")}


@each(REFUSED)
def test_refusal_stores_nothing(case):
    target, lines, body, status, code = case
    with Gateway({"uploads": {"max_bytes": "1KiB"}}) as gateway:
        answer = gateway.ask("PUT", target, *lines, body=body)
        equal("refusal", (answer.status, answer.json["code"]), (status, code))
        equal("keys", gateway.keys(""), [])


@test
def test_the_limit_is_stored_and_one_byte_more_is_not():
    with Gateway({"uploads": {"max_bytes": "1KiB"}}) as gateway:
        for framing in ([], ["Transfer-Encoding: chunked"]):
            for size, status in ((1024, (200, 201)), (1025, (413,))):
                data = b"x" * size
                with gateway.wire() as wire:
                    wire.send(head("PUT", url("a"), *framing) + chunked(data)
                              if framing else
                              request("PUT", url("a"), body=data))
                    among("status", wire.answer().status, status)
        is_there(gateway, "a", b"x" * 1024)


@test
def test_refusals_come_in_their_order():
    """The head's faults, hooks, what isn't offered, conditions, the body."""
    faults = ["Content-Encoding: gzip", 'If-Match: "none"', "If-Match: x"]
    with tempfile.TemporaryDirectory() as folder, \
            Gateway({**denying(folder), "uploads": {"max_bytes": "1KiB"}}) \
            as gateway:
        equal("hooks", put(gateway, "a", b"x" * 1025, *faults[:2]).status, 401)
    with Gateway({"uploads": {"max_bytes": "1KiB"}}) as gateway:
        for lines, status in ((faults[2:] + faults[:1], 400),
                              (faults[:2], 412), (faults[:1], 415), ([], 413)):
            answer = put(gateway, "a", b"x" * 1025, *lines)
            equal(f"status with {lines}", answer.status, status)
        create = "If-None-Match: *"
        equal("new, too large", put(gateway, "a", b"x" * 1025, create).status,
              413)
        put(gateway, "a", b"old")
        equal("there, too large",
              put(gateway, "a", b"x" * 1025, create).status, 412)
        equal("there, encoded",
              put(gateway, "a", b"x", create, faults[0]).status, 412)


@test
def test_refusal_comes_before_the_body_is_sent():
    with Gateway({"uploads": {"max_bytes": "1KiB"}}) as gateway:
        put(gateway, "a", b"old")
        nine = "Content-Length: 9"
        for lines, status in ((["Content-Length: 1025"], 413),
                              ([nine, 'If-Match: "x"'], 412),
                              ([nine, "If-None-Match: *"], 412)):
            with gateway.wire() as wire:
                wire.send(head("PUT", url("a"), *lines,
                               "Expect: 100-continue"))
                equal("status", wire.head().status, status)


# ---- conditions -------------------------------------------------------------

TAG = f'"{md5(b"old")}"'
CONDITIONS = {  # lines: whether it holds with "old" there, with nothing there
    "none match any": (["If-None-Match: *"], False, True),
    "match any": (["If-Match: *"], True, False),
    "match it": ([f"If-Match: {TAG}"], True, False),
    "match another": (['If-Match: "x"'], False, False),
    "match one of": ([f'If-Match: "x", {TAG}'], True, False),
    "match on two lines": (['If-Match: "x"', f"If-Match: {TAG}"], True,
                           False),
    "match weakly": ([f"If-Match: W/{TAG}"], False, False),
    "none match it": ([f"If-None-Match: {TAG}"], False, True),
    "none match weakly": ([f"If-None-Match: W/{TAG}"], False, True),
    "none match another": (['If-None-Match: "x"'], True, True),
    "both": ([f"If-Match: {TAG}", 'If-None-Match: "x"'], True, False),
    "both, against each other": ([f"If-Match: {TAG}", "If-None-Match: *"],
                                 False, False),
    "odd lists": ([f'If-Match: ,, "x" ,{TAG},'], True, False)}


@each(CONDITIONS)
def test_condition_of_a_put(case):
    lines, there, absent = case
    with Gateway() as gateway:
        answer = put(gateway, "a", b"new", *lines)
        equal("where nothing is", answer.status, 201 if absent else 412)
        put(gateway, "a", b"old")
        answer = put(gateway, "a", b"new", *lines)
        equal("where it is", answer.status, 200 if there else 412)
        is_there(gateway, "a", b"new" if there else b"old")
        if not there:
            equal("code", answer.json["code"], "precondition_failed")


@each(CONDITIONS)
def test_condition_of_a_delete(case):
    lines, there, absent = case
    with Gateway() as gateway:
        answer = gateway.ask("DELETE", url("a"), *lines)
        equal("where nothing is", answer.status, 200 if absent else 412)
        put(gateway, "a", b"old")
        answer = gateway.ask("DELETE", url("a"), *lines)
        equal("where it is", answer.status, 200 if there else 412)
        equal("left", get(gateway, "a").status, 404 if there else 200)


@test
def test_conditional_delete_looks_at_no_key_that_climbs():
    with Gateway() as gateway:
        for key in ("a/../b", ".", "../x"):
            answer = gateway.ask("DELETE", url(key), 'If-Match: "x"')
            equal("refusal", (answer.status, answer.json["code"]),
                  (400, "bad_key"))


@test
def test_of_two_hundred_creations_one_wins():
    with Gateway({"server": {"workers": "4"},
                  "limits": {"connections": "600"}}) as gateway:
        for key, size in ((("a", 10), ("b", 300000))):
            got = together(200, lambda n, key=key, size=size: put(
                gateway, key, b"%03d" % n * size, "If-None-Match: *").status)
            equal("statuses", sorted(map(str, got)),
                  ["201"] + ["412"] * 199)
            winner = got.index(201)
            is_there(gateway, key, b"%03d" % winner * size)


@test
def test_of_fifty_replacements_of_one_etag_one_wins():
    with Gateway({"server": {"workers": "4"}}) as gateway:
        put(gateway, "a", b"old")
        got = together(50, lambda n: put(gateway, "a", b"%03d" % n,
                                         f"If-Match: {TAG}").status)
        equal("statuses", sorted(map(str, got)), ["200"] + ["412"] * 49)
        is_there(gateway, "a", b"%03d" % got.index(200))


@test
def test_of_deletes_and_replacements_of_one_etag_one_wins():
    with Gateway({"server": {"workers": "4"}}) as gateway:
        for _ in range(10):
            put(gateway, "a", b"old")
            got = together(16, lambda n: put(
                gateway, "a", b"new", f"If-Match: {TAG}").status if n % 2
                else gateway.ask("DELETE", url("a"),
                                 f"If-Match: {TAG}").status)
            equal("statuses", sorted(map(str, got)), ["200"] + ["412"] * 15)
            equal("left", get(gateway, "a").status,
                  200 if got.index(200) % 2 else 404)


SECONDS = float(os.environ.get("SLUICE_SECONDS", "2"))


@test
def test_readers_see_whole_versions_whose_etag_fits():
    """SLUICE_SECONDS: for how long."""
    until = time.monotonic() + SECONDS
    sizes = (1000, 70000, 300000)

    def write(number):
        source, count = random.Random(number), 0
        with gateway.wire() as wire:
            while time.monotonic() < until:
                data = source.randbytes(source.choice(sizes))
                answer = wire.ask("PUT", url("a"), body=data)
                among("status of a PUT", answer.status, (200, 201))
                equal("its ETag", answer.header("etag"), f'"{md5(data)}"')
                count += 1
        return count

    def read(_):
        count = 0
        with gateway.wire() as wire:
            while time.monotonic() < until:
                answer = wire.ask("GET", url("a"))
                equal("status of a GET", answer.status, 200)
                equal("its ETag", answer.header("etag"),
                      f'"{md5(answer.body)}"')
                count += 1
        return count

    with Gateway({"server": {"workers": "4"},
                  "limits": {"connections": "600"}}) as gateway:
        put(gateway, "a", b"first")
        got = together(128, lambda n: write(n) if n < 64 else read(n))
        for one in got:
            if isinstance(one, Exception):
                raise one
        expect(min(got[:64]) > 0 and min(got[64:]) > 0, f"nobody came: {got}")


@test
def test_a_download_that_has_begun_goes_on_with_its_object():
    data = os.urandom(16 * MIB)
    with Gateway() as gateway:
        put(gateway, "a", data)
        with gateway.wire(buffer=4096) as wire:
            wire.send(request("GET", url("a")))
            size = int(wire.head().header("content-length"))
            put(gateway, "a", b"new")
            gateway.ask("DELETE", url("a"))
            equal("digest", wire.digest(size), md5(data))


# ---- clients that leave -----------------------------------------------------

def left(gateway, base):
    gateway.settles(base)
    equal("keys", gateway.keys("gone"), [])


@test
def test_client_that_leaves_before_its_body_is_over_stores_nothing():
    with Gateway() as gateway:
        put(gateway, "warm", b"x" * 300000)
        base = gateway.quiet()
        for sent in (0, 1, 70000, 299999):
            for way in ("reset", "close", "finish"):
                with gateway.wire() as wire:
                    wire.send(head("PUT", url("gone"),
                                   "Content-Length: 300000") + b"x" * sent)
                    getattr(wire, way)()
                    if way == "finish":
                        equal("status", wire.answer().status, 400)
        left(gateway, base)


@test
def test_chunks_that_are_none_store_nothing():
    with Gateway() as gateway:
        for body in (b"5\r\nhello", b"xyz\r\n", b"5\r\nhellox\r\n0\r\n\r\n"):
            with gateway.wire() as wire:
                wire.send(head("PUT", url("gone"),
                               "Transfer-Encoding: chunked") + body)
                wire.finish()
                equal("status", wire.answer().status, 400)
        equal("keys", gateway.keys("gone"), [])


@test
def test_client_that_leaves_after_its_body_is_told_of_all_the_same():
    with Gateway(WITNESS) as gateway:
        with gateway.wire() as wire:
            wire.send(request("PUT", url("kept"), body=b"x" * 300000))
            wire.reset()
        gateway.alive()
        # It may have been gone before the last byte was read.
        if gateway.keys("kept"):
            equal("told", witnessed(gateway, "change", "kept"),
                  [("replace", "kept")])


# ---- hooks ------------------------------------------------------------------

@each({"replace": ([], "replace"), "create": (["If-None-Match: *"], "upload"),
       "match": (['If-None-Match: "x"'], "replace")})
def test_hooks_are_asked_and_told_of_a_put(case):
    lines, operation = case
    with Gateway(WITNESS) as gateway:
        equal("status", put(gateway, "a/b", b"x", *lines).status, 201)
        equal("log", witnessed(gateway, "log", "-"), [(operation, "-")])
        equal("request", witnessed(gateway, "request", "-"),
              [(operation, "-")])
        expect({(operation, "a/b")} ==
               set(witnessed(gateway, "key", "a/b")), "another key")
        equal("change", witnessed(gateway, "change", "a/b"),
              [(operation, "a/b")])


# ---- a backend that can't ---------------------------------------------------

@test
def test_backend_without_abilities_takes_a_put_without_conditions():
    with Gateway(STALL) as gateway:
        answer = put(gateway, "a", b"one")
        equal("status", (answer.status, answer.header("etag")),
              (201, f'"{md5(b"one")}"'))
        answer = put(gateway, "a", b"two")
        equal("status", (answer.status, answer.header("etag")),
              (200, f'"{md5(b"two")}"'))
        is_there(gateway, "a", b"two")
        for line in ("If-None-Match: *", "If-Match: *", 'If-Match: "x"',
                     'If-None-Match: "x"', "If-Match: no tag"):
            for method in ("PUT", "DELETE"):
                answer = gateway.ask(
                    method, url("a"), line,
                    body=b"x" if method == "PUT" else None)
                equal("refusal", (answer.status, answer.json["code"]),
                      (501, "not_implemented"))
        is_there(gateway, "a", b"two")
        equal("status", gateway.ask("DELETE", url("a")).status, 200)
        equal("status", get(gateway, "a").status, 404)


CLAIMS = {**STALL, "backends": {"stall": {"plugin": "stall",
                                           "claims": "true"}}}


@test
def test_backend_that_claims_what_it_has_no_entry_for_is_not_asked():
    with Gateway(CLAIMS) as gateway:
        gateway.says(r"says that it can what it has no entry for")
        put(gateway, "a", b"one")
        answers = [gateway.ask("DELETE", url("a"), "If-Match: *"),
                   gateway.json("POST", "/files/copy",
                                {"from": "a", "to": "b"})]
        for answer in answers:
            equal("refusal", (answer.status, answer.json["code"]),
                  (501, "not_implemented"))
        is_there(gateway, "a", b"one")


if __name__ == "__main__":
    main()

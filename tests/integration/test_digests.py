#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Digests of what is uploaded (RFC 9530): checked before anything is there,
kept with the object, and gone on with after SIGKILL."""
import base64
import hashlib
import os
import tempfile

from bucket import BUCKET, DIALECTS, PARTS, Emulator, gateway as over
from kit import (FORM, KIB, MIB, Gateway, among, chunked, each, equal, expect,
                 field, file, form, head, main, test)

PARTIAL = "Content-Type: application/partial-upload"
WANT = "Want-Repr-Digest: sha-256=1"


def said(name, data, algorithm="sha256"):
    word = algorithm.replace("sha", "sha-")
    digest = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
    return f"{name}-Digest: {word}=:{digest}:"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def plain(gateway, data, *lines, query="filename=a.bin&prefix=t"):
    return gateway.ask("POST", f"/files/uploads?{query}", *lines, body=data)


def posted(gateway, body, *lines):
    return gateway.ask("POST", "/files", FORM, *lines, body=body)


def is_refused(gateway, answer, code):
    equal("status, code", (answer.status, answer.json["code"]), (400, code))
    equal("keys", gateway.keys(""), [])


def has_digest(answer, data):
    equal("Repr-Digest", "Repr-Digest: " + (answer.header("repr-digest") or
                                            "none"), said("Repr", data))


# ---- what is checked --------------------------------------------------------

@each({f"{size} bytes": size for size in
       (0, 1, 16384, 16385, 131072, 131073, 65536 * 3, 5 * MIB)})
def test_digests_of_any_size_are_those_of_the_bytes(size):
    data = os.urandom(size)
    body = form(field("prefix", "t"), file(data))
    with Gateway() as gateway:
        for algorithm in "sha256", "sha512":
            for answer in (
                    plain(gateway, data, said("Content", data + b"x",
                                              algorithm)),
                    plain(gateway, data, said("Repr", data + b"x", algorithm)),
                    posted(gateway, body, said("Content", body + b"x",
                                               algorithm))):
                is_refused(gateway, answer, "digest_mismatch")
        for answer in (plain(gateway, data, said("Content", data),
                             said("Repr", data, "sha512")),
                       posted(gateway, body, said("Content", body),
                              said("Content", body, "sha512"))):
            equal("status", answer.status, 201)
            equal("bytes", gateway.download(answer.json["key"]).body, data)


@test
def test_the_representation_of_a_form_is_it_or_its_file():
    data = os.urandom(300_000)
    body = form(field("prefix", "t"), file(data))
    with Gateway() as gateway:
        is_refused(gateway, posted(gateway, body, said("Repr", b"other")),
                   "digest_mismatch")
        for whole in body, data:
            equal("status", posted(gateway, body, said("Repr", whole)).status,
                  201)


@each({f"{size} bytes, {place}": (size, place)
       for size in (0, 5, 100 * KIB, 3 * MIB) for place in (0, 1, 2)})
def test_the_field_of_a_form_is_of_its_file(case):
    size, place = case
    data = os.urandom(size)
    parts = [field("prefix", "t"), file(data)]
    with Gateway() as gateway:
        wrong = parts[:place] + [field("sha256", sha256(data + b"x"))] + \
            parts[place:]
        is_refused(gateway, posted(gateway, form(*wrong)), "digest_mismatch")
        for text in sha256(data), sha256(data).upper():
            right = parts[:place] + [field("sha256", text)] + parts[place:]
            answer = posted(gateway, form(*right))
            equal("status", answer.status, 201)
            equal("bytes", gateway.download(answer.json["key"]).body, data)


@each({"63": "0" * 63, "65": "0" * 65, "none": "", "letters": "g" * 64,
       "many": "0" * 70_000})
def test_fields_of_other_lengths_and_letters_are_bad(text):
    with Gateway() as gateway:
        for parts in ([field("sha256", text), file()],
                      [file(), field("sha256", text)]):
            is_refused(gateway, posted(gateway, form(*parts)), "bad_digest")


@test
def test_two_fields_are_refused():
    text = field("sha256", sha256(b"hello"))
    with Gateway() as gateway:
        is_refused(gateway, posted(gateway, form(text, text, file())),
                   "bad_form")


@each({name: name for name in ("Content", "Repr")})
def test_what_is_no_dictionary_is_bad_everywhere(name):
    lines = [f"{name}-Digest: {text}" for text in
             ("sha-256=:AAAA:", "sha-512", "sha-256=1,", "~")]
    with Gateway() as gateway:
        for line in lines:
            for answer in (plain(gateway, b"x", line),
                           plain(gateway, b"x", "Upload-Complete: ?0", line),
                           posted(gateway, form(file()), line),
                           gateway.ask("PUT", "/files/object?key=k", line,
                                       body=b"x")):
                is_refused(gateway, answer, "bad_digest")


@test
def test_a_digest_on_16_kib_of_lines_passes_and_more_is_bad():
    line = said("Content", b"x")
    room = 16384 - len(line.split(": ", 1)[1]) - 2
    with Gateway() as gateway:
        for more, status in ((0, 201), (1, 400)):
            filler = "Content-Digest: x=" + "a" * (room - 2 + more)
            equal("status", plain(gateway, b"x", filler, line).status, status)


@test
def test_bytes_count_after_their_chunks():
    data = os.urandom(200_000)
    lines = ("Transfer-Encoding: chunked", said("Content", data))
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/files/uploads", *lines) +
                  chunked(data, 7000))
        equal("status", wire.answer().status, 201)


@test
def test_a_put_that_does_not_fit_leaves_what_is_there():
    with Gateway() as gateway:
        target = "/files/object?key=k"
        gateway.ask("PUT", target, body=b"old")
        for line in said("Content", b"x"), said("Repr", b"x"):
            answer = gateway.ask("PUT", target, line, body=b"new")
            equal("status", answer.status, 400)
        equal("bytes", gateway.download("k").body, b"old")
        answer = gateway.ask("PUT", target, said("Repr", b"new"), body=b"new")
        equal("status", answer.status, 200)


@each({"form": ("POST", "/files"), "raw": ("POST", "/files/uploads"),
       "PUT": ("PUT", "/files/object?key=k")})
def test_pages_of_other_origins_may_say_and_read_them(case):
    method, target = case
    with Gateway({"cors": {"origins": ["https://app.example"]}}) as gateway:
        origin = "Origin: https://app.example"
        asked = gateway.ask("OPTIONS", target, origin,
                            f"Access-Control-Request-Method: {method}")
        allowed = asked.header("access-control-allow-headers")
        for name in "Content-Digest", "Want-Repr-Digest", "Idempotency-Key":
            expect(name in allowed, f"{name} in {allowed}")
        answer = gateway.ask(method, target, origin, body=b"x")
        exposed = answer.header("access-control-expose-headers")
        expect("Repr-Digest" in exposed, f"Repr-Digest in {exposed}")


# ---- what is kept -----------------------------------------------------------

def is_kept(gateway, key, data):
    for method in "GET", "HEAD":
        has_digest(gateway.download(key, method=method), data)
    if len(data) > 1:
        answer = gateway.download(key, "Range: bytes=1-1")
        equal("status", answer.status, 206)
        has_digest(answer, data)


@test
def test_it_is_kept_over_copy_move_and_restart():
    data = os.urandom(100_000)
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            answer = gateway.ask("PUT", "/files/object?key=a", WANT, body=data)
            equal("sha256", answer.json["sha256"], sha256(data))
            has_digest(answer, data)
            for word, source, to in (("copy", "a", "b"), ("move", "a", "c")):
                gateway.json("POST", f"/files/{word}",
                             {"from": source, "to": to})
        with Gateway(folder=folder) as gateway:
            is_kept(gateway, "b", data)
            is_kept(gateway, "c", data)


@test
def test_what_nobody_wants_is_not_made_nor_said():
    with Gateway() as gateway:
        for answer in (plain(gateway, b"x"),
                       plain(gateway, b"x", said("Repr", b"x"))):
            expect("sha256" not in answer.json, "no sha256")
            equal("Repr-Digest", answer.header("repr-digest"), None)
            key = answer.json["key"]
            equal("Repr-Digest of a download",
                  gateway.download(key).header("repr-digest"), None)


@test
def test_another_object_at_the_key_has_not_the_digest_before():
    with Gateway() as gateway:
        target = "/files/object?key=k"
        gateway.ask("PUT", target, WANT, body=b"old")
        gateway.ask("PUT", target, body=b"new")
        equal("Repr-Digest", gateway.download("k").header("repr-digest"), None)


@test
def test_uploads_sha256_is_of_every_object():
    with Gateway({"uploads": {"sha256": True}}) as gateway:
        for answer in (plain(gateway, b"x"), posted(gateway,
                                                    form(file(b"x"))),
                       gateway.ask("PUT", "/files/object?key=k", body=b"x"),
                       plain(gateway, b"x", "Upload-Complete: ?1")):
            equal("sha256", answer.json["sha256"], sha256(b"x"))
            is_kept(gateway, answer.json["key"], b"x")


@each({plugin: plugin for plugin in DIALECTS})
def test_every_service_keeps_it(plugin):
    """In parts, too, and over a copy; and checks a field behind its file."""
    data = os.urandom(6 * MIB)
    s3 = Emulator(DIALECTS[plugin])
    try:
        s3.create(BUCKET)
        with over(s3, **PARTS) as gateway:
            for size in 5, len(data):
                answer = plain(gateway, data[:size], WANT)
                equal("sha256", answer.json["sha256"], sha256(data[:size]))
                is_kept(gateway, answer.json["key"], data[:size])
                copied = gateway.json("POST", "/files/copy", {
                    "from": answer.json["key"], "to": f"to-{size}",
                    "replace": True})
                among("status", copied.status, (200, 201))
                is_kept(gateway, f"to-{size}", data[:size])
                gateway.delete(answer.json["key"])
                gateway.delete(f"to-{size}")
            late = form(field("prefix", "t"), file(data),
                        field("sha256", sha256(data + b"x")))
            is_refused(gateway, posted(gateway, late), "digest_mismatch")
            late = form(file(data), field("sha256", sha256(data)))
            equal("status", posted(gateway, late).status, 201)
    finally:
        s3.stop()


# ---- over several requests --------------------------------------------------

def append(gateway, where, at, data, last, *lines):
    return gateway.ask("PATCH", where, PARTIAL, f"Upload-Offset: {at}",
                       f"Upload-Complete: ?{last:d}", *lines, body=data)


def begun(gateway, data, *lines):
    answer = plain(gateway, data, "Upload-Complete: ?0", *lines)
    equal("status", answer.status, 201)
    return answer.header("location")


@each({"fits": True, "does not fit": False})
def test_running_digests_go_on_after_sigkill(fits):
    """At any place of their blocks, by another process."""
    sizes = [1, 62, 1, 64, 65_537, 127, 128, 129, 300_000]
    data = os.urandom(sum(sizes))
    whole = data if fits else data + b"x"
    where, at = None, 0
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            gateway = Gateway(folder=folder)
            if where is None:
                where = begun(gateway, b"", WANT, said("Repr", whole),
                              said("Repr", whole, "sha512"))
            last = at + size == len(data)
            answer = append(gateway, where, at, data[at:at + size], last)
            equal("status", answer.status,
                  204 if not last else 201 if fits else 400)
            at += size
            gateway.kill()
        with Gateway(folder=folder) as gateway:
            if fits:
                told = gateway.ask("GET", where).json["object"]
                equal("sha256", told["sha256"], sha256(data))
                is_kept(gateway, told["key"], data)
            else:
                equal("code", answer.json["code"], "digest_mismatch")
                equal("status of the resource",
                      gateway.ask("HEAD", where).status, 404)
                equal("keys", gateway.keys(""), [])


@test
def test_nothing_counts_of_content_that_does_not_fit():
    data = os.urandom(3 * MIB)
    with Gateway() as gateway:
        where = begun(gateway, data[:100])
        answer = append(gateway, where, 100, data[100:], False,
                        said("Content", b"x"))
        equal("status, code", (answer.status, answer.json["code"]),
              (400, "digest_mismatch"))
        equal("offset", gateway.ask("HEAD", where).header("upload-offset"),
              "100")
        answer = append(gateway, where, 100, data[100:], True,
                        said("Content", data[100:]))
        equal("status", answer.status, 201)


@test
def test_a_repr_digest_of_an_append_is_ignored():
    with Gateway() as gateway:
        where = begun(gateway, b"hello")
        for line in said("Repr", b"x"), "Repr-Digest: sha-256=:AAAA:":
            equal("status", append(gateway, where, 5, b"", False, line).status,
                  204)


@test
def test_what_tus_joins_has_the_digest_of_all_of_it():
    tus = ("Tus-Resumable: 1.0.0", "Upload-Length: 5",
           "Content-Type: application/offset+octet-stream")
    with Gateway() as gateway:
        parts = [gateway.ask("POST", "/files/uploads", *tus,
                             "Upload-Concat: partial", body=data)
                 .header("location") for data in (b"hello", b"world")]
        joined = f"Upload-Concat: final;{parts[0]} {parts[1]}"
        for line, status in ((said("Repr", b"hello"), 400),
                             (said("Content", b"helloworld"), 400),
                             (said("Content", b""), 201),
                             (said("Repr", b"helloworld"), 201)):
            answer = gateway.ask("POST", "/files/uploads",
                                 "Tus-Resumable: 1.0.0", joined, WANT, line,
                                 body=b"")
            equal("status", answer.status, status)
        told = gateway.ask("GET", answer.header("location")).json["object"]
        equal("sha256", told["sha256"], sha256(b"helloworld"))
        is_kept(gateway, told["key"], b"helloworld")


if __name__ == "__main__":
    main()

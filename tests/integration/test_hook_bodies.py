#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hook sees the bytes of each object that comes through the gateway before
it is visible, whichever way they come, and may refuse, hold back or describe
it."""
import hashlib
import os
import tempfile

import bucket
import kit
import linkskit
import ways
from kit import (KIB, MIB, SLOWNESS, Gateway, among, each, equal,
                 eventually, expect, like, md5, test)
from ways import WAYS, stored

WORD = "forbidden-word"
# It lies across the middle, where parts are cut, and across 128 KiB.
SOUND = os.urandom(131072 - 7) + b"x" * 14 + os.urandom(131072 - 7)
BAD = SOUND[:131072 - 7] + WORD.encode() + SOUND[131072 + 7:]


# Freed memory that a sanitizer keeps isn't the gateway's.
LEAN = {"ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=1"}


def looking(*hooks, env=None, **options):
    return Gateway({"server": {"workers": "1"}, "hooks": [
        *hooks, {"plugin": "bodyhook", **options}]}, env=env)


def shown(data):
    """As the hook sums it."""
    total = 0
    for byte in data:
        total = (total * 31 + byte) & (1 << 64) - 1
    return rf"saw: {len(data)} {total:x} to the end"


SHOWN = shown(SOUND)


def shared(**options):
    return ways.shared(server={"workers": "1"},
                       hooks=[{"plugin": "bodyhook", **options}])


@each(WAYS)
def test_bytes_are_shown_whole_and_in_order(way):
    with shared(word=WORD) as (gateway, mark):
        answer = way(gateway, SOUND)
        among("status", (answer.status, answer.error),
              ((200, None), (201, None), (204, None)))
        gateway.says(SHOWN, after=mark)
        key, = stored(gateway)
        equal("bytes", md5(gateway.download(key).body), md5(SOUND))


@each(WAYS)
def test_what_a_hook_refuses_is_never_there(way):
    with shared(word=WORD) as (gateway, _):
        answer = way(gateway, BAD)
        equal("answer", (answer.status, answer.error),
              (403, "The word is in it"))
        wanted = ["t/r.bin"] if way is ways.replace else []
        equal("objects", stored(gateway), wanted)
        if wanted:
            equal("what was there", gateway.download("t/r.bin").body,
                  b"before")


@each({"form": ways.form, "put": ways.put, "link": ways.link_put,
       "tus": ways.tus_parts})
def test_a_type_that_a_hook_does_not_take_is_415(way):
    with shared(word=WORD, mistyped="true") as (gateway, _):
        answer = way(gateway, BAD)
        equal("answer", (answer.status, answer.json["code"], answer.error),
              (415, "unsupported_media_type", "The word is no type"))
        equal("objects", stored(gateway), [])


@each(WAYS)
def test_a_hook_that_waits_holds_back(way):
    """And what it is lent stays as it is meanwhile."""
    with shared(word=WORD, wait="2ms") as (gateway, mark):
        among("status", way(gateway, SOUND).status, (200, 201, 204))
        gateway.says(SHOWN, after=mark)
        equal("status", way(gateway, BAD).status, 403)
        for line in gateway.lines:
            expect("a lent chunk changed" not in line, line)


@each({"form": ways.form, "put": ways.put, "draft": ways.draft_parts,
       "tus": ways.tus_parts})
def test_an_empty_object_is_shown_as_one_last_chunk(way):
    with shared(word=WORD) as (gateway, mark):
        among("status", way(gateway, b"").status, (200, 201, 204))
        gateway.says(shown(b""), after=mark)


@each({"form": ways.form, "put": ways.put, "tus": ways.tus_parts})
def test_a_hook_that_has_enough_sees_no_more(way):
    with looking(word=WORD, enough="1000") as gateway:
        among("status", way(gateway, SOUND + BAD).status, (200, 201, 204))
        line = gateway.says(r"saw: \d+ .* not to the end")
        equal("looks", sum("saw:" in line for line in gateway.lines), 1)
        size = int(line.split("saw: ")[1].split()[0])
        expect(1000 <= size <= 132000, line)


@test
def test_each_hook_has_its_own_word():
    first = {"plugin": "bodyhook", "enough": "1"}
    with looking(first, word=WORD) as gateway:
        equal("status", ways.form(gateway, BAD).status, 403)
        equal("objects", stored(gateway), [])


@test
def test_hook_that_waits_for_too_long_is_504_and_nothing_is_stored():
    with Gateway({"server": {"workers": "1"},
                  "limits": {"backend_timeout": "300ms"},
                  "hooks": [{"plugin": "bodyhook", "wait": "900ms"}]}
                 ) as gateway:
        for way in ways.form, ways.put, ways.tus_parts:
            equal(way.__name__, way(gateway, b"hello").status, 504)
        equal("objects", stored(gateway), [])


@test
def test_hook_that_says_that_it_goes_on_has_time_anew():
    with Gateway({"server": {"workers": "1"},
                  "limits": {"backend_timeout": "800ms"},
                  "hooks": [{"plugin": "bodyhook", "wait": "500ms",
                             "alive": "500ms"}]}) as gateway:
        for way in ways.form, ways.tus_parts:
            among(way.__name__, way(gateway, b"hello").status, (201, 204))


def whole(way):
    """The request of an upload that comes by this way."""
    if way is ways.put:
        return kit.request("PUT", "/files/object?key=t/p", body=SOUND[:100000])
    return kit.request("POST", "/files", kit.FORM, body=kit.form(
        kit.file(SOUND[:100000], "a")))


@each({"form": ways.form, "put": ways.put})
def test_client_that_leaves_takes_nothing_from_a_hook_that_waits(way):
    """The chunk that it was lent is as it was when it resumes."""
    with looking(word=WORD, wait="400ms") as gateway:
        base = gateway.quiet()
        for count in 1, 2, 3:
            with gateway.wire() as wire:
                wire.send(whole(way))
                eventually("it is shown", lambda count=count: sum(
                    " body: " in line for line in gateway.lines) == count)
                wire.reset()
        gateway.settles(base)
        among("status", way(gateway, b"hello").status, (200, 201))
        for line in gateway.lines:
            expect("a lent chunk changed" not in line, line)
        equal("objects", len(stored(gateway)), 1)


@test
def test_memory_stays_bounded_while_a_hook_waits():
    with looking(wait="1ms", env=LEAN) as gateway:
        ways.plain(gateway, b"warm")
        before = gateway.status("VmRSS")
        among("status", ways.plain(gateway, bytes(40 * MIB)).status,
              (200, 201))
        grown = gateway.status("VmRSS") - before
        expect(grown < 4 * KIB * SLOWNESS, f"memory grew by {grown} KiB")


@test
def test_stage_that_another_takes_over_is_not_committed_as_it_was_shown():
    """So the bytes that are committed are those that were shown."""
    with looking(word=WORD, wait="500ms") as gateway:
        answer = gateway.ask("POST", "/files/uploads?filename=a&prefix=t",
                             "Upload-Complete: ?0", body=b"hello")
        where = answer.header("location")
        with gateway.wire() as wire:
            wire.send(kit.request(
                "PATCH", where, ways.PARTIAL, "Upload-Offset: 5",
                "Upload-Complete: ?1", body=b" there"))
            gateway.says(" body: ")
            among("another", gateway.ask("HEAD", where).status, (200, 204))
            equal("the first", wire.answer("PATCH").status, 409)
        equal("objects", stored(gateway), [])
        answer = gateway.ask("PATCH", where, ways.PARTIAL, "Upload-Offset: 11",
                             "Upload-Complete: ?1", body=b"")
        equal("again", (answer.status, answer.json["size_bytes"]), (201, 11))


# ---- over other storages ----------------------------------------------------

OVER = (ways.form, ways.put, ways.link_put, ways.draft_parts, ways.tus_concat)


def checks_ways(gateway, mark=0):
    for way in OVER:
        mark = len(gateway.lines)
        among(way.__name__, way(gateway, SOUND).status, (200, 201, 204))
        gateway.says(SHOWN, after=mark)
        for key in stored(gateway):
            equal("bytes", md5(gateway.download(key).body), md5(SOUND))
            gateway.delete(key)
        equal(way.__name__, way(gateway, BAD).status, 403)
        equal("objects", stored(gateway), [])


@test
def test_bytes_of_every_way_are_shown_over_s3():
    with bucket.Emulator("minio") as s3, bucket.gateway(s3, more={
            "hooks": [{"plugin": "bodyhook", "word": WORD}]}) as gateway:
        checks_ways(gateway)


@test
def test_bytes_of_every_way_are_shown_through_a_layer():
    """As they come from the client, not as they lie in the storage."""
    with tempfile.TemporaryDirectory() as folder:
        backends = {"below": {"plugin": "local", "directory": folder},
                    "main": {"plugin": "prefix", "over": "below",
                             "directory": None, "prefix": "x/"}}
        with Gateway({"backends": backends, "server": {"workers": "1"},
                      "hooks": [{"plugin": "bodyhook", "word": WORD}]}
                     ) as gateway:
            checks_ways(gateway)


@each({"with": ([{"plugin": "bodyhook"}], 501), "without": ([], 200)})
def test_links_to_upload_past_a_hook_are_not_made(case):
    """Straight to the storage, which shows it nothing."""
    hooks, status = case
    with bucket.Emulator("minio") as s3, bucket.gateway(
            s3, more={"hooks": hooks}) as gateway:
        answer = linkskit.asked(gateway, method="PUT", key="t/a",
                                replace=True, via="storage")
        equal("status", answer.status, status)
        answer = linkskit.asked(gateway, method="PUT", key="t/a",
                                replace=True)
        equal("status, by the gateway",
              (answer.status, "/files/signed" in answer.json["url"]),
              (200, bool(hooks)))


# ---- what is known ----------------------------------------------------------

def object_of(gateway, phase, mark=0):
    return [line.split(f" {phase}: ")[1] for line in gateway.lines[mark:]
            if f" {phase}: " in line]


@test
def test_object_is_told_in_on_key_with_what_is_known():
    with looking() as gateway:
        key = ways.form(gateway, b"hello").json["key"]
        like("form", object_of(gateway, "key")[-1],
             f"^key {key} name a.bin type application/octet-stream length 5 "
             f"md5 {md5(b'hello')} open 1 user original-filename=a.bin "
             f"md5={md5(b'hello')} uploaded-by=anonymous$")
        ways.put(gateway, b"hello")
        first, last = object_of(gateway, "key")[-2:]
        like("before its body", first, "^key t/p.bin name - .* length 5 md5 - "
             "open 0 user uploaded-by=anonymous$")
        like("behind it", last, f"^key t/p.bin .* md5 {md5(b'hello')} open 0")


@test
def test_a_resumable_upload_is_told_twice_and_bound_the_second_time():
    with looking() as gateway:
        ways.tus_parts(gateway, b"hello")
        first, last = object_of(gateway, "key")
        like("at its creation", first, "length 5 md5 - open 1")
        like("at its end", last, f"length 5 md5 {md5(b'hello')} open 0")


@test
def test_a_copy_shows_no_bytes_and_no_object():
    """Its bytes are there already."""
    with looking(word=WORD) as gateway:
        ways.put(gateway, b"hello")
        count = sum(" saw: " in line for line in gateway.lines)
        equal("status", ways.copy(gateway, "t/p.bin", "t/q.bin").status, 201)
        equal("last words", object_of(gateway, "key")[-1], "no object")
        equal("looks", sum(" saw: " in line for line in gateway.lines), count)


@test
def test_a_replay_of_an_upload_shows_nothing_anew():
    with looking(word=WORD) as gateway:
        first = ways.once(gateway, SOUND, "again")
        second = ways.once(gateway, SOUND, "again")
        equal("keys", first.json["key"], second.json["key"])
        equal("looks", sum(" saw: " in line for line in gateway.lines), 1)


# ---- wishes -----------------------------------------------------------------

@each({f"{way.__name__} {phase}": (way, phase) for way in
       (ways.form, ways.plain, ways.put, ways.link_post, ways.draft_parts,
        ways.tus_concat) for phase in ("key", "body")})
def test_type_and_metadata_are_as_wished(case):
    way, phase = case
    with shared(phase=phase, type="text/x-wished; charset=utf-8",
                meta="scan-verdict=clean") as (gateway, mark):
        among("status", way(gateway, b"hello").status, (200, 201, 204))
        like("type", gateway.download(stored(gateway)[0])
             .header("content-type"), "^text/x-wished")
        gateway.says("stored .*: text/x-wished.* scan-verdict=clean",
                     after=mark)


@each({"nonsense": {"type": "nonsense"}, "own": {"meta": "md5=x"},
       "the gateway's": {"meta": "sluice-sha256=x"},
       "capitals": {"meta": "Name=x"}, "control": {"meta": "name=a\x01b"},
       "huge": {"meta": "name=" + "x" * 1024},
       "hidden": {"prefix": ".sluice/links"}, "dots": {"prefix": "a/../b"},
       "empty": {"prefix": "/"}, "long": {"prefix": "x" * 1025}})
def test_a_wish_that_cannot_be_is_refused(wish):
    with looking(**wish) as gateway:
        equal("status", ways.form(gateway, b"hello").status, 201)
        gateway.says(f"{next(iter(wish))}: 0$")


@each({way.__name__: way for way in
       (ways.form, ways.once, ways.plain, ways.draft_parts, ways.tus_parts)})
def test_a_prefix_is_as_wished_and_asked_about(way):
    with shared(prefix="tenant/a") as (gateway, mark):
        among("status", way(gateway, b"hello").status, (200, 201, 204))
        key, = stored(gateway)
        expect(key.startswith("tenant/a/2"), key)
        asked = [line.split()[1] for line in object_of(gateway, "key", mark)
                 if line != "no object"]
        expect(asked[0].split("/")[0] != "tenant", asked)
        equal("the key that was asked about last", asked[-1], key)


@test
def test_a_replay_is_one_also_where_a_hook_chose_prefix_and_type():
    with looking(prefix="tenant/a", type="text/x-wished") as gateway:
        first = ways.once(gateway, b"hello", "again")
        second = ways.once(gateway, b"hello", "again")
        equal("keys", (second.status, second.json["key"]),
              (201, first.json["key"]))


@each({"put": ways.put, "link": ways.link_post})
def test_a_key_that_is_bound_keeps_its_prefix(way):
    with shared(prefix="tenant/a") as (gateway, mark):
        among("status", way(gateway, b"hello").status, (200, 201))
        gateway.says("prefix: 0$", after=mark)
        expect(stored(gateway)[0].startswith("t/"), stored(gateway))


@test
def test_a_guard_has_the_last_word_on_a_chosen_prefix():
    """It stands before the hook that chose."""
    tokens = {"plugin": "auth_token", "file": None}
    with Gateway({"server": {"workers": "1"}, "hooks": []}) as probe:
        path = probe.folder / "tokens.yaml"
        token = "0123456789abcdef0123456789abcdef"
        path.write_text('{"tokens": [{"sha256": "%s", "identity": "ann", '
                        '"operations": ["*"], "prefixes": ["t/"]}]}' %
                        hashlib.sha256(token.encode()).hexdigest())
        path.chmod(0o600)
        tokens["file"] = str(path)
        who = f"Authorization: Bearer {token}"
        with looking(tokens, prefix="t/sub") as gateway:
            equal("within", ways.form(gateway, b"hello", who).status, 201)
        with looking(tokens, prefix="elsewhere") as gateway:
            equal("outside", ways.form(gateway, b"hello", who).status, 403)
            with gateway.wire() as wire:
                answer = wire.ask("GET", "/files?prefix=t/", who)
            equal("objects", answer.json["objects"], [])


if __name__ == "__main__":
    ways.main()

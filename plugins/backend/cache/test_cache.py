#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `cache`: what was read is read from its files, for as long as the
storage has that version; no change through the gateway is missed."""
import base64
import hashlib
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
# pylint: disable=wrong-import-position
from cachekit import Cached, at, breaches, size_of, whole  # noqa: E402
import kit  # noqa: E402
from kit import (MIB, each, equal, eventually, expect, refusal,
                 test)  # noqa: E402

SIZES = {"empty": 0, "one_byte": 1, "small": 5000, "large": 3 * MIB + 17}


def noise(size, seed=1):
    block = hashlib.sha256(bytes([seed])).digest() * 512
    return (block * (size // len(block) + 1))[:size]


def kept(gate, count=1):
    """A fetch is kept a moment after its bytes were told."""
    eventually(f"{count} entries", lambda: len(gate.entries()) == count)


# ---- reads -----------------------------------------------------------------

@each(SIZES)
def test_second_read_asks_for_no_bytes(size):
    data = noise(size)
    with Cached(ttl="1h") as gate:
        gate.put("k", data)
        whole(gate, "k", data)
        kept(gate)
        gets, heads = gate.calls("get"), gate.calls("head")
        for _ in range(3):
            whole(gate, "k", data)
        equal("gets", gate.calls("get") - gets, 0)
        equal("heads", gate.calls("head") - heads, 0)
        equal("breaches", breaches(gate), [])


@each(SIZES)
def test_head_fields_are_those_of_the_storage(size):
    with Cached() as gate:
        gate.ask("PUT", at("k.html"), "Content-Type: text/html",
                 "Cache-Control: max-age=7", body=noise(size))
        gate.get("k.html")
        kept(gate)
        past = gate.get("k.html", mount="/below")
        for answer in gate.get("k.html"), gate.ask("HEAD", at("k.html")):
            for name in ("content-type", "etag", "last-modified",
                         "content-length", "content-disposition"):
                equal(name, answer.header(name), past.header(name))


RANGES = {"first": "0-0", "part": "100-299", "last": "-5", "to_the_end": "7-",
          "much": "70000-2000000", "beyond": "99999999-"}


@each({"kept": True, "new": False})
def test_ranges_are_those_of_the_storage(is_kept):
    data = noise(3 * MIB + 17)
    with Cached() as gate:
        for word, bounds in RANGES.items():
            gate.put(word, data)
            if is_kept:
                whole(gate, word, data)
            line = f"Range: bytes={bounds}"
            want = gate.get(word, line, mount="/below")
            for got in gate.get(word, line), gate.get(word, line):
                equal("status", got.status, want.status)
                equal("range", got.header("content-range"),
                      want.header("content-range"))
                expect(got.status == 416 or got.body == want.body,
                       f"other bytes: {word}")
        equal("breaches", breaches(gate), [])


@test
def test_what_is_not_modified_needs_no_bytes():
    with Cached() as gate:
        gate.put("k", b"hello")
        etag = gate.get("k").header("etag")
        kept(gate)
        equal("status", gate.get("k", f"If-None-Match: {etag}").status, 304)
        equal("other", gate.get("k", f'If-Match: "x{etag[2:]}').status, 412)
        whole(gate, "k", b"hello")


@test
def test_what_isn_t_there_is_asked_for_each_time():
    with Cached(ttl="1h") as gate:
        for _ in range(2):
            equal("status", gate.body("k"), 404)
        equal("entries", gate.entries(), [])
        gate.put("k", b"x", "/below")
        whole(gate, "k", b"x")


@test
def test_gateway_s_own_objects_are_never_kept():
    with Cached(ttl="1h") as gate:
        gate.put("a", b"hello")
        for _ in range(2):
            link = gate.json("POST", "/files/presign", {"key": "a"})
            url = link.json["url"]
            equal("link", gate.ask("GET", url[url.index("/files/"):]).body,
                  b"hello")
        kept(gate)
        equal("breaches", breaches(gate), [])


# ---- versions --------------------------------------------------------------

@each({"at_once": ("0s", b"new"), "within_ttl": ("1h", b"old")})
def test_change_made_elsewhere_is_found(case):
    ttl, want = case
    with Cached(ttl=ttl) as gate:
        gate.put("k", b"old")
        whole(gate, "k", b"old")
        kept(gate)
        gate.put("k", b"new", "/below")
        whole(gate, "k", want)


@test
def test_change_made_elsewhere_is_found_after_ttl():
    with Cached(ttl="200ms") as gate:
        gate.put("k", b"old")
        whole(gate, "k", b"old")
        gate.put("k", b"new", "/below")
        eventually("the new one", lambda: gate.body("k") == b"new")


@test
def test_removal_made_elsewhere_is_found():
    with Cached() as gate:
        gate.put("k", b"old")
        whole(gate, "k", b"old")
        kept(gate)
        equal("delete", gate.ask("DELETE", at("k", "/below")).status, 200)
        equal("status", gate.body("k"), 404)
        kept(gate, 0)


@test
def test_same_version_is_asked_for_by_head_alone():
    with Cached() as gate:
        gate.put("k", noise(MIB))
        whole(gate, "k", noise(MIB))
        kept(gate)
        gets, heads = gate.calls("get"), gate.calls("head")
        for _ in range(3):
            whole(gate, "k", noise(MIB))
        equal("gets", gate.calls("get") - gets, 0)
        equal("heads", gate.calls("head") - heads, 3)


@test
def test_resumable_upload_passes():
    with Cached() as gate:
        answer = gate.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                          "Upload-Length: 3")
        equal("status", answer.status, 201)
        where = answer.header("location")
        where = where[where.index("/files/"):]
        equal("patch", gate.ask(
            "PATCH", where, "Tus-Resumable: 1.0.0", "Upload-Offset: 0",
            "Content-Type: application/offset+octet-stream",
            body=b"new").status, 204)
        key, = gate.keys("")
        for _ in range(2):
            whole(gate, key, b"new")
        equal("breaches", breaches(gate), [])


def copied(gate):
    gate.put("other", b"new")
    equal("copy", gate.json("POST", "/files/copy", {
        "from": "other", "to": "k", "replace": True}).status, 200)


def moved(gate):
    gate.put("other", b"new")
    equal("move", gate.json("POST", "/files/move", {
        "from": "other", "to": "k", "replace": True}).status, 200)


CHANGES = {
    "put": (lambda gate: gate.put("k", b"new"), b"new"),
    "put_if_match": (lambda gate: gate.put(
        "k", b"new", "/files", "If-Match: *"), b"new"),
    "copy": (copied, b"new"), "move": (moved, b"new"),
    "delete": (lambda gate: gate.ask("DELETE", at("k")), 404),
    "delete_if_match": (lambda gate: gate.ask("DELETE", at("k"),
                                              "If-Match: *"), 404),
    "many": (lambda gate: gate.json("POST", "/files/delete", {
        "keys": ["a", "k", "b"]}), 404)}


@each(CHANGES)
def test_change_through_the_layer_is_seen_at_once(case):
    change, want = case
    with Cached(ttl="1h") as gate:
        for _ in range(4):
            gate.put("k", b"old")
            whole(gate, "k", b"old")
            whole(gate, "k", b"old")
            change(gate)
            equal("after it", gate.body("k"), want)
        equal("breaches", breaches(gate), [])


# ---- limits ----------------------------------------------------------------

def overhead(gate):
    """Bytes of a file beside the object's, for keys of one letter."""
    gate.put("z", noise(1000))
    gate.get("z")
    kept(gate)
    extra = size_of(gate.entries()[0]) - 1000
    gate.ask("DELETE", at("z"))
    kept(gate, 0)
    return extra


@each({"at_the_limit": 0, "one_past": 1})
def test_object_larger_than_max_object_passes(past):
    with Cached(max_object="100000B") as gate:
        data = noise(100000 + past)
        gate.put("k", data)
        gets = gate.calls("get")
        for _ in range(3):
            whole(gate, "k", data)
        if past:  # the first one finds that out
            eventually("4 gets", lambda: gate.calls("get") - gets == 4)
            equal("entries", gate.entries(), [])
        else:
            kept(gate)


@each({"at_the_limit": 0, "one_past": 1})
def test_file_larger_than_max_size_passes(past):
    with Cached(max_size="1MiB", max_object="1MiB") as gate:
        data = noise(MIB - overhead(gate) + past)
        gate.put("k", data)
        for _ in range(2):
            whole(gate, "k", data)
        if past:
            equal("entries", gate.entries(), [])
        else:
            kept(gate)
            equal("used", gate.used(), MIB)


@test
def test_max_size_holds_and_what_was_read_longest_ago_goes():
    with Cached(max_size="1MiB", ttl="1h") as gate:
        for key in "abcdefgh":
            gate.put(key, noise(200_000))
            whole(gate, key, noise(200_000))
            whole(gate, "a", noise(200_000))
            expect(gate.used() <= MIB, f"{gate.used()} bytes of disk")
        eventually("five", lambda: len(gate.entries()) == 5)
        gets = gate.calls("get")
        for key in "aefgh":
            whole(gate, key, noise(200_000))
        equal("gets", gate.calls("get") - gets, 0)
        whole(gate, "b", noise(200_000))
        equal("gets", gate.calls("get") - gets, 1)


@test
def test_no_more_than_so_many_objects():
    with Cached(objects="2") as gate:
        for count, key in enumerate("abcd"):
            gate.put(key, b"x")
            whole(gate, key, b"x")
            kept(gate, min(count + 1, 2))


@test
def test_objects_that_pass_drive_out_few_that_are_kept():
    """Two of 16 are remembered, and one place is that of who finds out."""
    with Cached(objects="16", max_object="1000B", ttl="1h") as gate:
        keys = [f"k{number}" for number in range(16)]
        for count, key in enumerate(keys):
            gate.put(key, b"x")
            whole(gate, key, b"x")
            kept(gate, count + 1)
        for number in range(20):
            gate.put(f"large{number}", noise(1001))
            whole(gate, f"large{number}", noise(1001))
        equal("entries", len(gate.entries()), 13)
        gets = gate.calls("get")
        whole(gate, "large19", noise(1001))
        eventually("it passes", lambda: gate.calls("get") - gets == 1)


@test
def test_object_that_is_all_there_is_kept_though_the_storage_never_ends():
    with Cached("rogue", linger="10ms", backends={
            "rogue": {"plugin": "rogue", "how": "no_end"}}) as gate:
        whole(gate, "k", bytes(200_000))
        kept(gate)
        equal("breaches", breaches(gate), [])


@each({"at_the_limit": 0, "one_past": 1})
def test_far_range_of_what_isn_t_there_is_read_past_the_cache(past):
    data = noise(3 * MIB)
    with Cached(ahead="1MiB") as gate:
        gate.put("k", data)
        first, gets = MIB + past, gate.calls("get")
        equal("bytes", gate.body("k", f"Range: bytes={first}-{first + 9}"),
              data[first:first + 10])
        if not past:
            kept(gate)
        else:
            eventually("one get", lambda: gate.calls("get") - gets == 1)
            equal("entries", gate.entries(), [])


LIMITS = {
    "max_size": ("1MiB", "1048576TiB", "1048575B", "1048577TiB"),
    "max_object": ("1B", "1048576TiB", "0", "1048577TiB"),
    "objects": ("1", "10000000", "0", "10000001"),
    "ttl": ("0s", "24h", None, "86400001ms"),
    "ahead": ("0", "1048576TiB", None, "1048577TiB"),
    "wait": ("10ms", "10m", "9ms", "600001ms"),
    "linger": ("0s", "4s", None, "4001ms")}


@each({"least": 0, "most": 1})
def test_options_at_their_limits_are_taken(which):
    with Cached(**{name: values[which] for name, values in
                   LIMITS.items()}) as gate:
        gate.put("k", b"hello")
        for _ in range(2):
            whole(gate, "k", b"hello")


@each({f"{name}, {value}": (name, value) for name, values in LIMITS.items()
       for value in values[2:] if value})
def test_option_past_its_limit_is_refused(case):
    name, value = case
    with tempfile.TemporaryDirectory() as folder:
        refusal({"backends": {"cached": {
            "plugin": "cache", "over": "main", name: value,
            "directory": f"{folder}/cache"}},
            "routes": [{"mount": "/files", "backend": "cached"}]},
            f"{name}: write ")


# ---- layers ----------------------------------------------------------------

@each({"under": True, "above": False})
def test_cache_and_encrypt_stand_on_each_other(under):
    """The cache above has plain bytes, the one below sealed ones."""
    data = noise(MIB + 5)
    with tempfile.TemporaryDirectory() as keys:
        key = Path(keys, "key")
        key.write_text("0123456789abcdef" * 4)
        key.chmod(0o600)
        seals = {"plugin": "encrypt", "key_file": str(key),
                 "over": "main" if under else "cached"}
        with Cached("seals" if under else "main", backends={"seals": seals},
                    routes=[{"mount": "/sealed", "backend": "seals"}]) as gate:
            mount = "/files" if under else "/sealed"
            gate.put("k", data, mount)
            for _ in range(3):
                expect(gate.body("k", mount=mount) == data, "other bytes")
                equal("range", gate.body(
                    "k", "Range: bytes=70000-70009", mount=mount),
                      data[70000:70010])
            kept(gate)
            has = data[:4096] in gate.entries()[0].read_bytes()
            equal("the entry is plain", has, under)
            gate.put("k", b"new", mount)
            equal("new", gate.body("k", mount=mount), b"new")
            equal("breaches", breaches(gate), [])


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("cache.yaml"))


if __name__ == "__main__":
    kit.main()

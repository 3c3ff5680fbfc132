#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `fallback` with `backfill`: what is read from behind is written to
the first backend, and what a client deletes or replaces stays so."""
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from bucket import backend, noise, shared  # noqa: E402
from kit import (Gateway, MIB, among, each, equal, eventually, expect, quote,
                 refusal, request, test)  # noqa: E402

STORES = ("new", "old", "older")


def gateway(over=STORES, folder=None, workers="2", **more):
    parts = {name: {"plugin": "prefix", "over": "main", "prefix": f"{name}/"}
             for name in STORES}
    parts.update(more)
    return Gateway({
        "server": {"workers": workers},
        "backends": {**parts,
                     "files": {"plugin": "fallback", "over": list(over),
                               "backfill": "true"}},
        "routes": [{"mount": f"/{name}", "backend": name}
                   for name in ("files", *parts)]}, folder=folder)


def at(mount, key):
    return f"/{mount}/object?key={quote(key, safe='')}"


def put(gate, mount, key, data=b"x", *lines):
    return gate.ask("PUT", at(mount, key), *lines, body=data).status


def get(gate, mount, key, *lines):
    answer = gate.ask("GET", at(mount, key), *lines)
    return answer.body if answer.status in (200, 206) else answer.status


def carried(gate, key, data, mount="new"):
    eventually(f"{key} in the first one",
               lambda: get(gate, mount, key) == data)


def breaches(gate):
    return [line for line in gate.lines if "breaks the contract" in line]


def last_alone_is_carried(gate):
    """Backfills go on, and nothing that was deleted has come back."""
    put(gate, "old", "last", b"last")
    get(gate, "files", "last")
    carried(gate, "last", b"last")
    equal("keys", gate.keys(""), ["last"])
    equal("breaches", breaches(gate), [])


# ---- what is carried -------------------------------------------------------

@each({"nothing": 0, "a_byte": 1, "small": 5000, "large": 3 * MIB + 7})
def test_object_that_was_read_is_written_to_the_first(size):
    data = noise(size)
    with gateway() as gate:
        put(gate, "older", "k", data, "Content-Type: text/x-test")
        expect(get(gate, "files", "k") == data, "other bytes")
        carried(gate, "k", data)
        answer = gate.ask("GET", at("new", "k"))
        equal("type", answer.header("content-type"), "text/x-test")
        equal("older", get(gate, "older", "k") == data, True)
        equal("breaches", breaches(gate), [])


@test
def test_form_keeps_its_metadata():
    with gateway() as gate:
        key = gate.upload(b"hello", name="é.txt", mount="/old")["key"]
        equal("bytes", gate.download(key).body, b"hello")
        carried(gate, key, b"hello")
        equal("name", gate.download(key, mount="/new").header(
            "content-disposition"), gate.download(key, mount="/old").header(
                "content-disposition"))


@test
def test_range_has_the_whole_carried():
    data = noise(MIB)
    with gateway() as gate:
        put(gate, "old", "k", data)
        equal("range", get(gate, "files", "k", "Range: bytes=70000-70009"),
              data[70000:70010])
        carried(gate, "k", data)


@test
def test_head_and_list_carry_nothing():
    with gateway() as gate:
        put(gate, "old", "k", b"hello")
        equal("head", gate.ask("HEAD", at("files", "k")).status, 200)
        equal("keys", gate.keys(""), ["k"])
        put(gate, "old", "l", b"world")
        get(gate, "files", "l")
        carried(gate, "l", b"world")
        equal("new", get(gate, "new", "k"), 404)


@test
def test_without_the_option_nothing_is_carried():
    with Gateway({
            "backends": {
                **{name: {"plugin": "prefix", "over": "main",
                          "prefix": f"{name}/"} for name in STORES},
                "files": {"plugin": "fallback", "over": ["new", "old"]}},
            "routes": [{"mount": f"/{name}", "backend": name}
                       for name in ("files", "new", "old")]}) as gate:
        put(gate, "old", "k", b"hello")
        for _ in range(20):
            get(gate, "files", "k")
        equal("new", get(gate, "new", "k"), 404)


@test
def test_bucket_is_carried_object_by_object():
    with gateway() as gate:
        for number in range(60):
            put(gate, STORES[1 + number % 2], f"k{number:02d}",
                b"%d" % number)
        for number in range(60):
            get(gate, "files", f"k{number:02d}")
        for number in range(60):
            carried(gate, f"k{number:02d}", b"%d" % number)
        equal("keys", gate.keys(""), [f"k{n:02d}" for n in range(60)])
        equal("breaches", breaches(gate), [])


@test
def test_report_at_the_end_counts_them():
    with tempfile.TemporaryDirectory() as folder:
        with gateway(folder=folder, workers="1") as gate:
            for key in "abc":
                put(gate, "old", key, b"hello")
                get(gate, "files", key)
                carried(gate, key, b"hello")
            gate.stop()
            gate.says("backfill: 3 objects of 15 bytes were carried to the "
                      "first backend, 0 were there, 0 gone, 0 left, 0 failed, "
                      "0 dropped")


@test
def test_object_that_is_there_already_isn_t_fetched_again():
    s3 = shared()
    s3.create("there")
    bucket = backend(s3, "there")
    del bucket["directory"]
    over = "new", "late", "bucket"
    with gateway(over=over, workers="1", bucket=bucket,
                 late=late("get", slow=SLOW)) as gate:
        put(gate, "files", "first", b"x")  # reads the gateway's own objects
        put(gate, "old", "k", b"hello")
        put(gate, "bucket", "l", b"hello")
        s3.forget()
        readers = [threading.Thread(target=get, args=(gate, "files", "k"))
                   for _ in range(2)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        equal("read", get(gate, "files", "l"), b"hello")
        put(gate, "new", "l", b"newer")  # while k is on its way
        carried(gate, "k", b"hello")
        put(gate, "old", "m", b"hello")
        get(gate, "files", "m")
        carried(gate, "m", b"hello")
        equal("fetched", sum(one["target"].partition("?")[0].endswith("/l")
                             for one in s3.requests("GET")), 1)
        gate.stop()
        gate.says(r"backfill: \d objects .*, 1 were there, 0 gone, 0 left, 0 "
                  "failed, 0 dropped")


# ---- what isn't ------------------------------------------------------------

@test
def test_newer_object_of_the_first_is_never_replaced():
    slow = {"plugin": "chaos", "over": "old", "operations": ["get"],
            "delay": "300ms"}
    with gateway(over=("new", "slow"), slow=slow) as gate:
        put(gate, "old", "k", b"before")
        equal("read", get(gate, "files", "k"), b"before")
        put(gate, "files", "k", b"after")
        put(gate, "old", "next", b"next")
        get(gate, "files", "next")
        carried(gate, "next", b"next")
        equal("k", get(gate, "files", "k"), b"after")


@test
def test_first_that_fails_fails_no_read():
    odd = {"plugin": "chaos", "over": "new", "fail": "100",
           "operations": ["put"]}
    with gateway(over=("odd", "old"), odd=odd) as gate:
        put(gate, "old", "k", b"hello")
        for _ in range(5):
            equal("read", get(gate, "files", "k"), b"hello")
        gate.says("an object isn't backfilled, and is tried again")
        equal("breaches", breaches(gate), [])


@test
def test_client_that_leaves_carries_nothing_and_harms_nobody():
    with gateway() as gate:
        put(gate, "old", "k", bytes(16 * MIB))
        with gate.wire(buffer=4096) as wire:
            wire.send(request("GET", at("files", "k")))
            equal("status", wire.head().status, 200)
            wire.reset()
        equal("again", gate.ask("HEAD", at("files", "k")).status, 200)
        put(gate, "old", "last", b"last")
        get(gate, "files", "last")
        carried(gate, "last", b"last")  # which was read later
        equal("carried", get(gate, "new", "k"), 404)
        equal("breaches", breaches(gate), [])


# ---- deletes ---------------------------------------------------------------

@each({name: name for name in ("get", "put", "head")})
def test_delete_is_never_undone(slow):
    """Whatever a backfill is at, when the delete comes: reading, writing, or
    looking at what it read."""
    odd = {"plugin": "chaos", "over": "new" if slow == "put" else "old",
           "operations": [slow], "delay": "40ms"}
    over = ("odd", "old") if slow == "put" else ("new", "odd")
    with gateway(over=over, odd=odd) as gate:
        for turn in range(12):
            key = f"k{turn}"
            put(gate, "old", key, b"hello")
            equal("read", get(gate, "files", key), b"hello")
            pause = threading.Event()
            pause.wait(turn * 0.012)  # somewhere in what follows
            equal("delete", gate.ask("DELETE", at("files", key)).status, 200)
            equal("gone", get(gate, "files", key), 404)
        last_alone_is_carried(gate)


@test
def test_deleted_object_isn_t_even_seen_for_a_moment():
    """The delete comes while the object is on its way, and whoever looked
    only afterwards would need half a second to take it back."""
    over = "putting", "looking"
    parts = {"putting": {"plugin": "chaos", "over": "new", "delay": "200ms",
                         "operations": ["put"]},
             "looking": {"plugin": "chaos", "over": "old", "delay": "500ms",
                         "operations": ["head"]}}
    with gateway(over=over, workers="1", **parts) as gate:
        put(gate, "old", "k", b"hello")
        equal("read", get(gate, "files", "k"), b"hello")
        done = gate.json("POST", "/files/delete", {"keys": ["k"]})
        equal("deleted", done.json["deleted"], ["k"])
        put(gate, "old", "next", b"next")
        get(gate, "files", "next")
        seen = []

        def both():
            seen.append(get(gate, "files", "k"))
            return get(gate, "new", "next") == b"next"
        eventually("the next one in the first one", both)
        equal("k", set(seen), {404})


@test
def test_storm_of_reads_and_deletes_brings_nothing_back():
    with gateway(workers="4") as gate:
        def one(worker):
            for turn in range(25):
                key = f"{worker}-{turn}"
                put(gate, "old", key, b"hello")
                readers = [threading.Thread(
                    target=get, args=(gate, "files", key)) for _ in range(3)]
                for reader in readers:
                    reader.start()
                if turn % 2:
                    readers[0].join()
                gate.ask("DELETE", at("files", key))
                for reader in readers:
                    reader.join()
        threads = [threading.Thread(target=one, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        last_alone_is_carried(gate)


@test
def test_delete_by_another_gateway_is_kept():
    """It changes both storages behind the layer's back, while the object is
    on its way."""
    slow = {"plugin": "chaos", "over": "new", "operations": ["put"],
            "delay": "400ms"}
    with gateway(over=("slow", "old"), slow=slow) as gate:
        put(gate, "old", "k", b"hello")
        equal("read", get(gate, "files", "k"), b"hello")
        for name in "old", "new":
            gate.ask("DELETE", at(name, "k"))
        put(gate, "old", "last", b"last")
        get(gate, "files", "last")
        carried(gate, "last", b"last")
        eventually("only the last one", lambda: gate.keys("") == ["last"])
        equal("k", get(gate, "files", "k"), 404)


# ---- what is taken back ----------------------------------------------------

def late(operation, **fault):
    return {"plugin": "chaos", "over": "old", "operations": [operation],
            **fault}


SLOW = f"{int(400 * kit.SLOWNESS)}ms"


def behind(gate):
    """Whatever was backfilled before is settled."""
    put(gate, "old", "last", b"last")
    get(gate, "files", "last")
    carried(gate, "last", b"last")


@test
def test_upload_of_the_same_bytes_isn_t_taken_back():
    """Another gateway deleted the object, so that what was backfilled is
    removed again, and just then a client uploads it."""
    with gateway(over=("new", "late"), workers="1", late=late(
            "head", delay="400ms")) as gate:
        put(gate, "old", "k", b"hello")
        equal("read", get(gate, "files", "k"), b"hello")
        carried(gate, "k", b"hello")
        gate.ask("DELETE", at("old", "k"))
        among("upload", put(gate, "files", "k", b"hello"), (200, 201, 204))
        equal("at once", get(gate, "files", "k"), b"hello")
        behind(gate)
        equal("later", get(gate, "files", "k"), b"hello")
        equal("breaches", breaches(gate), [])


@test
def test_upload_that_is_gone_again_isn_t_followed_by_the_old_object():
    """As one with X-Expire-After that ends while the old one is on its
    way."""
    with gateway(over=("new", "late"), workers="1", late=late(
            "get", slow=SLOW)) as gate:
        put(gate, "files", "first", b"x")  # reads the gateway's own objects
        put(gate, "old", "k", b"old")
        equal("read", get(gate, "files", "k"), b"old")
        put(gate, "files", "k", b"newer")
        gate.ask("DELETE", at("new", "k"))
        behind(gate)
        equal("in the first one", get(gate, "new", "k"), 404)


@test
def test_look_that_fails_takes_nothing_back():
    odd = {"plugin": "chaos", "over": "old", "fail": "100",
           "operations": ["head"]}
    with gateway(over=("new", "odd"), workers="1", odd=odd) as gate:
        put(gate, "old", "k", b"hello")
        equal("read", get(gate, "files", "k"), b"hello")
        gate.says("'k' was backfilled, or may have been, and whether it still "
                  "is where it was read can't be seen")
        gate.says("an object isn't backfilled")
        equal("in the first one", get(gate, "new", "k"), b"hello")


@test
def test_commit_that_only_seems_to_fail_is_taken_back_too():
    odd = {"plugin": "chaos", "over": "new", "lose": "100",
           "operations": ["put"]}
    with gateway(over=("odd", "late"), workers="1", odd=odd,
                 late=late("get", slow=SLOW)) as gate:
        put(gate, "old", "k", b"hello")
        equal("read", get(gate, "files", "k"), b"hello")
        gate.ask("DELETE", at("old", "k"))
        behind(gate)
        equal("in the first one", get(gate, "new", "k"), 404)
        equal("breaches", breaches(gate), [])


# ---- S3 --------------------------------------------------------------------

@test
def test_bucket_is_left_for_a_disk():
    s3 = shared()
    s3.create("backfill")
    bucket = backend(s3, "backfill")
    del bucket["directory"]
    data = noise(6 * MIB)
    with gateway(over=("new", "bucket"), bucket=bucket) as gate:
        put(gate, "bucket", "k", data)
        put(gate, "bucket", "l", b"hello")
        s3.forget()
        for _ in range(3):
            expect(get(gate, "files", "k") == data, "other bytes")
        get(gate, "files", "l")
        carried(gate, "l", b"hello")
        carried(gate, "k", data)
        equal("delete", gate.ask("DELETE", at("files", "l")).status, 200)
        equal("left", gate.keys(""), ["k"])
        s3.forget()
        expect(get(gate, "files", "k") == data, "other bytes")
        equal("asked", s3.requests("GET"), [])
        equal("breaches", breaches(gate), [])


@test
def test_first_that_replaces_whatever_is_there_is_refused():
    bucket = backend(shared("b2"))
    del bucket["directory"]
    refusal({"backends": {
        "bucket": bucket,
        "files": {"plugin": "fallback", "over": ["bucket", "main"],
                  "backfill": "true"}}}, "can't refuse to replace an object")


if __name__ == "__main__":
    kit.main()

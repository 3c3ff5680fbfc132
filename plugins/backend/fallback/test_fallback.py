#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `fallback`: several storages as one, of which the first is
written."""
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import (Gateway, MIB, each, equal, expect, quote, refusal, request,
                 test)  # noqa: E402

STORES = ("new", "old", "older")


def gateway(over=STORES, **more):
    """Each store is a part of one storage, so that they cost little."""
    parts = {name: {"plugin": "prefix", "over": "main", "prefix": f"{name}/"}
             for name in STORES}
    parts.update(more)
    return Gateway({
        "server": {"workers": "1"},
        "backends": {**parts,
                     "files": {"plugin": "fallback", "over": list(over)}},
        "routes": [{"mount": f"/{name}", "backend": name}
                   for name in ("files", *STORES)]})


def at(mount, key):
    return f"/{mount}/object?key={quote(key, safe='')}"


def put(gate, mount, key, data=b"x", *lines):
    return gate.ask("PUT", at(mount, key), *lines, body=data).status


def get(gate, mount, key):
    answer = gate.ask("GET", at(mount, key))
    return answer.body if answer.status == 200 else answer.status


def breaches(gate):
    return [line for line in gate.lines if "breaks the contract" in line]


@test
def test_first_store_that_has_it_answers():
    with gateway() as gate:
        for depth, key in enumerate("abc"):
            for name in STORES[depth:]:
                put(gate, name, key, name.encode())
        equal("bodies", [get(gate, "files", key) for key in "abcd"],
              [b"new", b"old", b"older", 404])
        heads = [gate.ask("HEAD", at("files", key)) for key in "abcd"]
        equal("heads", [head.status for head in heads], [200, 200, 200, 404])
        equal("range", gate.ask("GET", at("files", "c"),
                                "Range: bytes=1-2").body, b"ld")


@test
def test_large_object_streams_from_behind():
    data = bytes(range(256)) * (3 * MIB // 256)
    with gateway() as gate:
        put(gate, "older", "k", data)
        expect(get(gate, "files", "k") == data, "other bytes")
        equal("breaches", breaches(gate), [])


@test
def test_client_may_leave_in_the_middle():
    with gateway() as gate:
        put(gate, "older", "k", bytes(16 * MIB))
        with gate.wire(buffer=4096) as wire:
            wire.send(request("GET", at("files", "k")))
            equal("status", wire.head().status, 200)
            wire.reset()
        equal("again", gate.ask("HEAD", at("files", "k")).status, 200)
        equal("breaches", breaches(gate), [])


@test
def test_new_objects_go_to_the_first_alone():
    with gateway() as gate:
        put(gate, "old", "k", b"before")
        put(gate, "files", "k", b"after")
        equal("all", [get(gate, name, "k") for name in ("files", *STORES)],
              [b"after", b"after", b"before", 404])


@test
def test_store_that_fails_isn_t_passed_over():
    """An older object behind it may not be taken for the one it has."""
    odd = {"plugin": "chaos", "over": "new", "fail": "100",
           "operations": ["head", "get"]}
    with gateway(over=("odd", "old"), odd=odd) as gate:
        put(gate, "old", "k", b"before")
        equal("get", get(gate, "files", "k"), 502)
        equal("head", gate.ask("HEAD", at("files", "k")).status, 502)


# ---- conditions ------------------------------------------------------------

@each({name: name for name in STORES})
def test_exclusive_upload_replaces_nothing_anywhere(name):
    with gateway() as gate:
        put(gate, name, "k", b"before")
        equal("put", put(gate, "files", "k", b"x", "If-None-Match: *"), 412)
        equal("bytes", get(gate, "files", "k"), b"before")
        equal("another", put(gate, "files", "l", b"y", "If-None-Match: *"),
              201)
        equal("new", get(gate, "new", "l"), b"y")
        equal("breaches", breaches(gate), [])


@test
def test_exclusive_upload_fails_where_one_behind_can_t_tell():
    odd = {"plugin": "chaos", "over": "old", "fail": "100",
           "operations": ["head"]}
    with gateway(over=("new", "odd"), odd=odd) as gate:
        equal("put", put(gate, "files", "k", b"x", "If-None-Match: *"), 502)
        equal("new", get(gate, "new", "k"), 404)


@test
def test_other_conditions_aren_t_offered():
    with gateway() as gate:
        put(gate, "old", "k")
        tag = gate.ask("HEAD", at("files", "k")).header("etag")
        equal("put", put(gate, "files", "k", b"y", f"If-Match: {tag}"), 501)
        equal("delete", gate.ask("DELETE", at("files", "k"),
                                 f"If-Match: {tag}").status, 501)
        equal("bytes", get(gate, "files", "k"), b"x")


# ---- deletes ---------------------------------------------------------------

@test
def test_delete_leaves_it_nowhere():
    with gateway() as gate:
        for name in STORES:
            put(gate, name, "k", name.encode())
        put(gate, "older", "l")
        equal("delete", gate.ask("DELETE", at("files", "k")).status, 200)
        equal("all", [get(gate, name, "k") for name in ("files", *STORES)],
              [404] * 4)
        done = gate.json("POST", "/files/delete", {"keys": ["l", "no"]}).json
        equal("many", sorted(done["deleted"]), ["l", "no"])
        equal("older", get(gate, "older", "l"), 404)


@test
def test_delete_that_fails_behind_leaves_the_first_as_it_was():
    odd = {"plugin": "chaos", "over": "old", "fail": "100",
           "operations": ["remove"]}
    with gateway(over=("new", "odd"), odd=odd) as gate:
        for name in "new", "old":
            put(gate, name, "k", name.encode())
        equal("delete", gate.ask("DELETE", at("files", "k")).status, 502)
        equal("bytes", get(gate, "files", "k"), b"new")


# ---- lists -----------------------------------------------------------------

def pages(gate, limit, between=lambda page: None, **query):
    """All pages, in the order in which they come."""
    cursor, found = None, []
    while True:
        words = {"prefix": "", "limit": limit, **query}
        if cursor is not None:
            words["cursor"] = cursor
        text = "&".join(f"{name}={quote(str(value), safe='')}"
                        for name, value in words.items())
        answer = gate.ask("GET", f"/files?{text}")
        equal("status", answer.status, 200)
        page = answer.json
        found.append(page)
        expect(len(page["objects"]) + len(page.get("prefixes", ())) <= limit,
               "more than were asked for")
        cursor = page.get("next_cursor")
        if cursor is None:
            return found
        between(page)


def filled(gate, count, seed=1):
    numbers = random.Random(seed)
    kept = {}
    for name in reversed(STORES):
        for _ in range(count):
            key = "/".join(numbers.choice("abcdé")
                           for _ in range(numbers.randint(1, 3)))
            data = bytes(numbers.randint(1, 50))
            put(gate, name, key, data)
            kept[key] = len(data)
    return kept


@each({"1": 1, "2": 2, "7": 7, "1000": 1000})
def test_list_is_one_order_of_all_stores(limit):
    with gateway() as gate:
        kept = filled(gate, 20)
        found = [(one["key"], one["size_bytes"])
                 for page in pages(gate, limit) for one in page["objects"]]
        equal("list", found, sorted(kept.items(),
                                    key=lambda pair: pair[0].encode()))
        equal("breaches", breaches(gate), [])


@each({"1": 1, "3": 3, "1000": 1000})
def test_delimiter_folds_over_all_stores(limit):
    with gateway() as gate:
        kept = filled(gate, 20)
        found = pages(gate, limit, delimiter="/")
        names = [key for page in found for key in page["prefixes"]]
        equal("folded", sorted(names),
              sorted({key.split("/")[0] + "/" for key in kept if "/" in key}))
        keys = [one["key"] for page in found for one in page["objects"]]
        equal("keys", keys, sorted((key for key in kept if "/" not in key),
                                   key=str.encode))


@test
def test_list_misses_nothing_while_objects_come_and_go():
    with gateway() as gate:
        steady = [f"{number:03d}" for number in range(0, 60, 2)]
        for number, key in enumerate(steady):
            put(gate, STORES[number % 3], key)
        gone = [f"{number:03d}" for number in range(1, 60, 2)]
        for number, key in enumerate(gone):
            put(gate, STORES[number % 3], key)

        def between(_):
            if gone:
                gate.ask("DELETE", at("files", gone.pop(0)))
                put(gate, "new", f"{len(gone):03d}-more")
        keys = [one["key"] for page in pages(gate, 4, between)
                for one in page["objects"]]
        equal("order", keys, sorted(set(keys)))
        equal("steady", [key for key in keys if key in steady], steady)


@test
def test_cursor_of_another_list_is_refused():
    with gateway() as gate:
        filled(gate, 10)
        cursor = gate.ask("GET", "/files?prefix=&limit=1").json["next_cursor"]
        equal("status", gate.ask(
            "GET", f"/files?prefix=a&limit=1&cursor={cursor}").status, 400)


# ---- the rest --------------------------------------------------------------

@test
def test_copies_and_links_work():
    with gateway() as gate:
        put(gate, "old", "a", b"hello")
        equal("copy", gate.json("POST", "/files/copy",
                                {"from": "a", "to": "b"}).status in
              (201, 501), True)
        link = gate.json("POST", "/files/presign", {"key": "a"}).json["url"]
        equal("bytes", gate.ask("GET", link[link.index("/files/"):]).body,
              b"hello")


@test
def test_resumable_upload_isn_t_offered():
    with gateway() as gate:
        equal("status", gate.ask("POST", "/files/uploads",
                                 "Tus-Resumable: 1.0.0",
                                 "Upload-Length: 5").status, 501)


@test
def test_store_of_another_kind_may_lie_behind():
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder, "key")
        key.write_text("0123456789abcdef" * 4)
        key.chmod(0o600)
        safe = {"plugin": "encrypt", "over": "new", "key_file": str(key)}
        with gateway(over=("safe", "old"), safe=safe) as gate:
            put(gate, "old", "a", b"plain")
            put(gate, "files", "b", b"sealed")
            equal("a", get(gate, "files", "a"), b"plain")
            equal("b", get(gate, "files", "b"), b"sealed")
            expect(b"sealed" not in get(gate, "new", "b"), "it lies plain")
            equal("keys", gate.keys(""), ["a", "b"])


def refused(count, why):
    names = [f"b{number}" for number in range(count)]
    refusal({"backends": {
        **{name: {"plugin": "prefix", "over": "main", "prefix": f"{name}/"}
           for name in names},
        "files": {"plugin": "fallback", "over": names}}}, why)


@test
def test_no_name_and_seventeen_names_are_refused():
    refused(0, "over")
    refused(17, "16")


@test
def test_sixteen_names_are_taken():
    names = [f"b{number}" for number in range(16)]
    parts = {name: {"plugin": "prefix", "over": "main", "prefix": f"{name}/"}
             for name in names}
    with gateway(over=names, **parts) as gate:
        put(gate, "files", "k")
        equal("keys", gate.keys(""), ["k"])


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("fallback.yaml"))


if __name__ == "__main__":
    kit.main()

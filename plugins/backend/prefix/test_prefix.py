#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `prefix`: a part of a storage as a store of its own."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import (Gateway, each, equal, expect, quote, refusal,
                 test)  # noqa: E402

LAYERS = {"ann": {"plugin": "prefix", "over": "main", "prefix": "t/ann/"},
          "bob": {"plugin": "prefix", "over": "main", "prefix": "t/bob/"}}
ROUTES = [{"mount": "/all", "backend": "main"},
          {"mount": "/files", "backend": "ann"},
          {"mount": "/bob", "backend": "bob"}]


def gateway(**more):
    return Gateway({"backends": LAYERS, "routes": ROUTES, **more})


def put(gate, mount, key, data=b"x"):
    equal("put", gate.ask("PUT", f"{mount}/object?key={quote(key, safe='')}",
                          body=data).status, 201)


def get(gate, mount, key):
    answer = gate.ask("GET", f"{mount}/object?key={quote(key, safe='')}")
    return answer.body if answer.status == 200 else answer.status


def names(gate, mount, prefix="", **more):
    query = "&".join([f"prefix={quote(prefix, safe='')}"] +
                     [f"{name}={value}" for name, value in more.items()])
    return gate.ask("GET", f"{mount}?{query}").json


def keys(gate, mount, prefix=""):
    return [one["key"] for one in names(gate, mount, prefix)["objects"]]


@test
def test_key_gets_the_prefix_below():
    with gateway() as gate:
        put(gate, "/files", "a/b", b"hello")
        equal("here", get(gate, "/files", "a/b"), b"hello")
        equal("below", get(gate, "/all", "t/ann/a/b"), b"hello")
        equal("beside", get(gate, "/bob", "a/b"), 404)
        equal("keys", keys(gate, "/files"), ["a/b"])
        equal("keys below", keys(gate, "/all"), ["t/ann/a/b"])


@test
def test_list_has_this_part_alone():
    with gateway() as gate:
        for key in "t/anna/x", "t/ann/y/1", "t/ann/y/2", "t/ann/z", "t/bob/y":
            put(gate, "/all", key)
        equal("keys", keys(gate, "/files"), ["y/1", "y/2", "z"])
        page = names(gate, "/files", delimiter="/")
        equal("folded", (page["prefixes"], len(page["objects"])),
              (["y/"], 1))
        page = names(gate, "/files", limit=1)
        equal("first", [one["key"] for one in page["objects"]], ["y/1"])
        page = names(gate, "/files", cursor=page["next_cursor"])
        equal("rest", [one["key"] for one in page["objects"]], ["y/2", "z"])


@test
def test_many_are_deleted_here_alone():
    with gateway() as gate:
        for mount in "/files", "/bob":
            for key in "d/1", "d/2", "e":
                put(gate, mount, key)
        done = gate.json("POST", "/files/delete",
                         {"keys": ["e", "../bob/e", "none"]}).json
        equal("deleted", sorted(done["deleted"]), ["e", "none"])
        gate.json("POST", "/files/delete", {"prefix": "d/"})
        equal("here", keys(gate, "/files"), [])
        equal("beside", keys(gate, "/bob"), ["d/1", "d/2", "e"])


@test
def test_key_that_is_too_long_for_the_prefix_stops_no_other_delete():
    long = ["k" * 1019, "l" * 1024]
    with gateway() as gate:
        put(gate, "/files", "a")
        put(gate, "/files", "b")
        for wanted in ([long[0], "a", long[1], "b"], long):
            done = gate.json("POST", "/files/delete", {"keys": wanted})
            equal("status", done.status, 200)
            equal("deleted", sorted(done.json["deleted"]), sorted(wanted))
        equal("here", keys(gate, "/files"), [])


@test
def test_copy_and_move_stay_here():
    with gateway() as gate:
        put(gate, "/files", "a", b"hello")
        equal("copy", gate.json("POST", "/files/copy", {
            "from": "a", "to": "b"}).status, 201)
        equal("move", gate.json("POST", "/files/move", {
            "from": "a", "to": "c"}).status, 201)
        equal("keys below", keys(gate, "/all"), ["t/ann/b", "t/ann/c"])


@test
def test_link_is_for_this_part():
    with gateway() as gate:
        put(gate, "/files", "a", b"ann's")
        put(gate, "/bob", "a", b"bob's")
        link = gate.json("POST", "/files/presign", {"key": "a"}).json["url"]
        target = link[link.index("/files/"):]
        equal("bytes", gate.ask("GET", target).body, b"ann's")
        equal("beside", gate.ask("GET", target.replace(
            "/files/", "/bob/")).status, 403)


@test
def test_resumable_upload_lands_here():
    with gateway() as gate:
        made = gate.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                        "Upload-Length: 5", "Upload-Metadata: filename YQ==")
        equal("status", made.status, 201)
        where = made.header("location")
        where = where[where.index("/files/"):]
        done = gate.ask("PATCH", where, "Tus-Resumable: 1.0.0",
                        "Upload-Offset: 0",
                        "Content-Type: application/offset+octet-stream",
                        body=b"hello")
        equal("status", done.status, 204)
        key = keys(gate, "/files")[0]
        equal("bytes", get(gate, "/all", "t/ann/" + key), b"hello")


@test
def test_names_of_the_gateway_are_out_of_reach():
    """This store's secret isn't one of the other's objects."""
    with gateway() as gate:
        put(gate, "/files", "a")
        gate.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                 "Upload-Length: 5")
        equal("keys below", keys(gate, "/all"), ["t/ann/a"])
        with kit.index_of(gate.folder) as index:
            own = [key for (key,) in index.execute("SELECT key FROM object")
                   if b".sluice" in key]
        expect(own, "it has no secret")
        equal("own", [key for key in own
                      if not key.startswith(b".sluice/at/t/ann/")], [])


@test
def test_key_may_be_as_long_as_the_prefix_leaves():
    with gateway() as gate:
        put(gate, "/files", "k" * 1018)
        equal("keys", keys(gate, "/files"), ["k" * 1018])
        for key in "k" * 1019, "k" * 1024:
            answer = gate.ask("PUT", f"/files/object?key={key}", body=b"x")
            equal("put", answer.status, 400)
            equal("get", get(gate, "/files", key), 400)


REFUSED = {
    "empty": ("", "'' is no folder; write one that ends in /"),
    "no_slash": ("a", "'a' is no folder"),
    "slash": ("/", "'/' is no folder"),
    "in_front": ("/a/", "is no folder"),
    "twice": ("a//b/", "is no folder"),
    "own": (".sluice/a/", "names below .sluice/ are the gateway's own"),
    "long": ("a" * 512 + "/", "longer than 512 bytes")}


@each(REFUSED)
def test_prefix_that_is_none_stops_the_start(case):
    prefix, why = case
    refusal({"backends": {"ann": {"plugin": "prefix", "over": "main",
                                  "prefix": prefix}}}, why)


@test
def test_prefix_of_512_bytes_is_taken():
    with Gateway({"backends": {"ann": {
            "plugin": "prefix", "over": "main",
            "prefix": "a" * 511 + "/"}}}) as gate:
        equal("status", gate.ask("GET", "/readyz").status, 200)


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("prefix.yaml"))


if __name__ == "__main__":
    kit.main()

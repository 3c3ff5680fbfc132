#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""POST /files/delete: many objects by their keys, or below a prefix."""
import json

from kit import (MIB, Gateway, chunked, each, equal, eventually, expect,
                 head, main, request, test)
from objectskit import SLOW, STALL, WITNESS, put, slow_hook, witnessed

JSON = "Content-Type: application/json"


def delete(gateway, **document):
    return gateway.json("POST", "/files/delete", document)


def filled(gateway, *keys, data=b"xyz"):
    for key in keys:
        put(gateway, key, data)


# ---- by keys ----------------------------------------------------------------

@test
def test_each_key_is_in_one_of_both_lists_once():
    with Gateway() as gateway:
        filled(gateway, "a", "b", "c")
        answer = delete(gateway, keys=["a", "none", "a", "b/../c", "b", "",
                                       "b/../c", "x\0", "n" * 1025])
        said = answer.json
        equal("status", answer.status, 200)
        equal("deleted", sorted(said["deleted"]), ["a", "b", "none"])
        equal("failed", sorted((one["key"], one["code"])
                               for one in said["failed"]),
              [("", "bad_key"), ("b/../c", "bad_key"),
               ("n" * 1025, "bad_key"), ("x\0", "bad_key")])
        equal("left", gateway.keys(""), ["c"])


@test
def test_a_thousand_keys_are_deleted_and_one_more_is_refused():
    keys = [f"k/{number:04}" for number in range(1001)]
    with Gateway() as gateway:
        with gateway.wire() as wire:
            for key in keys:
                wire.ask("PUT", f"/files/object?key={key}", body=b"x")
        answer = delete(gateway, keys=keys)
        equal("refusal", (answer.status, answer.json["code"]),
              (400, "bad_request"))
        equal("left", len(gateway.keys("k/")), 1000) # of a page
        answer = delete(gateway, keys=keys[:1000])
        equal("deleted", sorted(answer.json["deleted"]), keys[:1000])
        equal("left", gateway.keys("k/"), keys[1000:])


REFUSED = {
    "nothing": ({}, "bad_request"),
    "both": ({"keys": ["a"], "prefix": "a/"}, "bad_request"),
    "no list": ({"keys": "a"}, "bad_request"),
    "no key": ({"keys": []}, "bad_request"),
    "number": ({"keys": ["a", 1]}, "bad_request"),
    "null": ({"keys": ["a", None]}, "bad_request"),
    "dry_run beside keys": ({"keys": ["a"], "dry_run": True}, "bad_request"),
    "dry_run that is false": ({"keys": ["a"], "dry_run": False},
                              "bad_request"),
    "dry_run that is none": ({"prefix": "a/", "dry_run": 1}, "bad_request"),
    "prefix without end": ({"prefix": "a"}, "bad_prefix"),
    "empty prefix": ({"prefix": ""}, "bad_prefix"),
    "root": ({"prefix": "/"}, "bad_prefix"),
    "dots": ({"prefix": "a/../"}, "bad_prefix"),
    "the gateway's own": ({"prefix": ".sluice/"}, "bad_key"),
    "its own below slashes": ({"prefix": "//.sluice/links/"}, "bad_key"),
    "number for a prefix": ({"prefix": 1}, "bad_prefix"),
    "NUL": ({"prefix": "a\0/"}, "bad_prefix"),
    "list": ([], "bad_json")}


@each(REFUSED)
def test_refusal_deletes_nothing(case):
    document, code = case
    with Gateway() as gateway:
        filled(gateway, "a", "a/b")
        answer = gateway.json("POST", "/files/delete", document)
        equal("refusal", (answer.status, answer.json["code"]), (400, code))
        equal("left", gateway.keys(""), ["a", "a/b"])


@test
def test_request_without_a_body_is_refused_as_no_json():
    with Gateway() as gateway:
        for lines in ([], ["Content-Length: 0"]):
            answer = gateway.ask("POST", "/files/delete", *lines)
            equal("refusal", (answer.status, answer.json["code"]),
                  (400, "bad_json"))


def padded(size):
    body = json.dumps({"keys": ["a"]}).encode()
    return body + b" " * (size - len(body))


@each({"by length": False, "in chunks": True})
def test_two_mebibytes_are_taken_and_one_byte_more_is_not(in_chunks):
    with Gateway() as gateway:
        filled(gateway, "a")
        for size, status in ((2 * MIB + 1, 413), (2 * MIB, 200)):
            with gateway.wire() as wire:
                if in_chunks:
                    wire.send(head("POST", "/files/delete", JSON,
                                   "Transfer-Encoding: chunked") +
                              chunked(padded(size)))
                else:
                    wire.send(request("POST", "/files/delete", JSON,
                                      body=padded(size)))
                equal("status", wire.answer().status, status)
        equal("left", gateway.keys(""), [])


@test
def test_a_document_has_4096_values_at_most():
    """All of it and its one key, the list, its text, and then numbers."""
    with Gateway() as gateway:
        for extra, code in ((0, "bad_request"), (1, "bad_json")):
            # "{", ":" and "[" begin a value each, and each comma does.
            numbers = ",".join(["1"] * (4096 - 3 + extra))
            answer = gateway.ask("POST", "/files/delete", JSON,
                                 body=b'{"keys":[%s]}' % numbers.encode())
            equal("refusal", (answer.status, answer.json["code"]),
                  (400, code))


@test
def test_memory_of_a_batch_is_bounded():
    """Three times what may come, and the keys: more than there is."""
    with Gateway({"limits": {"memory": "4MiB"}}) as gateway:
        filled(gateway, "a")
        answer = gateway.ask("POST", "/files/delete", JSON,
                             body=padded(2 * MIB))
        equal("refusal", (answer.status, answer.json["code"]),
              (503, "overloaded"))
        equal("status", delete(gateway, keys=["a"]).status, 200)
        for _ in range(50):
            equal("status", delete(gateway, keys=["a"] * 1000).status, 200)


# ---- below a prefix ---------------------------------------------------------

@test
def test_prefix_takes_what_is_below_and_nothing_else():
    with Gateway() as gateway:
        filled(gateway, "r/1", "r/2/3", "r", "r2", "ra/1")
        for dry in (True, False):
            answer = delete(gateway, prefix="r/", dry_run=dry)
            equal("answer", (answer.status, answer.json),
                  (200, {"deleted": 2, "size_bytes": 6, "failed": [],
                         "truncated": False}))
            left = ["r", "r/1", "r/2/3", "r2", "ra/1"] if dry else [
                "r", "r2", "ra/1"]
            equal("left", gateway.keys(""), left)
        equal("once more", delete(gateway, prefix="r/").json["deleted"], 0)


@test
def test_prefix_of_more_than_a_thousand_is_truncated():
    with Gateway() as gateway:
        with gateway.wire() as wire:
            for number in range(1001):
                wire.ask("PUT", f"/files/object?key=r/{number}", body=b"x")
        for dry, want in ((True, (1000, True)), (False, (1000, True)),
                          (False, (1, False)), (False, (0, False))):
            said = delete(gateway, prefix="r/", dry_run=dry).json
            equal("answer", (said["deleted"], said["truncated"]), want)


# ---- a backend that removes one at a time -----------------------------------

@test
def test_keys_that_the_storage_keeps_are_told_beside_the_others():
    with Gateway(STALL) as gateway:
        filled(gateway, "a", "b", "fail/1")
        said = delete(gateway, keys=["a", "fail/1", "b", "none"]).json
        equal("deleted", sorted(said["deleted"]), ["a", "b", "none"])
        equal("failed", [(one["key"], one["code"]) for one in said["failed"]],
              [("fail/1", "storage_failed")])
        gateway.says("storage_failed|upstream_failed")
        said = delete(gateway, keys=["fail/1"]).json
        equal("all failed", (said["deleted"], len(said["failed"])), ([], 1))
        said = delete(gateway, prefix="fail/").json
        equal("below a prefix", (said["deleted"], said["size_bytes"],
                                 len(said["failed"]), said["truncated"]),
              (0, 0, 1, False))


@test
def test_two_hundred_removes_go_through_in_their_turn():
    keys = [f"k/{number}" for number in range(200)]
    with Gateway(STALL) as gateway:
        filled(gateway, *keys)
        equal("deleted", sorted(delete(gateway, keys=keys).json["deleted"]),
              sorted(keys))
        equal("left", gateway.keys("k/"), [])


# ---- hooks ------------------------------------------------------------------

@test
def test_hooks_are_asked_and_told_of_each_key():
    with Gateway({**WITNESS, **{key: STALL[key] for key in
                                ("backends", "routes")}}) as gateway:
        filled(gateway, "a", "b")
        delete(gateway, keys=["a", "fail/1", "a", "b", "x/.."])
        equal("asked", witnessed(gateway, "key", "a", "b", times=2)[-3:],
              [("delete", "a"), ("delete", "fail/1"), ("delete", "b")])
        equal("told", witnessed(gateway, "change", "a", "b", times=2)[-2:],
              [("delete", "a"), ("delete", "b")])


@test
def test_hooks_are_asked_of_a_prefix_and_told_of_each_object():
    with Gateway(WITNESS) as gateway:
        filled(gateway, "r/1", "r/2")
        delete(gateway, prefix="r/", dry_run=True)
        delete(gateway, prefix="r/")
        equal("asked", witnessed(gateway, "key", "r/", times=2)[-2:],
              [("delete", "r/")] * 2)
        equal("told", witnessed(gateway, "change", "r/1", "r/2",
                                times=2)[-2:],
              [("delete", "r/1"), ("delete", "r/2")])


@test
def test_slow_hook_delays_the_answer_once_and_is_told_of_all():
    with slow_hook("change_late", SLOW, SLOW * 3 // 2) as gateway:
        filled(gateway, "a", "b", "c", "d")
        said = delete(gateway, keys=["a", "b", "c", "d"]).json
        equal("deleted", said["deleted"], ["a", "b", "c", "d"])
        expect(not any("change: delete d" in line for line in gateway.lines),
               "it waited for all of them")
        witnessed(gateway, "change", "a", "b", "c", "d", times=2)
        gateway.says("the hook didn't let the answer go in time")
        gateway.alive()


@test
def test_silent_hook_costs_a_batch_one_wait():
    with slow_hook("change_never", 0, SLOW) as gateway:
        said = delete(gateway, keys=["a", "b", "c"]).json
        equal("deleted", said["deleted"], ["a", "b", "c"])
        eventually("an end", lambda: any(
            " log: delete" in line for line in gateway.lines))


@test
def test_client_that_leaves_a_batch_is_told_of_all_the_same():
    """One key never ends: it is canceled, and the others are told of."""
    with slow_hook("well", 0, SLOW, {key: STALL[key] for key in
                                     ("backends", "routes")}) as gateway:
        filled(gateway, "a", "b")
        with gateway.wire() as wire:
            body = json.dumps({"keys": ["a", "hang/1", "b"]}).encode()
            wire.send(request("POST", "/files/delete", JSON, body=body))
            eventually("a gone", lambda: gateway.keys("a") == [])
            wire.reset()
        equal("told", witnessed(gateway, "change", "a", "b", times=2)[-2:],
              [("delete", "a"), ("delete", "b")])
        expect(not any("change: delete hang/1" in line
                       for line in gateway.lines), "that isn't gone")


@test
def test_client_that_leaves_before_its_body_is_over_deletes_nothing():
    with Gateway() as gateway:
        filled(gateway, "a")
        base = gateway.quiet()
        with gateway.wire() as wire:
            wire.send(head("POST", "/files/delete", JSON,
                           "Content-Length: 100") + b'{"keys": ["a"]')
            wire.reset()
        gateway.settles(base)
        equal("left", gateway.keys(""), ["a"])


if __name__ == "__main__":
    main()

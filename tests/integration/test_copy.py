#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""POST /files/copy and /files/move: what goes along, what is refused, what
hooks are asked and told, and that nothing is ever lost."""
import os

from kit import (MIB, Gateway, among, each, equal, eventually,
                 expect, faulty, head, main, md5, request, test)
from objectskit import (BAD_KEYS, SLOW, STALL, WITNESS, get, is_there, put,
                        slow_hook, together, witnessed)


def carry(gateway, word, source, to, **more):
    return gateway.json("POST", f"/files/{word}",
                        {"from": source, "to": to, **more})


# ---- what goes along --------------------------------------------------------

@each({f"{word} of {size}": (word, size) for word in ("copy", "move")
       for size in (0, 1, 65536, 65537, 5 * MIB + 1)})
def test_bytes_type_and_metadata_go_along(case):
    word, size = case
    data = os.urandom(size)
    with Gateway() as gateway:
        put(gateway, "a", data, "Content-Type: text/css", "X-User-Id: ann",
            'Content-Disposition: attachment; filename="Plan.css"')
        before = get(gateway, "a")
        answer = carry(gateway, word, "a", "b/c")
        equal("answer", (answer.status, answer.json),
              (201, {"key": "b/c", "size_bytes": size,
                     "content_type": "text/css", "etag": md5(data)}))
        after = is_there(gateway, "b/c", data)
        for name in ("content-type", "content-disposition", "etag"):
            equal(name, after.header(name), before.header(name))
        equal("source", get(gateway, "a").status,
              404 if word == "move" else 200)


@test
def test_bytes_go_along_where_the_kernel_copies_none():
    data = os.urandom(3 * MIB + 1)
    with Gateway(env={"LD_PRELOAD": str(faulty()), "COPIES_NOTHING": "1",
                      "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
                      ":verify_asan_link_order=0"}) as gateway:
        put(gateway, "a", data)
        equal("status", carry(gateway, "copy", "a", "b").status, 201)
        is_there(gateway, "b", data)


@each({"copy": "copy", "move": "move"})
def test_object_at_the_target_is_replaced_only_when_asked(word):
    with Gateway() as gateway:
        put(gateway, "a", b"new")
        put(gateway, "b", b"old")
        for more in ({}, {"replace": False}):
            answer = carry(gateway, word, "a", "b", **more)
            equal("refusal", (answer.status, answer.json["code"]),
                  (409, "object_exists"))
        is_there(gateway, "a", b"new")
        is_there(gateway, "b", b"old")
        equal("status", carry(gateway, word, "a", "b", replace=True).status,
              200)
        is_there(gateway, "b", b"new")


@test
def test_copy_of_a_large_object_outlives_its_source():
    data = os.urandom(3 * MIB)
    with Gateway() as gateway:
        put(gateway, "a", data)
        carry(gateway, "copy", "a", "b")
        put(gateway, "a", b"other")
        gateway.ask("DELETE", "/files/object?key=a")
        is_there(gateway, "b", data)


# ---- refusals ---------------------------------------------------------------

REFUSED = {
    "no from": ({"to": "b"}, 400, "missing_key"),
    "no to": ({"from": "a"}, 400, "missing_key"),
    "same": ({"from": "a", "to": "a"}, 400, "bad_key"),
    "number": ({"from": 1, "to": "b"}, 400, "bad_key"),
    "list": ({"from": "a", "to": ["b"]}, 400, "bad_key"),
    "word for replace": ({"from": "a", "to": "b", "replace": "true"}, 400,
                         "bad_request"),
    "null for replace": ({"from": "a", "to": "b", "replace": None}, 400,
                         "bad_request"),
    "number for unguarded": ({"from": "a", "to": "b", "unguarded": 1}, 400,
                             "bad_request"),
    "list of it all": ([], 400, "bad_json"),
    "absent": ({"from": "none", "to": "b"}, 404, "object_not_found"),
    **{f"{word} in from": ({"from": key, "to": "b"}, 400, "bad_key")
       for word, key in BAD_KEYS.items() if word in ("dot", "dots",
                                                     "1025 bytes")},
    **{f"{word} in to": ({"from": "a", "to": key}, 400, "bad_key")
       for word, key in BAD_KEYS.items()}}


@each({f"{word}, {name}": (word, *row) for word in ("copy", "move")
       for name, row in REFUSED.items()})
def test_refusal_changes_nothing(case):
    word, document, status, code = case
    with Gateway() as gateway:
        put(gateway, "a", b"x")
        answer = gateway.json("POST", f"/files/{word}", document)
        equal("refusal", (answer.status, answer.json["code"]), (status, code))
        equal("keys", gateway.keys(""), ["a"])


@test
def test_backend_without_abilities_copies_nothing():
    with Gateway(STALL) as gateway:
        put(gateway, "a", b"x")
        for word in ("copy", "move"):
            for more in ({}, {"replace": True}, {"unguarded": True}):
                answer = carry(gateway, word, "a", "b", **more)
                equal("refusal", (answer.status, answer.json["code"]),
                      (501, "not_implemented"))
        equal("keys", gateway.keys(""), ["a"])


# ---- many at once -----------------------------------------------------------

@test
def test_of_many_copies_to_a_free_key_one_wins():
    with Gateway({"server": {"workers": "4"}}) as gateway:
        for number in range(32):
            put(gateway, f"from/{number}", b"%03d" % number)
        for word, to in (("copy", "x"), ("move", "y")):
            got = together(32, lambda n, word=word, to=to: carry(
                gateway, word, f"from/{n}", to).status)
            equal("statuses", sorted(got), [201] + [409] * 31)
            is_there(gateway, to, b"%03d" % got.index(201))
        equal("left", len(gateway.keys("from/")), 31)


@test
def test_of_many_moves_of_one_object_one_wins_and_nothing_is_lost():
    with Gateway({"server": {"workers": "4"}}) as gateway:
        put(gateway, "a", b"x")
        got = together(32, lambda n: carry(gateway, "move", "a",
                                           f"to/{n}").status)
        expect(201 in got and set(got) <= {201, 404}, f"statuses {got}")
        equal("source", get(gateway, "a").status, 404)
        for number, status in enumerate(got):
            if status == 201:
                is_there(gateway, f"to/{number}", b"x")


@test
def test_move_never_removes_what_was_written_meanwhile():
    """The bytes that were acknowledged last are at one of both keys."""
    with Gateway({"server": {"workers": "4"}}) as gateway:
        for turn in range(60):
            put(gateway, "a", b"old")
            data = b"new %d" % turn
            got = together(2, lambda n, data=data: put(
                gateway, "a", data).status if n else carry(
                    gateway, "move", "a", "b", replace=True).status)
            among("status of the move", got[0], (200, 201, 409))
            there = [get(gateway, key).body for key in "ab"]
            expect(data in there, f"{data} is lost: {got}, {there}")


# ---- hooks ------------------------------------------------------------------

OPERATIONS = {  # word, replace: keys that are asked about, changes
    ("copy", False): ([("download", "a"), ("upload", "b")], []),
    ("copy", True): ([("download", "a"), ("replace", "b")], []),
    ("move", False): ([("download", "a"), ("upload", "b"), ("delete", "a")],
                      [("delete", "a")]),
    ("move", True): ([("download", "a"), ("replace", "b"), ("delete", "a")],
                     [("delete", "a")])}


@each({f"{word} {replace}": (word, replace, *rest)
       for (word, replace), rest in OPERATIONS.items()})
def test_hooks_are_asked_and_told_of_each_key(case):
    word, replace, keys, changes = case
    with Gateway(WITNESS) as gateway:
        put(gateway, "a", b"x")
        equal("status", carry(gateway, word, "a", "b",
                              replace=replace).status, 201)
        equal("log", witnessed(gateway, "log", "-", times=2)[1:],
              [("copy", "-")])
        equal("request", witnessed(gateway, "request", "-")[1:],
              [("copy", "-")])
        equal("keys", witnessed(gateway, "key", "b")[-len(keys):], keys)
        equal("changes", witnessed(gateway, "change", "b")[1:],
              [(keys[1][0], "b"), *changes])


@test
def test_hook_that_resumes_late_is_told_of_one_change_at_a_time():
    """It takes longer for each than a client is kept waiting."""
    with slow_hook("change_late", 2 * SLOW, SLOW * 3 // 2) as gateway:
        put(gateway, "a", b"x")
        equal("status", carry(gateway, "move", "a", "b").status, 201)
        equal("source", get(gateway, "a").status, 404)
        witnessed(gateway, "change", "b")
        for number in range(2): # which take longer than what it has begun
            put(gateway, f"z{number}", b"x")
        expect(not any("breaks the contract" in line
                       for line in gateway.lines), "it was told of both")


@test
def test_silent_hook_keeps_no_move_from_being_answered():
    with slow_hook("change_never", 0, SLOW) as gateway:
        for number in range(3):
            put(gateway, "a", b"x")
            equal("status", carry(gateway, "move", "a",
                                  f"b/{number}").status, 201)
        equal("keys", gateway.keys(""), ["b/0", "b/1", "b/2"])


@test
def test_client_that_leaves_a_move_is_told_of_all_the_same():
    with slow_hook("change_late", SLOW, 20 * SLOW) as gateway:
        put(gateway, "a", os.urandom(3 * MIB))
        with gateway.wire() as wire:
            body = b'{"from": "a", "to": "b"}'
            wire.send(request("POST", "/files/move", "Content-Type: "
                              "application/json", body=body))
            eventually("a target", lambda: gateway.keys("b"))
            wire.reset()
        witnessed(gateway, "change", "a", times=2)
        equal("changes", witnessed(gateway, "change", "b")[-2:],
              [("upload", "b"), ("delete", "a")])
        eventually("a log line", lambda: witnessed(
            gateway, "log", "-")[-1:] == [("copy", "-")])
        equal("keys", gateway.keys(""), ["b"])


@test
def test_client_that_leaves_before_its_body_is_over_copies_nothing():
    with Gateway() as gateway:
        put(gateway, "a", b"x")
        base = gateway.quiet()
        for word in ("copy", "move"):
            with gateway.wire() as wire:
                wire.send(head("POST", f"/files/{word}",
                               "Content-Length: 50") + b'{"from": "a",')
                wire.reset()
        gateway.settles(base)
        equal("keys", gateway.keys(""), ["a"])


if __name__ == "__main__":
    main()

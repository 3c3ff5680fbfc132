#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `mirror`: several storages with the same objects, of which the
first decides; what one of them misses is on a queue, and given to it later."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3] / "tests/integration"),
                str(Path(__file__).parent)]
# pylint: disable=wrong-import-position
import kit  # noqa: E402
from kit import (MIB, each, equal, eventually, expect, refusal,  # noqa: E402
                 request, test)
from mirrorkit import (SOUND, STORES, at, both, breaches,  # noqa: E402
                       broken, delete, gateway, get, owed, place, put,
                       sections)

# ---- all is well -----------------------------------------------------------

@each({"one_loop": 1, "two_loops": 2})
def test_upload_is_in_all_of_them_with_all_that_it_has(workers):
    with place() as folder, \
            gateway(folder, over=STORES, workers=workers) as gate:
        equal("put", put(gate, "files", "k", b"hello", "Content-Type: a/b",
                         "X-Meta-Colour: red"), 201)
        for name in STORES:
            answer = gate.ask("GET", at(name, "k"))
            equal(name, (answer.body, answer.header("content-type")),
                  (b"hello", "a/b"))
        equal("keys", gate.keys(""), ["k"])
        equal("breaches", breaches(gate), [])


@each({"nothing": 0, "a_byte": 1, "a_chunk": 131072, "more": 5 * MIB + 3})
def test_upload_of_any_size_is_the_same_in_all(size):
    data = bytes(range(251)) * (size // 251 + 1)
    with place() as folder, gateway(folder, over=STORES) as gate:
        equal("put", put(gate, "files", "k", data[:size]), 201)
        for name in ("files", *STORES):
            expect(get(gate, name, "k") == data[:size], f"{name}: others")


@test
def test_deletes_reach_all():
    with place() as folder, gateway(folder) as gate:
        for key in "abc":
            put(gate, "files", key)
        equal("delete", delete(gate, "a"), 200)
        done = gate.json("POST", "/files/delete", {"keys": ["b", "no"]}).json
        equal("many", sorted(done["deleted"]), ["b", "no"])
        equal("a", both(gate, "a"), [404, 404])
        equal("b", both(gate, "b"), [404, 404])
        equal("keys", gate.keys("", mount="/two"), ["c"])


@test
def test_copies_and_moves_reach_all():
    data = bytes(range(256)) * 2000
    with place() as folder, gateway(folder) as gate:
        put(gate, "files", "a", data, "Content-Type: a/b")
        equal("copy", gate.json("POST", "/files/copy",
                                {"from": "a", "to": "b"}).status, 201)
        equal("move", gate.json("POST", "/files/move",
                                {"from": "a", "to": "c"}).status, 201)
        for key in "bc":
            expect(both(gate, key) == [data, data], f"{key}: others")
        equal("a", both(gate, "a"), [404, 404])
        equal("type", gate.ask("HEAD", at("two", "c")).header("content-type"),
              "a/b")


def resumed(gate, data, key="a"):
    made = gate.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                    f"Upload-Length: {len(data)}",
                    "Upload-Metadata: filename YQ==")
    equal("made", made.status, 201)
    where = made.header("location")
    where = where[where.index("/files/"):]
    half = len(data) // 2
    for offset, part in ((0, data[:half]), (half, data[half:])):
        answer = gate.ask("PATCH", where, "Tus-Resumable: 1.0.0",
                          f"Upload-Offset: {offset}",
                          "Content-Type: application/offset+octet-stream",
                          body=part)
        equal(f"{key} from {offset}", answer.status, 204)


@test
def test_resumable_upload_reaches_all():
    data = bytes(range(256)) * 3000
    with place() as folder, gateway(folder) as gate:
        resumed(gate, data)
        [key] = gate.keys("")
        expect(both(gate, key) == [data, data], "other bytes")
        equal("queue", owed(folder), [])
        equal("breaches", breaches(gate), [])


@test
def test_first_one_decides_conditions():
    """The second one has another object: it isn't asked what it thinks."""
    with place() as folder, gateway(folder) as gate:
        put(gate, "two", "k", b"stray")
        equal("new", put(gate, "files", "k", b"1", "If-None-Match: *"), 201)
        equal("again", put(gate, "files", "k", b"2", "If-None-Match: *"), 412)
        tag = gate.ask("HEAD", at("files", "k")).header("etag")
        equal("match", put(gate, "files", "k", b"3", f"If-Match: {tag}"), 200)
        equal("other", put(gate, "files", "k", b"4", f"If-Match: {tag}"), 412)
        equal("all", both(gate, "k"), [b"3", b"3"])
        equal("not deleted", delete(gate, "k", f"If-Match: {tag}"), 412)
        equal("all", both(gate, "k"), [b"3", b"3"])
        tag = gate.ask("HEAD", at("files", "k")).header("etag")
        equal("deleted", delete(gate, "k", f"If-Match: {tag}"), 200)
        equal("all", both(gate, "k"), [404, 404])
        equal("queue", owed(folder), [])


# ---- one of them fails -----------------------------------------------------

CHANGES = ("put", "remove", "copy")


@test
def test_what_the_second_misses_is_given_to_it_later():
    with place() as folder:
        with gateway(folder, acknowledge="1",
                     faults=broken("two", *CHANGES)) as gate:
            equal("put", put(gate, "files", "k", b"hello", "Content-Type: a/b"
                             ), 201)
            resumed(gate, b"resumed")
            gate.json("POST", "/files/copy", {"from": "k", "to": "l"})
            gate.says("'two' lacks")
            equal("two", gate.keys("", mount="/two"), [])
            equal("queue", owed(folder), gate.keys("", mount="/one"))
        with gateway(folder, acknowledge="1") as gate:
            gate.says("'two' has all that 'one' has")
            for key in gate.keys(""):
                one, two = both(gate, key)
                equal(key, two, one)
            equal("keys", len(gate.keys("", mount="/two")), 3)
            equal("type", gate.ask("HEAD", at("two", "k"))
                  .header("content-type"), "a/b")
            equal("queue", owed(folder), [])
            equal("breaches", breaches(gate), [])


@test
def test_delete_that_the_second_misses_is_no_object_that_comes_back():
    with place() as folder:
        with gateway(folder, acknowledge="1") as gate:
            for key in "kl":
                put(gate, "files", key, b"old")
        with gateway(folder, acknowledge="1",
                     faults=broken("two", *CHANGES)) as gate:
            equal("delete", delete(gate, "k"), 200)
            equal("put", put(gate, "files", "l", b"new"), 200)
            equal("k", both(gate, "k"), [404, b"old"])
            equal("l", both(gate, "l"), [b"new", b"old"])
        with gateway(folder, acknowledge="1") as gate:
            eventually("equal", lambda: both(gate, "l") == [b"new"] * 2)
            eventually("gone", lambda: both(gate, "k") == [404] * 2)


@each({"2_of_2": (("one", "two"), "0"), "2_of_3": (STORES, "2")})
def test_fewer_than_have_to_acknowledge_is_an_error_and_heals(case):
    over, acknowledge = case
    with place() as folder:
        faults = {**broken("two", *CHANGES), **broken("three", *CHANGES)}
        with gateway(folder, over=over, acknowledge=acknowledge,
                     faults=faults) as gate:
            among = put(gate, "files", "k", b"hello")
            expect(among in (502, 503), f"status {among}")
        with gateway(folder, over=over, acknowledge=acknowledge) as gate:
            eventually("equal", lambda:
                       len({get(gate, name, "k") for name in over}) == 1)


@test
def test_two_of_three_are_enough():
    with place() as folder, \
            gateway(folder, over=STORES, acknowledge="2",
                    faults=broken("three", *CHANGES)) as gate:
        equal("put", put(gate, "files", "k", b"hello"), 201)
        equal("three", get(gate, "three", "k"), 404)
        equal("two", get(gate, "two", "k"), b"hello")


@test
def test_first_one_that_fails_refuses_and_changes_nothing():
    with place() as folder, \
            gateway(folder, acknowledge="1",
                    faults=broken("one", *CHANGES)) as gate:
        put(gate, "one", "k", b"old")
        put(gate, "two", "k", b"old")
        equal("put", put(gate, "files", "k", b"new"), 502)
        equal("delete", delete(gate, "k"), 502)
        equal("all", both(gate, "k"), [b"old", b"old"])


@test
def test_change_whose_answer_was_lost_heals_to_what_the_first_has():
    with place() as folder:
        with gateway(folder, acknowledge="1",
                     faults=broken("one", *CHANGES, lose="100")) as gate:
            equal("put", put(gate, "files", "k", b"hello"), 502)
            eventually("equal", lambda: both(gate, "k") == [b"hello"] * 2)
            equal("delete", delete(gate, "k"), 502)
            eventually("equal", lambda: both(gate, "k") == [404] * 2)


# ---- reads -----------------------------------------------------------------

READS = ("head", "get", "list")


@test
def test_second_answers_where_the_first_fails():
    data = bytes(range(256)) * (3 * MIB // 256)
    with place() as folder, \
            gateway(folder, faults=broken("one", *READS)) as gate:
        put(gate, "files", "k", data)
        expect(get(gate, "files", "k") == data, "other bytes")
        equal("head", gate.ask("HEAD", at("files", "k")).status, 200)
        equal("range", gate.ask("GET", at("files", "k"),
                                "Range: bytes=300-302").body, data[300:303])
        equal("none", get(gate, "files", "l"), 404)
        equal("keys", gate.keys(""), ["k"])
        equal("breaches", breaches(gate), [])


@test
def test_what_the_first_has_not_is_looked_for_nowhere_else():
    with place() as folder, gateway(folder) as gate:
        put(gate, "two", "k", b"stray")
        equal("get", get(gate, "files", "k"), 404)
        equal("keys", gate.keys(""), [])


@test
def test_older_object_is_never_taken_for_what_the_first_has():
    with place() as folder:
        with gateway(folder, acknowledge="1") as gate:
            for key in "kl":
                put(gate, "files", key, b"old")
        with gateway(folder, acknowledge="1",
                     faults=broken("two", *CHANGES)) as gate:
            put(gate, "files", "k", b"new")
        with gateway(folder, acknowledge="1",
                     faults={**broken("one", *READS),
                             **broken("two", *CHANGES)}) as gate:
            equal("k", get(gate, "files", "k"), 502)
            equal("l", get(gate, "files", "l"), b"old")
            equal("list", gate.ask("GET", "/files?prefix=").status, 502)


@test
def test_pages_of_a_list_are_of_one_storage():
    with place() as folder, gateway(folder) as gate:
        for number in range(9):
            put(gate, "files", f"k{number}")
        keys, cursor = [], ""
        while cursor is not None:
            page = gate.ask("GET", f"/files?prefix=k&limit=2"
                            f"{cursor and '&cursor=' + cursor}").json
            keys += [one["key"] for one in page["objects"]]
            cursor = page.get("next_cursor")
        equal("keys", keys, [f"k{number}" for number in range(9)])


@test
def test_client_may_leave_in_the_middle():
    with place() as folder, gateway(folder) as gate:
        put(gate, "files", "k", bytes(16 * MIB))
        with gate.wire(buffer=4096) as wire:
            wire.send(request("GET", at("files", "k")))
            equal("status", wire.head().status, 200)
            wire.reset()
        with gate.wire() as wire:
            wire.send(request("PUT", at("files", "l"),
                              "Content-Length: 9000000") + bytes(1000000))
            wire.reset()
        equal("again", gate.ask("HEAD", at("files", "k")).status, 200)
        eventually("nothing is left", lambda: gate.keys("") == ["k"])
        equal("queue", owed(folder), [])
        equal("breaches", breaches(gate), [])


# ---- the queue -------------------------------------------------------------

LONG = "k" * 900


@test
def test_changes_are_refused_when_the_queue_is_full():
    with place() as folder:
        with gateway(folder, acknowledge="1", queue="64KiB", heal="1h",
                     faults=broken("two", *CHANGES)) as gate:
            equal("ready", gate.ask("GET", "/readyz").status, 200)
            stored = 0
            while put(gate, "files", f"{LONG}{stored}") == 201:
                stored += 1
            expect(50 < stored < 80, f"{stored} fit into 64 KiB")
            equal("one", len(gate.keys("", mount="/one")), stored)
            equal("one more", put(gate, "files", "k" * 950), 503)
            equal("delete", delete(gate, "k" * 950), 503)
            gate.says("queue of what storages lack is full")
            eventually("not ready", lambda:
                       gate.ask("GET", "/readyz").status == 503)
            equal("known", put(gate, "files", f"{LONG}0", b"y"), 200)
        with gateway(folder, acknowledge="1", queue="64KiB") as gate:
            gate.says("'two' has all that 'one' has")
            equal("two", gate.keys("", mount="/two"),
                  gate.keys("", mount="/one"))
            eventually("ready", lambda:
                       gate.ask("GET", "/readyz").status == 200)
            equal("put", put(gate, "files", "more"), 201)


@test
def test_queue_of_other_storages_is_refused_until_it_is_empty():
    with place() as folder:
        with gateway(folder, acknowledge="1", heal="1h",
                     faults=broken("two", *CHANGES)) as gate:
            put(gate, "files", "k")
        refusal(sections(over=("two", "one"), directory=f"{folder}/queue"),
                "isn't of these backends in this order")
        with gateway(folder) as gate:
            gate.says("'two' has all that 'one' has")
        with gateway(folder, over=("two", "one")) as gate:
            equal("put", put(gate, "files", "l"), 201)


@test
def test_directory_is_that_of_one_gateway():
    with place() as folder, gateway(folder):
        refusal(sections(directory=f"{folder}/queue"), "can't be locked",
                "stop the gateway that uses it")


def damaged(spoil, says):
    with place() as folder:
        with gateway(folder, acknowledge="1", heal="1h",
                     faults=broken("two", *CHANGES)) as gate:
            for key in "abc":
                put(gate, "files", key)
        path = Path(folder, "queue/queue")
        path.write_bytes(spoil(path.read_bytes()))
        with gateway(folder, acknowledge="1") as gate:
            gate.says(says)
            gate.says("'two' has all that 'one' has")
            return gate.keys("", mount="/two")


@test
def test_line_that_a_kill_cut_is_dropped():
    equal("two", damaged(lambda text: text + b"0123456789abcdef 02 d",
                         "last 21 bytes were cut by a crash"),
          ["a", "b", "c"])
    equal("two", damaged(lambda text: text + bytes(4096),
                         "last 4096 bytes were cut by a crash"),
          ["a", "b", "c"])


@test
def test_damage_in_the_middle_is_told_and_the_rest_is_healed():
    equal("two", damaged(lambda text: text.replace(b"02 b\n", b"00 b\n"),
                         "1 lines of the queue are damaged"), ["a", "c"])


REFUSED = {
    "acknowledge": ({"acknowledge": "3"}, "acknowledge: write 1 to the"),
    "no_directory": ({"directory": ""}, "directory: write the folder"),
    "queue": ({"queue": "63KiB"}, "queue: write 64KiB to 1GiB"),
    "queue_more": ({"queue": "1025MiB"}, "queue: write 64KiB to 1GiB"),
    "heal": ({"heal": "99ms"}, "heal and timeout: write 100ms to 1h"),
    "timeout": ({"timeout": "3600001ms"}, "heal and timeout"),
    "none": ({"over": []}, "over")}


@each(REFUSED)
def test_option_out_of_its_range_stops_the_start(case):
    options, why = case
    refusal({"backends": {**SOUND, "files": {
        "plugin": "mirror", "over": ["one", "two"], "directory": "/dev/null/q",
        **options}}}, why)


def many(count):
    names = [f"b{number}" for number in range(count)]
    return names, {name: {"plugin": "prefix", "over": "main",
                          "prefix": f"{name}/"} for name in names}


@test
def test_eight_are_taken_and_nine_refused():
    names, parts = many(8)
    with place() as folder, gateway(folder, over=names, faults=parts) as gate:
        equal("put", put(gate, "files", "k"), 201)
    names, parts = many(9)
    refusal({"backends": {**parts, "files": {
        "plugin": "mirror", "over": names, "directory": "/dev/null/q"}}},
        "over: write 1 to 8 backends")


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("mirror.yaml"))


if __name__ == "__main__":
    kit.main()

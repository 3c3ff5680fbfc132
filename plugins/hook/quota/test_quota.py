#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No more is stored than fits, by whichever way it comes and however many come
at once; and the account survives restarts."""
import os
import re
import sqlite3
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import bucket  # noqa: E402  pylint: disable=wrong-import-position
import kit  # noqa: E402
import ways  # noqa: E402
from expirykit import put_short  # noqa: E402
from guards import JSON  # noqa: E402
from kit import (Gateway, among, built, each, equal, eventually,  # noqa: E402
                 expect, hook_source, like, refusal, test)
from linkskit import to_json  # noqa: E402
from objectskit import put, together, url  # noqa: E402
from ways import WAYS, stored  # noqa: E402

STORED = (200, 201, 204)


def limited(folder, *before, **options):
    """With `folder` for its account and its objects."""
    return Gateway({"hooks": [*before, {
        "plugin": "quota", "file": f"{folder}/quota.db", **options}]},
        folder=folder)


def scratch():
    return tempfile.TemporaryDirectory()


def account(folder):
    """The sums of each owner, as a gateway that was stopped left them."""
    base = sqlite3.connect(Path(folder, "quota.db"))
    try:
        return {name: (size, count) for name, size, count in base.execute(
            "SELECT name, bytes, objects FROM owner") if count or size}
    finally:
        base.close()


DATA = os.urandom(50000)


def keys_in(folder):
    with kit.index_of(folder) as index:
        return [key for key, in index.execute(
            "SELECT CAST(key AS TEXT) FROM object")
            if not key.startswith(".sluice/")]


@test
def test_what_a_sweep_removed_counts_until_its_key_is_deleted():
    with scratch() as folder:
        with limited(folder, bytes="1MiB") as gateway:
            put_short(gateway, "a")
            eventually("it is swept", lambda: not keys_in(folder), pause=0.1)
        equal("counts", account(folder), {"": (3, 1)})
        with limited(folder, bytes="1MiB") as gateway:
            equal("status", gateway.ask("DELETE", url("a")).status, 200)
        equal("is free", account(folder), {})


@each(WAYS)
def test_quota_is_a_limit_of_every_way(way):
    before = 6 if way is ways.replace else 0  # which it replaces
    with scratch() as folder:
        with limited(folder, bytes=f"{len(DATA)}B") as gateway:
            among("at it", way(gateway, DATA).status, STORED)
        equal("account", account(folder), {"": (len(DATA), 1)})
    with scratch() as folder:
        with limited(folder, bytes=f"{len(DATA) - 1}B") as gateway:
            answer = way(gateway, DATA)
            equal("status", answer.status, 507)
            like("message", answer.error, "The quota has no room: .* of .* "
                 "are used")
            equal("objects", len(stored(gateway)), before and 1)
        equal("account", account(folder),
              {"": (before, 1)} if before else {})


@each({"bytes": {"bytes": "10000B"}, "objects": {"objects": "10"}})
def test_no_more_is_stored_than_fits_however_many_come_at_once(options):
    with scratch() as folder:
        with limited(folder, **options) as gateway:
            got = together(30, lambda n: put(gateway, f"t/{n}",
                                             b"x" * 1000).status)
            equal("answers", (got.count(201), got.count(507)), (10, 20))
            equal("objects", len(stored(gateway)), 10)
            gateway.delete("t/" + str(got.index(201)))
            equal("after a delete", put(gateway, "t/new", b"x" * 1000).status,
                  201)
            equal("one more", put(gateway, "t/more", b"x").status,
                  507)
        equal("account", account(folder), {"": (10000, 10)})


@test
def test_account_survives_restarts_and_a_second_gateway_is_refused():
    with scratch() as folder:
        with limited(folder, bytes="1000B") as gateway:
            equal("first", put(gateway, "t/a", b"x" * 600).status, 201)
            with scratch() as other:
                like("why", refusal({"hooks": [{
                    "plugin": "quota", "file": f"{folder}/quota.db",
                    "bytes": "1B"}]}, folder=other),
                    r"quota.db can't be used \(database is locked\)")
        with limited(folder, bytes="1000B") as gateway:
            equal("too much", put(gateway, "t/b", b"x" * 401).status, 507)
            equal("fits", put(gateway, "t/b", b"x" * 400).status, 201)


@test
def test_replaced_objects_make_room():
    with scratch() as folder:
        with limited(folder, bytes="1000B", objects="1") as gateway:
            for size in 600, 1000, 10, 999:
                among(f"of {size}", put(gateway, "t/a", b"x" * size).status,
                      STORED)
            equal("too much", put(gateway, "t/a", b"x" * 1001).status, 507)
        equal("account", account(folder), {"": (999, 1)})


def ask(gateway, what, source, target, **more):
    return gateway.ask("POST", f"/files/{what}", JSON, body=to_json(
        {"from": source, "to": target, **more}))


@test
def test_copies_count_and_moves_need_no_room():
    with scratch() as folder:
        with limited(folder, bytes="1000B") as gateway:
            put(gateway, "t/a", b"x" * 400)
            equal("copy", ask(gateway, "copy", "t/a", "t/b").status, 201)
            equal("one more", ask(gateway, "copy", "t/a", "t/c").status, 507)
            equal("move", ask(gateway, "move", "t/a", "t/c").status, 201)
            equal("room", put(gateway, "t/d", b"x" * 200).status, 201)
            equal("objects", stored(gateway), ["t/b", "t/c", "t/d"])
        equal("account", account(folder), {"": (1000, 3)})


@test
def test_batches_make_room():
    with scratch() as folder:
        with limited(folder, objects="5") as gateway:
            keys = [f"t/{n}" for n in range(5)]
            for key in keys:
                put(gateway, key, b"x")
            equal("full", put(gateway, "t/more", b"x").status, 507)
            equal("status", gateway.ask("POST", "/files/delete", JSON,
                                        body=to_json({"keys": keys[1:]})
                                        ).status, 200)
            equal("room", put(gateway, "t/more", b"x").status, 201)
        equal("account", account(folder), {"": (2, 2)})


@test
def test_what_is_not_stored_after_all_takes_no_room():
    with scratch() as folder:
        with limited(folder, bytes="1000B") as gateway:
            put(gateway, "t/a", b"x" * 100)
            for _ in range(20):  # the room is free just after the answer
                eventually("status", lambda: gateway.ask(
                    "PUT", url("t/a"), "If-None-Match: *",
                    body=b"x" * 900).status == 412)
            eventually("room", lambda: put(
                gateway, "t/b", b"x" * 900).status == 201)
        equal("account", account(folder), {"": (1000, 2)})


@test
def test_clients_that_leave_take_no_room():
    with scratch() as folder:
        with limited(folder, bytes="100000B") as gateway:
            for n in range(10):
                with gateway.wire() as wire:
                    wire.send(kit.request("PUT", url(f"t/{n}"),
                                          body=DATA)[:-1])
                    wire.reset()
            eventually("room", lambda: put(gateway, "t/a", DATA * 2).status
                       == 201)


@test
def test_account_never_says_less_than_there_is_after_sigkill():
    with scratch() as folder:
        for turn in range(4):
            gateway = limited(folder, bytes="100MiB")
            stop = threading.Event()

            def uploads(n, gateway=gateway, turn=turn, stop=stop):
                count = 0
                while not stop.is_set():
                    try:
                        put(gateway, f"t/{turn}-{n}-{count}", DATA[:20000])
                    except (OSError, kit.Mismatch):
                        return
                    count += 1
            threads = [threading.Thread(target=uploads, args=[n])
                       for n in range(4)]
            for thread in threads:
                thread.start()
            eventually("some are there", lambda gateway=gateway: len(
                stored(gateway)) > 5 * (turn + 1))
            stop.set()
            gateway.kill()
            for thread in threads:
                thread.join()
        with limited(folder, bytes="100MiB") as gateway:
            there = len(stored(gateway))
        size, count = account(folder)[""]
        equal("sums", size, count * 20000)
        expect(there <= count <= there + 16, f"{count} of {there}")


@test
def test_each_identity_has_its_own():
    with scratch() as folder:
        built(folder, "naming", hook_source(
            "naming", ask='const char *who = sluice_request_header(request, '
            '"X-Who"); if (who) sluice_request_identify(request, who); '
            "return SLUICE_PASS;"))
        sections = {"plugin_path": [*kit.PLUGINS, folder], "hooks": [
            {"plugin": "naming"}, {"plugin": "quota", "bytes": "1000B",
                                   "file": f"{folder}/quota.db"}]}
        with Gateway(sections, folder=folder) as gateway:
            for who in "ann", "bob":
                equal(who, put(gateway, f"t/{who}", b"x" * 900,
                               f"X-Who: {who}").status, 201)
            equal("more of ann", put(gateway, "t/b", b"x" * 900,
                                     "X-Who: ann").status, 507)
            equal("bob over ann's", put(gateway, "t/ann", b"x" * 100,
                                        "X-Who: bob").status, 200)
        equal("account", account(folder), {"bob": (1000, 2)})


@test
def test_each_prefix_has_its_own():
    with scratch() as folder:
        with limited(folder, by="prefix", segments="2", objects="1"
                     ) as gateway:
            for key, status in (("a/b/c", 201), ("a/b/d", 507),
                                ("a/c/d", 201), ("a/x", 201), ("a/y", 507),
                                ("x", 201), ("y", 507)):
                equal(key, put(gateway, key, b"x").status, status)


# ---- several gateways, each with an account of its own ----------------------

@contextmanager
def two_of(first_has, second_has, **options):
    """Two gateways over one bucket, and what their accounts have then."""
    s3 = bucket.shared("aws")
    place = f"quota-{os.urandom(4).hex()}"
    with scratch() as one, scratch() as two:
        def gateway(folder):
            return bucket.gateway(s3, more={"hooks": [{
                "plugin": "quota", "file": f"{folder}/quota.db", **options}]})
        with gateway(one) as first, gateway(two) as second:
            yield place, (first, second)
        equal("accounts", [account(one), account(two)],
              [first_has, second_has])


def there(place):
    """Bytes in the bucket."""
    found = bucket.shared("aws").state(bucket.BUCKET)["objects"]
    return sum(entry["size"] for key, entry in found.items()
               if key.startswith(f"{place}/"))


@test
def test_two_gateways_store_twice_the_quota_and_not_a_byte_more():
    full = {"": (1000, 10)}
    with two_of(full, full, bytes="1000B") as (place, pair):
        got = together(40, lambda n: put(pair[n % 2], f"{place}/{n}",
                                         b"x" * 100).status)
        equal("answers", (got.count(201), got.count(507)), (20, 20))
        for gateway in pair:
            equal("one byte more", put(gateway, f"{place}/more",
                                       b"x").status, 507)
        equal("bytes", there(place), 2000)


@test
def test_a_copy_of_what_another_gateway_stored_needs_room():
    with two_of({"": (1000, 1)}, {"": (1999, 3)}, bytes="1000B"
                ) as (place, (one, two)):
        source = f"{place}/a"
        put(one, source, b"x" * 1000)
        for size in 1, 998:
            put(two, f"{place}/{size}", b"x" * size)
        equal("with a byte of room", ask(two, "copy", source, f"{place}/b"
                                         ).status, 201)
        equal("with none", ask(two, "copy", source, f"{place}/c").status, 507)
        equal("in the place of another", ask(
            two, "copy", source, f"{place}/998", replace=True).status, 507)
        equal("moved", ask(two, "move", source, f"{place}/c").status, 507)
        equal("bytes", there(place), 2999)


@test
def test_what_went_by_another_gateway_counts_until_it_goes_by_this_one():
    with two_of({"": (1, 1)}, {}, objects="1") as (place, (one, two)):
        put(one, f"{place}/a", b"x")
        two.delete(f"{place}/a")
        equal("it counts", put(one, f"{place}/b", b"x").status, 507)
        one.delete(f"{place}/a")
        equal("not any more", put(one, f"{place}/b", b"x").status, 201)


# ---- what is refused --------------------------------------------------------

@each({"by": ({"by": "day", "bytes": "1B"}, "neither identity nor prefix"),
       "nothing": ({}, "it limits nothing; set bytes or objects"),
       "segments": ({"segments": "17", "bytes": "1B"}, "segments: 1 to 16"),
       "below 0": ({"objects": "-1"}, "none below 0"),
       "file": ({"bytes": "1B", "file": "/nonexistent/a.db"},
                "give it a file of its own")})
def test_option_that_cannot_be_is_refused(case):
    options, why = case
    with scratch() as folder:
        like("why", refusal({"hooks": [{
            "plugin": "quota", "file": f"{folder}/quota.db", **options}]}),
            why)


def two_stores(folder, **options):
    """Of two routes, and of a hook that chooses by a header."""
    return Gateway({
        "hooks": [{"plugin": "choicehook"},
                  {"plugin": "quota", "file": f"{folder}/quota.db",
                   **options}],
        "backends": {name: {"plugin": "local", "directory":
                            f"{folder}/{name}"} for name in ("main", "other")},
        "routes": [{"mount": "/files", "backend": "main"},
                   {"mount": "/others", "backend": "other"}]}, folder=folder)


def key_put(gateway, data, *lines, mount="/files"):
    return gateway.ask("PUT", f"{mount}/object?key=a/k", *lines,
                       body=data).status


@each({"by a route": ("/others",), "by a hook": ("/files",
                                                 "X-Backend: other")})
def test_same_key_in_two_backends_is_two_objects(way):
    mount, *lines = way
    with scratch() as folder:
        with two_stores(folder, bytes="100B") as gateway:
            equal("first", key_put(gateway, b"a" * 60), 201)
            equal("too much", key_put(gateway, b"b" * 60, *lines,
                                      mount=mount), 507)
            equal("fits", key_put(gateway, b"b" * 40, *lines, mount=mount),
                  201)
            gateway.ask("DELETE", "/files/object?key=a/k")
            equal("room again", key_put(gateway, b"a" * 60), 201)
        equal("counts", account(folder), {"": (100, 2)})


@test
def test_each_backend_may_have_its_own():
    with scratch() as folder:
        with two_stores(folder, by="backend", bytes="100B") as gateway:
            equal("first", key_put(gateway, b"a" * 100), 201)
            equal("second", key_put(gateway, b"b" * 99, "X-Backend: other"),
                  201)
            equal("too much", key_put(gateway, b"b" * 101,
                                      "X-Backend: other"), 507)
        equal("counts", account(folder), {"main": (100, 1), "other": (99, 1)})


def statement(old, new):
    """The page has it, for a backend that gets another name."""
    page = Path(__file__).parent / "sluice-quota.7"
    found = re.search(r'sqlite3 quota\.db "([^"]+)"', page.read_text())
    return found[1].replace("'old'", f"'{old}'").replace("'new'", f"'{new}'")


@test
def test_backend_with_another_name_keeps_its_account_by_the_page():
    with scratch() as folder:
        with two_stores(folder, bytes="100B") as gateway:
            equal("first", key_put(gateway, b"a" * 60), 201)
            equal("beside it", key_put(gateway, b"b" * 40, mount="/others"),
                  201)
        with sqlite3.connect(Path(folder, "quota.db")) as base:
            base.execute(statement("main", "renamed"))
        base.close()
        with Gateway({
                "hooks": [{"plugin": "quota", "file": f"{folder}/quota.db",
                           "bytes": "100B"}],
                "backends": {"main": None, "renamed": {
                    "plugin": "local", "directory": f"{folder}/main"}},
                "routes": [{"mount": "/files", "backend": "renamed"}]},
                folder=folder) as gateway:
            equal("in its place", key_put(gateway, b"a" * 55), 200)
            gateway.ask("DELETE", "/files/object?key=a/k")
        equal("counts", account(folder), {"": (40, 1)})


@test
def test_account_of_before_names_no_backend_and_goes_on():
    with scratch() as folder:
        with two_stores(folder, bytes="100B") as gateway:
            equal("first", key_put(gateway, b"a" * 60), 201)
        with sqlite3.connect(Path(folder, "quota.db")) as base:
            base.execute("UPDATE object SET key = substr(key, "
                         "instr(key, char(9)) + 1)")
            base.execute("PRAGMA user_version = 1")
        base.close()
        with two_stores(folder, bytes="100B") as gateway:
            equal("in its place", key_put(gateway, b"a" * 70), 200)
            equal("beside it", key_put(gateway, b"b" * 31,
                                       "X-Backend: other"), 507)
        equal("counts", account(folder), {"": (70, 1)})


@test
def test_file_of_something_else_is_refused():
    with scratch() as folder:
        Path(folder, "quota.db").write_bytes(b"nothing of SQLite" * 100)
        like("why", refusal({"hooks": [{
            "plugin": "quota", "file": f"{folder}/quota.db", "bytes": "1B"}]}),
            "file is not a database")


@test
def test_example_is_right():
    text = Path(__file__).with_name("quota.yaml").read_text()
    with scratch() as folder:
        text += f"plugin_path: {kit.json.dumps(kit.PLUGINS)}\n"
        path = kit.written(folder, text)
        status, _, err = kit.run("-t", "-c", path)
        equal("status", (status, err[-300:] if status else ""), (0, ""))


if __name__ == "__main__":
    ways.main()

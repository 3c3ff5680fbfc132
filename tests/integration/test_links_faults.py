#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links over a storage that fails or stands still: uses that came to nothing
come back whole, and nobody waits for ever for what was taken back."""
import hashlib
import json
import random
import sqlite3
import tempfile
import time
from pathlib import Path

from bucket import BUCKET, Emulator, gateway as over_s3
from kit import (FORM, Gateway, equal, eventually, expect, field, file, form,
                 head, main, test)
from linkskit import KEY, code, gone, link, put, revoke, target

PATIENT = {"idle_timeout": "60s"}  # the plugin itself gives nothing up


def uses(s3):
    """How many uses the storage knows of; None: no count is there."""
    for key in s3.state(BUCKET)["objects"]:
        if "/uses/" in key:
            return int(s3.client().get(BUCKET, key).body.split()[0])
    return None


def leave_while_counting(s3, gateway, url, pause=None):
    """Asks for a download, and is gone before its use is counted."""
    s3.faults({"match": {"method": "PUT", "path": "uses/"}, "do": "stall",
               "seconds": pause})
    wire = gateway.wire()
    wire.send(head("GET", url))
    s3.wait_for_fault()
    wire.reset()


# ---- uses -------------------------------------------------------------------

@test
def test_use_of_a_client_that_left_is_resumed_by_nobody():
    with Emulator("aws") as s3, over_s3(s3, **PATIENT) as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=1)["url"])
        leave_while_counting(s3, gateway, url, 0.5)
        eventually("the use comes back", lambda: uses(s3) == 0)
        equal("status", gateway.ask("GET", url, "Range: bytes=1-").status,
              206)
        equal("code", code(gateway.ask("GET", url)), "link_used_up")


@test
def test_use_comes_back_where_the_storage_fails_before_the_first_byte():
    with Emulator("aws") as s3, over_s3(s3, retry_time="100ms") as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=1)["url"])
        s3.faults({"match": {"method": "GET", "path": KEY},
                   "do": "truncate", "at": 0, "times": 9999})
        expect(gateway.ask("GET", url).status >= 500, "it was served")
        s3.control("DELETE", "faults")
        # Where the failure was faster, nothing was counted.
        eventually("the use comes back", lambda: uses(s3) in (0, None))
        equal("status", gateway.ask("GET", url, "Range: bytes=1-").status,
              206)
        equal("code", code(gateway.ask("GET", url)), "link_used_up")


@test
def test_count_that_cannot_be_read_is_not_read_for_ever():
    with Emulator("aws") as s3, over_s3(s3, retry_time="100ms",
                                        **PATIENT) as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=1)["url"])
        leave_while_counting(s3, gateway, url, 0.5)
        s3.faults({"match": {"method": "GET", "path": "uses/"}, "do": "403",
                   "times": 9999})

        def reads():
            return sum("uses/" in one["target"] for one in s3.requests("GET"))
        eventually("it is read", lambda: reads() > 1)
        before, end = reads(), time.monotonic() + 1
        while time.monotonic() < end:
            gateway.alive()
        expect(reads() < before + 5, f"{reads() - before} reads in a second")


# ---- what was taken back ----------------------------------------------------

@test
def test_storage_that_never_lists_makes_nobody_wait_for_ever():
    with Emulator("aws") as s3, over_s3(s3, **PATIENT) as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY)["url"])
        s3.faults({"match": {"query": "list-type"}, "do": "stall",
                   "times": 9999})
        with over_s3(s3, more={"presign": {"via": "gateway"}},
                     **PATIENT) as other:
            answer = other.ask("GET", url)
            equal("status, code", (answer.status, code(answer)),
                  (503, "links_unknown"))
            body = form(field("prefix", "t"), file())
            answer = other.ask("POST", "/files", FORM, body=body)
            equal("status", answer.status, 201)
            expect("/download?" in answer.json["download_url"],
                   answer.json["download_url"])
            s3.control("DELETE", "faults")


def multiply(folder, count, change):
    """Keeps as many further revocations, each a changed copy of one."""
    index = sqlite3.connect(Path(folder, "data", "index.db"))
    one, = index.execute("SELECT key FROM object WHERE CAST(key AS TEXT) "
                         "LIKE '.sluice/revoked/%'").fetchone()
    end, number, mark = bytes(one).decode().rsplit("/", 1)[1].split("-")
    rows = [(f".sluice/revoked/{end}-{n:016x}-{name}".encode(), one)
            for n, name in (change(i, int(number, 16), mark)
                            for i in range(count))]
    index.executemany(
        "INSERT INTO object SELECT ?, size, mtime, etag, small, blob, type, "
        "user, NULL FROM object WHERE key = ?", rows)
    index.commit()
    index.close()


def taken_back_once(folder):
    with Gateway(folder=folder) as gateway:
        put(gateway)
        put(gateway, "t/b.txt")
        equal("status", revoke(gateway, key="t/c.txt").status, 200)
        return target(link(gateway, key=KEY)["url"])


@test
def test_what_is_taken_back_again_and_again_stops_no_other_link():
    with tempfile.TemporaryDirectory() as folder:
        url = taken_back_once(folder)
        multiply(folder, 33000, lambda i, number, mark: (
            number - 33000 + i, mark))
        with Gateway(folder=folder) as gateway:
            equal("status", gateway.ask("GET", url).status, 200)


@test
def test_16384_are_taken_back_and_not_one_more():
    chance = random.Random(5)
    with tempfile.TemporaryDirectory() as folder:
        url = taken_back_once(folder)
        multiply(folder, 16382, lambda i, number, mark: (
            number - i - 1, f"{chance.getrandbits(128):032x}"))
        with Gateway(folder=folder) as gateway:
            equal("status", gateway.ask("GET", url).status, 200)
            equal("the last one", revoke(gateway, key=KEY).status, 200)
            gone(gateway, url)
            answer = revoke(gateway, key="t/b.txt")
            equal("one more", (answer.status, code(answer)),
                  (507, "too_many_revocations"))
            fresh = target(link(gateway, key=KEY)["url"])
            equal("one that is there", revoke(gateway, key=KEY).status, 200)
            gone(gateway, fresh)


def guarded(folder):
    """`root` may all, alice and bob make links and take back their own."""
    rows = [{"identity": who, "operations": may, "prefixes": [""],
             "sha256": hashlib.sha256(who.encode()).hexdigest()}
            for who, may in (("root", ["*"]), ("alice", ["presign"]),
                             ("bob", ["presign"]))]
    path = Path(folder, "tokens.yaml")
    path.write_text(json.dumps({"tokens": rows}))
    path.chmod(0o600)
    return {"hooks": [{"plugin": "auth_token", "file": str(path)}]}


def by(who):
    return [f"Authorization: Bearer {who}"]


@test
def test_own_links_are_taken_back_1024_times_and_others_find_room():
    end = hashlib.sha256(b"sluice-owner\nalice").hexdigest()[:8]
    with tempfile.TemporaryDirectory() as folder:
        taken_back_once(folder)
        multiply(folder, 1023, lambda i, number, mark: (
            number - i - 1, f"{i:024x}{end}"))
        with Gateway(guarded(folder), folder=folder) as gateway:
            mine = link(gateway, by("alice"), key=KEY)
            his = link(gateway, by("bob"), key=KEY)
            answer = revoke(gateway, by("alice"), id=mine["id"])
            equal("the last one", answer.status, 200)
            gone(gateway, target(mine["url"]))
            more = link(gateway, by("alice"), key=KEY)
            answer = revoke(gateway, by("alice"), id=more["id"])
            equal("one more", (answer.status, code(answer)),
                  (507, "too_many_revocations"))
            equal("again", revoke(gateway, by("alice"),
                                  id=mine["id"]).status, 200)
            equal("another's", revoke(gateway, by("bob"),
                                      id=his["id"]).status, 200)
            gone(gateway, target(his["url"]))
            equal("all of hers", revoke(gateway, by("alice"),
                                        identity="alice").status, 200)
            gone(gateway, target(more["url"]))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `mirror` while its storages hang, fail, come back, and while the
gateway is killed: afterwards they are equal, and equal to what was said.

MIXED_SEED makes a run's requests those of another run; when each happens is
the machine's.
"""
import contextlib
import os
import resource
import sys
import threading
import time
from pathlib import Path

TESTS = Path(__file__).parents[3] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "integration"),
                str(TESTS / "e2e"), str(Path(__file__).parent)]
# pylint: disable=wrong-import-position
import crash  # noqa: E402
import kit  # noqa: E402
from bucket import (BUCKET, PARTS, backend, noise, seconds,  # noqa: E402
                    stored)
from kit import (Gateway, MIB, SLOWNESS, each, equal, eventually, expect,
                 request, test)  # noqa: E402
from mirrorkit import (SOUND, breaches, broken, gateway,  # noqa: E402
                       get, owed, place, put, sections)
from oracle.client import Client  # noqa: E402
from oracle.load import CARRIED, Load  # noqa: E402
from oracle.objects import Objects  # noqa: E402
from relay import Relay  # noqa: E402
from s3.kit import Emulator  # noqa: E402


# ---- over S3 ---------------------------------------------------------------

def over_s3(folder, s3, endpoint, over=("main", "bucket"), parts=None,
            **options):
    """A bucket behind a relay, beside `local`."""
    bucket = {**backend(s3, endpoint=endpoint, attempts="1",
                        idle_timeout="1h", connect_timeout="1h",
                        retry_time="1h", **(parts or {}))}
    del bucket["directory"]
    return Gateway({
        "server": {"workers": "1"},
        "backends": {"bucket": bucket, "files": {
            "plugin": "mirror", "over": list(over), "acknowledge": "1",
            "directory": f"{folder}/queue", "timeout": seconds(0.5),
            "heal": seconds(0.2), **options}},
        "routes": [{"mount": "/files", "backend": "files"},
                   {"mount": "/main", "backend": "main"}]}, folder=folder)


class Bucket:
    """An emulator, and a relay before it."""

    def __enter__(self):
        self.s3 = Emulator("minio")
        self.s3.create(BUCKET)
        self.relay = Relay(self.s3.port)
        return self

    def __exit__(self, *_):
        self.relay.away()
        self.s3.stop()

    def has(self, key):
        found = stored(self.s3, key)
        return found and found["etag"].strip('"')


@test
def test_large_upload_goes_to_both():
    data = noise(12 * MIB)
    with place() as folder, Bucket() as there, \
            over_s3(folder, there.s3, there.relay.endpoint, acknowledge="2",
                    timeout="30s") as gate:
        equal("put", put(gate, "files", "k", data), 201)
        expect(get(gate, "main", "k") == data, "other bytes")
        expect(there.has("k"), "the bucket lacks it")
        equal("queue", owed(folder), [])


@test
def test_storage_that_hangs_is_waited_for_once():
    with place() as folder, Bucket() as there, \
            over_s3(folder, there.s3, there.relay.endpoint,
                    heal="1h") as gate:
        equal("before", put(gate, "files", "a", b"1"), 201)
        there.relay.hang()
        equal("put", put(gate, "files", "b", b"2"), 201)
        gate.says("'bucket' said nothing for")
        began = time.monotonic()
        equal("again", put(gate, "files", "c", noise(MIB)), 201)
        equal("delete", gate.ask("DELETE",
                                 "/files/object?key=a").status, 200)
        took = time.monotonic() - began
        expect(took < 0.5 * SLOWNESS, f"{took:.1f} s for one that is away")
        equal("queue", owed(folder), ["a", "b", "c"])
        there.relay.away()


@test
def test_storage_that_comes_back_is_healed():
    with place() as folder, Bucket() as there, \
            over_s3(folder, there.s3, there.relay.endpoint) as gate:
        equal("before", put(gate, "files", "a", b"1"), 201)
        there.relay.hang()
        equal("put", put(gate, "files", "b", b"2"), 201)
        equal("put", put(gate, "files", "c", noise(3 * MIB)), 201)
        equal("delete", gate.ask("DELETE",
                                 "/files/object?key=a").status, 200)
        there.relay.away()
        there.relay.back()
        eventually("nothing is owed", lambda: owed(folder) == [])
        gate.says("'bucket' has all that 'main' has")
        equal("a", there.has("a"), None)
        equal("b", there.has("b"), kit.md5(b"2"))
        expect(there.has("c"), "it lacks c")


@test
def test_first_one_that_hangs_is_waited_for_once_by_reads():
    with place() as folder, Bucket() as there, \
            over_s3(folder, there.s3, there.relay.endpoint,
                    over=("bucket", "main"), heal="1h",
                    acknowledge="2") as gate:
        equal("put", put(gate, "files", "k", b"hello"), 201)
        there.relay.hang()
        equal("get", get(gate, "files", "k"), b"hello")
        began = time.monotonic()
        equal("again", get(gate, "files", "k"), b"hello")
        equal("keys", gate.keys(""), ["k"])
        took = time.monotonic() - began
        expect(took < 0.5 * SLOWNESS, f"{took:.1f} s for one that is away")


@test
def test_download_that_breaks_off_is_no_mixture():
    data = noise(3 * MIB)
    with place() as folder, Bucket() as there, \
            over_s3(folder, there.s3, there.relay.endpoint,
                    over=("bucket", "main"), acknowledge="2",
                    timeout="30s") as gate:
        equal("put", put(gate, "files", "k", data), 201)
        there.s3.faults({"match": {"method": "GET", "path": "/k$"},
                         "do": "truncate", "at": MIB, "times": 50})
        with gate.wire() as wire:
            wire.send(request("GET", "/files/object?key=k"))
            head = wire.head()
            equal("head", head.status, 200)
            try:
                body = wire.take(len(data))
            except kit.Mismatch:
                body = None
        expect(body is None or body == data, "other bytes")


@test
def test_client_that_leaves_while_one_hangs_leaves_nothing():
    with place() as folder, Bucket() as there, \
            over_s3(folder, there.s3, there.relay.endpoint,
                    timeout=seconds(30), acknowledge="2") as gate:
        put(gate, "files", "a")
        there.relay.hang()
        with gate.wire() as wire:
            wire.send(request("PUT", "/files/object?key=k",
                              "Content-Length: 9000000") + bytes(8000000))
            wire.reset()
        there.relay.away()
        there.relay.back()
        eventually("nothing of it", lambda: get(gate, "files", "k") == 404)
        eventually("a put", lambda: put(gate, "files", "k", b"new") == 201)
        equal("bucket", there.has("k"), kit.md5(b"new"))


@test
def test_follower_that_is_slow_and_alive_is_waited_for():
    """The answer to its commit comes byte by byte."""
    with place() as folder, Bucket() as there, \
            over_s3(folder, there.s3, there.relay.endpoint, acknowledge="2",
                    timeout=seconds(2), parts=PARTS) as gate:
        there.s3.faults({"match": {"method": "POST", "path": "/k$",
                                   "query": "uploadId="},
                         "do": "drip", "bytes": 20, "seconds": 0.3 * SLOWNESS})
        began = time.monotonic()
        equal("put", put(gate, "files", "k", noise(12 * MIB)), 201)
        took = time.monotonic() - began
        expect(took > 2 * SLOWNESS, f"{took:.1f} s: it wasn't slow")
        equal("queue", owed(folder), [])


@test
def test_kill_between_the_first_and_the_second_heals():
    """The first one has it, the second hangs, and nobody was answered."""
    with place() as folder, Bucket() as there:
        gate = over_s3(folder, there.s3, there.relay.endpoint,
                       timeout="60s", acknowledge="2")
        try:
            equal("before", put(gate, "files", "k", b"old"), 201)
            there.s3.faults({"match": {"method": "PUT", "path": "/k$"},
                             "do": "stall", "times": 9})
            with gate.wire() as wire:
                wire.send(request("PUT", "/files/object?key=k",
                                  body=b"newer"))
                eventually("the first has it",
                           lambda: get(gate, "main", "k") == b"newer")
                there.s3.wait_for_fault()
                gate.process.kill()
        finally:
            gate.kill()
        equal("queue", owed(folder), ["k"])
        there.s3.control("DELETE", "faults")
        with over_s3(folder, there.s3, there.relay.endpoint) as gate:
            gate.says("'bucket' has all that 'main' has")
            equal("bucket", there.has("k"), kit.md5(b"newer"))


# ---- a storage that doesn't even end when it is canceled --------------------

DEAF = {"two": {"plugin": "stall", "deaf": "true"}}


@contextlib.contextmanager
def killed_at_last(gate):
    """Nothing else ends a gateway whose storage is deaf."""
    try:
        yield gate
    finally:
        gate.process.kill()
        gate.kill()


@test
def test_copy_is_answered_in_time_though_the_second_hangs():
    words = {"faults": DEAF, "workers": 1, "timeout": seconds(0.5)}
    with place() as folder, \
            killed_at_last(gateway(folder, **words)) as gate:
        equal("put", put(gate, "files", "a", b"hello"), 201)
        began = time.monotonic()
        equal("copy", gate.json("POST", "/files/copy",
                                {"from": "a", "to": "stall/b"}).status, 502)
        took = time.monotonic() - began
        expect(took < 5 * SLOWNESS, f"{took:.1f} s for one that hangs")
        equal("one", get(gate, "one", "stall/b"), b"hello")
        equal("queue", owed(folder), ["stall/b"])


@test
def test_heal_that_hangs_holds_no_key():
    with place() as folder:
        with gateway(folder, acknowledge="1", heal="1h",
                     faults=broken("two", "put")) as gate:
            equal("put", put(gate, "files", "stall/k", b"old"), 201)
        words = {"faults": DEAF, "acknowledge": "1", "workers": 1,
                 "timeout": seconds(0.5)}
        with killed_at_last(gateway(folder, **words)) as gate:
            gate.says("'two' lacks")
            eventually("a change", lambda:
                       put(gate, "files", "stall/k", b"new") == 200)
            equal("one", get(gate, "one", "stall/k"), b"new")
            equal("queue", owed(folder), ["stall/k"])


def silent(folder, names):
    """These storages don't answer a ping while the file is there."""
    mute = Path(folder, "mute")
    mute.touch()
    return mute, {name: {"plugin": "stall", "mute": str(mute)}
                  for name in names}


def ready(gate):
    return gate.ask("GET", "/readyz").status == 200


@test
def test_ready_while_one_hangs_that_is_not_needed():
    with place() as folder:
        _, faults = silent(folder, ["two", "three"])
        with gateway(folder, over=("one", "two", "three"), acknowledge="1",
                     faults=faults, ready=["files"]) as gate:
            expect(ready(gate), "it waits for those that hang")
        faults["three"] = SOUND["three"]
        with gateway(folder, over=("one", "two", "three"), acknowledge="2",
                     faults=faults, ready=["files"]) as gate:
            expect(ready(gate), "it waits for the one that hangs")


@test
def test_ping_that_was_given_up_leaves_none_behind():
    with place() as folder:
        mute, faults = silent(folder, ["two", "three"])
        with gateway(folder, over=("one", "two", "three"), faults=faults,
                     ready=["files"]) as gate:
            expect(not ready(gate), "it doesn't wait for those that hang")
            mute.unlink()
            eventually("ready", lambda: ready(gate))


@test
def test_full_disk_of_the_queue_is_told_until_there_is_room():
    with place() as folder, \
            gateway(folder, acknowledge="1", heal="100ms",
                    faults=broken("two", "put", "remove")) as gate:
        for number in range(30):
            put(gate, "files", f"{number}" + "k" * 900)
        expect(ready(gate), "it isn't ready")
        pid, size = gate.process.pid, Path(folder, "queue/queue").stat()
        was = resource.prlimit(pid, resource.RLIMIT_FSIZE,
                               (size.st_size, resource.RLIM_INFINITY))
        equal("put", put(gate, "files", "more" * 99), 507)
        equal("delete", gate.ask("DELETE", "/files/object?key=m").status, 507)
        eventually("not ready", lambda: not ready(gate))
        equal("one", get(gate, "one", "more" * 99), 404)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, was)
        eventually("ready", lambda: ready(gate))
        equal("again", put(gate, "files", "more" * 99), 201)


# ---- everything at once ----------------------------------------------------

FLAPS = {"fail": "25", "lose": "15", "delay": "3ms",
         "fail_with": ["upstream", "io", "busy"]}
ALL = ("head", "get", "put", "list", "remove", "remove_if", "copy", "stage")


def running(folder, faults, **options):
    words = sections(faults=faults, workers=2, acknowledge="1",
                     **{"heal": "100ms", **options})
    words["backends"]["files"]["directory"] = f"{folder}/queue"
    return Gateway(words, folder=folder)


def contents(gate, mount):
    found = {}
    for key in gate.keys("", mount=f"/{mount}"):
        if key.startswith(".sluice/"):
            continue
        answer = gate.ask("GET", f"/{mount}/object?key="
                          f"{kit.quote(key, safe='')}")
        found[key] = (answer.status, kit.md5(answer.body),
                      answer.header("content-type"),
                      answer.header("content-disposition"))
    return found


def equal_now(folder, load=None):
    """Both have the same, and that is what clients were told."""
    with running(folder, None) as gate:
        if load is not None:
            with Client(load.oracle, gate.url, "reader") as client:
                load.learn(client.read_all("t/"))
            expect(not load.oracle.undecided, "a history was not decided")
        eventually("nothing is owed", lambda: owed(folder) == [])
        one, two = contents(gate, "one"), contents(gate, "two")
        equal("keys", sorted(two), sorted(one))
        equal("objects", two, one)
        equal("breaches", breaches(gate), [])


def seeded(**words):
    seed = os.environ.get("MIXED_SEED") or os.urandom(4).hex()
    print(f"seed {seed}", flush=True)
    return Load(Objects(md5_etags=True), seed, faulty=True, clients=6,
                names=4, named=CARRIED, stars=True, kept=20,
                sizes=(0, 1, 100, 5_000, 300_000), **words)


@each({"second": {"two": ALL}, "reads_of_the_first": {
    "one": ("head", "get", "list")}, "all": {"one": ALL, "two": ALL}})
def test_storages_that_fail_at_random_end_equal(flapping):
    load = seeded()
    faults = {}
    for name, operations in flapping.items():
        faults |= broken(name, *operations, **FLAPS)
    with place() as folder:
        with running(folder, faults) as gate:
            load.run([gate.url], lambda: time.sleep(1.5))
            load.oracle.settle()
            equal("breaches", breaches(gate), [])
        expect(load.oracle.calls > 50, "hardly anything was asked")
        equal_now(folder, load)


@test
def test_storages_are_equal_after_kills():
    load = seeded()
    faults = {**broken("one", *ALL, **FLAPS), **broken("two", *ALL, **FLAPS)}
    with place() as folder:
        for _ in range(4):
            gate = running(folder, faults)
            try:
                crash.killed(gate, load, load.random.uniform(0.1, 0.6))
            finally:
                gate.kill()
        equal_now(folder, load)


@test
def test_many_writers_of_one_key_leave_both_equal():
    with place() as folder:
        with running(folder, broken("two", "put", "remove", **FLAPS)) as gate:
            sent, until = set(), time.monotonic() + 1.5

            def write(number):
                count = 0
                with gate.wire() as wire:
                    while time.monotonic() < until or count < 20:
                        data = b"%d %d" % (number, count) * (1 + count % 3000)
                        count += 1
                        sent.add(kit.md5(data))
                        if count % 5 == 0:
                            wire.ask("DELETE", "/files/object?key=k")
                        else:
                            wire.ask("PUT", "/files/object?key=k", body=data)
            threads = [threading.Thread(target=write, args=(number,))
                       for number in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            expect(len(sent) > 30, f"only {len(sent)} were sent")
            now = get(gate, "one", "k")
            expect(now == 404 or kit.md5(now) in sent, "nobody sent that")
        equal_now(folder)


if __name__ == "__main__":
    kit.main()

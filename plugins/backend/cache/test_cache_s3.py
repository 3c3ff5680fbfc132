#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `cache` over an S3 service that is slow, or stands still: one
fetch for all who want an object, whoever of them leaves."""
import contextlib
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
# pylint: disable=wrong-import-position
from cachekit import Cached, asks, breaches, whole  # noqa: E402
import kit  # noqa: E402
from kit import MIB, SLOWNESS, each, equal, eventually, test  # noqa: E402
from bucket import backend, noise, shared  # noqa: E402

GET = {"method": "GET", "path": "/k$"}
DATA = noise(2 * MIB + 5)


class Slow(Cached):
    """The storage is a bucket of its own, with the object `k`."""

    buckets = 0

    def __init__(self, data=DATA, **options):
        self.s3 = shared()
        Slow.buckets += 1
        name = f"cache-{Slow.buckets}"
        self.s3.create(name)
        bucket = {**backend(self.s3, name), "idle_timeout": "60s"}
        bucket.pop("directory")
        super().__init__("bucket", backends={"bucket": bucket}, **options)
        if data is not None:
            self.put("k", data, "/below")
        self.s3.forget()

    def gets(self):
        return len([one for one in self.s3.requests("GET")
                    if one["target"].partition("?")[0].endswith("/k")])

    def drips(self, seconds=1.0):
        """The next GET takes so long, in 32 pieces."""
        self.s3.faults({"match": GET, "do": "drip", "seconds": seconds / 32,
                        "bytes": len(DATA) // 32})

    def stalls(self, at=None):
        """The next GET never ends, or stops after so many bytes."""
        self.s3.faults({"match": GET, "do": "stall", **(
            {"when": "after"} if at is None else
            {"at": at, "side": "response"})})


@contextlib.contextmanager
def wires(gate, count, **options):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(gate.wire(**options))
               for _ in range(count)]


def begins(wire):
    """The head of its answer is there, and some of the bytes."""
    answer = wire.head()
    equal("status", answer.status, 200)
    return int(answer.header("content-length"))


@test
def test_many_who_want_the_same_cost_one_fetch():
    with Slow() as gate, wires(gate, 40) as clients:
        gate.drips()
        for wire in clients:
            asks(wire, "k")
        for wire in clients:
            equal("bytes", wire.answer().body == DATA, True)
        equal("gets", gate.gets(), 1)
        equal("breaches", breaches(gate), [])


@test
def test_who_comes_late_gets_what_came_and_what_comes():
    with Slow(ttl="1h") as gate, wires(gate, 2) as (early, late):
        gate.drips()
        asks(early, "k")
        begins(early)
        early.take(len(DATA) // 2)
        asks(late, "k")
        equal("bytes", late.answer().body == DATA, True)
        equal("gets", gate.gets(), 1)


@each({"one_loop": 1, "two_loops": 2})
def test_fetch_goes_on_when_who_began_it_leaves(workers):
    with Slow(workers=workers, ttl="1h") as gate, \
            wires(gate, 9) as (first, *others):
        gate.drips()
        asks(first, "k")
        begins(first)
        for wire in others:
            asks(wire, "k")
        for wire in others:
            begins(wire)
        first.reset()
        for wire in others:
            equal("bytes", wire.take(len(DATA)) == DATA, True)
        equal("gets", gate.gets(), 1)
        equal("breaches", breaches(gate), [])


@test
def test_fetch_that_nobody_reads_ends_as_a_whole_entry():
    with Slow(linger="4s", ttl="1h") as gate, wires(gate, 1) as (first,):
        gate.drips(0.5)
        asks(first, "k")
        begins(first)
        first.reset()
        eventually("an entry", gate.entries)
        whole(gate, "k", DATA)
        equal("gets", gate.gets(), 1)


@test
def test_fetch_that_nobody_reads_is_over_after_linger():
    with Slow(linger="0s") as gate, wires(gate, 1) as (first,):
        gate.stalls(at=MIB)
        asks(first, "k")
        begins(first)
        first.reset()
        eventually("nothing is left of it",
                   lambda: not list(gate.place.glob("new/*")))
        equal("entries", gate.entries(), [])
        whole(gate, "k", DATA)
        equal("gets", gate.gets(), 2)


@test
def test_nobody_is_held_back_by_who_reads_slowly():
    data = noise(16 * MIB)
    with Slow(data) as gate, wires(gate, 1, buffer=4096) as (slow,):
        asks(slow, "k")
        begins(slow)
        for _ in range(2):
            whole(gate, "k", data)
        equal("gets", gate.gets(), 1)
        equal("bytes", slow.take(len(data)) == data, True)


@each({"before_its_head": None, "in_the_middle": MIB})
def test_fetch_that_stands_still_isn_t_waited_for(where):
    """Each of them asks the storage itself then, for what it lacks."""
    with Slow(wait=f"{int(300 * SLOWNESS)}ms", linger="0s", ttl="1h") as gate:
        with wires(gate, 3) as clients:
            gate.stalls(where)
            for wire in clients:
                asks(wire, "k")
            for wire in clients:
                equal("bytes", wire.answer().body == DATA, True)
        whole(gate, "k", DATA)
        equal("breaches", breaches(gate), [])


@test
def test_storage_that_fails_is_told_of_and_asked_again():
    with Slow() as gate, wires(gate, 8) as clients:
        gate.s3.faults({"match": GET, "do": "403"})
        gate.drips(0.1)
        asks(clients[0], "k")
        equal("status", clients[0].answer().status // 100, 5)
        whole(gate, "k", DATA)


@test
def test_object_that_is_replaced_while_it_is_fetched_isn_t_kept():
    """The one who began before has the old version; nobody else has."""
    with Slow(ttl="1h") as gate, wires(gate, 1) as (early,):
        gate.drips()
        asks(early, "k")
        begins(early)
        gate.put("k", b"new")
        whole(gate, "k", b"new")
        equal("old", early.take(len(DATA)) == DATA, True)
        for _ in range(2):
            whole(gate, "k", b"new")
        equal("breaches", breaches(gate), [])


@test
def test_etag_of_the_service_decides():
    with Slow() as gate:
        whole(gate, "k", DATA)
        eventually("an entry", gate.entries)
        whole(gate, "k", DATA)
        equal("gets", gate.gets(), 1)
        gate.put("k", DATA[1:] + b"x", "/below")
        whole(gate, "k", DATA[1:] + b"x")
        equal("gets", gate.gets(), 2)
        gate.s3.blameless()


@test
def test_gateway_that_stops_doesn_t_wait_for_a_fetch_that_stands_still():
    with Slow(linger="100ms") as gate:
        gate.stalls(MIB)
        with gate.wire() as wire:
            asks(wire, "k")
            begins(wire)
            wire.reset()
            gate.stop()


@test
def test_many_clients_of_many_objects_leave_at_any_moment():
    with Slow(ttl="1h", linger="0s") as gate:
        def client(number):
            for turn in range(6):
                with gate.wire(buffer=4096) as wire:
                    asks(wire, "k", f"Range: bytes={turn * 99}-")
                    begins_any(wire)
                    wire.take(number * 40_000)
                    if (number + turn) % 2:
                        wire.reset()
        threads = [threading.Thread(target=client, args=(number,))
                   for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        whole(gate, "k", DATA)
        equal("breaches", breaches(gate), [])


def begins_any(wire):
    equal("status", wire.head().status, 206)


if __name__ == "__main__":
    kit.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Requests allocate no more than they charge of limits.memory, and not much
less: so many are held in flight as are admitted, and malloc() is counted."""
import json
import mmap
import os
import select
import struct
import tempfile
import time
from pathlib import Path

from bucket import BUCKET, Emulator, noise, sections
from kit import (FORM, KIB, MIB, SLOWNESS, Gateway, Mismatch, each, equal,
                 eventually, expect, field, file, form, main, needs, request,
                 test)

PLUGINS = os.environ.get("SLUICE_PLUGINS", "").split(":")
SMALL, HUGE = noise(100_000), 16 * MIB
LIMITS = {"connections": "2000", "drain_timeout": "100ms",
          "per_client": {"connections": "0", "requests": "0"}}
# Bytes that may be charged beyond twice what is allocated: each request is
# given room for a long head, for what hooks keep, and for metadata.
SPARE = 32 * KIB


def library():
    found = [path for folder in PLUGINS
             if (path := Path(folder, "heapcount.so")).exists()]
    needs(found, "heapcount.so isn't built")
    needs("verify" not in os.environ.get("ASAN_OPTIONS", ""), "no malloc()")
    return str(found[0])


class Heap:
    """This is what the gateway has allocated."""

    def __init__(self, folder):
        self.path = Path(folder, "heap")
        self.path.write_bytes(bytes(16))
        with self.path.open("r+b") as shared:
            self.map = mmap.mmap(shared.fileno(), 16)
        self.env = {"LD_PRELOAD": library(), "HEAP_COUNT": str(self.path)}

    def now(self):
        """Once it stands still for a moment."""
        last, since = None, 0
        until = time.monotonic() + 20 * SLOWNESS
        while time.monotonic() < until:
            new = struct.unpack_from("q", self.map, 0)[0]
            if new != last:
                last, since = new, time.monotonic()
            elif time.monotonic() - since > 0.03 * SLOWNESS:
                return new
            time.sleep(0.005)
        raise Mismatch("the heap doesn't come to rest")

    def most(self, ask):
        """The most that `ask` has allocated, beyond what was there."""
        before = self.now()
        struct.pack_into("q", self.map, 8, before)
        ask()
        return struct.unpack_from("q", self.map, 8)[0] - before


class Place:
    """A gateway whose heap is counted, over S3 or a folder."""

    def __init__(self, memory, s3):
        # pylint: disable=consider-using-with
        self.scratch = tempfile.TemporaryDirectory(prefix="sluice-test-")
        folder = Path(self.scratch.name)
        self.heap = Heap(folder)
        self.s3 = Emulator("minio") if s3 else None
        own = {"limits": {"memory": f"{memory // MIB}MiB", **LIMITS},
               "server": {"workers": "1"}}
        if self.s3:
            self.s3.create(BUCKET)
            own = sections(self.s3, more=own, attempts="1",
                           connections="1000", idle_timeout="60s")
        self.gate = Gateway(own, folder=folder, env=self.heap.env)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        try:
            self.gate.__exit__(kind, *rest)
        finally:
            if self.s3:
                self.s3.stop()
            self.scratch.cleanup()

    def fired(self):
        return len(self.s3.faults_fired())

    def hold(self, asked, held):
        """Holds one request more; what it took, or None: it was refused."""
        wire = self.gate.wire(buffer=4 * KIB)
        wire.ask("GET", "/healthz")
        before, fired = self.heap.now(), self.s3 and self.fired()
        wire.send(asked)
        if self.s3 and self.stalls:
            eventually("the storage, or an answer", lambda: (
                self.fired() > fired or answered(wire)))
        took = self.heap.now() - before
        held.append(wire)
        if answered(wire) and wire.head().status == 503:
            return None
        return took

    def fill(self, asked, stall=None):
        """Holds as many as there may be: how many, and what one took."""
        self.stalls = stall is not None
        if self.stalls:
            self.s3.faults({"match": stall, "do": "stall", "when": "before",
                            "seconds": 300, "times": 10000})
        held, took = [], []
        try:
            while (one := self.hold(asked, held)) is not None:
                took.append(one)
                expect(len(took) < 1000, "nothing is charged")
        finally:
            for wire in held:
                wire.reset()
        # All are alike, but now and then something else allocates beside one.
        return len(took), sorted(took)[len(took) * 9 // 10]


def answered(wire):
    return bool(select.select([wire.socket], [], [], 0)[0])


def upload():
    return request("POST", "/files", FORM, body=form(
        field("prefix", "t"), file(SMALL, "a.txt")))


def half_upload():
    """Of one MiB, which its client stops to send in the middle."""
    whole = request("POST", "/files", FORM, body=form(
        field("prefix", "t"), file(bytes(MIB), "a.txt")))
    return whole[:MIB // 2]


def asking(method, target, key):
    return request(method, target, "Content-Type: application/json",
                   body=json.dumps({"key": key}).encode())


def fair(memory, count, took):
    """Between count and count + 1 times the charge are the whole memory."""
    charged = memory // count
    print(f"  {count} of {memory >> 10} KiB: {charged / KIB:.1f} KiB charged,"
          f" {took / KIB:.1f} KiB allocated")
    expect(took <= charged, f"{took} bytes are allocated, {charged} charged")
    expect(memory // (count + 1) <= 2 * took + SPARE,
           f"{took} bytes are allocated, {charged} charged")


def put_list(here, many):
    for number in range(many):
        here.gate.upload(b"x", name=f"{number:04d}.txt", prefix="list")


S3 = {
    "upload": (4 * MIB, {"method": "PUT"}, lambda here: upload()),
    "half an upload": (8 * MIB, None, lambda here: half_upload()),
    "presign": (2 * MIB, {"method": "HEAD"},
                lambda here: asking("POST", "/files/presign", here.key)),
    "delete": (2 * MIB, {"method": "DELETE"},
               lambda here: asking("DELETE", "/files", here.key)),
}


@each(S3)
def test_s3_request_in_flight_is_charged(case):
    memory, stall, asked = case
    with Place(memory, s3=True) as here:
        here.key = here.gate.upload(SMALL)["key"]
        count, took = here.fill(asked(here), stall)
        fair(memory, count, took)


@test
def test_list_is_charged_as_its_answer_is_made():
    """That is when it takes the most, so the storage isn't held then."""
    memory, asked = 4 * MIB, request("GET", "/files?prefix=t&limit=100")
    with Place(memory, s3=True) as here:
        for number in range(100):
            here.gate.upload(b"x", name=f"{number:03d}-{'n' * 60}.txt")
        with here.gate.wire() as wire:
            def ask():
                wire.send(asked)
                equal("entries", wire.answer().json["count"], 100)
            ask()
            most = here.heap.most(ask)
        count, took = here.fill(asked, {"method": "GET",
                                        "query": "list-type"})
        fair(memory, count, max(took, most))


@each({"s3": True, "local": False})
def test_download_that_nobody_reads_is_charged(s3):
    memory = 4 * MIB
    with Place(memory, s3) as here:
        key = here.gate.upload(bytes(HUGE))["key"]
        count, took = here.fill(request("GET", f"/files/download?key={key}"))
        if s3:
            fair(memory, count, took)
        else:  # sendfile() needs no memory, a chunk or TLS would
            expect(took <= memory // count <= 160 * KIB, f"{count}, {took}")




if __name__ == "__main__":
    main()

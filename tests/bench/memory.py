#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much memory the gateway takes: its peak (VmHWM) while large files go
through it, while many do at once, and while somebody stands still.

SLUICE is the gateway's binary, SLUICE_PLUGINS the folders of plugins (with
tests/plugins, for the backend that stalls).  Needs some 4 GiB on the disk of
--folder; --large needs 10 GiB.  The exit status is 1 when a figure isn't met.
"""
import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from kit import (FORM, GIB, MIB, Gateway, Mismatch, equal, expect, head,
                 large_form, request)

PIECE = bytes(1 << 18)
MANY = 64


class Table:
    def __init__(self):
        self.failed = 0
        print(f"{'what':52} {'figure':>14} {'limit':>14}")

    def row(self, what, figure, limit, good):
        self.failed += not good
        print(f"{what:52} {figure:>14} {limit:>14}  "
              f"{'PASS' if good else 'FAIL'}", flush=True)

    def memory(self, what, gateway, limit):
        peak = gateway.status("VmHWM") / 1024
        self.row(what, f"{peak:.1f} MiB", f"{limit} MiB", peak <= limit)
        return peak


def upload(gateway, size, mount="/files"):
    """One upload whose bytes are never in memory together; its key."""
    before, after, length = large_form(size)
    with gateway.wire(timeout=300) as wire:
        wire.send(head("POST", mount, FORM, f"Content-Length: {length}"))
        wire.send(before)
        left = size
        while left:
            left -= wire.socket.send(PIECE[:left])
        wire.send(after)
        answer = wire.answer()
        equal("status of the upload", (answer.status, answer.error),
              (201, None))
        equal("size", answer.json["size_bytes"], size)
        return answer.json["key"]


def download(gateway, key, size, rate=None, seconds=None):
    """Reads one object, at most `rate` bytes a second for `seconds`."""
    buffer = memoryview(bytearray(1 << 18))
    with gateway.wire(timeout=300, buffer=1 << 16 if rate else None) as wire:
        wire.send(request("GET", f"/files/download?key={key}"))
        equal("length", wire.head().header("content-length"), str(size))
        got, started = len(wire.input), time.monotonic()
        while got < size:
            part = buffer[:rate // 10] if rate else buffer
            count = wire.socket.recv_into(part)
            expect(count, f"the download ended after {got} of {size} bytes")
            got += count
            if rate:
                # The pace is the point of this reader.
                time.sleep(max(0, started + got / rate - time.monotonic()))
                if time.monotonic() - started > seconds:
                    return


def at_once(count, act):
    """Runs act(number) in as many threads; the first failure is raised."""
    troubles = []

    def one(number):
        try:
            act(number)
        except Exception as error:  # pylint: disable=broad-except
            troubles.append(error)
    threads = [threading.Thread(target=one, args=(number,))
               for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise troubles[0]


def roomy(size):
    return {"server": {"workers": "auto"},
            "uploads": {"max_bytes": f"{size // MIB}MiB"}}


def gigabytes(table, folder, size):
    """One upload and one download of that size; the peak."""
    with tempfile.TemporaryDirectory(dir=folder) as own, \
            Gateway(roomy(size), folder=own) as gateway:
        started = time.monotonic()
        key = upload(gateway, size)
        up = time.monotonic() - started
        what = f"{size // GIB} GiB up at {size / MIB / up:.0f} MiB/s"
        table.memory(what, gateway, 24)
        started = time.monotonic()
        download(gateway, key, size)
        down = time.monotonic() - started
        what = f"{size // GIB} GiB down at {size / MIB / down:.0f} MiB/s"
        return table.memory(what, gateway, 24)


def many(table, folder):
    with tempfile.TemporaryDirectory(dir=folder) as own, \
            Gateway(roomy(50 * MIB), folder=own) as gateway:
        started = time.monotonic()
        at_once(MANY, lambda _: upload(gateway, 50 * MIB))
        speed = MANY * 50 / (time.monotonic() - started)
        table.memory(f"{MANY} uploads of 50 MiB at once, {speed:.0f} MiB/s",
                     gateway, 40)


def slow_reader(table, folder, seconds):
    with tempfile.TemporaryDirectory(dir=folder) as own, \
            Gateway(roomy(GIB), folder=own) as gateway:
        key = upload(gateway, GIB)
        before = gateway.status("VmRSS") / 1024
        download(gateway, key, GIB, rate=200_000, seconds=seconds)
        grown = gateway.status("VmRSS") / 1024 - before
        table.row(f"reader at 200 kB/s of 1 GiB, {seconds} s: growth",
                  f"{grown:.1f} MiB", "1 MiB", grown <= 1)
        table.memory("... peak", gateway, 24)


def stalling():
    return {"server": {"workers": "auto"},
            "backends": {"stall": {"plugin": "stall", "swallow": "64KiB"}},
            "routes": [{"mount": "/files", "backend": "main"},
                       {"mount": "/stall", "backend": "stall"}]}


def stalled(table, folder):
    """Uploads that the backend stops taking, and downloads that it stops
    giving: what the clients go on sending must not be collected."""
    _, _, length = large_form(50 * MIB)
    with tempfile.TemporaryDirectory(dir=folder) as own, \
            Gateway(stalling(), folder=own) as gateway:
        wires = []
        gateway.upload()
        for _ in range(MANY):
            up, down = gateway.wire(), gateway.wire()
            wires += [up, down]
            up.send(head("POST", "/stall", FORM,
                         f"Content-Length: {length}") +
                    large_form(50 * MIB)[0])
            down.send(request("GET", "/stall/download?key=stall/x"))
            equal("status", down.head().status, 200)
        sent = sum(up.flood(PIECE, 40 * MIB, 0.05) for up in wires[::2])
        full = gateway.status("VmRSS") / 1024
        sent += sum(up.flood(PIECE, 40 * MIB, 0.1) for up in wires[::2])
        started = time.monotonic()
        for at in range(20):
            key = gateway.upload(b"%d" % at)["key"]
            equal("object", gateway.download(key).body, b"%d" % at)
        took = (time.monotonic() - started) / 20
        grown = gateway.status("VmRSS") / 1024 - full
        table.row(f"{MANY} uploads, {MANY} downloads stalled: growth",
                  f"{grown:.1f} MiB", "1 MiB", grown <= 1)
        table.memory(f"... peak, {sent // MIB} MiB sent", gateway, 40)
        table.row("... an upload and download of others", f"{took:.3f} s",
                  "0.5 s", took <= 0.5)
        for wire in wires:
            wire.reset()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", help="where files go; default: /tmp")
    parser.add_argument("--large", action="store_true",
                        help="also 10 GiB against 1 GiB")
    parser.add_argument("--seconds", type=int, default=20,
                        help="of the slow reader")
    given = parser.parse_args()
    table = Table()
    try:
        gigabytes(table, given.folder, 2 * GIB)
        many(table, given.folder)
        slow_reader(table, given.folder, given.seconds)
        stalled(table, given.folder)
        if given.large:
            small = gigabytes(table, given.folder, GIB)
            large = gigabytes(table, given.folder, 10 * GIB)
            table.row("10 GiB takes more than 1 GiB by",
                      f"{100 * (large - small) / small:.1f} %", "10 %",
                      large <= small * 1.1)
    except Mismatch as mismatch:
        table.row(str(mismatch), "", "", False)
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())

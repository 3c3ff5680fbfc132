#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `throttle`: so many operations at once and a second, others wait,
in order, and no longer than they may."""
import select
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import (Gateway, MIB, each, equal, eventually, expect, refusal,
                 request, test)  # noqa: E402

ROUTES = [{"mount": "/files", "backend": "calm"},
          {"mount": "/below", "backend": "main"}]


def gateway(workers=1, under="main", **options):
    return Gateway({
        "server": {"workers": str(workers)},
        "backends": {"calm": {"plugin": "throttle", "over": under, **options},
                     "tenant": {"plugin": "prefix", "over": "main",
                                "prefix": "t/"}},
        "routes": ROUTES})


def upload(gate, key="k", data=b"hello"):
    equal("put", gate.ask("PUT", f"/files/object?key={key}",
                          body=data).status, 201)


class Slow:
    """A download of which the client reads nothing: it holds a place."""

    def __init__(self, gate, key="k"):
        self.wire = gate.wire(buffer=4096)
        self.wire.send(request("GET", f"/files/object?key={key}"))
        equal("status", self.wire.head().status, 200)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()

    def leave(self):
        if self.wire is not None:
            self.wire.reset()
        self.wire = None


def answers(wire):
    """Within a moment, which is long for one that wasn't to wait."""
    return bool(select.select([wire.socket], [], [], 0.05)[0])


LARGE = bytes(16 * MIB)


@each({"one_loop": 1, "two_loops": 2})
def test_one_waits_until_a_place_is_free(workers):
    with gateway(workers, concurrent="1", wait="60s") as gate:
        upload(gate, data=LARGE)
        with Slow(gate) as slow, gate.wire() as wire:
            wire.send(request("HEAD", "/files/object?key=k"))
            with gate.wire() as beside:
                equal("health", beside.ask("GET", "/readyz").status, 200)
            expect(not wire.input, "an answer came")
            slow.leave()
            equal("status", wire.answer("HEAD").status, 200)


@test
def test_nobody_waits_longer_than_wait():
    with gateway(concurrent="1", wait="200ms") as gate:
        upload(gate, data=LARGE)
        with Slow(gate):
            began = time.monotonic()
            answer = gate.ask("GET", "/files/object?key=k")
            equal("status", answer.status, 503)
            expect(time.monotonic() - began >= 0.2, "it didn't wait")
            gate.says("no turn came within 200 ms")
        eventually("a place is free again", lambda: gate.ask(
            "GET", "/files/object?key=k", "Range: bytes=0-1").status == 206)


@test
def test_as_many_wait_as_may_and_one_more_is_refused():
    with gateway(concurrent="1", waiting="2", wait="60s") as gate:
        upload(gate, data=LARGE)
        with Slow(gate) as slow, gate.wire() as one, gate.wire() as two:
            for wire in one, two:
                wire.send(request("HEAD", "/files/object?key=k"))
            eventually("refused", lambda: gate.ask(
                "HEAD", "/files/object?key=k").status == 503)
            slow.leave()
            for wire in one, two:
                equal("status", wire.answer("HEAD").status, 200)


@test
def test_nobody_waits_where_waiting_is_0():
    with gateway(concurrent="1", waiting="0") as gate:
        upload(gate, data=LARGE)
        with Slow(gate):
            equal("status", gate.ask("HEAD", "/files/object?key=k").status,
                  503)


@test
def test_who_gives_up_lets_nobody_in_before_the_turn_comes():
    """Those who wait are on both loops; the slow one has the only place."""
    with gateway(2, concurrent="1", wait="60s") as gate:
        upload(gate, data=LARGE)
        with Slow(gate) as slow:
            wires = [gate.wire() for _ in range(24)]
            for wire in wires:
                wire.send(request("HEAD", "/files/object?key=k"))
            for _ in range(8):
                equal("alive", gate.ask("GET", "/healthz").status, 200)
            for wire in wires[::2]:
                wire.reset()
            quiet = [wire for wire in wires[1::2] if not answers(wire)]
            equal("still wait", len(quiet), 12)
            slow.leave()
            for wire in quiet:
                equal("status", wire.answer("HEAD").status, 200)
                wire.close()


@test
def test_rate_is_kept_after_the_burst():
    with gateway(rate="20", burst="5") as gate:
        upload(gate)
        began = time.monotonic()
        for _ in range(15):
            equal("status", gate.ask("HEAD", "/files/object?key=k").status,
                  200)
        took = time.monotonic() - began
        expect(took >= 10 / 20, f"{took:.2f} s for 10 behind the burst")


@test
def test_who_would_wait_too_long_for_the_rate_is_refused_at_once():
    with gateway(rate="1", burst="1", wait="100ms") as gate:
        upload(gate)
        began = time.monotonic()
        equal("status", gate.ask("HEAD", "/files/object?key=k").status, 503)
        expect(time.monotonic() - began < 5, "it waited")


@each({"local": "main", "another_layer": "tenant"})
def test_all_operations_pass(under):
    with gateway(concurrent="4", under=under) as gate:
        upload(gate, "a", LARGE[:MIB])
        equal("range", gate.ask("GET", "/files/object?key=a",
                                "Range: bytes=5-9").body, bytes(5))
        equal("copy", gate.json("POST", "/files/copy",
                                {"from": "a", "to": "b"}).status, 201)
        equal("if", gate.ask("PUT", "/files/object?key=a", 'If-Match: "x"',
                             body=b"y").status, 412)
        names = gate.ask("GET", "/files?prefix=&limit=1").json
        equal("first", [one["key"] for one in names["objects"]], ["a"])
        names = gate.ask("GET", f"/files?prefix=&cursor="
                                f"{names['next_cursor']}").json
        equal("rest", [one["key"] for one in names["objects"]], ["b"])
        done = gate.json("POST", "/files/delete", {"keys": ["a", "x"]}).json
        equal("deleted", sorted(done["deleted"]), ["a", "x"])
        made = gate.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                        "Upload-Length: 5", "Upload-Metadata: filename YQ==")
        where = made.header("location")
        done = gate.ask("PATCH", where[where.index("/files/"):],
                        "Tus-Resumable: 1.0.0", "Upload-Offset: 0",
                        "Content-Type: application/offset+octet-stream",
                        body=b"hello")
        equal("resumed", done.status, 204)
        gate.delete("b")
        equal("keys", len(gate.keys("")), 1)
        equal("lines", [line for line in gate.lines if "breaks" in line], [])


@test
def test_resumable_upload_waits_with_all_that_it_brings():
    with gateway(concurrent="1", wait="60s") as gate:
        upload(gate, data=LARGE)
        gate.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                 "Upload-Length: 5")
        with Slow(gate) as slow, gate.wire() as wire:
            wire.send(request("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                              "Upload-Length: 5",
                              "Upload-Metadata: filename YS50eHQ="))
            gate.ask("GET", "/healthz")
            slow.leave()
            equal("status", wire.answer().status, 201)


@test
def test_link_is_the_gateway_s():
    with gateway(concurrent="4") as gate:
        upload(gate)
        link = gate.json("POST", "/files/presign", {"key": "k"}).json["url"]
        equal("bytes", gate.ask("GET", link[link.index("/files/"):]).body,
              b"hello")


REFUSED = {
    "nothing": ({}, "nothing is limited; write rate, concurrent or both"),
    "burst_alone": ({"burst": "1", "concurrent": "1"}, "write rate, too"),
    "rate": ({"rate": "1000001"}, "rate and burst: write 0 to 1000000"),
    "negative": ({"rate": "-1"}, "rate and burst: write 0 to 1000000"),
    "concurrent": ({"concurrent": "65537"}, "concurrent: write 0 to 65536"),
    "waiting": ({"rate": "1", "waiting": "65537"},
                "waiting: write 0 to 65536"),
    "no_wait": ({"rate": "1", "wait": "0s"}, "wait: write 1ms to 10m"),
    "wait": ({"rate": "1", "wait": "600001ms"}, "wait: write 1ms to 10m")}


@each(REFUSED)
def test_option_out_of_its_range_stops_the_start(case):
    options, why = case
    refusal({"backends": {"calm": {"plugin": "throttle", "over": "main",
                                   **options}}}, why)


@test
def test_options_at_their_limits_are_taken():
    with gateway(rate="1000000", burst="1000000", concurrent="65536",
                 waiting="65536", wait="10m") as gate:
        upload(gate)


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("throttle.yaml"))


if __name__ == "__main__":
    kit.main()

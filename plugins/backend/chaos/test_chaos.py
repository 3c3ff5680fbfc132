#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `chaos`: faults come as they were ordered, and are told."""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import (Gateway, MIB, each, equal, expect, refusal, request,
                 test)  # noqa: E402

KEY = "/files/object?key=k"
BELOW = "/below/object?key=k"


def gateway(under="main", **options):
    return Gateway({
        "server": {"workers": "1"},
        "backends": {"odd": {"plugin": "chaos", "over": under, **options},
                     "tenant": {"plugin": "prefix", "over": "main",
                                "prefix": "t/"}},
        "routes": [{"mount": "/files", "backend": "odd"},
                   {"mount": "/below", "backend": under}]})


def breaches(gate):
    return [line for line in gate.lines if "breaks the contract" in line]


@test
def test_start_says_that_faults_are_on():
    with gateway(fail="5", seed="7") as gate:
        gate.says("faults are on, for tests only: seed 7, 5 % fail")


STATUS = {"busy": 503, "io": 500, "upstream": 502, "timeout": 504,
          "nospace": 507, "denied": 403}


@each({name: name for name in STATUS})
def test_operation_fails_as_it_is_told(name):
    with gateway(fail="100", fail_with=[name]) as gate:
        gate.ask("PUT", BELOW, body=b"hello")
        equal("get", gate.ask("GET", KEY).status, STATUS[name])
        equal("put", gate.ask("PUT", KEY, body=b"x").status, STATUS[name])
        equal("below", gate.ask("GET", BELOW).body, b"hello")
        gate.says("a fault of a get: it fails")
        equal("breaches", breaches(gate), [])


def statuses(seed):
    with gateway(fail="50", seed=seed, operations=["head"]) as gate:
        gate.ask("PUT", BELOW, body=b"hello")
        return [gate.ask("HEAD", KEY).status for _ in range(40)]


@test
def test_same_seed_fails_the_same_and_another_one_otherwise():
    first = statuses("1")
    equal("kinds", set(first), {200, 502})
    equal("again", statuses("1"), first)
    expect(statuses("2") != first, "the same faults")


@each({"local": "main", "another_layer": "tenant"})
def test_download_is_cut_before_its_end(under):
    data = bytes(range(256)) * (MIB // 256)
    with gateway(under, cut="100") as gate:
        gate.ask("PUT", BELOW, body=data)
        for _ in range(8):
            with gate.wire() as wire:
                wire.send(request("GET", KEY))
                head = wire.head()
                if head.status == 502:
                    continue
                equal("status", head.status, 200)
                while wire.more():
                    pass
                expect(len(wire.input) < len(data), "all of it came")
                expect(data.startswith(wire.input), "other bytes")
        gate.says("a fault of a get: the download breaks off")
        equal("breaches", breaches(gate), [])


@test
def test_answer_is_lost_after_the_change():
    with gateway(lose="100") as gate:
        equal("put", gate.ask("PUT", KEY, body=b"hello").status, 502)
        equal("there", gate.ask("GET", BELOW).body, b"hello")
        equal("get", gate.ask("GET", KEY).body, b"hello")
        equal("delete", gate.ask("DELETE", KEY).status, 502)
        equal("gone", gate.ask("GET", BELOW).status, 404)
        gate.says("a fault of a put: it is done, and its answer is lost")
        equal("breaches", breaches(gate), [])


@test
def test_chunks_of_a_download_are_slow():
    with gateway(slow="200ms") as gate:
        gate.ask("PUT", BELOW, body=b"hello")
        began = time.monotonic()
        equal("bytes", gate.ask("GET", KEY).body, b"hello")
        expect(time.monotonic() - began >= 0.2, "it came at once")


@test
def test_client_who_leaves_while_it_is_delayed_is_forgotten():
    with gateway(delay="10m", slow="10m", operations=["get"]) as gate:
        gate.ask("PUT", BELOW, body=b"hello")
        with gate.wire() as wire:
            wire.send(request("GET", KEY))
            gate.ask("GET", "/healthz")
            wire.reset()
        equal("head", gate.ask("HEAD", KEY).status, 200)
        equal("breaches", breaches(gate), [])


@test
def test_only_the_operations_that_are_named_have_faults():
    with gateway(fail="100", operations=["get"]) as gate:
        equal("put", gate.ask("PUT", KEY, body=b"hello").status, 201)
        equal("head", gate.ask("HEAD", KEY).status, 200)
        equal("get", gate.ask("GET", KEY).status, 502)


REFUSED = {
    "nothing": ({}, "no fault is switched on; write fail, cut, lose"),
    "fail": ({"fail": "101"}, "are percent: write 0 to 100"),
    "cut": ({"cut": "-1"}, "are percent: write 0 to 100"),
    "lose": ({"lose": "101"}, "are percent: write 0 to 100"),
    "delay": ({"delay": "600001ms"}, "delay and slow: write 0s to 10m"),
    "slow": ({"slow": "11m"}, "delay and slow: write 0s to 10m"),
    "seed": ({"fail": "1", "seed": "-1"}, "or a positive number"),
    "error": ({"fail": "1", "fail_with": ["bad"]}, "'bad' is no error"),
    "no_error": ({"fail": "1", "fail_with": []}, "names no error"),
    "operation": ({"fail": "1", "operations": ["ping"]}, "'ping' is none")}


@each(REFUSED)
def test_bad_option_stops_the_start(case):
    options, why = case
    refusal({"backends": {"odd": {"plugin": "chaos", "over": "main",
                                  **options}}}, why)


@test
def test_options_at_their_limits_are_taken():
    with gateway(fail="100", cut="100", lose="100", delay="10m", slow="10m",
                 fail_with=list(STATUS)) as gate:
        gate.says("100 % fail")


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("chaos.yaml"))


if __name__ == "__main__":
    kit.main()

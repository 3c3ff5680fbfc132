#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Limits of requests and bytes, over all loops."""
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import (Gateway, Wire, built, each, equal, eventually, expect,
                 hook_source, like, refusal, test)  # noqa: E402

LIST = "/files?prefix=t"


def limit(**options):
    return {"plugin": "rate_limit", **options}


def limited(*limits, **sections):
    return Gateway({"hooks": [*limits], **sections})


def statuses(gate, count, *lines):
    with gate.wire() as wire:
        return [wire.ask("GET", LIST, *lines).status for _ in range(count)]


def naming(folder):
    """A hook that takes X-Who for whose request it is."""
    built(folder, "naming", hook_source(
        "naming", ask='const char *who = sluice_request_header(request, '
        '"X-Who"); if (who) sluice_request_identify(request, who); '
        "return SLUICE_PASS;"))
    return {"plugin_path": [*kit.PLUGINS, str(folder)]}


def refused(gate):
    """The first answer that is a 429: bytes are charged when all is over,
    which may be after the client has the last one."""
    answers = []

    def asks():
        answers.append(gate.ask("GET", LIST))
        return answers[-1].status == 429
    eventually("a refusal", asks)
    return answers[-1]


@test
def test_burst_is_exact_over_all_loops():
    with limited(limit(requests="1", per="1h", burst="60")) as gate:
        got = []
        threads = [threading.Thread(
            target=lambda: got.extend(statuses(gate, 25))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal("answers", (got.count(200), got.count(429)), (60, 140))


@test
def test_refusal_says_when_to_come_again():
    with limited(limit(requests="2", per="1m")) as gate:
        equal("statuses", statuses(gate, 2), [200, 200])
        answer = gate.ask("GET", LIST)
        equal("status", (answer.status, answer.json["code"]),
              (429, "rate_limited"))
        wait = int(answer.header("retry-after"))
        expect(20 <= wait <= 30, f"Retry-After: {wait}")
        like("message", answer.error, r"Too many requests; try again in \d+ s")


@test
def test_limit_recovers_as_it_said():
    with limited(limit(requests="1")) as gate:
        equal("statuses", statuses(gate, 2), [200, 429])
        eventually("a request that is let through",
                   lambda: statuses(gate, 1) == [200], pause=0.05)


@test
def test_refused_requests_are_not_counted():
    with limited(limit(requests="20", burst="2")) as gate:
        with gate.wire() as wire:
            served = []

            def insists():
                served.append(wire.ask("GET", LIST).status == 200)
                return served.count(True) == 4
            eventually("two requests beyond the burst", insists, pause=0)


@test
def test_bytes_are_charged_when_they_went_and_lead_to_debt():
    with limited(limit(bytes="1KiB", per="1m", bytes_burst="8KiB")) as gate:
        gate.upload(b"x" * 3000)  # with its form and answer below 8 KiB
        gate.upload(b"x" * 8000)
        answer = refused(gate)
        like("message", answer.error, "Too many bytes")
        # 11000 bytes and two forms and answers, less 8192, at 1024 a minute
        wait = int(answer.header("retry-after"))
        expect(164 < wait < 300, f"Retry-After: {wait}")


@test
def test_debt_has_a_limit():
    with limited(limit(bytes="1KiB", per="1h", debt="20s")) as gate:
        gate.upload(b"x" * 30000)
        answer = refused(gate)
        wait = int(answer.header("retry-after"))
        expect(10 <= wait <= 20, f"Retry-After: {wait}")


@test
def test_downloads_are_charged_by_what_went():
    with limited(limit(bytes="1KiB", per="1h", bytes_burst="20KiB",
                       operations=["download"])) as gate:
        key = gate.upload(b"x" * 8000)["key"]
        with gate.wire() as wire:
            got = [wire.ask("GET", f"/files/download?key={key}").status
                   for _ in range(4)]
        equal("statuses", got, [200, 200, 200, 429])


@test
def test_operations_that_are_not_named_are_free():
    with limited(limit(requests="1", per="1h",
                       operations=["delete", "signed"])) as gate:
        equal("lists", statuses(gate, 3), [200] * 3)
        up = gate.upload()
        target = up["download_url"].split("gateway.test")[1]
        equal("links", [gate.ask("GET", target).status for _ in range(2)],
              [200, 429])


@test
def test_health_and_unknown_paths_are_free():
    with limited(limit(requests="1", per="1h")) as gate:
        equal("statuses", [gate.ask("GET", path).status for path in
                           ("/healthz", "/x", LIST, "/healthz", "/x", LIST)],
              [200, 404, 200, 200, 404, 429])


@test
def test_identities_are_counted_apart_and_unknown_ones_by_address():
    with kit.tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        with limited({"plugin": "naming"},
                     limit(by="identity", requests="2", per="1h"),
                     **naming(folder)) as gate:
            for who in (["X-Who: ann"], ["X-Who: bob"], []):
                equal(f"{who}", statuses(gate, 3, *who), [200, 200, 429])


@test
def test_before_the_one_who_knows_all_are_one_client():
    with kit.tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        with limited(limit(by="identity", requests="2", per="1h"),
                     {"plugin": "naming"}, **naming(folder)) as gate:
            equal("ann", statuses(gate, 2, "X-Who: ann"), [200, 200])
            equal("bob", statuses(gate, 1, "X-Who: bob"), [429])


def from_address(gate, address):
    """The status of a request of a client behind a proxy."""
    return gate.ask("GET", LIST, f"X-Forwarded-For: {address}").status


@test
def test_ipv6_clients_are_counted_by_their_network():
    with limited(limit(requests="2", per="1h"),
                 server={"trusted_proxies": ["127.0.0.1"]}) as gate:
        got = [from_address(gate, address) for address in
               ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::",
                "192.0.2.1", "192.0.2.2", "192.0.2.1", "::ffff:192.0.2.1")]
        equal("statuses", got, [200, 200, 429, 200, 200, 200, 200, 429])


@test
def test_prefixes_are_configurable():
    with limited(limit(requests="1", per="1h", ipv4_prefix="24",
                       ipv6_prefix="128"),
                 server={"trusted_proxies": ["127.0.0.1"]}) as gate:
        got = [from_address(gate, address) for address in
               ("2001:db8::1", "2001:db8::2", "2001:db8::2",
                "192.0.2.1", "192.0.2.2", "192.0.3.1")]
        equal("statuses", got, [200, 200, 429, 200, 429, 200])


@test
def test_clients_of_a_unix_socket_are_one():
    with kit.tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = f"unix:{folder}/socket"
        with limited(limit(requests="1", per="1h"),
                     server={"listen": [path]}):
            got = []
            for _ in range(2):
                with Wire(path) as wire:
                    got.append(wire.ask("GET", LIST).status)
            equal("statuses", got, [200, 429])


@test
def test_more_clients_than_places_are_let_through_and_told():
    """But who shares 18 bits of a hash with one of eight neighbours: one of
    all of these clients in some twelve runs."""
    got = []
    with limited(limit(requests="1", per="1h", entries="1024",
                       ipv6_prefix="128"),
                 server={"trusted_proxies": ["127.0.0.1"]}) as gate:
        with gate.wire() as wire:
            for i in range(3000):
                got.append(wire.ask(
                    "GET", LIST,
                    f"X-Forwarded-For: 2001:db8::{i:x}").status)
        expect(set(got) <= {200, 429}, f"{set(got)}")
        expect(got.count(429) <= 3,
               f"{got.count(429)} of 3000 were refused")
        gate.says("requests weren't limited so far.*raise entries")


@each({"nothing": ({}, "neither requests nor bytes"),
       "by": ({"requests": "1", "by": "ip"}, "by: 'ip' is not known"),
       "negative": ({"requests": "-1"}, "can't be negative"),
       "too fast": ({"requests": "100001"}, "more than 100000 a second"),
       "burst alone": ({"bytes": "1MiB", "burst": "1"}, "without requests"),
       "bytes_burst alone": ({"requests": "1", "bytes_burst": "1MiB"},
                             "without bytes"),
       "long burst": ({"requests": "1", "per": "1d", "burst": "8"}, "7 days"),
       "long bytes_burst": ({"bytes": "1KiB", "per": "1d",
                             "bytes_burst": "8KiB"}, "7 days"),
       "no time": ({"requests": "1", "per": "0"}, "1ms to 1d"),
       "long time": ({"requests": "1", "per": "86400001ms"}, "1ms to 1d"),
       "debt": ({"bytes": "1KiB", "debt": "604800001ms"}, "0 to 7d"),
       "operation": ({"requests": "1", "operations": ["uplaod"]},
                     "did you mean upload"),
       "ipv4": ({"requests": "1", "ipv4_prefix": "33"}, "1 to 32"),
       "ipv6": ({"requests": "1", "ipv6_prefix": "0"}, "1 to 128"),
       "few entries": ({"requests": "1", "entries": "1023"}, "1024 to"),
       "many entries": ({"requests": "1", "entries": "16777217"},
                        "to 16777216")})
def test_bad_option_is_refused_at_start(row):
    options, why = row
    refusal({"hooks": [limit(**options)]}, why)


@each({"rate": {"requests": "100000"}, "burst": {"requests": "1", "per": "1d",
                                                 "burst": "7"},
       "time": {"requests": "1", "per": "1d"},
       "debt": {"bytes": "1KiB", "debt": "7d"},
       "entries": {"requests": "1", "entries": "1024"}})
def test_largest_and_smallest_options_are_taken(options):
    with limited(limit(**options)) as gate:
        equal("status", statuses(gate, 1), [200])


kit.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A storage that isn't there for a while: when it restarts, when it hangs, and
when it starts after its gateway."""
import tempfile
import threading
import time

from bucket import noise, seconds, sections, shared
from kit import (FORM, Gateway, equal, eventually, expect, field, file, form,
                 main, refusal, request, run, settings, test, written)
from relay import Relay

ONE = {"server": {"workers": "1"}}
DATA = noise(3 << 20)  # more than waits in memory
RESTART_S = 3          # as long as a storage takes to restart


def away(s3, relay, more=None, **options):
    """The configuration of a gateway whose storage is behind the relay."""
    return sections(s3, endpoint=relay.endpoint, more={**ONE, **(more or {})},
                    **options)


@test
def test_upload_survives_a_restart_of_the_storage():
    s3 = shared("minio")
    with Relay(s3.port) as relay, \
            Gateway(away(s3, relay, retry_time=seconds(30))) as running:
        running.upload()  # a connection is kept
        relay.away()
        threading.Timer(RESTART_S, relay.back).start()
        made = running.upload(DATA)
        expect(running.download(made["key"]).body == DATA, "other bytes")


@test
def test_download_survives_a_restart_of_the_storage():
    s3 = shared("minio")
    with Relay(s3.port) as relay, \
            Gateway(away(s3, relay, retry_time=seconds(30))) as running:
        key = running.upload()["key"]
        relay.away()
        threading.Timer(RESTART_S, relay.back).start()
        equal("body", running.download(key).body, b"hello")


@test
def test_refused_connections_are_502_after_retry_time():
    s3 = shared("minio")
    with Relay(s3.port) as relay, \
            Gateway(away(s3, relay, retry_time="3s")) as running:
        relay.away()
        started = time.monotonic()
        equal("status", running.ask("GET", "/files?prefix=t").status, 502)
        took = time.monotonic() - started
        expect(took > 1.5, f"given up after {took:.1f} s of 3")


@test
def test_small_upload_that_nobody_reads_ends_by_backend_timeout():
    s3 = shared("minio")
    with Relay(s3.port) as relay, \
            Gateway(away(s3, relay, {"limits": {"backend_timeout": "2s"}},
                         idle_timeout="1s", attempts="20",
                         retry_time="20s")) as running:
        relay.hang()
        before = relay.connections
        with running.wire() as wire:
            wire.send(request("POST", "/files", FORM, body=form(
                field("prefix", "t"), file(b"small"))))
            equal("status", wire.answer("POST").status, 504)
        # One a second, and no more than fit into the two.
        expect(relay.connections - before <= 4,
               f"{relay.connections - before} attempts in 2 s")


@test
def test_readyz_of_a_storage_that_hangs_is_503_after_two_seconds():
    s3 = shared("minio")
    with Relay(s3.port) as relay, \
            Gateway(away(s3, relay, idle_timeout="1h",
                         connect_timeout="1h")) as running:
        equal("before", running.ask("GET", "/readyz").status, 200)
        relay.hang()
        # An answer of just before is told again for a second.
        eventually("not ready", lambda:
                   running.ask("GET", "/readyz").status == 503)


class Early(Gateway):
    """Its storage comes once it says that it waits."""

    def __init__(self, words, relay):
        self.relay = relay
        super().__init__(words)

    def says(self, pattern, seconds=None, after=0):
        if self.relay.listener is None:
            super().says(r"isn't there yet, it is waited for up to 60 s")
            self.relay.back()
        return super().says(pattern, seconds, after)


@test
def test_a_start_waits_for_its_storage():
    s3 = shared("minio")
    with Relay(s3.port, there=False) as relay, \
            Early(away(s3, relay, wait="60s"), relay) as running:
        equal("body", running.download(running.upload()["key"]).body,
              b"hello")
        told = [line for line in running.lines if "isn't there yet" in line]
        equal("times it is told", len(told), 1)


@test
def test_a_start_without_wait_fails_soon_and_says_so():
    s3 = shared("minio")
    with Relay(s3.port, there=False) as relay:
        refusal(away(s3, relay, retry_time="1h"), r"cannot reach http://",
                "'wait'")


@test
def test_a_start_waits_no_longer_than_it_is_told():
    s3 = shared("minio")
    with Relay(s3.port, there=False) as relay:
        started = time.monotonic()
        words = away(s3, relay, wait="2s", retry_time="1h", attempts="1")
        with tempfile.TemporaryDirectory() as folder:
            path = written(folder, settings(folder, words))
            status, _, text = run("-c", path)
        took = time.monotonic() - started
        equal("status", status, 1)
        expect("cannot reach http://" in text.splitlines()[-1], text)
        expect(took > 0.9, f"given up after {took:.1f} s of 2")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that read an answer only when they have sent all of their body: it
came long before, and waits for them."""
import http.client
import signal
import tempfile
import time
from urllib.parse import urlsplit

from kit import (FORM, GIB, MIB, SLOWNESS, Gateway, Mismatch, chunked,
                 denying, each, equal, eventually, expect, head, main, test)

HUGE = f"Content-Length: {2 * GIB}"


def sent(wire, size, pause=0, piece=b"x" * MIB):
    """All of it, without a look at what comes; a client that is reset may
    never see its answer."""
    try:
        for _ in range(size // len(piece)):
            wire.socket.sendall(piece)
            time.sleep(pause)
    except OSError as broken:
        raise Mismatch(f"{broken} while the client sends") from None


@each({"413": ("/files", 413), "404": ("/nope", 404)})
def test_client_that_sends_300_mib_first_reads_its_answer(case):
    path, status = case
    size = 300 * MIB
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", path, FORM, f"Content-Length: {size}"))
        sent(wire, size)
        answer = wire.answer()
        equal("status, Connection",
              (answer.status, answer.header("connection")), (status, "close"))
        wire.ended()


@test
def test_client_that_sends_300_mib_first_reads_a_401():
    size = 300 * MIB
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(denying(folder)) as gateway, gateway.wire() as wire:
            wire.send(head("POST", "/files", FORM, f"Content-Length: {size}"))
            sent(wire, size)
            equal("status", wire.answer().status, 401)


@test
def test_client_that_sends_100_mib_of_chunks_first_reads_its_answer():
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/nope", FORM, "Transfer-Encoding: chunked"))
        piece = chunked(b"x" * MIB)[:-5]
        sent(wire, 100 * len(piece), piece=piece)
        equal("status", wire.answer().status, 404)


@test
def test_client_that_sends_for_12_s_first_reads_its_answer():
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/nope", HUGE))
        started = time.monotonic()
        while time.monotonic() - started < 12:
            sent(wire, MIB, 0.1)
        equal("status", wire.answer().status, 404)


@test
def test_client_that_pauses_for_3_s_reads_its_answer():
    with Gateway() as gateway, gateway.wire() as wire:
        wire.send(head("POST", "/nope", HUGE))
        for _ in range(2):
            sent(wire, 8 * MIB)
            time.sleep(3)
        sent(wire, 8 * MIB)
        equal("status", wire.answer().status, 404)


@test
def test_http_client_of_python_reads_the_413():
    """It gives up as soon as it can't send."""
    size = 200 * MIB
    with Gateway() as gateway:
        where = urlsplit(gateway.url)
        asks = http.client.HTTPConnection(where.hostname, where.port,
                                          timeout=60 * SLOWNESS)
        name, value = FORM.split(": ", 1)
        asks.request("POST", "/files", (b"x" * MIB for _ in range(200)),
                     {name: value, "Content-Length": str(size)})
        equal("status", asks.getresponse().status, 413)
        asks.close()


# ---- bounds ----------------------------------------------------------------

@each({"silent": (None, 5), "one_byte_at_a_time": (0.3, 30)})
def test_it_is_listened_to_for_a_bounded_time(case):
    pause, seconds = case
    with Gateway() as gateway:
        base = gateway.quiet()
        with gateway.wire() as wire:
            wire.send(head("POST", "/nope", HUGE))
            equal("status", wire.answer().status, 404)
            started = time.monotonic()
            while gateway.descriptors() != base:
                expect(time.monotonic() < started + seconds + 10 * SLOWNESS,
                       "it is still listened to")
                if pause:
                    wire.send(b"x")
                time.sleep(pause or 0.05)
            expect(time.monotonic() - started > seconds - 2,
                   "it ended too soon")


@test
def test_those_that_linger_make_room_for_new_ones():
    with Gateway({"limits": {"connections": "10"},
                  "server": {"workers": "1"}}) as gateway:
        wires = [gateway.wire() for _ in range(10)]
        try:
            for wire in wires:
                wire.send(head("POST", "/nope", HUGE))
                equal("status", wire.answer().status, 404)
            started = time.monotonic()
            gateway.alive()
            expect(time.monotonic() - started < 4 * SLOWNESS,
                   "who lingers is waited for")
        finally:
            for wire in wires:
                wire.close()


@test
def test_stop_waits_a_little_for_those_that_send_on():
    """They read their answers; one that never ends is closed."""
    with Gateway({"limits": {"drain_timeout": "1m"}}) as gateway:
        with gateway.wire() as mine, gateway.wire() as other:
            for wire in mine, other:
                wire.send(head("POST", "/nope", HUGE))
                sent(wire, MIB)
            gateway.alive()
            gateway.signal(signal.SIGTERM)
            sent(mine, 100 * MIB)
            equal("status", mine.answer().status, 404)
            mine.close()

            def ended():
                other.send(b"x")
                return gateway.process.poll() is not None
            eventually("the end", ended, 15 * SLOWNESS, 0.2)
        gateway.stop()


if __name__ == "__main__":
    main()

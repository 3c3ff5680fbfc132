#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The share of one client: connections, requests, memory and time; and how the
log tells of those that want more."""
import re
import select
import time

from kit import (FORM, KIB, MIB, SLOWNESS, Gateway, each, equal, eventually,
                 expect, file, form, head, large_form, main, md5, merged,
                 request, test)

STALL = {"backends": {"stall": {"plugin": "stall"}},
         "routes": [{"mount": "/files", "backend": "main"},
                    {"mount": "/stall", "backend": "stall"}]}


def per_client(**limits):
    return {"limits": {"per_client": {key: str(value)
                                      for key, value in limits.items()}}}


def serves(wire, *lines):
    """Is this connection served?"""
    wire.send(request("GET", "/healthz", *lines))
    if not wire.input and not wire.more():
        return False
    equal("status", wire.answer().status, 200)
    return True


# ---- connections -----------------------------------------------------------

@each({"one_worker": "1", "three_workers": "3"})
def test_connections_of_a_client_end_at_the_limit(workers):
    with Gateway({"server": {"workers": workers},
                  **per_client(connections=10)}) as gateway:
        wires = [gateway.wire() for _ in range(10)]
        try:
            for wire in wires:
                expect(serves(wire), "within the limit it isn't served")
            with gateway.wire() as wire:
                expect(not serves(wire), "beyond the limit it is served")
            gateway.says(r"127\.0\.0\.1 is refused: it has 10 connections"
                         r".*limits\.per_client\.connections")
            for wire in wires:
                expect(serves(wire), "others lost their connection")
            wires.pop().close()

            def served_again():
                with gateway.wire() as wire:
                    return serves(wire)
            eventually("a connection in place of one that ended",
                       served_again)
        finally:
            for wire in wires:
                wire.close()


@test
def test_connections_of_a_trusted_proxy_are_not_counted():
    with Gateway({"server": {"trusted_proxies": ["127.0.0.1"]},
                  **per_client(connections=2)}) as gateway:
        wires = [gateway.wire() for _ in range(20)]
        for wire in wires:
            expect(serves(wire), "a proxy's connection isn't served")
            wire.close()


@test
def test_connections_on_a_unix_socket_are_not_counted():
    with Gateway(per_client(connections=2)) as other:
        path = other.folder / "socket"
        with Gateway({"server": {"listen": [f"unix:{path}"]},
                      **per_client(connections=2)}) as gateway:
            wires = [gateway.wire() for _ in range(5)]
            for wire in wires:
                expect(serves(wire), "it isn't served")
                wire.close()


@test
def test_a_flood_of_refused_connections_is_told_in_a_few_lines():
    with Gateway(per_client(connections=1)) as gateway, \
            gateway.wire() as mine:
        expect(serves(mine), "within the limit it isn't served")
        for _ in range(500):
            with gateway.wire() as wire:
                expect(not serves(wire), "beyond the limit it is served")
        gateway.says(r"127\.0\.0\.1 is refused.*\(the last of \d+ like it\)")

        def told():
            lines = [line for line in gateway.lines if "is refused" in line]
            more = [int(found[1]) for line in lines if
                    (found := re.search(r"last of (\d+) like it", line))]
            return sum(more) + len(lines) - len(more) == 500 and lines
        lines = eventually("all of them", told)
        expect(len(lines) < 100, f"{len(lines)} lines")


# ---- requests --------------------------------------------------------------

def hold(gateway, count, *lines):
    """Connections with requests that are in flight: an answer has begun, and
    its backend never goes on."""
    wires = [gateway.wire() for _ in range(count)]
    for wire in wires:
        stay(wire, *lines)
    return wires


def stay(wire, *lines):
    wire.send(request("GET", "/stall/download?key=stall/body", *lines))
    equal("status", wire.head().status, 200)


@test
def test_requests_of_a_client_end_at_the_limit():
    with Gateway({**STALL, **per_client(requests=5)}) as gateway:
        wires = hold(gateway, 4)
        try:
            wires.append(gateway.wire())
            # The fifth, several times: each of them ends, but the last.
            for _ in range(10):
                equal("status within the limit", wires[-1].ask(
                    "GET", "/files?prefix=none").status, 200)
            stay(wires[-1])
            with gateway.wire() as wire:
                def refused():
                    return wire.ask("GET", "/files?prefix=none").status == 429
                expect(refused(), "beyond the limit it is served")
                answer = wire.ask("GET", "/files?prefix=none")
                equal("status, code", (answer.status, answer.json["code"]),
                      (429, "too_many_requests"))
                expect(answer.header("retry-after"), "no Retry-After")
                equal("what is open", wire.ask("GET", "/healthz").status, 200)
                gateway.says(r"127\.0\.0\.1 is refused: it has 5 requests")
                wires.pop().reset()
                eventually("room", lambda: not refused())
        finally:
            for wire in wires:
                wire.reset()


@test
def test_requests_behind_a_proxy_are_its_clients():
    with Gateway({**STALL, **per_client(requests=3, connections=1),
                  "server": {"trusted_proxies": ["127.0.0.1"]}}) as gateway:
        mine = "X-Forwarded-For: 2001:db8::1"
        wires = hold(gateway, 3, mine)
        try:
            with gateway.wire() as wire:
                path = "/files?prefix=none"
                for line, status in [
                        ("X-Forwarded-For: 2001:db8::99", 429),
                        ("X-Forwarded-For: 2001:db8:0:1::1", 200),
                        ("X-Forwarded-For: 192.0.2.7", 200)]:
                    equal(line, wire.ask("GET", path, line).status, status)
                gateway.says(r"2001:db8::99 is refused")
        finally:
            for wire in wires:
                wire.reset()


@test
def test_client_that_invents_others_is_one():
    """Whoever isn't a proxy says nothing of who it is."""
    with Gateway({**STALL, **per_client(requests=3)}) as gateway:
        wires = hold(gateway, 3, "X-Forwarded-For: 192.0.2.1")
        try:
            with gateway.wire() as wire:
                equal("status", wire.ask(
                    "GET", "/files?prefix=none",
                    "X-Forwarded-For: 192.0.2.2").status, 429)
        finally:
            for wire in wires:
                wire.reset()


@test
def test_refused_upload_is_told_before_its_body():
    body = form(file(b"x" * 100_000))
    with Gateway({**STALL, **per_client(requests=1)}) as gateway:
        wires = hold(gateway, 1)
        try:
            with gateway.wire() as wire:
                wire.send(head("POST", "/files", FORM,
                               f"Content-Length: {len(body)}") + body)
                equal("status", wire.answer().status, 429)
                equal("next", wire.ask("GET", "/healthz").status, 200)
        finally:
            for wire in wires:
                wire.reset()


# ---- memory ----------------------------------------------------------------

def promise(gateway, count, size=MIB):
    """Uploads of which only the beginning comes."""
    before, _, length = large_form(size)
    wires = [gateway.wire() for _ in range(count)]
    for wire in wires:
        wire.send(head("POST", "/files", FORM, "Expect: 100-continue",
                       f"Content-Length: {length}"))
    for wire in wires:
        equal("status", wire.head().status, 100)
        wire.send(before + b"x")
    return wires


@test
def test_promised_uploads_take_little_memory():
    """A hundred that say they will send much leave others theirs."""
    with Gateway({"limits": {"memory": "12MiB"}}) as gateway:
        wires = promise(gateway, 100)
        try:
            gateway.upload(b"x" * MIB)
            equal("keys", len(gateway.keys("t/")), 1)
        finally:
            for wire in wires:
                wire.close()


@test
def test_upload_goes_on_where_no_memory_is_left():
    """In smaller chunks; it was admitted, so it isn't refused later."""
    data = bytes(range(256)) * 16 * KIB
    before, after, length = large_form(len(data))
    with Gateway({"server": {"workers": "1"},
                  "limits": {"memory": "1MiB"}}) as gateway:
        with gateway.wire() as mine:
            mine.send(head("POST", "/files", FORM,
                           f"Content-Length: {length}") + before)
            gateway.alive()
            wires = []
            while not any("limits.memory" in line for line in gateway.lines):
                expect(len(wires) < 100, "memory is never short")
                wires.append(gateway.wire())
                wires[-1].send(head("POST", "/files", FORM,
                                    f"Content-Length: {length}") + before)
                gateway.alive()
            mine.send(data + after)
            answer = mine.answer()
            equal("status", answer.status, 201)
            for wire in wires:
                wire.close()
        eventually("memory for a download", lambda: gateway.download(
            answer.json["key"]).status == 200)
        equal("object", md5(gateway.download(answer.json["key"]).body),
              md5(data))


def head_of(size):
    """All but the end of a head."""
    text = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"
    while len(text) < size:
        text += b"X-A: " + b"a" * min(4000, size - len(text)) + b"\r\n"
    return text


@test
def test_flood_of_partial_heads_stays_within_memory():
    """Beyond it they are refused; short ones, and who has one, go on."""
    # Freed memory that a sanitizer keeps isn't the gateway's.
    with Gateway({"limits": {"memory": "2MiB"}}, env={
            "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=1"}) as gateway:
        wires = [gateway.wire() for _ in range(250)]
        try:
            before = gateway.status("VmRSS")
            for wire in wires:
                wire.send(head_of(30_000))
            gateway.says(r"127\.0\.0\.1 is refused: .*limits\.memory")
            gateway.alive()
            grown = gateway.status("VmRSS") - before
            expect(grown < 5 * KIB * SLOWNESS, f"memory grew by {grown} KiB")
            statuses = set()
            for wire in wires:
                wire.send(b"\r\n")
                statuses.add(wire.answer().status)
            equal("statuses", statuses, {200, 503})
        finally:
            for wire in wires:
                wire.close()
        with gateway.wire() as wire:
            eventually("memory for a large head", lambda: serves_head(wire))


def serves_head(wire):
    wire.send(head_of(30_000) + b"\r\n")
    return wire.answer().status == 200


@test
def test_large_heads_one_after_the_other_are_given_back():
    with Gateway({"limits": {"memory": "1MiB"}}) as gateway, \
            gateway.wire() as wire:
        for number in range(200):
            expect(serves_head(wire), f"refused at the {number}th")
        for _ in range(100):  # a body that is passed over is in between
            wire.send(head_of(30_000).replace(b"GET /healthz", b"POST /nope") +
                      b"Content-Length: 5\r\n\r\nhe")
            equal("status", wire.answer().status, 404)
            wire.send(b"llo")
        expect(serves_head(wire), "refused after bodies")


# ---- min_rate --------------------------------------------------------------

# Silence alone is allowed for so long that it ends nothing here.
SLOW = {"limits": {"min_rate": "1KiB", "head_timeout": "1h",
                   "body_timeout": "10s", "write_timeout": "10s"}}


def trickle(wire, pause, seconds, step):
    """Goes on with step() until the other side closes, or time is over; was
    it closed?"""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        readable, _, _ = select.select([wire.socket], [], [], pause)
        try:
            if step(readable):
                return True
        except (BrokenPipeError, ConnectionResetError):
            return True
    return False


def sends(wire, piece):
    def step(readable):
        if readable and not wire.socket.recv(65536):
            return True
        wire.socket.sendall(piece)
        return False
    return step


@each({"head": (b"GET /healthz HTTP/1.1\r\nX-A: ", "sends a head"),
       "body": (head("POST", "/files", FORM, "Content-Length: 1000000") +
                large_form(1)[0], "sends a body"),
       "chunks": (head("POST", "/files", FORM,
                       "Transfer-Encoding: chunked") + b"fffff\r\n" +
                  large_form(1)[0], "sends a body")})
def test_bytes_now_and_then_do_not_hold_a_connection(case):
    """Each is within the time-out for silence."""
    start, what = case
    with Gateway(SLOW) as gateway, gateway.wire() as wire:
        started = time.monotonic()
        wire.send(start)
        expect(trickle(wire, 0.5, 30 * SLOWNESS, sends(wire, b"x")),
               "it is still open")
        expect(time.monotonic() - started > 9, "it had no time")
        gateway.says(rf"127\.0\.0\.1 is refused: it {what} at less than "
                     r"limits\.min_rate")


@test
def test_reader_of_a_few_bytes_now_and_then_is_closed():
    with Gateway(merged(SLOW, {"limits": {"min_rate": "1MiB"}})) as gateway:
        key = gateway.upload(b"x" * 40 * MIB)["key"]
        with gateway.wire(buffer=256 * KIB) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            wire.head()

            def refused():
                wire.socket.recv(20_000)
                time.sleep(0.1)
                return any("takes an answer at less than limits.min_rate"
                           in line for line in gateway.lines)
            eventually("a refusal", refused, 30 * SLOWNESS)


@each({"body": "body", "reader": "reader"})
def test_client_above_the_rate_is_served_to_the_end(which):
    """For longer than who sends nothing has."""
    size = 60 * KIB
    with Gateway(SLOW) as gateway:
        if which == "reader":
            key = gateway.upload(b"x" * size * 100)["key"]
            with gateway.wire(buffer=256 * KIB) as wire:
                wire.send(request("GET", f"/files/download?key={key}"))
                wire.head()
                for _ in range(15):
                    time.sleep(1)
                    wire.take(40 * KIB)
                wire.take(size * 100 - 15 * 40 * KIB - len(wire.input))
            return
        before, after, length = large_form(size)
        with gateway.wire() as wire:
            wire.send(head("POST", "/files", FORM,
                           f"Content-Length: {length}") + before)
            for _ in range(15):
                time.sleep(1)
                wire.send(b"x" * (size // 15))
            wire.send(after)
            equal("status", wire.answer().status, 201)


@test
def test_client_that_is_held_back_is_not_too_slow():
    """Its backend takes nothing for longer than it would have."""
    before, _, length = large_form(16 * MIB)
    with Gateway(merged(SLOW, {
            **STALL, "backends": {"stall": {"plugin": "stall",
                                            "swallow": "64KiB"}}})) as gateway:
        with gateway.wire() as wire:
            wire.send(head("POST", "/stall", FORM,
                           f"Content-Length: {length}") + before)
            wire.flood(b"x" * MIB, 16 * MIB, 1)
            readable, _, _ = select.select([wire.socket], [], [], 16)
            expect(not readable, "it was closed")
            wire.reset()
        equal("refusals", [line for line in gateway.lines
                           if "refused" in line], [])


@test
def test_rate_of_zero_is_no_limit():
    with Gateway(merged(SLOW, {"limits": {"min_rate": "0"}})) as gateway, \
            gateway.wire() as wire:
        wire.send(head("POST", "/files", FORM, "Content-Length: 1000000") +
                  large_form(1)[0])
        expect(not trickle(wire, 0.5, 15, sends(wire, b"x")), "it was closed")


if __name__ == "__main__":
    main()

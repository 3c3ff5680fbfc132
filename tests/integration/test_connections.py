#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A connection after an answer is kept or closed, and that is said once, for
both versions of HTTP, for clients that have said their last word, and while
the gateway stops."""
import contextlib
import os
import resource
import signal
import socket
import threading
import time
from pathlib import Path

from kit import (FORM, MIB, PATIENCE, SLOWNESS, Gateway, among, each, equal,
                 expect, field, file, form, head, large_form, main, md5,
                 request, test)

SMALL = form(field("prefix", "t"), file(b"small"))
ROUNDS = range(10)


def old(method, path, *lines, keep=True, body=b""):
    """A request of HTTP/1.0."""
    lines = [f"{method} {path} HTTP/1.0", *lines]
    if keep:
        lines.append("Connection: keep-alive")
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def connection(answer):
    """This is what it says of the connection; more than one such field is an
    error."""
    return (answer.header("connection") or "").lower()


# Some end within their call, others have to wait for something.
PATHS = {"healthz": ("GET", "/healthz", 200), "readyz": ("GET", "/readyz",
                                                         200),
         "list": ("GET", "/files?prefix=none", 200),
         "download": ("GET", "/files/download?key={key}", 200),
         "head": ("HEAD", "/files/download?key={key}", 200),
         "not_there": ("GET", "/files/download?key=none", 404),
         "head_not_there": ("HEAD", "/files/download?key=none", 404),
         "no_path": ("GET", "/nope", 404)}


@each(PATHS)
def test_http_1_0_connection_is_kept_as_long_as_it_asks(case):
    method, path, status = case
    with Gateway() as gateway:
        path = path.format(key=gateway.upload(b"x" * 1000)["key"])
        for _ in ROUNDS:
            with gateway.wire() as wire:
                wire.send(old(method, path) * 3 +
                          old(method, path, keep=False))
                for wanted in ["keep-alive"] * 3 + ["close"]:
                    answer = wire.answer(method)
                    equal("status, Connection",
                          (answer.status, connection(answer)),
                          (status, wanted))
                    expect(answer.header("content-length"), "no length")
                wire.ended()
        gateway.alive()


@each(PATHS)
def test_pipelined_requests_before_a_half_close_are_answered(case):
    """Of both versions; the first isn't the only one that counts."""
    method, path, status = case
    with Gateway() as gateway:
        path = path.format(key=gateway.upload(b"x" * 1000)["key"])
        for text in request(method, path), old(method, path):
            for _ in ROUNDS:
                with gateway.wire() as wire:
                    wire.send(text * 3)
                    wire.finish()
                    equal("statuses",
                          [wire.answer(method).status for _ in range(3)],
                          [status] * 3)
                    wire.ended()
        gateway.alive()


@test
def test_http_1_0_uploads_share_a_connection():
    with Gateway() as gateway, gateway.wire() as wire:
        for _ in range(3):
            wire.send(old("POST", "/files", FORM, body=SMALL))
            answer = wire.answer()
            equal("status, Connection", (answer.status, connection(answer)),
                  (201, "keep-alive"))
        wire.send(old("GET", "/healthz", keep=False))
        equal("Connection", connection(wire.answer()), "close")
        wire.ended()


@test
def test_http_1_0_not_modified_keeps_the_connection():
    """An answer without a body needs no length to be framed."""
    with Gateway() as gateway, gateway.wire() as wire:
        path = f"/files/download?key={gateway.upload(b'x')['key']}"
        wire.send(old("HEAD", path))
        etag = wire.answer("HEAD").header("etag")
        for _ in range(3):
            wire.send(old("GET", path, f"If-None-Match: {etag}"))
            answer = wire.answer()
            equal("status, Connection", (answer.status, connection(answer)),
                  (304, "keep-alive"))


@each({"short": 1000, "longer_than_is_skipped": 3_000_000})
def test_http_1_0_answer_before_the_body_is_no_trap(size):
    """A short rest is passed over; else the connection ends."""
    with Gateway() as gateway:
        for _ in ROUNDS:
            with gateway.wire() as wire:
                wire.send(old("POST", "/nope", body=b"x" * size) +
                          old("GET", "/readyz"))
                answer = wire.answer()
                equal("status, Connection",
                      (answer.status, connection(answer)),
                      (404, "keep-alive" if size < 1 << 20 else "close"))
                if connection(answer) == "close":
                    wire.finish()
                    wire.ended()
                else:
                    equal("next", wire.answer().status, 200)
        gateway.alive()


@test
def test_refused_head_behind_others_is_answered_and_ends_the_connection():
    with Gateway() as gateway:
        for text in request("GET", "/readyz"), old("GET", "/readyz"):
            for _ in ROUNDS:
                with gateway.wire() as wire:
                    wire.send(text * 2 + b"GET / HTTP/1.0\nbad\r\n\r\n" +
                              text * 3)
                    wire.finish()
                    equal("statuses",
                          [wire.answer().status for _ in range(3)],
                          [200, 200, 400])
                    wire.ended()
        gateway.alive()


@each({"close": "close", "Close": "Close", "both": "keep-alive, close",
       "two_lines": "keep-alive\r\nConnection: close"})
def test_asked_to_close_it_says_so_once(option):
    with Gateway() as gateway:
        for version in "1.0", "1.1":
            with gateway.wire() as wire:
                wire.send(f"GET /readyz HTTP/{version}\r\nHost: a\r\n"
                          f"Connection: {option}\r\n\r\n".encode())
                answer = wire.answer()
                equal("status, Connection",
                      (answer.status, connection(answer)), (200, "close"))
                wire.ended()


@each({"http_1_0": old("GET", "/readyz"),
       "http_1_1": request("GET", "/readyz"),
       "http_1_0_download": old("GET", "/files/download?key=none")})
def test_sigterm_under_load_of_kept_connections_ends_well(text):
    """Each answer that came is whole, and the process ends by itself."""
    with Gateway() as gateway:
        warm = threading.Barrier(9)
        statuses = []

        def load():
            with gateway.wire() as wire:
                for number in range(1_000_000):
                    if number == 20:
                        warm.wait(PATIENCE)
                    wire.send(text * 4)
                    try:
                        for _ in range(4):
                            answer = wire.answer()
                            statuses.append(answer.status)
                            if connection(answer) == "close":
                                return
                    except Exception as failure:  # it may end between answers
                        if wire.input:
                            statuses.append(failure)
                        return
        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        warm.wait(PATIENCE)
        gateway.signal(signal.SIGTERM)
        for thread in threads:
            thread.join(PATIENCE)
        among("statuses", set(statuses) - {200, 404, 503}, (set(),))
        gateway.stop()


@test
def test_what_two_requests_of_http_1_0_say_at_once_is_answered_twice():
    """The first isn't answered within its call; both come in one segment with
    the client's last word."""
    with Gateway() as gateway:
        for _ in range(50):
            with gateway.wire() as wire:
                wire.socket.setsockopt(socket.IPPROTO_TCP,
                                       socket.TCP_CORK, 1)
                wire.send(old("GET", "/readyz") +
                          old("GET", "/healthz", keep=False))
                wire.finish()
                equal("statuses", [wire.answer().status for _ in "12"],
                      [200, 200])
                wire.ended()
        gateway.alive()


@test
def test_download_over_a_kept_http_1_0_connection_is_whole():
    data = bytes(range(256)) * 4096
    with Gateway() as gateway, gateway.wire() as wire:
        path = f"/files/download?key={gateway.upload(data)['key']}"
        for _ in range(3):
            wire.send(old("GET", path))
            equal("md5", md5(wire.answer().body), md5(data))


@test
def test_no_descriptor_for_a_connection_is_told_and_waited_for():
    with Gateway({"server": {"workers": "1"}}) as gateway:
        descriptors = Path(f"/proc/{gateway.pid}/fd").iterdir()
        used = {int(entry.name) for entry in descriptors}
        free = next(n for n in range(len(used) + 1) if n not in used)
        soft, hard = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (free, hard))
        with gateway.wire() as wire:
            gateway.says("no connections are accepted: too many open files")
            resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (soft, hard))
            wire.send(request("GET", "/healthz"))
            equal("status", wire.answer().status, 200)


def processor(gateway):
    """Seconds of it that the gateway has used."""
    words = Path(f"/proc/{gateway.pid}/stat").read_text()
    words = words.rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@test
def test_upload_that_has_to_wait_costs_no_processor():
    """More of it waits at the socket than is read ahead, while another one
    has its Idempotency-Key."""
    before, _, size = large_form(2 * MIB)
    asked = head("POST", "/files", FORM, f"Content-Length: {size}",
                 'Idempotency-Key: "same"') + before
    with Gateway({"server": {"workers": "1"}}) as gateway, \
            gateway.wire() as one, gateway.wire() as other:
        one.send(asked + bytes(100_000))
        time.sleep(0.3 * SLOWNESS)  # it has the key by then
        other.socket.settimeout(0.5)
        began = processor(gateway)
        with contextlib.suppress(TimeoutError):
            other.socket.sendall(asked + bytes(MIB))
        time.sleep(1)
        took = processor(gateway) - began
        expect(took < 0.2, f"{took:.2f} s of the processor for one that waits")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How the gateway ends: what runs is finished, nothing new begins, and
nobody waits for ever."""
import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from urllib.parse import urlsplit

from kit import (BINARY, FORM, KIB, MIB, PLUGINS, SLOWNESS, Gateway, Wire,
                 among, built, each, equal, eventually, expect, free_port,
                 head, hook_source, large_form, main, md5, request, settings,
                 test, written)

DATA = bytes(range(256)) * (64 * KIB)


def refuses(gateway):
    """It accepts no connection any more."""
    where = urlsplit(gateway.url)
    try:
        socket.create_connection((where.hostname, where.port), 1).close()
    except (ConnectionRefusedError, ConnectionResetError, TimeoutError):
        return True
    return False


def half_upload(gateway, wire, size=MIB):
    """Sends all but the end of an upload and returns that end."""
    before, after, length = large_form(size)
    wire.send(head("POST", "/files", FORM, f"Content-Length: {length}") +
              before + b"x" * (size // 2))
    gateway.alive()
    return b"x" * (size - size // 2) + after


@each({"term": signal.SIGTERM, "int": signal.SIGINT, "quit": signal.SIGQUIT,
       "xcpu": signal.SIGXCPU})
def test_idle_gateway_ends_with_status_0(number):
    with Gateway() as gateway:
        gateway.alive()
        gateway.signal(number)
        equal("exit status", gateway.wait(), 0)


@test
def test_idle_connections_do_not_hold_up_the_end():
    with Gateway() as gateway, gateway.wire() as idle, gateway.wire() as mute:
        equal("status", idle.ask("GET", "/healthz").status, 200)
        mute.send(b"")
        started = time.monotonic()
        gateway.signal(signal.SIGTERM)
        idle.ended()
        equal("exit status", gateway.wait(), 0)
        expect(time.monotonic() - started < 3 * SLOWNESS, "it waited")


@each({"term": signal.SIGTERM, "quit": signal.SIGQUIT})
def test_upload_that_runs_is_finished(number):
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway, gateway.wire() as wire:
            rest = half_upload(gateway, wire)
            gateway.signal(number)
            eventually("refused connections", lambda: refuses(gateway))
            wire.send(rest)
            answer = wire.answer()
            equal("status", answer.status, 201)
            wire.ended()
            equal("exit status", gateway.wait(), 0)
        with Gateway(folder=folder) as gateway:
            equal("object after a new start",
                  md5(gateway.download(answer.json["key"]).body),
                  md5(b"x" * MIB))


@test
def test_what_was_sent_before_the_signal_is_answered():
    """Even where nobody has accepted the connection yet."""
    with Gateway() as gateway, contextlib.ExitStack() as stack:
        gateway.signal(signal.SIGSTOP)
        wires = [stack.enter_context(gateway.wire()) for _ in range(32)]
        mute = [stack.enter_context(gateway.wire()) for _ in range(8)]
        for wire in wires:
            wire.send(request("GET", "/healthz"))
        gateway.signal(signal.SIGTERM)
        started = time.monotonic()
        gateway.signal(signal.SIGCONT)
        for wire in wires:
            equal("status", wire.answer().status, 200)
        for wire in wires + mute:
            wire.ended()
        equal("exit status", gateway.wait(), 0)
        expect(time.monotonic() - started < 3 * SLOWNESS, "it waited")


@test
def test_connection_that_waits_to_be_accepted_is_not_reset():
    """The loop hears of the signal and of the connection at once."""
    sleeps = hook_source("sleeper", ask="""
        fputs("asleep\\n", stderr); usleep(1000000); return SLUICE_PASS;""")
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "sleeper",
              "#include <stdio.h>\n#include <unistd.h>\n" + sleeps)
        with Gateway({"server": {"workers": "1"},
                      "plugin_path": [*PLUGINS, folder],
                      "hooks": [{"plugin": "sleeper"}]}) as gateway, \
                gateway.wire() as first, gateway.wire() as late:
            gateway.alive()
            first.send(request("GET", "/files"))
            gateway.says("asleep")
            gateway.signal(signal.SIGTERM)
            gateway.says("requests may finish")
            with gateway.wire() as wire:
                wire.send(request("GET", "/healthz"))
                equal("status", wire.answer().status, 200)
                equal("status", first.answer().status, 200)
                wire.ended()
            late.ended()
            equal("exit status", gateway.wait(), 0)


@test
def test_download_that_runs_is_finished():
    with Gateway() as gateway:
        key = gateway.upload(DATA)["key"]
        with gateway.wire(buffer=64 * KIB) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            equal("status", wire.head().status, 200)
            gateway.signal(signal.SIGTERM)
            eventually("refused connections", lambda: refuses(gateway))
            equal("md5", wire.digest(len(DATA)), md5(DATA))
            wire.ended()
        equal("exit status", gateway.wait(), 0)


@test
def test_request_that_comes_while_draining_is_told_so():
    """A head that was under way is answered: not ready, or busy."""
    with Gateway() as gateway, gateway.wire() as wire, \
            gateway.wire() as other:
        rest = half_upload(gateway, wire)
        start = request("GET", "/readyz")
        other.send(start[:-2])
        gateway.alive()
        gateway.signal(signal.SIGTERM)
        eventually("refused connections", lambda: refuses(gateway))
        other.send(start[-2:])
        if other.more():
            answer = other.answer()
            equal("status", answer.status, 503)
            other.ended()
        wire.send(rest)
        equal("status of the upload", wire.answer().status, 201)
        equal("exit status", gateway.wait(), 0)


@test
def test_pipelined_request_behind_the_last_is_refused_or_dropped():
    with Gateway() as gateway, gateway.wire() as wire:
        rest = half_upload(gateway, wire)
        gateway.signal(signal.SIGTERM)
        eventually("refused connections", lambda: refuses(gateway))
        wire.send(rest + request("GET", "/readyz"))
        equal("status of the upload", wire.answer().status, 201)
        if wire.input or wire.more():
            equal("status of what follows", wire.answer().status, 503)
        wire.ended()
        equal("exit status", gateway.wait(), 0)


@each({"upload": True, "download": False})
def test_request_that_stands_still_is_given_up_at_the_drain_limit(upload):
    with tempfile.TemporaryDirectory() as folder:
        with Gateway({"limits": {"drain_timeout": "1s"}},
                     folder=folder) as gateway:
            key = gateway.upload(DATA * 3)["key"]
            with gateway.wire(buffer=4096) as wire:
                if upload:
                    half_upload(gateway, wire)
                else:
                    wire.send(request("GET", f"/files/download?key={key}"))
                    equal("status", wire.head().status, 200)
                started = time.monotonic()
                gateway.signal(signal.SIGTERM)
                gateway.wait(8 * SLOWNESS)
                took = time.monotonic() - started
                expect(took > 0.8, f"given up after {took:.1f} s")
            gateway.clean()
        with Gateway(folder=folder) as gateway:
            equal("keys", gateway.keys(""), [key])


@test
def test_second_sigterm_ends_at_once():
    with Gateway({"limits": {"drain_timeout": "1m"}}) as gateway, \
            gateway.wire() as wire:
        half_upload(gateway, wire)
        gateway.signal(signal.SIGTERM)
        eventually("refused connections", lambda: refuses(gateway))
        expect(gateway.process.poll() is None, "it didn't wait")
        started = time.monotonic()
        gateway.signal(signal.SIGTERM)
        gateway.process.wait(10 * SLOWNESS)
        took = time.monotonic() - started
        expect(took < 2 * SLOWNESS, f"it took {took:.1f} s")
        among("exit status", gateway.process.returncode,
              (0, 1, 128 + signal.SIGTERM, -signal.SIGTERM))
        gateway.clean()
        gateway.kill()


@each({"pipe": (signal.SIGPIPE, None), "hup": (signal.SIGHUP, "reload"),
       "xfsz": (signal.SIGXFSZ, None), "rtmin": (signal.SIGRTMIN, None),
       "rtmax": (signal.SIGRTMAX, None)} |
      {name: (number, f"{number.name} is ignored") for name, number in {
          "usr2": signal.SIGUSR2, "alrm": signal.SIGALRM,
          "vtalrm": signal.SIGVTALRM, "prof": signal.SIGPROF,
          "poll": signal.SIGIO, "pwr": signal.SIGPWR}.items()})
def test_signal_does_no_harm(case):
    number, said = case
    with Gateway() as gateway, gateway.wire() as wire:
        rest = half_upload(gateway, wire)
        gateway.signal(number)
        gateway.alive()
        if said:
            gateway.says(said)
        wire.send(rest)
        equal("status", wire.answer().status, 201)


@test
def test_gateway_goes_on_when_nobody_reads_its_log():
    with tempfile.TemporaryDirectory() as folder:
        reading, writing = os.pipe()
        port = free_port()
        path = written(folder, settings(
            folder, {"server": {"listen": [f"127.0.0.1:{port}"],
                                "log_level": "debug"}}))
        with subprocess.Popen([BINARY, "-c", path], stderr=writing) as it:
            os.close(writing)
            text = b""
            while b"ready" not in text:
                text += os.read(reading, 4096) or b"ready"
            os.close(reading)
            for _ in range(3):
                with Wire(f"http://127.0.0.1:{port}") as wire:
                    equal("status", wire.ask("GET", "/nope").status, 404)
            it.send_signal(signal.SIGTERM)
            equal("exit status", it.wait(20), 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""More clients than descriptors or than the limit allows: whatever happens
to them, the gateway serves again when they are gone."""
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from kit import (FORM, MIB, SLOWNESS, Gateway, Mismatch, among, each, equal,
                 eventually, expect, head, large_form, main, needs, request,
                 test)

CLIENTS = 500


def few_descriptors(count):
    needs(shutil.which("prlimit"), "no prlimit")
    return ["prlimit", f"--nofile={count}:{count}"]


def storm(gateway, count, start):
    """Connections that have sent `start`; some may not have been taken."""
    where, sockets = urlsplit(gateway.url), []
    for _ in range(count):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex((where.hostname, where.port))
        sockets.append(one)
    for one in sockets:
        try:
            one.send(start)
        except OSError:
            pass
    return sockets


def busy(gateway, seconds):
    """The share of a core that it uses while nobody wants anything."""
    def ticks():
        fields = Path(f"/proc/{gateway.pid}/stat").read_text()
        return sum(map(int, fields.rpartition(")")[2].split()[11:13]))
    before, started = ticks(), time.monotonic()
    time.sleep(seconds)
    return ((ticks() - before) / os.sysconf("SC_CLK_TCK") /
            (time.monotonic() - started))


def serves(gateway):
    def once():
        try:
            return gateway.ask("GET", "/healthz").status == 200
        except (Mismatch, OSError):
            return False
    eventually("an answer after the storm", once)


@each({"silent": b"", "half_a_head": b"GET /healthz HTTP/1.1\r\n",
       "whole": request("GET", "/healthz"),
       "half_an_upload": head("POST", "/files", FORM,
                              "Content-Length: 2000000") +
       large_form(MIB)[0] + b"x" * 1000})
def test_gateway_without_descriptors_serves_again_after_the_storm(start):
    with Gateway(before=few_descriptors(200)) as gateway:
        key = gateway.upload()["key"]
        for _ in range(8):
            gateway.download(key)
        base = gateway.descriptors()
        sockets = storm(gateway, CLIENTS, start)
        expect(busy(gateway, 0.5) < 0.6 * SLOWNESS,
               "it spins while it has no descriptors")
        for one in sockets:
            one.close()
        serves(gateway)
        equal("object", gateway.download(key).body, b"hello")
        gateway.upload()
        eventually("connections that ended", lambda:
                   len(gateway.descriptors()) <= len(base) + 2)


@test
def test_connections_over_the_limit_wait_or_are_refused():
    """Those within it are served meanwhile, and the others afterwards."""
    with Gateway({"limits": {"connections": "10"}}) as gateway:
        wires = [gateway.wire() for _ in range(10)]
        served = 0
        for wire in wires:
            wire.send(request("GET", "/healthz"))
            served += wire.answer().status == 200
        equal("served", served, 10)
        sockets = storm(gateway, 50, request("GET", "/healthz"))
        for wire in wires:
            wire.close()
        for one in sockets:
            one.settimeout(10 * SLOWNESS)
            try:
                among("answer", one.recv(12),
                      (b"HTTP/1.1 200", b"HTTP/1.1 503", b""))
            except ConnectionResetError:
                pass
            one.close()
        serves(gateway)


@test
def test_limit_of_connections_holds():
    with Gateway({"limits": {"connections": "10"}}) as gateway:
        gateway.alive()
        base = len(gateway.descriptors())
        sockets = storm(gateway, 200, b"GET /healthz HT")
        time.sleep(0.3)
        most = len(gateway.descriptors()) - base
        expect(most <= 10 + 4, f"{most} connections are open")
        for one in sockets:
            one.close()
        serves(gateway)


@test
def test_idle_connections_make_room_for_new_ones():
    """Nobody is locked out by connections that are merely kept."""
    with Gateway({"limits": {"connections": "10",
                             "idle_timeout": "1h"}}) as gateway:
        wires = [gateway.wire() for _ in range(10)]
        for wire in wires:
            equal("status", wire.ask("GET", "/healthz").status, 200)
        serves(gateway)
        for wire in wires:
            wire.close()


@test
def test_storm_of_uploads_over_the_memory_limit_is_503_or_served():
    before, after, length = large_form(200_000)
    whole = (head("POST", "/files", FORM, f"Content-Length: {length}") +
             before + b"x" * 200_000 + after)
    with Gateway({"server": {"workers": "1"},
                  "limits": {"memory": "8MiB"}}) as gateway:
        wires = [gateway.wire() for _ in range(100)]
        for wire in wires:
            wire.send(whole[:-10])
        for wire in wires:
            wire.send(whole[-10:])
        statuses = []
        for wire in wires:
            answer = wire.answer()
            statuses.append(answer.status)
            if answer.status == 503:
                expect(answer.header("retry-after"), "no Retry-After")
            wire.close()
        among("statuses", set(statuses), ({201}, {201, 503}))
        equal("keys", len(gateway.keys("")), statuses.count(201))
        gateway.upload()


@test
def test_busy_limit_of_connections_costs_no_speed():
    """A connection that ends makes room at once."""
    with Gateway({"server": {"workers": "1"},
                  "limits": {"connections": "2"}}) as gateway:
        started = time.monotonic()
        for _ in range(50):
            gateway.alive()
        took = time.monotonic() - started
        expect(took < 2 * SLOWNESS, f"50 connections took {took:.1f} s")


@test
def test_start_with_too_few_descriptors_says_so_or_works():
    """A limit of 10000 connections can't hold with 64 descriptors."""
    with tempfile.TemporaryDirectory() as folder:
        with Gateway({"limits": {"connections": "10000"}}, folder=folder,
                     before=few_descriptors(64)) as gateway:
            gateway.alive()


if __name__ == "__main__":
    main()

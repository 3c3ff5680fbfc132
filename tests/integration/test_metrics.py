#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The metrics at server.admin, as Prometheus reads them."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from kit import (FORM, KIB, MIB, Gateway, each, equal, eventually, expect,
                 file, form, head, like, main, needs, refusal, test)
from metricskit import Watched

REQUESTS = "sluice_requests_total"


@test
def test_requests_are_counted_by_route_operation_and_status():
    with Watched() as gateway:
        key = gateway.upload()["key"]
        for _ in range(3):
            equal("status", gateway.download(key).status, 200)
        equal("status", gateway.ask("GET", "/files/download?key=none").status,
              404)
        equal("status", gateway.ask("GET", "/nowhere").status, 404)
        gateway.becomes(1, REQUESTS, route="/files", operation="upload",
                        status="201")
        gateway.becomes(3, REQUESTS, route="/files", operation="download",
                        status="200")
        gateway.becomes(1, REQUESTS, route="/files", operation="download",
                        status="404")
        gateway.becomes(1, REQUESTS, route="none", operation="none",
                        status="404")


@test
def test_every_series_is_there_from_the_start_and_none_comes_later():
    with Watched() as gateway:
        before = gateway.samples()
        counted = [name for name, _ in before if name.endswith("_total")
                   and name.startswith("sluice_")
                   and not name.startswith("sluice_local_commit")]
        # The gateway's own sweeps may have begun.
        sweeps = {("call", "stage_sweep"), ("call", "list")}
        equal("sum", sum(before[one] for one in before
                         if one[0] in counted
                         and not sweeps & set(one[1])), 0)
        key = gateway.upload()["key"]
        gateway.download(key)
        gateway.list()
        gateway.delete(key)
        gateway.ask("BREW", "/files")
        gateway.ask("GET", "/files?limit=x")
        equal("series", set(gateway.samples()), set(before))


@test
def test_bytes_of_bodies_are_counted_both_ways():
    with Watched() as gateway:
        key = gateway.upload(b"x" * MIB)["key"]
        gateway.download(key)
        gateway.becomes(MIB, "sluice_request_bytes_total",
                        operation="download", direction="out")
        taken = gateway.value("sluice_request_bytes_total",
                              operation="upload", direction="in")
        expect(MIB < taken < MIB + KIB, f"{taken} bytes came in")


@test
def test_histogram_adds_up():
    with Watched() as gateway:
        for _ in range(5):
            gateway.upload()
        gateway.becomes(5, "sluice_request_seconds_count", operation="upload")
        samples = gateway.samples()
        buckets = [(dict(labels)["le"], number)
                   for (name, labels), number in samples.items()
                   if name == "sluice_request_seconds_bucket"
                   and dict(labels)["operation"] == "upload"]
        equal("the last bound", buckets[-1], ("+Inf", 5))
        numbers = [number for _, number in buckets]
        equal("in order", numbers, sorted(numbers))
        total = samples["sluice_request_seconds_sum",
                        (("operation", "upload"),)]
        expect(0 < total < 60, f"a sum of {total} s")


@test
def test_waiting_for_the_client_is_the_clients_time():
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "access.json")
        more = {"hooks": [{"plugin": "log_json", "path": str(log),
                           "delay": "10ms",
                           "fields": ["duration_us", "client_us", "hooks_us",
                                      "backend_us", "hash_us"]}]}
        with Watched(more) as gateway, gateway.wire() as wire:
            body = form(file(b"x" * 1000))
            wire.send(head("POST", "/files", FORM,
                           f"Content-Length: {len(body)}"))
            wire.send(body[:200])
            time.sleep(0.7)
            wire.send(body[200:])
            equal("status", wire.answer().status, 201)
            line, = eventually("the record", lambda: log.exists()
                               and log.read_text().splitlines())
            record = json.loads(line)
            expect(record["client_us"] > 650_000, f"client: {record}")
            expect(record["backend_us"] < 600_000, f"backend: {record}")
            equal("sum", record["client_us"] + record["hooks_us"]
                  + record["backend_us"] + record["hash_us"],
                  record["duration_us"])


@test
def test_time_that_a_backend_takes_is_the_backends():
    stall = {"backends": {"stall": {"plugin": "stall"}},
             "limits": {"backend_timeout": "700ms"},
             "routes": [{"mount": "/files", "backend": "main"},
                        {"mount": "/stall", "backend": "stall"}]}
    with Watched(stall) as gateway:
        equal("status",
              gateway.ask("GET", "/stall/download?key=stall/head").status, 504)
        gateway.becomes(1, "sluice_requests_ended_total", by="time")
        waited = gateway.value("sluice_request_wait_seconds_sum",
                               **{"operation": "download", "for": "backend"})
        expect(0.6 < waited < 5, f"{waited} s")


@test
def test_calls_of_each_backend_are_counted_by_their_result():
    name = "sluice_backend_operations_total"
    with Watched() as gateway:
        gateway.upload() # the first also puts what is the gateway's own
        time.sleep(0.1)
        puts = gateway.value(name, backend="main", call="put", result="ok")
        gone = gateway.value(name, backend="main", call="get",
                             result="not_found")
        key = gateway.upload()["key"]
        gateway.ask("GET", "/files/download?key=none")
        gateway.delete(key)
        gateway.becomes(puts + 1, name, backend="main", call="put",
                        result="ok")
        gateway.becomes(gone + 1, name, backend="main", call="get",
                        result="not_found")
        gateway.becomes(1, name, backend="main", call="remove", result="ok")
        gateway.becomes(puts + 1, "sluice_backend_operation_seconds_count",
                        backend="main", call="put")


@test
def test_gauges_go_up_and_down_again():
    with Watched() as gateway:
        gateway.becomes(0, "sluice_connections")
        free = gateway.value("sluice_memory_used_bytes")
        with gateway.wire() as wire:
            wire.send(head("POST", "/files", FORM, "Content-Length: 1000"))
            gateway.becomes(1, "sluice_connections")
            gateway.becomes(1, "sluice_requests_in_flight")
            used = gateway.value("sluice_memory_used_bytes")
            expect(used > free, f"{used} bytes are used, {free} before")
        gateway.becomes(0, "sluice_connections")
        gateway.becomes(0, "sluice_requests_in_flight")
        gateway.becomes(free, "sluice_memory_used_bytes")


@test
def test_refusals_are_counted_by_the_limit():
    more = {"limits": {"per_client": {"requests": 1}}}
    with Watched(more) as gateway, gateway.wire() as one:
        one.send(head("POST", "/files", FORM, "Content-Length: 1000"))
        gateway.becomes(1, "sluice_requests_in_flight")
        equal("status", gateway.ask("GET", "/files?prefix=a").status, 429)
        gateway.becomes(1, "sluice_refusals_total",
                        limit="per_client.requests")


def padded(size):
    top, end = b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: ", b"\r\n\r\n"
    return top + b"x" * (size - len(top + end)) + end


@each({
    "another path": (b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", "404"),
    "a query": (b"GET /metrics?a=b HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    "another method": (b"POST /metrics HTTP/1.1\r\nHost: a\r\n"
                       b"Content-Length: 0\r\n\r\n", "405"),
    "HEAD": (b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    "1.0": (b"GET /metrics HTTP/1.0\r\n\r\n", "200"),
    "nonsense": (b"\x16\x03\x01\x02\x00 nonsense\r\n\r\n", "400"),
    "no Host": (b"GET /metrics HTTP/1.1\r\n\r\n", "400"),
    "8 KiB": (padded(8192), "200"),
    "and a byte": (padded(8193), "431"),
    "no end": (b"x" * 9000, "431"),
})
def test_admin_answers(case):
    data, status = case
    with Watched() as gateway:
        answer = gateway.ask_admin(data)
        equal("status", answer[:13], f"HTTP/1.1 {status} ")
        like("head", answer, "Connection: close\r\n")
        if data.startswith(b"HEAD"):
            expect(answer.endswith("\r\n\r\n"), "no body")


@each({"half-closed": padded(60), "too long": b"x" * 9000,
       "too long at once": b"x" * 100_000})
def test_admin_keeps_no_connection(data):
    with Watched() as gateway:
        with socket.create_connection(gateway.place(), timeout=10) as wire:
            wire.sendall(b"GET /x HTTP/1.0\r\n\r\n")
            wire.recv(1000)
        base = gateway.descriptors()
        for _ in range(20):
            with socket.create_connection(gateway.place(),
                                          timeout=10) as wire:
                try:
                    wire.sendall(data)
                    wire.shutdown(socket.SHUT_WR)
                    while wire.recv(65536):
                        pass
                except ConnectionError:
                    pass
        eventually("all are closed",
                   lambda: gateway.descriptors() <= base, 10)
        like("a page", gateway.page(), "sluice_build_info")


@test
def test_client_of_admin_that_says_nothing_ends_and_others_get_their_turn():
    with Watched() as gateway:
        mute = [socket.create_connection(gateway.place()) for _ in range(20)]
        started = time.monotonic()
        like("a page", gateway.page(), "sluice_build_info")
        expect(time.monotonic() - started < 40, "it took its turn")
        for one in mute:
            one.settimeout(45)
            equal("the end", one.recv(1), b"")
            one.close()


@test
def test_public_listener_has_no_metrics():
    with Watched() as gateway:
        equal("status", gateway.ask("GET", "/metrics").status, 404)


@test
def test_admin_answers_while_all_connections_are_taken():
    with Watched({"server": {"workers": "1"},
                  "limits": {"connections": 2}}) as gateway:
        with gateway.wire() as one, gateway.wire() as two:
            for wire in (one, two):
                wire.send(head("POST", "/files", FORM, "Content-Length: 99"))
            gateway.becomes(2, "sluice_connections")


@test
def test_admin_on_a_unix_socket():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/admin"
        with Gateway({"server": {"admin": f"unix:{path}"}}):
            with socket.socket(socket.AF_UNIX) as wire:
                wire.connect(path)
                wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                like("answer", wire.recv(100).decode(), "HTTP/1.1 200 OK")
        expect(not os.path.exists(path), "the socket is gone at the end")


@test
def test_admin_has_a_place_of_its_own():
    refusal({"server": {"listen": ["127.0.0.1:1"], "admin": "127.0.0.1:1"}},
            "admin", "clients are served there")
    refusal({"server": {"admin": "nowhere"}}, "admin", "host:port")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refusal({"server": {"admin": f"127.0.0.1:{port}"}}, "server.admin",
                "it is taken")


@test
def test_promtool_has_nothing_to_say():
    needs(shutil.which("promtool"), "promtool, of the package prometheus")
    with Watched() as gateway:
        gateway.upload()
        done = subprocess.run(["promtool", "check", "metrics"],
                              input=gateway.page(), text=True, timeout=60,
                              capture_output=True, check=False)
        equal("promtool", (done.returncode, done.stdout + done.stderr),
              (0, ""))


if __name__ == "__main__":
    main()

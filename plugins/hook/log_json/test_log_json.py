#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Access logs of JSON, and what all access logs share: rotation, readers that
don't read, full disks, syslog."""
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import (Gateway, each, equal, eventually, expect, like, needs,
                 refusal, request, test)  # noqa: E402


def logging(path, **more):
    """The section of one log at `path`."""
    return {"hooks": [{"plugin": "log_json", "path": str(path),
                       "delay": "10ms", **more}]}


class Logged(Gateway):
    """A gateway with a log in its folder; `log` is that file."""

    def __init__(self, workers="1", **more):
        folder = tempfile.mkdtemp(prefix="sluice-test-")
        self.log = Path(folder, "access.json")
        super().__init__({"server": {"workers": workers},
                          **logging(self.log, **more)}, folder=folder)
        self.own = True

    def text(self):
        return self.log.read_bytes().decode()  # which has to be UTF-8

    def records(self, count=1):
        """All of them, once there are `count`."""
        eventually(f"{count} records", lambda: self.log.exists() and
                   self.log.read_bytes().count(b"\n") >= count)
        return [json.loads(line) for line in self.text().splitlines()]


@test
def test_record_says_what_became_of_a_request():
    with Logged() as gate:
        up = gate.upload(b"twelve bytes")
        gate.ask("GET", f"/files/download?key={quote(up['key'], safe='')}",
                 "User-Agent: it", "X-Request-Id: mine",
                 "Referer: http://a.test/b?secret#c")
        _, down = gate.records(2)
        like("time", down.pop("time"),
             r"\A20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
        expect(0 < down.pop("duration_us") < 10e6, "a duration")
        equal("the record", down, {
            "id": "mine", "client": "127.0.0.1", "identity": None,
            "method": "GET", "path": "/files/download",
            "query": f"key={quote(up['key'], safe='')}",
            "protocol": "HTTP/1.1", "operation": "download",
            "key": up["key"], "status": 200, "code": None, "ended_by": None,
            "bytes_in": 0, "bytes_out": 12, "referer": "http://a.test/b",
            "user_agent": "it"})


@test
def test_fields_are_those_in_the_order_of_the_configuration():
    with Logged(fields=["status", "peer", "host", "code"]) as gate:
        gate.ask("GET", "/nothing")
        equal("record", (gate.records() and gate.text()),
              '{"status":404,"peer":"127.0.0.1","host":"gateway.test",'
              '"code":"not_found"}\n')


@each({"unknown": (["time", "stauts"], "did you mean 'status'"),
       "twice": (["time", "time"], "'time' is here twice"),
       "none": ([], "fields is empty"),
       "authorization": (["authorization"], "'authorization' is not known")})
def test_bad_fields_are_refused_at_start(row):
    fields, why = row
    refusal(logging("-", fields=fields), "log_json", why)


@each({"folder": ({"path": "/nowhere/a"}, "path: /nowhere/a can't be opened"),
       "empty": ({"path": ""}, "path is empty"),
       "facility": ({"path": "syslog:", "facility": "x"}, "facility: 'x'"),
       "tag": ({"path": "syslog:", "tag": "a b"}, "tag: 'a b'"),
       "no syslog": ({"path": "syslog:/nowhere/log"}, "doesn't answer"),
       "small": ({"path": "-", "buffer": "262143B"}, "256KiB to 1GiB"),
       "large": ({"path": "-", "buffer": "1073741825B"}, "256KiB to 1GiB"),
       "delay": ({"path": "-", "delay": "10001ms"}, "0 to 10s")})
def test_bad_option_is_refused_at_start(row):
    options, why = row
    refusal({"hooks": [{"plugin": "log_json", **options}]}, why)


@test
def test_signed_links_query_is_never_logged():
    with Logged() as gate:
        up = gate.upload()
        target = re.sub(r"\Ahttps?://[^/]*", "", up["download_url"])
        secret = target.split("?")[1]
        gate.ask("GET", target)
        gate.ask("POST", target, body=b"")  # another method
        gate.ask("GET", "/nowhere?" + secret)
        gate.ask("GET", "/healthz", "Referer: http://x.test" + target)
        records = gate.records(5)[1:]
        ident = secret.split("&")[0]  # which gives no right to anything
        like("id", ident, r"id=[A-Za-z0-9_-]{44}")
        equal("queries", [r["query"] for r in records],
              [ident, ident, "redacted", None])
        equal("operation", records[0]["operation"], "signed")
        equal("key", records[0]["key"], up["key"])
        signature = secret.split("=")[-1]
        expect(signature not in gate.text(), "the log has a signature")


@test
def test_hostile_bytes_stay_valid_json_on_one_line():
    with Logged() as gate:
        with gate.wire() as wire:
            wire.send(b"GET /files?prefix=%22%0a HTTP/1.1\r\nHost: a\r\n"
                      b"User-Agent: \"\\\xff\xc3\xa9\xc2\x85\xe2\x80\xa8\tx"
                      b"\r\n\r\n")
            equal("status", wire.answer().status, 400)
        record, = gate.records()
        equal("agent", record["user_agent"],
              '"\\\\xff\xe9\x85\u2028\tx')
        expect("\u2028" not in gate.text() and "\x85" not in gate.text(),
               "a line separator is in the log")


@test
def test_refused_head_is_logged_without_what_is_not_known():
    with Logged() as gate:
        with gate.wire() as wire:
            wire.send(b"GET  / HTTP/1.1\r\n\r\n")
            equal("status", wire.answer().status, 400)
        record, = gate.records()
        equal("record", [record[name] for name in
                         ("method", "path", "protocol", "status", "code")],
              [None, None, None, 400, "bad_request"])


@test
def test_long_values_are_cut_and_a_line_stays_below_8_kib():
    with Logged(fields=["path", "query", "key", "host", "referer",
                        "user_agent", "id", "identity", "status", "time",
                        "client", "peer", "method", "protocol", "operation",
                        "code", "ended_by", "bytes_in", "bytes_out",
                        "duration_us", "client_us", "hooks_us",
                        "backend_us"]) as gate:
        with gate.wire() as wire:
            wire.send(b"GET /files?prefix=" + b"%C2%A0" * 500 + b"&a=" +
                      b"\\" * 5000 + b" HTTP/1.1\r\nHost: " + b"a" * 253 +
                      b"\r\nUser-Agent: " + b"\xff" * 6000 +
                      b"\r\nReferer: " + b"\xc2\x85" * 3000 + b"\r\n\r\n")
            equal("status", wire.answer().status, 200)
        record, = gate.records()
        line = gate.log.read_bytes()
        expect(len(line) <= 8192, f"a line of {len(line)} bytes")
        equal("host", record["host"], "a" * 253)
        for name in ("query", "referer", "user_agent"):
            like(name, record[name], "\u2026\\Z")


@test
def test_every_request_of_a_busy_gateway_is_logged_once():
    with Logged("2") as gate:
        def ask(number):
            with gate.wire() as wire:
                for i in range(200):
                    wire.ask("GET", "/healthz", f"X-Request-Id: {number}.{i}")
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ids = [record["id"] for record in gate.records(1600)]
        equal("ids", sorted(ids), sorted(
            f"{n}.{i}" for n in range(8) for i in range(200)))
        for n in range(8):  # a connection is one loop's
            own = [int(i.split(".")[1]) for i in ids if i[0] == str(n)]
            equal("order on a loop", own, sorted(own))


@test
def test_sighup_under_load_loses_and_doubles_no_line():
    with Logged("2") as gate:
        over, asked = threading.Event(), [0] * 4

        def ask(number):
            with gate.wire() as wire:
                while not over.is_set():
                    wire.ask("GET", "/healthz",
                             f"X-Request-Id: {number}.{asked[number]}")
                    asked[number] += 1
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        files = []
        for turn in range(8):
            eventually("lines", lambda: gate.log.exists() and
                       gate.log.stat().st_size > 2000)
            files.append(gate.log.with_suffix(f".{turn}"))
            gate.log.rename(files[-1])
            gate.signal(1)
            eventually("a new file", gate.log.exists)
        over.set()
        for thread in threads:
            thread.join()
        gate.signal(15)
        equal("exit status", gate.wait(), 0)
        lines = b"".join(file.read_bytes() for file in [*files, gate.log])
        ids = [json.loads(line)["id"] for line in lines.splitlines()]
        equal("ids", sorted(ids), sorted(
            f"{n}.{i}" for n in range(4) for i in range(asked[n])))


@test
def test_what_is_queued_is_written_at_the_stop():
    gate = Logged(delay="10s")
    try:
        for _ in range(3):
            gate.alive()
        equal("before", gate.text(), "")
        gate.signal(15)
        gate.wait()
        equal("lines", gate.text().count("\n"), 3)
    finally:
        gate.stop()


@test
def test_fifo_that_nobody_reads_holds_no_request_up():
    folder = tempfile.mkdtemp(prefix="sluice-test-")
    fifo = Path(folder, "fifo")
    os.mkfifo(fifo)
    agent = "User-Agent: " + "x" * 1000
    many = request("GET", "/healthz", agent) * 50
    try:
        with Gateway(logging(fifo, buffer="256KiB"), folder=folder) as gate:
            with gate.wire() as wire:
                for _ in range(20):  # 1 MiB, of which a quarter fits
                    wire.send(many)
                    for _ in range(50):
                        equal("status", wire.answer().status, 200)
            got, lost = [], []

            def read():
                with open(fifo, "rb", buffering=0) as log:
                    while len(got) + sum(lost) < 1000:
                        line = json.loads(log.readline())
                        if "dropped" in line:
                            equal("notice", line["notice"],
                                  f"{line['dropped']} lines were dropped")
                            lost.append(line["dropped"])
                        else:
                            got.append(line)
            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            reader.join(kit.PATIENCE)
            expect(not reader.is_alive(), f"of 1000 lines came {len(got)}, "
                   f"and {lost} are told to be lost")
            equal("all lines", len(got) + sum(lost), 1000)
            expect(sum(lost) > 100, "lines are bounded")
            gate.says(r"\[log_json\] \d+ lines were dropped")
    finally:
        shutil.rmtree(folder)


def writes(pid):
    """How often a process has called write(2), and its like."""
    return int(re.search(r"syscw: (\d+)",
                         Path(f"/proc/{pid}/io").read_text())[1])


@test
def test_full_disk_holds_no_request_up_and_is_told():
    folder = tempfile.mkdtemp(prefix="sluice-test-")
    disk = Path(folder, "disk")
    disk.mkdir()
    before = ["unshare", "-rm", "sh", "-c",
              f"mount -t tmpfs -o size=64k none {disk} && exec \"$0\" \"$@\""]
    try:
        tried = subprocess.run([*before, "true"], check=False,
                               capture_output=True)
        needs(tried.returncode == 0, "a tmpfs can't be mounted")
        with Gateway(logging(disk / "log", fields=["id", "user_agent"]),
                     folder=folder, before=before) as gate:
            seen = Path(f"/proc/{gate.pid}/root") / disk.relative_to("/")
            agent = "User-Agent: " + "x" * 1000
            with gate.wire() as wire:
                for i in range(100):
                    answer = wire.ask("GET", "/healthz", agent,
                                      f"X-Request-Id: {i}")
                    equal("status", answer.status, 200)
            gate.says("the log can't be written: No space left on device")
            tried = writes(gate.pid)
            eventually("further tries", lambda: writes(gate.pid) > tried + 9)
            subprocess.run(["nsenter", "-t", str(gate.pid), "-U", "-m",
                            "--preserve-credentials", "mount", "-o",
                            "remount,size=1m", str(disk)], check=True)
            gate.says("the log is written again")
            log = seen / "log"
            eventually("all lines",
                       lambda: log.read_bytes().count(b"\n") == 100)
            ids = [json.loads(line)["id"]
                   for line in log.read_text().splitlines()]
            equal("ids", ids, [str(i) for i in range(100)])
    finally:
        shutil.rmtree(folder)


@test
def test_lines_go_to_standard_output_that_is_a_pipe():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        fifo = str(Path(folder, "out"))
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        with Gateway({"hooks": [{"plugin": "log_json", "delay": "10ms"}]},
                     before=["sh", "-c", f'exec "$0" "$@" >{fifo}']) as gate:
            gate.alive()
            select.select([reader], [], [], kit.PATIENCE)
            equal("status", json.loads(os.read(reader, 9000))["status"], 200)
        os.close(reader)


@test
def test_syslog_gets_a_message_for_each_line():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = str(Path(folder, "log"))

        def listen():
            daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            daemon.settimeout(kit.PATIENCE)
            daemon.bind(path)
            return daemon
        first = listen()
        with Gateway(logging(f"syslog:{path}", facility="local3",
                             tag="gate", fields=["id"])) as gate:
            gate.ask("GET", "/healthz", "X-Request-Id: one")
            equal("message", first.recv(9000).decode(),
                  f'<158>gate[{gate.pid}]: {{"id":"one"}}')
            first.close()
            gate.ask("GET", "/healthz", "X-Request-Id: two")
            gate.says("can't be written: Connection refused")
            os.unlink(path)
            with listen() as second:  # a restart loses nothing
                equal("message", second.recv(9000).decode(),
                      f'<158>gate[{gate.pid}]: {{"id":"two"}}')


@test
def test_file_that_cannot_be_opened_again_stays_in_use():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = Path(folder, "sub", "log")
        path.parent.mkdir()
        with Gateway(logging(path)) as gate:
            moved = path.parent.rename(Path(folder, "moved"))
            gate.signal(1)
            gate.says("can't be opened: No such file.*the old one is used")
            gate.alive()
            eventually("a line", (moved / "log").read_bytes)


kit.main()

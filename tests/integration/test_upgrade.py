#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A gateway takes over from one that runs: sockets, queues and the store of
`local` go over, no request fails, and whoever dies on the way leaves a gateway
that serves and all that was acknowledged.

SLUICE_UPGRADES is how often it takes place under load, SLUICE_UPGRADE_BYTES
how large the upload is that goes on meanwhile."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from kit import (BINARY, FORM, KIB, MIB, PATIENCE, Gateway, Mismatch, Wire,
                 each, equal, eventually, expect, field, file, form,
                 free_port, like, main, request, run, settings, test, written)
from upgradekit import (KINDS, RECORD, Between, Client, Upload, agrees,
                        hears, manager, pid_of_taker, sections, served)

UPGRADES = int(os.environ.get("SLUICE_UPGRADES", "3"))
LARGE = int(os.environ.get("SLUICE_UPGRADE_BYTES", str(8 * MIB)))


@test
def test_both_serve_the_store_until_the_old_one_has_ended():
    with served() as (old, takeover):
        first = old.upload(b"first")["key"]
        upload, idle = Upload(old), old.wire()
        equal("before", idle.ask("GET", "/files?prefix=t").status, 200)
        new = takeover()
        equal("addresses", new.urls, old.urls)
        second = new.upload(b"second")["key"]
        equal("read", new.download(first).body, b"first")
        answer = idle.ask("GET", f"/files/download?key={second}")
        equal("the other way", (answer.status, answer.body), (200, b"second"))
        equal("and the last", answer.header("connection"), "close")
        key = upload.ends()
        equal("exit status", old.wait(), 0)
        equal("length", len(new.download(key).body), MIB)
        equal("files", sorted(new.keys("t")), sorted([first, second]))
        new.delete(first)
        equal("gone", new.download(first).status, 404)


@test
def test_after_an_answer_that_had_begun_one_more_request_is_served():
    """Its head said nothing of an end, so the client counts on it."""
    data = bytes(range(256)) * (64 * KIB)
    with served() as (old, takeover):
        key = old.upload(data)["key"]
        with old.wire(buffer=64 * KIB) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            start = wire.head()
            equal("head", (start.status, start.header("connection")),
                  (200, None))
            takeover()
            equal("bytes", wire.take(len(data)) == data, True)
            answer = wire.ask("GET", "/files?prefix=t")
            equal("the next", (answer.status, answer.header("connection")),
                  (200, "close"))


@test
def test_what_one_changes_the_other_does_not_have_from_its_memory():
    with served(server={"workers": "1"}) as (old, takeover):
        upload, keep = Upload(old), old.wire()
        key = old.upload(b"one")["key"]
        for _ in range(3):
            equal("one", old.download(key).body, b"one")
        new = takeover()
        new.delete(key)
        equal("old", keep.ask("GET", f"/files/download?key={key}").status,
              404)
        upload.ends()


@test
def test_who_waits_in_a_queue_is_served_by_the_new_one():
    """The old one has no room: it accepts one connection for each loop, and
    the others are in the queues of both sockets."""
    with served(limits={"connections": "2"}) as (old, takeover):
        whole = request("POST", "/files", FORM,
                        body=form(field("prefix", "t"), file()))
        waiting = [old.wire() for _ in range(16)]
        for wire in waiting:
            wire.send(whole[:-10])
        old.says("no connections are accepted: limits.connections is reached")
        takeover(limits={"connections": "400"})
        for wire in waiting:
            wire.send(whole[-10:])
        for wire in waiting:
            equal("status", wire.answer().status, 201)
            wire.close()


@test
def test_other_numbers_of_loops_lose_no_queue():
    with served(server={"workers": "3"}) as (_, takeover):
        for workers in "1", "4", "2":
            new = takeover(server={"workers": workers})
            wires = [new.wire() for _ in range(24)]
            for wire in wires:
                equal("status", wire.ask("GET", "/files?prefix=t").status,
                      200)
                wire.close()


@test
def test_paths_are_removed_by_the_last_one():
    with tempfile.TemporaryDirectory() as folder:
        old = Gateway(sections(folder), folder=folder)
        new = Gateway(sections(folder), folder=folder, words=["--takeover"])
        equal("exit status", old.wait(), 0)
        for name in "files", "admin":
            expect(Path(folder, name).is_socket(), f"{name} is gone")
        with Wire(f"unix:{folder}/files") as wire:
            equal("status", wire.ask("GET", "/files?prefix=t").status, 200)
        new.stop()
        for name in "files", "admin":
            expect(not Path(folder, name).exists(), f"{name} is there")


# ---- refused ---------------------------------------------------------------

@test
def test_nobody_to_take_over_from_is_said():
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, sections(folder)))
        status, _, said = run("-c", path, "--takeover")
        equal("status", status, 1)
        like("why", said, "no gateway to take over from is at unix:.*start "
                          "this one without --takeover")
        path = written(folder, settings(folder))
        like("no socket", run("-c", path, "--takeover")[2],
             "server.admin, which has to be a UNIX socket")


@test
def test_a_new_one_that_cannot_start_leaves_the_old_one_as_it_was():
    with served() as (old, _):
        upload = Upload(old)
        path = written(old.folder, settings(old.folder, {
            **sections(old.folder), "backends": {"main": {
                "plugin": "local", "directory": f"{old.folder}/file"}}}))
        Path(old.folder, "file").touch()
        status, _, said = run("-c", path, "--takeover")
        equal("status", status, 1)
        like("why", said, "directory .*file can't be")
        old.says("doesn't take over: the other gateway has closed the "
                 "connection; this one goes on")
        old.upload()
        for name in "files", "admin":
            expect(Path(old.folder, name).is_socket(), f"{name} is gone")
        upload.ends()


@test
def test_a_second_gateway_without_the_word_is_refused():
    with served() as (old, takeover):
        upload = Upload(old)
        new = takeover()
        path = written(old.folder, settings(old.folder), "other.yaml")
        status, _, said = run("-c", path)
        equal("status", status, 1)
        like("why", said, rf"in use by another gateway \(pid {new.pid}\)")
        upload.ends()


# ---- deaths ----------------------------------------------------------------

DEATHS = {f"{who}_dies_before_{kind}": (who, speaker, kind)
          for speaker, kind in (("new", "asks"), ("old", "listen"),
                                ("old", "admin"), ("old", "backend"),
                                ("old", "end"), ("new", "ready"),
                                ("old", "yours"))
          for who in ("old", "new")}


def starts(folder, log):
    """A gateway that takes over, or dies."""
    with contextlib.suppress(Mismatch):
        log.append(Gateway(sections(folder), folder=folder,
                           words=["--takeover"]))


@each(DEATHS)
def test_death(case):
    """Whoever is left serves, and has all that was acknowledged."""
    dies, speaker, kind = case
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        old = Gateway(sections(folder), folder=folder)
        fell, made = threading.Event(), []
        kept = [old.upload(bytes([n]) * (n * 9000))["key"] for n in range(4)]

        def at(who, what):
            if (who, what) == (speaker, kind) and not fell.is_set():
                pid = old.pid if dies == "old" else pid_of_taker(folder)
                os.kill(pid, signal.SIGKILL)
                fell.set()
                return who != dies
            return True
        upload = Upload(old)
        try:
            with Between(folder, at):
                starter = threading.Thread(target=starts,
                                           args=(folder, made))
                starter.start()
                expect(fell.wait(PATIENCE), "it didn't come so far")
                starter.join(PATIENCE)
            long = [upload.ends()] if dies == "new" else []
            survivor = left(old, made, dies, kind, folder)
            equal("the upload in flight", survivor.keys("long"), long)
            more = survivor.upload(b"x" * 30000)["key"]
            equal("kept", sorted(survivor.keys("t")), sorted([*kept, more]))
            for n, key in enumerate(kept):
                equal("bytes", survivor.download(key).body,
                      bytes([n]) * (n * 9000))
            survivor.stop()
            status, out, _ = run("check", "-c", f"{folder}/sluice.yaml",
                                 "--read")
            equal("check", (status, out and True), (0, True))
        finally:
            for gateway in [old, *made]:
                if gateway.process.poll() is None:
                    gateway.kill()


def left(old, made, dies, kind, folder):
    """The gateway that serves now.  Where the old one died before it had
    given all, there is none, as before any start."""
    if dies == "new" and kind != "yours":
        eventually("the old one goes on", lambda: any(
            "this one goes on" in line for line in old.lines) or
            kind == "asks")
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{folder}/real", f"{folder}/admin")
        return old
    if made and dies == "old":
        made[0].says("has died; this one goes on|gone; this one goes on|took "
                     "over")
        return made[0]
    old.process.wait(PATIENCE)
    for name in "admin", "real":
        Path(folder, name).unlink(missing_ok=True)
    return Gateway(sections(folder), folder=folder)


@test
def test_a_new_one_that_dies_when_it_is_ready_changes_nothing():
    with served() as (old, _), socket.socket(socket.AF_UNIX) as new:
        upload = Upload(old)
        new.connect(f"{old.folder}/admin")
        new.sendall(b"POST /takeover HTTP/1.1\r\nHost: h\r\n\r\n")
        new.settimeout(PATIENCE)
        kind = None
        while kind != "end":
            data, fds, _, _ = socket.recv_fds(new, RECORD, 64)
            kind = KINDS[int.from_bytes(data[4:8], "little")]
            for fd in fds:
                os.close(fd)
        old.signal(signal.SIGSTOP)
        ready = data[:4] + KINDS.index("ready").to_bytes(4, "little")
        new.sendall(ready + bytes(RECORD - 8))
        new.close()
        old.signal(signal.SIGCONT)
        old.says("it went when it was ready; this one goes on")
        old.upload()
        upload.ends()


# ---- the service manager ---------------------------------------------------

ACTIVATED = """
import os, socket, sys
fds = []
for place in sys.argv[1].split(","):
    unix = place.startswith("unix:")
    one = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    one.bind(place[5:] if unix else ("127.0.0.1", int(place)))
    one.listen()
    fds.append(os.dup2(os.dup(one.fileno()), 100 + len(fds)))
for n, fd in enumerate(fds):
    os.dup2(fd, 3 + n)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
os.execv(sys.argv[2], sys.argv[2:])
"""


def activated(folder, *places):
    return [sys.executable, "-c", ACTIVATED, ",".join(places)]


@test
def test_sockets_of_the_service_manager_are_used():
    with tempfile.TemporaryDirectory() as folder:
        port, path = free_port(), f"unix:{folder}/files"
        more = {"server": {"listen": [f"127.0.0.1:{port}", path]}}
        before = activated(folder, str(port), path)
        with Gateway(sections(folder, more), folder=folder,
                     before=before) as old:
            equal("urls", old.urls, [f"http://127.0.0.1:{port}", path])
            old.upload()
            with Gateway(sections(folder, more), folder=folder,
                         words=["--takeover"]) as new:
                for _ in range(8):
                    with Wire(path) as wire:
                        equal("status",
                              wire.ask("GET", "/files?prefix=t").status, 200)
                new.upload()
        expect(Path(folder, "files").is_socket(), "the manager's path is gone")


@test
def test_a_socket_that_no_address_wants_is_a_mistake():
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        path = written(folder, settings(folder))
        ended = subprocess.run(
            [*activated(folder, str(port)), BINARY, "-c", path],
            stderr=subprocess.PIPE, check=False, timeout=PATIENCE)
        equal("status", ended.returncode, 1)
        like("why", ended.stderr.decode(),
             rf"socket at 127\.0\.0\.1:{port}, which server\.listen doesn't "
             "name")


def pid_runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


@test
def test_upgrade_by_order_starts_the_program_anew():
    with tempfile.TemporaryDirectory() as folder, \
            manager(folder, WATCHDOG_USEC="400000") as (heard, environment):
        old = Gateway(sections(folder), folder=folder, env=environment)
        hears(heard, "READY=1")
        upload = Upload(old)
        status, out, said = run("ctl", "-c", old.path, "upgrade")
        equal("done", (status, said), (0, ""))
        like("told", out, "the new process serves")
        (main_pid, _) = hears(heard, r"MAINPID=(\d+)", "READY=1")
        pid = int(main_pid[1])
        try:
            hears(heard, "WATCHDOG=1")
            equal("by the new one", json.loads(
                run("ctl", "-c", old.path, "--json", "status")[1])["pid"],
                pid)
            upload.ends()
            eventually("the old one's end",
                       lambda: old.process.poll() is not None)
            equal("exit status", old.process.returncode, 0)
        finally:
            os.kill(pid, signal.SIGTERM)
            eventually("the end", lambda: not pid_runs(pid))
        hears(heard, "STOPPING=1")
        old.reader.join()
        old.clean()


@test
def test_upgrade_by_order_that_fails_says_so():
    with served() as (old, _):
        written(old.folder, "server: [")
        status, _, said = run("ctl", "-s", f"{old.folder}/admin", "upgrade")
        equal("status", status, 1)
        like("why", said, "the new process has ended")
        old.upload()


@test
def test_watchdog_is_silent_while_a_loop_stands_still():
    """The hook has its loop stand for 200 ms."""
    hook = {"plugin": "roguehook", "how": "change_just"}
    with tempfile.TemporaryDirectory() as folder, \
            manager(folder, WATCHDOG_USEC="40000") as (heard, environment):
        more = {"server": {"workers": "1"}, "hooks": [hook]}
        with Gateway(sections(folder, more), folder=folder,
                     env=environment) as gateway, gateway.wire() as wire:
            hears(heard, "READY=1", "WATCHDOG=1", "WATCHDOG=1")
            body = form(field("prefix", "t"), file())
            wire.send(request("POST", "/files", FORM, body=body))
            last, longest = time.monotonic(), 0
            until = last + PATIENCE
            while longest < 0.15:
                expect(time.monotonic() < until, "there was no silence")
                heard.recv(256)
                now = time.monotonic()
                longest, last = max(longest, now - last), now
            equal("status", wire.answer().status, 201)
            hears(heard, "WATCHDOG=1")


# ---- under load ------------------------------------------------------------

@test
def test_no_request_fails_over_many_upgrades_under_load():
    over = threading.Event()
    with served(uploads={"max_bytes": "2GiB"}) as (old, takeover):
        upload = Upload(old, LARGE)
        clients = [Client(old.url, f"c{n}", over) for n in range(4)]
        for client in clients:
            client.start()
        new, worst = old, 0
        try:
            for _ in range(UPGRADES):
                at = [client.count for client in clients]
                began = time.monotonic()
                new = takeover()
                worst = max(worst, time.monotonic() - began)
                eventually("requests of all", lambda at=at: all(
                    client.count > count + 1 or client.failure
                    for client, count in zip(clients, at)))
            key = upload.ends()
        finally:
            over.set()
            for client in clients:
                client.join(PATIENCE)
        agrees(new, clients)
        answer = new.download(key, method="HEAD")
        equal("the upload", answer.header("content-length"), str(LARGE))
        print(f"  {UPGRADES} upgrades, {sum(c.count for c in clients)} rounds "
              f"of requests; longest start {worst:.2f} s", flush=True)


if __name__ == "__main__":
    main()

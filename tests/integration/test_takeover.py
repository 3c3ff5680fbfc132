#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two gateways, and what they say when one doesn't get what the other has:
refusals, strangers, sockets that aren't what they are said to be; and what the
one that goes on does meanwhile."""
import contextlib
import os
import signal
import socket
import tempfile
import threading
from pathlib import Path

from kit import (PATIENCE, Gateway, Wire, equal, expect, free_port, like,
                 main, needs, run, settings, test, written)
from upgradekit import (KINDS, RECORD, Between, Upload, hears,
                        manager, pid_of_taker, record, sections, served)

NOBODY = 65534


class Asker:
    """One that takes over by hand: it has been given all."""

    def __init__(self, gateway):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(f"{gateway.folder}/admin")
        self.socket.sendall(b"POST /takeover HTTP/1.1\r\nHost: h\r\n\r\n")
        while self.hears()[0] != "end":
            pass

    def hears(self):
        data, fds, _, _ = socket.recv_fds(self.socket, RECORD, 64)
        for fd in fds:
            os.close(fd)
        return (KINDS[int.from_bytes(data[4:8], "little")],
                data[12:].rstrip(b"\0").decode())

    def says(self, kind):
        self.socket.sendall(record(kind))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Giver:
    """A gateway by hand, which gives these: kind, text and sockets of each."""

    def __init__(self, folder, records):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{folder}/admin")
        self.listener.listen()
        self.listener.settimeout(PATIENCE)
        self.records = [*records, ("admin", f"unix:{folder}/admin",
                                   [self.listener])]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with contextlib.suppress(OSError):
            one, _ = self.listener.accept()
            with one:
                one.recv(4096)
                for kind, text, sockets in self.records:
                    fds = [each.fileno() for each in sockets]
                    socket.send_fds(one, [record(kind, text, len(fds))], fds)
                one.sendall(record("end"))
                one.recv(RECORD)
                one.sendall(record("yours"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(PATIENCE)


# ---- refusals --------------------------------------------------------------

@test
def test_one_that_goes_on_says_so_before_it_hangs_up():
    with served() as (old, _), Asker(old) as asker:
        asker.says("end")
        kind, why = asker.hears()
        equal("word", kind, "refused")
        like("why", why, "says what has no meaning here")
        equal("the end", asker.socket.recv(1), b"")
        old.upload()


@test
def test_refusal_is_heard_by_one_that_was_still_starting():
    """It stands still when it has all; until it goes on, the other one has
    refused it and hung up."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder, \
            Gateway(sections(folder), folder=folder) as old:
        upload, said, given = Upload(old), [], threading.Event()

        def at(who, kind):
            if (who, kind) == ("old", "end"):
                os.kill(pid_of_taker(folder), signal.SIGSTOP)
                given.set()
            return True
        with Between(folder, at) as between:
            new = threading.Thread(target=lambda: said.append(
                run("-c", old.path, "--takeover")))
            new.start()
            expect(given.wait(PATIENCE), "it didn't come so far")
            old.signal(signal.SIGTERM)
            between.thread.join(PATIENCE)
            os.kill(pid_of_taker(folder), signal.SIGCONT)
            new.join()
        expect(said, "it goes on as another gateway")
        equal("status", said[0][0], 1)
        like("why", said[0][2], "doesn't hand over: the gateway stops; this "
                                "one ends")
        upload.ends()
        equal("exit status", old.wait(), 0)


@test
def test_who_listens_there_has_to_be_of_the_gateway_s_user():
    needs(os.geteuid() == 0, "it has to be root to be somebody else")
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX) as stranger:
        path = written(folder, settings(folder, sections(folder)))
        stranger.bind(f"{folder}/admin")
        os.seteuid(NOBODY)
        stranger.listen()
        os.seteuid(0)
        threading.Thread(target=lambda: stranger.accept()[0].close(),
                         daemon=True).start()
        status, _, said = run("-c", path, "--takeover")
        equal("status", status, 1)
        like("why", said, "admin isn't of this gateway's user")


# ---- what is given ---------------------------------------------------------

@test
def test_socket_of_another_address_is_not_served():
    """Whatever entry it is said to be of."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, \
            socket.create_server(("127.0.0.1", 0)) as other:
        entry = f"127.0.0.1:{port}"
        more = sections(folder)
        more["server"]["listen"] = [entry]
        with Giver(folder, [("listen", entry, [other])]), \
                Gateway(more, folder=folder, words=["--takeover"]) as new:
            equal("address", new.urls, [f"http://{entry}"])
            new.says("nobody listens on 127.0.0.1:"
                     f"{other.getsockname()[1]} any more")
            new.upload()


@test
def test_socket_that_does_not_listen_is_not_taken():
    with tempfile.TemporaryDirectory() as folder, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        path = written(folder, settings(folder, sections(folder)))
        with Giver(folder, [("listen", "127.0.0.1:0", [other])]):
            status, _, said = run("-c", path, "--takeover")
        equal("status", status, 1)
        like("why", said, "for 127.0.0.1:0 isn't a socket that listens")


@test
def test_what_no_storage_takes_is_closed_by_the_time_it_serves():
    with tempfile.TemporaryDirectory() as folder:
        two = {"backends": {"other": {"plugin": "local", "create": "true",
                                      "directory": f"{folder}/other"}}}
        old = Gateway(sections(folder, two), folder=folder)
        expect(any("/other" in name for name in old.descriptors()),
               "nothing of it is open")
        with Gateway(sections(folder), folder=folder,
                     words=["--takeover"]) as new:
            new.says("took over from the gateway before")
            equal("open", [name for name in new.descriptors()
                           if "/other" in name], [])
        equal("exit status", old.wait(), 0)
        old.stopped = True
        old.clean()


# ---- meanwhile -------------------------------------------------------------

def switches(pid):
    """How often its threads have waited."""
    return sum(int(line.split()[1])
               for status in Path(f"/proc/{pid}/task").glob("*/status")
               for line in status.read_text().splitlines()
               if line.startswith("voluntary_ctxt_switches"))


@test
def test_old_one_sleeps_through_what_comes_to_the_new_one():
    with served() as (old, takeover):
        upload = Upload(old)
        new = takeover()
        old.quiet()
        before = switches(old.pid)
        for _ in range(100):
            for url in new.urls:
                with Wire(url) as wire:
                    equal("status", wire.ask("GET", "/files?prefix=t").status,
                          200)
        woken = switches(old.pid) - before
        expect(woken < 10, f"it woke {woken} times for 200 connections")
        upload.ends()


@test
def test_reload_waits_for_one_that_takes_over():
    with served() as (old, _):
        with Asker(old):
            status, _, said = run("ctl", "-c", old.path, "reload")
            equal("status", status, 1)
            like("why", said, "another process is taking over")
            old.signal(signal.SIGHUP)
            old.says("SIGHUP: another process is taking over; .* is read "
                     "again if it doesn't")
            expect(not any("hooks reload" in line for line in old.lines),
                   "it was read")
        old.says("doesn't take over.*; this one goes on")
        old.says("once more: hooks reload")


@test
def test_service_manager_is_told_that_the_new_one_lives():
    """Each of the two says so of its own when it serves; the next time is
    30 s away."""
    with tempfile.TemporaryDirectory() as folder, \
            manager(folder, WATCHDOG_USEC="60000000") as (heard, environment):
        old = Gateway(sections(folder), folder=folder, env=environment)
        hears(heard, "READY=1", "WATCHDOG=1")
        with Gateway(sections(folder), folder=folder, env=environment,
                     words=["--takeover"]):
            said = []
            while "READY=1" not in said or said.count("WATCHDOG=1") < 2:
                said.append(heard.recv(256).decode())
            equal("exit status", old.wait(), 0)
        old.stopped = True
        old.clean()


if __name__ == "__main__":
    main()

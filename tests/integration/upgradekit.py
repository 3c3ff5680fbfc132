# SPDX-License-Identifier: MIT
"""Gateways that take over from each other, for test_upgrade*.py: one that
stands between two of them and breaks off where it is told to, and clients
that remember what was acknowledged."""
import array
import contextlib
import hashlib
import json
import os
import re
import socket
import struct
import tempfile
import threading
import time
from pathlib import Path

from kit import (FORM, KIB, MIB, PATIENCE, SLOWNESS, Gateway, Wire, equal,
                 expect, field, file, form, head, large_form,
                 merged)

RECORD = 12 + 512  # bytes of a message of the hand-over
MARK = 0x31424c53
KINDS = ["", "listen", "managed", "admin", "backend", "end", "refused",
         "ready", "yours"]


def record(kind, text="", count=0):
    """A message of the hand-over, with that many descriptors."""
    return struct.pack("<III512s", MARK, KINDS.index(kind), count,
                       text.encode())


def sections(folder, more=None):
    """Both have the same; who has asked nothing for a second goes."""
    server = {"admin": f"unix:{folder}/admin", "listen":
              ["127.0.0.1:0", f"unix:{folder}/files"], "workers": "2"}
    return merged({"server": server, "limits": {"idle_timeout": "1s"}},
                  more or {})


@contextlib.contextmanager
def served(**more):
    """A gateway, and what starts others that take over from the one before.
    All of them have ended well in the end."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        gateways = [Gateway(sections(folder, more), folder=folder)]

        def takeover(**other):
            gateways.append(Gateway(sections(folder, merged(more, other)),
                                    folder=folder, words=["--takeover"]))
            gateways[-2].says("has taken over; requests may finish here")
            gateways[-1].says("took over from the gateway before")
            return gateways[-1]
        try:
            yield gateways[0], takeover
            gateways[-1].stop()
            for gateway in gateways:
                gateway.stopped = True
                equal("exit status", gateway.wait(), 0)
                gateway.clean()
        finally:
            for gateway in gateways:
                if gateway.process.poll() is None:
                    gateway.kill()


class Upload:
    """One that has begun, of which half is still to come."""

    def __init__(self, gateway, size=MIB, prefix="long"):
        before, self.rest, length = large_form(size, prefix=prefix)
        self.size, self.wire = size, gateway.wire(timeout=60 * SLOWNESS)
        self.wire.send(head("POST", "/files", FORM,
                            f"Content-Length: {length}") + before)
        self.send(size // 2)

    def send(self, count):
        piece = bytes(64 * KIB)
        for at in range(0, count, len(piece)):
            self.wire.send(piece[:min(len(piece), count - at)])

    def ends(self):
        self.send(self.size - self.size // 2)
        self.wire.send(self.rest)
        answer = self.wire.answer()
        self.wire.close()
        equal("the upload in flight", (answer.status, answer.error),
              (201, None))
        return answer.json["key"]


def pid_of_taker(folder):
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = Path(entry, "cmdline").read_bytes().split(b"\0")
            if b"--takeover" in words and f"{folder}/sluice.yaml".encode() in \
                    words:
                return int(entry.name)
    return None


@contextlib.contextmanager
def manager(folder, **environment):
    """Somebody at NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"{folder}/notify")
        heard.settimeout(PATIENCE)
        yield heard, {"NOTIFY_SOCKET": f"{folder}/notify", **environment}


def hears(heard, *wanted):
    """Skips what else is said; the rest of each that matches."""
    found, until = [], time.monotonic() + PATIENCE
    for want in wanted:
        while not (match := re.fullmatch(want, heard.recv(256).decode())):
            expect(time.monotonic() < until, f"nobody said {want}")
        found.append(match)
    return found


class Between:
    """Stands at the socket for operators, before the gateway there, and
    passes on what it and one that takes over say, with the descriptors.
    `at(who, kind)` is called before each message goes on, and tells whether
    it does."""

    def __init__(self, folder, at):
        self.path, self.real = Path(folder, "admin"), Path(folder, "real")
        self.at = at
        os.rename(self.path, self.real)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(PATIENCE)

    def _run(self):
        new, _ = self.listener.accept()
        with new, socket.socket(socket.AF_UNIX) as old:
            goes = self.at("new", "asks")
            if not goes or old.connect_ex(str(self.real)) != 0:
                return
            old.sendall(new.recv(4096))
            other = threading.Thread(target=self._pass,
                                     args=("new", new, old), daemon=True)
            other.start()
            self._pass("old", old, new)
            other.join(PATIENCE)

    def _pass(self, who, source, to):
        with contextlib.suppress(OSError):
            while True:
                data, rights, _, _ = source.recvmsg(RECORD, 65536)
                if not data:
                    break
                fds = array.array("i")
                for _, _, part in rights:
                    fds.frombytes(part)
                goes = self.at(who,
                               KINDS[int.from_bytes(data[4:8], "little")])
                more = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
                if goes:
                    to.sendmsg([data], more if fds else [])
                for fd in fds:
                    os.close(fd)
                if not goes:
                    break
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_RDWR)


class Client(threading.Thread):
    """Uploads, replaces, downloads and deletes, on connections that it keeps,
    and compares all answers with what it remembers."""

    def __init__(self, url, name, over):
        super().__init__()
        self.url, self.name_, self.over = url, name, over
        self.model, self.failure, self.count = {}, None, 0

    def body(self):
        size = (10, 20 * KIB)[self.count % 2]
        return f"{self.name_} {self.count} ".encode() * (size // 10)

    def one(self, wire):
        self.count += 1
        data = self.body()
        answer = wire.ask("POST", "/files", FORM, body=form(
            field("prefix", self.name_), file(data)))
        equal("upload", (answer.status, answer.error), (201, None))
        key = answer.json["key"]
        self.model[key] = hashlib.md5(data).hexdigest()
        answer = wire.ask("GET", f"/files/download?key={key}")
        equal("download", (answer.status, answer.body == data), (200, True))
        if self.count % 3 == 0:
            gone = next(iter(self.model))
            answer = wire.ask("DELETE", "/files",
                              "Content-Type: application/json",
                              body=json.dumps({"key": gone}).encode())
            equal("delete", (answer.status, answer.error), (200, None))
            del self.model[gone]

    def run(self):
        try:
            with Keeping(self.url) as wire:
                while not self.over.is_set():
                    self.one(wire)
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure


class Keeping:
    """A connection that is kept until the gateway says that it closes it."""

    def __init__(self, url):
        self.url, self.wire = url, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.wire:
            self.wire.close()

    def ask(self, *words, **more):
        if self.wire is None:
            self.wire = Wire(self.url)
        answer = self.wire.ask(*words, **more)
        if (answer.header("connection") or "").lower() == "close":
            self.wire.close()
            self.wire = None
        return answer


def keys_below(gateway, prefix):
    """All of them, page by page."""
    found, more = {}, {}
    while True:
        page = gateway.list(prefix, **more)
        found.update({one["key"]: one["etag"] for one in page["objects"]})
        if not page["truncated"]:
            return found
        more = {"cursor": page["next_cursor"]}


def agrees(gateway, clients):
    """The objects that are there are those that were acknowledged."""
    for client in clients:
        if client.failure:
            raise client.failure
        expect(client.count > 0, f"{client.name_} came to nothing")
        found = keys_below(gateway, client.name_)
        equal(f"objects of {client.name_}", found, client.model)


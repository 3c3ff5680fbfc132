# SPDX-License-Identifier: MIT
"""This is what the tests of the layer `cache` share: a gateway whose storage
is asked through the cache at /files and past it at /below, and a count of what
the storage was asked for."""
import re
import shutil
import socket
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
# pylint: disable=wrong-import-position
from kit import Gateway, equal, expect, quote, request  # noqa: E402

CALL = re.compile(r'sluice_backend_operations_total\{backend="main",'
                  r'call="(\w+)",result="\w+"\} (\d+)')


class Cached(Gateway):
    """`over` is what the cache stands on, `backends` are more of them; the
    other words are the cache's options."""

    def __init__(self, over="main", *, workers=2, backends=None, routes=(),
                 folder=None, env=None, **options):
        self.made = folder is None
        folder = folder or tempfile.mkdtemp(prefix="sluice-test-")
        try:
            super().__init__({
                "server": {"workers": str(workers), "admin": "127.0.0.1:0"},
                "backends": {
                    "cached": {"plugin": "cache", "over": over,
                               "directory": f"{folder}/cache", **options},
                    **(backends or {})},
                "routes": [{"mount": "/files", "backend": "cached"},
                           {"mount": "/below", "backend": over}, *routes],
            }, folder=folder, env=env)
        except BaseException:
            if self.made:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        self.own = self.made

    @property
    def place(self):
        """The folder of the cache."""
        return Path(self.folder, "cache")

    def entries(self):
        return sorted(self.place.glob("objects/??/*"))

    def used(self):
        """Bytes of disk, as the layer counts them."""
        files = [*self.entries(), *self.place.glob("new/*")]
        return sum((size + 4095) // 4096 * 4096 for size in map(size_of,
                                                                files))

    def calls(self, call):
        """Operations of that kind that the storage has ended."""
        self.says(r"metrics are at http")
        line = [one for one in self.lines if "metrics are at" in one][0]
        host, port = re.search(r"http://(\S+):(\d+)/", line).groups()
        with socket.create_connection((host, int(port)), timeout=60) as wire:
            wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            text = b""
            while piece := wire.recv(1 << 16):
                text += piece
        return sum(int(number) for word, number in
                   CALL.findall(text.decode()) if word == call)

    def put(self, key, data, mount="/files", *lines):
        equal("put", self.ask("PUT", at(key, mount), *lines,
                              body=data).status // 100, 2)

    def get(self, key, *lines, mount="/files"):
        return self.ask("GET", at(key, mount), *lines)

    def body(self, key, *lines, mount="/files"):
        """The bytes, or the status of an answer without them."""
        answer = self.get(key, *lines, mount=mount)
        return answer.body if answer.status in (200, 206) else answer.status


def size_of(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def at(key, mount="/files"):
    return f"{mount}/object?key={quote(key, safe='')}"


def asks(wire, key, *lines):
    wire.send(request("GET", at(key), *lines))


def breaches(gate):
    return [line for line in gate.lines if "breaks the contract" in line]


def whole(gate, key, data):
    expect(gate.body(key) == data, f"other bytes of {key}")

# SPDX-License-Identifier: MIT
"""A gateway and its metrics, for tests of what is counted."""
import re
import socket

from kit import Gateway, eventually, expect, like

SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{(.*)\})? (-?[0-9.]+)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')


class Watched(Gateway):
    """A gateway with an admin listener; `more` as for Gateway."""

    def __init__(self, more=None, **options):
        more = dict(more or {})
        more["server"] = {"workers": "2", "admin": "127.0.0.1:0",
                          **more.get("server", {})}
        super().__init__(more, **options)
        self.says(r"metrics are at http")

    def place(self):
        found = [one[1] for line in self.lines if
                 (one := re.search(r"metrics are at http://(\S+)/metrics",
                                   line))]
        host, port = found[0].rsplit(":", 1)
        return host, int(port)

    def ask_admin(self, data):
        """All bytes of the answer to these; the connection ends after it."""
        with socket.create_connection(self.place(), timeout=60) as wire:
            wire.sendall(data)
            got = b""
            while piece := wire.recv(65536):
                got += piece
        return got.decode()

    def page(self):
        answer = self.ask_admin(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        top, _, body = answer.partition("\r\n\r\n")
        like("head", top, r"HTTP/1.1 200 OK\r\n")
        like("length", top, rf"Content-Length: {len(body)}\r\n")
        return body

    def samples(self):
        """{(name, ((label, value), ...)): number}"""
        found = {}
        for line in self.page().splitlines():
            if line.startswith("#"):
                continue
            one = SAMPLE.match(line)
            expect(one, f"a sample: {line}")
            labels = tuple(LABEL.findall(one[2] or ""))
            expect((one[1], labels) not in found, f"once: {line}")
            found[one[1], labels] = float(one[3])
        return found

    def value(self, name, **labels):
        return self.samples()[name, tuple(labels.items())]

    def becomes(self, want, name, **labels):
        """A request is counted once all of it is over, which a client may see
        a moment before."""
        eventually(f"{name} {labels} of {want}",
                   lambda: self.value(name, **labels) == want)

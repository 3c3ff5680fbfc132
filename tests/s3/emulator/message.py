# SPDX-License-Identifier: MIT
"""HTTP/1.1 on a socket.  Requests keep their raw target, as signatures are
checked on what was sent; responses are written by the byte, so that faults
can cut, change or slow them down anywhere."""
import re
import socket
import struct
from email.utils import formatdate
from urllib.parse import unquote_to_bytes

from .errors import Broken

HEAD_MAX = 64 << 10
MORE = 1 << 60  # the length of a body that doesn't say it
PIECE = 256 << 10

REASONS = {
    100: "Continue", 200: "OK", 204: "No Content", 206: "Partial Content",
    301: "Moved Permanently", 304: "Not Modified",
    307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 411: "Length Required", 412: "Precondition Failed",
    416: "Requested Range Not Satisfiable", 429: "Too Many Requests",
    500: "Internal Server Error", 501: "Not Implemented",
    503: "Service Unavailable"}


class Request:
    """A request's head.  Header names are lower-case, values Latin-1, which
    keeps every byte."""

    def __init__(self, line, headers):
        self.line, self.headers = line, headers
        self.method, self.target, self.version = line.split(" ")
        self.raw_path, _, self.raw_query = self.target.partition("?")
        self.path = decoded(self.raw_path)
        self.query = dict(query_pairs(self.raw_query))

    def values(self, name):
        return [value for key, value in self.headers if key == name]

    def header(self, name, default=None):
        values = self.values(name)
        return ",".join(values) if values else default


def decoded(raw):
    return unquote_to_bytes(raw.encode("latin-1")).decode(
        "utf-8", "surrogateescape")


def query_pairs(raw):
    """Names and values; '+' is a space, as a form would have it."""
    for piece in filter(None, raw.split("&")):
        name, _, value = piece.replace("+", "%20").partition("=")
        yield decoded(name), decoded(value)


def parse_head(data):
    lines = data.decode("latin-1").split("\r\n")
    if not re.fullmatch(r"[A-Z]+ [!-\xff]+ HTTP/1\.[01]", lines[0]):
        raise Broken(f"request line: {lines[0]!r}")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+",
                                         name):
            raise Broken(f"header line: {line!r}")
        headers.append((name.lower(), value.strip(" \t")))
    return Request(lines[0], headers)


class Wire:
    """One connection: heads and bytes in, bytes out."""

    def __init__(self, sock):
        self.socket, self.input = sock, b""

    def head(self):
        """The next request; None at the connection's orderly end."""
        while b"\r\n\r\n" not in self.input:
            if len(self.input) > HEAD_MAX:
                raise Broken("a head of more than 64 KiB")
            more = self.receive()
            if not more:
                return None
            self.input += more
        data, self.input = self.input.split(b"\r\n\r\n", 1)
        return parse_head(data.lstrip(b"\r\n"))

    def receive(self):
        try:
            return self.socket.recv(PIECE)
        except OSError:
            return b""

    def read(self, most):
        """Between 1 and `most` bytes of a body."""
        if not self.input:
            self.input = self.receive()
            if not self.input:
                raise Broken("the client ended its body early")
        data, self.input = self.input[:most], self.input[most:]
        return data

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Broken(f"the client is gone: {error}") from None

    def reset(self):
        """Ends the connection by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))

    def linger(self):
        """FIN, then what the client still sends is thrown away for a while:
        closing at once would answer it by RST, and the RST would overtake
        the answer."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.settimeout(2)
            for _ in range(4096):
                if not self.socket.recv(PIECE):
                    break
        except OSError:
            pass


class Chunks:
    """A chunked body as a wire that gives its bytes."""

    def __init__(self, wire):
        self.wire, self.left, self.ended = wire, 0, False

    def line(self):
        while b"\r\n" not in self.wire.input:
            more = self.wire.receive()
            if not more or len(self.wire.input) > HEAD_MAX:
                raise Broken("a chunked body ended early")
            self.wire.input += more
        line, self.wire.input = self.wire.input.split(b"\r\n", 1)
        return line

    def read(self, most):
        if not self.left and not self.ended:
            size = self.line().partition(b";")[0]
            if not re.fullmatch(b"[0-9a-fA-F]{1,15}", size):
                raise Broken(f"head of a chunk: {size!r}")
            self.left = int(size, 16)
            if not self.left:
                self.ended = True
                while self.line():
                    pass
        if self.ended:
            return b""
        data = self.wire.read(min(most, self.left))
        self.left -= len(data)
        if not self.left and self.line():
            raise Broken("no CRLF after a chunk")
        return data


class Body:
    """A request's body.  The first read asks for it, when the client waits
    to be asked.  While a chunked one isn't over, its length is unknown and
    `left` is only "more"."""

    def __init__(self, wire, request, never_ask=False):
        self.wire, self.request = wire, request
        self.chunked = request.header("transfer-encoding") is not None
        self.length = int(request.header("content-length") or 0)
        if self.chunked:
            self.wire, self.length = Chunks(wire), MORE
        self.socket_wire = wire
        self.left, self.begun = self.length, False
        self.waits = "100-continue" in request.header("expect", "").lower()
        self.never_ask = never_ask
        self.trap = None  # (offset, what happens there)

    def read(self, most=PIECE):
        if not self.left:
            return b""
        most = min(most, self.spring())
        if self.waits and not self.begun and not self.never_ask:
            self.socket_wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.begun = True
        data = self.wire.read(min(most, self.left))
        self.left -= len(data)
        if not data:
            self.length, self.left = self.length - self.left, 0
        return data

    def over(self):
        """Whether only the end of a chunked body is left."""
        try:
            return not self.read()
        except Broken:
            return False

    def spring(self):
        """How far it is to the trap, which is sprung when one is there."""
        if not self.trap:
            return PIECE
        left = self.trap[0] - (self.length - self.left)
        if left <= 0:
            (_, happens), self.trap = self.trap, None
            happens()
            return PIECE
        return left

    def drain(self, most):
        """Reads what is left if that is at most `most` bytes; whether the
        connection can go on."""
        if self.waits and not self.begun:
            return not self.left
        if self.chunked:
            return not self.left or self.over()
        if self.left > most:
            return False
        while self.left:
            self.read()
        return True


class Response:
    """`body`: bytes, or an iterable of bytes whose sum is `length`; None, set
    later: the head doesn't say it."""

    def __init__(self, status, headers=None, body=b"", length=None,
                 close=False):
        self.status, self.body, self.close = status, body, close
        self.headers = list(headers.items() if isinstance(headers, dict)
                            else headers or [])
        self.length = len(body) if length is None else length

    def pieces(self):
        return [self.body] if isinstance(self.body, bytes) else self.body

    def head(self, now):
        lines = [f"HTTP/1.1 {self.status} "
                 f"{REASONS.get(self.status, 'Unknown')}",
                 f"Date: {formatdate(now, usegmt=True)}",
                 *(f"{name}: {value}" for name, value in self.headers)]
        if self.status not in (204, 304) and self.length is not None:
            lines.append(f"Content-Length: {self.length}")
        if self.close:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

# SPDX-License-Identifier: MIT
"""Requests of HTTP/2 that a front turns into such of HTTP/1.1: what a client
may write into frames, but no head of HTTP/1.1 can hold, or what says of a body
other than its frames do.

The frames are made here, byte by byte, as no library sends what it shouldn't.
Fields are literals without an index (RFC 7541, section 6.2.2).  Of answers
only the bodies are looked at, in which the gateway says the request's id."""
import asyncio
import random
import re
from dataclasses import dataclass, field

from wire import Sent, address, each_of

DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK, PADDED = 1, 4, 1, 8
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


# ---- frames ----------------------------------------------------------------

def frame(kind, flags, stream, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) +
            stream.to_bytes(4, "big") + payload)


def number(value, bits):
    """RFC 7541, section 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    out, value = bytes([most]), value - most
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def block(fields):
    return b"".join(b"\x00" + number(len(name), 7) + name +
                    number(len(value), 7) + value for name, value in fields)


@dataclass
class Request:
    """Fields in the order of the frame; pieces of a body, None where the
    fields end it; trailers, or None."""
    fields: list
    pieces: list | None = None
    trailers: list | None = None

    def frames(self, stream):
        last = END_STREAM if self.pieces is None else 0
        out = frame(HEADERS, END_HEADERS | last, stream, block(self.fields))
        pieces = self.pieces or []
        for at, piece in enumerate(pieces):
            end = at == len(pieces) - 1 and self.trailers is None
            out += frame(DATA, END_STREAM if end else 0, stream, piece)
        if self.trailers is not None:
            out += frame(HEADERS, END_HEADERS | END_STREAM, stream,
                         block(self.trailers))
        return out


@dataclass
class Connection:
    """A name, and the requests of one connection."""
    name: str
    requests: list
    source: str = ""
    data: bytes = field(default=b"", repr=False)

    def __post_init__(self):
        self.data = b"".join(it.frames(2 * at + 1)
                             for at, it in enumerate(self.requests))


# ---- the known ones --------------------------------------------------------

SEQUEL = "HTTP/2: The Sequel is Always Worse, "
H2 = "RFC 9113, section "


def usual(place, key, method=b"PUT"):
    return [(b":method", method), (b":scheme", b"https"),
            (b":authority", place.host), (b":path", place.target(key))]


def changed(fields, name, value):
    return [(one, value if one == name else old) for one, old in fields]


def rows(place, key):
    """Name, source, more fields or a change of one, pieces, trailers."""
    hidden = place.smuggled()
    crlf = b"\r\n\r\n" + hidden
    chunked = b"0\r\n\r\n" + hidden
    target, host = place.target(key), place.host
    injected = [b"b\r\nTransfer-Encoding: chunked", b"b\r\nContent-Length: 0",
                b"b" + crlf, b"b\n\n" + hidden, b"b\rc", b"b\nX-B: c",
                b"b\x00c", b" b", b"b ", b"\tb", b"b\x7f", b"\xff", b""]
    for value in injected:
        yield ("a value", SEQUEL + "H2.X; " + H2 + "8.2.1",
               [(b"x-a", value)], [hidden], None)
    for name in (b"x-a: b\r\ntransfer-encoding", b"transfer-encoding: chunked"
                 b"\r\nx-a", b"x a", b"x:a", b"X-A", b"", b"x\x00a", b"x-\xff",
                 b"content-length ", b" content-length", b"content_length",
                 b"transfer-encoding ", b"Transfer-Encoding", b":x",
                 b":status", b"x-a" + crlf):
        yield (f"a name {name[:18]!r}", SEQUEL + "header name injection; " +
               H2 + "8.2.1", [(name, b"chunked")], [chunked], None)
    for value in (b"chunked", b"identity", b"x", b"chunked, x"):
        yield ("H2.TE", SEQUEL + "H2.TE; " + H2 + "8.2.2",
               [(b"transfer-encoding", value)], [chunked], None)
    for value in (b"0", b"1", b"100000", b"-1", b"+5", b"5, 5", b"05", b"0x5",
                  b"5 ", b"", b"18446744073709551621", b"5\r\nX-A: b"):
        yield (f"H2.CL {value[:12]!r}", SEQUEL + "H2.CL; " + H2 + "8.1.1",
               [(b"content-length", value)], [hidden], None)
        yield (f"H2.CL {value[:12]!r}, five bytes", H2 + "8.1.1",
               [(b"content-length", value)], [b"hello"], None)
    for value in (b"5", b"0", b"x"):
        yield ("a length without a body", H2 + "8.1.1",
               [(b"content-length", value)], None, None)
    yield ("two lengths", H2 + "8.1.1", [(b"content-length", b"5"),
                                        (b"content-length", b"0")],
           [b"hello"], None)
    for name, value in ((b"connection", b"close"), (b"connection",
                        b"x-forwarded-for"), (b"connection",
                        b"content-length"), (b"keep-alive", b"300"),
                        (b"proxy-connection", b"close"), (b"upgrade", b"h2c"),
                        (b"te", b"trailers"), (b"te", b"chunked"),
                        (b"expect", b"100-continue"), (b"expect", b"x"),
                        (b"host", host), (b"host", b"other.test"),
                        (b"host", b"a\r\nX-A: b"), (b"trailer", b"x-a"),
                        (b"x-http-method-override", b"DELETE")):
        yield (f"field {name.decode()}", H2 + "8.2.2", [(name, value)],
               [b"hello"], None)
    changes = [(b":method", value) for value in
               (b"PUT %s HTTP/1.1\r\nX-A: b" % target, b"PUT\r\nX-A: b", b"",
                b"PU T", b"put", b"GET", b"HEAD", b"OPTIONS", b"TRACE",
                b"CONNECT", b"PUT\x00")]
    changes += [(b":path", value) for value in
                (target + b" HTTP/1.1\r\nX-A: b" + crlf, target + b" a",
                 target + b"\r\nX-A: b", target + b"\n", b"", b"*", b"store",
                 b"http://other.test" + target, target + b"#a",
                 target + b"\x00", target + b"\xff", target + b"\tHTTP/1.1",
                 b"//other.test" + target)]
    changes += [(b":authority", value) for value in
                (b"", b"a\r\nX-A: b", host + b"\r\n\r\n" + hidden, b"a b",
                 b"u@" + host, b"other.test", host + b"/a", host + b"\x00")]
    changes += [(b":scheme", value) for value in
                (b"http", b"x", b"", b"https://a/ HTTP/1.1\r\nX-A: b\r\n")]
    for name, value in changes:
        yield (f"{name.decode()} {value[:14]!r}", SEQUEL + "request line "
               "injection; " + H2 + "8.3.1", {name: value}, [b"hello"], None)
    for trailer in ((b"content-length", b"0"), (b"transfer-encoding",
                    b"chunked"), (b"x-a", b"b" + crlf), (b":path", b"/"),
                    (b"host", b"other.test"), (b"x-a", b"b"),
                    (b"x-forwarded-for", b"192.0.2.1")):
        yield (f"trailer {trailer[0].decode()}", H2 + "8.1", [], [b"hello"],
               [trailer])
    yield ("chunks in frames", H2 + "8.1", [], [b"5\r\nhello\r\n", chunked],
           None)
    yield ("a request in frames", SEQUEL + "H2.0", [], [hidden], None)
    yield ("an empty frame", H2 + "6.1", [], [b"", b"", hidden], None)
    yield ("a pseudo field twice", H2 + "8.3", [(b":path", b"/")], [b"a"],
           None)
    yield ("a pseudo field late", H2 + "8.3", [(b"x-a", b"b"),
                                              (b":method", b"GET")], [b"a"],
           None)


def table(place):
    out = []
    for at in range(len(list(rows(place, b"")))):
        key = b"hc%d" % at
        name, source, more, pieces, trailers = list(rows(place, key))[at]
        fields = usual(place, key)
        if isinstance(more, dict):
            (change,) = more.items()
            fields = changed(fields, *change)
        else:
            fields += more
        out.append(Connection(name, [Request(fields, pieces, trailers),
                                   marker(place, key)], source))
    return out


def marker(place, name):
    return Request(usual(place, b"last-" + name, b"GET"))


def made(seed, place):
    """Of the rows' parts some two or three together."""
    dice = random.Random(seed)
    requests = []
    for at in range(dice.choice((1, 1, 2, 3))):
        key = b"h%d-%d" % (seed, at)
        parts = list(rows(place, key))
        fields, pieces, trailers = usual(place, key), None, None
        for _, _, more, one, other in dice.sample(parts, dice.choice(
                (1, 1, 2, 3))):
            if isinstance(more, dict):
                (change,) = more.items()
                fields = changed(fields, *change)
            else:
                fields = fields + more
            pieces = dice.choice((pieces, one))
            trailers = dice.choice((trailers, other))
        if pieces and dice.random() < 0.3:
            fields.append((b"content-length", b"%d" %
                           sum(map(len, pieces))))
        if trailers and not pieces:
            pieces = [b"hello"]
        requests.append(Request(fields, pieces, trailers))
    return Connection(f"seed {seed}", [*requests,
                                     marker(place, b"h%d" % seed)])


# ---- a connection ----------------------------------------------------------

FRAME = 9        # bytes of a frame's head
FIRST = 1 << 20  # of addresses, as those below were HTTP/1.1's


class Reading:
    """A server's frames: its answers' bodies, which streams are still open,
    and whether it gave one of them up."""

    def __init__(self, streams):
        self.input, self.bodies, self.open = b"", {}, set(streams)
        self.answers, self.broken = 0, False

    def take(self, data):
        """The frames that have to be answered."""
        self.input += data
        answers = b""
        while len(self.input) >= FRAME:
            size = int.from_bytes(self.input[:3], "big")
            if len(self.input) < FRAME + size:
                break
            kind, flags = self.input[3], self.input[4]
            stream = int.from_bytes(self.input[5:9], "big") & 0x7fffffff
            payload = self.input[FRAME:FRAME + size]
            self.input = self.input[FRAME + size:]
            answers += self.heed(kind, flags, stream, payload)
        return answers

    def heed(self, kind, flags, stream, payload):
        if kind == DATA:
            if flags & PADDED:
                payload = payload[1:len(payload) - payload[0]]
            self.bodies[stream] = self.bodies.get(stream, b"") + payload
        if kind in (SETTINGS, PING) and not flags & ACK:
            return frame(kind, ACK, 0, payload if kind == PING else b"")
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.answers += stream in self.open
            self.open.discard(stream)
        if kind == RESET:
            self.open.discard(stream)
        if kind == RESET and int.from_bytes(payload[:4], "big"):
            self.broken = True
        if kind == GOAWAY:
            last = int.from_bytes(payload[:4], "big") & 0x7fffffff
            self.open = {one for one in self.open if one <= last}
            self.broken = True
        return b""


async def converse(front, connection, source, quiet):
    """The answers' bodies; whether all streams came to their end."""
    sent = Sent()
    reading = Reading(2 * at + 1 for at in range(len(connection.requests)))
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", front.port, local_addr=(source, 0), ssl=front.h2,
            server_hostname="localhost")
    except OSError:
        return sent
    try:
        writer.write(PREFACE + frame(SETTINGS, 0, 0) + connection.data)
        while reading.open:
            data = await asyncio.wait_for(reader.read(1 << 16), quiet)
            if not data:
                break
            writer.write(reading.take(data))
        sent.alone = not reading.open and not reading.broken
    except (OSError, TimeoutError):
        pass
    finally:
        writer.transport.abort()
    sent.answers = reading.answers
    sent.input = b"".join(reading.bodies[key] for key in
                          sorted(reading.bodies))
    return sent


def send_all(front, connections, quiet):
    async def one(at, connection):
        return await converse(front, connection, address(FIRST + at), quiet)
    return asyncio.run(each_of(connections, one))


KEY = re.compile(rb'\{"key": ?"([^"]*)"')

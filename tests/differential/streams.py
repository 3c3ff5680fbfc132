# SPDX-License-Identifier: MIT
"""Streams of bytes that a client might send on one connection: requests of
which one thing or two aren't as they should be, made of a seed.  The last one
of each stream is in order, its *marker*, so that whether somebody sees it
tells where he thinks that the one before it ends.

A stream is made for a place: where the object API is, and for which host.
"""
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    host: bytes = b"gateway.test"
    prefix: bytes = b""

    def target(self, key):
        return self.prefix + b"/files/object?key=" + key

    def smuggled(self):
        """A request only to those who see one in a body."""
        return (b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" %
                (self.target(b"smuggled"), self.host))

    def marker(self, name):
        return (b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" %
                (self.target(b"last-" + name), self.host))


@dataclass
class Stream:
    name: str
    data: bytes
    source: str = ""   # what the row of the table stands on


# ---- words that are wrong in one way each ----------------------------------

LENGTHS = (
    b"%d", b"+%d", b"-%d", b"0%d", b"000000000000000000000%d", b"%d ", b"%d\t",
    b"%d,%d", b"%d, %d", b"%d, 0", b"0, %d", b"%d,", b",%d", b"%x", b"0x%x",
    b"0%o", b"%d.0", b"%de0", b"%d;a=b", b"%d a", b'"%d"', b"\x0b%d",
    b"%d\x0c", b"%d\x00", b"\xd9\xa1%d", b"1_%d", b"%d_0", b"",
    b"18446744073709551616", b"18446744073709551621", b"9223372036854775808",
    b"4294967296", b"99999999999999999999999", b"%d\r\n\t", b"\r\n %d",
    b"%d\n", b"%d\r")
LENGTH_NAMES = (
    b"Content-Length", b"content-length", b"CONTENT-LENGTH",
    b"Content-Length ", b"Content-Length\t", b" Content-Length",
    b"\tContent-Length", b"Content_Length", b"Content-Length\x00",
    b"\x00Content-Length", b"Content-Length\x0b", b"Content\xadLength",
    b"X-A: b\nContent-Length", b"X-A: b\rContent-Length",
    b"Content-\r\n Length", b"\xefContent-Length")
CODINGS = (
    b"chunked", b"Chunked", b"CHUNKED", b"chunked ", b"\tchunked",
    b"\x0bchunked", b"chunked\x0c", b"\x0cchunked", b"xchunked", b"chunkedx",
    b"chunk", b"chunked, identity", b"identity, chunked", b"identity",
    b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b'"chunked"',
    b"'chunked'", b"chunked;q=1", b"chunked; a=b", b"", b"chunked,",
    b",chunked", b", chunked", b"chunked\x00", b"\x00chunked", b"\r\n chunked",
    b"x\r\n\tchunked", b"chunked\r\n ", b"chu\r\n nked", b"ch\xfdnked",
    b"chunked\xa0", b"\xc2\xa0chunked", b"trailers", b"chunked trailers",
    b"chunked\rx", b"x\nchunked", b"deflate", b"c hunked",
    "chun\u212aed".encode())
CODING_NAMES = (
    b"Transfer-Encoding", b"transfer-encoding", b"TRANSFER-ENCODING",
    b"Transfer-Encoding ", b"Transfer-Encoding\t", b" Transfer-Encoding",
    b"\tTransfer-Encoding", b"Transfer_Encoding", b"Transfer-Encoding\x0b",
    b"Transfer-Encoding\x00", b"\x00Transfer-Encoding", b"Transfer Encoding",
    b"X-A: b\nTransfer-Encoding", b"X-A: b\rTransfer-Encoding",
    b"Transfer-\r\n Encoding", b"Transfer-Encodin\xc7", b"X-\xffA: b\r\n"
    b"Transfer-Encoding", b"TE")
SIZES = (
    b"%x", b"%X", b"0%x", b"00000000000000000000%x", b"+%x", b"-%x", b" %x",
    b"\t%x", b"%x ", b"%x\t", b"0x%x", b"%x;", b"%x;a", b"%x;a=b",
    b'%x;a="b;\\"c"', b"%x; a = b", b"%x ;a=b", b"%x;a\nb", b"%x;a\rb",
    b'%x;a="\r\n"', b"%x;a=\x00", b"%x,", b"%x g", b"%xg", b"%x_", b"1_%x",
    b"1000000000000000%x", b"10000000000000000%x", b"ffffffffffffffff",
    b"7fffffffffffffff", b"100000%02x", b"", b"%x\x00", b"%x\x0b", b"%x.0",
    b"%x;" + b"a" * 3000)
SIZE_ENDS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b" \r\n", b"\n\r\n", b"\rX",
             b"\r\n ")
DATA_ENDS = (b"\r\n", b"\n", b"", b"\r", b"XX", b"\r\r\n", b"\r\nX", b"X\r\n",
             b"\n\r", b"\r\n\r\n")
LASTS = (
    b"0\r\n\r\n", b"00000\r\n\r\n", b"0\r\n", b"0\n\n", b"0\r\n\n", b"0\n\r\n",
    b"0;a=b\r\n\r\n", b"-0\r\n\r\n", b"+0\r\n\r\n", b"0x0\r\n\r\n",
    b" 0\r\n\r\n", b"0 \r\n\r\n", b"0\r\n\rX", b"0\r\nXX", b"0\rX\r\n",
    b"0\r\nX-A: b\r\n\r\n", b"0\r\nX-A: b\n\n", b"0\r\nX-A: b\n\r\n",
    b"0\r\nX-A : b\r\n\r\n", b"0\r\n X-A: b\r\n\r\n", b"0\r\nX-A\r\n\r\n",
    b"0\r\n: b\r\n\r\n", b"0\r\nX-A: b\r\n c\r\n\r\n",
    b"0\r\nX-A: \x00\r\n\r\n",
    b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\nTransfer-Encoding: chunked\r\n"
    b"\r\n", b"0\r\nHost: other.test\r\n\r\n",
    b"0\r\nConnection: close\r\n\r\n",
    b"0\r\nX-A: b\rc: d\r\n\r\n", b"0\r\nExpect: 100-continue\r\n\r\n",
    b"0\r\n\r\n\r\n", b"\r\n0\r\n\r\n")
VERSIONS = (
    b"HTTP/1.0", b"", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.2", b"HTTP/1.10",
    b"HTTP/01.1", b"http/1.1", b"Http/1.1", b"HTTP/1.1 ", b"HTTP/1.1\t",
    b"HTTP /1.1", b"HTTP/1,1", b"HTTP/11", b"HTTP/1.", b"HTTP/.1",
    b"HTTPS/1.1",
    b"HTTP/1.1\x0b", b"HTTP/1.1\x00", b"ICE/1.0", b"HTTP/1.1 HTTP/1.0",
    b"HTTP/3", b"HTTP/1.9", b"HTTP/1.1X", b"HTTP/-1.1")
METHODS = (
    b"GET", b"HEAD", b"POST", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE",
    b"CONNECT", b"put", b"Put", b"PU T", b"PUT\x00", b"P\tUT", b"", b"PRI",
    b"M-SEARCH", b"(PUT)", b"PUT:", b"\xefPUT", b"PROPFIND", b"'PUT'",
    b"LONGLONGLONGLONG", b"LONGLONGLONGLONGX")
TARGETS = (
    b"http://%(host)s%(target)s", b"HTTP://%(host)s%(target)s",
    b"https://%(host)s%(target)s", b"http://other.test%(target)s",
    b"http://u@%(host)s%(target)s", b"http:/%(target)s", b"http://%(host)s",
    b"http://%(target)s", b"http://%(host)s?a", b"%(host)s:80", b"*",
    b"//other.test%(target)s", b"%(target)s#a", b"#%(target)s",
    b"%(target)s%%00", b"%(target)s\x00", b"%(target)s\x80", b"%(target)s\xff",
    b"%(target)s a", b"%(target)s\ta", b"%(target)s\x0ba", b" %(target)s",
    b"\t%(target)s", b"%(target)s ", b"\\%(target)s", b"/..%(target)s",
    b"/.%(target)s", b"%(target)s%%", b"%(target)s\"<>|^`{}", b"?a", b"",
    b"ftp://%(host)s%(target)s", b"%(target)s HTTP/1.1\r\nX-A:",
    b"%(target)s%%0d%%0aX-A:b", b"%(target)s;a", b"x%(target)s",
    b"%(target)s\x7f")
HOSTS = (
    None, b"Host: ", b"Host: %s\r\nHost: %s", b"Host: other.test\r\nHost: %s",
    b"Host: %s\r\nHost: other.test", b"Host: %s, other.test",
    b"Host: %s other",
    b"Host: %s/a", b"Host: %s?a", b"Host: %s#a", b"Host: u@%s", b"Host : %s",
    b" Host: %s", b"Host: %s\x00", b"Host:%s", b"Host:\t%s", b"Host: %s:",
    b"Host: %s:99999", b"Host: %s:x", b"Host:\r\n %s", b"host: %s",
    b"Host: [::1]", b"Host: [::1", b"Host: %s\\a", b"Host: %%00",
    b"Host: %s\xff", b"Host: other.test")
FIELDS = (
    b"Connection: close", b"Connection: keep-alive", b"Connection: close, "
    b"keep-alive", b"Connection: Content-Length", b"Connection: "
    b"Transfer-Encoding", b"Connection: Host", b"Connection: "
    b"X-Forwarded-For, X-Forwarded-Prefix", b"Connection: ,close,",
    b"Connection: clos\xe5", b"Connection:", b"Connection: a;b",
    b"Connection: keep-alive\r\nConnection: close",
    b"Proxy-Connection: keep-alive", b"Keep-Alive: 300",
    b"Expect: 100-continue", b"Expect: 100-Continue", b"Expect: x",
    b"Expect: 100-continue, x", b"Expect:", b"Expect: 100-continue\r\n"
    b"Expect: 100-continue", b"Expect : 100-continue", b"X-A: b\x00c",
    b"X-A: b\x07c", b"X-A: b\x7f", b"X-A : b", b"X-A\t: b", b"X\x80A: b",
    b"X-A: \xff", b"(X-A): b", b": b", b"X-A", b"", b"X-A:b\rX-B: c",
    b"X-A: b\n c", b"X-A: b\r\n c", b"X-A: b\r\n\tc", b"X-A: b\r\n ",
    b"X-A:", b"X-A:\x0bb", b"X\x00A: b", b"X A: b", b"X-A: b\nX-B: c",
    b"TE: trailers", b"TE: trailers, chunked", b"Trailer: X-A",
    b"Trailer: Content-Length", b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
    b"\r\nConnection: Upgrade, HTTP2-Settings", b"Upgrade: websocket\r\n"
    b"Connection: Upgrade", b"Upgrade: TLS/1.0\r\nConnection: Upgrade",
    b"Max-Forwards: 0", b"Content-Encoding: gzip", b"Content-Range: bytes "
    b"0-1/5", b"Range: bytes=0-1", b"X-HTTP-Method-Override: DELETE",
    b"Content-Type: text/plain\r\nContent-Type: a/b",
    b"X-Long: " + b"a" * 9000, b"X-A: b\r\n" * 101 + b"X-A: b")
LINE_ENDS = (b"\n", b"\r", b"\r\r\n", b"\r\n\x00", b" \r\n", b"\x0b\r\n",
             b"\n\r")
HEAD_ENDS = (b"\r\n\r\n", b"\n\n", b"\r\n\n", b"\n\r\n", b"\r\n \r\n",
             b"\r\n\t\r\n\r\n", b"\r\n\r\r\n", b"\r\n\x00\r\n", b"\r\n\r",
             b"\r\r\n\r\n", b"\r\n \r\n\r\n")
BEFORE = (b"\r\n", b"\r\n\r\n", b"\n", b" ", b"\x00", b"\r", b"\t", b"\n\n\n",
          b" \r\n", b"\xef\xbb\xbf")


# ---- a request of these ----------------------------------------------------

def sized(form, count):
    """A number as `form` writes it, which may want none, or two."""
    return form % ((count,) * (form.count(b"%") - 2 * form.count(b"%%")))


class Maker:
    """One stream's requests, and the dice they are thrown with."""

    def __init__(self, seed, place):
        self.dice, self.place = random.Random(seed), place
        self.name = b"%d" % seed

    def odd(self, kind):
        return kind in self.ways

    def one(self, words, kind, usual):
        return self.dice.choice(words) if self.odd(kind) else usual

    def body(self):
        return self.dice.choice((
            b"", b"hello", b"\r\n", self.place.smuggled(),
            b"0\r\n\r\n" + self.place.smuggled(),
            b"\r\n" + self.place.smuggled(), b"x" * 300))

    def chunks(self, data):
        pieces = [data]
        if len(data) > 1 and self.dice.random() < 0.4:
            cut = self.dice.randrange(1, len(data))
            pieces = [data[:cut], data[cut:]]
        spoilt = self.dice.randrange(len(pieces))
        out = b""
        for at, piece in enumerate(pieces if data else []):
            here = at == spoilt
            size = self.one(SIZES, "size", b"%x") if here else b"%x"
            out += sized(size, len(piece))
            out += (self.one(SIZE_ENDS, "size end", b"\r\n") if here
                    else b"\r\n")
            out += piece
            out += (self.one(DATA_ENDS, "data end", b"\r\n") if here
                    else b"\r\n")
        return out + self.one(LASTS, "last", b"0\r\n\r\n")

    def lengths(self, data):
        """The lines of a body with a length."""
        count = len(data)
        if self.odd("off"):
            count = max(0, count + self.dice.choice((-5, -1, 1, 5, 40)))
        line = b"%s: %s" % (
            self.one(LENGTH_NAMES, "length name", b"Content-Length"),
            sized(self.one(LENGTHS, "length", b"%d"), count))
        if self.odd("twice"):
            other = self.dice.choice((count, count + 1, 0, 5))
            return [line, b"Content-Length: %d" % other]
        return [line]

    def codings(self):
        line = b"%s: %s" % (
            self.one(CODING_NAMES, "coding name", b"Transfer-Encoding"),
            self.one(CODINGS, "coding", b"chunked"))
        if self.odd("coded twice"):
            other = b"Transfer-Encoding: " + self.dice.choice(CODINGS)
            return self.dice.sample([line, other], 2)
        return [line]

    def framed(self):
        """Lines, and what follows the head."""
        data = self.body()
        chunked = self.odd("chunked") or self.dice.random() < 0.4
        if not chunked:
            return self.lengths(data), data
        sent = self.chunks(data)
        lines = self.codings()
        if self.odd("both"):
            count = self.dice.choice((0, len(data), len(sent), 5))
            more = [b"Content-Length: %d" % count]
            lines = self.dice.choice((lines + more, more + lines))
        if self.odd("none"):
            lines = []
        return lines, sent

    def head(self, key, lines):
        names = {b"host": self.place.host, b"target": self.place.target(key)}
        method = self.one(METHODS, "method", b"PUT")
        target = self.one(TARGETS, "target", b"%(target)s") % names
        version = self.one(VERSIONS, "version", b"HTTP/1.1")
        first = b" ".join([method, target] + ([version] if version else []))
        if self.odd("spaces"):
            first = first.replace(b" ", self.dice.choice(
                (b"  ", b"\t", b" \t", b"\x0b", b"\x0c", b"\xa0")), 1)
        host = self.one(HOSTS, "host", b"Host: %s")
        if host is not None:
            lines = [sized_host(host, self.place.host), *lines]
        if self.odd("field"):
            lines.insert(self.dice.randrange(len(lines) + 1),
                         self.dice.choice(FIELDS))
        lines = [first, *lines]
        ends = [b"\r\n"] * (len(lines) - 1) + [
            self.one(HEAD_ENDS, "head end", b"\r\n\r\n")]
        if self.odd("line end") and len(ends) > 1:
            ends[self.dice.randrange(len(ends) - 1)] = \
                self.dice.choice(LINE_ENDS)
        return b"".join(line + end for line, end in zip(lines, ends))

    def request(self, number):
        many = self.dice.choices((0, 1, 2, 3), (1, 6, 3, 1))[0]
        self.ways = set(self.dice.sample(WAYS, many))
        if self.ways & CHUNKED_WAYS:
            self.ways.add("chunked")
        key = b"d%s-%d" % (self.name, number)
        lines, sent = self.framed()
        return self.one(BEFORE, "before", b"") + self.head(key, lines) + sent

    def stream(self):
        many = self.dice.choices((1, 2, 3), (6, 3, 1))[0]
        data = b"".join(self.request(number) for number in range(many))
        return Stream(f"seed {self.name.decode()}",
                      data + self.place.marker(self.name))


WAYS = ("length", "length name", "off", "twice", "coding", "coding name",
        "coded twice", "both", "none", "size", "size end", "data end", "last",
        "version", "method", "target", "host", "field", "line end",
        "head end", "before", "spaces")
CHUNKED_WAYS = {"coding", "coding name", "coded twice", "both", "size",
                "size end", "data end", "last"}


def sized_host(form, host):
    return form % ((host,) * form.count(b"%s"))


def made(seed, place):
    return Maker(seed, place).stream()

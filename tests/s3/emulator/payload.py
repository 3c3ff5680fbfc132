# SPDX-License-Identifier: MIT
"""A request's body as the object's bytes: aws-chunked is taken apart, and
SHA-256, Content-MD5 and checksums are compared at its end, before anything
becomes visible."""
import base64
import binascii
import hashlib
import re
import zlib

from .access import STREAMING
from .errors import Broken
from .message import PIECE
from .signature import EMPTY, UNSIGNED

LINE_MAX = 16 << 10


class Crc32:
    def __init__(self):
        self.value = 0

    def update(self, data):
        self.value = zlib.crc32(data, self.value)

    def digest(self):
        return self.value.to_bytes(4, "big")


# CRC32C and CRC64NVME are taken unseen: Python has neither.
SUMS = {"x-amz-checksum-crc32": Crc32, "x-amz-checksum-sha1": hashlib.sha1,
        "x-amz-checksum-sha256": hashlib.sha256}


class Payload:
    def __init__(self, call):
        self.call, self.body = call, call.body
        self.kind = call.claim.payload
        self.chunked = self.kind in STREAMING
        self.md5, self.sha256 = hashlib.md5(), hashlib.sha256()
        self.want_md5 = self.read_md5()
        self.wanted = {name: value for name, value in call.request.headers
                       if name.startswith("x-amz-checksum-")}
        self.sums = {name: make() for name, make in SUMS.items()}
        self.trailers = {}
        self.size = self.body.length
        if self.chunked:
            length = call.header("x-amz-decoded-content-length", "")
            if not length.isdecimal():
                call.violate("G9.length", "x-amz-decoded-content-length")
            self.size = int(length or 0)

    def read_md5(self):
        value = self.call.header("content-md5")
        if value is None:
            return None
        try:
            digest = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) != 16:
            self.call.violate("G4.digest-form", value)
        return digest

    def pieces(self):
        for data in self.decoded() if self.chunked else self.plain():
            self.md5.update(data)
            if not self.chunked and self.kind != UNSIGNED:
                self.sha256.update(data)
            for name in self.sums:
                if name in self.wanted or self.chunked:
                    self.sums[name].update(data)
            yield data
        self.check()

    def whole(self):
        return b"".join(self.pieces())

    def plain(self):
        while data := self.body.read():
            yield data

    def check(self):
        call = self.call
        if not self.chunked and self.kind != UNSIGNED and \
                self.sha256.hexdigest() != self.kind:
            call.violate("G1.payload-hash", "", {
                "ClientComputedContentSHA256": self.kind,
                "S3ComputedContentSHA256": self.sha256.hexdigest()})
        if self.want_md5 is not None and \
                self.md5.digest() != self.want_md5:
            call.violate("G4.digest", "", {
                "ExpectedDigest": self.want_md5.hex(),
                "CalculatedDigest": self.md5.hexdigest()})
        for name, value in {**self.wanted, **self.trailers}.items():
            if name in self.sums and value != base64.b64encode(
                    self.sums[name].digest()).decode():
                call.violate("G4.checksum", name)

    # ---- aws-chunked

    def decoded(self):
        signed = "HMAC" in self.kind
        reader = Lines(self.body, self.call)
        before, total = self.call.claim.signature, 0
        while True:
            size, proof = reader.chunk_head(signed)
            chunk_hash, left = hashlib.sha256(), size
            while left:
                data = reader.take(min(left, PIECE))
                chunk_hash.update(data)
                left, total = left - len(data), total + len(data)
                yield data
            if signed:
                before = self.prove(before, chunk_hash.hexdigest(), proof)
            if not size:
                break
            reader.expect_end()
        self.read_trailers(reader, before if signed else None)
        if total != self.size:
            self.call.violate("G1.chunk", f"{total} bytes decoded, "
                              f"{self.size} promised")

    def prove(self, before, digest, proof):
        claim = self.call.claim
        want = claim.sign("\n".join([
            "AWS4-HMAC-SHA256-PAYLOAD", claim.stamp, claim.scope, before,
            EMPTY, digest]))
        if want != proof:
            self.call.violate("G1.chunk", "signature of a chunk")
        return want

    def read_trailers(self, reader, before):
        lines = []
        while line := reader.line():
            lines.append(line)
        proof = None
        for line in lines:
            name, _, value = line.partition(":")
            if name == "x-amz-trailer-signature":
                proof = value.strip()
            else:
                self.trailers[name.lower()] = value.strip()
        if before and self.kind.endswith("-TRAILER"):
            claim = self.call.claim
            text = "".join(f"{name}:{value}\n" for name, value
                           in sorted(self.trailers.items()))
            want = claim.sign("\n".join([
                "AWS4-HMAC-SHA256-TRAILER", claim.stamp, claim.scope,
                before, hashlib.sha256(text.encode()).hexdigest()]))
            if want != proof:
                self.call.violate("G1.chunk", "signature of the trailer")


class Lines:
    """Lines and bytes of a chunked body."""

    def __init__(self, body, call):
        self.body, self.call, self.input = body, call, b""

    def more(self):
        data = self.body.read()
        if not data:
            self.call.violate("G1.chunk", "the body ends early")
            raise Broken("an aws-chunked body ended early")
        self.input += data

    def line(self):
        while b"\r\n" not in self.input and len(self.input) < LINE_MAX:
            if not self.body.left and not self.input:
                return ""
            self.more()
        line, _, self.input = self.input.partition(b"\r\n")
        return line.decode("latin-1")

    def take(self, most):
        if not self.input:
            self.more()
        data, self.input = self.input[:most], self.input[most:]
        return data

    def expect_end(self):
        while len(self.input) < 2:
            self.more()
        if self.input[:2] != b"\r\n":
            self.call.violate("G1.chunk", "no CRLF after a chunk")
        self.input = self.input[2:]

    def chunk_head(self, signed):
        line = self.line()
        pattern = r"([0-9a-fA-F]{1,16})"
        if signed:
            pattern += ";chunk-signature=([0-9a-f]{64})"
        found = re.fullmatch(pattern, line)
        if not found:
            self.call.violate("G1.chunk", f"head of a chunk: {line[:80]!r}")
            return 0, ""
        return int(found[1], 16), found[2] if signed else ""

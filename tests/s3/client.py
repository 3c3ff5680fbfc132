# SPDX-License-Identifier: MIT
"""A small S3 client for tests.  It signs with the emulator's own idea of a
signature, so it proves nothing about that; what it is good for is sending
requests that a decent library would not send."""
import hashlib
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode

from .emulator.message import Request
from .emulator.signature import ALGORITHM, UNSIGNED, Claim, signing_key

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from kit import Wire, head  # noqa: E402 pylint: disable=wrong-import-position

STAMP = "%Y%m%dT%H%M%SZ"
LOCATION = (b"<CreateBucketConfiguration><LocationConstraint>%s"
            b"</LocationConstraint></CreateBucketConfiguration>")


def path_of(bucket, key=""):
    return "/" + quote(f"{bucket}/{key}" if key else bucket, safe="/-_.~")


class Client:
    def __init__(self, endpoint, region, access_key, secret_key, token="",
                 tls=None):
        self.endpoint, self.region, self.tls = endpoint, region, tls
        self.access_key, self.secret_key = access_key, secret_key
        self.token, self.service = token, "s3"
        self.host = endpoint.partition("://")[2]

    def wire(self, **options):
        return Wire(self.endpoint, tls=self.tls, **options)

    def claim(self, request, stamp, signed, payload):
        claim = Claim(f"{self.access_key}/{stamp[:8]}/{self.region}/"
                      f"{self.service}/aws4_request", ";".join(signed), "",
                      stamp)
        claim.payload = payload
        claim.key = signing_key(self.secret_key, claim.date, self.region,
                                self.service)
        return claim

    def signed(self, method, target, headers=None, body=b"", *, at=None,
               payload=None, leave=(), path=None):
        """The head's lines after Host.  `leave`: headers not to sign;
        `path`: the canonical path to sign instead of the right one."""
        stamp = time.strftime(STAMP, time.gmtime(at))
        payload = payload or hashlib.sha256(body).hexdigest()
        every = {"host": self.host, "x-amz-date": stamp,
                 "x-amz-content-sha256": payload, **(headers or {})}
        if self.token:
            every["x-amz-security-token"] = self.token
        every = {name.lower(): value for name, value in every.items()
                 if value is not None}
        request = Request(f"{method} {target} HTTP/1.1",
                          list(every.items()))
        names = sorted(name for name in every if name not in leave)
        claim = self.claim(request, stamp, names, payload)
        proof = claim.sign(claim.string_to_sign(
            claim.canonical(request, path)))
        del every["host"]
        lines = [f"{name}: {value}" for name, value in every.items()]
        return [*lines, f"Authorization: {ALGORITHM} Credential="
                f"{self.access_key}/{claim.scope}, SignedHeaders="
                f"{';'.join(names)}, Signature={proof}"]

    def presigned(self, method, path, expires=3600, *, at=None, query=None):
        """The target of a presigned URL."""
        stamp = time.strftime(STAMP, time.gmtime(at))
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        words = {**(query or {}), "X-Amz-Algorithm": ALGORITHM,
                 "X-Amz-Credential": f"{self.access_key}/{scope}",
                 "X-Amz-Date": stamp, "X-Amz-Expires": str(expires),
                 "X-Amz-SignedHeaders": "host"}
        if self.token:
            words["X-Amz-Security-Token"] = self.token
        target = path + "?" + urlencode(words, quote_via=quote, safe="-_.~")
        request = Request(f"{method} {target} HTTP/1.1",
                          [("host", self.host)])
        claim = self.claim(request, stamp, ["host"], UNSIGNED)
        proof = claim.sign(claim.string_to_sign(claim.canonical(request)))
        return f"{target}&X-Amz-Signature={proof}"

    # ---- requests on connections of their own

    def send(self, wire, method, target, headers=None, body=b"", **more):
        lines = self.signed(method, target, headers, body, **more)
        if body or method in ("PUT", "POST"):
            lines.append(f"Content-Length: {len(body)}")
        wire.send(self.head(method, target, *lines) + body)

    def head(self, method, target, *lines):
        """Values are Latin-1 here, so that any byte can be sent."""
        return head(method, target, *lines, host=self.host).decode().encode(
            "latin-1")

    def ask(self, method, target, headers=None, body=b"", **more):
        with self.wire() as wire:
            self.send(wire, method, target, headers, body, **more)
            return wire.answer(method)

    def plain(self, method, target, *lines, body=b""):
        """Without a signature in the head."""
        with self.wire() as wire:
            if body:
                lines = [*lines, f"Content-Length: {len(body)}"]
            wire.send(self.head(method, target, *lines) + body)
            return wire.answer(method)

    def create(self, bucket, location=""):
        body = LOCATION % location.encode() if location else b""
        return self.ask("PUT", path_of(bucket), body=body)

    def put(self, bucket, key, body=b"", headers=None, **more):
        return self.ask("PUT", path_of(bucket, key), headers, body, **more)

    def get(self, bucket, key, headers=None):
        return self.ask("GET", path_of(bucket, key), headers)

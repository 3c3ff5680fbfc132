# SPDX-License-Identifier: MIT
"""One request on its way through the emulator, and what it is told."""
import secrets
import threading
import time
from dataclasses import dataclass

from .dialect import DIALECTS, Variants
from .errors import S3Error, error_document
from .message import Response
from .rules import Book
from .store import Store
from . import table_global, table_providers

RULES = table_global.RULES + table_providers.RULES


@dataclass(frozen=True)
class Credential:
    """`scoped`: for objects only, and without the right to list buckets
    (R2's object tokens, B2's keys for one bucket, an AWS policy)."""
    access_key: str
    secret_key: str
    token: str = ""
    scoped: bool = False


CREDENTIALS = (
    Credential("EMULATORKEYFULL00001", "emulator/secret+full"),
    Credential("EMULATORKEYTOKEN0001", "emulator/secret+token",
               token="emulator//session+token=="),
    Credential("EMULATORKEYSCOPED001", "emulator/secret+scoped",
               scoped=True))


class Clock:
    """The server's time, which tests may move."""

    def __init__(self):
        self.offset = 0

    def now(self):
        return time.time() + self.offset


class State:
    """All that the requests share."""

    def __init__(self, dialect="aws", region=None, domain="localhost",
                 tls=False, without=(), variants=None):
        self.dialect = DIALECTS[dialect]
        self.region = self.dialect.region if region is None else region
        self.domain, self.tls = domain, tls
        self.book = Book(dialect, RULES, without)
        self.variants = Variants(self.dialect, variants or {})
        self.credentials = {one.access_key: one for one in CREDENTIALS}
        self.clock, self.store = Clock(), Store()
        self.secret = secrets.token_bytes(16)  # of continuation tokens
        self.stopping = threading.Event()
        self.writing = set()  # (bucket, key) of conditional PUTs under way


class Call:
    def __init__(self, state, request, body, connection):
        self.state, self.request, self.body = state, request, body
        self.connection = connection
        self.id = secrets.token_hex(8).upper()
        self.host_id = secrets.token_hex(24)
        self.bucket_name, self.key = None, ""
        self.claim, self.credential, self.payload = None, None, None
        self.key_error = None  # a step of the fault script

    @property
    def book(self):
        return self.state.book

    @property
    def dialect(self):
        return self.state.dialect

    @property
    def store(self):
        return self.state.store

    @property
    def query(self):
        return self.request.query

    def header(self, name, default=None):
        return self.request.header(name, default)

    def now(self):
        return self.state.clock.now()

    def note(self, name, detail=""):
        return self.book.note(name, self, detail)

    def violate(self, name, detail="", fields=None, headers=None, **words):
        """Records a rule that is in force and refuses as it says."""
        if not self.note(name, detail):
            return
        rule = self.book.rules[name]
        if rule.status:
            message = rule.message.format(**words) if words else rule.message
            raise S3Error(rule.status, rule.code, message or detail, fields,
                          headers)

    def bucket(self):
        """The bucket of this request, which must be there."""
        bucket = self.store.buckets.get(self.bucket_name)
        if not bucket:
            raise S3Error(404, "NoSuchBucket",
                          "The specified bucket does not exist",
                          {"BucketName": self.bucket_name})
        if bucket.owner == "somebody else":
            raise S3Error(403, "AccessDenied", "Access Denied")
        return bucket

    # ---- answers

    def common(self):
        headers = [("x-amz-request-id", self.id),
                   ("x-amz-id-2", self.host_id)]
        if self.dialect.server:
            headers.append(("Server", self.dialect.server))
        return headers

    def answer(self, status=200, headers=None, body=b"", length=None):
        headers = list(headers.items() if isinstance(headers, dict)
                       else headers or [])
        return Response(status, self.common() + headers, body, length)

    def xml(self, body, status=200, headers=None):
        return self.answer(status, [("Content-Type", "application/xml"),
                                    *(headers or [])], body)

    def failure(self, error):
        headers = self.common() + error.headers
        if error.status == 304 or self.request.method == "HEAD":
            self.note("G3.head-no-body")
            if self.note("MINIO.head-error"):
                headers += [("x-minio-error-code", error.code),
                            ("x-minio-error-desc", f'"{error.message}"')]
            return Response(error.status, headers, b"", close=error.close)
        xmlns = self.state.variants.choose("xmlns", "yes", "no") == "yes"
        if xmlns:
            self.note("G3.xmlns")
        if self.note("CEPH.no-message"):
            error.message = ""
        body = error_document(error, self.request.raw_path, self.id,
                              self.host_id, xmlns)
        headers.append(("Content-Type", "application/xml"))
        return Response(error.status, headers, body, close=error.close)

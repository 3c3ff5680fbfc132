# SPDX-License-Identifier: MIT
"""Buckets, objects and multipart uploads.  Bytes stand in memory when they
are few and in unlinked files when they are many; an object that was put
together from parts shares the parts' bytes."""
import bisect
import os
import secrets
import tempfile
import threading

MEMORY_MAX = 1 << 20
PIECE = 256 << 10


class Blob:
    """Bytes that don't change any more."""

    def __init__(self, data=b"", file=None, size=None):
        self.data, self.file = data, file
        self.size = len(data) if size is None else size

    def read(self, at, size):
        if self.file:
            return os.pread(self.file.fileno(), size, at)
        return self.data[at:at + size]

    def pieces(self, at=0, size=None):
        left = self.size - at if size is None else size
        while left:
            data = self.read(at, min(left, PIECE))
            at, left = at + len(data), left - len(data)
            yield data


def zeros(size):
    """A blob of so many zeros, which takes no room."""
    file = tempfile.TemporaryFile(prefix="emulator-")
    file.truncate(size)
    return Blob(b"", file, size)


class Slice:
    """Some bytes of a blob."""

    def __init__(self, blob, start, size):
        self.blob, self.start, self.size = blob, start, size

    def pieces(self, at=0, size=None):
        left = self.size - at if size is None else size
        yield from self.blob.pieces(self.start + at, left)


class Joined:
    """Blobs in a row."""

    def __init__(self, blobs):
        self.blobs, self.size = blobs, sum(blob.size for blob in blobs)

    def pieces(self, at=0, size=None):
        left = self.size - at if size is None else size
        for blob in self.blobs:
            if at >= blob.size:
                at -= blob.size
                continue
            here = min(left, blob.size - at)
            yield from blob.pieces(at, here)
            at, left = 0, left - here


class Sink:
    """Takes bytes and makes a Blob of them."""

    def __init__(self):
        self.data, self.file, self.size = [], None, 0

    def write(self, data):
        self.size += len(data)
        if self.file:
            self.file.write(data)
            return
        self.data.append(data)
        if self.size > MEMORY_MAX:
            self.file = tempfile.TemporaryFile(prefix="emulator-")
            self.file.writelines(self.data)
            self.data = []

    def blob(self):
        if self.file:
            self.file.flush()
        return Blob(b"".join(self.data), self.file, self.size)


class Object:
    """One version of an object; `headers` are those that a GET repeats,
    `metadata` what is under x-amz-meta-."""

    def __init__(self, key, blob, etag, modified, headers, metadata):
        self.key, self.blob, self.etag = key, blob, etag
        self.modified, self.headers = modified, headers
        self.metadata, self.version = metadata, secrets.token_hex(16)
        self.parts = []

    @property
    def size(self):
        return self.blob.size


class Marker:
    """The mark that a DELETE leaves where every version is kept."""

    def __init__(self, key, modified):
        self.key, self.modified = key, modified
        self.version = secrets.token_hex(16)


class Upload:
    def __init__(self, key, begun, headers, metadata):
        self.id = secrets.token_hex(24)
        self.key, self.begun = key, begun
        self.headers, self.metadata = headers, metadata
        self.parts = {}  # number: Object


def order(key):
    return key.encode("utf-8", "surrogateescape")


class Bucket:
    def __init__(self, name, owner, created, region):
        self.name, self.owner, self.created = name, owner, created
        self.region = region
        self.objects, self.uploads, self.versions = {}, {}, {}
        self.sorted = []  # (bytes of the key, key)

    def put(self, thing, keep):
        if thing.key not in self.objects:
            bisect.insort(self.sorted, (order(thing.key), thing.key))
        self.objects[thing.key] = thing
        if keep:
            self.versions.setdefault(thing.key, []).append(thing)

    def remove(self, key):
        if self.objects.pop(key, None):
            self.sorted.remove((order(key), key))

    def after(self, key):
        """The keys that follow `key` in byte order."""
        start = bisect.bisect_right(self.sorted, (order(key), key))
        return [name for _, name in self.sorted[start:]]


class Store:
    """All buckets.  Whoever looks or changes holds `lock`; bytes are read
    and written without it."""

    def __init__(self):
        self.buckets, self.lock = {}, threading.RLock()
        self.written = {}  # (bucket, key): when, for R2's limit

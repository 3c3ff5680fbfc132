#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sixty-four clients put one key and sixty-four read it, all the time.  Each
answer that is read holds one whole version, whose ETag is the one that its PUT
was told and whose length and digest are its own; and there is an order of all
that took place, in which each read sees what was put last.

    one_key.py [SECONDS [URL...]]   5 seconds if not said

Without a URL a gateway with four loops is started, over `local`; SLUICE is its
binary, SLUICE_PLUGINS the folders of plugins.  Several URLs are gateways over
one storage, which the clients share.  The exit status is 1 when something was
found.
"""
import contextlib
import hashlib
import http.client
import os
import random
import ssl
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "integration")]

# pylint: disable=wrong-import-position
from kit import BINARY, PATIENCE, Gateway  # noqa: E402
from oracle.register import Op, fault  # noqa: E402

CLIENTS = 64
SIZES = 24, 500, 5_000, 20_000, 100_000  # in the index, and as blobs
KEY = f"/files/object?key=t/one-{os.urandom(4).hex()}"
FOREVER = float("inf")


class Wrong(Exception):
    """An answer that the contract doesn't allow."""


def connect(url):
    where = urlsplit(url)
    if where.scheme == "https":
        return http.client.HTTPSConnection(
            where.netloc, timeout=30 * PATIENCE,
            context=ssl.create_default_context())
    return http.client.HTTPConnection(where.netloc, timeout=30 * PATIENCE)


class Key:
    """All that the clients did."""

    def __init__(self):
        self.noise = random.Random(1).randbytes(max(SIZES))
        self.lock, self.ops, self.wrong = threading.Lock(), [], []
        self.told, self.seen = {}, {}  # of each version: its ETag
        self.failed, self.end = 0, 0.0
        self.digests = {}

    def note(self, op):
        with self.lock:
            self.ops.append(op)

    def put(self, link, dice):
        name = dice.randbytes(16)
        data = name + self.noise[:dice.choice(SIZES) - len(name)]
        self.digests[name] = hashlib.md5(data).hexdigest()
        op = Op(time.monotonic(), FOREVER, name.hex(), writes=True)
        self.note(op)
        link.request("PUT", KEY, data)
        answer = link.getresponse()
        answer.read()
        if answer.status in (200, 201):
            op.ended = time.monotonic()
            self.told[name.hex()] = answer.getheader("ETag")
        elif answer.status < 500:
            raise Wrong(f"a PUT is answered with {answer.status}")
        else:
            self.failed += 1

    def get(self, link, _):
        began = time.monotonic()
        link.request("GET", KEY)
        answer = link.getresponse()
        data = answer.read()
        ended = time.monotonic()
        if answer.status >= 500:
            self.failed += 1
            return
        if answer.status != 200:
            raise Wrong(f"a GET is answered with {answer.status}")
        name = data[:16]
        if hashlib.md5(data).hexdigest() != self.digests.get(name):
            raise Wrong(f"{len(data)} bytes that nobody has put so")
        etag = answer.getheader("ETag")
        if self.seen.setdefault(name.hex(), etag) != etag:
            raise Wrong(f"two ETags of one version: {etag}")
        self.note(Op(began, ended, name.hex()))

    def client(self, url, act, seed):
        dice = random.Random(seed)
        try:
            with contextlib.closing(connect(url)) as link:
                while time.monotonic() < self.end:
                    act(link, dice)
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(f"{type(error).__name__}: {error}")

    def run(self, urls, seconds):
        with contextlib.closing(connect(urls[0])) as link:
            self.put(link, random.Random(0))
        self.end = time.monotonic() + seconds
        clients = [threading.Thread(target=self.client, args=(
            urls[at // 2 % len(urls)], self.put if at % 2 else self.get,
            os.urandom(8))) for at in range(2 * CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        with contextlib.closing(connect(urls[0])) as link:
            self.get(link, None)
            link.request("DELETE", KEY)
            link.getresponse().read()

    def faults(self):
        yield from self.wrong
        for name, etag in self.seen.items():
            if etag != self.told.get(name, etag):
                yield f"its PUT was told {self.told[name]}, a GET {etag}"
        seen = {op.value for op in self.ops if not op.writes}
        why = fault([op for op in self.ops
                     if op.ended < FOREVER or op.value in seen])
        if why:
            yield f"{why[0]}: " + "; ".join(str(op) for op in why[1])


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    key, urls = Key(), sys.argv[2:]
    if not urls and not BINARY:
        print("skipped: SLUICE names no program")
        return 77
    if urls:
        key.run(urls, seconds)
    else:
        with Gateway({"server": {"workers": "4"}}) as gateway:
            key.run([gateway.url], seconds)
    faults = list(key.faults())
    for line in faults[:10]:
        print(f"FAIL {line}")
    puts = sum(op.writes for op in key.ops)
    print(f"{puts} PUTs and {len(key.ops) - puts} GETs of one key by "
          f"{2 * CLIENTS} clients in {seconds:.0f} s; {key.failed} failed; "
          f"{len(faults)} faults")
    return 1 if faults or len(key.ops) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())

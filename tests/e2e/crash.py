#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills the gateway (SIGKILL) at random moments while objects are uploaded,
downloaded and deleted, starts it again over the same directory, and checks:

  - every object that was acknowledged is there, whole;
  - what is listed can be read, whole, so nothing is half visible;
  - what was deleted, and acknowledged so, stays deleted;
  - no blob, no row of bytes and no temporary file is left without an object.

    crash.py [ROUNDS [SEED]]        20 rounds if not said, about a second each

SLUICE is the gateway's binary, SLUICE_PLUGINS the folders of plugins.  The
exit status is 1 when something was found.
"""
import contextlib
import hashlib
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from kit import (BINARY, MIB, FORM, Gateway, Mismatch, Wire, equal,
                 eventually, expect, field, file, form)

CLIENTS = 6
KEPT = 60  # objects that one round leaves to the next, about
SIZES = (0, 1, 100, 5_000, 40_000, 100_000, 300_000, MIB, 3 * MIB)


class Ledger:
    """What the clients were told.  An object's bytes begin with the MD5 of
    the rest, so that one nobody was told of can be checked as well."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.noise = self.random.randbytes(4 * MIB)
        self.lock = threading.Lock()
        self.objects = {}     # key: MD5 of all bytes; acknowledged
        self.doubtful = set() # deletes that were sent, with no answer
        self.deleted = set()
        self.uploads = self.deletes = self.downloads = 0

    def bytes(self):
        with self.lock:
            size = self.random.choice(SIZES)
            at = self.random.randrange(len(self.noise) - size)
            salt = self.random.randbytes(16)
        rest = salt + self.noise[at:at + size]
        return hashlib.md5(rest).hexdigest().encode() + rest

    def some(self, but_doubtful=False):
        with self.lock:
            keys = list(self.objects)
            key = self.random.choice(keys) if keys else None
            if key and but_doubtful:
                self.doubtful.add(key)
            return key, self.objects.get(key)

    def choice(self):
        with self.lock:
            return self.random.random(), len(self.objects)


def whole(data):
    """Are these bytes all of what some client once sent?"""
    return hashlib.md5(data[32:]).hexdigest().encode() == data[:32]


# ---- the load --------------------------------------------------------------

def put(ledger, wire):
    data = ledger.bytes()
    answer = wire.ask("POST", "/files", FORM, body=form(
        file(data, "f.bin"), field("prefix", "crash")))
    equal("status of an upload", answer.status, 201)
    with ledger.lock:
        ledger.objects[answer.json["key"]] = hashlib.md5(data).hexdigest()
        ledger.uploads += 1


def remove(ledger, wire):
    key, _ = ledger.some(but_doubtful=True)
    if not key:
        return
    body = b'{"key": "%s"}' % key.encode()
    answer = wire.ask("DELETE", "/files", "Content-Type: application/json",
                      body=body)
    equal("status of a delete", answer.status, 200)
    with ledger.lock:
        ledger.objects.pop(key, None)
        ledger.doubtful.discard(key)
        ledger.deleted.add(key)
        ledger.deletes += 1


def get(ledger, wire):
    key, md5 = ledger.some()
    if not key:
        return
    answer = wire.ask("GET", f"/files/download?key={key}")
    with ledger.lock:
        going = key in ledger.doubtful or key in ledger.deleted
    if answer.status == 200:
        equal(f"MD5 of {key}", hashlib.md5(answer.body).hexdigest(), md5)
        ledger.downloads += 1
    else:
        equal(f"status of {key}, while it is deleted: {going}",
              (answer.status, going), (404, True))


def client(ledger, gateway, killed, troubles):
    """One connection's worth of load, until the gateway is gone."""
    try:
        with Wire(gateway.url) as wire:
            while not killed.is_set():
                dice, count = ledger.choice()
                if dice < 0.2:
                    get(ledger, wire)
                elif dice < (0.7 if count > KEPT else 0.4):
                    remove(ledger, wire)
                else:
                    put(ledger, wire)
    except (Mismatch, OSError, ValueError) as error:
        # A connection that ends is what a kill looks like from here.
        if "connection" not in str(error) and not isinstance(error, OSError):
            troubles.append(str(error))
        elif not killed.wait(5):
            troubles.append(f"before the kill: {error}")


def load(ledger, gateway, seconds):
    """Everybody at once, until the kill; what went wrong before it."""
    killed, troubles = threading.Event(), []
    threads = [threading.Thread(target=client, args=(
        ledger, gateway, killed, troubles)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    # The moment of the kill is random on purpose.
    time.sleep(seconds)
    gateway.process.kill()
    killed.set()
    for thread in threads:
        thread.join()
    gateway.kill()
    expect(not troubles, "; ".join(troubles))


# ---- what is there afterwards ----------------------------------------------

def check_objects(ledger, gateway):
    listed = gateway.list("")
    while listed["truncated"]:
        more = gateway.list("", cursor=listed["next_cursor"])
        more["objects"][:0] = listed["objects"]
        listed = more
    found = {}
    with gateway.wire() as wire:
        for thing in listed["objects"]:
            key = thing["key"]
            answer = wire.ask("GET", f"/files/download?key={key}")
            equal(f"status of {key}, which is listed", answer.status, 200)
            equal(f"size of {key}", len(answer.body), thing["size_bytes"])
            expect(whole(answer.body), f"{key} isn't what anybody sent")
            found[key] = hashlib.md5(answer.body).hexdigest()
    back = ledger.deleted & set(found)
    expect(not back, f"deleted objects are back: {sorted(back)[:3]}")
    for key, md5 in ledger.objects.items():
        if key in ledger.doubtful and key not in found:
            ledger.deleted.add(key)
            continue
        equal(f"MD5 of {key}, which was acknowledged", found.get(key), md5)
    ledger.objects = found
    ledger.doubtful.clear()


def rows(base, sql):
    return {row[0] for row in base.execute(sql)}


@contextlib.contextmanager
def index_of(data):
    """A copy of the index, which is the gateway's alone.  Nothing is written
    to it meanwhile."""
    with tempfile.TemporaryDirectory(prefix="sluice-index-") as folder:
        for name in ("index.db", "index.db-wal"):
            if Path(data, name).exists():
                shutil.copy(Path(data, name), folder)
        with contextlib.closing(sqlite3.connect(f"{folder}/index.db")) as base:
            yield base


def leftovers(data):
    """What the index and the folders don't agree on."""
    with index_of(data) as base:
        blobs = rows(base, "SELECT blob FROM object WHERE blob IS NOT NULL")
        small = rows(base, "SELECT small FROM object WHERE small IS NOT NULL")
        bytes_ = rows(base, "SELECT id FROM small")
        garbage = rows(base, "SELECT blob FROM garbage")
    files = {int(path.name, 16) for path in Path(data, "blobs").rglob("*")
             if path.is_file()}
    found = {"blobs without an object": files - blobs,
             "objects without a blob": blobs - files,
             "bytes without an object": bytes_ - small,
             "objects without bytes": small - bytes_,
             "garbage": garbage,
             "blobs without a row, moved away":
                 set(os.listdir(Path(data, "lost+found"))
                     if Path(data, "lost+found").exists() else []),
             "temporary files": set(os.listdir(Path(data, "tmp"))
                                    if Path(data, "tmp").exists() else [])}
    return {what: sorted(which)[:5] for what, which in found.items() if which}


def check_files(data):
    """The sweep may still be at it, but not for long."""
    try:
        eventually("x", lambda: not leftovers(data), 5)
    except Mismatch:
        expect(not (left := leftovers(data)), f"left over: {left}")


def main():
    if not BINARY:
        print("skipped: SLUICE names no program")
        return 77
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = sys.argv[2] if len(sys.argv) > 2 else os.urandom(4).hex()
    ledger = Ledger(seed)
    started, number = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="sluice-crash-") as folder:
        try:
            for number in range(1, rounds + 1):
                gateway = Gateway(folder=folder)
                try:
                    check_objects(ledger, gateway)
                    check_files(Path(folder, "data"))
                    load(ledger, gateway, ledger.random.uniform(0.05, 0.6))
                finally:
                    gateway.kill()
            with Gateway(folder=folder) as gateway:
                check_objects(ledger, gateway)
                check_files(Path(folder, "data"))
        except Mismatch as mismatch:
            print(f"FAIL round {number} of seed {seed}: {mismatch}")
            return 1
    print(f"{rounds} kills in {time.monotonic() - started:.0f} s, seed "
          f"{seed}: {ledger.uploads} uploads, {ledger.deletes} deletes and "
          f"{ledger.downloads} downloads were acknowledged, nothing is "
          "missing and nothing left over")
    return 0


if __name__ == "__main__":
    sys.exit(main())

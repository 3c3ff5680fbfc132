#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kills the gateway (SIGKILL) at random moments while six clients upload,
put, copy, move, read, list and delete, starts it again over the same
directory, and holds it to the oracle, before each kill and after it: every
answer is one that the contract allows, each key's history is linearizable,
what was acknowledged is there, whole, and what is there was sent.  Besides, no
blob, no row of bytes and no temporary file is left without an object.

    crash.py [ROUNDS [SEED]]        20 rounds if not said, about a second each

SLUICE is the gateway's binary, SLUICE_PLUGINS the folders of plugins.  The
exit status is 1 when something was found.
"""
import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "integration")]

# pylint: disable=wrong-import-position
from kit import BINARY, Gateway, Mismatch, eventually, expect  # noqa: E402
from oracle.client import Client  # noqa: E402
from oracle.load import CARRIED, Load  # noqa: E402
from oracle.objects import Objects  # noqa: E402
from oracle.record import Violation  # noqa: E402

WORKERS = {"server": {"workers": "4"}}


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
    """Each kind of thing on which index and folders don't agree."""
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


def killed(gateway, load, seconds):
    """Everybody at once, until a kill at a moment that is random on purpose.
    """
    def until():
        time.sleep(seconds)
        gateway.process.kill()
    load.run([gateway.url], until, dying=True)
    gateway.kill()
    load.oracle.settle()


def check(gateway, load):
    with Client(load.oracle, gateway.url, "reader") as client:
        load.learn(client.read_all("t/"))
    check_files(Path(gateway.folder, "data"))


def rounds(folder, load, count):
    for _ in range(count):
        gateway = Gateway(WORKERS, folder=folder)
        try:
            check(gateway, load)
            killed(gateway, load, load.random.uniform(0.05, 0.6))
        finally:
            gateway.kill()
    with Gateway(WORKERS, folder=folder) as gateway:
        check(gateway, load)


def main():
    if not BINARY:
        print("skipped: SLUICE names no program")
        return 77
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = sys.argv[2] if len(sys.argv) > 2 else os.urandom(4).hex()
    load = Load(Objects(md5_etags=True), seed, kept=60, names=4,
                named=CARRIED, stars=True)
    started = time.monotonic()
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sluice-crash-") as folder:
        try:
            rounds(folder, load, count)
        except (Mismatch, Violation) as found:
            print(f"FAIL seed {seed}: {found}")
            return 1
    oracle = load.oracle
    counts = ", ".join(f"{many} {what}"
                       for what, many in sorted(load.counts.items()))
    print(f"{count} kills in {time.monotonic() - started:.0f} s, seed {seed}: "
          f"{oracle.calls} requests ({counts}), {oracle.checked} answers and "
          f"list entries were checked, {oracle.undecided} histories "
          "undecided; nothing is missing, nothing unexplained and nothing "
          "left over")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A drill: the store is backed up while clients upload, replace and delete,
then brought back to another place and served.  All that was acknowledged
before the backup began is in it, and each object is whole.

SLUICE_DRILL_OBJECTS is how many there are (300)."""
import fcntl
import json
import os
import sqlite3
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "integration")]

# pylint: disable=wrong-import-position
from kit import (KIB, MIB, Gateway, among, equal, eventually,  # noqa: E402
                 expect, like, main, run, settings, test, written)
from objectskit import get, put  # noqa: E402

COUNT = int(os.environ.get("SLUICE_DRILL_OBJECTS", "300"))
PATIENT = 60 + COUNT / 50


def body_of(key, version=0):
    """Every third one is large: in a blob."""
    word = f"{key} {version}\n".encode()
    size = len(word) if sum(key.encode()) % 3 else 40 * KIB
    return word * (size // len(word))


class Drill:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.conf = written(folder, settings(folder), "drill.yaml")
        self.still = [f"still/{i}" for i in range(COUNT)]
        self.hot = [f"hot/{i}" for i in range(30)]
        self.acked, self.begun = {}, {}  # versions of the hot ones
        self.stop = threading.Event()

    def gateway(self, data="data"):
        return Gateway({"backends": {"main": {
            "directory": str(self.folder / data)}}}, folder=self.folder)

    def fill(self, gateway):
        with ThreadPoolExecutor(4) as pool:
            for status in pool.map(lambda key: put(
                    gateway, key, body_of(key)).status, self.still):
                equal("put", status, 201)

    def churn(self, gateway, part):
        """Replaces its part of the hot ones, again and again."""
        version = 0
        while not self.stop.is_set():
            version += 1
            for key in self.hot[part::3]:
                self.begun[key] = version
                among("put", put(gateway, key, body_of(key, version)).status,
                      (200, 201))
                self.acked[key] = version
            gone = f"gone/{part}/{version}"
            put(gateway, gone, body_of(gone))
            gateway.delete(gone)

    def tool(self, *words, status=0):
        got, out, err = run(*words[:1], "-c", self.conf, "--json", *words[1:],
                            seconds=PATIENT)
        equal(f"status of {words}: {out[-300:]} {err}", got, status)
        return json.loads(out)

    def holds(self, gateway, least, most):
        """Each still one as it was, each hot one of a version in between."""
        for key in self.still:
            answer = get(gateway, key)
            equal(key, (answer.status, answer.body == body_of(key)),
                  (200, True))
        for key in self.hot:
            answer = get(gateway, key)
            versions = range(least.get(key, 0), most.get(key, 0) + 1)
            if answer.status == 404:
                expect(0 in versions, f"{key}: 404, {versions}")
                continue
            version = int(answer.body.split(b"\n")[0].split()[1])
            among(f"version of {key}", version, versions)
            expect(answer.body == body_of(key, version), f"{key} is whole")


@test
def test_backup_of_a_store_at_work_has_all_that_was_acknowledged():
    with tempfile.TemporaryDirectory() as folder:
        drill = Drill(folder)
        backup = drill.folder / "backup"
        with drill.gateway() as gateway, ThreadPoolExecutor(3) as pool:
            drill.fill(gateway)
            work = [pool.submit(drill.churn, gateway, part)
                    for part in range(3)]
            try:
                eventually("load", lambda: len(drill.acked) == len(drill.hot))
                for turn in range(3):
                    least = dict(drill.acked)
                    said = drill.tool("backup", backup)
                    most = dict(drill.begun)
                    equal("findings", said["findings"], [])
                    expect(said["objects"] >= COUNT + len(drill.hot), said)
                    if turn:  # what is there isn't brought again
                        expect(said["brought"] < COUNT / 4 + 200, said)
            finally:
                drill.stop.set()
            for one in work:
                one.result()
            put(gateway, "later", b"later")
            after = dict(drill.acked)
        restored = drill.folder / "restored"
        conf = ("restore", "--read", backup, restored)
        equal("findings", drill.tool(*conf)["findings"], [])
        equal("check", drill.tool("check", "--read", restored)["findings"], [])
        with drill.gateway("restored") as gateway:
            drill.holds(gateway, least, most)
            equal("later", get(gateway, "later").status, 404)
            equal("put", put(gateway, "new", body_of("new")).status, 201)
        with drill.gateway() as gateway:  # and the store is as it was
            drill.holds(gateway, after, after)
        equal("check", drill.tool("check", "--read")["findings"], [])
        equal("blobs that nobody has", strays(drill.folder / "data"), 0)


def strays(data):
    """Blobs more than the index has: those that had to wait were removed."""
    index = sqlite3.connect(data / "index.db")
    known = index.execute("SELECT count(*) FROM object WHERE blob NOT NULL")
    number, = known.fetchone()
    index.close()
    return sum(path.is_file() for path in
               (data / "blobs").rglob("*")) - number


@test
def test_log_waits_for_the_backup_and_is_copied_back_after_it():
    """A gateway leaves index.db alone while somebody holds it."""
    with tempfile.TemporaryDirectory() as folder:
        drill = Drill(folder)
        with drill.gateway() as gateway:
            put(gateway, "old", b"x" * MIB)
            index = drill.folder / "data/index.db"
            blobs = drill.folder / "data/blobs"

            def files():
                return sum(path.is_file() for path in blobs.rglob("*"))
            with open(drill.folder / "data/hold", "rb") as hold:
                fcntl.flock(hold, fcntl.LOCK_EX)
                before, number = index.read_bytes(), files()
                with ThreadPoolExecutor(4) as pool:
                    list(pool.map(lambda i: put(
                        gateway, f"k/{i}", b"s" * 9000), range(700)))
                gateway.delete("old")
                equal("status", get(gateway, "old").status, 404)
                expect(index.read_bytes() == before, "index.db stands still")
                equal("files", files(), number)
            put(gateway, "next", b"n")
            put(gateway, "next", b"n")
            expect(index.read_bytes() != before, "then it is written")
            equal("files", files(), number - 1)


@test
def test_restore_and_backup_replace_nothing():
    with tempfile.TemporaryDirectory() as folder:
        drill = Drill(folder)
        full = drill.folder / "full"
        full.mkdir()
        (full / "thesis.tex").write_text("x")
        backup = drill.folder / "backup"
        with drill.gateway() as gateway:
            put(gateway, "a", b"a" * MIB)
            for words, why in (
                    (("backup", full), "isn't empty, and no backup of this"),
                    (("backup", drill.folder / "data"), "in the store itself"),
                    (("backup", drill.folder / "data/copy"),
                     "in the store itself"),
                    (("backup", drill.folder / "no/way"), "can't be made"),
                    (("backup", full, backup), "holds no store"),
                    (("restore", full), "holds no backup that is whole"),
                    (("backup", "--copy", backup), None),
                    (("restore", backup), "isn't empty, and nothing is"),
                    (("restore", backup, full), "isn't empty, and nothing"),
                    (("restore", backup, backup), "isn't empty, and nothing"),
                    (("restore", "--read", backup, drill.folder / "new"),
                     None)):
                said = drill.tool(*words, status=2 if why else 0)
                if why:
                    like(words, said["error"], why)
        equal("left", [path.name for path in full.iterdir()], ["thesis.tex"])
        for path in (backup / "blobs").rglob("*"):
            if path.is_file():
                equal("links", path.stat().st_nlink, 1)


@test
def test_damage_is_told_by_backup_and_restore():
    with tempfile.TemporaryDirectory() as folder:
        drill = Drill(folder)
        with drill.gateway() as gateway:
            put(gateway, "a", b"a" * MIB)
            put(gateway, "b", b"b" * MIB)
        first, second = sorted(path for path in
                               (drill.folder / "data/blobs").rglob("*")
                               if path.is_file())
        backup = drill.folder / "backup"
        drill.tool("backup", "--copy", backup)
        second.unlink()
        first.chmod(0o600)
        with open(first, "r+b") as file:
            file.write(b"A")
        first.chmod(0o400)
        found = drill.tool("backup", "--read", drill.folder / "other",
                           status=1)["findings"]
        equal("found", [(one["what"], one["key"]) for one in found],
              [("damaged-blob", "a"), ("missing-blob", "b")])
        # The earlier one is whole.
        said = drill.tool("restore", "--read", backup, drill.folder / "new")
        equal("found", said["findings"], [])


if __name__ == "__main__":
    main()

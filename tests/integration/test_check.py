#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice check` finds each kind of damage, `--repair` mends what can be, and
what it brought back is served right after.  Nothing is ever deleted."""
import contextlib
import json
import os
import shutil
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit import (KIB, Gateway, among, each, equal, expect, index_of, like,
                 main, md5, run, settings, test, written)
from objectskit import get, put

SMALL, LARGE = b"small" * 10, b"large" * 20 * KIB


def refused(index, sql):
    """This is what SQLite says; None where it does it."""
    try:
        index.execute(sql)
    except sqlite3.Error as error:
        return str(error)
    return None


class Store:
    """A store that was stopped, with some objects: small ones are in the
    index, large ones in blobs."""

    def __init__(self, folder):
        self.folder, self.data = Path(folder), Path(folder, "data")
        self.objects = {}
        with self.gateway() as gateway:
            for i in range(4):
                self.put(gateway, f"small/{i}", SMALL + b"%d" % i)
                self.put(gateway, f"large/{i}", LARGE + b"%d" % i)
            put(gateway, "gone", LARGE)
            gateway.delete("gone")

    def gateway(self):
        return Gateway({"limits": {"memory": "64MiB"}}, folder=self.folder)

    def put(self, gateway, key, body):
        among("put", put(gateway, key, body, "Content-Type: text/x-own",
                         "X-Meta-Colour: red").status, (200, 201))
        self.objects[key] = body

    @contextlib.contextmanager
    def index(self):
        index = sqlite3.connect(Path(self.data, "index.db"))
        try:
            yield index
            index.commit()
        finally:
            index.close()

    def blob_of(self, key):
        with self.index() as index:
            number, = index.execute("SELECT blob FROM object WHERE key = ?",
                                    (key.encode(),)).fetchone()
        return self.blob(number)

    def blob(self, number):
        return Path(self.data, "blobs", f"{number >> 16:x}",
                    f"{number >> 8 & 255:02x}", f"{number:016x}")

    def check(self, *flags):
        conf = written(self.folder, settings(self.folder), "c.yaml")
        status, out, err = run("check", "-c", conf, "--json", *flags)
        said = json.loads(out)
        if status < 2:
            equal("error", err, "")
        return status, said, err

    def found(self, *flags, status=1):
        """Words of the findings, each with its key, and whether it is good."""
        got, said, _ = self.check(*flags)
        equal(f"status of {flags}, {said}", got, status)
        return {(one["what"], one["key"]): one["good"]
                for one in said["findings"]}

    def serves(self, but=()):
        with self.gateway() as gateway:
            for key, body in self.objects.items():
                answer = get(gateway, key)
                if key in but:
                    expect(answer.status in (404, 500) or
                           answer.body != body, f"{key}: {answer.status}")
                    continue
                equal(key, (answer.status, md5(answer.body)),
                      (200, md5(body)))
                equal("type", answer.header("content-type"), "text/x-own")
            equal("gone", get(gateway, "gone").status, 404)

    def files(self):
        return {path.stat().st_ino: path.stat().st_size
                for path in self.data.rglob("*") if path.is_file()
                if "blobs" in path.parts or "lost+found" in path.parts}


@contextlib.contextmanager
def a_store():
    with tempfile.TemporaryDirectory() as folder:
        yield Store(folder)


def flip(path, at):
    """One bit of a file that nobody may write to."""
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    os.chmod(path, 0o400)


@test
def test_store_without_damage_is_clean():
    with a_store() as store:
        for flags in (), ("--read",), ("--repair",), ("--repair", "--read"):
            equal(flags, store.found(*flags, status=0), {})
        _, said, _ = store.check("--read")
        equal("counts", [said[word] for word in (
            "blobs", "damaged", "repaired")], [4, 0, 0])
        with store.index() as index:  # with what the gateway keeps there
            own = index.execute("SELECT count(*), sum(size) FROM object")
            equal("objects", (said["objects"], said["bytes"]), own.fetchone())
        store.serves()


# Each does one kind of damage: the finding that it leads to, its key, and
# whether --repair mends it.
def flipped_bit(store):
    flip(store.blob_of("large/1"), 100)
    return "damaged-blob", "large/1", False


def flipped_description(store):
    flip(store.blob_of("large/1"), -60)
    return "damaged-description", "large/1", True


def cut_blob(store):
    path = store.blob_of("large/1")
    os.chmod(path, 0o600)
    os.truncate(path, 1000)
    os.chmod(path, 0o400)
    return "damaged-blob", "large/1", False


def missing_blob(store):
    store.blob_of("large/2").unlink()
    return "missing-blob", "large/2", False


def moved_blob(store):
    path = store.blob_of("large/2")
    Path(store.data, "lost+found").mkdir(exist_ok=True)
    path.rename(Path(store.data, "lost+found", path.name))
    return "missing-blob", "large/2", True


def torn_row_of_a_blob(store):
    with store.index() as index:
        index.execute("UPDATE object SET size = size + 1 WHERE key = ?",
                      (b"large/3",))
    return "torn-row", "large/3", True


def torn_row_of_a_small_object(store):
    with store.index() as index:
        index.execute("UPDATE object SET mtime = mtime + 1 WHERE key = ?",
                      (b"small/3",))
    return "torn-row", "small/3", True


def torn_bytes_of_a_small_object(store):
    with store.index() as index:
        index.execute("UPDATE small SET bytes = zeroblob(length(bytes)) "
                      "WHERE id = (SELECT small FROM object WHERE key = ?)",
                      (b"small/3",))
    return "damaged-bytes", "small/3", False


def row_that_is_gone(store):
    with store.index() as index:
        index.execute("DELETE FROM object WHERE key = ?", (b"large/0",))
    return "lost-row", "large/0", True


@each({make.__name__: make for make in (
    flipped_bit, flipped_description, cut_blob, missing_blob, moved_blob,
    torn_row_of_a_blob, torn_row_of_a_small_object,
    torn_bytes_of_a_small_object, row_that_is_gone)})
def test_damage_is_found_and_mended(damage):
    with a_store() as store:
        what, key, mends = damage(store)
        before = store.files()
        found = store.found("--read")
        expect((what, key) in found or damage is moved_blob, found)
        expect(not any(found.values()), found)
        equal("nothing but that", {one for _, one in found}, {key})
        mended = store.found("--repair", "--read", status=0 if mends else 1)
        equal("mended", mended, {(what, key): mends})
        after = store.files()
        for inode, size in before.items():
            equal("a file that was there", after.get(inode), size)
        equal("afterwards", store.found("--read", status=0 if mends else 1),
              {} if mends else {(what, key): False})
        store.serves(but=() if mends else (key,))


@test
def test_lost_index_is_made_again_from_the_blobs():
    with a_store() as store:
        for name in "index.db", "index.db-wal":
            Path(store.data, name).unlink(missing_ok=True)
        equal("found", store.found(), {("no-index", None): False})
        found = store.found("--repair", status=0)
        equal("found", found, {("no-index", None): True, **{
            ("lost-row", f"large/{i}"): True for i in range(4)}})
        equal("afterwards", store.found("--read", status=0), {})
        store.serves(but=[f"small/{i}" for i in range(4)])
        equal("at rest", store.found("--read", status=0), {})


@test
def test_damaged_index_gives_what_it_has_left():
    with a_store() as store:
        with store.index() as index:
            page, = index.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'recent'"
            ).fetchone()
            index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with open(Path(store.data, "index.db"), "r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)
        equal("found", store.found(), {("damaged-index", None): False})
        equal("mended", store.found("--repair", status=0),
              {("damaged-index", None): True})
        expect(Path(store.data, "lost+found/index.db.1").exists(), "kept")
        equal("afterwards", store.found("--read", status=0), {})
        store.serves()


@each({"with an unfinished index": True, "before it was made": False})
def test_repair_that_was_cut_short_is_gone_on_with(unfinished):
    with a_store() as store:
        lost = Path(store.data, "lost+found")
        lost.mkdir(exist_ok=True)
        Path(store.data, "repair").write_text("+index.db.1")
        with store.index() as index:
            index.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if unfinished:
            Path(store.data, "index.db").rename(lost / "index.db.1")
            with store.index() as index:
                index.execute("CREATE TABLE half(made INTEGER)")
            half = Path(store.data, "index.db").read_bytes()
        status, _, err = run("-c", written(store.folder,
                                           settings(store.folder)))
        equal("status of a start", status, 1)
        like("log", err, "was cut short; run sluice check --repair again")
        store.found("--repair", status=0)
        if unfinished:  # it may be one that was put back by hand
            equal("kept", (lost / "index.db.2").read_bytes(), half)
        equal("afterwards", store.found("--read", status=0), {})
        store.serves()


@test
def test_backup_in_the_store_itself_is_refused():
    with a_store() as store:
        conf = written(store.folder, settings(store.folder), "c.yaml")
        for inside in store.data / "copy", store.data / "tmp/copy":
            status, _, err = run("backup", "-c", conf, inside)
            equal(inside, (status, inside.exists()), (2, False))
            like("why", err, "in the store itself, and would be lost with it")
        beside = store.folder / "data2"
        equal("beside", run("backup", "-c", conf, beside)[0], 0)


@test
def test_store_whose_repair_was_cut_short_replaces_no_backup():
    with a_store() as store:
        conf = written(store.folder, settings(store.folder), "c.yaml")
        backup = store.folder / "backup"
        equal("backup", run("backup", "-c", conf, backup)[0], 0)
        index = Path(backup, "index.db").read_bytes()
        Path(store.data, "repair").write_text("+index.db.1")
        lost = Path(store.data, "lost+found")
        lost.mkdir(exist_ok=True)
        shutil.copy(Path(store.data, "index.db"), lost / "index.db.1")
        with store.index() as unfinished:
            unfinished.execute("DELETE FROM object")
        status, out, err = run("backup", "-c", conf, backup)
        equal("status", status, 2)
        like("why", out + err, "was cut short; run sluice check --repair")
        equal("index", Path(backup, "index.db").read_bytes(), index)
        equal("blobs", len([path for path in Path(backup, "blobs").rglob("*")
                            if path.is_file()]), 4)


@test
def test_index_of_before_gets_the_blobs_of_after():
    with a_store() as store:
        shutil.copy(Path(store.data, "index.db"), store.folder / "old.db")
        with store.gateway() as gateway:
            store.put(gateway, "large/new", LARGE + b"new")
            store.put(gateway, "large/0", LARGE + b"newer")
        shutil.copy(store.folder / "old.db", Path(store.data, "index.db"))
        Path(store.data, "index.db-wal").unlink(missing_ok=True)
        found = store.found()
        equal("found", found, {("lost-row", "large/new"): False,
                               ("older-row", "large/0"): False,
                               ("missing-blob", "large/0"): False}
              if ("missing-blob", "large/0") in found else
              {("lost-row", "large/new"): False,
               ("older-row", "large/0"): False})
        equal("mended", store.found("--repair", status=0),
              {("lost-row", "large/new"): True,
               ("older-row", "large/0"): True})
        equal("afterwards", store.found("--read", status=0), {})
        store.serves()
        with store.gateway() as gateway:  # and its numbers are free
            store.put(gateway, "large/more", LARGE)
        equal("at rest", store.found("--read", status=0), {})
        store.serves()


@test
def test_started_with_an_index_of_before_it_is_all_in_lost_and_found():
    with a_store() as store:
        shutil.copy(Path(store.data, "index.db"), store.folder / "old.db")
        with store.gateway() as gateway:
            store.put(gateway, "large/new", LARGE + b"new")
        shutil.copy(store.folder / "old.db", Path(store.data, "index.db"))
        store.serves(but=["large/new"])
        equal("found", store.found(), {("lost-object", "large/new"): False})
        equal("mended", store.found("--repair", status=0),
              {("lost-object", "large/new"): True})
        store.serves()


@test
def test_file_that_says_nothing_stays():
    with a_store() as store:
        path = store.blob(0x77)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"nobody's")
        path.chmod(0o400)
        for flags in (), ("--repair",):
            equal("found", store.found(*flags), {("stray-blob", None): False})
        equal("bytes", path.read_bytes(), b"nobody's")


@test
def test_running_store_is_checked_and_not_repaired():
    with a_store() as store, store.gateway() as gateway:
        with ThreadPoolExecutor(3) as pool:
            def churn(name):
                for i in range(150):
                    put(gateway, f"hot/{name}/{i % 7}", LARGE[:40000 + i])
            work = [pool.submit(churn, name) for name in range(2)]
            rounds = 0
            while not all(one.done() for one in work) or rounds < 3:
                equal("found", store.found("--read", status=0), {})
                rounds += 1
            for one in work:
                one.result()
        status, _, err = store.check("--repair")
        equal("status", status, 2)
        like("error", err, "in use by another gateway")
        with index_of(store.folder) as index:
            number, = index.execute("SELECT blob FROM object WHERE key = ?",
                                    (b"large/1",)).fetchone()
        flip(store.blob(number), 100)
        equal("found", store.found("--read"),
              {("damaged-blob", "large/1"): False})
        left = [path.name for path in store.data.iterdir()
                if path.name.startswith("check.")]
        equal("copies", left, [])


@test
def test_index_is_made_smaller_while_no_gateway_has_it():
    with a_store() as store:
        index = store.data / "index.db"
        with store.gateway() as gateway:
            keys = [f"many/{i}" for i in range(200)]
            for key in keys:
                put(gateway, key, os.urandom(8 * KIB))
            for key in keys:
                gateway.delete(key)
            with contextlib.closing(sqlite3.connect(index)) as other:
                like("of one that runs", refused(other, "VACUUM"),
                     "lock|unable to open")
        before = index.stat().st_size
        with contextlib.closing(sqlite3.connect(index)) as other:
            other.execute("VACUUM")
        expect(index.stat().st_size < before / 10,
               f"{index.stat().st_size} of {before} bytes")
        equal("found", store.found("--read", status=0), {})
        store.serves()


@test
def test_what_is_no_store_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        conf = written(folder, settings(folder))
        for words, why in (
                (("-c", conf, folder), "holds no store"),
                (("-c", conf, folder + "/x"), "can't be opened"),
                (("-c", conf, "min"), "'min' is neither a folder nor .*"
                                     r"or \./min for a folder that isn't "
                                     "there yet"),
                (("-c", conf, "--repair", folder + "/x"), "can't be opened"),
                (("--raed", folder), "--raed isn't an option"),
                (("-c",), "-c needs a value"),
                ((folder, folder), "too many words")):
            status, _, err = run("check", *words)
            equal("status", status, 2)
            like("error", err, why)
        equal("left", os.listdir(folder), ["sluice.yaml"])


if __name__ == "__main__":
    main()

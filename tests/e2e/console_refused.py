#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uploads by the console that are refused: the words for it, and that no
bytes go where it can be known before.  Exits with 77 when no browser is
installed."""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from consolekit import Console, guarded
from kit import MIB, each, equal, expect, main, needs, test
from objectskit import put


def written(it, name, size):
    path = it.folder / name
    path.write_bytes(os.urandom(size))
    return path


def keys(it):
    return [one["key"] for one in it.gateway.ask(
        "GET", "/files?prefix=&limit=1000").json["objects"]]


# Bodies that the page has begun to send.
COUNT = """window.bodies = [];
{ const real = XMLHttpRequest.prototype.send;
  XMLHttpRequest.prototype.send = function(body) {
    if (body?.size > 0)
      bodies.push(body.size);
    return real.call(this, body);
  } }"""


def fails(it, words):
    it.wait(f"the refusal «{words}»", "document.querySelector("
            f"'.queue .failed')?.innerText.includes({words!r})")


@each({"one request": 1, "several": 6})
def test_file_that_is_too_large_is_not_begun(size):
    with Console({"uploads": {"max_bytes": f"{size}MiB"}}) as it:
        large = written(it, "large.bin", size * MIB + 1)
        fits = written(it, "fits.bin", size * MIB)
        it.open()
        it.run(COUNT)
        it.upload(large, fits)
        fails(it, f"The file is too large: at most {size} MiB are taken.")
        it.says("1 file uploaded")
        equal("keys", keys(it), ["fits.bin"])
        equal("sent", it.run("bodies"), [size * MIB])


@test
def test_limit_that_was_raised_is_seen():
    with Console({"uploads": {"max_bytes": "1MiB"}}) as it:
        path = written(it, "large.bin", 2 * MIB)
        it.open()
        it.upload(path)
        fails(it, "at most 1 MiB")
        it.gateway.path.write_text(it.gateway.path.read_text().replace(
            "1MiB", "3MiB"))
        it.gateway.signal(signal.SIGHUP)
        it.gateway.says("configuration .*is in use")
        it.click("Try again: large.bin")
        it.says("1 file uploaded")


@each({"one request": 10, "several": 9 * MIB})
def test_folder_that_may_not_be_written_is_told(size):
    with guarded() as (it, key):
        it.open("#/users/bob/")
        it.write("Access token", key)
        it.click("Sign in", "[type=submit]")
        it.says("You have no right to do this.")
        it.run(COUNT)
        it.upload(written(it, "a.bin", size))
        fails(it, "You have no right")
        if size > MIB:
            equal("sent", it.run("bodies"), [])


@test
def test_quota_is_told_before_a_large_file_is_sent():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder, \
            Console({"hooks": [{"plugin": "quota", "bytes": "5MiB",
                                "file": f"{folder}/quota"}]}) as it:
        it.open()
        it.run(COUNT)
        it.upload(written(it, "a.bin", 9 * MIB))
        fails(it, "The storage is full. (The quota has no room")
        equal("sent", it.run("bodies"), [])


# ---- a storage that is full -------------------------------------------------

@contextlib.contextmanager
def small_disk(mib):
    """A file system of so many MiB."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m",
                               "none", folder], check=False,
                              stderr=subprocess.DEVNULL)
        needs(made.returncode == 0, "no right to mount a file system")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


@each({"one request": 3 * MIB, "several": 9 * MIB})
def test_full_disk_is_told_and_tried_again_once_there_is_room(size):
    with small_disk(32) as disk, Console({"backends": {"main": {
            "plugin": "local", "directory": disk}}}) as it:
        number = 0
        while put(it.gateway, f"old/{number}",
                  b"x" * 2 * MIB).status == 201:
            number += 1
        expect(number > 4, "it was full before")
        path = written(it, "new.bin", size)
        it.open()
        it.upload(path)
        fails(it, "The storage is full.")
        expect("(" not in it.run("document.querySelector('.queue .failed "
                                 ".about').textContent"), "said twice")
        expect("new.bin" not in keys(it), "half of it is there")
        it.menu("old", "Delete")
        it.write(f"Type {number} to delete them", str(number))
        it.click("Delete for good", "[type=submit]")
        it.says("files deleted")
        it.click("Try again: new.bin")
        it.says("1 file uploaded")
        equal("keys", keys(it), ["new.bin"])
        stored = it.gateway.ask("GET", "/files/object?key=new.bin").body
        expect(stored == path.read_bytes(), "other bytes")


if __name__ == "__main__":
    main()

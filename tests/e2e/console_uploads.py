#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uploads by the console: through a broken line, a gateway that is killed, a
reload, and a token's end.  Exits with 77 when no browser is
installed."""
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urljoin

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from consolekit import Console, guarded
from kit import (MIB, Gateway, equal, eventually, expect, free_port, main,
                 merged, needs, test)
from objectskit import put


def written(it, name, size):
    path = it.folder / name
    path.write_bytes(os.urandom(size))
    return path


def is_stored(it, key, path, *lines):
    answer = it.gateway.ask("GET", f"/files/object?key={quote(key)}", *lines)
    equal(key, (answer.status, hashlib.sha256(answer.body).hexdigest()),
          (200, hashlib.sha256(path.read_bytes()).hexdigest()))
    return answer


def keys(it, *lines):
    return [one["key"] for one in it.gateway.ask(
        "GET", "/files?prefix=&limit=1000", *lines).json["objects"]]


BARS = "[...document.querySelectorAll('.queue li progress')]"
MOVED = f"{BARS}.some(bar => bar.value > .2 && bar.value < 1)"


@test
def test_files_small_and_large_come_under_their_names():
    with Console() as it:
        small = written(it, "small – ü.bin", 1000)
        empty = written(it, "empty", 0)
        large = written(it, "large.bin", 9 * MIB)
        it.open("#/in/")
        it.says("Nothing here yet")
        it.upload(small, empty, large)
        it.says("3 files uploaded")
        it.shows("empty", "large.bin", "small – ü.bin")
        for path in small, empty, large:
            is_stored(it, f"in/{path.name}", path)
        equal("keys", len(keys(it)), 3)
        equal("records", it.run("localStorage.getItem('sluice.uploads')"),
              "{}")
        equal("complaints", it.complaints(), [])


@test
def test_name_that_is_taken_is_asked_about():
    with Console() as it:
        paths = [written(it, name, size) for name, size in (
            ("a.txt", 10), ("b.txt", 5 * MIB), ("c.txt", 7 * MIB),
            ("d.txt", 20))]
        for path in paths:
            put(it.gateway, path.name, b"older")
        it.open()
        it.upload(*paths)
        it.wait("questions", "document.querySelectorAll('.queue .asked')"
                ".length === 4")
        it.click("Replace: a.txt")
        it.click("Keep both: b.txt")
        it.click("Replace: c.txt")
        it.click("Skip: d.txt")
        it.says("3 files uploaded")
        is_stored(it, "a.txt", paths[0])
        is_stored(it, "b (2).txt", paths[1])
        is_stored(it, "c.txt", paths[2])
        equal("keys", keys(it), ["a.txt", "b (2).txt", "b.txt", "c.txt",
                                 "d.txt"])


@test
def test_upload_that_was_paused_goes_on():
    with Console() as it:
        path = written(it, "large.bin", 16 * MIB)
        line = it.over_a_line()
        it.open()
        line.rate = 1.5 * MIB
        it.upload(path)
        it.wait("bytes", MOVED)
        it.click("Pause: large.bin")
        it.says("Paused at")
        line.rate = None
        it.click("Go on: large.bin")
        it.says("1 file uploaded")
        is_stored(it, "large.bin", path)


@test
def test_line_that_is_cut_is_waited_for():
    with Console() as it:
        path = written(it, "large.bin", 16 * MIB)
        line = it.over_a_line()
        it.open()
        line.rate = 1.5 * MIB
        it.upload(path)
        it.wait("bytes", MOVED)
        line.away()
        it.says("It is tried again by itself")
        line.rate = None
        line.back()
        it.says("1 file uploaded", 60)
        is_stored(it, "large.bin", path)
        equal("keys", keys(it), ["large.bin"])


@test
def test_gateway_that_is_killed_in_the_middle_loses_nothing():
    server = {"server": {"listen": [f"127.0.0.1:{free_port()}"]}}
    with Console(server) as it:
        path = written(it, "large.bin", 16 * MIB)
        line = it.over_a_line()
        it.open()
        line.rate = 1.5 * MIB
        it.upload(path)
        it.wait("bytes", MOVED)
        first = it.gateway
        first.own = False
        first.kill()
        it.says("It is tried again by itself")
        line.rate = None
        it.gateway = Gateway(merged({"uploads": {"max_bytes": "200MiB"}},
                                    server), folder=first.folder)
        it.says("1 file uploaded", 60)
        is_stored(it, "large.bin", path)
        equal("keys", keys(it), ["large.bin"])


@test
def test_reload_goes_on_with_the_same_file():
    with Console() as it:
        path = written(it, "large.bin", 16 * MIB)
        other = written(it, "other.bin", 16 * MIB)
        line = it.over_a_line()
        it.open("#/in/")
        line.rate = 1.5 * MIB
        it.upload(path)
        it.wait("bytes", MOVED)
        # The bar counts what waits in the browser's socket, too.
        eventually("it went", lambda: line.carried > 3 * MIB)
        it.browser.again()
        line.rate = None
        it.browser.visit(f"{it.url}#/in/")
        it.says("Unfinished: choose the file again to go on")
        it.run("window.patched = []; { const real = "
               "XMLHttpRequest.prototype.setRequestHeader; "
               "XMLHttpRequest.prototype.setRequestHeader = function(n, v) {"
               " if (n === 'Upload-Offset') patched.push(Number(v)); "
               "return real.call(this, n, v); } }")
        it.upload(other)
        it.says("1 file uploaded")
        it.says("Unfinished: choose the file again to go on")
        it.upload(path)
        it.says("2 files uploaded")
        is_stored(it, "in/large.bin", path)
        expect(max(it.run("patched")) >= MIB, "it began anew")
        equal("keys", keys(it), ["in/large.bin", "in/other.bin"])


@test
def test_token_that_ends_in_the_middle_is_asked_for_and_it_goes_on():
    with guarded() as (it, key):
        path = written(it, "large.bin", 12 * MIB)
        it.open("#/users/ann/")
        it.write("Access token", key)
        it.click("Sign in", "[type=submit]")
        it.says("Nothing here yet")
        newer = it.another_key()
        it.upload(path)
        it.says("Sign in again")
        it.write("Access token", newer)
        it.click("Sign in", "[type=submit]")
        it.says("1 file uploaded")
        is_stored(it, "users/ann/large.bin", path,
                  f"Authorization: Bearer {newer}")


@test
def test_folders_are_dropped_with_all_below_them():
    with Console() as it:
        it.in_chromium("lets tests drop files")
        top = it.folder / "album"
        (top / "deep").mkdir(parents=True)
        (top / "a.txt").write_bytes(b"a")
        (top / "deep" / "b.txt").write_bytes(b"bb")
        it.open("#/x/")
        it.says("Nothing here yet")
        for kind in "dragEnter", "dragOver", "drop":
            it.browser.call("Input.dispatchDragEvent", type=kind, x=500,
                            y=400, data={"items": [], "files": [str(top)],
                                         "dragOperationsMask": 1})
        it.says("2 files uploaded")
        equal("keys", keys(it), ["x/album/a.txt", "x/album/deep/b.txt"])
        it.shows("album")


def by_curl(it, path):
    """Seconds that curl takes for the same upload."""
    made = it.gateway.ask(
        "POST", f"/files/uploads?filename=by-curl-{path.name}",
        "Upload-Complete: ?0", f"Upload-Length: {path.stat().st_size}")
    done = subprocess.run(
        ["curl", "-sSf", "-X", "PATCH", "-T", path, "-o", os.devnull,
         "-H", "Content-Type: application/partial-upload",
         "-H", "Upload-Offset: 0", "-H", "Upload-Complete: ?1",
         "-w", "%{time_total}", urljoin(it.gateway.url,
                                        made.header("location"))],
        check=True, stdout=subprocess.PIPE)
    return float(done.stdout)


@test
def test_upload_is_one_request_with_all_its_bytes():
    """And how fast that is beside curl, turn by turn, so that both bear what
    else the machine does: SLUICE_CONSOLE_MIB is the size."""
    needs(shutil.which("curl"), "no curl")
    size = int(os.environ.get("SLUICE_CONSOLE_MIB", "64")) * MIB
    with Console({"uploads": {"max_bytes": "2GiB"}}) as it:
        curl = []
        it.open()
        for number in range(3):
            path = written(it, f"{number}.bin", size)
            it.upload(path)
            it.wait("it", f"names().includes('{path.name}')", 120)
            curl.append(by_curl(it, path))
            is_stored(it, path.name, path)
            path.unlink()
            put(it.gateway, path.name, b"") # there need not be room for all
        page = it.run("performance.getEntriesByType('resource').filter(one "
                      "=> /\\/uploads\\/./.test(one.name))"
                      ".map(one => one.duration / 1000)")
        equal("requests", len(page), 3)
        print(f"{size / MIB / min(page):.0f} MiB/s, "
              f"{min(curl) / min(page):.2f} of curl's")


if __name__ == "__main__":
    main()

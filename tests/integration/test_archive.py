#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""GET /files/archive: several objects as one zip, whose length is told before
its first byte.  SLUICE_ARCHIVE_GIB, say 5, and SLUICE_ARCHIVE_COUNT, say
70000, make one of that size, and one of that many objects."""
import contextlib
import hashlib
import io
import json
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import quote

from kit import GIB, MIB, Gateway, Wire, each, equal, expect, main, needs, \
    request, test
from objectskit import crowd, put

FILES = {"r/2026/a.txt": b"alpha", "r/2026/empty": b"",
         "r/2026/Größe – 日本.bin": os.urandom(3 * MIB + 17),
         "r/x.txt": b"x" * 70_000, "s/a.txt": b"other"}


def bearer(who):
    return [f"Authorization: Bearer {who * 8}"]


@contextlib.contextmanager
def guarded(**rights):
    """A gateway before which each has a pair of operations and prefixes."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = Path(folder, "tokens.yaml")
        path.touch(mode=0o600)
        path.write_text(json.dumps({"tokens": [
            {"sha256": hashlib.sha256((who * 8).encode()).hexdigest(),
             "identity": who, "operations": operations, "prefixes": prefixes}
            for who, (operations, prefixes) in rights.items()]}))
        with Gateway({"hooks": [{"plugin": "auth_token",
                                 "file": str(path)}]}) as gateway:
            yield gateway


def stored(gateway, files=None):
    for key, data in (files or FILES).items():
        equal(key, put(gateway, key, data).status, 201)


def target(*items):
    return "/files/archive?" + "&".join(
        f"{'prefix' if item.endswith('/') or not item else 'key'}="
        f"{quote(item, safe='')}" for item in items)


def archive(gateway, *items, lines=()):
    answer = gateway.ask("GET", target(*items), *lines)
    equal("status", (answer.status, answer.header("content-type")),
          (200, "application/zip"))
    return answer


def files_of(body):
    with zipfile.ZipFile(io.BytesIO(body)) as found:
        equal("damaged", found.testzip(), None)
        return {name: found.read(name) for name in found.namelist()}


@each({"a folder": (["r/2026/"], "r/", "2026.zip"),
       "all": ([""], "", "files.zip"),
       "two folders": (["r/", "s/"], "", "files.zip"),
       "keys": (["r/x.txt", "r/2026/a.txt"], "r/", "files.zip"),
       "a key": (["r/2026/a.txt"], "r/2026/", "a.txt.zip"),
       "a folder and a key": (["r/2026/", "s/a.txt"], "", "files.zip")})
def test_archive_holds_what_was_asked_for(case):
    items, folder, name = case
    with Gateway() as gateway:
        stored(gateway)
        answer = archive(gateway, *items)
        equal("files", files_of(answer.body), {
            key[len(folder):]: data for key, data in FILES.items()
            if any(key.startswith(item) if item.endswith("/") or not item
                   else key == item for item in items)})
        equal("name", answer.header("content-disposition"),
              f'attachment; filename="{name}"')
        head = gateway.ask("HEAD", target(*items))
        equal("HEAD", (head.status, head.header("content-length")),
              (200, str(len(answer.body))))


@test
def test_other_tools_take_it():
    with Gateway() as gateway, tempfile.TemporaryDirectory() as folder:
        stored(gateway)
        path = Path(folder, "a.zip")
        path.write_bytes(archive(gateway, "r/").body)
        for tool in ["unzip", "-tq"], ["bsdtar", "-tf"]:
            try:
                subprocess.run([*tool, path], check=True,
                               stdout=subprocess.DEVNULL)
            except FileNotFoundError:
                print(f"there is no {tool[0]}")


@each({"nothing": ("/files/archive", 400, "bad_request"),
       "an empty key": ("/files/archive?key=", 400, "bad_key"),
       "a key that climbs": ("/files/archive?key=a/../b", 400, "bad_key"),
       "the gateway's own": ("/files/archive?prefix=.sluice/", 400,
                             "bad_key"),
       "no such key": ("/files/archive?key=none", 404, "object_not_found"),
       "no such folder": ("/files/archive?prefix=none/", 404,
                          "object_not_found"),
       "a key twice": ("/files/archive?key=s/a.txt&key=s/a.txt", 400,
                       "bad_request"),
       "a key below a prefix": ("/files/archive?key=s/a.txt&prefix=s/", 400,
                                "bad_request"),
       "a bad escape": ("/files/archive?key=%zz", 400, "bad_key"),
       "1001 keys": ("/files/archive?" + "&".join(
           f"key=k{i}" for i in range(1001)), 400, "bad_key")})
def test_what_makes_no_archive_is_refused(case):
    asked, status, code = case
    with Gateway() as gateway:
        stored(gateway, {"s/a.txt": b"x"})
        answer = gateway.ask("GET", asked)
        equal("refusal", (answer.status, answer.json["code"]), (status, code))


@test
def test_thousand_keys_are_taken_and_pages_of_lists_walked():
    with Gateway() as gateway:
        crowd(gateway, 1001)
        equal("all", len(files_of(archive(gateway, "m/").body)), 1001)
        keys = [f"m/{i:06}" for i in range(1000)]
        equal("keys", len(files_of(archive(gateway, *keys).body)), 1000)


@test
def test_archive_needs_list_and_download_on_all():
    with guarded(reader=(["list", "download"], ["a/"]),
                 lister=(["list"], [""]), loader=(["download"], [""]),
                 owner=(["*"], [""])) as gateway:
        for key in "a/1", "b/2":
            equal("PUT", put(gateway, key, b"x", *bearer("owner")).status,
                  201)
        equal("owner", files_of(archive(gateway, "", lines=bearer(
            "owner")).body), {"a/1": b"x", "b/2": b"x"})
        equal("reader", files_of(archive(gateway, "a/", lines=bearer(
            "reader")).body), {"a/1": b"x"})
        for who, item in (("reader", ""), ("reader", "b/2"), ("lister", "a/"),
                          ("lister", "a/1"), ("loader", "a/"),
                          ("loader", "a/1")):
            equal(f"{who} {item}", gateway.ask(
                "GET", target(item), *bearer(who)).status, 403)
        equal("nobody", gateway.ask("GET", target("")).status, 401)


@test
def test_object_that_is_replaced_meanwhile_breaks_it_off():
    with Gateway() as gateway:
        stored(gateway, {"p/a": os.urandom(20 * MIB), "p/b": b"short"})
        wire = Wire(gateway.url, buffer=65536)
        wire.socket.sendall(request("GET", target("p/")))
        begun = wire.socket.recv(65536)
        put(gateway, "p/b", b"longer than it was")
        length = int(begun.lower().split(b"content-length: ")[1].split()[0])
        got = len(begun.split(b"\r\n\r\n", 1)[1])
        with contextlib.suppress(ConnectionResetError):
            while data := wire.socket.recv(1 << 20):
                got += len(data)
        # The end of what was sent may be lost with the connection.
        expect(got < length, f"{got} of {length} bytes came")


@test
def test_large_ones_are_whole():
    size = int(os.environ.get("SLUICE_ARCHIVE_GIB", "0")) * GIB
    needs(size, "SLUICE_ARCHIVE_GIB isn't set")
    with Gateway({"uploads": {"max_bytes": "6GiB"}}) as gateway, \
            tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        sparse = Path(folder, "sparse")
        sparse.touch()
        os.truncate(sparse, size)
        subprocess.run(["curl", "-sfT", sparse, f"{gateway.url}/files/object"
                        "?key=p/large"], check=True)
        stored(gateway, {"p/z": b"behind it"})
        path = Path(folder, "a.zip")
        subprocess.run(["curl", "-sf", "-o", path,
                        f"{gateway.url}{target('p/')}"], check=True)
        with zipfile.ZipFile(path) as found:
            equal("sizes", [one.file_size for one in found.infolist()],
                  [size, 9])
            equal("damaged", found.testzip(), None)
        subprocess.run(["unzip", "-tq", path], check=True)


@test
def test_many_are_whole():
    count = int(os.environ.get("SLUICE_ARCHIVE_COUNT", "0"))
    needs(count, "SLUICE_ARCHIVE_COUNT isn't set")
    with Gateway() as gateway:
        crowd(gateway, count)
        asked = gateway.ask("GET", target("m/"))
        if count > 100_000:
            equal("too many", asked.json["code"], "archive_too_large")
            return
        with zipfile.ZipFile(io.BytesIO(asked.body)) as found:
            equal("count", len(found.namelist()), count)
            equal("damaged", found.testzip(), None)


if __name__ == "__main__":
    main()

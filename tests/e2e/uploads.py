#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that others wrote, and two of our own, upload through a proxy that
cuts their connections: each file is there once, with its bytes.  Exits with
77 where tests/e2e/clients has installed none.  SLUICE_E2E_UPLOADS is the
number of files, 25 by default, over all clients; `--backend ceph` uploads to a
Ceph instead of a folder."""
import hashlib
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "integration"))

# pylint: disable=wrong-import-position
from chromium import Browser, program  # noqa: E402
from cutter import Cutter  # noqa: E402
from kit import (KIB, MIB, PATIENCE, Gateway, equal,  # noqa: E402
                 eventually, expect, main, needs, test)

COUNT = int(os.environ.get("SLUICE_E2E_UPLOADS", "25"))
OVER = sys.argv.pop() if "--backend" in sys.argv else "local"
if "--backend" in sys.argv:
    sys.argv.remove("--backend")
SECONDS = 60 + 6 * COUNT


def installed():
    found = subprocess.run([HERE / "clients", "folder"], check=False,
                           capture_output=True, text=True)
    needs(found.returncode == 0, "no clients; tests/e2e/clients install "
          "fetches them")
    return found.stdout.strip()


@contextmanager
def storage():
    """The gateway's configuration."""
    more = {"uploads": {"max_bytes": "64MiB"}}
    if OVER == "local":
        yield more
        return
    # pylint: disable=import-outside-toplevel
    from bucket import PARTS, sections
    from s3.kit import Rgw
    with Rgw() as s3:
        yield sections(s3, "clients", more, **PARTS)


class Place:
    """A gateway, a proxy before it, and files to be uploaded."""

    def __init__(self, count, most=700 * KIB, rate=None, size=2 * MIB):
        self.count, self.most, self.rate, self.size = count, most, rate, size

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.storage = storage()
        self.gateway = Gateway(self.storage.__enter__())
        self.cutter = Cutter(urlsplit(self.gateway.url).port, most=self.most,
                             rate=self.rate)
        chance = random.Random(self.count)
        self.sums = {}
        for n in range(self.count):
            data = chance.randbytes(chance.randrange(1, self.size)
                                    if n else 0)
            path = self.folder / f"{n}.bin"
            path.write_bytes(data)
            self.sums[str(path)] = hashlib.md5(data).hexdigest()
        return self

    def __exit__(self, *how):
        self.cutter.__exit__()
        try:
            self.gateway.__exit__(*how)
        finally:
            self.storage.__exit__(None, None, None)
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def endpoint(self):
        return self.cutter.url + "/files/uploads"

    def stored(self, key):
        """The MD5 of what is there."""
        with self.gateway.wire() as wire:
            wire.socket.settimeout(3 * PATIENCE)
            answer = wire.ask("GET", "/files/download?key=" + quote(key))
        equal("status", answer.status, 200)
        return hashlib.md5(answer.body).hexdigest()

    def check(self, path, address):
        where = urlsplit(address)
        told = self.gateway.ask("GET", where.path)
        equal(f"{path}: state", (told.status, told.json["complete"]),
              (200, True))
        made = told.json["object"]
        equal(f"{path}: md5", (made["md5"], self.stored(made["key"])),
              (self.sums[path], self.sums[path]))
        return made["key"]


# ---- the clients -----------------------------------------------------------

def by_program(place, paths, clients, *command):
    done = subprocess.run(
        command, input=json.dumps([place.endpoint, paths]), text=True,
        capture_output=True, check=False, timeout=SECONDS,
        env={**os.environ, "TUS_CLIENTS": clients})
    equal(command[1], (done.returncode, done.stderr[-2000:]), (0, ""))
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_tus_js(place, paths, clients):
    return by_program(place, paths, clients, "node", HERE / "by_tus_js.mjs")


def by_tuspy(place, paths, clients):
    return by_program(place, paths, clients, sys.executable,
                      HERE / "by_tuspy.py")


class Draft:
    """The draft's client: version 8, which is told the address by a 104."""
    fields = {"Upload-Draft-Interop-Version": "8"}

    def __init__(self, place, path):
        self.place, self.data = place, Path(path).read_bytes()
        self.name, self.address, self.told = Path(path).name, None, 0
        self.tries = 0

    def ask(self, method, target, lines, body=b""):
        """The answer, or None where the connection was cut; what a 104
        says counts all the same."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.place.cutter.port, timeout=3 * PATIENCE)
        try:
            connection.connect()
            head = {**self.fields, **lines, "Host": "gateway.test",
                    "Content-Length": len(body)}
            text = "".join(f"{name}: {value}\r\n"
                           for name, value in head.items())
            connection.sock.sendall(
                f"{method} {target} HTTP/1.1\r\n{text}\r\n".encode() + body)
        except OSError:
            pass
        try:
            return self.read(connection, method)
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def read(self, connection, method):
        stream = connection.sock.makefile("rb")
        while True:
            start = stream.readline()
            if not start.endswith(b"\n"):
                raise ValueError("cut")
            status = int(start.split()[1])
            headers = http.client.parse_headers(stream)
            self.note(headers)
            if status != 104:
                break
            self.tell(headers)
        length = int(headers.get("Content-Length") or 0)
        body = stream.read(length) if method != "HEAD" else b""
        if method != "HEAD" and len(body) < length:
            raise ValueError("cut")
        self.tell(headers)
        return status, headers, body

    def note(self, headers):
        """The last answer's Location is the object's."""
        address = headers.get("Location") or ""
        if "/uploads/" in address:
            self.address = address

    def tell(self, headers):
        if headers.get("Upload-Offset"):
            at = int(headers["Upload-Offset"])
            expect(at >= self.told or self.told == len(self.data),
                   f"an offset of {at} after {self.told}")
            self.told = at

    def create(self):
        """With all bytes; a cut that comes before the 104 begins it anew, and
        after some of those it is made without any."""
        self.told, self.tries = 0, self.tries + 1
        whole = self.tries < 5
        return self.ask("POST", f"/files/uploads?filename={self.name}"
                        "&prefix=t", {"Upload-Complete": "?1" if whole else
                                      "?0"}, self.data if whole else b"")

    def resume(self):
        answer = self.ask("HEAD", self.address, {})
        if answer is None or answer[0] != 200:
            return None
        at = int(answer[1]["Upload-Offset"])
        expect(self.told <= at <= len(self.data), f"{at}, told {self.told}")
        if answer[1]["Upload-Complete"] == "?1":
            return answer
        return self.ask("PATCH", self.address, {
            "Content-Type": "application/partial-upload",
            "Upload-Offset": at, "Upload-Complete": "?1"}, self.data[at:])

    def upload(self):
        for _ in range(1000):
            answer = self.resume() if self.address else self.create()
            if answer and answer[0] in (200, 201) and \
                    answer[1]["Upload-Complete"] == "?1":
                return self.address
        raise AssertionError(f"{self.name} isn't there after 1000 requests")


def by_draft(place, paths, _):
    return [(path, Draft(place, path).upload()) for path in paths]


class Curl(Draft):
    """The same as docs/uploads.md has it, by curl, which doesn't look for an
    answer while it sends: so the upload is made without bytes."""

    def create(self):
        self.told = 0
        self.ask("POST", f"/files/uploads?filename={self.name}&prefix=t",
                 {"Upload-Complete": "?0"})

    def ask(self, method, target, lines, body=b""):
        part = self.place.folder / f"{self.name}.part"
        part.write_bytes(body)
        words = [word for name, value in lines.items()
                 for word in ("-H", f"{name}: {value}")]
        words += ["-I"] if method == "HEAD" else \
            ["-X", method, "--data-binary", f"@{part}"]
        done = subprocess.run(
            ["curl", "-sS", "-D", "-", "-o", os.devnull, "-H", "Expect:",
             "-H", "Upload-Draft-Interop-Version: 6", *words,
             self.place.cutter.url + target],
            capture_output=True, check=False, timeout=SECONDS)
        heads = [part for part in done.stdout.split(b"\r\n\r\n")
                 if part.startswith(b"HTTP/")]
        answer = None
        for text in heads:
            lines = text.decode().split("\r\n")
            headers = http.client.HTTPMessage()
            for line in lines[1:]:
                name, _, value = line.partition(": ")
                headers[name] = value
            self.note(headers)
            self.tell(headers)
            answer = int(lines[0].split()[1]), headers, b""
        return answer if done.returncode == 0 and answer[0] != 104 else None


def by_curl(place, paths, _):
    return [(path, Curl(place, path).upload()) for path in paths]


@test
def test_uploads_whose_connections_are_cut_are_whole():
    clients = installed()
    needs(shutil.which("node"), "no node")
    ways = by_draft, by_tus_js, by_tuspy, by_curl
    with Place(COUNT) as place:
        paths, found, trouble = list(place.sums), [], []

        def run(way, mine):
            try:
                found.extend(way(place, mine, clients))
            except BaseException as why:  # pylint: disable=broad-except
                trouble.append(f"{way.__name__}: {why!r}")

        threads = [threading.Thread(target=run, args=(
            way, paths[n::len(ways)])) for n, way in enumerate(ways)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal("trouble", trouble, [])
        equal("files", sorted(path for path, _ in found), sorted(paths))
        place.cutter.most = None
        keys = {Path(path).name: place.check(path, urljoin(place.endpoint,
                                                           address))
                for path, address in found}
        expect(place.cutter.cuts >= COUNT // 2, f"{place.cutter.cuts} cuts")
        there = listed(place.gateway)
        expect(set(keys.values()) <= set(there), "some aren't listed")
        # By the draft a creation with all bytes may come to its end when no
        # word of its answers does: then its client can't know of it.
        unsure = {Path(path).name for path in paths[0::len(ways)]}
        more = [key for key in there if key not in keys.values() and
                key.partition("-")[2] not in unsure]
        equal("objects, each once", more, [])
        print(f"{COUNT} uploads, {place.cutter.cuts} connections cut, "
              f"{place.cutter.sent >> 20} MiB sent")


def listed(gateway):
    keys, more = [], {}
    while more is not None:
        page = gateway.list("t", limit=1000, **more)
        keys += [entry["key"] for entry in page["objects"]]
        cursor = page.get("next_cursor")
        more = {"cursor": cursor} if cursor else None
    return keys


# ---- a browser -------------------------------------------------------------

class Page:
    """Chromium, with the clients in a page of the proxy's origin."""

    def __init__(self, place, clients):
        program()
        self.place = place
        self.script = Path(clients, "page.js").read_text()
        self.browser = Browser(place.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.close()

    def load(self, path):
        """A page anew, in which a file is chosen."""
        self.browser.visit(self.place.cutter.url + "/healthz")
        self.browser.fill(path)
        self.browser.run(self.script + "; 0")
        self.browser.run("window.file = document.querySelector("
                         "'input[type=file]').files[0]; 0")

    def run(self, script):
        return self.browser.run(f"(async () => {{ {script} }})()")


BY_UPPY = """
const { Uppy, Tus, XHRUpload } = window.clients;
const uppy = new Uppy();
uppy.use(Tus, {endpoint: '/files/uploads', limit: 2, chunkSize: 400000,
               retryDelays: Array(60).fill(20), onShouldRetry: () => true});
uppy.addFile({name: file.name, type: file.type, data: file});
const done = await uppy.upload();
return done.successful[0].uploadURL;
"""

BY_XHR = """
const { Uppy, XHRUpload } = window.clients;
for (let n = 0; n < 60; n++) {
  const uppy = new Uppy();
  uppy.use(XHRUpload, {endpoint: '/files', fieldName: 'file'});
  uppy.addFile({name: file.name, type: file.type, data: file});
  const done = await uppy.upload();
  if (done.successful.length === 1)
    return JSON.stringify(done.successful[0].response.body);
}
"""

START = """
const { Upload } = window.clients;
window.upload = new Upload(file, {
  endpoint: '/files/uploads', metadata: {filename: file.name, prefix: 't'},
  retryDelays: [50, 50, 50], onProgress: sent => { window.sent = sent },
  onSuccess: () => { window.done = upload.url },
  onError: why => { window.done = 'error: ' + why }});
const before = await upload.findPreviousUploads();
window.resumed = before.length;
if (before.length > 0) upload.resumeFromPreviousUpload(before[0]);
upload.start();
return before.length;
"""


@test
def test_uppy_uploads_by_tus_and_by_form():
    clients = installed()
    with Place(max(3, COUNT // 12), most=None) as place, \
            Page(place, clients) as page:
        for path in place.sums:
            place.cutter.most = None
            page.load(path)
            place.cutter.most = 700 * KIB
            url = page.run(BY_UPPY)
            # A form that is cut begins anew; each is shorter than a cut.
            place.cutter.most = 8 * MIB
            got = json.loads(page.run(BY_XHR))
            place.cutter.most = None
            place.check(path, url)
            equal("md5", (got["md5"], place.stored(got["key"])),
                  (place.sums[path],) * 2)


@test
def test_upload_goes_on_after_the_page_was_loaded_again():
    clients = installed()
    with Place(2, most=None, rate=4 * MIB, size=9 * MIB) as place, \
            Page(place, clients) as page:
        path = str(place.folder / "1.bin")
        Path(path).write_bytes(random.Random(9).randbytes(12 * MIB))
        place.sums[path] = hashlib.md5(Path(path).read_bytes()).hexdigest()
        page.load(path)
        equal("uploads before", page.run(START), 0)
        eventually("four MiB that were sent", lambda: page.browser.run(
            "window.sent || 0") >= 4 * MIB, 6 * PATIENCE)
        page.run("await upload.abort()")
        place.cutter.rate = None
        page.load(path)
        before = place.cutter.sent
        equal("uploads before", page.run(START), 1)
        eventually("its end", lambda: page.browser.run("window.done"),
                   6 * PATIENCE)
        place.check(path, page.browser.run("window.done"))
        again = place.cutter.sent - before
        expect(again < 10 * MIB, f"{again} bytes were sent again")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""This is what uploads that go on cost, and those whose parts go to an S3
service while they come in: one upload through links that are held to --rate,
to RGW itself and through the gateway to it, with uploads.early_parts and
without; and to a folder resumable uploads beside forms.  Ways take turns; a
figure is the median of its rounds.

Environment and needs as of s3.py.  The exit status is 1 when a figure isn't
met.
"""
import argparse
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:1] = [str(HERE.parent / "integration"), str(HERE.parent)]

# pylint: disable=wrong-import-position
from bench import s3 as basis  # noqa: E402
from kit import FORM, GIB, KIB, MIB, Gateway, equal, head, \
    large_form  # noqa: E402
from s3.client import path_of  # noqa: E402
from s3.kit import Rgw  # noqa: E402

PIECE = 256 * KIB
FIGURES = {
    "one large upload over slow links, time to direct": ("", 1.15, False),
    "its peak memory": ("MiB", 48, False),
    "files of the spool": ("", 0, False),
    "16 resumable uploads of 50 MiB, rate to forms": ("", 0.9, True),
    "4 KiB creations with upload, rate to forms": ("", 0.6, True),
}


# ---- links ------------------------------------------------------------------

class _Wire:
    """It is taken for as long as each piece would take on it."""

    def __init__(self, rate):
        self.rate, self.free_at, self.lock = rate, 0.0, threading.Lock()

    def take(self, size):
        with self.lock:
            self.free_at = max(self.free_at, time.monotonic() - 0.02) + \
                size / self.rate
            wait = self.free_at - time.monotonic()
        time.sleep(max(0.0, wait))


def _carry(source, sink, wire):
    buffer = bytearray(PIECE)
    try:
        while size := source.recv_into(buffer):
            if wire:
                wire.take(size)
            sink.sendall(memoryview(buffer)[:size])
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _link(listener, port, rate):
    wire = _Wire(rate)
    while True:
        near, _ = listener.accept()
        far = socket.create_connection(("127.0.0.1", port))
        for end in near, far:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_carry, args=(near, far, wire),
                         daemon=True).start()
        threading.Thread(target=_carry, args=(far, near, None),
                         daemon=True).start()


class Link:
    """To a port of this machine; the way there is held to `rate` bytes a
    second, which all connections share."""

    def __init__(self, port, rate):
        listener = socket.socket()
        # Else what waits in a buffer would be no part of the link's time.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self.process = multiprocessing.get_context("fork").Process(
            target=_link, args=(listener, port, rate), daemon=True)
        self.process.start()
        listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.join()


# ---- one upload over slow links ---------------------------------------------

def send(url, path, *words):
    """Seconds that curl takes for it."""
    started = time.monotonic()
    done = subprocess.run(
        ["curl", "-sS", "-f", "--noproxy", "*", "-H", "Expect:", "-o",
         os.devnull, *words, "-T", path, url], check=False,
        capture_output=True)
    equal("curl", (done.returncode, done.stderr), (0, b""))
    return time.monotonic() - started


class Watch(threading.Thread):
    """The most files without a name that a gateway had open."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.gateway, self.most, self.over = gateway, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            try:
                self.most = max(self.most, sum(
                    "(deleted)" in name
                    for name in self.gateway.descriptors()))
            except OSError:
                pass

    def end(self):
        self.over.set()
        self.join()
        return self.most


def through(rgw, link, rate, folder, path, samples, early):
    more = basis.sections(rgw, path.stat().st_size)
    more["uploads"]["early_parts"] = "true" if early else "false"
    more["backends"]["main"]["endpoint"] = f"http://127.0.0.1:{link.port}"
    with Gateway(more, folder=tempfile.mkdtemp(dir=folder)) as gateway, \
            Link(urlsplit(gateway.url).port, rate) as front:
        watch = Watch(gateway)
        took = send(f"http://127.0.0.1:{front.port}/files/uploads?prefix=t&"
                    "filename=a", path, "-X", "POST")
        cpu = basis.cpu_of(gateway.pid) * GIB / path.stat().st_size
        samples.add(f"CPU s/GiB, {'early' if early else 'spooled'}", cpu)
        if early:
            samples.add("its peak memory", gateway.status("VmHWM") / 1024)
            samples.add("files of the spool", watch.end())
        for key in gateway.keys():
            gateway.delete(key)
    return took


def over_links(given, rgw, folder, samples):
    rate = given.rate * 1_000_000
    path, client = Path(folder, "bytes"), rgw.client()
    with path.open("wb") as file:
        for _ in range(given.size):
            file.write(os.urandom(MIB))
    service = urlsplit(rgw.endpoint).port
    with Link(service, rate) as link:
        for turn in range(given.rounds):
            print(f"round {turn + 1}", file=sys.stderr)
            key = f"direct{turn}"
            target = client.presigned("PUT", path_of(basis.BUCKET, key))
            direct, early, late = basis.measured(
                [lambda: send(f"http://127.0.0.1:{link.port}{target}", path,
                              "-H", f"Host: {client.host}"),
                 lambda: through(rgw, link, rate, folder, path, samples, True),
                 lambda: through(rgw, link, rate, folder, path, samples,
                                 False)], turn)
            samples.add("direct, MB/s",
                        path.stat().st_size / direct / 1_000_000)
            samples.add("one large upload over slow links, time to direct",
                        early / direct)
            samples.add("the same without early_parts", late / direct)
            with client.wire() as wire:
                client.send(wire, "DELETE", path_of(basis.BUCKET, key))
                equal("DELETE", wire.answer().status, 204)


# ---- to a folder ------------------------------------------------------------

def form(size):
    before, after, length = large_form(size)
    start = head("POST", "/files", FORM, f"Content-Length: {length}")
    return basis.element(start + before, size, after)


def tus(size):
    name = b64encode(b"large.bin").decode()
    return basis.element(head(
        "POST", "/files/uploads", "Tus-Resumable: 1.0.0",
        f"Upload-Length: {size}", f"Upload-Metadata: filename {name}",
        "Content-Type: application/offset+octet-stream",
        f"Content-Length: {size}"), size)


class Folder:
    def __init__(self, folder, program, body):
        self.folder, self.program, self.body = folder, program, body

    def run(self, element, count, connections):
        """Seconds of the plan, and of the processor."""
        with Gateway({"server": {"workers": "auto"},
                      "uploads": {"max_bytes": "64MiB",
                                  "resumable": {"max_open": 0}}},
                     folder=tempfile.mkdtemp(dir=self.folder)) as gateway:
            done = subprocess.run(
                [self.program, str(urlsplit(gateway.url).port),
                 str(connections), self.body], input=element * count,
                stdout=subprocess.PIPE, check=False)
            equal("status of load", done.returncode, 0)
            cpu, folder = basis.cpu_of(gateway.pid), gateway.folder
        shutil.rmtree(folder, ignore_errors=True)
        return float(done.stdout), cpu

    def rounds(self, given, samples):
        gib = 16 * 50 * MIB / GIB
        for turn in range(given.rounds):
            by_form, by_tus = basis.measured(
                [lambda: self.run(form(50 * MIB), 16, 16),
                 lambda: self.run(tus(50 * MIB), 16, 16)], turn)
            samples.add("16 resumable uploads of 50 MiB, rate to forms",
                        by_form[0] / by_tus[0])
            samples.add("form, CPU s/GiB", by_form[1] / gib)
            samples.add("resumable, CPU s/GiB", by_tus[1] / gib)
            by_form, by_tus = basis.measured(
                [lambda: self.run(form(4 * KIB), given.small, 64),
                 lambda: self.run(tus(4 * KIB), given.small, 64)], turn)
            samples.add("4 KiB creations with upload, rate to forms",
                        by_form[0] / by_tus[0])
            samples.add("4 KiB forms, /s", given.small / by_form[0])
            samples.add("4 KiB form, CPU ms", 1000 * by_form[1] / given.small)
            samples.add("4 KiB creation, CPU ms",
                        1000 * by_tus[1] / given.small)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", help="where files go; default: /tmp")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=256,
                        help="MiB of the one large upload; default: 256")
    parser.add_argument("--rate", type=int, default=100,
                        help="MB/s of each link; default: 100")
    parser.add_argument("--small", type=int, default=4000,
                        help="uploads of 4 KiB a round; default: 4000")
    parser.add_argument("--only", default="links,folder",
                        help="of links, folder; default: both")
    return parser.parse_args()


def main():
    given, samples = arguments(), basis.Samples()
    basis.FIGURES = FIGURES
    os.environ.setdefault("S3_SERVER_STORE_BYTES", str(16 * GIB))
    basis.versions()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        if "folder" in given.only:
            body = Path(folder, "body")
            body.write_bytes(os.urandom(MIB))
            Folder(folder, basis.load_program(folder), body).rounds(
                given, samples)
        if "links" in given.only:
            with Rgw() as rgw:
                rgw.create(basis.BUCKET)
                over_links(given, rgw, folder, samples)
    failed = samples.table()
    print(f"\nload {os.getloadavg()[0]:.1f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

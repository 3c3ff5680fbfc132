#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Has a gateway serve all that it can be asked, for as long as one likes,
while everything happens to it that operators do: its configuration is read
again with changes, its log is rotated, its certificate is renewed, a new
process takes over, and it is killed and started again.

    soak.py             SLUICE_SOAK_SECONDS long, 45 if not said

The oracle judges every answer, and what is there after each life of a process;
other clients append to uploads, read ranges, use links, fetch archives and
delete many, and all that was acknowledged to them is read at the end.  Between
two bouts of load a process is looked at: its descriptors, its threads and its
memory stay what they were after the first bouts, within BOUNDS.

SLUICE is the gateway's binary, SLUICE_PLUGINS the folders of plugins.  The
exit status is 1 when something was found.
"""
import contextlib
import hashlib
import io
import json
import os
import random
import signal
import ssl
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "integration")]

# pylint: disable=wrong-import-position
from kit import (BINARY, FORM, KIB, SLOWNESS, Gateway,  # noqa: E402
                 Mismatch, Wire, equal, eventually, expect, field, file, form,
                 free_port, settings, written)
from oracle.client import Client  # noqa: E402
from oracle.load import CARRIED, Load  # noqa: E402
from oracle.objects import Objects  # noqa: E402
from oracle.record import Violation  # noqa: E402
from oracle.stages import Stage  # noqa: E402
from tlskit import Secure  # noqa: E402
from upgradekit import Keeping  # noqa: E402

SECONDS = float(os.environ.get("SLUICE_SOAK_SECONDS", "45"))
BOUT = 1.5  # seconds of load between two looks
LIFE = max(9.0, min(600.0, SECONDS / 5))  # of a process
WARM = 3  # bouts, until what a process keeps is there
BOUNDS = {"descriptors": 16, "threads": 0, "KiB of memory": 24 * KIB}
IN_USE = r"configuration \d+ is in use for new requests"
SAME = r"SIGHUP: hooks reload"  # the configuration is as it was
RENEWED = r"server\.tls\.certificate: \S+ was read again"
JSON = "Content-Type: application/json"
PARTIAL = "Content-Type: application/partial-upload"
LARGE = 400 * KIB
# A sanitizer keeps what was freed; here it shall not be taken for a leak.
SMALL = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
         ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}


class Unheard(Exception):
    """No answer came, as the gateway was killed."""


# ---- the gateway, and what is done to it ------------------------------------

class Place:
    """A folder, and the gateways that serve it one after the other."""

    def __init__(self, folder, seed):
        self.folder, self.dice = Path(folder), random.Random(seed)
        self.chain, self.key = (self.folder / f"tls.{end}"
                                for end in ("crt", "key"))
        self.log = self.folder / "access.json"
        self.port, self.turn, self.done = free_port(), 0, {}
        self.certify("localhost")
        self.url = f"unix:{folder}/files"
        self.gateway = self.start()

    certify = Secure.certify

    def sections(self):
        """One of several configurations, by whose turn it is."""
        hooks = [{"plugin": "log_json", "path": str(self.log)}]
        if self.turn % 3 == 1:
            hooks.append({"plugin": "log_combined",
                          "path": f"{self.folder}/access.log"})
        routes = [{"mount": "/files", "backend": "main"},
                  {"mount": "/other", "backend": "main"}]
        return {"server": {"workers": "2", "admin": f"unix:{self.folder}/adm",
                           "listen": [f"127.0.0.1:{self.port}", self.url],
                           "tls": {"certificate": str(self.chain),
                                   "private_key": str(self.key)}},
                "hooks": hooks, "routes": routes[:1 + self.turn % 2],
                "uploads": {"max_bytes": ("64MiB", "32MiB")[self.turn % 2]},
                "limits": {"memory": ("256MiB", "128MiB")[self.turn % 2]}}

    def start(self, *words):
        return Gateway(self.sections(), folder=self.folder, words=words,
                       env=SMALL)

    def count(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def hang_up(self, pattern):
        after = len(self.gateway.lines)
        self.gateway.signal(signal.SIGHUP)
        self.gateway.says(pattern, after=after)

    def reload(self):
        self.turn += 1
        written(self.folder, settings(self.folder, self.sections()))
        self.hang_up(IN_USE)
        self.count("reloads")

    def rotate(self):
        """Requests go to the new file, whose lines are whole."""
        old = self.folder / "access.json.1"
        self.log.rename(old)
        self.hang_up(SAME)
        eventually("a line of the new log", lambda: self.log.exists() and
                   self.log.stat().st_size > 0)
        for line in old.read_bytes().split(b"\n")[1:-1]:
            json.loads(line)
        self.count("rotations")

    def renew(self):
        self.certify("localhost")
        self.hang_up(RENEWED)
        self.count("certificates")

    def upgrade(self):
        old, self.gateway = self.gateway, None
        try:
            self.gateway = self.start("--takeover")
        except Mismatch:
            self.gateway = old
            raise
        old.stopped = True
        equal("exit status of the old one", old.wait(60 * SLOWNESS), 0)
        old.clean()
        self.count("upgrades")

    def fall(self):
        self.gateway.kill()
        self.count("kills")

    def look(self):
        """The process holds this much while nothing is asked."""
        return {"descriptors": len(self.gateway.quiet()),
                "threads": int(self.gateway.status("Threads")),
                "KiB of memory": int(self.gateway.status("VmRSS"))}


# ---- clients beside the oracle's --------------------------------------------

class Guest:
    """One client that does what the oracle's don't; it alone changes what is
    below its prefix, so that it knows what has to be there."""

    def __init__(self, number, seed):
        self.prefix, self.dice = f"x{number}", random.Random(seed)
        self.kept, self.doubt, self.half = {}, set(), None
        self.wire, self.place, self.counts = None, None, {}
        self.failure = None

    def ask(self, method, target, *lines, body=None):
        try:
            self.wire = self.wire or Keeping(self.place.url)
            answer = self.wire.ask(method, target, *lines, body=body)
        except (Mismatch, OSError) as why:
            self.close()
            if isinstance(why, OSError) or "the connection ended" in str(why):
                raise Unheard(f"{method} {target}: {why}") from None
            raise
        expect(answer.status < 500, f"{method} {target}: {answer.status} "
               f"{answer.body[:200]}")
        return answer

    def close(self):
        if self.wire and self.wire.wire:
            self.wire.wire.close()
        self.wire = None

    def json(self, method, target, document):
        return self.ask(method, target, JSON,
                        body=json.dumps(document).encode())

    def some(self):
        return self.dice.choice(sorted(self.kept)) if self.kept else None

    def data(self):
        return self.dice.randbytes(self.dice.choice((1, 900, 70_000, LARGE)))

    # -- what it does

    def upload(self):
        data = self.data()
        answer = self.ask("POST", "/files", FORM, body=form(
            field("prefix", self.prefix), file(data)))
        equal("upload", (answer.status, answer.error), (201, None))
        self.kept[answer.json["key"]] = data

    def put(self):
        data, key = self.data(), f"{self.prefix}/put {len(self.kept)}"
        self.kept.pop(key, None)
        self.doubt.add(key)
        answer = self.ask("PUT", f"/files/object?key={quote(key, safe='')}",
                          body=data)
        expect(answer.status in (200, 201), f"put: {answer.status}")
        self.doubt.discard(key)
        self.kept[key] = data

    def resume(self):
        """A third of an upload at a time, which goes on after a kill."""
        if self.half is None:
            data = self.dice.randbytes(LARGE)
            answer = self.ask(
                "POST", f"/files/uploads?prefix={self.prefix}",
                "Upload-Complete: ?0", body=b"")
            equal("an upload's start", answer.status, 201)
            where = answer.header("location")
            self.half = (urlsplit(where).path, data, Stage(where))
        where, data, stage = self.half
        call = stage.begin(self.prefix, "head")
        try:
            answer = self.ask("HEAD", where)
        except Unheard:
            stage.lose(call)
            raise
        at = self.staged(call, answer)
        if answer.header("upload-complete") == "?1":
            self.complete(where, data)
            return
        end = min(len(data), at + LARGE // 3 + 1)
        last = end == len(data)
        call = stage.begin(self.prefix, "append", at=at, size=end - at,
                           last=last)
        try:
            answer = self.ask("PATCH", where, PARTIAL, f"Upload-Offset: {at}",
                              f"Upload-Complete: ?{last:d}",
                              body=data[at:end])
        except Unheard:
            stage.lose(call)
            raise
        self.staged(call, answer)
        if last:
            self.complete(where, data)

    def staged(self, call, answer):
        offset = answer.header("upload-offset")
        offset = None if offset is None else int(offset)
        self.half[2].end(call, answer.status, offset,
                         answer.header("upload-complete") == "?1")
        return offset

    def complete(self, where, data):
        said = self.ask("GET", where).json
        expect(said["complete"], "it isn't complete")
        self.kept[said["object"]["key"]] = data
        self.half = None

    def range(self):
        key = self.some()
        if key is None:
            return
        data = self.kept[key]
        first = self.dice.randrange(len(data))
        last = self.dice.randrange(first, len(data))
        answer = self.ask("GET", "/files/download?key=" + quote(key, safe=""),
                          f"Range: bytes={first}-{last}")
        equal(f"a range of {key!r}", (answer.status, answer.body ==
                                      data[first:last + 1]), (206, True))

    def link(self):
        """It works once, and not again."""
        key = self.some()
        if key is None:
            return
        answer = self.json("POST", "/files/presign", {"key": key, "uses": 1})
        equal("presign", (answer.status, answer.error), (200, None))
        url = urlsplit(answer.json["url"])
        target = f"{url.path}?{url.query}"
        answer = self.ask("GET", target)
        equal("a link", (answer.status, answer.body == self.kept[key]),
              (200, True))
        equal("again", self.ask("GET", target).status, 403)

    def archive(self):
        keys = [self.some() for _ in range(3)]
        if None in keys:
            return
        answer = self.ask("GET", "/files/archive?" + urlencode(
            [("key", key) for key in sorted(set(keys))]))
        equal("archive", answer.status, 200)
        with zipfile.ZipFile(io.BytesIO(answer.body)) as inside:
            found = sorted(hashlib.md5(inside.read(one)).hexdigest()
                           for one in inside.namelist())
        equal("its files", found, sorted(
            hashlib.md5(self.kept[key]).hexdigest() for key in set(keys)))

    def thin(self):
        """Many are deleted at once, lest memory and disk fill up here."""
        if len(self.kept) < 12:
            return
        gone = self.dice.sample(sorted(self.kept), 6)
        for key in gone:
            self.kept.pop(key)
        self.doubt |= set(gone)
        answer = self.json("POST", "/files/delete", {"keys": gone})
        equal("delete", (answer.status, len(answer.json["failed"])), (200, 0))
        self.doubt -= set(gone)
        equal("deleted", self.ask(
            "GET", "/files/download?key=" + quote(gone[0], safe="")).status,
            404)

    def work(self, place, stop, dying):
        self.place = place
        acts = (self.upload, self.put, self.resume, self.resume, self.range,
                self.range, self.link, self.archive, self.thin)
        try:
            while not stop.is_set():
                act = self.dice.choice(acts)
                act()
                self.counts[act.__name__] = \
                    self.counts.get(act.__name__, 0) + 1
        except Unheard as why:
            if not dying:
                self.failure = f"lost an answer: {why}"
        except Exception as why:  # pylint: disable=broad-except
            self.failure = f"{self.prefix}: {type(why).__name__}: {why}"
        finally:
            self.close()

    def settle(self):
        if self.half:
            self.half[2].settle()

    def verify(self):
        """All that was acknowledged is there, whole."""
        for key, data in sorted(self.kept.items()):
            answer = self.ask("GET", "/files/download?key=" +
                              quote(key, safe=""))
            equal(f"{key!r}", (answer.status, answer.body == data),
                  (200, True))
        self.close()
        return len(self.kept)


# ---- a life -----------------------------------------------------------------

class Soak:
    def __init__(self, place, seed):
        self.place = place
        self.load = Load(Objects(md5_etags=True), seed, clients=3, kept=40,
                         names=3, named=CARRIED, stars=True)
        self.guests = [Guest(n, f"{seed}{n}") for n in range(2)]
        self.grown = dict.fromkeys(BOUNDS, 0)
        self.read = 0

    def bout(self, act, dying=False):
        """Everybody asks while `act` is done."""
        stop = threading.Event()
        threads = [threading.Thread(target=guest.work,
                                    args=(self.place, stop, dying))
                   for guest in self.guests]

        def until():
            for thread in threads:
                thread.start()
            try:
                time.sleep(BOUT / 3)
                act()
                time.sleep(0 if dying else 2 * BOUT / 3)
            finally:
                stop.set()
        self.load.run([self.place.url], until, dying)
        for thread in threads:
            thread.join()
        for guest in self.guests:
            if guest.failure:
                raise Violation(guest.failure)

    def judge(self):
        """Nobody else asks: all is read, and each history has an order."""
        with Client(self.load.oracle, self.place.url, "reader") as client:
            self.load.learn(client.read_all("t/"))
        with Wire(f"https://127.0.0.1:{self.place.port}",
                  tls=trust(self.place.chain)) as wire:
            equal("TLS", wire.ask("GET", "/healthz").status, 200)

    def life(self, until):
        """Until then, or longer: every act once, at least."""
        acts = [self.place.reload, self.place.rotate, self.place.renew]
        base, turn = None, 0
        while turn < WARM + len(acts) or time.monotonic() < until:
            self.bout(acts[turn % len(acts)])
            turn += 1
            if turn < WARM:
                continue
            seen = self.place.look()
            if turn == WARM:
                base = seen
            for what, most in BOUNDS.items():
                more = seen[what] - base[what]
                self.grown[what] = max(self.grown[what], more)
                expect(more <= most,
                       f"{seen[what]} {what} after {turn} bouts of a life, "
                       f"{base[what]} after {WARM}")
        self.judge()

    def run(self, seconds):
        end = time.monotonic() + seconds
        lives = 0
        while lives < 2 or time.monotonic() < end:
            self.life(min(end, time.monotonic() + LIFE))
            lives += 1
            if lives % 2:
                self.bout(self.place.upgrade)
            else:
                self.bout(self.place.fall, dying=True)
                self.load.oracle.settle()
                for guest in self.guests:
                    guest.settle()
                self.place.gateway = self.place.start()
            self.judge()
        self.read = sum(guest.verify() for guest in self.guests)


def trust(chain):
    """A client's side, which believes the certificate there is now."""
    return ssl.create_default_context(cafile=str(chain))


def told(soak, place, seconds, seed):
    counts = dict(soak.load.counts)
    for guest in soak.guests:
        for what, many in guest.counts.items():
            counts[what] = counts.get(what, 0) + many
    done = ", ".join(f"{many} {what}"
                     for what, many in sorted(place.done.items()))
    asked = ", ".join(f"{many} {what}"
                      for what, many in sorted(counts.items()))
    grown = ", ".join(f"{many} {what}" for what, many in soak.grown.items())
    print(f"{seconds:.0f} s, seed {seed}: {done}; {asked}; "
          f"{soak.load.oracle.checked} answers and list entries were checked, "
          f"{soak.read} other objects read at the end; nothing is missing and "
          f"nothing unexplained; a process grew by {grown} at most")


def main():
    if not BINARY:
        print("skipped: SLUICE names no program")
        return 77
    seed = sys.argv[1] if len(sys.argv) > 1 else os.urandom(4).hex()
    print(f"seed {seed}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sluice-soak-") as folder:
        place = Place(folder, seed)
        try:
            soak = Soak(place, seed)
            soak.run(SECONDS)
            place.gateway.stop()
        except (Mismatch, Violation) as found:
            print(f"FAIL seed {seed}: {found}")
            for line in place.gateway.told[-5:] if place.gateway else ():
                print("  " + line)
            return 1
        finally:
            if place.gateway:
                with contextlib.suppress(ProcessLookupError):
                    place.gateway.kill()
        told(soak, place, time.monotonic() - started, seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each call that the system may refuse, and each allocation, fails once: the
N-th in each of some scenarios, for every N until there are no more.  The
gateway says so or goes on; it never says that something is stored which isn't,
never ends and never hangs.  Where an allocation fails it may end by a line
that says so: such ends are counted, and what was acknowledged has to be there
after a start.

    faults.py [--every N] [--first N] [--most N] [--what calls|memory]
              [SCENARIO...]

SLUICE is the gateway's binary, SLUICE_PLUGINS the folders of plugins; nthfault
is looked for beside SLUICE, or is what NTHFAULT names.
"""
import argparse
import collections
import contextlib
import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "integration")]

# pylint: disable=wrong-import-position
from bucket import BUCKET, Emulator, sections as over_s3  # noqa: E402
from kit import (BINARY, Gateway, Mismatch, expect, settings,  # noqa: E402
                 written)

BUILD = Path(BINARY or ".").resolve().parent / "tests/crashpoints"
SMALL, LARGE = b"s" * 700, b"L" * 40_000
WHAT = {"calls": 1, "memory": 2}
PARTIAL = "Content-Type: application/partial-upload"
HANGS = 30
BEYOND = 4
NEVER = 1 << 30


class Order:
    """Tells the library, in a file that the gateway shares, what fails."""
    FORM = struct.Struct("=5i24s")

    def __init__(self, folder, library):
        self.path = Path(folder, "order")
        self.path.write_bytes(bytes(self.FORM.size))
        with open(self.path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), self.FORM.size)
        self.env = {"LD_PRELOAD": str(library), "NTH_FAULT": str(self.path)}

    def set(self, what, nth):
        self.shared[4:self.FORM.size] = struct.pack(
            "=4i24s", nth, 0, 0, 0, b"")
        self.shared[:4] = struct.pack("=i", what)

    def end(self):
        """How many there were, whether one failed, and its name."""
        self.shared[:4] = struct.pack("=i", 0)
        _, _, _, count, failed, name = self.FORM.unpack(self.shared[:])
        return count, failed, name.split(b"\0")[0].decode()


class Place:
    """A folder with a gateway, which is started anew where it has to be."""

    def __init__(self, order, folder, sections):
        self.order, self.folder, self.sections = order, folder, sections
        self.gateway, self.number, self.count = None, 0, 0

    def ready(self):
        """A gateway that takes uploads."""
        if self.gateway and self.gateway.process.poll() is None:
            with contextlib.suppress(Mismatch, OSError):
                if self.gateway.ask("GET", "/readyz").status == 200:
                    return self.gateway
        self.stop()
        self.gateway = Gateway(self.sections, folder=self.folder,
                               env=self.order.env)
        return self.gateway

    def stop(self):
        if self.gateway:
            self.gateway.kill()
        self.gateway = None

    def put(self, key, data):
        return self.gateway.ask("PUT", f"/files/object?key={key}",
                                body=data).status

    def get(self, key):
        answer = self.gateway.ask("GET", f"/files/download?key={key}")
        return answer.status, answer.body


# Each makes ready before the fault, acts under it, and gives what has to hold
# afterwards: {key: allowed bodies}, None for no object.

class Upload:
    def before(self, place):
        place.number += 1

    def act(self, place, truth):
        for kind, data in ("small", SMALL), ("large", LARGE):
            key = f"{kind}-{place.number}"
            truth[key] = {None, data}
            if place.put(key, data) in (200, 201):
                truth[key] = {data}


class Replace(Upload):
    def before(self, place):
        place.put("small", SMALL)
        place.put("large", LARGE)

    def act(self, place, truth):
        for key, old, new in (("small", SMALL, LARGE + b"x"),
                              ("large", LARGE, SMALL + b"x")):
            truth[key] = {old, new}
            if place.put(key, new) in (200, 201):
                truth[key] = {new}


class Download(Replace):
    def act(self, place, truth):
        truth.update({"small": {SMALL}, "large": {LARGE}})
        for key, data in ("small", SMALL), ("large", LARGE):
            status, body = place.get(key)
            expect(status != 200 or body == data, "200 with wrong bytes")
            expect(not 400 <= status < 500, f"{status}, which is to say that "
                   f"the client lacks something: {body[:200]}")


class List(Replace):
    def act(self, place, truth):
        truth.update({"small": {SMALL}, "large": {LARGE}})
        answer = place.gateway.ask("GET", "/files?prefix=")
        if answer.status == 200:
            keys = {one["key"] for one in answer.json["objects"]}
            expect({"small", "large"} <= keys, "a list lacks an object")


class Delete(Replace):
    def act(self, place, truth):
        for key, data in ("small", SMALL), ("large", LARGE):
            truth[key] = {data, None}
            if place.gateway.ask("DELETE", f"/files/object?key={key}"
                                 ).status == 204:
                truth[key] = {None}


class Stage(Upload):
    def act(self, place, truth):
        key = f"up/{place.number}"
        truth[key] = {None, LARGE}
        answer = place.gateway.ask(
            "POST", f"/files/uploads?key={key}", "Upload-Complete: ?0",
            f"Upload-Length: {len(LARGE)}", body=b"")
        if answer.status != 201:
            return
        where = answer.header("location")
        answer = place.gateway.ask("PATCH", where, PARTIAL, "Upload-Offset: 0",
                                   "Upload-Complete: ?0", body=LARGE[:20_000])
        if answer.status != 204:
            return
        answer = place.gateway.ask(
            "PATCH", where, PARTIAL, "Upload-Offset: 20000",
            "Upload-Complete: ?1", body=LARGE[20_000:])
        if answer.status == 201:
            truth.pop(key)
            truth[answer.json["key"]] = {LARGE}


class Reload(Replace):
    def act(self, place, truth):
        truth.update({"small": {SMALL}, "large": {LARGE}})
        place.gateway.signal(signal.SIGHUP)
        place.gateway.says(r"(?i)(configuration|reload)", 10,
                           after=len(place.gateway.told))


class Start(Replace):
    """Refused with a line that says why, or ready."""

    def before(self, place):
        super().before(place)
        place.stop()

    def act(self, place, truth):
        truth.update({"small": {SMALL}, "large": {LARGE}})
        path = written(place.folder, settings(place.folder, place.sections))
        log = Path(place.folder, "start.log")
        with open(log, "w", encoding="utf-8") as out:
            process = subprocess.Popen(
                [BINARY, "-c", str(path)], stdin=subprocess.DEVNULL,
                stderr=out, env={**os.environ, **place.order.env})
        try:
            until = time.monotonic() + HANGS
            while process.poll() is None and " ready" not in log.read_text():
                time.sleep(0.005)
                if time.monotonic() > until:
                    raise Hang("neither ready nor refused: " +
                               log.read_text()[-300:])
            process.terminate()
            status = process.wait(HANGS)
        except subprocess.TimeoutExpired:
            raise Hang("it doesn't stop") from None
        finally:
            process.kill()
            process.wait()
        scarce = "has no memory" in log.read_text()
        if status not in (0, 1, -signal.SIGTERM) and not scarce or \
                status == 1 and not log.read_text().strip():
            raise Mismatch(f"ended with {status}, and said "
                           f"{log.read_text()[-300:]!r}")


class Backup(Replace):
    def act(self, place, truth):
        truth.update({"small": {SMALL}, "large": {LARGE}})
        to = Path(place.folder, "backup")
        shutil.rmtree(to, ignore_errors=True)
        try:
            done = subprocess.run(
                [BINARY, "backup", "-c", str(place.gateway.path), str(to)],
                capture_output=True, text=True, check=False, timeout=HANGS,
                env={**os.environ, **place.order.env})
        except subprocess.TimeoutExpired:
            raise Hang("the backup hangs") from None
        place.order.shared[:4] = struct.pack("=i", 0)
        if done.returncode not in (0, 1, 2):
            raise Mismatch(f"backup ended with {done.returncode}")
        expect(done.returncode == 0 or done.stderr.strip() or
               done.stdout.strip(), "a backup fails without a word")
        if done.returncode == 0:
            expect(sum(one.is_file() for one in (to / "blobs").rglob("*")),
                   "a backup that succeeded lacks blobs")


class Hang(Mismatch):
    pass


class S3(Upload):
    """An upload over a storage of S3."""


SCENARIOS = {one.__name__.lower(): one for one in (
    Start, Upload, Replace, Download, List, Delete, Stage, Reload, Backup,
    S3)}


def check(place, truth):
    for key, allowed in truth.items():
        status, body = place.get(key)
        seen = body if status == 200 else None if status == 404 else status
        if seen not in allowed:
            raise Mismatch(f"{key} is {str(seen)[:40]!r}, which was not "
                           "to be")


def has_ended(gateway):
    """A crash takes a moment, as it is told first."""
    if any("the process crashes" in line for line in gateway.told):
        gateway.wait(HANGS)
    if gateway.process.poll() is None:
        return False
    gateway.wait(HANGS)  # what it told last is read
    return True


def one(place, scenario, what, nth):
    """One fault.  What failed, '' for nothing; raises what was found."""
    order = place.order
    place.stop()  # so that each fault meets the same calls
    place.ready()
    scenario.before(place)
    truth, gateway = {}, place.gateway
    order.set(WHAT[what], nth)
    began = time.monotonic()
    try:
        scenario.act(place, truth)
    except Hang:
        raise
    except (Mismatch, OSError) as why:
        if "wrong bytes" in str(why) or "lack" in str(why) or \
                "ended with" in str(why) or "without a word" in str(why):
            raise
        if time.monotonic() - began > HANGS:
            raise Hang(f"no answer in {HANGS} s: {why}") from None
    finally:
        place.count, failed, name = order.end()
    ended = place.gateway and has_ended(gateway)
    if ended and (what != "memory" or not any(
            "has no memory" in line for line in gateway.told)):
        raise Mismatch(f"the gateway ended with {gateway.process.poll()}: "
                       f"{gateway.told[-3:]}")
    place.ready()
    check(place, truth)
    return (name + ", an end" * bool(ended)) if failed else ""


def all_of(name, what, options, library):
    scenario, counts = SCENARIOS[name](), collections.Counter()
    troubles, s3 = [], None
    folder = tempfile.mkdtemp(prefix="sluice-faults-")
    sections = {"server": {"workers": "1"}}
    if name == "s3":
        s3 = Emulator("aws")
        s3.create(BUCKET)
        sections = over_s3(s3, more=sections, attempts="2")
    place = Place(Order(folder, library), folder, sections)
    nth, began = options.first, time.monotonic()
    try:
        # How many calls there are differs a little each time.
        one(place, scenario, what, NEVER)
        end = place.count + BEYOND
        while nth <= end and counts["faults"] != (options.most or -1):
            try:
                failed = one(place, scenario, what, nth)
                if not failed:
                    nth += options.every
                    continue
            except Mismatch as why:
                failed = place.order.end()[2] or "?"
                troubles.append(f"{name} {what} {nth} ({failed}): {why}")
                place.stop()
            counts["faults"] += 1
            counts[failed] += 1
            nth += options.every
    finally:
        place.order.end()
        place.stop()
        if s3:
            s3.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{name:9} {what:7} {counts.pop('faults', 0):5} faults up to "
          f"{nth} in {time.monotonic() - began:.0f} s, {len(troubles)} found; "
          + ", ".join(f"{many} {call}" for call, many in counts.most_common()),
          flush=True)
    for trouble in troubles[:8]:
        print("FAIL", trouble[:600], flush=True)
    return len(troubles)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--every", type=int, default=1)
    words.add_argument("--first", type=int, default=1)
    words.add_argument("--most", type=int, default=0)
    words.add_argument("--what", choices=list(WHAT), action="append")
    words.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS])
    options = words.parse_args()
    library = os.environ.get("NTHFAULT", BUILD / ".libs/nthfault.so")
    if not BINARY or not Path(library).exists():
        print("skipped: SLUICE names no program with its tests beside it")
        return 77
    found = sum(all_of(name, what, options, library)
                for name in options.scenario or SCENARIOS
                for what in options.what or WHAT)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

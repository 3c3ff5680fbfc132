#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every point at which the power may fail under the backend `local`, and all
that a disk may hold then, held to the oracle: what was acknowledged is there
and whole, nothing that was told is taken back, what was in doubt is old or new
and no mixture, and a start needs no hand.

    crashpoints.py [--every N] [--seed N] [--keep FOLDER] [--model MODEL]
                   [--without CALL] [SCENARIO...]

Each scenario (scenarios.py) is recorded once.  Then, after each N-th call of
it, the states that the models of disk.py allow are made in a folder, and the
program `looker` tells what a start finds there.  One in 300 is served by a
gateway as well, and looked at by `sluice check`.  A state that was refused is
left in FOLDER.  CALL is a sync that is taken out of the recording, as though
`local` had forgotten it: then something has to be refused.

SLUICE is the gateway's binary, SLUICE_PLUGINS the folders of plugins; LOOKER
and RECORDER are where the build has put them, if not beside SLUICE.
"""
import argparse
import collections
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "integration"),
                str(TESTS / "crashpoints")]

# pylint: disable=wrong-import-position
from disk import KINDS, cuts, records, write_out  # noqa: E402
from kit import BINARY, Gateway, Mismatch, run  # noqa: E402
from oracle.client import Client  # noqa: E402
from oracle.record import Violation  # noqa: E402
from scenarios import (SCENARIOS, SHM, Recording,  # noqa: E402
                       repair_by_hand)
from told import Past  # noqa: E402

BUILD = Path(BINARY or ".").resolve().parent / "tests/crashpoints"
SERVED_ONE_IN = 300


class Found:
    """Holds what a start found in a store, by the looker's lines."""

    def __init__(self):
        self.objects, self.stages, self.troubles = {}, [], []
        self.files = self.tmp = self.lost = self.rows = self.garbage = 0

    def take(self, line):
        kind, _, rest = line.partition(" ")
        if kind == "object":
            size, digest, etag, key = rest.split(" ", 3)
            self.objects[key] = (int(size), digest, etag)
        elif kind == "stage":
            _, size, complete, digest = rest.split(" ")
            self.stages.append((int(size), complete == "1", digest))
        elif kind == "files":
            self.files, self.tmp, self.lost = map(int, rest.split())
        elif kind == "rows":
            rows, _, garbage = rest.split(" ")
            self.rows, self.garbage = int(rows), int(garbage)
        else:
            self.troubles.append(line)


class Looker:
    """The program that looks at stores, started anew where it ends."""

    def __init__(self):
        self.process = None

    def look(self, folder):
        if self.process is None:
            self.process = subprocess.Popen(
                [os.environ.get("LOOKER", BUILD / "looker")],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, errors="replace")
        found = Found()
        self.process.stdin.write(f"{folder}\n")
        self.process.stdin.flush()
        while (line := self.process.stdout.readline()) != "end\n":
            if not line:
                found.troubles.append(
                    f"the start ended with {self.process.wait()}")
                self.process = None
                break
            found.take(line.rstrip("\n"))
        found.objects = {key: one for key, one in found.objects.items()
                         if not key.startswith(".sluice")}
        return found

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def fingerprint(state):
    sums = hashlib.blake2b(digest_size=16)
    for path in sorted(state):
        if path == "data/lock":
            continue
        sums.update(path.encode())
        if state[path] is not None:
            mode, data = state[path]
            sums.update(b"%o %d " % (mode, len(data)))
            sums.update(data)
    return sums.digest()


class Points:
    """All points of one recording under one model."""

    def __init__(self, recording, model, options):
        self.recording, self.disk = recording, KINDS[model]()
        self.dice, self.options = random.Random(options.seed), options
        self.looker, self.seen, self.judged = Looker(), {}, set()
        self.counts = collections.Counter()
        self.troubles, self.events = [], 0
        self.scratch = tempfile.mkdtemp(prefix="sluice-state-", dir=SHM)
        self.folder = Path(self.scratch, "disk")

    def focus(self):
        """The last one, which is where the points that matter begin."""
        marks = [at for at, event in enumerate(self.recording.told.events, 1)
                 if event[0] == "focus"]
        return marks[0] if marks else 0

    def run(self):
        first, number = self.focus(), 0
        for words, data in records(self.recording.trace):
            if words[0] == "mark":
                self.events = int(words[1])
            elif words[0] != self.options.without:
                self.disk.take(words, data)
                self.counts["calls"] += 1
            if self.events < first:
                continue
            number += 1
            if number % self.options.every == 0 or words[0] == "mark":
                self.point()
        self.looker.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def point(self):
        self.counts["points"] += 1
        for state in cuts(self.disk, self.dice):
            mark = fingerprint(state)
            if (mark, self.events) in self.judged:
                continue
            self.judged.add((mark, self.events))
            self.judge(state, mark)

    def judge(self, state, mark):
        if mark not in self.seen:
            self.seen[mark] = self.look(state)
        self.counts["verdicts"] += 1
        try:
            Past(self.recording.told, self.events,
                 self.recording.stages).check(self.seen[mark])
        except Violation as why:
            self.refuse(state, str(why))

    def look(self, state):
        self.counts["states"] += 1
        write_out(state, self.folder)
        if self.recording.repairs:
            repair_by_hand(self.folder)
        found = self.looker.look(self.folder / "data")
        if self.counts["states"] % SERVED_ONE_IN == 0 and not found.troubles:
            write_out(state, self.folder)
            self.serve(found)
        return found

    def serve(self, found):
        """By a gateway, and `sluice check` has nothing to say after it."""
        self.counts["served"] += 1
        if self.recording.repairs:
            repair_by_hand(self.folder)
        try:
            with Gateway(folder=self.folder) as gateway:
                keys = gateway.keys("")
        except Mismatch as why:
            found.troubles.append(f"a gateway doesn't start: {why}")
            return
        if sorted(keys) != sorted(found.objects):
            found.troubles.append(f"a gateway lists {sorted(keys)}")
        status, out, err = run("check", "-c", self.folder / "sluice.yaml")
        if status != 0:
            found.troubles.append(f"check says {out}{err}")

    def refuse(self, state, why):
        self.troubles.append(why)
        if self.options.keep and len(self.troubles) <= 5:
            write_out(state, Path(self.options.keep,
                                  f"{len(self.troubles)}"))


def judge(name, model, recording, options):
    began = time.monotonic()
    points = Points(recording, model, options)
    points.run()
    counts = points.counts
    print(f"{name:14} {model:8} {counts['calls']:6} calls "
          f"{counts['points']:6} points {counts['states']:7} states "
          f"{counts['verdicts']:7} verdicts {counts['served']:4} served "
          f"{time.monotonic() - began:6.1f} s  {len(points.troubles)} refused",
          flush=True)
    kinds = collections.Counter(why.split("; the history")[0][:300]
                                for why in points.troubles)
    for why, many in kinds.most_common(4):
        print(f"FAIL {name} {model}: {many} times: {why}", flush=True)
    return counts, len(points.troubles)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--every", type=int, default=1)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--keep")
    words.add_argument("--without", choices=["sync", "datasync", "syncdir"])
    words.add_argument("--model", choices=list(KINDS), action="append")
    words.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS])
    options = words.parse_args()
    recorder = os.environ.get("RECORDER", BUILD / ".libs/recorder.so")
    if not BINARY or not Path(recorder).exists():
        print("skipped: SLUICE names no program with its tests beside it")
        return 77
    all_counts, troubles = collections.Counter(), 0
    for name in options.scenario or SCENARIOS:
        recording = Recording(str(recorder), options.seed)
        try:
            SCENARIOS[name](recording)
            for model in options.model or KINDS:
                counts, bad = judge(name, model, recording, options)
                all_counts.update(counts)
                troubles += bad
        finally:
            recording.remove()
    print(", ".join(f"{many} {what}" for what, many in all_counts.items()) +
          f"; {troubles} refused")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())

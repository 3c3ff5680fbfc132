#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `cache` while many clients read one key that others replace: no
answer is older than what was acknowledged before it was asked for, and each is
whole, and of its ETag."""
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
# pylint: disable=wrong-import-position
from cachekit import Cached, at, breaches  # noqa: E402
import kit  # noqa: E402
from kit import MIB, each, equal, expect, request, test  # noqa: E402

SECONDS = 3
READERS = 12
SIZES = (100, 5_000, 40_000, 300_000, 1_200_000)


def version(number):
    """Each is of its number alone, and as long as the number says."""
    word = b"%08d," % number
    size = SIZES[number % len(SIZES)]
    return (word * (size // len(word) + 1))[:size]


class Storm:
    """Whoever finds something wrong says so in `wrong`."""

    def __init__(self, gate, mount="/files", remove=False):
        self.gate, self.mount, self.remove = gate, mount, remove
        self.acked, self.begun, self.reads = 0, 0, 0
        self.wrong, self.etags = [], {}
        self.until = time.monotonic() + SECONDS
        self.write()
        threads = [threading.Thread(target=self.guard, args=(what,))
                   for what in [self.writes] + [self.readers] * READERS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal("wrong", self.wrong[:3], [])
        expect(self.acked > 5 and self.reads > 20,
               f"{self.acked} writes, {self.reads} reads are too few")

    def guard(self, what):
        try:
            what()
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(repr(error))

    def write(self):
        self.begun += 1
        answer = self.gate.ask("PUT", at("k", self.mount),
                               body=version(self.begun))
        equal("put", answer.status // 100, 2)
        self.acked = self.begun

    def writes(self):
        while time.monotonic() < self.until and not self.wrong:
            self.write()
            if self.remove and self.acked % 3 == 0:
                self.gate.ask("DELETE", at("k", self.mount))

    def readers(self):
        with self.gate.wire() as wire:
            while time.monotonic() < self.until and not self.wrong:
                floor = self.acked
                wire.send(request("GET", at("k")))
                self.judge(wire.answer(), floor)
                self.reads += 1

    def judge(self, answer, floor):
        if answer.status == 404 and self.remove:
            return
        equal("status", answer.status, 200)
        number = int(answer.body[:8])
        etag = answer.header("etag")
        if number < floor:
            self.wrong.append(f"{number} though {floor} was acknowledged")
        if answer.body != version(number):
            self.wrong.append(f"the bytes aren't those of {number}")
        if self.etags.setdefault(etag, number) != number:
            self.wrong.append(f"{etag} is of two versions")


@each({"believed": {"ttl": "1h"}, "asked_for": {"ttl": "0s"},
       "one_loop": {"ttl": "1h", "workers": 1},
       "without_room": {"ttl": "1h", "max_size": "1MiB"}})
def test_nothing_older_than_what_was_acknowledged(options):
    with Cached(**options) as gate:
        Storm(gate)
        expect(gate.used() <= 1024 * MIB, "used")
        equal("breaches", breaches(gate), [])


@test
def test_nothing_older_while_it_is_removed_now_and_then():
    with Cached(ttl="1h") as gate:
        Storm(gate, remove=True)
        equal("breaches", breaches(gate), [])


@test
def test_changes_made_elsewhere_are_found_by_asking_each_time():
    with Cached(ttl="0s") as gate:
        Storm(gate, "/below")
        equal("breaches", breaches(gate), [])


if __name__ == "__main__":
    kit.main()

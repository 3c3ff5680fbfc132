#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The model of uploads that are made once: what it lets pass and what not;
and a gateway that is killed at random moments while they are retried."""
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]),
                str(Path(__file__).resolve().parents[1] / "integration")]

# pylint: disable=wrong-import-position
from kit import (FORM, Gateway, Mismatch, each, equal, expect,  # noqa: E402
                 field, file, form, main, test)
from oracle.once import REPLAYED, Once, check_listed  # noqa: E402
from oracle.record import Violation  # noqa: E402

QUICK = {"limits": {"backend_timeout": "1s"}, "server": {"workers": "2"}}
KILLS, CLIENTS, UPLOADS = 12, 4, 12
FIRST, AGAIN = (201, "k"), (201, "k", True)


# ---- the model --------------------------------------------------------------

@each({"one": [FIRST], "again": [FIRST, AGAIN, AGAIN],
       "a lost answer": [(502,), AGAIN, (409,), AGAIN],
       "busy": [(409,), (503,), FIRST]})
def test_histories_that_may_be(answers):
    once = Once("x")
    for answer in answers:
        once.said(*answer)
    check_listed([once], ["k"])


@each({"two objects": [FIRST, (201, "l", True)], "two firsts": [FIRST, FIRST],
       "another content": [FIRST, (422,)], "refused": [(400,)]})
def test_histories_that_may_not_be(answers):
    once = Once("x")
    try:
        for answer in answers:
            once.said(*answer)
    except Violation:
        return
    raise Mismatch("the model lets it pass")


@each({"none": [], "another": ["l"], "one more": ["k", "l"]})
def test_objects_that_may_not_be(keys):
    once = Once("x")
    once.said(*FIRST)
    try:
        check_listed([once], keys)
    except Violation:
        return
    raise Mismatch("the model lets it pass")


# ---- a gateway --------------------------------------------------------------

class Upload:
    def __init__(self, name, chance):
        self.once = Once(name)
        self.data = chance.randbytes(chance.choice((5, 20_000, 300_000)))
        self.raw = chance.random() < 0.5

    def send(self, gateway):
        line = f"Idempotency-Key: {self.once.name}"
        if self.raw:
            answer = gateway.ask(
                "POST", "/files/uploads?filename=a.bin&prefix=t", line,
                body=self.data)
        else:
            answer = gateway.ask("POST", "/files", FORM, line, body=form(
                file(self.data), field("prefix", "t")))
        key = answer.json["key"] if answer.status == 201 else None
        self.once.said(answer.status, key,
                       answer.header(REPLAYED) == "true")

    def retry(self, gateway, until):
        """As a client does that lost its gateway, or its answer."""
        while not until():
            try:
                self.send(gateway)
            except (OSError, Mismatch):
                return  # it was killed
            if self.once.made and random.random() < 0.5:
                return


def round_of(folder, uploads, chance):
    """Several clients each upload each, until a kill."""
    gateway = Gateway(QUICK, folder=folder)
    end = time.monotonic() + chance.uniform(0.02, 0.5)
    ended = []

    def client(mine):
        for upload in mine:
            upload.retry(gateway, lambda: bool(ended))
    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            tasks = [pool.submit(client, chance.sample(uploads, len(uploads)))
                     for _ in range(CLIENTS)]
            while time.monotonic() < end:
                time.sleep(0.005)
            gateway.process.kill()
            ended.append(True)
            for task in tasks:
                task.result()
    finally:
        gateway.kill()


def made_at_last(gateway, uploads):
    end = time.monotonic() + 20
    left = list(uploads)
    while left:
        expect(time.monotonic() < end, f"{len(left)} uploads are never made")
        for upload in left:
            upload.send(gateway)
        left = [upload for upload in left if not upload.once.made]
    for upload in uploads:
        upload.send(gateway)


@test
def test_each_is_made_once_whenever_the_gateway_is_killed():
    seed = os.environ.get("ONCE_SEED", os.urandom(4).hex())
    chance = random.Random(seed)
    print(f"ONCE_SEED={seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        uploads = []
        for kill in range(KILLS):
            uploads += [Upload(f"{kill}-{number}", chance)
                        for number in range(UPLOADS)]
            round_of(folder, uploads[-2 * UPLOADS:], chance)
        with Gateway(QUICK, folder=folder) as gateway:
            made_at_last(gateway, uploads)
            check_listed([upload.once for upload in uploads], gateway.keys())
            for upload in uploads:
                equal("bytes", gateway.download(upload.once.key).body,
                      upload.data)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random requests of several clients, every answer of which is held to the
oracle: over `local` with kills in between, and over S3 with answers that are
lost.  e2e/crash.py is the long form of the first.

MIXED_SEED makes a run's requests those of another run; when each happens is
the machine's.
"""
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]),
                str(Path(__file__).resolve().parents[1] / "e2e")]

# pylint: disable=wrong-import-position
import crash  # noqa: E402
from bucket import (BUCKET, DIALECTS, Emulator, gateway,  # noqa: E402
                    seconds)
from kit import Gateway, each, expect, main, test  # noqa: E402
from oracle.client import Client  # noqa: E402
from oracle.load import CARRIED, Load  # noqa: E402
from oracle.objects import Objects  # noqa: E402

KILLS = 5
SMALL = (0, 1, 100, 5_000, 40_000)
LOST = [{"match": {"method": "PUT"}, "do": "lost-answer"},
        {"match": {"method": "DELETE"}, "do": "lost-answer"},
        {"match": {"method": "PUT"}, "do": "502 BadGateway", "when": "after"},
        {"match": {"method": "GET"}, "do": "500"}]


def seeded(md5_etags=False, **words):
    seed = os.environ.get("MIXED_SEED") or os.urandom(4).hex()
    print(f"seed {seed}", flush=True)
    return Load(Objects(md5_etags=md5_etags), seed, **words)


@test
def test_answers_before_and_after_kills_are_explained():
    load = seeded(md5_etags=True, kept=20, names=4, named=CARRIED, stars=True)
    with tempfile.TemporaryDirectory(prefix="sluice-mixed-") as folder:
        crash.rounds(folder, load, KILLS)
    expect(load.oracle.calls > 50, "hardly anything was asked")
    expect(not load.oracle.undecided, "a history was not decided")


@test
def test_answers_of_four_loops_are_explained():
    load = seeded(md5_etags=True, clients=8, kept=3, sizes=SMALL, names=3,
                  named=CARRIED, stars=True)
    with Gateway(crash.WORKERS) as running:
        load.run([running.url], lambda: time.sleep(2))
        with Client(load.oracle, running.url, "reader") as client:
            client.read_all("t/")
    expect(not load.oracle.undecided, "a history was not decided")


@each(DIALECTS)
def test_answers_over_s3_that_loses_answers_are_explained(dialect):
    load, s3 = seeded(clients=4, kept=10, sizes=SMALL,
                      faulty=True), Emulator(dialect)
    s3.create(BUCKET)
    try:
        with gateway(s3, attempts="1", retry_time=seconds(2)) as one, \
                gateway(s3, attempts="2", retry_time=seconds(2)) as other:
            for fault in LOST:
                s3.faults({**fault, "times": 3, "nth": 5})
            load.run([one.url, other.url], lambda: time.sleep(1))
            expect(s3.faults_fired(), "no fault was met")
            s3.control("DELETE", "faults")
            load.oracle.settle()
            with Client(load.oracle, one.url, "reader") as client:
                client.read_all("t/")
    finally:
        s3.stop()


if __name__ == "__main__":
    main()

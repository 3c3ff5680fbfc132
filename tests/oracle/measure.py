#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Up to which size the checker of `linear` answers, and how long it takes.

    python3 tests/oracle/measure.py [CLIENTS OPERATIONS]...
"""
import random
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

# pylint: disable=wrong-import-position
from oracle.linear import Undecided, explain  # noqa: E402
from oracle.record import (ABSENT, ANY, IN, KEEP, PRESENT, Call,  # noqa: E402
                           Step, Version)

SIZES = ((4, 200), (8, 1000), (16, 200), (16, 1000), (24, 200), (32, 200),
         (64, 200))


def concurrent(clients, count, seed, wrong=False, unheard=0.002):
    """The history of one key that `clients` use at once, `count` times each,
    over a storage that keeps the contract: each call takes effect at a moment
    between its beginning and its end.  With `wrong` one read in the middle
    tells of what was overwritten before."""
    dice = random.Random(seed)
    moments = []
    for client in range(clients):
        now = dice.random()
        for _ in range(count):
            began = now
            ended = began + dice.expovariate(1)
            moments.append((began + (ended - began) * dice.random(), client,
                            began, ended))
            now = ended + dice.expovariate(4)
    state, steps, past = None, [], []
    for moment, client, began, ended in sorted(moments):
        call = Call(client, "x", began)
        kind, sure = dice.random(), dice.random() >= unheard
        version = Version(str(len(steps)), 1)
        if kind < 0.3:
            ways = [((PRESENT,) if state else (ABSENT,), version)]
            if not sure:
                ways = [((ANY,), version)]
            past.append((moment, state))
            state = version
        elif kind < 0.4:
            ways, state = [((ANY,), None)], None
        elif kind < 0.5:
            ways = [((ABSENT,), version)] if not state else \
                [((PRESENT,), KEEP)]
            if not sure:
                ways = [((ABSENT,), version)]
            state = state or version
        else:
            old = next((one for at, one in reversed(past)
                        if one and at < began - 8), None)
            if wrong and old and len(steps) > clients * count // 2:
                wrong, seen = False, old
            else:
                seen = state
            ways = [((IN, frozenset([seen])) if seen else (ABSENT,), KEEP)]
            sure = True
        call.ended = ended if sure else call.ended
        steps.append(Step(call, ways, sure))
    mark_seen(steps)
    return steps


def mark_seen(steps):
    """A version that was read was written by then."""
    made = {to: step for step in steps for _, to in step.ways
            if isinstance(to, Version)}
    for step in steps:
        if not step.changes and step.ways[0][0][0] == IN:
            for version in step.ways[0][0][1]:
                maker = made[version]
                maker.seen = min(maker.seen, step.ended)


def main():
    numbers = list(map(int, sys.argv[1:]))
    for clients, count in zip(numbers[::2], numbers[1::2]) if numbers \
            else SIZES:
        for wrong in False, True:
            steps = concurrent(clients, count, 1, wrong)
            started = time.monotonic()
            try:
                said = "refuted" if explain(steps, [None]) else "explained"
            except Undecided as why:
                said = f"undecided: {why}"
            print(f"{clients} clients x {count}, "
                  f"{'one wrong answer' if wrong else 'all right'}: {said} "
                  f"in {time.monotonic() - started:.2f} s", flush=True)


if __name__ == "__main__":
    main()

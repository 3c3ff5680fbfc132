#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checker of registers agrees with the search that tries every order."""
import itertools
import random
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "integration")]

# pylint: disable=wrong-import-position
from kit import each, equal, expect, main, test  # noqa: E402
from oracle.register import Op, fault  # noqa: E402

W, R = True, False
HISTORIES = {  # began, ended, value, writes: is there an order?
    "nothing": ([], True),
    "one after the other": ([(0, 1, "a", W), (2, 3, "a", R)], True),
    "read while it is written": ([(0, 9, "a", W), (1, 2, "a", R)], True),
    "read too early": ([(2, 3, "a", W), (0, 1, "a", R)], False),
    "never written": ([(0, 1, "a", R)], False),
    "stale": ([(0, 1, "a", W), (2, 3, "b", W), (4, 5, "a", R)], False),
    "stale, the write in doubt": ([(0, 1, "a", W), (2, float("inf"), "b", W),
                                   (4, 5, "b", R), (6, 7, "a", R)], False),
    "there and back": ([(0, 9, "a", W), (0, 9, "b", W), (1, 2, "a", R),
                        (3, 4, "b", R), (5, 6, "a", R)], False),
    "either way": ([(0, 9, "a", W), (0, 9, "b", W), (1, 2, "a", R),
                    (3, 4, "b", R)], True),
    "a read amid another's time": ([(0, 1, "a", W), (0, 9, "b", W),
                                    (4, 5, "b", R), (6, 7, "a", R)], False)}


@each(HISTORIES)
def test_history(case):
    rows, good = case
    equal("fault", fault([Op(*row) for row in rows]) is None, good)


def brute(ops):
    """Is there an order?  Each that keeps to the times is tried."""
    for order in itertools.permutations(ops):
        value, ok = None, True
        for at, op in enumerate(order):
            if any(later.ended < op.began for later in order[at + 1:]):
                ok = False
                break
            if op.writes:
                value = op.value
            elif op.value != value:
                ok = False
                break
        if ok:
            return True
    return False


def scrambled(dice):
    times = dice.sample(range(100), 12)
    ops = []
    for number in range(6):
        began, ended = sorted(times[2 * number:2 * number + 2])
        writes = number < 3
        value = number if writes else dice.randrange(3)
        ops.append(Op(began, ended, value, writes))
    return ops


@test
def test_it_agrees_with_trying_every_order():
    dice, found = random.Random(7), {True: 0, False: 0}
    for _ in range(800):
        ops = scrambled(dice)
        want = brute(ops)
        equal(f"{[str(op) for op in ops]}", fault(ops) is None, want)
        found[want] += 1
    expect(min(found.values()) > 100, f"one-sided histories: {found}")


if __name__ == "__main__":
    main()

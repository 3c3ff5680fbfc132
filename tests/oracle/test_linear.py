#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checker of one key's history: what is linearizable, what isn't, and that
it agrees with trying every order."""
import itertools
import random
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]),
                str(Path(__file__).resolve().parents[1] / "integration")]

# pylint: disable=wrong-import-position
from kit import each, equal, expect, main, test  # noqa: E402
from oracle.linear import Undecided, explain, linearizable  # noqa: E402
from oracle.measure import concurrent  # noqa: E402
from oracle.record import (ABSENT, ANY, IN, KEEP, PRESENT, Call,  # noqa: E402
                           Step, Version, fits)

ONE, TWO, THREE = (Version(name, 1) for name in ("1", "2", "3"))


def step(began, ended, *ways, sure=True, limit=None):
    call = Call("c", "x", began)
    if sure:
        call.ended = ended
    if limit is not None:
        call.limit = limit
    return Step(call, list(ways), sure)


def write(began, ended, version, need=(ANY,), **words):
    return step(began, ended, (need, version), **words)


def read(began, ended, version):
    need = (ABSENT,) if version is None else (IN, frozenset([version]))
    return step(began, ended, (need, KEEP))


def create(began, ended, version, **words):
    return write(began, ended, version, (ABSENT,), **words)


def swap(began, ended, old, new):
    return write(began, ended, new, (IN, frozenset([old])))


def lost(began, version, limit=None, need=(ANY,)):
    return write(began, 0, version, need, sure=False, limit=limit)


def moved(began, ended, version):
    """A move's share in its source's history: first it reads, then it removes
    what it read, or finds nothing."""
    look = read(began, ended, version)
    gone = step(began, ended, ((IN, frozenset([version, None])), None))
    gone.after = step(began, ended)  # the write of the target, elsewhere
    gone.after.after = look
    return [gone, look]


GOOD = {
    "nothing": [],
    "a write between a move's read and its removal, then a delete":
        [write(0, 1, ONE), *moved(2, 9, ONE), write(3, 4, TWO),
         write(5, 6, None), read(7, 8, None)],
    "two moves at once": [write(0, 1, ONE), *moved(2, 9, ONE),
                          *moved(3, 8, ONE), read(10, 11, None)],
    "reads around a write": [read(0, 1, None), write(2, 3, ONE),
                             read(4, 5, ONE)],
    "either value while a write runs":
        [write(0, 1, ONE), write(2, 9, TWO), read(3, 4, ONE),
         read(5, 6, TWO)],
    "a write that takes effect after a later one began":
        [write(0, 9, ONE), write(1, 8, TWO), read(2, 3, TWO),
         read(4, 5, ONE)],
    "a lost write that happens late":
        [write(0, 1, ONE), lost(2, TWO), read(3, 4, ONE), read(5, 6, ONE),
         read(7, 8, TWO)],
    "a lost write that never happens":
        [write(0, 1, ONE), lost(2, TWO), read(50, 60, ONE)],
    "a lost write that was over, and happened before":
        [write(0, 1, ONE), lost(2, TWO, limit=5), read(6, 7, TWO)],
    "create after a lost delete":
        [write(0, 1, ONE), lost(2, None), create(3, 4, TWO)],
    "one of three creates":
        [create(0, 9, ONE), step(1, 8, ((PRESENT,), KEEP)),
         step(2, 7, ((PRESENT,), KEEP)), read(10, 11, ONE)],
    "create, delete, create at once":
        [create(0, 9, ONE), create(0, 9, TWO), write(0, 9, None)],
    "swaps in a chain that was begun backwards":
        [swap(0, 9, TWO, THREE), swap(1, 9, ONE, TWO), write(2, 9, ONE),
         read(10, 11, THREE)],
    "200 says that something was there":
        [lost(0, ONE), write(1, 2, TWO, (PRESENT,)), read(3, 4, TWO)],
}

BAD = {
    "a move that removes what it didn't read":
        [write(0, 1, ONE), *moved(2, 9, ONE), write(3, 8, TWO, (PRESENT,)),
         read(10, 11, None)],
    "a move that removes before it reads":
        [write(0, 3, ONE), *moved(2, 9, ONE), read(4, 5, ONE),
         read(10, 11, ONE)],
    "lost update": [write(0, 1, ONE), write(2, 3, TWO), read(4, 5, ONE)],
    "new, then old": [write(0, 1, ONE), write(2, 9, TWO), read(3, 4, TWO),
                      read(5, 6, ONE)],
    "new, then old, by two overlapping writes":
        [write(0, 3, ONE), write(0, 3, TWO), read(4, 5, ONE),
         read(6, 7, TWO)],
    "two winners": [create(0, 9, ONE), create(0, 9, TWO), read(10, 11, ONE)],
    "acknowledged and gone": [write(0, 1, ONE), read(2, 3, None)],
    "deleted and back": [write(0, 1, ONE), write(2, 3, None),
                         read(4, 5, ONE)],
    "gone for a moment": [write(0, 1, ONE), read(2, 3, None),
                          read(4, 5, ONE)],
    "seen before it was written": [read(0, 1, ONE), write(2, 3, ONE)],
    "a lost write after its time was over":
        [write(0, 1, ONE), lost(2, TWO, limit=3), read(4, 5, ONE),
         read(6, 7, TWO)],
    "a lost write twice":
        [lost(0, TWO), read(1, 2, TWO), write(3, 4, ONE), read(5, 6, TWO)],
    "two swaps of one version":
        [write(0, 1, ONE), swap(2, 9, ONE, TWO), swap(2, 9, ONE, THREE)],
    "201 though something was there":
        [write(0, 1, ONE), create(2, 3, TWO)],
    "200 though nothing was there": [write(0, 1, TWO, (PRESENT,))],
}


@each(GOOD)
def test_history_is_linearizable(steps):
    equal("why not", explain(steps, [None]), None)


@each({word: steps for word, steps in BAD.items()})
def test_history_is_not_linearizable(steps):
    # Somebody who saw a lost write knows that it happened, as in the model.
    for one in steps:
        for other in steps:
            if not one.sure and not other.changes and one.changes and \
                    other.ways[0][0] == (IN, frozenset([one.ways[0][1]])):
                one.seen = min(one.seen, other.ended)
    expect(explain(steps, [None]), "an order was found")


def brute(steps):
    """Tries every order, and every choice of what happened."""
    may = [one for one in steps if not one.certain]
    must = [one for one in steps if one.certain]
    for count in range(len(may) + 1):
        for some in itertools.combinations(may, count):
            for order in itertools.permutations(must + list(some)):
                if any(later.ended < earlier.began for at, earlier
                       in enumerate(order) for later in order[at + 1:]):
                    continue
                if any(earlier.after is later or earlier.after and
                       earlier.after.after is later for at, earlier
                       in enumerate(order) for later in order[at + 1:]):
                    continue
                states = {None}
                for one in order:
                    states = {state if to is KEEP else to for state in states
                              for need, to in one.ways if fits(need, state)}
                if states:
                    return True
    return False


def scrambled(random_, kinds=8):
    versions = [Version(str(at), 1) for at in range(4)]
    steps = []
    for at in range(random_.randrange(2, 7)):
        began = random_.randrange(20)
        ended = began + random_.randrange(1, 9)
        kind = random_.randrange(kinds)
        if kind < 2 and at < 4:
            steps.append(write(began, ended, versions[at], random_.choice(
                [(ANY,), (ABSENT,), (PRESENT,)])))
        elif kind == 2:
            steps.append(write(began, ended, None))
        elif kind == 3 and at < 4:
            steps.append(lost(began, random_.choice([None, versions[at]]),
                              random_.choice([None, ended])))
        elif kind == 4 and at < 4:
            steps.append(swap(began, ended, random_.choice(versions),
                              versions[at]))
        elif kind == 5 and at < 4:
            steps += moved(began, ended, random_.choice(versions))
        else:
            steps.append(read(began, ended, random_.choice(
                [None, None, *versions])))
    return steps[:6]


@each({"all kinds": 8, "mostly writes": 4})
def test_search_agrees_with_trying_every_order(kinds):
    found = {True: 0, False: 0}
    for seed in range(3500):
        steps = scrambled(random.Random(seed), kinds)
        want = brute(steps)
        equal(f"seed {seed}: {[str(one) for one in steps]}",
              linearizable(steps), want)
        found[want] += 1
    expect(min(found.values()) > 500, f"one-sided histories: {found}")


@test
def test_many_clients_on_one_key_are_decided():
    steps = concurrent(16, 50, seed=5)
    equal("why not", explain(steps, [None]), None)


@test
def test_one_wrong_answer_among_many_is_found():
    for seed in range(10):
        steps = concurrent(16, 50, seed=seed, wrong=True)
        expect(explain(steps, [None]), f"seed {seed}: an order was found")


@each({"that many": (17, True), "one more": (18, False)})
def test_creates_between_many_lost_deletes_are_decided(words):
    count, possible = words
    steps = [lost(at / 100, None) for at in range(16)] + \
        [create(2 * at + 1, 2 * at + 2, Version(str(at), 1))
         for at in range(count)]
    equal("whether", explain(steps, [None]) is None, possible)


@test
def test_search_beyond_its_limit_says_so():
    steps = [lost(0, Version(str(at), 1), need=(PRESENT,))
             for at in range(12)] + \
        [create(0, 99, ONE)] + [read(100, 101, TWO)]
    try:
        explain(steps, [None], limit=50)
    except Undecided:
        return
    expect(False, "it was decided")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No two servers disagree where a request ends while Sluice has a handler do
it: in the short form of `run` beside it, with fixed seeds.  Whatever isn't
installed is skipped."""
import functools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

# pylint: disable=wrong-import-position
import behind  # noqa: E402
import classes  # noqa: E402
import downgrade  # noqa: E402
import streams  # noqa: E402
from kit import each, expect, main, needs, test  # noqa: E402
from origins import ORIGINS, beside, of_sluice  # noqa: E402

BESIDE, BEHIND = range(300), range(40)


def same(names):
    return {name: name for name in names}


@functools.cache
def sent():
    place = streams.Place()
    return classes.table(place) + [streams.made(seed, place)
                                   for seed in BESIDE]


@functools.cache
def ours():
    return of_sluice(sent())


def none(found):
    expect(not found, f"seeds {BESIDE}, {BEHIND}; {len(found)} disagreements: "
           f"{found and found[0]}")


@test
def test_most_rows_are_refused_and_what_is_plain_is_taken():
    """Else nothing is compared."""
    taken = {stream.name for stream, reached in zip(sent(), ours())
             if len(reached) > 1 and reached[0].state != "refused"}
    plain = {"plain length", "plain chunks", "a request as a body"}
    rows = len(classes.table(streams.Place()))
    expect(plain <= taken, f"taken: {taken}")
    expect(len(taken & {row.name for row in sent()[:rows]}) < rows / 2, taken)


@each(same(ORIGINS))
def test_beside_an_origin_requests_end_where_it_ends_them(name):
    _, figures = beside(name, sent(), ours())
    none(figures.found)
    expect(figures.ended > 50, f"only {figures.ended} were taken by both")


@each(same(behind.KINDS))
def test_behind_a_front_requests_are_those_that_it_sent(name):
    with behind.Behind(name) as front:
        figures = behind.ask(front, classes.table(front.place) + [
            streams.made(seed, front.place) for seed in BEHIND])
        none(figures.found)
        expect(figures.handed_on > 50, f"only {figures.handed_on} came")


@each(same(behind.KINDS))
def test_behind_a_front_of_http_2_they_are_too(name):
    needs(name != "Varnish", "Varnish speaks no TLS")
    with behind.Behind(name) as front:
        figures = behind.ask_h2(front, downgrade.table(front.place) + [
            downgrade.made(seed, front.place) for seed in BEHIND])
        none(figures.found)
        expect(figures.handed_on > 50, f"only {figures.handed_on} came")


if __name__ == "__main__":
    main()

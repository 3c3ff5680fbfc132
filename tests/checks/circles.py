#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No objects of core form a circle, by the symbols that each needs of another:
what can't be taken apart can't be tested or understood apart.  circles.txt has
the stems of those that still do, and may only become shorter."""
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import objects  # noqa: E402

TABLE = objects.SOURCES / "tests/checks/circles.txt"


def edges(defined, needed):
    """{source: {other: symbols that it needs of it}}"""
    home = {symbol: name for name, those in defined.items()
            for symbol, letter in those.items() if letter.isupper()}
    graph = {name: {} for name in defined}
    for name, those in needed.items():
        for symbol in those:
            other = home.get(symbol, name)
            if other != name:
                graph.setdefault(name, {}).setdefault(other, set()).add(symbol)
    return graph


def reached(graph, start):
    seen, rest = set(), [start]
    while rest:
        for other in graph.get(rest.pop(), ()):
            if other not in seen:
                seen.add(other)
                rest.append(other)
    return seen


def circles(graph):
    """Sets of sources that reach each other, sorted."""
    reach = {name: reached(graph, name) for name in graph}
    rest, found = set(graph), []
    for name in sorted(graph):
        if name in rest and name in reach[name]:
            found.append(sorted(other for other in reach[name]
                                if name in reach.get(other, ())))
            rest.difference_update(found[-1])
    return found


def show(circle, graph):
    print(f"{len(circle)} objects form a circle:")
    for name in circle:
        for other in sorted(set(graph[name]) & set(circle)):
            some = sorted(graph[name][other])
            more = f" and {len(some) - 3} more" if len(some) > 3 else ""
            print(f"  {name} needs {', '.join(some[:3])}{more} of {other}")


def main():
    paths = objects.found(Path.cwd(), "core")
    if not paths or not shutil.which("nm"):
        print("skipped: nothing is built here")
        sys.exit(77)
    graph = edges(*objects.symbols(paths))
    known = {line for line in TABLE.read_text().splitlines()
             if line and not line.startswith("#")}
    found, members = circles(graph), set()
    for circle in found:
        show(circle, graph)
        members |= {Path(name).stem for name in circle}
    for stem in sorted(members - known):
        print(f"{stem}.c is new in a circle: cut it out, by handing down a "
              "function or moving what both need below them")
    for stem in sorted(known - members):
        print(f"{stem}.c is in no circle any more: remove its line from "
              "tests/checks/circles.txt")
    sys.exit(members != known)


main()

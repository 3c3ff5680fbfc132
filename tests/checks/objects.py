# SPDX-License-Identifier: MIT
"""Reads what objects define and need, by nm: for circles.py and names.

Objects are called by their sources, as in "core/base/buf.c"."""
import os
import subprocess
from collections import defaultdict
from pathlib import Path

SOURCES = Path(os.environ.get("srcdir") or Path(__file__).parents[2])


def source(path, build):
    """build/core/base/.libs/libbase_la-buf.o is of core/base/buf.c."""
    folder = path.parent if path.parent.name != ".libs" else path.parents[1]
    stem = path.stem.rpartition("-")[2]
    return str(folder.relative_to(build) / f"{stem}.c")


def found(build, *folders):
    """The objects below these folders, one of each source that is there."""
    paths = {}
    for folder in folders:
        for path in sorted(Path(build, folder).rglob("*.o")):
            name = source(path, build)
            if Path(SOURCES, name).exists():
                paths.setdefault(name, path)
    return paths


def symbols(paths):
    """Of each source: its defined symbols with nm's letter, and its undefined
    ones."""
    defined, needed = defaultdict(dict), defaultdict(set)
    for name, path in paths.items():
        said = subprocess.run(["nm", "-P", str(path)], check=True,
                              capture_output=True, text=True).stdout
        for line in said.splitlines():
            symbol, letter = line.split()[:2]
            if letter in "Uw":
                needed[name].add(symbol)
            else:
                defined[name][symbol] = letter
    return defined, needed

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How the program and its plugins were compiled and linked: what makes a
mistake in them hard to use.  Read from the files themselves, by readelf."""
import platform
import re
import shutil
import subprocess
from pathlib import Path

from kit import (BINARY, PLUGINS, SOURCES, Skip, equal, expect, like, main,
                 needs, test)


def readelf(path, *words):
    needs(shutil.which("readelf"), "readelf")
    return subprocess.run(["readelf", "-W", *words, str(path)], check=True,
                          capture_output=True, text=True).stdout


def plugins():
    """Those of this build that are installed; tests' are no plugins of it."""
    return sorted(path for folder in PLUGINS if "/tests/" not in folder
                  for path in Path(folder).glob("*.so"))


def objects():
    return [Path(BINARY), *plugins()]


def symbols(path):
    return readelf(path, "--dyn-syms")


def optimized():
    """Sanitizers have guards of their own, and no fortified calls."""
    text = symbols(BINARY)
    if re.search(r"__[at]san_", text):
        raise Skip("a build with sanitizers")
    if "__snprintf_chk" not in text and "__memcpy_chk" not in text:
        config = Path(BINARY).parent / "config.log"
        flags = config.read_text() if config.exists() else ""
        if re.search(r"^CFLAGS='[^']*-O[0g]?\b", flags, re.M):
            raise Skip("a build that doesn't optimize")


def each_object(check):
    for path in objects():
        try:
            check(path)
        except Exception as error:
            raise type(error)(f"{path.name}: {error}") from error


@test
def test_program_is_loaded_anywhere():
    like("its type", readelf(BINARY, "-h"), r"Type:\s+DYN")
    like("its flags", readelf(BINARY, "-d"), r"FLAGS_1\S*\s+.*PIE")


@test
def test_tables_of_addresses_are_read_only_from_the_start():
    def check(path):
        like("its parts", readelf(path, "-l"), r"GNU_RELRO")
        like("its flags", readelf(path, "-d"), r"BIND_NOW|Flags:.*NOW")
    each_object(check)


@test
def test_no_part_is_both_written_and_run():
    def check(path):
        rows = re.findall(r"^\s+(\w+)\s+0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ (.{3})",
                          readelf(path, "-l"), re.M)
        expect(rows, "it has no parts")
        equal("written and run", [row for row in rows if "W" in row[1]
                                  and "E" in row[1]], [])
        equal("the stack", [rights for name, rights in rows
                            if name == "GNU_STACK"], ["RW "])
    each_object(check)


@test
def test_nothing_is_patched_in_code():
    each_object(lambda path: expect(
        "TEXTREL" not in readelf(path, "-d"), "its code is written to"))


@test
def test_stacks_are_guarded():
    """Of what has arrays on its stack; the smallest plugins have none."""
    optimized()
    among = [path for path in objects() if path.name in (
        "sluice", "local.so", "s3.so", "auth_basic.so", "auth_jwt.so")]
    for path in among:
        like(path.name, symbols(path), "__stack_chk_fail")


@test
def test_calls_of_the_library_are_fortified():
    optimized()
    like("its symbols", symbols(BINARY), r"__(memcpy|snprintf|vsnprintf)_chk")


@test
def test_jumps_and_returns_are_checked_by_a_processor_that_can():
    """Control-flow enforcement, of what is compiled here: the program as a
    whole has the property only where the system's own beginning of programs
    has it, which Debian 12's hasn't."""
    optimized()
    needs(platform.machine() == "x86_64", "a processor that knows CET")
    made = sorted(str(path) for path in Path(BINARY).parent.glob(
        "core/*/.libs/*.o"))
    needs(made, "the objects of a build")
    notes = re.split(r"^File: ", readelf(made[0], "-n", *made[1:]), flags=re.M)
    without = [note.split("\n")[0] for note in notes[1:]
               if not re.search(r"x86 feature:.*IBT.*SHSTK", note)]
    equal("objects without it", without, [])


def facts():
    """The names of all tests, in Python and in C."""
    names = set()
    for path in [*SOURCES.glob("tests/**/test_*.py"),
                 *SOURCES.glob("plugins/**/test_*.py"),
                 *SOURCES.glob("tests/unit/test_*.c")]:
        names |= {path.name, path.stem}
        names |= set(re.findall(r"^(?:def|static void) (test_\w+)\(",
                                path.read_text(), re.M))
    names |= {path.stem for path in SOURCES.glob("tests/fuzz/fuzz_*.c")}
    return names


@test
def test_each_test_that_the_page_on_security_names_is_there():
    page = (SOURCES / "docs/security.md").read_text()
    named = set(re.findall(r"`((?:test|fuzz)_\w+(?:\.py)?)`", page))
    expect(len(named) > 50, "the page names few tests")
    equal("not there", sorted(named - facts()), [])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/writing-a-layer.md does what it says: its code is taken out, built
outside of the sources with what is installed, and stands on a storage."""
import re
from pathlib import Path

from outside import installed, ran, serves

import kit
from guide import Guide, code_lines
from kit import SOURCES, each, equal, expect, like, main, test

MOST = {"calm.c": 40, "meter.c": 80}  # lines of code, fewer than these
PAGE = Guide(Path(SOURCES, "docs/writing-a-layer.md"))


@test
def test_page_has_both_layers_and_their_configurations():
    equal("files", PAGE.extracted(installed().scratch()),
          ["calm.c", "calm.yaml", "meter.c", "meter.yaml"])


@each({name: name for name in MOST})
def test_layer_is_no_longer_than_it_says(name):
    folder = installed().scratch()
    PAGE.extracted(folder)
    count = len(code_lines((folder / name).read_text()))
    expect(count < MOST[name], f"{count} lines of code in {name}")


@each({f"{name}_{compiler}_{standard}": (name, compiler, standard)
       for name in MOST for compiler in ("gcc", "clang")
       for standard in ("c11", "c17")})
def test_layer_compiles_without_a_warning(case):
    name, compiler, standard = case
    folder = installed().scratch()
    PAGE.extracted(folder)
    installed().compiled(compiler, standard, [name], out="x.so",
                         folder=folder)


@test
def test_layer_keeps_the_contract():
    """By the command that the page has for it."""
    folder = PAGE.afternoon()
    command, = [text for words, text in PAGE.blocks() if words == "sh check"]
    said = ran(["sh", "-eu", "-c", command], cwd=folder, env=installed().env)
    like("its end", said, r"\d+ passed, 0 failed")


@test
def test_calm_layer_reads_and_refuses():
    with PAGE.gateway("calm.yaml") as gateway:
        answer = gateway.ask("PUT", "/disk/object?key=a", body=b"hello")
        equal("put below", answer.status, 201)
        equal("bytes", gateway.ask("GET", "/files/object?key=a").body,
              b"hello")
        for answer in (
                gateway.ask("PUT", "/files/object?key=b", body=b"x"),
                gateway.ask("POST", "/files", kit.FORM,
                            body=kit.form(kit.file())),
                gateway.json("DELETE", "/files", {"key": "a"}),
                gateway.ask("DELETE", "/files/object?key=a", "If-Match: *"),
                gateway.json("POST", "/files/copy", {"from": "a",
                                                     "to": "c"})):
            equal("status", answer.status, 403)
        equal("keys", gateway.keys(""), ["a"])


@test
def test_meter_counts_what_goes_through():
    with PAGE.gateway("meter.yaml") as gateway:
        serves(gateway)
        before = len(gateway.lines)
        expect(before, "it logs")
        data = bytes(300000)
        gateway.ask("PUT", "/files/object?key=a", body=data)
        equal("bytes", gateway.ask("GET", "/files/object?key=a").body, data)
        equal("copy", gateway.json("POST", "/files/copy", {
            "from": "a", "to": "b"}).status, 201)
    told = re.search(r"\[counted\] (\d+) bytes in, (\d+) bytes out",
                     " ".join(gateway.told))
    expect(told and int(told[1]) >= 300000 and int(told[2]) >= 300000,
           gateway.told[-5:])


if __name__ == "__main__":
    main()

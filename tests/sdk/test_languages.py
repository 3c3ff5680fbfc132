#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins in other languages, as docs/other-languages.md shows them: built
outside of the sources, with what `make install` leaves alone, and asked."""
import os
import shutil
from pathlib import Path

from outside import HERE, installed, ran, serves

from kit import equal, main, needs, test

SOURCES = Path(HERE, "languages")
ONE = {"workers": "1"}


def scratch(*names):
    """A folder of its own with these sources."""
    kit = installed()
    folder = kit.scratch()
    for name in names:
        shutil.copy(SOURCES / name, folder)
    return kit, folder


def refuses_programs(gateway):
    for data, status in (b"MZ\x90\0", 403), (b"M", 201), (b"ZM", 201):
        answer = gateway.ask("PUT", "/files/object?key=p/" + str(len(data)),
                             body=data)
        equal(f"status of {data}", answer.status, status)


@test
def test_hook_in_cxx_sees_bytes():
    kit, folder = scratch("sieve.cc")
    kit.compiled("g++", "c++20", ["sieve.cc"], out=folder / "sieve.so",
                 folder=folder)
    with kit.gateway([folder], server=ONE,
                     hooks=[{"plugin": "sieve"}]) as gateway:
        refuses_programs(gateway)
        serves(gateway)


@test
def test_hook_in_go_sees_bytes_and_answers():
    needs(shutil.which("go"), "no go (Debian: golang-go)")
    kit, folder = scratch("go.mod", "tally.go", "tally.c")
    env = {**kit.env, "GOFLAGS": "-mod=mod", "GOPROXY": "off",
           "GOTOOLCHAIN": "local", "CGO_ENABLED": "1",
           "CGO_LDFLAGS": "-Wl,--unresolved-symbols=ignore-all"}
    ran(["go", "build", "-buildmode=c-shared", "-o", "tally.so", "."],
        cwd=folder, env=env)
    with kit.gateway([folder], server=ONE,
                     hooks=[{"plugin": "tally"}]) as gateway:
        for before in range(3):
            answer = gateway.ask("GET", "/files?prefix=t/")
            equal("X-Before", answer.header("x-before"), str(before))
        refuses_programs(gateway)
        gateway.says(r"\[tally\] request \w+: Programs aren't taken$")
        serves(gateway)


@test
def test_backend_in_rust_stands_on_another():
    needs(shutil.which("rustc"), "no rustc (Debian: rustc)")
    kit, folder = scratch("keep.rs")
    ran(["rustc", "--edition", "2021", "--crate-type", "cdylib", "-C",
         "panic=abort", "-C", "opt-level=1", "-D", "warnings", "-o",
         "keep.so", "keep.rs"], cwd=folder,
        env={**kit.env, "HOME": os.environ.get("HOME", "/")})
    with kit.gateway([folder], server=ONE, backends={
            "disk": {"plugin": "local", "directory": str(folder / "data")},
            "main": {"plugin": "keep", "over": "disk", "directory": None}}
            ) as gateway:
        serves(gateway)
        for key, status in ("keep/a", 403), ("t/a", 200):
            gateway.ask("PUT", f"/files/object?key={key}", body=b"hello")
            equal(key, gateway.ask("DELETE", f"/files/object?key={key}")
                  .status, status)
        for line in gateway.lines:
            equal("complaint", "breaks the contract" in line, False)


if __name__ == "__main__":
    main()

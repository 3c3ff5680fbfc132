#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The container's second stage installs each library that the gateway or a
plugin is linked with.  tests/e2e/container runs it; this is what changes when
a library comes, and takes a second."""
import re
import shutil
import subprocess
from pathlib import Path

from kit import BINARY, PLUGINS, SOURCES, equal, main, needs, test

OF_COMPILERS = re.compile(r"ld-linux|lib(asan|ubsan|tsan|gcov|gcc_s)\b")


def said(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def libraries():
    files = [BINARY, *(str(path) for folder in PLUGINS
                       for path in Path(folder).glob("*.so"))]
    return {name for name in re.findall(r"NEEDED +(\S+)",
                                        said("objdump", "-p", *files))
            if not OF_COMPILERS.search(name)}


def installed():
    """Packages of the last stage, and libc6, which all need."""
    text = Path(SOURCES, "config/container/Containerfile").read_text()
    stage = text[text.rindex("\nFROM "):].replace("\\\n", " ")
    words = re.search(r"--no-install-recommends ([^&]+)", stage)[1]
    return {"libc6", *words.split()}


@test
def test_second_stage_has_each_library():
    needs(shutil.which("objdump") and shutil.which("dpkg-query"),
          "no objdump, or no dpkg-query")
    needs("VERSION_CODENAME=bookworm" in Path("/etc/os-release").read_text(),
          "another system than the container's")
    names = libraries()
    owners = said("dpkg-query", "-S", *(f"*/{name}" for name in names))
    found = {line.rpartition("/")[2] for line in owners.splitlines()
             if line.partition(":")[0] in installed()}
    equal("libraries of none of its packages", names - found, set())


if __name__ == "__main__":
    main()

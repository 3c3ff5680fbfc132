#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A confined helper finds of each file what file(1) finds without a cell, and
no file ends it; and what is corrected is so by each way."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
from kit import each, equal, expect, main, needs, test  # noqa: E402
from samples import samples  # noqa: E402
from sniffkit import PNG, helpers, put, sniffing  # noqa: E402
from ways import WAYS, copy, stored  # noqa: E402

# Of ELF the library reads on, and says more, where it has the file itself.
AS_BYTES = {"application/x-pie-executable": "application/x-sharedlib"}
FOUND = re.compile(r"The file is (\S+) by its content; taken are: "
                   r"application/x-none")


def by_file(folder, files):
    """The words of file(1) for all of them, in one run."""
    paths = []
    for number, data in enumerate(files.values()):
        paths.append(Path(folder, f"{number:03}"))
        paths[-1].write_bytes(data)
    said = subprocess.run(
        ["file", "-b", "--mime-type", *paths], check=True, text=True,
        capture_output=True, timeout=60, env={"LC_ALL": "C", "TZ": "UTC0"})
    lines = (line.split(",")[0] for line in said.stdout.split("\n"))
    return {name: AS_BYTES.get(line, line) for name, line in zip(files, lines)}


def by_hook(gateway, files):
    """All are refused, and each refusal names what was found."""
    found = {}
    for name, data in files.items():
        answer = put(gateway, data)
        match = FOUND.fullmatch(answer.error or "")
        found[name] = match[1] if match else (answer.status, answer.error)
    return found


@test
def test_each_type_is_found_as_file_finds_it_and_ends_no_helper():
    needs(shutil.which("file"), "no file(1) (Debian: file)")
    with tempfile.TemporaryDirectory() as folder:
        files = samples(folder)
        want = by_file(folder, files)
        expect(len(set(want.values())) > 60, "they are of many types")
        with sniffing(allow=["application/x-none"], processes="1") as gateway:
            gateway_found = by_hook(gateway, files)
            for name in files:
                equal(name, gateway_found[name], want[name])
            equal("helpers", len(helpers(gateway)), 1)
            equal("ends", [line for line in gateway.lines
                           if "has ended" in line or "was started" in line],
                  [])


# ---- corrected --------------------------------------------------------------

def type_of(gateway, key):
    return gateway.ask("HEAD", f"/files/download?key={key}").header(
        "content-type")


@each(WAYS)
def test_type_is_corrected_by_each_way(way):
    """Their name says `.bin`, or nothing; none says that it is a picture."""
    with sniffing(mismatch="correct") as gateway:
        way(gateway, PNG)
        [key] = stored(gateway)
        equal("type", type_of(gateway, key), "image/png")


@test
def test_copy_and_move_keep_the_corrected_type():
    with sniffing(mismatch="correct") as gateway:
        equal("status", put(gateway, PNG, "text/plain").status, 201)
        equal("copy", copy(gateway, "t/a.bin", "t/b.bin").status, 201)
        equal("type", type_of(gateway, "t/b.bin"), "image/png")
        equal("move", gateway.ask(
            "POST", "/files/move", "Content-Type: application/json",
            body=b'{"from": "t/b.bin", "to": "t/c.bin"}').status, 201)
        equal("type", type_of(gateway, "t/c.bin"), "image/png")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""The things a stranger has: Sluice as `make install` leaves it, in a scratch
folder, and a folder outside of its sources.  For the tests beside this file.
"""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import Mismatch, brief, expect, needs  # noqa: E402

BUILD = Path(kit.BINARY or "/").parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
HERE = Path(__file__).parent


def ran(command, **options):
    """Its stdout; it must end well."""
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL,
                          capture_output=True, **options)
    expect(done.returncode == 0, f"{command}: status {done.returncode}: " +
           brief((done.stdout + done.stderr).decode(errors="replace")))
    return done.stdout.decode()


class Installed:
    """`make install` of this build, below a folder of its own."""

    def __init__(self):
        needs(shutil.which("make"), "no make")
        needs(shutil.which("pkg-config"), "no pkg-config")
        needs((BUILD / "Makefile").exists(), "the gateway has no build folder")
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-sdk-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        root = self.folder / "root"
        env = {name: value for name, value in os.environ.items()
               if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        ran(["make", "-s", "-C", BUILD, "install", f"DESTDIR={root}"], env=env)
        found = list(root.rglob("sluice.pc"))
        expect(len(found) == 1, f"sluice.pc: {found}")
        # As it was moved after it was configured, it is told where it is: by
        # a pkg-config that does so always.
        shim = self.folder / "bin"
        shim.mkdir()
        (shim / "pkg-config").write_text(
            f"#!/bin/sh\nPKG_CONFIG_PATH='{found[0].parent}' exec "
            f"'{shutil.which('pkg-config')}' --define-prefix \"$@\"\n")
        (shim / "pkg-config").chmod(0o755)
        self.root = root
        self.env = {**env, "PATH": f"{shim}:{os.environ['PATH']}"}
        self.binary = next(path for path in root.rglob("sluice")
                           if path.parent.name == "bin")
        self.env["PATH"] = f"{self.binary.parent}:{self.env['PATH']}"
        self.count = 0

    def pkg(self, *words):
        return ran(["pkg-config", *words, "sluice"], env=self.env).split()

    def shared(self, pattern):
        """The one installed path that ends so."""
        found = [path for path in self.root.rglob("*")
                 if str(path).endswith(pattern)]
        expect(len(found) == 1, f"installed {pattern}: {found}")
        return found[0]

    def scratch(self):
        self.count += 1
        path = self.folder / f"scratch-{self.count}"
        path.mkdir()
        return path

    def compiled(self, compiler, standard, sources, out=None, folder=None):
        """With every warning an error; without `out` only looked at."""
        needs(shutil.which(compiler), f"no {compiler}")
        make = ["-shared", "-fPIC", "-o", str(out)] if out \
            else ["-fsyntax-only"]
        ran([compiler, f"-std={standard}", *WARNINGS, *make,
             *self.pkg("--cflags"), *map(str, sources)], cwd=folder,
            env=self.env)

    def gateway(self, folders, **sections):
        """The installed program, with plugins of the installed folder and of
        these."""
        kit.BINARY = str(self.binary)
        path = [*map(str, folders), *self.pkg("--variable=plugindir")]
        return kit.Gateway({"plugin_path": path, **sections})


_made = []


def installed():
    """One for all tests of a program; what failed once isn't tried again."""
    if not _made:
        try:
            _made.append(Installed())
        except (Mismatch, kit.Skip) as trouble:
            _made.append(trouble)
    if isinstance(_made[0], Exception):
        raise _made[0]
    return _made[0]


def serves(gateway, *lines, mount="/files"):
    """Uploads, lists, downloads and deletes, with these request headers."""
    data = os.urandom(100000)
    body = kit.form(kit.field("prefix", "t"), kit.file(data, "a b.bin"))
    answer = gateway.ask("POST", mount, kit.FORM, *lines, body=body)
    kit.equal("upload", (answer.status, answer.error), (201, None))
    key = answer.json["key"]
    where = f"{mount}/download?key={kit.quote(key, safe='')}"
    answer = gateway.ask("GET", where, *lines)
    kit.equal("download", (answer.status, answer.body == data), (200, True))
    kit.like("its name", answer.header("content-disposition"), "a b.bin")
    answer = gateway.ask("GET", where, "Range: bytes=10-19", *lines)
    kit.equal("range", (answer.status, answer.body), (206, data[10:20]))
    answer = gateway.ask("GET", f"{mount}?prefix=t/", *lines)
    kit.equal("list", [thing["key"] for thing in answer.json["objects"]],
              [key])
    answer = gateway.ask("DELETE", mount, "Content-Type: application/json",
                         *lines, body=kit.json.dumps({"key": key}).encode())
    kit.equal("delete", answer.status, 200)
    kit.equal("what is gone", gateway.ask("GET", where, *lines).status, 404)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The memory of a gateway that runs, as a core dump would have it: what
clients proved themselves by isn't there when their requests are over, nor the
files of hashes that were read, and there is no core dump."""
import base64
import os
import resource
import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from kit import (BINARY, Gateway, Skip, equal, eventually, expect, main,
                 needs, test)


def memory(pid):
    """All that a core dump could hold, region by region."""
    needs(os.geteuid() == 0, "only root reads the memory of another process")
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            fields = line.split()
            first, last = (int(end, 16) for end in fields[0].split("-"))
            if fields[1].startswith("r") and "[vv" not in line:
                try:
                    yield os.pread(mem.fileno(), last - first, first)
                except OSError:
                    continue


def found(pid, texts):
    """The names of those that are there."""
    pattern = {name: text.encode() for name, text in texts.items()}
    names = set()
    for region in memory(pid):
        names |= {name for name, text in pattern.items() if text in region}
    return names


def basic(name, password):
    return base64.b64encode(f"{name}:{password}".encode()).decode()


def guarded(folder, password):
    hashed = subprocess.run(["openssl", "passwd", "-6", password],
                            capture_output=True, text=True, check=True)
    users = Path(folder, "users")
    users.touch(mode=0o600)
    users.write_text(f"alice:{hashed.stdout}")
    return {"hooks": [{"plugin": "auth_basic", "file": str(users),
                       "operations": ["*"], "prefixes": ["t/"]}]}


@test
def test_credentials_are_gone_when_the_requests_are_over():
    password, wrong = secrets.token_hex(16), secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder, \
            Gateway(guarded(folder, password)) as gateway:
        good, bad = basic("alice", password), basic("alice", wrong)
        texts = {"password": password, "its header": good, "wrong": wrong,
                 "wrong's header": bad}
        for _ in range(3):
            equal("good", gateway.ask("GET", "/files?prefix=t/",
                                      f"Authorization: Basic {good}").status,
                  200)
            equal("bad", gateway.ask("GET", "/files?prefix=t/",
                                     f"Authorization: Basic {bad}").status,
                  401)
        eventually("nothing of them is there",
                   lambda: not found(gateway.pid, texts))


@test
def test_credentials_of_a_large_head_are_gone_too():
    token = secrets.token_hex(16)
    with Gateway() as gateway:
        lines = [f"X-{i}: {'x' * 1000}" for i in range(20)]
        equal("status", gateway.ask("GET", "/files?prefix=t/",
                                    f"Authorization: Bearer {token}",
                                    *lines).status, 200)
        eventually("nothing of it is there",
                   lambda: not found(gateway.pid, {"token": token}))


@test
def test_search_finds_what_is_there():
    """Else the facts above would say nothing."""
    token = secrets.token_hex(16)
    with Gateway({"links": {"secret": token}}) as gateway:
        equal("found", found(gateway.pid, {"secret": token}), {"secret"})


def dumps(sections):
    """Did the kernel write a core dump of a gateway that crashed?"""
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(sections, folder=folder, before=[
            "prlimit", f"--core={most}", "env", f"--chdir={folder}"])
        os.kill(gateway.pid, signal.SIGABRT)
        _, status = os.waitpid(gateway.pid, 0)
        gateway.process.returncode = -signal.SIGABRT
        return os.WCOREDUMP(status)


@test
def test_crash_writes_no_core_dump():
    expect(not dumps({}), "it was written")


@test
def test_core_dumps_are_written_where_they_are_wanted():
    needs(resource.getrlimit(resource.RLIMIT_CORE)[1] != 0, "core dumps")
    if not dumps({"server": {"core_dumps": "true"}}):
        raise Skip("this system writes none at all")


def sanitized():
    """Their shadow is larger than any memory, and they want core dumps."""
    program = Path(BINARY).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


if __name__ == "__main__":
    if BINARY and sanitized():
        print("skipped: a build with sanitizers")
        sys.exit(77)
    main()

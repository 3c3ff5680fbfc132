#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `cache` and its directory: what a crash, a power cut, a full disk
or somebody else makes of it is never told as an object."""
import contextlib
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
# pylint: disable=wrong-import-position
from cachekit import Cached, asks, breaches, whole  # noqa: E402
import kit  # noqa: E402
from kit import (KIB, MIB, SLOWNESS, Mismatch, each, equal, eventually,
                 expect, faulty, needs, refusal, test)  # noqa: E402

SMALL, LARGE = b"hello " * 500, os.urandom(300 * KIB)


Folder = tempfile.TemporaryDirectory


def filled(folder, **objects):
    """A gateway has run there, and read these."""
    with Cached(folder=folder) as gate:
        for key, data in objects.items():
            gate.put(key, data)
            whole(gate, key, data)
        eventually("entries", lambda: len(gate.entries()) == len(objects))


# ---- starts ----------------------------------------------------------------

@test
def test_entries_are_there_after_a_start_and_are_asked_for_once():
    with Folder() as folder:
        filled(folder, a=SMALL, b=LARGE)
        with Cached(folder=folder, ttl="1h") as gate:
            for _ in range(3):
                whole(gate, "a", SMALL)
                whole(gate, "b", LARGE)
            equal("gets", gate.calls("get"), 0)
            equal("heads", gate.calls("head"), 2)


@test
def test_change_while_no_gateway_ran_is_found_for_any_ttl():
    with Folder() as folder:
        filled(folder, a=SMALL)
        with kit.Gateway(folder=folder) as gate:
            gate.ask("PUT", "/files/object?key=a", body=b"new")
        with Cached(folder=folder, ttl="24h") as gate:
            whole(gate, "a", b"new")


@test
def test_smaller_bound_holds_right_after_the_start():
    with Folder() as folder:
        with Cached(folder=folder, ttl="1h") as gate:
            for key in "abcdefgh":
                gate.put(key, LARGE)
                whole(gate, key, LARGE)
            eventually("entries", lambda: len(gate.entries()) == 8)
        with Cached(folder=folder, max_size="1MiB", ttl="1h") as gate:
            expect(gate.used() <= MIB, f"{gate.used()} bytes")
            equal("entries", len(gate.entries()), 3)
            for key in "fgh":  # which were read last
                whole(gate, key, LARGE)
            equal("gets", gate.calls("get"), 0)
        with Cached(folder=folder, objects="1") as gate:
            equal("entries", len(gate.entries()), 1)


@test
def test_what_was_being_fetched_is_removed_and_nothing_else_is():
    with Folder() as folder:
        filled(folder, a=SMALL)
        place = Path(folder, "cache")
        for name in "new/17", "new/mine", "objects/00/mine", "mine":
            Path(place, name).write_bytes(b"x")
        with Cached(folder=folder) as gate:
            equal("there", [Path(place, name).exists() for name in
                            ("new/17", "new/mine", "objects/00/mine",
                             "mine")], [False, True, True, True])
            whole(gate, "a", SMALL)
            equal("gets", gate.calls("get"), 0)


@test
def test_what_can_t_be_removed_is_refused():
    with Folder() as folder:
        Path(folder, "cache/new/17").mkdir(parents=True)
        refusal({"backends": {"a": {
            "plugin": "cache", "over": "main",
            "directory": f"{folder}/cache"}},
            "routes": [{"mount": "/files", "backend": "a"}]},
            "what is old in it be removed: Is a directory")


@test
def test_entries_of_another_backend_are_not_taken():
    with Folder() as folder:
        filled(folder, a=SMALL)
        other = {"other": {"plugin": "local", "directory": f"{folder}/other"}}
        with Cached("other", folder=folder, backends=other) as gate:
            equal("entries", gate.entries(), [])
            equal("status", gate.body("a"), 404)


@test
def test_two_caches_don_t_share_a_directory():
    with Folder() as folder:
        one = {"plugin": "cache", "over": "main",
               "directory": f"{folder}/cache"}
        refusal({"backends": {"a": one, "b": one},
                 "routes": [{"mount": "/a", "backend": "a"},
                            {"mount": "/b", "backend": "b"}]},
                "is in use by another cache", "a directory of its own")


@each({"empty": "", "a_file": "{}/file", "nowhere": "{}/no/where"})
def test_directory_that_can_t_be_one_is_refused(directory):
    with Folder() as folder:
        Path(folder, "file").write_text("x")
        refusal({"backends": {"a": {
            "plugin": "cache", "over": "main",
            "directory": directory.format(folder)}},
            "routes": [{"mount": "/a", "backend": "a"}]}, "directory")


# ---- files that aren't as they were written --------------------------------

def cut(where):
    def spoil(data):
        return data[:where]
    return spoil


def flipped(where):
    def spoil(data):
        data = bytearray(data)
        data[where] ^= 1
        return bytes(data)
    return spoil


SPOILT = {
    "empty": cut(0), "cut_in_the_head": cut(50), "cut_in_the_body": cut(-900),
    "cut_in_the_tail": cut(-1), "longer": lambda data: data + b"\0",
    "zeros": lambda data: bytes(len(data)),
    "zeros_behind_the_head": lambda data: data[:400] + bytes(len(data) - 400),
    "magic": flipped(0), "length": flipped(16), "etag": flipped(40),
    "body": flipped(-500), "tail": flipped(-20), "md5": flipped(-1)}


@each({"small": SMALL, "large": LARGE})
def test_spoilt_entry_is_never_told(data):
    """At the start everything of an entry is in doubt."""
    with Folder() as folder:
        filled(folder, k=data)
        path = Path(next(Path(folder, "cache").glob("objects/??/*")))
        good = path.read_bytes()
        for name, spoil in SPOILT.items():
            path.write_bytes(spoil(good))
            with Cached(folder=folder, ttl="1h") as gate:
                answer = gate.get("k")
                expect(answer.body == data, f"{name}: other bytes")
                eventually(f"{name}: it is mended", lambda: (
                    gate.body("k") == data and path.exists() and
                    path.stat().st_size == len(good)))
                expect(gate.calls("get") > 0, f"{name}: wasn't noticed")


@test
def test_entry_under_another_key_s_name_is_never_told():
    with Folder() as folder:
        filled(folder, a=b"of a")
        path, = Path(folder, "cache").glob("objects/??/*")
        with Cached(folder=folder) as gate:
            gate.put("b", b"of b")
            whole(gate, "b", b"of b")
            eventually("entries", lambda: len(gate.entries()) == 2)
            other, = set(gate.entries()) - {path}
        shutil.copy(path, other)
        with Cached(folder=folder) as gate:
            whole(gate, "b", b"of b")


# ---- a disk that fails -----------------------------------------------------

def troubles(gate):
    return [line for line in gate.lines if "go on without" in line]


@test
def test_disk_that_fails_is_told_once_and_requests_go_on():
    with Folder() as folder:
        switch = Path(folder, "switch")
        env = {"LD_PRELOAD": str(faulty()), "FAULTY_DISK": str(switch),
               "FAULTY_PATH": f"{folder}/cache/new/",
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
               ":verify_asan_link_order=0"}
        with Cached(folder=folder, env=env) as gate:
            for key in "abc":
                gate.put(key, LARGE)
            switch.touch()
            for key in "abcabc":
                whole(gate, key, LARGE)
            equal("lines", len(troubles(gate)), 1)
            equal("entries", gate.entries(), [])
            switch.unlink()
            eventually("it is tried again", lambda: (
                gate.body("a") == LARGE and gate.entries()),
                20 * SLOWNESS, 0.5)
            gate.says("works again")
            equal("breaches", breaches(gate), [])


@test
def test_full_disk_is_told_once_and_requests_go_on():
    needs(os.geteuid() == 0, "only root may mount a small disk")
    with Folder() as folder:
        place = Path(folder, "cache")
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m",
                               "tmpfs", place], check=False,
                              capture_output=True)
        needs(done.returncode == 0, "no disk can be mounted")
        try:
            data = os.urandom(900 * KIB)
            with Cached(folder=folder, ttl="1h") as gate:
                for key in "abcdef":
                    gate.put(key, data)
                for key in "abcdefabcdef":
                    whole(gate, key, data)
                equal("lines", len(troubles(gate)), 1)
                equal("left behind", list(place.glob("new/*")), [])
                equal("breaches", breaches(gate), [])
        finally:
            subprocess.run(["umount", "-l", place], check=False)


@test
def test_entry_stays_while_no_file_can_be_opened():
    """A gateway without descriptors knows nothing of its entries' files."""
    with Cached(workers=1, ttl="1h") as gate, gate.wire() as wire:
        gate.put("k", LARGE)
        whole(gate, "k", LARGE)
        eventually("an entry", lambda: len(gate.entries()) == 1)
        asks(wire, "k")
        expect(wire.answer().body == LARGE, "other bytes")
        eventually("nobody has it open", lambda: not opened(gate, "objects/"))
        most = resource.prlimit(gate.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(gate.pid, resource.RLIMIT_NOFILE,
                         (3, most[1]))
        asks(wire, "k")
        equal("status", wire.answer().status // 100, 5)
        resource.prlimit(gate.pid, resource.RLIMIT_NOFILE, most)
        equal("entries", len(gate.entries()), 1)
        gets = gate.calls("get")
        whole(gate, "k", LARGE)
        equal("gets", gate.calls("get") - gets, 0)


def opened(gate, what):
    """The gateway's open files with that in their names."""
    names = []
    for link in Path(f"/proc/{gate.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.append(os.readlink(link))
    return [name for name in names if what in name]


# ---- SIGKILL ---------------------------------------------------------------

class Clients:
    """They read and replace until the gateway is killed."""

    def __init__(self, gate, objects, dice):
        self.gate, self.objects, self.wrong = gate, objects, []
        self.threads = [threading.Thread(target=self.run, args=(
            random.Random(dice.random()),)) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self, dice):
        try:
            while True:
                key = dice.choice(list(self.objects))
                body = self.gate.body(key)
                if body not in self.objects[key]:
                    self.wrong.append(key)
        except (Mismatch, OSError):
            return

    def end(self):
        for thread in self.threads:
            thread.join()
        equal("wrong", self.wrong, [])


@test
def test_sigkill_at_any_moment_leaves_nothing_wrong():
    dice = random.Random(7)
    with Folder() as folder:
        data = [os.urandom(size) for size in
                (10, 9000, 70_000, 400_000, 2_000_000)]
        objects = {str(n): [one, one[::-1]] for n, one in enumerate(data)}
        with kit.Gateway(folder=folder) as gate:
            for key, both in objects.items():
                gate.ask("PUT", f"/files/object?key={key}", body=both[0])
        for turn in range(6):
            gate = Cached(folder=folder, ttl="1h", max_size="3MiB")
            equal("left behind", list(gate.place.glob("new/*")), [])
            expect(gate.used() <= 3 * MIB, f"{gate.used()} bytes")
            for key, both in objects.items():
                body, below = gate.body(key), gate.body(key, mount="/below")
                expect(body == below and body in both, f"wrong: {key}")
            clients = Clients(gate, objects, dice)
            for key, both in objects.items():
                gate.put(key, both[turn % 2])
            threading.Event().wait(dice.random() * 0.3)
            gate.kill()
            clients.end()


if __name__ == "__main__":
    kit.main()

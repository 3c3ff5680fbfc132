#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An object in which clamd finds something is never there, by whichever way it
comes; and what it can't look at is refused.  With a clamd of the test's own,
which knows one signature."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
import ways  # noqa: E402
from kit import (KIB, MIB, Gateway, among, each, equal, eventually, expect,
                 like, needs, refusal, test)  # noqa: E402
from ways import WAYS, stored  # noqa: E402

# In two pieces, so that no scanner finds it in this file.
EICAR = (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" +
         b"ANTIVIRUS-TEST-FILE!$H+H*")
SOUND = os.urandom(200 * KIB)
# In the middle, so that it lies across two parts.
BAD = SOUND[:100 * KIB - 30] + EICAR + SOUND[100 * KIB - 30 + len(EICAR):]
NAME = "Sluice.Eicar.UNOFFICIAL"
FOUND = (403, f"Malware was found in the object: {NAME}")


class Clamd:
    """It runs until the program ends; stopped and gone on with by tests."""

    def __init__(self):
        binary = shutil.which("clamd") or "/usr/sbin/clamd"
        needs(os.access(binary, os.X_OK), "no clamd (Debian: clamav-daemon)")
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-clamd-"))
        (self.folder / "db").mkdir()
        (self.folder / "db/own.ndb").write_text(
            f"Sluice.Eicar:0:*:{EICAR.hex()}\n")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.path = str(self.folder / "ctl")
        (self.folder / "conf").write_text(
            f"DatabaseDirectory {self.folder}/db\nForeground yes\n"
            f"LocalSocket {self.path}\nTCPSocket {self.port}\n"
            f"TCPAddr 127.0.0.1\nStreamMaxLength 1M\nMaxThreads 8\n"
            f"TemporaryDirectory {self.folder}\nLogFile {self.folder}/log\n"
            "ConcurrentDatabaseReload no\n")
        self.binary, self.process = binary, None
        self.run()

    def run(self):
        self.process = subprocess.Popen(
            [self.binary, "-c", self.folder / "conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        eventually("clamd listens", self.answers, 30 * kit.SLOWNESS)

    def answers(self):
        expect(self.process.poll() is None, "clamd ended")
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            try:
                line.connect(self.path)
                line.sendall(b"zPING\0")
                return line.recv(10) == b"PONG\0"
            except OSError:
                return False

    @contextlib.contextmanager
    def held(self):
        """It does nothing meanwhile; its kernel accepts all the same."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


_made = []


def clamd():
    if not _made:
        _made.append(Clamd())
    return _made[0]


def scanning(**options):
    return Gateway({"server": {"workers": "1"}, "hooks": [
        {"plugin": "scan_clamd",
         **{"socket": options.get("socket") or clamd().path, **options}}]})


def shared():
    return ways.shared(server={"workers": "1"}, hooks=[
        {"plugin": "scan_clamd", "socket": clamd().path}])


@each(WAYS)
def test_sound_bytes_are_stored(way):
    with shared() as (gateway, _):
        answer = way(gateway, SOUND)
        among("answer", (answer.status, answer.error),
              ((200, None), (201, None), (204, None)))
        equal("objects", len(stored(gateway)), 1)


@each(WAYS)
def test_what_clamd_finds_is_never_there(way):
    with shared() as (gateway, mark):
        answer = way(gateway, BAD)
        equal("answer", (answer.status, answer.error), FOUND)
        equal("objects", stored(gateway),
              ["t/r.bin"] if way is ways.replace else [])
        gateway.says(rf"\[scan_clamd\] request \S+: {NAME} was found",
                     after=mark)


@each({"tcp": lambda: f"127.0.0.1:{clamd().port}",
       "unix": lambda: f"unix:{clamd().path}"})
def test_clamd_is_spoken_to(where):
    with scanning(socket=where()) as gateway:
        equal("sound", ways.form(gateway, SOUND).status, 201)
        equal("bad", ways.form(gateway, BAD).status, 403)
        equal("EICAR alone", ways.put(gateway, EICAR).status, 403)
        equal("empty", ways.put(gateway, b"").status, 201)


@test
def test_refused_stage_is_refused_again():
    with scanning() as gateway:
        half = len(BAD) // 2
        answer = gateway.ask("POST", "/files/uploads?filename=a",
                             "Upload-Complete: ?0", body=BAD[:half])
        where = answer.header("location")
        for at, data in (half, BAD[half:]), (len(BAD), b""):
            answer = gateway.ask("PATCH", where, ways.PARTIAL,
                                 f"Upload-Offset: {at}", "Upload-Complete: ?1",
                                 body=data)
            equal("answer", (answer.status, answer.error), FOUND)
        equal("objects", stored(gateway), [])


# ---- failures ---------------------------------------------------------------

def refused(answer):
    equal("answer", (answer.status, answer.header("retry-after"),
                     answer.error),
          (503, "5", "The object can't be looked at for malware now; "
           "try again"))


GONE = "/nonexistent/clamd.ctl"


@each({way.__name__: way for way in (ways.form, ways.put, ways.tus_parts)})
def test_without_clamd_nothing_is_stored(way):
    with scanning(socket=GONE) as gateway:
        refused(way(gateway, b"hello"))
        equal("objects", stored(gateway), [])


@test
def test_where_failures_pass_the_log_tells():
    with scanning(socket=GONE, on_failure="pass") as gateway:
        equal("status", ways.form(gateway, SOUND).status, 201)
        gateway.says(r"the object is stored unseen \(on_failure: pass\)")


@test
def test_clamd_that_takes_too_long_is_a_failure_and_no_end():
    with scanning(timeout="700ms") as gateway:
        with clamd().held():
            refused(ways.form(gateway, SOUND))
        equal("later", ways.form(gateway, SOUND).status, 201)
        gateway.says("clamd took longer than timeout")


@test
def test_scan_may_last_longer_than_backend_timeout():
    with Gateway({"server": {"workers": "1"},
                  "limits": {"backend_timeout": "1s"},
                  "hooks": [{"plugin": "scan_clamd",
                             "socket": clamd().path}]}) as gateway:
        with clamd().held():
            done = threading.Timer(2.5, clamd().process.send_signal,
                                   [signal.SIGCONT])
            done.start()
            equal("status", ways.form(gateway, b"hello").status, 201)
            done.join()


@test
def test_clamd_that_dies_in_the_middle_is_a_failure():
    with scanning() as gateway:
        clamd().process.send_signal(signal.SIGSTOP)
        done = threading.Timer(0.5, clamd().kill)
        done.start()
        refused(ways.form(gateway, SOUND))
        done.join()
        refused(ways.form(gateway, SOUND))
        equal("objects", stored(gateway), [])
        clamd().run()
        equal("later", ways.form(gateway, SOUND).status, 201)


@test
def test_client_that_leaves_ends_its_scan():
    with scanning(scans="1") as gateway:
        base = gateway.quiet()
        with clamd().held(), gateway.wire() as wire:
            wire.send(kit.request("PUT", "/files/object?key=t/p", body=SOUND))
            eventually("a scan", lambda: len(gateway.descriptors()) >
                       len(base) + 1)
            wire.reset()
            gateway.settles(base)
        equal("later", ways.form(gateway, SOUND).status, 201)


@test
def test_client_that_leaves_ends_its_scan_after_a_reload_too():
    with scanning() as gateway, clamd().held():
        wire = gateway.wire()
        equal("warm", wire.ask("GET", "/healthz").status, 200)
        before = len(gateway.descriptors())
        wire.send(kit.request("PUT", "/files/object?key=t/a", body=SOUND))
        eventually("a scan", lambda: len(gateway.descriptors()) > before)
        kit.written(gateway.folder, kit.settings(gateway.folder, {"hooks": [
            {"plugin": "scan_clamd", "socket": clamd().path,
             "timeout": "59s"}], "server": {"workers": "1",
                                            "log_level": "debug"}}))
        os.kill(gateway.pid, signal.SIGHUP)
        gateway.says("configuration 2 is in use")
        wire.reset()
        gateway.says("configuration 1 has ended")
        equal("status", gateway.ask("GET", "/healthz").status, 200)


@test
def test_one_scan_more_than_may_be_is_a_failure():
    with scanning(scans="1") as gateway:
        base = gateway.quiet()
        with clamd().held(), gateway.wire() as wire:
            wire.send(kit.request("PUT", "/files/object?key=t/p", body=SOUND))
            eventually("a scan", lambda: len(gateway.descriptors()) >
                       len(base) + 1)
            refused(ways.form(gateway, SOUND))
            clamd().process.send_signal(signal.SIGCONT)
            equal("the first", wire.answer("PUT").status, 201)


SAID = {"nothing": b"", "nonsense": b"EHLO\0", "early": b"stream: OK\0",
        "no end": b"x" * 5000, "half": b"stream: O"}


@each(SAID)
def test_words_that_are_not_clamds_are_a_failure(said):
    """By a stranger on its port: it answers before it has read anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            line, _ = server.accept()
            with line:
                line.sendall(said)
                line.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    while line.recv(65536):
                        pass
        thread = threading.Thread(target=answer)
        thread.start()
        with scanning(socket="127.0.0.1:%d" % server.getsockname()[1]
                      ) as gateway:
            refused(ways.form(gateway, os.urandom(3 * MIB)))
            equal("objects", stored(gateway), [])
        thread.join()


# ---- sizes ------------------------------------------------------------------

def large(answer):
    equal("answer", (answer.status, answer.error), (
        413, "The object is too large to be looked at for malware"))


@each({way.__name__: way for way in (ways.form, ways.chunked,
                                     ways.draft_parts)})
def test_max_size_is_a_limit(way):
    with scanning(max_size="100KiB") as gateway:
        among("at it", way(gateway, SOUND[:100 * KIB]).status, (200, 201))
        count = len(stored(gateway))
        large(way(gateway, SOUND[:100 * KIB + 1]))
        equal("objects", len(stored(gateway)), count)


@each({way.__name__: way for way in (ways.form, ways.tus_parts)})
def test_what_is_too_large_for_clamd_is_refused(way):
    """Its StreamMaxLength is less than max_size here."""
    with scanning() as gateway:
        large(way(gateway, os.urandom(2 * MIB)))
        equal("objects", stored(gateway), [])


@test
def test_where_large_ones_pass_the_log_tells():
    with scanning(max_size="1KiB", too_large="pass") as gateway:
        equal("status", ways.form(gateway, SOUND).status, 201)
        gateway.says(r"the object is stored unseen \(too_large: pass\)")


# ---- the configuration ------------------------------------------------------

@each({"place": ({"socket": "localhost:3310"}, "is no place of clamd"),
       "timeout": ({"timeout": "99ms"}, "timeout: 100ms to 1h"),
       "scans": ({"scans": "0"}, "scans: 1 to 1024"),
       "size": ({"max_size": "0"}, "max_size: 1 byte to 4GiB"),
       "choice": ({"on_failure": "maybe"}, "neither deny nor pass")})
def test_option_that_cannot_be_is_refused(case):
    options, why = case
    like("why", refusal({"hooks": [{"plugin": "scan_clamd", **options}]}), why)


@test
def test_example_starts():
    text = Path(__file__).with_name("scan_clamd.yaml").read_text()
    with tempfile.TemporaryDirectory() as folder:
        text = text.replace("127.0.0.1:8000", "127.0.0.1:0")
        text += f"plugin_path: {kit.json.dumps(kit.PLUGINS)}\n"
        text = text.replace("./data", f"{folder}/data")
        path = kit.written(folder, text)
        status, _, err = kit.run("-t", "-c", path)
        equal("status", (status, err[-300:] if status else ""), (0, ""))


if __name__ == "__main__":
    try:
        ways.main()
    finally:
        for one in _made:
            one.end()

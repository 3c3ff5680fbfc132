#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every fault of an S3 service, in every operation: what the client of the
gateway is told, and that nothing stays behind."""
import contextlib
import os
import select
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bucket import (BUCKET, DIALECTS, PARTS, Emulator, backend, gateway,
                    noise, seconds, shared, stored)
from kit import (FORM, KIB, MIB, SLOWNESS, TESTS, Gateway, Mismatch, each,
                 equal, eventually, expect, field, file, form, head,
                 large_form, main, needs, request, test)

SMALL, LARGE = noise(200_000), noise(6 * MIB)
MESSAGE = "A word of the service's own"
# A file that is kept would look like one that was forgotten.
QUICK = {"attempts": "3", "retry_time": seconds(6), "spool_keep": "0"}
ONE = {"server": {"workers": "1"}}
LEAN = {"ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=1"}


# ---- operations, and the request of each that a fault may meet

def ask_upload(running, _, data=SMALL):
    body = form(field("prefix", "t"), file(data, "a.txt"))
    return request("POST", "/files", FORM, body=body)


def ask_large(running, key):
    return ask_upload(running, key, LARGE)


def ask_json(method, path):
    def ask(_, key):
        body = b'{"key": "%s"}' % key.encode()
        return request(method, path, "Content-Type: application/json",
                       body=body)
    return ask


def ask_get(method):
    return lambda _, key: request(method, f"/files/download?key={key}")


OPERATIONS = {
    "upload": (ask_upload, {"method": "PUT", "query": "^$"}),
    "begin": (ask_large, {"method": "POST", "query": "^uploads"}),
    "part": (ask_large, {"method": "PUT", "query": "partNumber=2"}),
    "complete": (ask_large, {"method": "POST", "query": "^uploadId"}),
    "compare": (ask_large, {"method": "HEAD"}),
    "download": (ask_get("GET"), {"method": "GET", "query": "^$"}),
    "head": (ask_get("HEAD"), {"method": "HEAD"}),
    "list": (lambda *_: request("GET", "/files?prefix=t"),
             {"method": "GET", "query": "list-type"}),
    "delete": (ask_json("DELETE", "/files"), {"method": "DELETE"}),
    "presign": (ask_json("POST", "/files/presign"), {"method": "HEAD"}),
}
HEADS = "compare", "head", "presign"
PARTED = "begin", "part", "complete", "compare"
UPLOADS = ("upload", *PARTED)
# The answer to a HEAD has a status alone.
UNSEEN = "404 NoSuchBucket", "a full bucket", "RequestTimeout"
# The second HEAD of an upload in parts; the first asks whether it is there.
NTH = {"compare": 2}


def fault(operation, do, **more):
    match = {**OPERATIONS[operation][1]}
    if operation in NTH:
        match["nth"] = NTH[operation]
    return {"match": match, "do": do, "message": MESSAGE, **more}


class Place:
    """A gateway over an emulator, with an object to ask for."""

    def __init__(self, dialect="minio", fresh=False, env=None, more=None,
                 **options):
        self.s3 = Emulator(dialect) if fresh else shared(dialect)
        if fresh:
            self.s3.create(BUCKET)
        self.fresh = fresh
        self.running = gateway(self.s3, more={**ONE, **(more or {})},
                               env=env, **{**QUICK, **PARTS, **options})
        self.key = None
        self.prepare()

    def prepare(self):
        """An object to ask for, and nothing that was before."""
        self.s3.forget()
        if self.key not in self.s3.state(BUCKET)["objects"]:
            self.key = self.running.upload(SMALL)["key"]
        self.keys = set(self.s3.state(BUCKET)["objects"])
        self.begun = self.uploads()
        self.s3.forget()
        return self

    def uploads(self):
        return {one["id"] for one in self.s3.state(BUCKET)["uploads"]}

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        try:
            self.running.__exit__(kind, *rest)
        finally:
            if self.fresh:
                self.s3.stop()

    def ask(self, operation):
        method = "HEAD" if operation == "head" else "GET"
        with self.running.wire() as wire:
            wire.send(OPERATIONS[operation][0](self.running, self.key))
            return wire.answer(method)

    def spools(self):
        """Files that are open without a name."""
        return [name for name in self.running.descriptors()
                if "(deleted)" in name or str(self.running.folder) in name]

    def check_rest(self, uploaded=None):
        """Nothing stays: no part, no half object, no spool."""
        eventually("open spools", lambda: self.spools() == [])
        eventually("open uploads", lambda: self.uploads() <= self.begun)
        new = set(self.s3.state(BUCKET)["objects"]) - self.keys
        equal("new objects", new, {uploaded} if uploaded else set())

    def check_log(self, after=0):
        log = "\n".join(self.running.lines[after:])
        for secret in self.s3.secret_key, "Signature", "Credential=":
            expect(secret not in log, f"{secret} in the log")
        return log

    def check_success(self, operation, answer):
        status = 201 if operation in UPLOADS else 200
        equal("status", answer.status, status)
        if operation in UPLOADS:
            size = len(LARGE if operation in PARTED else SMALL)
            equal("size", answer.json["size_bytes"], size)
            self.check_rest(answer.json["key"])
            equal("stored", stored(self.s3, answer.json["key"])["size"],
                  size)
        else:
            self.check_rest()
        if operation == "download":
            expect(answer.body == SMALL, "other bytes")
        if operation == "delete":
            equal("deleted", stored(self.s3, self.key), None)

    def check_failure(self, answer, status):
        equal("status", answer.status, status)
        if answer.body:
            equal("members", sorted(answer.json),
                  ["code", "error", "request_id"])
        head = "\n".join(f"{name}: {value}"
                         for name, value in answer.headers)
        text = head + answer.body.decode()
        for word in (f":{self.s3.port}", "127.0.0.1", "localhost",
                     self.s3.access_key, self.s3.secret_key, BUCKET, MESSAGE,
                     "InternalError", "SlowDown", "AccessDenied",
                     str(self.running.folder), "x-amz"):
            expect(word not in text, f"{word} in the answer {text}")
        self.check_rest()


PLACES = {}


def dialect_of(operation):
    """Where the ETag of an upload in parts tells, nothing is compared."""
    return "b2" if operation == "compare" else "minio"


def place(operation=None):
    """One for all the tests that leave it as it was."""
    dialect = dialect_of(operation)
    here = PLACES.get(dialect)
    if not here or here.running.process.poll() is not None:
        here = PLACES[dialect] = Place(dialect, fresh=True, env=LEAN)
    return here.prepare()


# ---- faults that pass

ONCE = {
    "500": {"do": "500"}, "502": {"do": "502 BadGateway"},
    "503": {"do": "503"}, "503 without a code": {"do": "503", "code": ""},
    "504": {"do": "504 GatewayTimeout"}, "429": {"do": "429"},
    "500 when it was done": {"do": "500", "when": "after"},
    "RequestTimeout": {"do": "400 RequestTimeout"},
    "reset": {"do": "reset-before-head"},
    "lost answer": {"do": "lost-answer"},
    "close": {"do": "close"},
    "another region": {"do": "wrong-region"},
    "moved": {"do": "wrong-region", "as": "redirect"},
}
EXTRA = {
    ("part", "reset in the request"): {"do": "reset-in-body", "at": 300_000},
    ("upload", "reset in the request"): {"do": "reset-in-body", "at": 50_000},
    ("upload", "another one at once"):
        {"do": "409 ConditionalRequestConflict"},
    ("upload", "slow answer"): {"do": "drip", "bytes": 1, "seconds": 0.01},
    ("download", "reset in the answer"): {"do": "reset-in-body",
                                          "at": 90_000},
    ("download", "truncated"): {"do": "truncate", "at": 90_000},
    ("download", "truncated at once"): {"do": "truncate", "at": 0},
    ("download", "dripping"): {"do": "drip", "bytes": 20_000,
                               "seconds": 0.01},
    ("download", "truncated three times"): {"do": "truncate", "at": 9000,
                                            "times": 3},
    ("list", "truncated"): {"do": "truncate", "at": 90},
    ("list", "bad XML"): {"do": "bad-xml"},
    ("list", "an error in 200"): {"do": "error-in-200"},
    ("list", "dripping"): {"do": "drip", "bytes": 200, "seconds": 0.01},
    ("begin", "an error in 200"): {"do": "error-in-200"},
    ("begin", "bad XML before"): {"do": "error-in-200", "code": "SlowDown"},
    ("complete", "an error in 200"): {"do": "error-in-200"},
    ("complete", "an error in 200 when it was done"):
        {"do": "error-in-200", "when": "after"},
    ("complete", "bad XML"): {"do": "bad-xml"},
    ("complete", "truncated"): {"do": "truncate", "at": 30},
    ("complete", "reset in the answer"): {"do": "reset-in-body", "at": 30,
                                          "side": "response"},
}
# B2 says nothing of it in the answer to a HEAD.
MUTE = {("compare", "another region"), ("compare", "moved")}
REGIONS = iter(range(1, 1000))  # each is another one than before


def passes(operation, step):
    here = place(operation)
    here.s3.faults(fault(operation, region=f"eu-west-{next(REGIONS)}",
                         **step))
    answer = here.ask(operation)
    expect(here.s3.faults_fired(), "the fault did not fire")
    here.check_success(operation, answer)
    here.check_log()


for name in OPERATIONS:
    for word, step in ONCE.items():
        if (name, word) not in MUTE and not (
                name in HEADS and word in UNSEEN):
            TESTS.append((f"test_fault_passes[{name}, {word}]",
                          lambda name=name, step=step: passes(name, step)))
for (name, word), step in EXTRA.items():
    TESTS.append((f"test_fault_passes[{name}, {word}]",
                  lambda name=name, step=step: passes(name, step)))


# ---- faults that stay

ALWAYS = {
    "500": ({"do": "500"}, 502), "503": ({"do": "503"}, 502),
    "429": ({"do": "429"}, 502), "401": ({"do": "401"}, 502),
    "403": ({"do": "403"}, 502), "400": ({"do": "400 Unknown"}, 502),
    "501": ({"do": "501 NotImplemented"}, 502),
    "404 NoSuchBucket": ({"do": "404 NoSuchBucket"}, 502),
    "a full disk": ({"do": "507 XMinioStorageFull"}, 507),
    "a full bucket": ({"do": "403 QuotaExceeded"}, 507),
    "reset": ({"do": "reset-before-head"}, 502),
}
STAYS = {
    ("upload", "reset in the request"): ({"do": "reset-in-body",
                                          "at": 50_000}, 502),
    ("part", "reset in the request"): ({"do": "reset-in-body",
                                        "at": 300_000}, 502),
    ("part", "aborted by others"): ({"do": "404 NoSuchUpload"}, 502),
    ("complete", "aborted by others"): ({"do": "404 NoSuchUpload"}, 502),
    ("list", "truncated"): ({"do": "truncate", "at": 90}, 502),
    ("list", "bad XML"): ({"do": "bad-xml"}, 502),
    ("list", "an error in 200"): ({"do": "error-in-200"}, 502),
    ("list", "huge XML"): ({"do": "huge-xml", "bytes": 16 << 20}, 502),
    ("begin", "an error in 200"): ({"do": "error-in-200"}, 502),
    ("complete", "an error in 200"): ({"do": "error-in-200"}, 502),
    ("complete", "no room in 200"): ({"do": "error-in-200",
                                      "code": "QuotaExceeded"}, 507),
    ("download", "truncated at once"): ({"do": "truncate", "at": 0}, 502),
    ("download", "reset at once"): ({"do": "reset-in-body", "at": 0}, 502),
}


def stays(operation, step, status):
    here = place(operation)
    after = len(here.running.lines)
    here.s3.faults(fault(operation, times=99, **step))
    answer = here.ask(operation)
    fired = here.s3.faults_fired()
    here.s3.control("DELETE", "faults")
    if operation == "compare" and answer.status == 201:
        # Complete's answer may be enough.
        here.check_success(operation, answer)
        return
    expect(fired, "the fault did not fire")
    here.check_failure(answer, status)
    here.running.says("request .*:", after=after)
    log = here.check_log(after)
    if fired[-1]["step"]["do"][0] in "45":
        expect(fired[-1]["request_id"] in log,
               f"no request id of S3 in the log: {log}")


for name in OPERATIONS:
    for word, (step, want) in ALWAYS.items():
        if name in HEADS and word in UNSEEN:
            continue
        TESTS.append((f"test_fault_stays[{name}, {word}]",
                      lambda name=name, step=step, want=want:
                      stays(name, step, want)))
for (name, word), (step, want) in STAYS.items():
    TESTS.append((f"test_fault_stays[{name}, {word}]",
                  lambda name=name, step=step, want=want:
                  stays(name, step, want)))


# ---- silence

@each({name: name for name in OPERATIONS})
def test_silence_is_504_in_time(operation):
    with Place(attempts="1", idle_timeout=seconds(0.5)) as here:
        here.s3.faults(fault(operation, "stall"))
        started = time.monotonic()
        answer = here.ask(operation)
        took = time.monotonic() - started
        if operation == "compare" and answer.status == 201:
            here.check_success(operation, answer)
        else:
            here.check_failure(answer, 504)
        expect(took < 4 * SLOWNESS, f"it took {took:.1f} s")
        here.check_log()


@each({"upload": "upload", "download": "download", "list": "list",
       "head": "head", "delete": "delete"})
def test_silence_that_ends_is_passed_over(operation):
    with Place(idle_timeout=seconds(0.5)) as here:
        here.s3.faults(fault(operation, "stall"))
        here.check_success(operation, here.ask(operation))


@each({"upload": ("upload", {"at": 50_000}),
       "part": ("part", {"at": 200_000}),
       "list": ("list", {"at": 60})})
def test_silence_in_the_middle_is_504(case):
    operation, more = case
    with Place(attempts="1", idle_timeout=seconds(0.5)) as here:
        here.s3.faults(fault(operation, "stall", **more))
        here.check_failure(here.ask(operation), 504)


@test
def test_service_that_is_slow_but_not_silent_is_waited_for():
    with Place(attempts="1", idle_timeout=seconds(0.5)) as here:
        here.s3.faults(fault("download", "drip", bytes=20_000,
                             seconds=0.15 * SLOWNESS))
        here.check_success("download", here.ask("download"))


# ---- downloads that break

def broken(here, *lines):
    """A download: its status, length, what came of it, and whether that was
    all that was promised."""
    with here.running.wire() as wire:
        wire.send(request("GET", f"/files/download?key={here.key}", *lines))
        answer = wire.head()
        size = int(answer.header("content-length"))
        while len(wire.input) < size and wire.more():
            pass
        return answer.status, size, wire.input


@each({"truncated": {"do": "truncate", "at": 9000},
       "reset": {"do": "reset-in-body", "at": 9000}})
def test_download_that_breaks_again_and_again_ends_early(step):
    here = place()
    after = len(here.running.lines)
    here.s3.faults(fault("download", times=99, **step))
    status, size, got = broken(here)
    here.s3.control("DELETE", "faults")
    equal("status, size", (status, size), (200, len(SMALL)))
    expect(len(got) < size, "the whole body came")
    expect(SMALL.startswith(got), "other bytes came")
    here.running.says("request .*", after=after)
    here.check_log(after)
    here.check_rest()


@test
def test_download_that_falls_silent_ends_early():
    with Place(attempts="1", idle_timeout=seconds(0.3)) as here:
        here.s3.faults(fault("download", "stall", at=9000, times=99))
        status, size, got = broken(here)
        equal("status, size", (status, size), (200, len(SMALL)))
        expect(len(got) < size and SMALL.startswith(got), "not cut")


@test
def test_download_is_taken_up_where_it_stopped():
    here = place()
    here.s3.faults(fault("download", "truncate", at=90_000))
    status, _, got = broken(here, "Range: bytes=1000-180000")
    equal("status", status, 206)
    expect(got == SMALL[1000:180_001], "other bytes")
    ranges = [one["headers"].get("range") for one in here.s3.requests("GET")
              if "list-type" not in one["target"]]
    equal("ranges", len(ranges), 2)
    expect(all("if-match" in one["headers"]
               for one in here.s3.requests("GET")[1:]), "no If-Match")


@test
def test_object_that_changes_in_a_download_is_never_mixed():
    here = place()
    other = noise(len(SMALL), 11)
    here.s3.faults(fault("download", "truncate", at=90_000),
                   fault("download", "stall", seconds=0.5))
    with here.running.wire() as wire:
        wire.send(request("GET", f"/files/download?key={here.key}"))
        here.s3.wait_for_fault(2)
        equal("PUT", here.s3.client().put(BUCKET, here.key, other).status,
              200)
        answer = wire.head()
        size = int(answer.header("content-length"))
        while len(wire.input) < size and wire.more():
            pass
        got = wire.input
    here.s3.client().put(BUCKET, here.key, SMALL)
    expect(got in (SMALL, other) or
           (len(got) < size and SMALL.startswith(got)),
           f"{len(got)} bytes of a mixture")


class Deaf(BaseHTTPRequestHandler):
    """A service that sends the whole object, whatever range is asked for,
    and breaks off the first time."""
    protocol_version, broke = "HTTP/1.1", False

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def tell(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(SMALL)))
        self.send_header("ETag", '"x"')
        self.end_headers()

    do_HEAD = tell

    def do_GET(self):  # pylint: disable=invalid-name
        self.tell()
        self.close_connection = True
        data = SMALL if Deaf.broke else SMALL[:9000]
        Deaf.broke = True
        with contextlib.suppress(OSError):
            self.wfile.write(data)


@each({"resumed": (False, [], SMALL),
       "range": (True, ["Range: bytes=-10"], SMALL[-10:])})
def test_service_that_ignores_ranges_never_makes_wrong_bytes(case):
    Deaf.broke, lines, want = case
    with ThreadingHTTPServer(("127.0.0.1", 0), Deaf) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with Gateway({"backends": {"main": {
                    "plugin": "minio", "directory": None, "bucket": BUCKET,
                    "endpoint": f"http://127.0.0.1:{server.server_port}",
                    "access_key": "a", "secret_key": "b"}}}) as running:
                with running.wire() as wire:
                    wire.send(request("GET", "/files/download?key=x",
                                      *lines))
                    answer = wire.head()
                    size = int(answer.header("content-length"))
                    while len(wire.input) < size and wire.more():
                        pass
                expect(answer.status == 502 or want.startswith(wire.input),
                       "other bytes")
        finally:
            server.shutdown()


@test
def test_wrong_byte_of_a_download_leaves_its_length():
    here = place()
    here.s3.faults(fault("download", "corrupt", at=1000))
    status, size, got = broken(here)
    equal("status, size", (status, size), (200, len(SMALL)))
    expect(len(got) <= size, "more than was promised")
    here.s3.forget()
    expect(here.ask("download").body == SMALL, "the next one isn't right")


# ---- what the answers say

@test
def test_retry_after_is_waited_for():
    here = place()
    here.s3.faults(fault("upload", "503", retry_after=1))
    here.check_success("upload", here.ask("upload"))
    times = [one["time"] for one in here.s3.requests("PUT")]
    equal("PUTs", len(times), 2)
    expect(times[1] - times[0] >= 1, f"after {times[1] - times[0]} s")


@test
def test_retry_after_beyond_the_retry_time_is_not_waited_for():
    here = place()
    here.s3.faults(fault("list", "503", retry_after=3000))
    started = time.monotonic()
    here.check_failure(here.ask("list"), 502)
    expect(time.monotonic() - started < 3 * SLOWNESS, "it was waited for")


@each({"newline": "x\nsluice: forged line", "long": "y" * 5000,
       "controls": "\x7f\u0085\u009b31m"})
def test_message_of_the_service_stays_in_one_line_of_the_log(message):
    here = place()
    after = len(here.running.lines)
    here.s3.faults({**fault("list", "400 Strange"), "message": message})
    here.check_failure(here.ask("list"), 502)
    here.running.says("request .*", after=after)
    lines = here.running.lines[after:]
    for line in lines:
        expect("forged" not in line or "Strange" in line, f"forged: {line}")
        expect(len(line) < 4000, f"a line of {len(line)} bytes")
        expect(not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in line),
               f"a control character: {line!r}")


# ---- clients that leave

def leave(here, operation):
    """Leaves at the fault, for which nobody else has to wait."""
    base = here.running.status("Threads")
    with here.running.wire() as wire:
        wire.send(OPERATIONS[operation][0](here.running, here.key))
        here.s3.wait_for_fault()
        here.running.alive()
        equal("download meanwhile", len(here.running.download(
            here.key).body), len(SMALL))
        expect(not select.select([wire.socket], [], [], 0)[0],
               "it was answered before")
        wire.reset()
    expect(here.running.status("Threads") <= base + 8, "threads")


CHANGES = *UPLOADS, "delete"


@each({name: name for name in OPERATIONS if name not in CHANGES})
def test_client_that_leaves_ends_the_request(operation):
    with Place(dialect_of(operation), idle_timeout="30s") as here:
        here.s3.faults(fault(operation, "stall"))
        leave(here, operation)
        eventually("the service's request", lambda: any(
            one.get("broken") for one in here.s3.requests()))
        here.check_rest()
        here.running.alive()
        here.check_log()


@each({name: name for name in CHANGES})
def test_client_that_leaves_a_change_does_not_end_it(operation):
    with Place(dialect_of(operation), idle_timeout="30s") as here:
        here.s3.faults(fault(operation, "stall", seconds=SLOWNESS))
        leave(here, operation)
        there = eventually("the change", lambda: set(
            here.s3.state(BUCKET)["objects"]) ^ here.keys)
        equal("changed", (len(there), here.key in there),
              (1, operation == "delete"))
        here.keys ^= there
        here.check_rest()
        here.running.alive()
        here.check_log()


@test
def test_client_that_leaves_in_its_upload_leaves_nothing():
    with Place(spool_memory="64KiB") as here:
        whole = ask_upload(here.running, None, LARGE)
        with here.running.wire() as wire:
            wire.send(whole[:3 * MIB])
            eventually("a spool", here.spools)
            wire.reset()
        here.check_rest()
        equal("requests", [one["method"] for one in here.s3.requests()], [])


@test
def test_client_that_leaves_in_its_download_ends_it():
    with Place() as here:
        big = here.running.upload(noise(20 * MIB))["key"]
        here.keys.add(big)
        here.s3.forget()
        with here.running.wire(buffer=4096) as wire:
            wire.send(request("GET", f"/files/download?key={big}"))
            equal("status", wire.head().status, 200)
            wire.reset()
        eventually("the service's request", lambda: any(
            one.get("broken") or one.get("seconds") is not None
            for one in here.s3.requests("GET")))
        here.check_rest()


# ---- the spool

@test
def test_full_spool_is_507():
    with Place(spool_memory="64KiB", spool_max="1MiB") as here:
        for _ in range(3):
            here.check_failure(here.ask("part"), 507)
        here.check_success("upload", here.ask("upload"))
        equal("requests", {one["method"] for one in here.s3.requests()},
              {"PUT"})


@test
def test_full_spool_leaves_room_for_small_uploads():
    with Place(spool_memory="1MiB", spool_max="64KiB") as here:
        here.check_failure(here.ask("part"), 507)
        here.check_success("upload", here.ask("upload"))


@test
def test_spool_folder_that_vanished_is_500():
    with Place(spool_memory="64KiB") as here:
        folder = here.running.folder
        away = folder.with_name(folder.name + "-away")
        folder.rename(away)
        try:
            answer = here.ask("part")
        finally:
            away.rename(folder)
        here.check_failure(answer, 500)
        here.check_success("upload", here.ask("upload"))


@contextlib.contextmanager
def small_disk(size="2M"):
    needs(os.geteuid() == 0, "only root may mount")
    with tempfile.TemporaryDirectory(prefix="sluice-disk-") as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}",
                               "tmpfs", folder], check=False,
                              capture_output=True)
        needs(done.returncode == 0, "a tmpfs can't be mounted here")
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


@test
def test_full_disk_is_507():
    with small_disk() as folder, Place(
            spool_memory="64KiB", spool_max="1GiB",
            more={"uploads": {"spool_directory": folder}}) as here:
        for _ in range(3):
            here.check_failure(here.ask("part"), 507)
            here.check_success("upload", here.ask("upload"))
            here.prepare()


def half_an_upload(wire, size, mount="/one"):
    """All of its file's bytes go, and the form's end doesn't.  They wait."""
    before, _, length = large_form(size)
    wire.send(head("POST", mount, FORM, f"Content-Length: {length}") + before)
    wire.flood(bytes(64 * KIB), size)
    return wire


def answered(wires):
    return [one for one in wires if select.select([one.socket], [], [], 0)[0]]


@test
def test_flood_over_two_backends_leaves_room_for_local_on_that_disk():
    """Nobody set spool_max: each has a quarter of what is left."""
    with small_disk("32M") as folder:
        lean = {**backend(shared("minio")), **QUICK, **PARTS,
                "spool_memory": "64KiB"}
        del lean["directory"]  # of what it would be merged with
        more = {"backends": {"main": None,
                             "one": lean,
                             "two": lean,
                             "disk": {"plugin": "local",
                                      "directory": f"{folder}/data"}},
                "routes": [{"mount": f"/{name}", "backend": name}
                           for name in ("one", "two", "disk")],
                "uploads": {"spool_directory": folder}}
        with Gateway(more) as running, contextlib.ExitStack() as stack:
            kept = running.upload(noise(MIB), mount="/disk")["key"]
            wires = []
            for at in range(32):
                wires.append(stack.enter_context(running.wire()))
                half_an_upload(wires[-1], MIB, ("/one", "/two")[at % 2])
                select.select([wires[-1].socket], [], [], 0.1 * SLOWNESS)
            eventually("half of them are refused",
                       lambda: len(answered(wires)) >= 16)
            refused = answered(wires)
            for wire in refused:
                answer = wire.answer()
                equal("refused", (answer.status, answer.json["code"]),
                      (507, "storage_full"))
            expect(len(refused) <= 28, f"{len(refused)} of 32 were refused")
            disk = os.statvfs(folder)
            expect(disk.f_bavail * disk.f_frsize > 32 * MIB // 2 - 2 * MIB,
                   f"{disk.f_bavail * disk.f_frsize} bytes are left")
            for _ in range(4):
                large = noise(2 * MIB)
                key = running.upload(large, mount="/disk")["key"]
                equal("stored", running.download(key, mount="/disk").body,
                      large)
            equal("kept", running.download(kept, mount="/disk").status, 200)
            small = running.upload(SMALL[:32 * KIB], mount="/one")["key"]
            equal("over S3", running.download(small, mount="/one").status,
                  200)
            running.alive()


@test
def test_upload_at_the_share_of_the_disk_is_stored_and_one_past_is_507():
    with small_disk("8M") as folder, Place(
            spool_memory="0", more={
                "uploads": {"spool_directory": folder}}) as here:
        disk = os.statvfs(folder)
        equal("free", disk.f_bavail * disk.f_frsize, 8 * MIB)
        # The disk has whole pages, and pieces end anywhere.
        whole = 2 * MIB - 4 * KIB
        for size, want in (whole, 201), (2 * MIB + 1, 507), (whole, 201):
            with here.running.wire() as wire:
                wire.send(ask_upload(here.running, None, bytes(size)))
                equal(f"{size} bytes", wire.answer().status, want)
        here.running.alive()


@test
def test_files_of_the_spool_are_kept_for_a_while_and_no_longer():
    with Place(spool_memory="64KiB", spool_keep="1GiB") as here:
        def files():
            return [name for name in here.running.descriptors()
                    if name != "socket"]
        eventually("a kept file", here.spools)  # of the first upload
        base = [name for name in files() if name not in here.spools()]
        equal("status", here.ask("part").status, 201)
        eventually("one kept file", lambda: len(here.spools()) == 1)
        other = noise(300_000, 11)
        key = here.running.upload(other)["key"]
        expect(here.running.download(key).body == other, "other bytes")
        eventually("files that nobody uses", lambda: files() == base,
                   20 * SLOWNESS)


# ---- answers that are lost, in each dialect

@each(DIALECTS)
def test_lost_answer_of_a_put_makes_no_second_object(dialect):
    with Place(dialect, attempts="5") as here:
        here.s3.faults(fault("upload", "lost-answer"))
        here.check_success("upload", here.ask("upload"))
        here.s3.blameless()


@each(DIALECTS)
def test_lost_answer_of_a_complete_is_resolved(dialect):
    with Place(dialect, attempts="5") as here:
        here.s3.faults(fault("complete", "lost-answer"))
        here.check_success("complete", here.ask("complete"))


# ---- many

@test
def test_downloads_that_break_leave_what_was_lent_alone():
    with Place(env=LEAN) as here:
        here.s3.faults(fault("download", "truncate", at=5000, times=99999))
        for _ in range(60):
            _, size, got = broken(here)
            expect(len(got) < size and SMALL.startswith(got), "not cut")
        here.s3.control("DELETE", "faults")
        here.running.alive()


@test
def test_memory_and_descriptors_stay_under_faults():
    with Place(fresh=True, env=LEAN) as here:
        words = ("500", "reset-before-head", "truncate", "lost-answer")

        def round_of_faults():
            for word in words:
                for name in ("upload", "part", "download", "list"):
                    here.s3.faults(fault(name, word, at=5000, times=9))
                    try:
                        here.ask(name)
                    except Mismatch:
                        pass  # a body that ends early
                    here.s3.control("DELETE", "faults")
        round_of_faults()
        base = here.running.status("VmRSS")
        count = len(here.running.quiet())
        for _ in range(4):
            round_of_faults()
        grown = here.running.status("VmRSS") - base
        expect(grown < 24 << 10, f"{grown} KiB more")
        eventually("spools", lambda: here.spools() == [])
        expect(len(here.running.quiet()) <= count + 4, "descriptors")
        eventually("open uploads", lambda: not
                   here.s3.state(BUCKET)["uploads"])


@test
def test_the_gateway_of_these_tests_ends_clean():
    while PLACES:
        here = PLACES.popitem()[1]
        here.check_log()
        here.__exit__(None)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The access log's last word, `ended_by`: whose doing it was that a request
didn't come to the end that its client wanted."""
import json
import os
import select
import signal
import tempfile
from pathlib import Path

from bucket import BUCKET, Emulator, PARTS, noise, sections
from kit import (FORM, KIB, MIB, PLUGINS, SLOWNESS, Gateway, built, each,
                 equal, eventually, expect, file, form, head, hook_source,
                 large_form, main, merged, request, test)

LARGE = 32 * MIB
STALL = {"backends": {"stall": {"plugin": "stall"}},
         "routes": [{"mount": "/files", "backend": "main"},
                    {"mount": "/stall", "backend": "stall"}]}
RECORD = ["id", "status", "code", "ended_by", "bytes_out"]


class Logged(Gateway):
    """A gateway of one loop with an access log."""

    def __init__(self, more=None, **options):
        folder = tempfile.mkdtemp(prefix="sluice-test-")
        self.log = Path(folder, "access.json")
        log = {"plugin": "log_json", "path": str(self.log), "delay": "10ms",
               "fields": RECORD}
        more = more or {}
        super().__init__({"server": {"workers": "1"}, **more,
                          "hooks": [*more.get("hooks", []), log]},
                         folder=folder, **options)
        self.own = True

    def record(self, name):
        """The one of the request that calls itself so: its status, code and
        ender."""
        def found():
            text = self.log.read_text() if self.log.exists() else ""
            return [one for line in text.splitlines()
                    if (one := json.loads(line))["id"] == name]
        one, = eventually(f"the record of {name}", found)
        return one["status"], one["code"], one["ended_by"]


def named(name):
    return f"X-Request-Id: {name}"


def get(key, name, mount="/files"):
    return request("GET", f"{mount}/download?key={key}", named(name))


def begin(wire, key, name, mount="/files"):
    """Asks, and takes no more than the answer's head."""
    wire.send(get(key, name, mount))
    equal("status", wire.head().status, 200)


def blob_of(gateway):
    """The one large object's file."""
    blobs = [path for path in Path(gateway.folder, "data").rglob("*")
             if path.is_file() and path.stat().st_size >= LARGE]
    equal("blobs", len(blobs), 1)
    return blobs[0]


def broken(wire):
    """The answer isn't whole: how many bytes of its body came."""
    while wire.more():
        pass
    expect(len(wire.input) < LARGE, "all of it came")


# ---- nobody ----------------------------------------------------------------

@test
def test_request_that_came_to_its_end_has_no_ender():
    with Logged() as gate:
        key = gate.upload()["key"]
        gate.ask("GET", f"/files/download?key={key}", named("whole"))
        gate.ask("GET", f"/files/download?key={key}", named("same"),
                 "If-None-Match: *")
        gate.ask("GET", "/healthz", named("health"))
        equal("records", [gate.record(name) for name in
                          ("whole", "same", "health")],
              [(200, None, None), (304, None, None), (200, None, None)])


# ---- the client ------------------------------------------------------------

@test
def test_reset_amid_a_download_is_the_clients():
    with Logged() as gate:
        key = gate.upload(bytes(LARGE))["key"]
        with gate.wire(buffer=4096) as wire:
            begin(wire, key, "it")
            wire.reset()
            equal("record", gate.record("it"), (200, "client_gone", "client"))


@test
def test_reset_amid_an_upload_is_the_clients():
    with Logged() as gate:
        before, _, whole = large_form(LARGE)
        with gate.wire() as wire:
            wire.send(head("POST", "/files", FORM, named("it"),
                           f"Content-Length: {whole}") + before)
            wire.send(bytes(MIB))
            wire.reset()
            equal("record", gate.record("it"), (499, "client_gone", "client"))


@each({"no key": ("GET", "/files/download", (400, "missing_key")),
       "no object": ("GET", "/files/download?key=a",
                     (404, "object_not_found")),
       "no path": ("GET", "/a", (404, "not_found")),
       "method": ("PUT", "/files", (405, "method_not_allowed")),
       "no form": ("POST", "/files", (415, "unsupported_media_type"))})
def test_request_that_makes_no_sense_is_the_clients(row):
    method, path, said = row
    with Logged() as gate:
        gate.ask(method, path, named("it"))
        equal("record", gate.record("it"), (*said, "client"))


# ---- a limit ---------------------------------------------------------------

@test
def test_file_beyond_max_bytes_is_the_limits():
    with Logged({"uploads": {"max_bytes": "10B"}}) as gate:
        gate.ask("POST", "/files", FORM, named("it"),
                 body=form(file(bytes(11))))
        equal("record", gate.record("it"), (413, "too_large", "limit"))


@test
def test_request_beyond_those_of_a_client_is_the_limits():
    with Logged({**STALL,
                 "limits": {"per_client": {"requests": "1"}}}) as gate:
        with gate.wire() as one, gate.wire() as two:
            begin(one, "stall/body", "one", "/stall")
            two.send(get("a", "it"))
            equal("status", two.answer().status, 429)
            equal("record", gate.record("it"),
                  (429, "too_many_requests", "limit"))
            one.reset()


# ---- the storage -----------------------------------------------------------

@test
def test_blob_that_is_cut_amid_a_download_is_the_storages():
    """By sendfile(2), to which the file's end looks like that of the client's
    connection."""
    with Logged() as gate:
        key = gate.upload(bytes(LARGE))["key"]
        with gate.wire(buffer=4096) as wire:
            begin(wire, key, "it")
            os.truncate(blob_of(gate), KIB)
            broken(wire)
            equal("record", gate.record("it"),
                  (200, "storage_failed", "storage"))
        gate.says("request it: .*shorter")


@test
def test_blob_that_is_removed_amid_a_download_is_sent_whole():
    with Logged() as gate:
        key = gate.upload(bytes(LARGE))["key"]
        with gate.wire(buffer=4096) as wire:
            begin(wire, key, "it")
            blob_of(gate).unlink()
            wire.take(LARGE)
            equal("record", gate.record("it"), (200, None, None))


@test
def test_blob_that_is_short_before_its_download_is_the_storages():
    with Logged() as gate:
        key = gate.upload(bytes(LARGE))["key"]
        os.truncate(blob_of(gate), 10 * MIB)
        with gate.wire() as wire:
            wire.send(get(key, "it"))
            equal("status", wire.answer().status, 500)
        equal("record", gate.record("it"), (500, "storage_failed", "storage"))


def unreadable(folder):
    """sendfile(2) that fails as a bad sector has it."""
    built(folder, "unreadable", """
#include <errno.h>
#include <sys/types.h>
ssize_t sendfile(int out, int in, off_t *at, size_t len);
ssize_t sendfile(int out, int in, off_t *at, size_t len) {
  errno = EIO;
  return -1;
}
ssize_t sendfile64(int out, int in, off_t *at, size_t len);
ssize_t sendfile64(int out, int in, off_t *at, size_t len) {
  errno = EIO;
  return -1;
}
""")
    return str(Path(folder, "unreadable.so"))


@test
def test_blob_that_cannot_be_read_is_the_storages():
    with tempfile.TemporaryDirectory() as folder:
        env = {"LD_PRELOAD": unreadable(folder),
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
               ":verify_asan_link_order=0"}
        with Logged(env=env) as gate:
            key = gate.upload(bytes(LARGE))["key"]
            with gate.wire() as wire:
                begin(wire, key, "it")
                broken(wire)
                equal("record", gate.record("it"),
                      (200, "storage_failed", "storage"))


class Bucket:
    """A gateway with a log over an emulator, which has one large object."""

    def __init__(self, more=None, **options):
        self.s3 = Emulator("minio")
        self.s3.create(BUCKET)
        try:
            self.gate = Logged(merged(sections(self.s3, **PARTS, **options),
                                      more or {}))
        except BaseException:
            self.s3.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *rest):
        try:
            self.gate.__exit__(*rest)
        finally:
            self.s3.stop()


@each({"truncated": "truncate", "reset": "reset-in-body"})
def test_bucket_that_breaks_off_amid_a_download_is_the_storages(do):
    with Bucket(attempts="1", retry_time="0s") as it:
        data = noise(8 * MIB)
        key = it.gate.upload(data)["key"]
        it.s3.faults({"match": {"method": "GET"}, "do": do, "at": MIB,
                      "side": "response", "times": 9})
        with it.gate.wire() as wire:
            begin(wire, key, "it")
            broken(wire)
        equal("record", it.gate.record("it"),
              (200, "upstream_failed", "storage"))


@test
def test_bucket_that_fails_before_the_head_is_the_storages():
    with Bucket(attempts="1", retry_time="0s") as it:
        key = it.gate.upload(noise(MIB))["key"]
        it.s3.faults({"match": {"method": "GET"}, "do": "500", "times": 9})
        with it.gate.wire() as wire:
            wire.send(get(key, "it"))
            equal("status", wire.answer().status, 502)
        equal("record", it.gate.record("it"),
              (502, "upstream_failed", "storage"))


# ---- time ------------------------------------------------------------------

SHORT = {"limits": {"backend_timeout": "1s", "write_timeout": "1s",
                    "body_timeout": "1s"}}


@test
def test_bucket_that_stalls_amid_a_download_is_a_matter_of_time():
    with Logged({**STALL, **SHORT}) as gate:
        with gate.wire() as wire:
            begin(wire, "stall/body", "it", "/stall")
            broken(wire)
        equal("record", gate.record("it"), (200, "upstream_timeout", "time"))


@test
def test_storage_that_says_nothing_is_a_matter_of_time():
    with Logged({**STALL, **SHORT}) as gate:
        with gate.wire() as wire:
            wire.send(get("stall/head", "it", "/stall"))
            equal("status", wire.answer().status, 504)
        equal("record", gate.record("it"), (504, "upstream_timeout", "time"))


@test
def test_reader_that_takes_nothing_is_a_matter_of_time():
    with Logged(SHORT) as gate:
        key = gate.upload(bytes(LARGE))["key"]
        with gate.wire(buffer=4096) as wire:
            begin(wire, key, "it")
            equal("record", gate.record("it"), (200, "too_slow", "time"))


@test
def test_body_that_does_not_come_is_a_matter_of_time():
    with Logged(SHORT) as gate:
        with gate.wire() as wire:
            wire.send(head("POST", "/files", FORM, named("it"),
                           "Content-Length: 1000") + b"--")
            equal("record", gate.record("it"), (499, "too_slow", "time"))


@test
def test_body_below_min_rate_is_a_matter_of_time():
    with Logged({"limits": {"body_timeout": "10s",
                            "min_rate": "1KiB"}}) as gate, \
            gate.wire(timeout=1) as wire:
        wire.send(head("POST", "/files", FORM, named("it"),
                       "Content-Length: 1000000") + large_form(1)[0])

        def closed():
            wire.send(b"x")
            return select.select([wire.socket], [], [], 0.5)[0]
        eventually("the end", closed, 30 * SLOWNESS)
        equal("record", gate.record("it"), (499, "too_slow", "time"))


# ---- a hook ----------------------------------------------------------------

def hooked(folder, ask):
    built(folder, "bouncer", "#include <sluice/plugin.h>\n" +
          hook_source("bouncer", ask=ask))
    return {"plugin_path": [*PLUGINS, str(folder)],
            "hooks": [{"plugin": "bouncer"}]}


@each({"denies": ("return SLUICE_DENY;", (403, "forbidden", "hook")),
       "with a word of its own": (
           'sluice_request_refuse(request, SLUICE_ETIMEOUT, "It is late"); '
           "return SLUICE_DENY;", (504, "upstream_timeout", "hook")),
       "without one": (
           'sluice_request_refuse(request, SLUICE_EUPSTREAM, ""); '
           "return SLUICE_DENY;", (502, "upstream_failed", "hook")),
       "says nothing": ("return SLUICE_WAIT;",
                        (504, "upstream_timeout", "time"))})
def test_hook_that(row):
    ask, said = row
    with tempfile.TemporaryDirectory() as folder:
        with Logged({**hooked(folder, ask), **SHORT}) as gate:
            with gate.wire() as wire:
                wire.send(get("a", "it"))
                equal("status", wire.answer().status, said[0])
            equal("record", gate.record("it"), said)


@test
def test_what_no_hook_allowed_is_the_hooks():
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "bouncer", hook_source("bouncer", guards="1"))
        with Logged({"plugin_path": [*PLUGINS, folder],
                     "hooks": [{"plugin": "bouncer"}]}) as gate:
            gate.ask("GET", "/files", named("it"))
            equal("record", gate.record("it"), (401, "unauthorized", "hook"))


# ---- the gateway -----------------------------------------------------------

@test
def test_request_under_way_at_the_end_of_a_drain_is_the_gateways():
    more = {"limits": {"drain_timeout": "1s"}}
    with Logged(more) as gate:
        key = gate.upload(bytes(LARGE))["key"]
        with gate.wire(buffer=4096) as down, gate.wire() as up:
            begin(down, key, "down")
            up.send(head("POST", "/files", FORM, named("up"),
                         "Content-Length: 1000") + b"--")
            gate.alive()
            gate.signal(signal.SIGTERM)
            equal("exit status", gate.wait(), 0)
            equal("records", [gate.record("down"), gate.record("up")],
                  [(200, "draining", "gateway"),
                   (499, "draining", "gateway")])


@test
def test_request_beyond_limits_memory_is_the_gateways():
    more = {"limits": {"memory": "4MiB", "connections": "100"}}
    with Logged({**STALL, **more}) as gate:
        wires, last = [], None
        try:
            for _ in range(60):
                wires.append(gate.wire())
                wires[-1].send(get("stall/body", "it", "/stall"))
                last = wires[-1].head().status
                if last == 503:
                    break
            equal("status", last, 503)
            equal("record", gate.record("it"),
                  (503, "overloaded", "gateway"))
        finally:
            for wire in wires:
                wire.reset()


if __name__ == "__main__":
    main()

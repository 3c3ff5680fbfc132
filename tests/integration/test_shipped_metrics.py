#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Numbers of the plugins that are shipped: each moves for its reason, and
docs/metrics.md has the name of every one."""
import datetime
import json
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bucket import BUCKET, PARTS, Emulator, noise
from bucket import sections as bucket_sections
from kit import (KIB, MIB, SOURCES, equal, eventually, expect, main, needs,
                 test)
from metricskit import Watched

NAME = re.compile(r"`((?:sluice|process)_[a-z0-9_]+)`")
FAMILY = re.compile(r"^# TYPE (\S+) ", re.M)
ADMIN = {"workers": "1", "admin": "127.0.0.1:0"}
PREFIXES = {name: {"plugin": "prefix", "over": "main", "prefix": f"{name}/"}
            for name in ("one", "two")}


def at(key, mount="files"):
    return f"/{mount}/object?key={key}"


def put(gate, key, data=b"x", mount="files"):
    return gate.ask("PUT", at(key, mount), body=data).status


def layered(**layer):
    """A layer over parts of one storage, at /files."""
    return {"server": ADMIN,
            "backends": {**PREFIXES, "top": layer},
            "routes": [{"mount": "/files", "backend": "top"},
                       {"mount": "/one", "backend": "one"},
                       {"mount": "/two", "backend": "two"}]}


# ---- backends --------------------------------------------------------------

@test
def test_local_counts_what_it_has_and_how_it_is_made_durable():
    with Watched() as gate:
        put(gate, "small")
        put(gate, "large", noise(2 * MIB))
        eventually("both are counted", lambda: gate.value(
            "sluice_local_object_bytes", backend="main") > 2 * MIB)
        expect(gate.value("sluice_local_objects", backend="main") >= 2,
               "objects")
        for name in "index_bytes", "wal_bytes", "disk_free_bytes":
            expect(gate.value(f"sluice_local_{name}", backend="main") > 0,
                   name)
        expect(gate.value("sluice_local_disk_bytes", backend="main")
               >= gate.value("sluice_local_disk_free_bytes", backend="main"),
               "a disk")
        equal("blobs", gate.value("sluice_local_sync_seconds_count",
                                  backend="main", of="blob"), 1)
        commits = gate.value("sluice_local_commits_total", backend="main")
        changes = gate.value("sluice_local_committed_total", backend="main")
        expect(0 < commits <= changes, f"{changes} in {commits}")
        equal("syncs", gate.value("sluice_local_sync_seconds_count",
                                  backend="main", of="index"), commits)
        equal("read-only", gate.value("sluice_local_read_only",
                                      backend="main"), 0)


@test
def test_local_counts_more_than_a_slice_and_anew_after_changes():
    with Watched({"server": {"workers": "2"}}) as gate:
        put(gate, "large", noise(2 * MIB))
        threads = [threading.Thread(target=lambda part=part: [
            put(gate, f"{part}/{n}", b"ab") for n in range(525)])
            for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gate.delete("large")
        eventually("all are counted", lambda: gate.value(
            "sluice_local_objects", backend="main") >= 2100)
        eventually("one is gone", lambda: gate.value(
            "sluice_local_object_bytes", backend="main") < MIB)


@test
def test_cache_counts_hits_misses_and_what_it_keeps():
    with tempfile.TemporaryDirectory() as folder, Watched(layered(
            plugin="cache", over="one", directory=folder)) as gate:
        put(gate, "k", b"x" * 5000)
        for _ in range(4):
            equal("status", gate.ask("GET", at("k")).status, 200)
        gate.becomes(1, "sluice_cache_fetched_total", backend="top")
        equal("misses", gate.value("sluice_cache_misses_total",
                                   backend="top"), 1)
        equal("reads", gate.value("sluice_cache_hits_total", backend="top")
              + gate.value("sluice_cache_joins_total", backend="top"), 3)
        equal("objects", gate.value("sluice_cache_objects", backend="top"), 1)
        expect(gate.value("sluice_cache_bytes", backend="top") >= 5000,
               "bytes")
        gate.delete("k")
        gate.becomes(0, "sluice_cache_objects", backend="top")
        gate.becomes(0, "sluice_cache_bytes", backend="top")


@test
def test_throttle_counts_who_waits_and_who_is_refused():
    with Watched(layered(plugin="throttle", over="one", rate="1", burst="1",
                         waiting="0")) as gate:
        statuses = [gate.ask("GET", at("k")).status for _ in range(4)]
        refused = statuses.count(503)
        expect(refused >= 2, statuses)
        gate.becomes(refused, "sluice_throttle_refused_total", backend="top")
    with Watched(layered(plugin="throttle", over="one", rate="1",
                         burst="1")) as gate:
        gate.ask("GET", at("k"))
        thread = threading.Thread(target=gate.ask, args=("GET", at("k")))
        thread.start()
        gate.becomes(1, "sluice_throttle_waiting", backend="top")
        thread.join()
        gate.becomes(0, "sluice_throttle_waiting", backend="top")
        equal("delayed", gate.value("sluice_throttle_delayed_total",
                                    backend="top"), 1)


@test
def test_fallback_counts_who_answered():
    name = "sluice_fallback_answers_total"
    with Watched(layered(plugin="fallback", over=["one", "two"])) as gate:
        put(gate, "a", mount="one")
        put(gate, "b", mount="two")
        before = gate.value("sluice_fallback_missing_total", backend="top")
        for key in "abbc":
            gate.ask("GET", at(key))
        gate.becomes(1, name, backend="top", storage="one")
        gate.becomes(2, name, backend="top", storage="two")
        gate.becomes(before + 1, "sluice_fallback_missing_total",
                     backend="top")


@test
def test_mirror_tells_what_a_storage_lacks_until_it_is_healed():
    with tempfile.TemporaryDirectory() as folder:
        more = layered(plugin="mirror", over=["one", "faulty"],
                       directory=folder, heal="100ms", acknowledge="1")
        more["backends"]["faulty"] = {
            "plugin": "chaos", "over": "two", "fail": "70",
            "operations": ["put"]}
        with Watched(more) as gate:
            for name in "one", "faulty":
                gate.becomes(0, "sluice_mirror_behind_keys", backend="top",
                             storage=name)
            for number in range(16):
                equal("put", put(gate, f"k{number}"), 201)
            for what in "healed_total", "heal_failures_total":
                eventually(what, lambda what=what: gate.value(
                    f"sluice_mirror_{what}", backend="top",
                    storage="faulty") >= 1)
            gate.becomes(0, "sluice_mirror_behind_keys", backend="top",
                         storage="faulty")
            equal("queue", gate.value("sluice_mirror_queue_refuses",
                                      backend="top"), 0)


class Keys(BaseHTTPRequestHandler):
    """Credentials of a container, which end in an hour."""
    protocol_version = "HTTP/1.1"
    body = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@test
def test_s3_tells_its_spool_and_the_end_of_its_credentials():
    s3 = Emulator("aws")
    s3.create(BUCKET)
    one = s3.credentials[0]
    end = datetime.datetime.now(datetime.timezone.utc).replace(
        microsecond=0) + datetime.timedelta(hours=1)
    Keys.body = json.dumps({
        "AccessKeyId": one["access_key"],
        "SecretAccessKey": one["secret_key"], "Token": one["token"] or "",
        "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ")}).encode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    more = bucket_sections(s3, more={"server": ADMIN}, access_key="",
                           secret_key="", session_token=None,
                           spool_memory="0", spool_max="64MiB", **PARTS)
    url = f"http://127.0.0.1:{server.server_port}/keys"
    try:
        with Watched(more, env={
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": url}) as gate:
            equal("end", gate.value("sluice_s3_credentials_not_after_seconds",
                                    backend="main"), end.timestamp())
            equal("bound", gate.value("sluice_s3_spool_max_bytes",
                                      backend="main"), 64 * MIB)
            gate.upload(noise(300 * KIB))
            eventually("a file is kept", lambda: gate.value(
                "sluice_s3_spool_files", backend="main") >= 1)
            expect(gate.value("sluice_s3_spool_bytes", backend="main")
                   >= 300 * KIB, "its bytes")
    finally:
        server.shutdown()
        s3.stop()


# ---- hooks -----------------------------------------------------------------

@test
def test_rate_limit_counts_refusals_by_the_rate():
    hook = {"plugin": "rate_limit", "requests": "1", "per": "1h",
            "burst": "2"}
    with Watched({"hooks": [hook]}) as gate:
        statuses = [gate.ask("GET", "/files?prefix=a").status
                    for _ in range(5)]
        gate.becomes(statuses.count(429), "sluice_rate_limit_refused_total",
                     hook="rate_limit", rate="requests")
        equal("bytes", gate.value("sluice_rate_limit_refused_total",
                                  hook="rate_limit", rate="bytes"), 0)


@test
def test_quota_counts_refusals_by_their_reason():
    with tempfile.TemporaryDirectory() as folder:
        hook = {"plugin": "quota", "file": f"{folder}/quota.db",
                "by": "prefix", "objects": "1"}
        with Watched({"hooks": [hook]}) as gate:
            equal("first", put(gate, "t/a"), 201)
            equal("second", put(gate, "t/b"), 507)
            gate.becomes(1, "sluice_quota_refused_total", hook="quota",
                         reason="objects")
            equal("bytes", gate.value("sluice_quota_refused_total",
                                      hook="quota", reason="bytes"), 0)


@test
def test_scan_clamd_counts_what_it_could_not_look_at():
    hook = {"plugin": "scan_clamd", "socket": "unix:/nowhere/clamd"}
    with Watched({"hooks": [hook]}) as gate:
        equal("status", put(gate, "k"), 503)
        gate.becomes(1, "sluice_scan_clamd_scans_total", hook="scan_clamd",
                     result="failed")
        equal("clean", gate.value("sluice_scan_clamd_scans_total",
                                  hook="scan_clamd", result="clean"), 0)


def events(folder, url):
    return {"plugin": "events", "url": url, "secret": "s" * 20,
            "directory": f"{folder}/events", "queue_max": "2",
            "retry_min": "20ms", "retry_max": "50ms"}


@test
def test_events_that_wait_and_that_were_lost_are_counted():
    with tempfile.TemporaryDirectory() as folder, \
            socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
        closed.close()
        with Watched({"hooks": [events(
                folder, f"http://127.0.0.1:{port}/")]}) as gate:
            equal("limit", gate.value("sluice_events_queue_max",
                                      hook="events"), 2)
            for key in "abc":
                equal(key, put(gate, key), 201)
            gate.becomes(2, "sluice_events_queued", hook="events")
            gate.becomes(1, "sluice_events_dropped_total", hook="events",
                         reason="lost")
            eventually("failures", lambda: gate.value(
                "sluice_events_failures_total", hook="events") >= 1)


# ---- all of them -----------------------------------------------------------

def everything(folder, s3):
    layers = {
        "kept": {"plugin": "cache", "over": "one",
                 "directory": f"{folder}/cache"},
        "both": {"plugin": "mirror", "over": ["one", "two"],
                 "directory": f"{folder}/queue"},
        "first": {"plugin": "fallback", "over": ["one", "two"]},
        "slow": {"plugin": "throttle", "over": "one", "rate": "100"},
        "other": bucket_sections(s3)["backends"]["main"]}
    for key in "directory", "create":
        layers["other"] = {name: value for name, value
                           in layers["other"].items() if value is not None}
    return {"server": ADMIN, "backends": {**PREFIXES, **layers},
            "hooks": [{"plugin": "rate_limit", "requests": "100"},
                      {"plugin": "quota", "file": f"{folder}/quota.db",
                       "objects": "9"},
                      {"plugin": "scan_clamd", "socket": "unix:/nowhere/x"},
                      {"plugin": "sniff", "deny": ["image/gif"]},
                      events(folder, "http://127.0.0.1:9/")]}


@test
def test_docs_have_every_name_and_promtool_likes_all():
    shown = set(NAME.findall(
        (SOURCES / "docs/metrics.md").read_text("utf-8")))
    s3 = Emulator("minio")
    s3.create(BUCKET)
    try:
        with tempfile.TemporaryDirectory() as folder, \
                Watched(everything(folder, s3)) as gate:
            page = gate.page()
            # Only with TLS, which test_metrics has no need of.
            equal("names", sorted(
                shown - {"sluice_certificate_not_after_seconds"}),
                sorted(FAMILY.findall(page)))
            needs(shutil.which("promtool"), "promtool, of prometheus")
            done = subprocess.run(["promtool", "check", "metrics"],
                                  input=page, text=True, timeout=60,
                                  capture_output=True, check=False)
            equal("promtool", (done.returncode, done.stdout + done.stderr),
                  (0, ""))
    finally:
        s3.stop()


if __name__ == "__main__":
    main()

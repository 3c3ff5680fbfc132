#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A new configuration while the gateway serves: new requests get it, those
that have begun end as they began, and a bad one changes nothing.

SLUICE_RELOADS is how many the storm has: 12, and 100 by hand, with 20
requests for each, or SLUICE_RELOAD_REQUESTS.
"""
import hashlib
import os
import re
import signal
import socket
import tempfile
import threading
from pathlib import Path

from kit import (FORM, KIB, MIB, PATIENCE, Gateway, each, equal, eventually,
                 expect, field, file, form, head, large_form, like, main, md5,
                 request, run, settings, test, written)
from upgradekit import hears, manager

RELOADS = int(os.environ.get("SLUICE_RELOADS", "12"))
REQUESTS = int(os.environ.get("SLUICE_RELOAD_REQUESTS", "20"))
DATA = bytes(range(256)) * (16 * KIB)
GROWTH = 12 * KIB  # KiB, of a process with or without a sanitizer
# A sanitizer keeps what was freed; here it shall not be taken for a leak.
SMALL = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
         ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}
IN_USE = r"configuration \d+ is in use for new requests"
REFUSED = r"nothing was changed, and the configuration before stays in use"


def rewrite(gateway, sections):
    written(gateway.folder, sections if isinstance(sections, str) else
            settings(gateway.folder, sections))


def hang_up(gateway, pattern):
    after = len(gateway.lines)
    gateway.signal(signal.SIGHUP)
    return gateway.says(pattern, after=after)


def reload(gateway, sections, pattern=IN_USE):
    rewrite(gateway, sections)
    return hang_up(gateway, pattern)


def begun_upload(gateway, wire, target="/files", size=MIB):
    """Sends half of an upload; returns the rest."""
    before, after, length = large_form(size)
    wire.send(head("POST", target, FORM, f"Content-Length: {length}") +
              before + b"x" * (size // 2))
    return b"x" * (size - size // 2) + after


def on_all_loops(what, ask):
    """Each of many connections, whichever loop takes it."""
    eventually(what, lambda: all(ask() for _ in range(16)))


# ---- what changes -----------------------------------------------------------

TWO = [{"mount": "/files", "backend": "main"},
       {"mount": "/more", "backend": "main"}]


@test
def test_routes_come_and_go():
    with Gateway() as gateway:
        equal("before", gateway.ask("GET", "/more?prefix=t").status, 404)
        reload(gateway, {"routes": TWO})
        on_all_loops("new route", lambda: gateway.ask(
            "GET", "/more?prefix=t").status == 200)
        key = gateway.upload(mount="/more")["key"]
        reload(gateway, {"routes": TWO[1:]})
        on_all_loops("old route", lambda: gateway.ask(
            "GET", "/files?prefix=t").status == 404)
        equal("object", gateway.download(key, mount="/more").status, 200)


@test
def test_upload_ends_under_the_configuration_it_began_with():
    with Gateway({"routes": TWO}) as gateway, gateway.wire() as wire:
        rest = begun_upload(gateway, wire, "/more")
        gateway.alive()
        for size in "1KiB", "2KiB", "3KiB":
            reload(gateway, {"uploads": {"max_bytes": size}})
        on_all_loops("route", lambda: gateway.ask(
            "GET", "/more?prefix=t").status == 404)
        wire.send(rest)
        answer = wire.answer()
        equal("status", (answer.status, answer.error), (201, None))
        there = gateway.download(answer.json["key"])
        equal("there", (there.status, len(there.body)), (200, MIB))


@test
def test_download_ends_under_the_configuration_it_began_with():
    with Gateway() as gateway:
        key = gateway.upload(DATA)["key"]
        with gateway.wire(buffer=64 * KIB) as wire:
            wire.send(request("GET", f"/files/download?key={key}"))
            equal("status", wire.head().status, 200)
            got = wire.take(MIB)
            reload(gateway, {"routes": [{"mount": "/else",
                                         "backend": "main"}]})
            got += wire.take(len(DATA) - MIB)
            equal("md5", md5(got), md5(DATA))
            equal("next, there", wire.ask("GET", "/files?prefix=t").status,
                  404)


def limit_of_size(gateway):
    body = form(field("prefix", "t"), file(b"x" * 3000))
    return gateway.ask("POST", "/files", FORM, body=body).status


@test
def test_limits_change_for_new_requests():
    with Gateway() as gateway:
        equal("before", limit_of_size(gateway), 201)
        reload(gateway, {"uploads": {"max_bytes": "2KiB"}})
        on_all_loops("smaller", lambda: limit_of_size(gateway) == 413)
        reload(gateway, {"limits": {"memory": "64MiB",
                                    "per_client": {"requests": "9"}}})
        on_all_loops("larger", lambda: limit_of_size(gateway) == 201)


@test
def test_cors_headers_and_log_level_change():
    origin = "Origin: https://a.example"
    with Gateway() as gateway:
        equal("before", gateway.ask("GET", "/healthz", origin).header(
            "access-control-allow-origin"), None)
        reload(gateway, {"cors": {"origins": ["https://a.example"]},
                         "server": {"headers": {"X-Site": "b"},
                                    "log_level": "debug"}})
        def answer():
            got = gateway.ask("GET", "/healthz", origin)
            return (got.header("access-control-allow-origin"),
                    got.header("x-site")) == ("https://a.example", "b")
        on_all_loops("headers", answer)
        gateway.says(r"debug configuration 1 has ended")


@test
def test_time_for_a_head_changes_for_those_that_wait_next():
    with Gateway() as gateway:
        reload(gateway, {"limits": {"head_timeout": "300ms"}})
        on_all_loops("all loops", lambda: gateway.ask(
            "GET", "/healthz").status == 200)
        with gateway.wire() as wire:
            wire.send(b"GET / HTTP/1.1\r\n")
            wire.ended()


def tokens(gateway, name, key):
    digest = hashlib.sha256(key.encode()).hexdigest()
    written(gateway.folder, {"tokens": [
        {"sha256": digest, "identity": "ann", "operations": ["list"],
         "prefixes": [""]}]}, name)


@test
def test_hooks_and_their_credentials_change():
    with Gateway() as gateway:
        equal("open", gateway.ask("GET", "/files?prefix=t").status, 200)
        tokens(gateway, "a.yaml", "a" * 32)
        tokens(gateway, "b.yaml", "b" * 32)
        for name in "a", "b":
            hook = {"plugin": "auth_token", "interval": "0",
                    "file": str(Path(gateway.folder, f"{name}.yaml"))}
            reload(gateway, {"hooks": [hook]})
            for key, status in ("a", 401), ("b", 401), (name, 200):
                if status == 401 and key == name:
                    continue
                on_all_loops(f"{key} after {name}", lambda: gateway.ask(
                    "GET", "/files?prefix=t",
                    f"Authorization: Bearer {key * 32}").status == status)
        reload(gateway, {})
        on_all_loops("open", lambda: gateway.ask(
            "GET", "/files?prefix=t").status == 200)


def counted(gateway, count):
    with gateway.wire() as wire:
        return [wire.ask("GET", "/files?prefix=t").status
                for _ in range(count)]


@test
def test_what_a_hook_counts_stays_while_its_options_do():
    rate = {"plugin": "rate_limit", "requests": "1", "burst": "50"}
    with Gateway({"hooks": [rate]}) as gateway:
        expect(429 in counted(gateway, 80), "there is no limit")
        reload(gateway, {"hooks": [rate], "uploads": {"max_bytes": "2KiB"}})
        still = counted(gateway, 20)
        expect(still.count(429) > 10, f"it was forgotten: {still}")
        reload(gateway, {"hooks": [{**rate, "burst": "51"}]})
        anew = counted(gateway, 40)
        equal("anew", anew, [200] * 40)


# ---- backends ---------------------------------------------------------------

@test
def test_backends_come_and_go_and_the_same_one_stays_open():
    with Gateway() as gateway:
        base = gateway.quiet()
        key = gateway.upload()["key"]
        second = {"plugin": "local",
                  "directory": str(Path(gateway.folder, "second"))}
        with gateway.wire() as wire:
            rest = begun_upload(gateway, wire)
            reload(gateway, {"backends": {"second": second}, "routes": [
                *TWO[:1], {"mount": "/more", "backend": "second"}]})
            on_all_loops("new", lambda: gateway.ask(
                "GET", "/more?prefix=t").status == 200)
            there = gateway.upload(mount="/more")["key"]
            wire.send(rest)
            equal("status", wire.answer().status, 201)
        equal("old", gateway.download(key).status, 200)
        equal("second", gateway.download(there, mount="/more").status, 200)
        reload(gateway, {})
        gateway.settles(base)


@test
def test_file_of_a_hook_that_has_one_user_is_not_opened_twice():
    with tempfile.TemporaryDirectory() as folder:
        def quota(limit):
            return {"hooks": [{"plugin": "quota", "by": "prefix",
                               "bytes": limit, "file": f"{folder}/db"}]}
        with Gateway(quota("1KiB")) as gateway:
            like("why", reload(gateway, quota("1MiB"), REFUSED),
                 r"is locked.*restart the gateway")
            equal("as before", gateway.ask(
                "PUT", "/files/object?key=t/a",
                body=b"x" * 2048).status, 507)


@test
def test_storage_of_one_user_is_not_opened_twice():
    with Gateway() as gateway:
        key = gateway.upload()["key"]
        data = str(Path(gateway.folder, "data"))
        like("why", reload(gateway, {"backends": {"main": {
            "plugin": "local", "directory": data, "sync": "false"}}},
            REFUSED), r"in use.*restart the gateway")
        equal("as before", gateway.download(key).status, 200)
        moved = {"backends": {"main": {"directory": data + "2"}}}
        reload(gateway, moved)
        on_all_loops("another folder", lambda: gateway.download(
            key).status == 404)
        reload(gateway, {})
        on_all_loops("the first again", lambda: gateway.download(
            key).status == 200)


@test
def test_layer_changes_over_a_storage_that_stays():
    def over(prefix):
        return {"backends": {"part": {"plugin": "prefix", "over": "main",
                                      "prefix": prefix}},
                "routes": [*TWO[:1], {"mount": "/part", "backend": "part"}]}
    with Gateway(over("a/")) as gateway:
        base = gateway.quiet()
        key = gateway.upload(mount="/part")["key"]
        equal("below", gateway.download(f"a/{key}").status, 200)
        with gateway.wire() as wire:
            rest = begun_upload(gateway, wire, "/part")
            reload(gateway, over("b/"))
            on_all_loops("another prefix", lambda: gateway.download(
                key, mount="/part").status == 404)
            wire.send(rest)
            other = wire.answer().json["key"]
        equal("as it began", gateway.download(f"a/{other}").status, 200)
        gateway.settles(base)


# ---- what can't change ------------------------------------------------------

@test
def test_what_can_not_change_is_said_in_one_line():
    with Gateway() as gateway:
        line = reload(gateway, {"server": {"workers": "3", "listen": [
            "127.0.0.1:1"]}, "limits": {"threads": "9"},
            "uploads": {"max_bytes": "2KiB"}},
            "these change with the next start only")
        like("keys", line, r"server\.listen, server\.workers, limits\.threads")
        on_all_loops("the rest does", lambda: limit_of_size(gateway) == 413)


@each({"yaml": "server: [", "key": {"uploads": {"max_bites": "1"}},
       "value": {"uploads": {"max_bytes": "-1"}},
       "plugin": {"hooks": [{"plugin": "no_such"}]},
       "option": {"hooks": [{"plugin": "rate_limit", "requests": "x1"}]},
       "route": {"routes": [{"mount": "/files", "backend": "other"}]},
       "start": {"hooks": [{"plugin": "auth_token", "file": "/none"}]},
       "certificate": {"server": {"tls": {"certificate": "/none",
                                          "private_key": "/none"}}}})
def test_bad_one_changes_nothing_and_says_why_as_the_check_does(sections):
    with Gateway() as gateway:
        base = gateway.quiet()
        wire = gateway.wire()
        rest = begun_upload(gateway, wire)
        said = reload(gateway, sections, REFUSED)
        status, _, why = run("-c", str(gateway.path), "-t")
        equal("status of -t", status, 1)
        why = why.splitlines()[-1].removeprefix("sluice: ")
        expect(why in said, f"{why!r} isn't in {said!r}")
        equal("size", limit_of_size(gateway), 201)
        wire.send(rest)
        equal("upload", wire.answer().status, 201)
        wire.close()
        gateway.settles(base)


@test
def test_same_configuration_only_has_files_read_again():
    with Gateway() as gateway:
        hang_up(gateway, "SIGHUP: hooks reload")
        expect(not any(re.search(IN_USE, line) for line in gateway.lines),
               "there is another generation")


@test
def test_end_does_not_wait_for_a_reload():
    with Gateway({"routes": TWO}) as gateway, gateway.wire() as wire:
        rest = begun_upload(gateway, wire, "/more")
        gateway.alive()
        reload(gateway, {})
        rewrite(gateway, {"uploads": {"max_bytes": "2KiB"}})
        gateway.signal(signal.SIGHUP)
        gateway.signal(signal.SIGTERM)
        wire.send(rest)
        equal("status", wire.answer().status, 201)
        equal("exit status", gateway.wait(), 0)


@each({"path": "{}/notify", "abstract": "@{}/notify"})
def test_service_manager_hears_of_start_reload_and_end(name):
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        name = name.format(folder)
        heard.bind(name.replace("@", "\0"))
        heard.settimeout(PATIENCE)
        with Gateway(env={"NOTIFY_SOCKET": name}) as gateway:
            equal("start", heard.recv(256), b"READY=1")
            reload(gateway, {"uploads": {"max_bytes": "2KiB"}})
            expect(re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+",
                                heard.recv(256)), "it didn't say so")
            equal("reloaded", heard.recv(256), b"READY=1")
            reload(gateway, "server: [", REFUSED)
            expect(heard.recv(256).startswith(b"RELOADING=1"), "so, too")
            equal("as before", heard.recv(256), b"READY=1")
            gateway.signal(signal.SIGTERM)
            equal("end", heard.recv(256), b"STOPPING=1")


@test
def test_service_manager_allows_plugins_more_time_to_start():
    with tempfile.TemporaryDirectory() as folder, \
            manager(folder, WATCHDOG_USEC="60000000") as (heard, environment):
        with Gateway(env=environment) as gateway:
            hears(heard, "READY=1", "WATCHDOG=1")
            reload(gateway, {"uploads": {"max_bytes": "2KiB"}})
            expect(heard.recv(256).startswith(b"RELOADING=1"), "it didn't")
            equal("said", [heard.recv(256) for _ in range(4)],
                  [b"WATCHDOG_USEC=600000000", b"WATCHDOG=1",
                   b"WATCHDOG_USEC=60000000", b"READY=1"])


# ---- many ------------------------------------------------------------------

def number_of(gateway, text):
    """The sum of those metrics whose line begins with the text."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(str(Path(gateway.folder, "admin")))
        wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    return sum(float(line.rsplit(" ", 1)[1])
               for line in answer.decode().splitlines()
               if line.startswith(text))


class Asker(threading.Thread):
    """One of many clients: uploads, downloads, lists, and waits for some."""

    def __init__(self, gateway, over):
        super().__init__()
        self.gateway, self.over = gateway, over
        self.statuses, self.failure = [], None

    def one(self, wire):
        body = form(field("prefix", "t"), file(b"hello" * 100))
        answer = wire.ask("POST", "/files", FORM, body=body)
        self.statuses.append(answer.status)
        key = answer.json["key"]
        for target in f"/files/download?key={key}", "/files?prefix=t&limit=1":
            self.statuses.append(wire.ask("GET", target).status)

    def run(self):
        try:
            while not self.over.is_set():
                with self.gateway.wire() as wire:
                    for _ in range(5):
                        self.one(wire)
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure


def variant(folder, number):
    rate = {"plugin": "rate_limit", "requests": str(10 ** 4 + number)}
    return {"server": {"workers": "2", "admin": f"unix:{folder}/admin",
                       "headers": {"X-Number": str(number)}},
            "hooks": [rate] if number % 3 else [],
            "uploads": {"max_bytes": f"{number + 1}MiB"},
            "limits": {"backend_timeout": f"{30 + number}s"},
            "routes": TWO if number % 2 else TWO[:1]}


@test
def test_nothing_fails_and_nothing_leaks_over_many_reloads():
    over = threading.Event()
    with tempfile.TemporaryDirectory() as folder, \
            Gateway(variant(folder, 1), folder=folder,
                    env=SMALL) as gateway:
        gateway.upload()
        askers = [Asker(gateway, over) for _ in range(6)]
        reload(gateway, variant(folder, 0))
        reload(gateway, variant(folder, 1))
        base = gateway.quiet()
        slow = gateway.wire()
        rest = begun_upload(gateway, slow)
        for asker in askers:
            asker.start()
        memory = None
        for number in range(2, RELOADS + 2):
            reload(gateway, variant(folder, number))
            eventually("requests meanwhile", lambda: sum(
                len(asker.statuses) for asker in askers) >
                (number - 1) * REQUESTS or not all(
                    asker.is_alive() for asker in askers))
            if number == RELOADS // 2:
                memory = gateway.status("VmRSS")
        over.set()
        for asker in askers:
            asker.join(PATIENCE)
            if asker.failure:
                raise asker.failure
        slow.send(rest)
        equal("slow upload", slow.answer().status, 201)
        slow.close()
        asked = [status for asker in askers for status in asker.statuses]
        equal("failed", [status for status in asked
                         if status not in (200, 201)], [])
        expect(len(asked) > REQUESTS * RELOADS, f"only {len(asked)}")
        grown = gateway.status("VmRSS") - memory
        expect(grown < GROWTH, f"it has grown by {grown} KiB")
        # The slow one, and the first, have been counted, too.
        # A request is counted behind its answer.
        eventually("all are counted", lambda: number_of(
            gateway, 'sluice_requests_total{route="/files"') ==
            len(asked) + 2)
        reload(gateway, variant(folder, 1))
        gateway.settles(base)
        equal("ended", number_of(gateway, "sluice_requests_in_flight"), 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The gateway's log: a reader that doesn't read stops nobody, what is missing
is counted, and what is broken is told of once a second."""
import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time

from kit import (BINARY, PATIENCE, PLUGINS, Gateway, Wire, built, equal,
                 eventually, expect, free_port, hook_source, like, main, run,
                 settings, test, written)

LINE = 1500
TALKER = ("#include <sluice/plugin.h>\n"
          "static struct sluice_host *kept;\n" +
          hook_source("talker", start="kept = host;", ask=f"""
    sluice_log(kept, SLUICE_LOG_INFO, "%s %0{LINE}d",
               sluice_request_query(request), 0);
    return SLUICE_PASS;"""))
BOUND = 256 << 10  # of the queue


@contextlib.contextmanager
def unread(sections, folder):
    """A gateway whose standard error is a pipe that nobody reads once it is
    ready: its URL, the process, and the pipe's end."""
    reading, writing = os.pipe()
    port = free_port()
    path = written(folder, settings(folder, {
        "server": {"listen": [f"127.0.0.1:{port}"]}, **sections}))
    with subprocess.Popen([BINARY, "-c", path], stderr=writing,
                          stdin=subprocess.DEVNULL) as it:
        os.close(writing)
        try:
            text = b""
            while b" ready\n" not in text:
                text += os.read(reading, 4096) or b" ready\n"
            yield f"http://127.0.0.1:{port}", it, reading
        finally:
            if it.poll() is None:
                it.kill()
            it.wait()
            os.close(reading)


def rest_of(reading):
    text = b""
    while data := os.read(reading, 1 << 16):
        text += data
    return text.decode()


def talk(url, count):
    with Wire(url) as wire:
        for i in range(count):
            equal("status", wire.ask(
                "GET", f"/files/download?key={i}").status, 404)


@test
def test_log_that_nobody_reads_stops_nobody():
    """More lines than pipe and queue hold, then other connections."""
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "talker", TALKER)
        count = 3 * (BOUND + 65536) // LINE
        with unread({"plugin_path": [*PLUGINS, folder],
                     "hooks": [{"plugin": "talker"}]}, folder) as (
                         url, it, reading):
            talk(url, count)
            for _ in range(8):  # every loop
                with Wire(url) as wire:
                    equal("status", wire.ask("GET", "/healthz").status, 200)
            it.send_signal(signal.SIGTERM)
            log = rest_of(reading)
            equal("exit status", it.wait(PATIENCE), 0)
        said = [int(n) for n in re.findall(
            r"\[talker\] request \w+: key=(\d+) 0+$", log, re.M)]
        equal("the order", said, sorted(set(said)))
        lost = [int(n) for n in re.findall(
            r" warn (\d+) lines? (?:was|were) dropped: ", log)]
        equal("notes", len(lost), 1)
        expect(len(said) * LINE > BOUND, f"only {len(said)} lines are there")
        signaled = len(re.findall("requests may finish", log))
        equal("lines", len(said) + signaled + sum(lost), count + 1)


@test
def test_gateway_ends_in_time_when_nobody_reads_its_log():
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "talker", TALKER)
        with unread({"plugin_path": [*PLUGINS, folder],
                     "hooks": [{"plugin": "talker"}]}, folder) as (
                         url, it, _):
            talk(url, 2 * 65536 // LINE)
            it.send_signal(signal.SIGTERM)
            equal("exit status", it.wait(15 + PATIENCE), 0)


@test
def test_fatal_start_error_comes_behind_what_was_logged_before():
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "talker", hook_source("talker", start="""
            for (int i = 0; i < 200; i++)
              sluice_log(host, SLUICE_LOG_INFO, "line %d", i);
            sluice_fail(host, "there is no time"); return NULL;"""))
        path = written(folder, settings(folder, {
            "plugin_path": [*PLUGINS, folder],
            "hooks": [{"plugin": "talker"}]}))
        status, _, said = run("-c", path)
        equal("status", status, 1)
        lines = said.splitlines()
        equal("lines", [found[1] for line in lines[:-1] if
                        (found := re.search(r"\[talker\] line (\d+)$", line))],
              [str(i) for i in range(200)])
        like("the last", lines[-1], r"\Asluice: hook 'talker': there is no "
             r"time\Z")


@test
def test_dead_storage_is_told_once_and_then_counted():
    """A line for the first request, and one a second for all others."""
    with Gateway({"server": {"workers": "1"},
                  "backends": {"main": {"plugin": "rogue", "directory": None,
                                        "how": "bad_status"}},
                  "limits": {"threads": "2"}}) as gateway:
        count, seconds, started = 0, 2.5, time.monotonic()
        with gateway.wire() as wire:
            while time.monotonic() - started < seconds or count < 50:
                answer = wire.ask("GET", "/files/download?key=a")
                equal("status", answer.status, 500)
                count += 1
        took = time.monotonic() - started

        def told():
            mine = [line for line in gateway.lines
                    if re.search(r"request \S+: storage_failed: ", line)]
            sums = [int(found[1]) if (found := re.search(
                r"\(the last of (\d+) like it\)", line)) else 1
                    for line in mine]
            return mine if sum(sums) == count else None
        mine = eventually("all requests counted", told)
        expect(2 <= len(mine) <= took + 2, f"{len(mine)} lines in {took} s")


if __name__ == "__main__":
    main()

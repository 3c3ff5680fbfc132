#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins count, beside the gateway's own numbers: from the start, over
a reload, and when they count what they haven't declared."""
import signal
import shutil
import subprocess

from kit import (each, equal, eventually, like, main, needs,
                 refusal, settings, test, written)
from metricskit import Watched

TOTAL = "countinghook_requests_total"
OURS = {"hook": "countinghook"}
IN_USE = r"configuration \d+ is in use for new requests"


def counting(step=1):
    return {"plugin": "countinghook", "step": step}


def ours(gateway):
    return {one: number for one, number in gateway.samples().items()
            if "countinghook" in one[0]}


def reload(gateway, sections):
    after = len(gateway.lines)
    written(gateway.folder, settings(gateway.folder, sections))
    gateway.signal(signal.SIGHUP)
    gateway.says(IN_USE, after=after)


def named(sections):
    return {"server": {"workers": "2", "admin": "127.0.0.1:0"}, **sections}


@test
def test_declared_series_are_there_from_the_start_with_their_labels():
    with Watched({"hooks": [counting()]}) as gateway:
        samples = ours(gateway)
        for method in "get", "other":
            equal(method, samples["sluice_" + TOTAL, (
                ("hook", "countinghook"), ("method", method))], 0)
        equal("gauge", samples["sluice_countinghook_open",
                               (("hook", "countinghook"),)], -2)
        equal("sum", samples["sluice_countinghook_seconds_sum",
                             (("hook", "countinghook"),)], 0)
        like("kind", gateway.page(),
             "# HELP sluice_countinghook_seconds How long they took.\n"
             "# TYPE sluice_countinghook_seconds histogram\n")


@test
def test_requests_are_counted_on_loops_and_by_threads():
    with Watched({"hooks": [counting(2)]}) as gateway:
        before = set(ours(gateway))
        gateway.upload()
        for _ in range(20):
            gateway.ask("GET", "/files?prefix=a")
        gateway.becomes(40, "sluice_" + TOTAL, **OURS, method="get")
        gateway.becomes(2, "sluice_" + TOTAL, **OURS, method="other")
        gateway.becomes(21, "sluice_countinghook_threads_total", **OURS)
        gateway.becomes(21, "sluice_countinghook_seconds_count", **OURS)
        gateway.becomes(-2, "sluice_countinghook_open", **OURS)
        equal("series", set(ours(gateway)), before)


@test
def test_hooks_of_one_plugin_add_to_the_same_numbers():
    with Watched({"hooks": [counting(1), counting(10)]}) as gateway:
        gateway.ask("GET", "/files?prefix=a")
        gateway.becomes(11, "sluice_" + TOTAL, **OURS,
                        method="get")
        gateway.becomes(-4, "sluice_countinghook_open", **OURS)


@test
def test_counters_go_on_over_reloads_and_gauges_are_of_who_is_there():
    with Watched({"hooks": [counting()]}) as gateway:
        gateway.ask("GET", "/files?prefix=a")
        gateway.becomes(1, "sluice_countinghook_seconds_count", **OURS)
        for step in (2, 3):
            reload(gateway, named({"hooks": [counting(step)]}))
            gateway.ask("GET", "/files?prefix=a")
        gateway.becomes(6, "sluice_" + TOTAL, **OURS, method="get")
        gateway.becomes(3, "sluice_countinghook_seconds_count", **OURS)
        gateway.becomes(-2, "sluice_countinghook_open", **OURS)
        reload(gateway, named({"hooks": []}))
        eventually("none is left", lambda: not ours(gateway))


@test
def test_refused_reload_changes_no_number():
    with Watched({"hooks": [counting()]}) as gateway:
        gateway.ask("GET", "/files?prefix=a")
        gateway.becomes(1, "sluice_" + TOTAL, **OURS, method="get")
        after = len(gateway.lines)
        written(gateway.folder, settings(gateway.folder, named(
            {"hooks": [counting(5), {"plugin": "clashhook"}]})))
        gateway.signal(signal.SIGHUP)
        gateway.says("nothing was changed", after=after)
        gateway.ask("GET", "/files?prefix=a")
        gateway.becomes(2, "sluice_" + TOTAL, **OURS, method="get")


@each({"a number": ("number", "sluice_count"),
       "a value": ("value", "sluice_count"),
       "another kind": ("kind", "sluice_gauge")})
def test_who_counts_what_is_not_declared_is_named(case):
    how, call = case
    with Watched({"hooks": [counting()]}) as gateway:
        before = set(gateway.samples())
        gateway.ask("GET", "/files?prefix=a", f"X-Miscount: {how}")
        gateway.says(rf"plugin 'countinghook' breaks the contract: {call}\(\) "
                     "of a metric that its table doesn't declare so")
        gateway.ask("GET", "/files?prefix=a")
        gateway.becomes(2, "sluice_" + TOTAL, **OURS, method="get")
        equal("series", set(gateway.samples()), before)


@test
def test_bad_declarations_are_refused_at_the_start():
    refusal({"backends": {"main": {"plugin": "badmetric",
                                   "directory": None}}},
            "badmetric_objects", "is a counter; let its name end in _total")
    refusal({"hooks": [counting(), {"plugin": "clashhook"}]},
            "'countinghook' and 'clashhook'", "countinghook_open",
            "not as the same thing")


@test
def test_promtool_likes_what_plugins_declare():
    needs(shutil.which("promtool"), "promtool, of the package prometheus")
    with Watched({"hooks": [counting()]}) as gateway:
        done = subprocess.run(["promtool", "check", "metrics"],
                              input=gateway.page(), text=True, timeout=60,
                              capture_output=True, check=False)
        equal("promtool", (done.returncode, done.stdout + done.stderr),
              (0, ""))


if __name__ == "__main__":
    main()

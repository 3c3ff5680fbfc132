#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hook events and its configuration: taken, or refused."""
import json
import re
import sqlite3
import tempfile
from pathlib import Path

from eventskit import MAN, SECRET, each_folder, gateway, hook
from kit import (PLUGINS, SOURCES, each, equal, expect, main, refusal, run,
                 test, written)
from service import Service, say


@each({
    "url": ({"url": "a"}, "http://"),
    "no url": ({"url": None}, "url"),
    "no secret": ({"secret": None}, "secret"),
    "short secret": ({"secret": "x" * 15}, "16 to 1024"),
    "long secret": ({"secret": "x" * 1025}, "16 to 1024"),
    "no directory": ({"directory": None}, "directory"),
    "empty directory": ({"directory": ""}, "empty"),
    "above": ({"directory": "/nowhere/at/all"}, "can't be made"),
    "event": ({"events": ["uploaded"]}, "there is no 'uploaded'"),
    "no event": ({"events": []}, "empty"),
    "full": ({"when_full": "wait"}, "drop or refuse"),
    "queue": ({"queue_max": "0"}, "queue_max"),
    "parallel": ({"parallel": "65"}, "between 1 and 64"),
    "timeout": ({"timeout": "0"}, "timeout"),
    "retry_min": ({"retry_min": "2h"}, "retry_min"),
    "retry_max": ({"retry_min": "2s", "retry_max": "1s"}, "retry_max"),
    "max_age": ({"max_age": "366d"}, "max_age"),
})
def test_bad_configuration_is_refused(case):
    options, words = case
    with tempfile.TemporaryDirectory() as folder:
        one = hook(folder, "http://127.0.0.1:1/")
        one.update(options)
        line = refusal({"hooks": [{name: value for name, value in one.items()
                                   if value is not None}]}, words)
        expect(str(options.get("secret")) not in line, "the secret is logged")


@each({"garbage": b"not a database at all" * 100,
       "another's": None})
def test_foreign_file_is_left_alone(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events", "events.db")
        path.parent.mkdir()
        if content is None:
            base = sqlite3.connect(path)
            base.execute("CREATE TABLE a(b)")
            base.commit()
            base.close()
            content = path.read_bytes()
        else:
            path.write_bytes(content)
        refusal({"hooks": [hook(folder, "http://127.0.0.1:1/")]},
                "choose another directory")
        equal("file", path.read_bytes(), content)


@each_folder
def test_secret_is_never_logged(folder):
    with Service(say(500)) as service, gateway(
            service, folder=folder,
            sections={"server": {"log_level": "debug"}}) as gate:
        gate.upload()
        service.count(3)
        gate.stop()
        expect(not any(SECRET in line for line in gate.lines), "it is")


@test
def test_every_option_is_in_the_man_page():
    page = MAN.read_text()
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, {
            "plugin_path": PLUGINS, "routes": [{"mount": "/",
                                                "backend": "main"}],
            "backends": {"main": {"plugin": "local", "directory": folder}},
            "hooks": [{**hook(folder, "http://a"), "no": "1"}]})
        _, _, text = run("-t", "-c", path)
        names = re.search(r"known: (.*)", text)[1].split(", ")
        expect(len(names) > 5, text)
        for name in names:
            expect(name == "plugin" or f".It Cm {name} :" in page,
                   f"{name} isn't in the man page")


@test
def test_example_is_accepted():
    with tempfile.TemporaryDirectory() as folder:
        text = (SOURCES / "plugins/hook/events/events.yaml").read_text()
        path = written(folder, f"plugin_path: {json.dumps(PLUGINS)}\n" + text)
        got = run("-t", "-c", path)
        equal("sluice -t", (got[0], got[2]), (0, got[2]))


main()

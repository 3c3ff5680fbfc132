# SPDX-License-Identifier: MIT
"""Shared by the tests of the hook events."""
import json
import sqlite3
import sys
import tempfile
import textwrap
from pathlib import Path

TESTS = Path(__file__).parents[3] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "integration")]

# pylint: disable=wrong-import-position
from kit import FORM, SOURCES, Gateway, field, file, form, test

SECRET = "a secret of the test's"
MAN = SOURCES / "plugins/hook/events/sluice-events.7"


def hook(folder, url, **options):
    return {"plugin": "events", "url": url, "secret": SECRET,
            "directory": str(Path(folder, "events")), "retry_min": "20ms",
            "retry_max": "100ms", **options}


def gateway(service, /, *, folder, before=None, sections=None, **options):
    url = service if isinstance(service, str) else service.url + "/hear"
    return Gateway({"hooks": [hook(folder, url, **options)],
                    **(sections or {})}, folder=folder, before=before)


def each_folder(function):
    """A folder that outlives gateways."""
    def body():
        with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
            Path(folder, "data").mkdir()
            function(folder)
    body.__name__ = function.__name__
    return test(body)


def send_upload(gate, name="a.txt", data=b"hello", *lines, prefix="t"):
    return gate.ask("POST", "/files", FORM, *lines,
                    body=form(field("prefix", prefix), file(data, name)))


def heard(service):
    """The events of all requests so far."""
    return [json.loads(asked.body) for asked in list(service.asked)]


def waiting(folder):
    """The events that a stopped gateway's queue holds."""
    base = sqlite3.connect(Path(folder, "events", "events.db"))
    try:
        return [json.loads(body) for body, in
                base.execute("SELECT body FROM event ORDER BY number")]
    finally:
        base.close()


def snippet():
    """verify() as the man page has it."""
    page = MAN.read_text()
    code = page[page.index("import hashlib"):]
    scope = {}
    exec(textwrap.dedent(code[:code.index(".Ed")]),  # pylint: disable=W0122
         scope)
    return scope["verify"]


def per_key(events):
    """The types of each key, doubles dropped, in the order they came."""
    seen, keys = set(), {}
    for event in events:
        if event["id"] not in seen:
            seen.add(event["id"])
            keys.setdefault(event["key"], []).append(event["type"])
    return keys

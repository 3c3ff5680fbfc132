#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer `readonly`: reading passes, changing is refused."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from kit import (FORM, Gateway, each, equal, file, form, quote,
                 test)  # noqa: E402

LAYERS = {"shown": {"plugin": "readonly", "over": "main"},
          "twice": {"plugin": "readonly", "over": "shown"}}
ROUTES = [{"mount": "/files", "backend": "main"},
          {"mount": "/shown", "backend": "twice"}]


def gateway():
    return Gateway({"backends": LAYERS, "routes": ROUTES})


def at(key):
    return quote(key, safe="")


@test
def test_reading_passes():
    with gateway() as gate:
        key = gate.upload(b"hello", "a", "t")["key"]
        answer = gate.ask("GET", f"/shown/download?key={at(key)}")
        equal("bytes", answer.body, b"hello")
        answer = gate.ask("GET", f"/shown/object?key={at(key)}",
                          "Range: bytes=1-2")
        equal("range", (answer.status, answer.body), (206, b"el"))
        names = gate.ask("GET", "/shown?prefix=t/").json["objects"]
        equal("names", [name["key"] for name in names], [key])
        link = gate.json("POST", "/shown/presign", {"key": key}).json["url"]
        equal("link", gate.ask("GET", link[link.index("/shown"):]).body,
              b"hello")


CHANGES = {
    "upload": lambda gate, key: gate.ask(
        "POST", "/shown", FORM, body=form(file(b"x"))),
    "put": lambda gate, key: gate.ask(
        "PUT", f"/shown/object?key={at(key)}", body=b"x"),
    "put_if": lambda gate, key: gate.ask(
        "PUT", f"/shown/object?key={at(key)}2", "If-None-Match: *", body=b"x"),
    "raw": lambda gate, key: gate.ask("POST", "/shown/uploads", body=b"x"),
    "delete": lambda gate, key: gate.json("DELETE", "/shown", {"key": key}),
    "delete_if": lambda gate, key: gate.ask(
        "DELETE", f"/shown/object?key={at(key)}", "If-Match: *"),
    "copy": lambda gate, key: gate.json(
        "POST", "/shown/copy", {"from": key, "to": "c", "replace": True}),
    "move": lambda gate, key: gate.json(
        "POST", "/shown/move", {"from": key, "to": "c", "replace": True,
                                "unguarded": True})}


@each(CHANGES)
def test_change_is_forbidden(change):
    with gateway() as gate:
        key = gate.upload(b"hello", "a", "t")["key"]
        answer = change(gate, key)
        equal("status", (answer.status, answer.json["code"]),
              (403, "forbidden"))
        equal("object", gate.download(key).body, b"hello")
        equal("keys", gate.keys(""), [key])


@test
def test_each_of_many_is_refused():
    with gateway() as gate:
        key = gate.upload(b"hello", "a", "t")["key"]
        done = gate.json("POST", "/shown/delete", {"keys": [key, "no"]}).json
        equal("deleted", done["deleted"], [])
        equal("codes", [one["code"] for one in done["failed"]],
              ["forbidden", "forbidden"])
        done = gate.json("POST", "/shown/delete", {"prefix": "t/"}).json
        equal("deleted", done["deleted"], 0)
        equal("keys", gate.keys("t/"), [key])


@test
def test_resumable_upload_isn_t_offered():
    with gateway() as gate:
        answer = gate.ask("POST", "/shown/uploads", "Tus-Resumable: 1.0.0",
                          "Upload-Length: 5")
        equal("status", answer.status, 501)


@test
def test_example_starts():
    kit.expect_example(Path(__file__).with_name("readonly.yaml"))


if __name__ == "__main__":
    kit.main()

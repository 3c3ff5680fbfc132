#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice explain`: the way of a request, and nothing done; what it says is
what a gateway of the same configuration answers."""
import hashlib
import json
import tempfile
from pathlib import Path

from kit import Gateway, each, equal, expect, like, main, run, settings, \
    test, written

KEY = "a-key-of-eight-words-or-so"
HEADER = f"Authorization: Bearer {KEY}"


def guarded(folder):
    tokens = Path(folder, "tokens.yaml")
    tokens.touch(mode=0o600)
    tokens.write_text(
        "tokens:\n  - sha256: " + hashlib.sha256(KEY.encode()).hexdigest() +
        "\n    identity: alice\n    operations: [list, download]\n"
        '    prefixes: ["a/"]\n')
    return {"hooks": [{"plugin": "auth_token", "file": str(tokens)},
                      {"plugin": "log_json",
                       "path": str(Path(folder, "log"))}]}


def explained(folder, *words, sections=None):
    path = written(folder, settings(folder, sections or guarded(folder)))
    status, out, _ = run("explain", "-c", path, *words)
    return status, out


ANSWERS = {
    "allowed": ("GET", "/files/download?key=a/x", True, None),
    "other_key": ("GET", "/files/download?key=b/x", True, 403),
    "other_operation": ("DELETE", "/files/object?key=a/x", True, 403),
    "nobody": ("GET", "/files/download?key=a/x", False, 401),
    "list_elsewhere": ("GET", "/files?prefix=b/", True, 403),
    "unknown": ("GET", "/nowhere", True, 404),
    "method": ("PUT", "/files", True, 405),
    "own": ("GET", "/healthz", False, None),
}


@each(ANSWERS)
def test_it_says_what_the_gateway_answers(case):
    method, target, known, want = case
    lines = [HEADER] if known else []
    with tempfile.TemporaryDirectory() as folder:
        words = [word for line in lines for word in ("-H", line)]
        status, out = explained(folder, "--json", *words, method, target)
        said = json.loads(out)
        equal("exit status", status, 0 if want is None else 1)
        equal("status", said.get("status"), want)
        with Gateway(guarded(folder)) as gateway:
            answer = gateway.ask(method, target, *lines)
        if want is None:
            expect(answer.status in (200, 404), "it goes on")
        else:
            equal("status of the gateway", answer.status, want)
            like("code", said["answer"], answer.json["code"])


@test
def test_hooks_say_what_and_why_and_nothing_is_done():
    with tempfile.TemporaryDirectory() as folder:
        _, out = explained(folder, "-H", HEADER, "GET",
                           "http://files.example/files/download?key=b/x")
        for pattern in ("route +the mount /files", "operation +download",
                        "auth_token, by its head: allow", "identity +alice",
                        "auth_token, with its key: deny: The token",
                        "log_json: only hears", "answer +403 forbidden"):
            like("said", out, pattern)
        for name in "data", "log":
            expect(not Path(folder, name).exists(), f"{name} was made")


@test
def test_layers_are_told_down_to_the_storage():
    with tempfile.TemporaryDirectory() as folder:
        sections = {"backends": {"shown": {"plugin": "readonly",
                                           "over": "main"}},
                    "routes": [{"mount": "/files", "backend": "shown"}]}
        status, out = explained(folder, "GET", "/files/object?key=x",
                                sections=sections)
        equal("exit status", status, 0)
        like("said", out, r"backend +shown \(readonly\) over main \(local\)")


@each({"no_url": ["GET"], "no_path": ["GET", "files"],
       "option": ["--what", "GET", "/"]})
def test_a_wrong_command_line_is_2(words):
    status, out, err = run("explain", *words)
    equal("exit status and stdout", (status, out), (2, ""))
    like("stderr", err, "sluice explain: ")


@test
def test_a_configuration_that_is_wrong_is_said_as_json():
    status, out, err = run("explain", "-c", "/nowhere.yaml", "--json", "GET",
                           "/files")
    equal("exit status", status, 2)
    why = json.loads(out)["error"]
    like("why", why, "/nowhere.yaml: cannot be read")
    equal("stderr", err, f"sluice: {why}\n")


@test
def test_a_head_that_is_refused_is_so_here():
    with tempfile.TemporaryDirectory() as folder:
        status, out = explained(folder, "-H", "Bad Name: x", "GET", "/files")
        equal("exit status", status, 1)
        like("said", out, "answer +400 bad_request")


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins that were built with the header of version 1.0 go on working; what
can't be loaded is refused with a line that says what to change, by `sluice -t`
already."""
import os
import tempfile
from pathlib import Path

from outside import ran, serves

from kit import (PLUGINS, SOURCES, Gateway, each, equal, expect, main, needs,
                 refusal, settings, test, written)

V1 = Path(SOURCES, "tests/abi/v1")
TOKEN = "0123456789abcdef"


def built_then(folder):
    """The backend and the hook of then; nothing of today is looked at."""
    for name in "shelf", "door":
        ran([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-o",
             str(Path(folder, f"{name}.so")), str(V1 / f"{name}.c")])
    return {"plugin_path": [*PLUGINS, str(folder)],
            "server": {"workers": "1"},
            "backends": {"main": {"plugin": "shelf", "directory": None}},
            "hooks": [{"plugin": "door", "token": TOKEN, "name": "ann",
                       "prefix": "t/"}]}


@test
def test_backend_and_hook_of_version_1_0_go_on_working():
    with tempfile.TemporaryDirectory() as folder, \
            Gateway(built_then(folder)) as gateway:
        equal("without a token", gateway.ask("GET", "/files").status, 401)
        serves(gateway, f"X-Token: {TOKEN}")
        for line in gateway.lines:
            expect("breaks the contract" not in line, line)


@test
def test_backend_of_version_1_0_works_below_layers():
    """Below one that passes, and below two that hand on all of it."""
    with tempfile.TemporaryDirectory() as folder:
        then = built_then(folder)
        layers = {"below": {"plugin": "shelf"},
                  "mid": {"plugin": "through", "over": "below"},
                  "top": {"plugin": "through", "over": "mid"},
                  "main": {"plugin": "readonly", "over": "below",
                           "directory": None}}
        with Gateway({**then, "backends": layers, "hooks": [], "routes": [
                {"mount": "/files", "backend": "top"},
                {"mount": "/shown", "backend": "main"}]}) as gateway:
            serves(gateway)
            key = gateway.upload(b"hello", "a", "t")["key"]
            answer = gateway.ask("GET", f"/shown/download?key={key}")
            equal("bytes", answer.body, b"hello")
            for line in gateway.lines:
                expect("breaks the contract" not in line, line)


@test
def test_header_of_then_has_not_been_touched_up():
    """It says 1.0, whatever today's says."""
    text = (V1 / "plugin.h").read_text()
    for line in "SLUICE_ABI_MAJOR 1u", "SLUICE_ABI_MINOR 0u":
        expect(f"#define {line}\n" in text, line)


REBUILD = "; rebuild it against this gateway's <sluice/plugin.h>"
ADD = ", which is required; add it to the descriptor"
# The plugin, where it is named, and what `sluice -t` says of it.
REFUSED = {
    "other_major": ("othermajor", "backends", "speaks ABI 2.0, this gateway "
                    "1.1" + REBUILD),
    "newer_minor": ("newerminor", "backends", "speaks ABI 1.2, this gateway "
                    "1.1" + REBUILD),
    "missing_entry": ("missingentry", "backends", "has no ping" + ADD),
    "missing_entry_of_a_hook": (
        "deafhook", "hooks", "has no on_request, on_key, on_response, on_log, "
        "on_change or on_body" + ADD),
    "hook_as_backend": ("goodhook", "backends", "is a hook, not a backend; "
                        "name it under hooks"),
    "backend_as_hook": ("goodbackend", "hooks", "is a backend, not a hook; "
                        "name it under backends"),
    "other_name": ("othername", "backends", "its descriptor is named "
                   "'goodbackend'; name file, symbol and descriptor alike"),
    "bad_option": ("badoption", "backends", "option 'part' lies outside of "
                   "its struct; check offset and conf_size"),
    "short_descriptor": ("shortsize", "backends", "its descriptor of 160 "
                         "bytes is not a whole one; begin it with "
                         "SLUICE_HEAD(sluice_backend)")}


@each(REFUSED)
def test_plugin_is_refused_by_t_with_what_to_change(case):
    name, section, why = case
    needs(any(Path(folder, f"{name}.so").exists() for folder in PLUGINS),
          "the tests' plugins aren't built")
    plugin = {"plugin": name}
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, {
            "backends": {"main": {**plugin, "directory": None}}}
            if section == "backends" else {"hooks": [plugin]}))
        line = refusal(None, arguments=["-t", "-c", str(path)])
    end = f"plugin '{name}': {why}"
    expect(line.endswith(end), f"expected ...{end}, came {line}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice schema`: every example of the repository is as it says, and what
the gateway refuses it refuses, too.  Needs PyPI's jsonschema and PyYAML
(Debian: python3-jsonschema, python3-yaml)."""
import json
import re
import tempfile
from pathlib import Path

from kit import PLUGINS, SOURCES, Skip, each, equal, expect, main, run, \
    settings, test, written

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = None

MADE = []


def schema():
    """It describes the plugins of this build."""
    if jsonschema is None:
        raise Skip("no jsonschema, or no PyYAML")
    if not MADE:
        with tempfile.TemporaryDirectory() as folder:
            path = written(folder, settings(folder))
            status, out, _ = run("schema", "-c", path)
        equal("exit status", status, 0)
        made = json.loads(out)
        kind = jsonschema.Draft202012Validator
        kind.check_schema(made)
        MADE.append(kind(made))
    return MADE[0]


def faults(text):
    return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}"
            for fault in schema().iter_errors(yaml.safe_load(text))]


def examples():
    found = sorted([*SOURCES.glob("config/*.yaml"),
                    *SOURCES.glob("config/systemd/*.yaml"),
                    *SOURCES.glob("config/container/*.yaml"),
                    *SOURCES.glob("plugins/*/*/*.yaml")])
    return {str(path.relative_to(SOURCES)): path.read_text()
            for path in found if "\nroutes:" in path.read_text()}


def snippets():
    """Whole configurations in the pages."""
    found = {}
    for path in sorted(SOURCES.glob("docs/**/*.md")):
        blocks = re.findall(r"```yaml\n(.*?)```", path.read_text(), re.S)
        for i, text in enumerate(blocks):
            if "routes:" in text and "backends:" in text:
                found[f"{path.relative_to(SOURCES)}-{i}"] = text
    return found


@test
def test_every_example_validates():
    found = {**examples(), **snippets()}
    expect(len(found) >= 15, f"only {len(found)} examples were found")
    for name, text in found.items():
        equal(name, faults(text), [])


GOOD = """
backends: {main: {plugin: local, directory: ./data}}
routes: [{mount: /files, backend: main}]
"""

BAD = {
    "unknown_section": GOOD + "sever: {}\n",
    "unknown_key": GOOD + "server: {lisen: []}\n",
    "unknown_nested_key": GOOD + "limits: {per_client: {conns: 1}}\n",
    "no_unit": GOOD + "uploads: {max_bytes: 50}\n",
    "other_unit": GOOD + "limits: {idle_timeout: 5 minutes}\n",
    "no_list": GOOD + "server: {listen: '0.0.0.0:8000'}\n",
    "out_of_range": GOOD + "limits: {connections: 0}\n",
    "no_bool": GOOD + "uploads: {sha256: 'yes'}\n",
    "hook_without_plugin": GOOD + "hooks: [{file: x}]\n",
    "hook_option": GOOD + "hooks: [{plugin: rate_limit, what: 1}]\n",
    "no_routes": "backends: {main: {plugin: local, directory: d}}\n",
    "no_backend": "routes: [{mount: /files, backend: main}]\n",
    "unknown_plugin": GOOD.replace("local", "locale"),
    "missing_option": GOOD.replace(", directory: ./data", ""),
    "operation": GOOD.replace("mount: /files", "path: /x, method: GET, "
                              "operation: fetch"),
    "mount_and_path": GOOD.replace("mount: /files", "mount: /files, path: "
                                   "/x, method: GET, operation: list"),
}


@each(BAD)
def test_what_the_gateway_refuses_it_refuses(text):
    expect(faults(text), "it finds nothing")
    with tempfile.TemporaryDirectory() as folder:
        place = "plugin_path: " + json.dumps(PLUGINS) + "\n"
        status, _, err = run("-t", "-c", written(folder, place + text))
        equal("exit status of sluice -t", status, 1)
        expect(err, "it says nothing")


@test
def test_variables_may_stand_for_anything():
    equal("faults", faults(GOOD + "limits: {connections: '${MANY}', "
                           "memory: '${M:-1MiB}', idle_timeout: '${T}'}\n"),
          [])


main()

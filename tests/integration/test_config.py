#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each shipped configuration is one that the gateway takes."""
import os
import pathlib
import subprocess
import tempfile

from kit import BINARY, PLUGINS, SOURCES, equal, expect, main, test

FOLDER = SOURCES / "config"
# This is what the files want from the environment, and have no default for.
SETTINGS = {"S3_ENDPOINT": "http://127.0.0.1:1", "S3_BUCKET": "some-bucket",
            "S3_REGION": "us-west-004", "R2_ACCOUNT": "account",
            "S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret"}


def checked(text, **environment):
    """The end of `sluice -t` on a file with this text."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sluice.yaml")
        if "\nplugin_path:" not in text:
            text = f"plugin_path: {PLUGINS}\n{text}"
        pathlib.Path(path).write_text(text)
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith(("S3_", "R2_"))}
        return subprocess.run([BINARY, "-t", "-c", path], text=True,
                              capture_output=True, cwd=folder,
                              env={**clean, **environment})


def shipped():
    return sorted(path for path in FOLDER.glob("*.yaml"))


@test
def test_every_shipped_configuration_is_fine():
    expect(len(shipped()) >= 7, f"only {shipped()}")
    for path in shipped():
        text = path.read_text().replace("plugin_path: []",
                                        f"plugin_path: {PLUGINS}")
        ended = checked(text, **SETTINGS)
        equal(f"status, stderr of {path.name}",
              (ended.returncode, ended.stderr), (0, ""))


@test
def test_minio_needs_nothing_from_the_environment():
    ended = checked((FOLDER / "minio.yaml").read_text())
    equal("status, stderr", (ended.returncode, ended.stderr), (0, ""))


@test
def test_what_the_environment_must_say_is_named():
    ended = checked((FOLDER / "ceph.yaml").read_text())
    equal("status", ended.returncode, 1)
    expect("S3_ENDPOINT" in ended.stderr, ended.stderr)


if __name__ == "__main__":
    main()

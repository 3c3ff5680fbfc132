#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice DIR` serves the store in a folder at once, to who has the token that
it prints and to nobody else, and leaves nothing behind but the store."""
import json
import os
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from kit import (BINARY, PATIENCE, PLUGINS, equal, expect, like, main, run,
                 test, written)


class Served:
    """`sluice DIR`, running; what it printed is in `said`."""

    def __init__(self, folder, store):
        conf = written(folder, {
            "plugin_path": PLUGINS, "backends": {"x": {
                "plugin": "local", "directory": "nowhere"}},
            "routes": [{"mount": "/x", "backend": "x"}]}, "plugins.yaml")
        self.process = subprocess.Popen(
            [BINARY, "-c", str(conf), str(store)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = dict(self.process.stdout.readline().split(None, 1)
                         for _ in range(3))
        self.said = {word: text.strip() for word, text in self.said.items()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def ask(self, path, token=None, **more):
        request = urllib.request.Request(self.said["url"] + path, **more)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def put(self, key, body):
        return self.ask(f"/object?key={key}", self.said["token"], data=body,
                        method="PUT")[0]


def own_folders():
    return {name for name in os.listdir("/tmp")
            if name.startswith("sluice-") and
            Path("/tmp", name, "tokens.yaml").exists()}


@test
def test_what_was_put_is_there_at_the_next_run():
    before = own_folders()
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder, 'a "store"')
        with Served(folder, store) as served:
            like("url", served.said["url"], r"^http://127\.0\.0\.1:\d+/files$")
            equal("put", served.put("a.txt", b"hello"), 201)
            first = served.said["token"]
            served.process.send_signal(signal.SIGINT)
            equal("status", served.process.wait(PATIENCE), 0)
        with Served(folder, store) as served:
            expect(served.said["token"] != first, "a token is of one run")
            equal("the old one", served.ask("", first)[0], 401)
            path = "/download?key=a.txt"
            equal("get", served.ask(path, served.said["token"]),
                  (200, b"hello"))
            served.process.send_signal(signal.SIGTERM)
            equal("status", served.process.wait(PATIENCE), 0)
            said = served.process.stderr.read()
            expect("sluice.yaml is below" not in said, f"a warning: {said}")
    equal("folders of runs", own_folders() - before, set())


@test
def test_without_the_token_nothing_is_answered():
    with tempfile.TemporaryDirectory() as folder, \
            Served(folder, Path(folder, "store")) as served:
        equal("put", served.put("secret", b"s"), 201)
        for path in "", "/object?key=secret", "/download?key=secret":
            equal(path, served.ask(path)[0], 401)
            equal(path, served.ask(path, "x" * 32)[0], 401)
        listed = json.loads(served.ask("?prefix=", served.said["token"])[1])
        like("listed", json.dumps(listed), r'"key": "secret"')


@test
def test_folder_of_other_files_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "thesis.tex").write_text("x")
        status, out, err = run(folder)
        equal("status", status, 2)
        like("error", err, "it holds files, and they aren't a store's")
        equal("left", os.listdir(folder), ["thesis.tex"])
        equal("said", out, "")


@test
def test_word_that_is_nothing_is_refused():
    status, _, err = run("chek")
    equal("status", status, 2)
    like("error", err, "'chek' is neither a command nor a folder")
    expect(not Path("chek").exists(), "nothing was made")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""Stores that `sluice migrate` carries from and to, for test_migrate.py and
e2e/migrate.py."""
import contextlib
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit import (BINARY, KIB, PATIENCE, Gateway, equal, eventually, expect,
                 index_of, md5, merged, run, settings, written)
from objectskit import get, put

COUNT = int(os.environ.get("SLUICE_MIGRATE_OBJECTS", "120"))
PATIENT = 30 + COUNT / 20


def body_of(i):
    return b"%d " % i * (1 + i * 37 % (5 * KIB))


def files(folder):
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns)
            for path in Path(folder, "blobs").rglob("*") if path.is_file()}


class Stores:
    """Two local ones in one configuration, and others."""

    def __init__(self, folder, objects, **others):
        self.folder, self.objects = Path(folder), dict(objects)
        self.conf = written(folder, merged(settings(folder), {
            "backends": {**others, "new": {
                "plugin": "local", "directory": str(self.folder / "new")}}}),
            "m.yaml")

    def fill(self):
        with Gateway(folder=self.folder) as local, \
                ThreadPoolExecutor(4) as pool:
            def one(pair):
                return put(local, *pair, "Content-Type: text/x-own",
                           "X-User-Id: ann").status
            for status in pool.map(one, self.objects.items()):
                equal("put", status, 201)

    def words(self, *words):
        return [str(word) for word in ("migrate", "-c", self.conf, "--json",
                                       *words)]

    def migrate(self, *words, status=0):
        got, out, err = run(*self.words(*words), seconds=PATIENT)
        equal(f"status of {words}: {out[-400:]} {err}", got, status)
        return json.loads(out)

    def killed(self, *words, when):
        """A run that is killed as soon as when() says so."""
        with subprocess.Popen([BINARY, *self.words(*words)],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            try:
                eventually("carried", when, PATIENT, pause=0.002)
            finally:
                process.kill()
        expect(process.returncode != 0, "it was killed in the middle")

    def are_in(self, running):
        def one(pair):
            key, data = pair
            answer = get(running, key)
            return key, (answer.status, md5(answer.body), answer.header(
                "content-type")), (200, md5(data), "text/x-own")
        with ThreadPoolExecutor(4) as pool:
            for key, got, want in pool.map(one, self.objects.items()):
                equal(key, got, want)

    def rows(self, data):
        with index_of(self.folder) if data == "data" else self.copy(
                data) as index:
            return [row for row in index.execute(
                "SELECT key, size, etag, type, user FROM object "
                "ORDER BY key") if not row[0].startswith(b".sluice/")]

    @contextlib.contextmanager
    def copy(self, data):
        link = self.folder / "other"
        link.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (link / "data").symlink_to(self.folder / data)
        with index_of(link) as index:
            yield index

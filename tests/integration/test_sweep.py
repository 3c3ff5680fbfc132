#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice sweep` tells what uploads left that nobody ended, and removes it if
it is asked to, and nothing else."""
import json
import tempfile
import time
from pathlib import Path

from bucket import BUCKET, Emulator, backend
from kit import (MIB, Gateway, equal, like, main, md5, merged, run, settings,
                 test, written)
from objectskit import get, put


def sweep(conf, *words, status):
    got, out, err = run("sweep", "-c", conf, "--json", *words)
    equal(f"status of {words}: {out} {err}", got, status)
    return json.loads(out)


def begun(gateway, data):
    """A resumable upload that stays open."""
    answer = gateway.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                         "Upload-Length: 9000000",
                         "Content-Type: application/offset+octet-stream",
                         body=data)
    equal("status", answer.status, 201)


def blobs(folder):
    return sum(path.is_file() for path in
               Path(folder, "data/blobs").rglob("*"))


@test
def test_expired_uploads_of_a_stopped_store():
    with tempfile.TemporaryDirectory() as folder:
        conf = written(folder, settings(folder), "s.yaml")
        with Gateway({"uploads": {"resumable": {"expires": "2s"}}},
                     folder=folder) as gateway:
            put(gateway, "kept", b"k" * MIB)
            begun(gateway, b"u" * MIB)
            gateway.process.kill()  # before it sweeps itself
            gateway.process.wait()
            gateway.stopped = True
        with Gateway(folder=folder) as gateway:
            begun(gateway, b"u" * MIB)  # of a day
            said = sweep(conf, status=2)
            like("error", said["error"], "in use by another gateway")
        time.sleep(2.1)
        equal("blobs", blobs(folder), 3)
        said = sweep(conf, status=1)
        equal("found", [one["what"] for one in said["findings"]],
              ["expired-stage"])
        equal("blobs", blobs(folder), 3)
        equal("removed", sweep(conf, "--do", status=0)["found"], 1)
        equal("blobs", blobs(folder), 2)
        equal("again", sweep(conf, "--do", status=0)["found"], 0)
        status, out, _ = run("check", "--read", "-c", conf)
        equal("check", (status, out.count("BAD")), (0, 0))
        with Gateway(folder=folder) as gateway:
            equal("kept", md5(get(gateway, "kept").body), md5(b"k" * MIB))


def in_parts(s3, key, age):
    """An upload in parts that somebody began `age` seconds ago."""
    s3.clock(-age)
    answer = s3.client().ask("POST", f"/{BUCKET}/{key}?uploads",
                             at=time.time() - age)
    s3.clock(0)
    equal("status", answer.status, 200)


def left(s3):
    return [one["key"] for one in s3.state(BUCKET)["uploads"]]


@test
def test_unfinished_uploads_of_a_bucket():
    with Emulator("aws") as s3, tempfile.TemporaryDirectory() as folder:
        s3.create(BUCKET)
        conf = written(folder, merged(settings(folder), {"backends": {
            "main": {"directory": None, **{
                word: value for word, value in backend(s3).items()
                if value is not None}}}}), "s.yaml")
        for key, age in (("old", 90000), ("older%20", 100000), ("new", 5)):
            in_parts(s3, key, age)
        said = sweep(conf, status=1)
        equal("found", sorted(one["key"] for one in said["findings"]),
              ["old", "older "])
        equal("there", len(left(s3)), 3)
        equal("found", sweep(conf, "--older", "26h", status=1)["found"], 1)
        equal("gone", sweep(conf, "--do", status=0)["found"], 2)
        equal("left", left(s3), ["new"])
        equal("again", sweep(conf, status=0)["findings"], [])
        status, _, err = run("sweep", "-c", conf, "--older", "5")
        equal("status", status, 2)
        like("error", err, "write a time with its unit")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice sweep` tells what uploads left that nobody ended, and what has
expired, and removes it if it is asked to, and nothing else."""
import json
import tempfile
import time
from pathlib import Path

from bucket import BUCKET, Emulator, backend, sections
from expirykit import LONG, pass_moment, put_short, wish
from kit import (MIB, Gateway, equal, expect, index_of, like, main, md5,
                 merged, run, settings, test, written)
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


# ---- objects that have expired ----------------------------------------------

def expired(said):
    return sorted(one["key"] for one in said["findings"]
                  if one["what"] == "expired-object")


def fill(more, folder, *short):
    """Some that end at once, one that was replaced, and two that stay; the
    gateway is gone before it sweeps itself."""
    gateway = Gateway(more, folder=folder)
    put_short(gateway, "replaced")
    put(gateway, "replaced", b"two")
    put(gateway, "later", b"x", wish(LONG))
    put(gateway, "stays", b"x")
    at = max(put_short(gateway, key) for key in short)
    gateway.kill()
    pass_moment(at)


def is_swept(conf, names, *words):
    """It is told, then removed, and then nothing is there to be told."""
    both = ["a", "b/ü"]
    stay = ["later", "replaced", "stays"]
    said = sweep(conf, *words, status=1)
    equal("told", (expired(said), said["expired"]), (both, 2))
    equal("are good", [one["good"] for one in said["findings"]],
          [False, False])
    equal("there", names(), sorted(both + stay))
    said = sweep(conf, "--do", *words, status=0)
    equal("removed", (expired(said), said["expired"]), (both, 2))
    equal("left", names(), stay)
    said = sweep(conf, "--do", *words, status=0)
    equal("again", (said["findings"], said["expired"]), ([], 0))


def names_of(folder):
    with index_of(folder) as index:
        return sorted(key.removeprefix("below/") for key, in index.execute(
            "SELECT CAST(key AS TEXT) FROM object")
            if ".sluice/" not in key)


@test
def test_expired_objects_of_a_stopped_store():
    with tempfile.TemporaryDirectory() as folder:
        conf = written(folder, settings(folder), "s.yaml")
        fill(None, folder, "a", "b/ü")
        is_swept(conf, lambda: names_of(folder))
        status, out, _ = run("check", "--read", "-c", conf)
        equal("check", (status, out.count("BAD")), (0, 0))
        with Gateway(folder=folder) as gateway:
            for key in "replaced", "later", "stays":
                equal(key, get(gateway, key).status, 200)
            said = sweep(conf, status=2)
            like("error", said["error"], "in use by another gateway")


@test
def test_expired_objects_through_a_layer():
    with tempfile.TemporaryDirectory() as folder:
        more = {"backends": {"top": {"plugin": "prefix", "over": "main",
                                     "prefix": "below/"}},
                "routes": [{"mount": "/files", "backend": "top"}]}
        conf = written(folder, merged(settings(folder), more), "s.yaml")
        fill(more, folder, "a", "b/ü")
        for words in [], ["main"]:
            status, out, said = run("sweep", "-c", conf, "--do", *words)
            equal("below", (status, "expired" in out), (0, False))
            like("said", said, "found through 'top', which stands on 'main'")
        is_swept(conf, lambda: names_of(folder), "top")


def over_s3(s3, folder, **options):
    return merged(settings(folder), {"backends": {"main": {
        "directory": None, **{word: value for word, value in
                              backend(s3, **options).items()
                              if value is not None}}}})


def names_in(s3):
    return sorted(key for key in s3.state(BUCKET)["objects"]
                  if not key.startswith(".sluice/"))


@test
def test_expired_objects_of_a_bucket():
    with Emulator("aws") as s3, tempfile.TemporaryDirectory() as folder:
        s3.create(BUCKET)
        # The start of the plugin would sweep that: it isn't for the command.
        conf = written(folder, over_s3(s3, folder, sweep_uploads="1h"),
                       "s.yaml")
        fill(sections(s3), folder, "a", "b/ü")
        is_swept(conf, lambda: names_in(s3), "--older", "48h")
        in_parts(s3, "open", 90000)
        said = sweep(conf, "--older", "48h", status=0)
        equal("told", (said["findings"], left(s3)), ([], ["open"]))


@test
def test_one_that_cannot_be_removed_is_told_and_holds_up_nothing():
    with Emulator("aws") as s3, tempfile.TemporaryDirectory() as folder:
        s3.create(BUCKET)
        held = [f"held/{number:02}" for number in range(12)]
        fill(sections(s3), folder, *held, "z")
        s3.faults({"match": {"method": "DELETE", "path": "/held/"},
                   "do": "403", "times": 999})
        said = sweep(written(folder, over_s3(s3, folder), "s.yaml"),
                     "--do", status=1)
        equal("told", expired(said), held + ["z"])
        equal("gone", [one["key"] for one in said["findings"] if one["good"]],
              ["z"])
        equal("left", names_in(s3), held + ["later", "replaced", "stays"])


@test
def test_one_that_cannot_be_looked_at_is_no_success():
    with Emulator("aws") as s3, tempfile.TemporaryDirectory() as folder:
        s3.create(BUCKET)
        fill(sections(s3), folder, "a", "z")
        s3.faults({"match": {"method": "HEAD", "path": "/a"},
                   "do": "403", "times": 999})
        conf = written(folder, over_s3(s3, folder), "s.yaml")
        for words in [], ["--do"]:
            said = sweep(conf, *words, status=2)
            equal("told", expired(said), ["z"])
            like("error", said["error"], "not all objects")


@test
def test_storage_that_removes_nothing_has_an_end():
    with Emulator("aws") as s3, tempfile.TemporaryDirectory() as folder:
        s3.create(BUCKET)
        fill(sections(s3), folder, *(f"{at:03}" for at in range(180)))
        s3.faults({"match": {"method": "DELETE"}, "do": "403",
                   "times": 9999})
        said = sweep(written(folder, over_s3(s3, folder), "s.yaml"),
                     "--do", status=2)
        expect(100 <= len(said["findings"]) < 180, len(said["findings"]))
        like("error", said["error"], "not all objects")


@test
def test_store_that_is_not_there_is_not_made():
    with tempfile.TemporaryDirectory() as folder:
        more = {"backends": {"main": {"directory": f"{folder}/none"}}}
        conf = written(folder, merged(settings(folder), more), "s.yaml")
        sweep(conf, status=2)
        expect(not Path(folder, "none").exists(), "it was made")


if __name__ == "__main__":
    main()

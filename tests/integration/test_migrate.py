#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice migrate` carries what is missing and what differs; what can't be
carried is told, and the source isn't touched.  Over a Ceph: e2e/migrate.py."""
import json
import os
import tempfile
from pathlib import Path

from kit import (MIB, PATIENCE, Gateway, each, equal, like, main, merged, run,
                 settings, test, written)
from migratekit import Stores, files
from objectskit import put


@test
def test_object_that_differs_is_carried_again():
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(folder, {"a": b"one", "b": b"two" * MIB})
        stores.fill()
        stores.migrate("main", "new")
        ends = "X-Expire-After: 3600"
        for change, *more in (({"a": b"ONE"},), ({"b": b"TWO" * MIB},),
                              ({"a": b"ONE"}, ends)):
            stores.objects.update(change)
            with Gateway(folder=stores.folder) as local:
                for pair in change.items():
                    equal("put", put(local, *pair, "Content-Type: text/x-own",
                                     "X-User-Id: ann", *more).status, 200)
            equal("carried, also the note of an end",
                  stores.migrate("main", "new")["carried"], 1 + len(more))
        equal("rows", stores.rows("new"), stores.rows("data"))


@test
def test_missing_carries_what_is_lacking_and_replaces_nothing():
    """The target is newer, as the first one of a `fallback` is.  A secret of
    links is an object, too."""
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(folder, {"a": b"old", "b": b"old", "c": b"old"})
        stores.fill()
        stores.migrate("--prefix", "a", "main", "new")
        with Gateway(folder=stores.folder) as local:
            equal("put", put(local, "a", b"changed").status, 200)
        said = stores.migrate("--dry-run", "--missing", "main", "new")
        equal("counts", (said["missing"], said["there"]), (3, 1))
        said = stores.migrate("--missing", "main", "new")
        equal("counts", (said["carried"], said["there"]), (3, 1))
        said = stores.migrate("--dry-run", "--missing", "main", "new")
        equal("counts", (said["missing"], said["there"]), (0, 4))
        said = stores.migrate("--dry-run", "main", "new")
        equal("differs", said["missing"], 1)


@test
def test_what_can_not_be_carried_is_told_and_the_rest_is():
    """A blob that is damaged, and a name that is too long for a prefix."""
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(folder, {"a": b"a" * MIB, "b": b"b" * MIB,
                                 "c": b"c"})
        stores.fill()
        path = sorted(files(stores.folder / "data"))[0]
        os.chmod(path, 0o600)
        with open(path, "r+b") as file:
            file.write(b"X")
        os.chmod(path, 0o400)
        said = stores.migrate("main", "new", status=1)
        finding, = said["findings"]
        equal("what", finding["what"], "not-carried")
        like("text", finding["text"], "bytes aren't those that were stored")
        equal("carried", (said["failed"], said["carried"] + said["failed"]),
              (1, said["objects"]))
        equal("rows", {row[0] for row in stores.rows("new")},
              {key.encode() for key in ("a", "b", "c")} -
              {finding["key"].encode()})
        conf = json.loads(stores.conf.read_text())
        conf["backends"]["deep"] = {"plugin": "prefix", "over": "new",
                                    "prefix": "p" * 100 + "/"}
        stores.conf.write_text(json.dumps(conf))
        with Gateway(folder=stores.folder) as local:
            put(local, "k" * 1000, b"long")
        said = stores.migrate("main", "deep", status=1)
        told = {one["key"]: one["text"] for one in said["findings"]}
        like("text", told["k" * 1000], "target can't take it")


@each({how: how for how in ("no_length", "short_length", "long_length")})
def test_backend_that_sends_another_length_is_told(how):
    """As the source, and when it is read back."""
    with tempfile.TemporaryDirectory() as folder:
        rogue = {"plugin": "rogue", "how": how}
        stores = Stores(folder, {"a": bytes(200_000)}, rogue=rogue)
        stores.fill()
        for words in ("rogue", "new"), ("--read", "--prefix", "a",
                                         "main", "rogue"):
            finding, = stores.migrate(*words, status=1)["findings"]
            equal("what", finding["what"], "not-carried")
            like("text", finding["text"], "sent another length than it said")
        equal("rows", stores.rows("new"), [])


@test
def test_source_that_does_not_end_is_canceled_before_the_read_back():
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(folder, {}, rogue={"plugin": "rogue",
                                           "how": "no_end"})
        said = stores.migrate("--read", "rogue", "new")
        equal("carried", (said["carried"], said["failed"]), (1, 0))


@test
def test_chunk_is_not_taken_away_while_it_is_read():
    """The target fails, and the source's bytes go as soon as it may."""
    with tempfile.TemporaryDirectory() as folder:
        stores = Stores(folder, {}, source={"plugin": "fleeting"},
                        target={"plugin": "fleeting"})
        said = stores.migrate("--jobs", 64, "source", "target", status=1)
        equal("failed", said["failed"], 64)
        like("text", said["findings"][0]["text"], "it can't be stored")


@test
def test_mistakes_are_told_before_anything_is_done():
    with tempfile.TemporaryDirectory() as folder:
        conf = written(folder, merged(settings(folder), {"backends": {
            "new": {"plugin": "local", "directory": folder + "/new"}}}),
            "m.yaml")
        for words, why in (
                (("main", "main"), "'main' is both"),
                (("main", "knew"), "'knew' is no backend of"),
                (("main",), "something is missing"),
                (("--jobs", "0", "main", "new"), "a number from 1 to 64"),
                (("--jobs", "65", "main", "new"), "a number from 1 to 64"),
                (("--jobs", "4x", "main", "new"), "a number from 1 to 64")):
            status, _, err = run("migrate", "-c", conf, *words)
            equal("status", status, 2)
            like("error", err, why)
        equal("left", [path.name for path in Path(folder).iterdir()],
              ["m.yaml"])
        with Gateway(folder=folder):
            status, _, err = run("migrate", "-c", conf, "main", "new",
                                 seconds=PATIENCE)
            equal("status", status, 2)
            like("error", err, "in use by another gateway")


if __name__ == "__main__":
    main()

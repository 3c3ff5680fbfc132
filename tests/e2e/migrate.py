#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice migrate` carries all objects of a store to a real Ceph and back,
with their types and metadata; a run that is killed goes on.

SLUICE_MIGRATE_OBJECTS is how many small ones there are (120)."""
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "integration")]

# pylint: disable=wrong-import-position
from bucket import backend, gateway, noise  # noqa: E402
from kit import MIB, equal, expect, main, md5, run, test  # noqa: E402
from migratekit import COUNT, Stores, body_of, files  # noqa: E402
from objectskit import get  # noqa: E402
from s3.kit import Rgw, boto3_read  # noqa: E402

SPECIAL = {"empty": b"", "a/b": b"below", "a": b"beside",
           "ключ/日本.txt": b"utf-8", "large": noise(9 * MIB + 1),
           "k" * 1000: b"long", "a b+c%41&?#": b"odd"}


@test
def test_store_goes_to_ceph_and_back_though_runs_are_killed():
    with Rgw() as s3, tempfile.TemporaryDirectory() as folder:
        far = {word: value for word, value in
               backend(s3, "migrated").items() if value is not None}
        stores = Stores(folder, {**SPECIAL, **{
            f"many/{i:05}": body_of(i) for i in range(COUNT)}}, far=far)
        stores.fill()
        before, rows = files(stores.folder / "data"), stores.rows("data")
        total = stores.migrate("main", "far", "--dry-run")
        expect(total["objects"] >= len(stores.objects), total)
        equal("missing", total["missing"], total["objects"])

        with gateway(s3, "migrated") as far:
            stores.killed("main", "far", when=lambda: get(
                far, f"many/{COUNT // 3:05}", method="HEAD").status == 200)
            first = stores.migrate("main", "far")
            expect(first["there"] >= COUNT // 4, first)
            equal("all", first["there"] + first["carried"], first["objects"])
            equal("failed", first["failed"], 0)
            expect(first["carried"] > 0, first)
            again = stores.migrate("main", "far", "--dry-run")
            equal("again", (again["missing"], again["there"]),
                  (0, first["objects"]))
            stores.are_in(far)
        for key in "large", "many/00007", "empty":
            seen = boto3_read(s3, "migrated", key)
            equal(key, (seen["md5"], seen["content_type"]),
                  (md5(stores.objects[key]), "text/x-own"))
            equal("metadata", seen["metadata"]["uploaded-by"], "ann")
        equal("rows", stores.rows("data"), rows)
        equal("files", files(stores.folder / "data"), before)

        stores.migrate("far", "new", "--prefix", "many/")
        back = stores.migrate("far", "new", "--read", "--jobs", 5)
        equal("there", back["there"], COUNT)
        equal("rows", stores.rows("new"), rows)
        equal("after", stores.migrate("far", "new")["carried"], 0)
        status, out, _ = run("check", "--read", "-c", stores.conf, "new")
        equal("check", (status, out.count("BAD")), (0, 0))


if __name__ == "__main__":
    main()

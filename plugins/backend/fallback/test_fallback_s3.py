#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layers `fallback` and `throttle` over S3: a bucket is left while it
serves.  Over the emulator, and with SLUICE_LAYERS_CEPH=1 over a real Ceph."""
import atexit
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))
import kit  # noqa: E402  pylint: disable=wrong-import-position
from bucket import BUCKET, backend, noise  # noqa: E402
from kit import Gateway, MIB, equal, expect, test  # noqa: E402
from s3.kit import Rgw, shared  # noqa: E402

SERVER = []


def server():
    """One for all tests of this program; it keeps what they stored."""
    if os.environ.get("SLUICE_LAYERS_CEPH") and not SERVER:
        SERVER.append(Rgw())
        SERVER[0].create(BUCKET)
        atexit.register(SERVER[0].stop)
    return SERVER[0] if SERVER else shared("ceph")


def gateway():
    bucket = backend(server())
    del bucket["directory"]
    return Gateway({
        "backends": {
            "bucket": bucket,
            "calm": {"plugin": "throttle", "over": "bucket",
                     "concurrent": "3", "wait": "60s"},
            "files": {"plugin": "fallback", "over": ["main", "calm"]}},
        "routes": [{"mount": "/files", "backend": "files"},
                   {"mount": "/old", "backend": "bucket"},
                   {"mount": "/new", "backend": "main"}]})


def put(gate, mount, key, data, *lines):
    return gate.ask("PUT", f"{mount}/object?key={key}", *lines,
                    body=data).status


@test
def test_bucket_is_left_while_it_serves():
    data = noise(3 * MIB)
    with gateway() as gate:
        for number in range(25):
            put(gate, "/old" if number % 2 else "/files", f"k/{number:02d}",
                data if number == 1 else b"%d" % number)
        equal("large", gate.ask("GET", "/files/object?key=k/01").body == data,
              True)
        equal("range", gate.ask("GET", "/files/object?key=k/01",
                                "Range: bytes=70000-70009").body,
              data[70000:70010])
        for limit in 3, 1000:
            keys, cursor = [], ""
            while cursor is not None:
                page = gate.ask("GET", f"/files?prefix=k/&limit={limit}"
                                f"{cursor and '&cursor=' + cursor}").json
                keys += [one["key"] for one in page["objects"]]
                cursor = page.get("next_cursor")
            equal("keys", keys, [f"k/{number:02d}" for number in range(25)])
        equal("exclusive", put(gate, "/files", "k/03", b"x",
                               "If-None-Match: *"), 412)
        equal("replaced", put(gate, "/files", "k/03", b"newer"), 200)
        equal("newer", gate.ask("GET", "/files/object?key=k/03").body,
              b"newer")
        for number in range(25):
            equal("delete", gate.ask(
                "DELETE", f"/files/object?key=k/{number:02d}").status, 200)
        equal("left", gate.keys("k/"), [])
        equal("old", gate.keys("k/", mount="/old"), [])
        expect(not [line for line in gate.lines if "breaks the" in line],
               "a breach")


@test
def test_link_leads_to_what_lies_in_the_bucket():
    with gateway() as gate:
        put(gate, "/old", "l", b"hello")
        link = gate.json("POST", "/files/presign", {"key": "l"}).json["url"]
        equal("bytes", gate.ask("GET", link[link.index("/files/"):]).body,
              b"hello")


if __name__ == "__main__":
    kit.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""S3 servers that the plugins weren't tuned to: MinIO, versitygw, SeaweedFS,
where they are built (tests/s3/servers install).  The contract holds over each
of them, and what one of them doesn't take is a 4xx."""
import re
import subprocess
import sys

from bucket import BUCKET, gateway, noise
from kit import (FORM, MIB, SLOWNESS, SOURCES, each, equal, expect, field,
                 file, form, main, needs, test)
from s3.kit import Server

ONE = {"server": {"workers": "1"}}
PARTS = {"multipart_threshold": "5MiB", "part_size": "5MiB"}
# A server's name, and a plugin that fits it.
SERVERS = {"minio": ("minio", "minio"), "minio by s3": ("minio", "s3"),
           "minio by ceph": ("minio", "ceph"),
           "versitygw": ("versitygw", "s3"),
           "seaweedfs": ("seaweedfs", "s3")}
# Facts of the suite that a server itself doesn't hold to.
OWN_WAYS = {
    # A folder that is empty by now is announced as a page that follows.
    "versitygw": ("list_limit_cuts_the_page",
                  "list_cursor_walks_250_objects_once_each"),
    # A type of no meaning becomes the name's, directories are objects, and
    # prefixes come out of order.
    "seaweedfs": ("upload_type_of_the_part_is_kept[octets]",
                  "presign_of_a_strange_key_is_refused[directory]",
                  "download_of_a_prefix_is_not_found",
                  "list_delimiter_folds_what_lies_deeper"),
}


def at(server):
    """A gateway of defaults, but for parts that are small."""
    return gateway(server, addressing=None, idle_timeout="20s",
                   retry_time="20s", more=ONE, **PARTS)


@each(SERVERS)
def test_contract_holds_over(case):
    name, plugin = case
    suite = SOURCES / ".." / "shared" / "accept" / "run"
    needs(suite.exists(), "the acceptance suite isn't here")
    with Server(name, plugin) as server, at(server) as running:
        running.upload()  # SeaweedFS makes its first volumes meanwhile
        done = subprocess.run([sys.executable, str(suite), running.url,
                               "--also", "found"],
                              check=False, capture_output=True, text=True,
                              timeout=600 * SLOWNESS)
    failed = re.findall("^FAIL (.*)", done.stdout, re.M)
    equal("facts", [one for one in failed if one.partition(":")[0] not in
                    OWN_WAYS.get(name, ())], [])
    expect(re.search(r"[1-9]\d* passed", done.stdout), done.stderr[-500:])


@each(SERVERS)
def test_object_comes_back_from(case):
    with Server(*case) as server, at(server) as running:
        for data in b"", noise(100_000), noise(12 * MIB + 1):
            key = running.upload(data, "na\u00efve.bin")["key"]
            expect(running.download(key).body == data, f"{len(data)} bytes")
            part = running.download(key, "Range: bytes=5-9")
            equal("range", part.body, data[5:10] if data else part.body)
            running.delete(key)
            equal("gone", running.download(key).status, 404)


@each(SERVERS)
def test_key_that_is_not_taken_is_a_4xx_of(case):
    with Server(*case) as server, at(server) as running:
        key = running.upload()["key"]
        long = "/".join(["k" * 300] * 2)
        for bad in f"{key}/below", long, "t//x", f"{key}/":
            status = running.download(bad).status
            expect(status in (400, 404, 409), f"GET {bad}: {status}")
            answer = running.json("DELETE", "/files", {"key": bad})
            expect(answer.status in (200, 400, 404, 409),
                   f"DELETE {bad}: {answer.status}")
        body = form(field("prefix", key), file())
        status = running.ask("POST", "/files", FORM, body=body).status
        expect(status in (201, 400, 409), f"below an object: {status}")
        equal("the object", running.download(key).body, b"hello")


@test
def test_sweep_of_minio_says_that_it_cannot_see():
    with Server("minio", "s3") as server:
        server.create(BUCKET)
        with gateway(server, addressing=None,
                     sweep_uploads="1ms") as running:
            running.says("sweep_uploads can't see any")


if __name__ == "__main__":
    main()

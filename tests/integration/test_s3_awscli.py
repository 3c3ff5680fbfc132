#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The AWS command line beside the gateway, over a real Ceph: each reads what
the other stored, and anybody follows the links."""
import atexit
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote, unquote

from bucket import gateway, noise
from kit import (MIB, each, equal, eventually, expect, like, main, md5, needs,
                 test)
from s3.kit import Rgw

NAME = "naïve – отчёт 日本 😀+&%.txt"
PARTS = {"multipart_threshold": "5MiB", "part_size": "5MiB"}
SIZES = {"empty": b"", "small": noise(4097), "parts": noise(12 * MIB + 1)}
CONFIG = """[default]
s3 =
  addressing_style = path
  multipart_threshold = 5MB
  multipart_chunksize = 5MB
"""
SERVER = []


def ceph():
    """One server for all tests of this program."""
    needs(shutil.which("aws"), "awscli is not installed")
    needs(shutil.which("curl"), "curl is not installed")
    if not SERVER:
        SERVER.append(Rgw())
        atexit.register(SERVER[0].stop)
    return SERVER[0]


class Aws:
    """Its command line, with a folder of its own."""

    def __init__(self, s3):
        self.s3 = s3

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.place = tempfile.TemporaryDirectory(prefix="sluice-aws-")
        self.folder = Path(self.place.name)
        (self.folder / "config").write_text(CONFIG)
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("AWS_")}
        self.words = {
            **kept, "HOME": str(self.folder), "AWS_PAGER": "",
            "AWS_CONFIG_FILE": str(self.folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": self.s3.access_key,
            "AWS_SECRET_ACCESS_KEY": self.s3.secret_key,
            "AWS_DEFAULT_REGION": self.s3.region}
        return self

    def __exit__(self, *_):
        self.place.cleanup()

    def run(self, *words):
        done = subprocess.run(
            ["aws", "--endpoint-url", self.s3.endpoint, "--output", "json",
             *words], env=self.words, cwd=self.folder, text=True,
            capture_output=True, check=False, stdin=subprocess.DEVNULL)
        expect(done.returncode == 0, f"aws {words[0]}: {done.stderr}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.run(*words))

    def file(self, data):
        path = self.folder / "file"
        path.write_bytes(data)
        return str(path)

    def fetched(self, bucket, key):
        path = self.folder / "got"
        self.run("s3", "cp", "--quiet", f"s3://{bucket}/{key}", str(path))
        return path.read_bytes()


def curl(url):
    """Status, headers by lower-case name, body."""
    with tempfile.TemporaryDirectory() as folder:
        head, body = Path(folder, "head"), Path(folder, "body")
        subprocess.run(["curl", "-sS", "--noproxy", "*", "-D", str(head),
                        "-o", str(body), url], check=True)
        lines = head.read_text("latin-1").splitlines()
        headers = {line.partition(":")[0].lower(): line.partition(":")[2]
                   .strip() for line in lines if ":" in line}
        return int(lines[0].split()[1]), headers, (
            body.read_bytes() if body.exists() else b"")


# ---- what the gateway stored

@each(SIZES)
def test_awscli_reads_what_the_gateway_stored(data):
    s3 = ceph()
    with Aws(s3) as aws, gateway(s3, "stored", **PARTS) as running:
        got = running.upload(data, NAME, kind="text/x-mine")
        key = got["key"]
        expect(aws.fetched("stored", key) == data, "other bytes")
        seen = aws.json("s3api", "head-object", "--bucket", "stored",
                        "--key", key)
        equal("type, length", (seen["ContentType"], seen["ContentLength"]),
              ("text/x-mine", len(data)))
        equal("md5", seen["Metadata"]["md5"], md5(data))
        coded = seen["Metadata"]["original-filename"]
        expect(coded.startswith("UTF-8''"), coded)
        equal("name", unquote(coded[len("UTF-8''"):]), NAME)
        etag = seen["ETag"].strip('"')
        like("etag", etag, "-3$" if len(data) > 5 * MIB else md5(data))
        page = aws.json("s3api", "list-objects-v2", "--bucket", "stored",
                        "--prefix", key)
        equal("listed", [(one["Key"], one["Size"], one["ETag"].strip('"'))
                         for one in page["Contents"]],
              [(key, len(data), etag)])
        listed = running.list(key)["objects"][0]
        equal("as the gateway lists it",
              (listed["key"], listed["size_bytes"], listed["etag"]),
              (key, len(data), etag))


@each(SIZES)
def test_anybody_follows_the_gateways_link(data):
    s3 = ceph()
    with gateway(s3, "linked", **PARTS) as running:
        got = running.upload(data, NAME, kind="text/x-mine")
        answer = running.json("POST", "/files/presign",
                              {"key": got["key"], "expires": 600}).json
        for url in got["download_url"], answer["url"]:
            status, headers, body = curl(url)
            equal("status, type", (status, headers["content-type"]),
                  (200, "text/x-mine"))
            expect(body == data, "other bytes")
            like("disposition", headers["content-disposition"],
                 r"filename\*=UTF-8''"
                 + re.escape(quote(NAME, safe="!#$&+^`|~")))
        equal("changed", curl(answer["url"][:-1] + "x")[0], 403)


# ---- what awscli stored

@each(SIZES)
def test_gateway_reads_what_awscli_stored(data):
    s3 = ceph()
    with Aws(s3) as aws, gateway(s3, "theirs") as running:
        key = f"aws/{len(data)} +é.bin"
        name = "UTF-8''" + quote(NAME, safe="")
        aws.run("s3", "cp", "--quiet", aws.file(data),
                f"s3://theirs/{key}", "--content-type", "text/x-theirs",
                "--metadata", json.dumps({"original-filename": name}))
        answer = running.download(key)
        expect(answer.body == data, "other bytes")
        equal("type", answer.header("content-type"), "text/x-theirs")
        like("name", answer.header("content-disposition"),
             r"filename\*=UTF-8''"
             + re.escape(quote(NAME, safe="!#$&+^`|~")))
        listed = running.list(key)["objects"][0]
        equal("size", listed["size_bytes"], len(data))
        like("etag", listed["etag"],
             "-3$" if len(data) > 5 * MIB else md5(data))
        answer = running.json("POST", "/files/presign", {"key": key}).json
        equal("described", (answer["size_bytes"], answer["content_type"]),
              (len(data), "text/x-theirs"))
        expect(curl(answer["url"])[2] == data, "another body by the link")


@test
def test_range_of_what_awscli_stored_in_parts():
    s3, data = ceph(), SIZES["parts"]
    with Aws(s3) as aws, gateway(s3, "ranges") as running:
        aws.run("s3", "cp", "--quiet", aws.file(data), "s3://ranges/a")
        with running.wire() as wire:
            wire.send(b"GET /files/download?key=a HTTP/1.1\r\nHost: a\r\n"
                      b"Range: bytes=5242870-5242889\r\n\r\n")
            answer = wire.answer("GET")
        equal("status", answer.status, 206)
        equal("body", answer.body, data[5242870:5242890])


@test
def test_what_one_deletes_is_gone_for_the_other():
    s3 = ceph()
    with Aws(s3) as aws, gateway(s3, "deleted") as running:
        first, second = (running.upload()["key"] for _ in range(2))
        aws.run("s3", "rm", "--quiet", f"s3://deleted/{first}")
        equal("status", running.download(first).status, 404)
        running.delete(second)
        equal("left", aws.run("s3", "ls", "--recursive", "s3://deleted"), "")


@test
def test_awscli_keys_are_one_bucket_with_the_gateways():
    s3 = ceph()
    with Aws(s3) as aws, gateway(s3, "shared") as running:
        keys = [running.upload(b"x", name)["key"]
                for name in ("a b.txt", NAME, "~!$'()*,;:@=.txt")]
        for key in "z/a+b", "z/a%20b", "z/ключ":
            aws.run("s3", "cp", "--quiet", aws.file(b"y"),
                    f"s3://shared/{key}")
            keys.append(key)
        page = aws.json("s3api", "list-objects-v2", "--bucket", "shared")
        equal("awscli's", [one["Key"] for one in page["Contents"]],
              sorted(keys, key=str.encode))
        equal("the gateway's", running.keys(""),
              sorted(keys, key=str.encode))


@test
def test_small_upload_is_one_request():
    s3 = ceph()
    with gateway(s3, "once", more={"server": {"workers": "1"}}) as running:
        log = Path(s3.folder, "log", "rgw.log")
        running.upload(noise(4096))

        def asked():
            return re.findall(r'"([A-Z]+) /once/', log.read_text())
        eventually("the log of the PUT", lambda: "PUT" in asked())
        equal("requests for objects", asked(), ["PUT"])


main()

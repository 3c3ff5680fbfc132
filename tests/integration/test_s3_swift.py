#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The backend `s3` over a real OpenStack Swift with s3api, which knows no
conditional PUT: the contract holds there, too."""
import atexit
import os
import re
import subprocess
import sys
from urllib.parse import quote

from bucket import gateway, noise
from kit import (FORM, MIB, SLOWNESS, SOURCES, each, equal, expect, file, form,
                 like, main, md5, needs, test)
from s3.kit import boto3_read
from s3.swift import Swift

NAME = "naïve – отчёт 日本 😀+&%.txt"
LONG = "€" * 82  # 246 bytes, the most that a name may have
SIZES = {"empty": b"", "small": noise(4097), "parts": noise(12 * MIB + 1)}
OPTIONS = {"conditional_put": "false", "multipart_threshold": "5MiB",
           "part_size": "5MiB", "idle_timeout": "10s", "retry_time": "20s"}
SERVER = []


def swift():
    """One server for all tests of this program."""
    if not SERVER:
        SERVER.append(Swift())
        atexit.register(SERVER[0].stop)
    return SERVER[0]


@each({f"{size}, {word}": (data, name) for size, data in SIZES.items()
       for word, name in (("odd name", NAME), ("long name", LONG))})
def test_object_comes_back(case):
    data, name = case
    s3 = swift()
    with gateway(s3, "bucket-back", **OPTIONS) as running:
        got = running.upload(data, name, kind="text/x-mine")
        equal("md5", got["md5"], md5(data))
        answer = running.download(got["key"])
        expect(answer.body == data, "other bytes")
        equal("type", answer.header("content-type"), "text/x-mine")
        like("name", answer.header("content-disposition"),
             r"filename\*=UTF-8''" + re.escape(quote(
                 name, safe="!#$&+^`|~")))
        seen = boto3_read(s3, "bucket-back", got["key"])
        equal("boto3's", (seen["md5"], seen["size"], seen["content_type"]),
              (md5(data), len(data), "text/x-mine"))
        like("etag", seen["etag"], "-3$" if len(data) > 5 * MIB
             else md5(data))


@test
def test_deleted_is_gone():
    with gateway(swift(), "bucket-gone", **OPTIONS) as running:
        key = running.upload()["key"]
        running.delete(key)
        running.delete(key)
        equal("status", running.download(key).status, 404)


@test
def test_service_without_conditional_put_needs_the_option():
    words = {**OPTIONS, "conditional_put": "true"}
    with gateway(swift(), "bucket-cond", **words) as running:
        answer = running.json("POST", "/files/presign", {"key": "none"})
        equal("the rest", answer.status, 404)
        answer = running.ask("POST", "/files", FORM,
                             body=form(file(b"x", "a.txt")))
        equal("status", answer.status, 502)
        running.says("501 NotImplemented")


@test
def test_contract_holds():
    suite = SOURCES / ".." / "shared" / "accept" / "run"
    needs(suite.exists(), "the acceptance suite isn't here")
    with gateway(swift(), "bucket-accept", **OPTIONS) as running:
        done = subprocess.run(
            [sys.executable, str(suite), running.url], env={**os.environ},
            check=False, capture_output=True, text=True,
            timeout=300 * SLOWNESS)
        expect(done.returncode == 0, (done.stdout + done.stderr)[-3000:])


main()

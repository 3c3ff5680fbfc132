#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Access keys that are replaced while the gateway runs: by another key, by
another secret, in a file that is rewritten or moved into place."""
import os
import tempfile
from pathlib import Path

from bucket import BUCKET, PARTS, Emulator, gateway, noise
from kit import MIB, SLOWNESS, each, equal, eventually, expect, main, test

LARGE = noise(6 * MIB)
ONE = {"server": {"workers": "1"}}
PROFILE = """[default]
aws_access_key_id = {}
aws_secret_access_key = {}
"""


class Place:
    """A gateway that has its key from a file, and a storage."""

    def __init__(self, dialect="minio", **options):
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name, "credentials")
        self.s3 = Emulator(dialect)
        self.s3.create(BUCKET)
        self.write(0)
        self.running = gateway(self.s3, more=ONE, access_key="",
                               secret_key="", session_token=None,
                               credentials_file=str(self.file), **PARTS,
                               **options)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            self.running.__exit__(*error)
        finally:
            self.s3.stop()
            self.folder.cleanup()

    def text(self, number, secret=None):
        one = self.s3.credentials[number]
        token = f"aws_session_token = {one['token']}\n" if one["token"] \
            else ""
        return PROFILE.format(one["access_key"],
                              secret or one["secret_key"]) + token

    def write(self, *which):
        self.file.write_text(self.text(*which))

    def move(self, *which):
        """As a tool that is careful does."""
        beside = self.file.with_suffix(".new")
        beside.write_text(self.text(*which))
        os.replace(beside, self.file)

    def secret(self, number, secret):
        self.s3.control("POST", "secret", {
            "access_key": self.s3.credentials[number]["access_key"],
            "secret_key": secret})


def everything(place):
    """Each operation, in some order."""
    running = place.running
    key = running.upload()["key"]
    equal("body", running.download(key).body, b"hello")
    equal("head", running.download(key, method="HEAD").status, 200)
    expect(key in running.keys(), "not listed")
    equal("link", running.json("POST", "/files/presign",
                               {"key": key}).status, 200)
    large = running.upload(LARGE)["key"]
    expect(running.download(large).body == LARGE, "other bytes")
    running.delete(key)


FIRST = {
    "upload": lambda running, _: running.upload(),
    "large upload": lambda running, _: running.upload(LARGE),
    "download": lambda running, key:
        equal("status", running.download(key).status, 200),
    "head": lambda running, key:
        equal("status", running.download(key, method="HEAD").status, 200),
    "list": lambda running, key: expect(key in running.keys(), "not listed"),
    "delete": lambda running, key: running.delete(key),
}


@each(FIRST)
def test_request_with_a_key_that_is_gone_is_signed_with_the_next(first):
    with Place() as place:
        key = place.running.upload()["key"]
        place.move(1)
        place.secret(0, None)
        first(place.running, key)
        everything(place)
        place.running.says("new credentials from the profile")


@test
def test_request_with_a_secret_that_is_gone_is_signed_with_the_next():
    with Place("ceph") as place:
        everything(place)
        place.write(0, "another+secret")
        place.secret(0, "another+secret")
        everything(place)


@test
def test_link_is_signed_with_the_key_that_the_file_has_now():
    with Place() as place:
        made = place.running.upload()
        old, new = (one["access_key"] for one in place.s3.credentials[:2])
        expect(old in made["download_url"], "not signed with the first key")
        place.move(1)

        def linked():
            answer = place.running.json("POST", "/files/presign",
                                        {"key": made["key"]})
            return new in answer.json["url"]
        eventually("a link signed with the second key", linked,
                   10 * SLOWNESS)


@test
def test_file_without_a_key_leaves_the_old_one_in_use():
    with Place() as place:
        place.running.upload()
        place.file.write_text("[default]\naws_access_key_id = AK")

        def told():
            place.running.upload()
            return any("no new credentials, the old ones are used on" in line
                       for line in place.running.lines)
        eventually("the log tells", told)
        place.write(1)
        place.secret(0, None)
        everything(place)


@test
def test_permission_that_is_missing_is_no_reason_to_ask_for_ever():
    with Place() as place:
        key = place.running.upload()["key"]
        place.s3.faults({"match": {"method": "GET"}, "times": 99,
                         "do": "403 AccessDenied"})
        for _ in range(5):
            equal("status", place.running.download(key).status, 502)
        asked = len(place.s3.requests("GET"))
        expect(asked <= 10, f"{asked} requests for 5")
        log = "\n".join(place.running.lines)
        for one in place.s3.credentials:
            expect(one["secret_key"] not in log, "a secret in the log")


if __name__ == "__main__":
    main()

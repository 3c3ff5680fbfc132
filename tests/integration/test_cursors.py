#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cursors of lists: only a gateway that shares the secret makes one, and each
such gateway takes it."""
import base64
import hashlib
import tempfile
from pathlib import Path
from urllib.parse import quote

from bucket import sections, shared
from kit import (Gateway, Skip, equal, expect, field, file, form, FORM, main,
                 needs, test)

SECRET = "0123456789abcdef0123456789abcdef"
CODES = (400, "bad_query")


def first_page(gate):
    """The cursor of a page of one object of three."""
    for _ in range(3):
        equal("status", gate.ask("POST", "/files", FORM, body=form(
            field("prefix", "t"), file())).status, 201)
    page = gate.list("t", limit=1)
    expect(page["truncated"], "truncated")
    return page["next_cursor"]


def walk(gate, cursor, prefix="t"):
    answer = gate.ask("GET", f"/files?prefix={prefix}&limit=1&cursor="
                      f"{quote(cursor, safe='')}")
    return answer.status, answer.json.get("code")


def renewed(folder, then, now):
    """A new gateway over the same directory answers to the old cursor."""
    with Gateway(then, folder=folder) as gate:
        cursor = first_page(gate)
        equal("itself", walk(gate, cursor), (200, None))
    with Gateway(now, folder=folder) as gate:
        return walk(gate, cursor)


def secret(text):
    return {"links": {"secret": text}}


@test
def test_gateway_of_the_same_secret_takes_the_cursor():
    with tempfile.TemporaryDirectory() as folder:
        equal("answer", renewed(folder, secret(SECRET), secret(SECRET)),
              (200, None))


@test
def test_gateway_of_another_secret_does_not():
    with tempfile.TemporaryDirectory() as folder:
        equal("answer", renewed(folder, secret(SECRET), secret("x" * 32)),
              CODES)


@test
def test_without_any_secret_a_cursor_is_good_on_its_machine():
    try:
        needs(len(Path("/etc/machine-id").read_text()) > 32, "a machine-id")
    except OSError:
        raise Skip("this machine has no id") from None
    with tempfile.TemporaryDirectory() as folder:
        equal("answer", renewed(folder, {}, {}), (200, None))


@test
def test_a_secret_takes_the_place_of_the_machines_id():
    with tempfile.TemporaryDirectory() as folder:
        equal("answer", renewed(folder, {}, secret(SECRET)), CODES)


@test
def test_checksum_is_no_seal():
    """A cursor as anybody could make it who has read how."""
    token = b"t/2026/01/01/00000000-a.txt"
    with Gateway() as gate:
        first_page(gate)
        for version in (1, 2):
            for length in (8, 16):
                for delimiter in (b"\0\0", b"\0"):
                    text = (bytes([version]) + b"t\0" + delimiter + token)
                    seal = hashlib.sha256(text).digest()[:length]
                    made = base64.urlsafe_b64encode(
                        bytes([version]) + seal + token)
                    equal("answer", walk(gate, made.decode().rstrip("=")),
                          CODES)


@test
def test_gateways_that_open_a_storage_with_one_key_share_cursors():
    s3 = shared("minio")
    with Gateway(sections(s3)) as one, Gateway(sections(s3)) as other:
        cursor = first_page(one)
        equal("other", walk(other, cursor), (200, None))
        equal("another prefix", walk(other, cursor, "tt"), CODES)
        for gate in (one, other):
            for line in gate.lines:
                expect("cursors of lists" not in line, line)


if __name__ == "__main__":
    main()

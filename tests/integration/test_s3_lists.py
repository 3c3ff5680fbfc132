#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keys that XML has no place for, which other tools can put: lists go on past
them wherever a page ends, and they can be read and deleted.  On the emulator,
and on a real Ceph where there is one."""
import atexit
import contextlib
import functools
from urllib.parse import quote

from bucket import BUCKET, Emulator, gateway
from kit import FORM, each, equal, field, file, form, main, test
from s3.kit import Rgw

ONE = {"server": {"workers": "1"}}
ODD = ["t/a", "t/b\ufffe", "t/b\uffff", "t/c\x01", "t/c\x1f&", "t/c\x7f",
       "t/d", "t/e\ufffe/1", "t/e\ufffe/2", "t/e\uffff/1", "t/f\x02/1",
       "t/g\ufdd0", "t/h\U0010ffff", "t/z"]
FOLDED = (["t/a", "t/b\ufffe", "t/b\uffff", "t/c\x01", "t/c\x1f&",
           "t/c\x7f", "t/d", "t/g\ufdd0", "t/h\U0010ffff", "t/z"],
          ["t/e\ufffe/", "t/e\uffff/", "t/f\x02/"])


class Place:
    """A bucket with all of these keys, and a gateway before it."""

    def __init__(self, s3):
        self.s3 = s3
        s3.create(BUCKET)
        for key in ODD:
            equal(f"PUT {key!r}", s3.client().put(BUCKET, key, b"x").status,
                  200)

    def gateway(self):
        return gateway(self.s3, more=ONE)


@contextlib.contextmanager
def place(name):
    if name == "Ceph":
        yield real()
        return
    with Emulator("ceph", tokens="raw") as s3:
        yield Place(s3)


@functools.cache
def real():
    s3 = Rgw()
    atexit.register(s3.stop)
    return Place(s3)


WHERE = {name: name for name in ("emulator", "Ceph")}


def walk(running, limit, delimiter=""):
    """All that comes page by page."""
    keys, prefixes, cursor = [], [], None
    for _ in range(100):
        more = {"cursor": cursor} if cursor else {}
        if delimiter:
            more["delimiter"] = delimiter
        page = running.list("t/", limit=limit, **more)
        keys += [one["key"] for one in page["objects"]]
        prefixes += page.get("prefixes", [])
        cursor = page.get("next_cursor")
        if not cursor:
            break
    return keys, prefixes


@each(WHERE)
def test_list_goes_on_past_each_key(name):
    with place(name) as here, here.gateway() as running:
        for limit in range(1, len(ODD) + 1):
            equal(f"{limit} a page", walk(running, limit), (ODD, []))


@each(WHERE)
def test_list_goes_on_past_each_prefix(name):
    with place(name) as here, here.gateway() as running:
        for limit in range(1, len(ODD) + 1):
            equal(f"{limit} a page", walk(running, limit, "/"), FOLDED)


@each(WHERE)
def test_object_of_each_key_is_read_and_deleted(name):
    with place(name) as here, here.gateway() as running:
        for key in ODD:
            equal(f"body of {key!r}", running.download(key).body, b"x")
            answer = running.json("POST", "/files/presign", {"key": key})
            equal(f"link to {key!r}", answer.status, 200)
            running.delete(key)
            equal(f"status of {key!r}", running.download(key).status, 404)
        equal("what is left", walk(running, 100), ([], []))
        for key in ODD:
            here.s3.client().put(BUCKET, key, b"x")


@each({"U+FFFE": "\ufffe", "U+FFFF": "\uffff", "U+0001": "\x01",
       "U+007F": "\x7f"})
def test_prefix_that_xml_cannot_hold_is_400(letter):
    with place("emulator") as here, here.gateway() as running:
        answer = running.ask("POST", "/files", FORM, body=form(
            field("prefix", f"t/{letter}"), file()))
        equal("status", answer.status, 400)


@each({"U+FFFE": "\ufffe", "U+FFFF": "\uffff"})
def test_file_name_loses_what_xml_cannot_hold(letter):
    with place("emulator") as here, here.gateway() as running:
        made = running.upload(name=f"a{letter}b.txt")
        equal("name", made["filename"], "ab.txt")


# ---- dot segments: another object's name, to storages that climb

DOTS = ["t/../u/secret", "t/./a", "t/.."]


@each(WHERE)
def test_key_with_dots_is_deleted_where_it_is_listed(name):
    with place(name) as here, here.gateway() as running:
        client = here.s3.client()
        for key in DOTS:
            equal(f"PUT {key}", client.put(BUCKET, key, b"x").status, 200)
        for key in DOTS:
            running.delete(key)
            equal(f"{key} at the storage", client.get(BUCKET, key).status,
                  404)


@test
def test_key_with_dots_that_is_not_listed_reaches_nothing():
    with place("emulator") as here, here.gateway() as running:
        client = here.s3.client()
        client.put(BUCKET, "u/secret", b"x")
        here.s3.forget()
        running.delete("t/../u/secret")
        equal("deletions", here.s3.requests("DELETE"), [])
        equal("at the storage", client.get(BUCKET, "u/secret").status, 200)


@test
def test_key_with_dots_is_no_download():
    with place("emulator") as here, here.gateway() as running:
        equal("download", running.download("t/../u/secret").status, 400)
        equal("link", running.json("POST", "/files/presign", {
            "key": "t/../u/secret"}).status, 400)


@test
def test_cursor_of_another_version_is_400():
    with place("emulator") as here, here.gateway() as running:
        page = running.list("t/", limit=1)
        forged = page["next_cursor"][:-2]
        equal("status", running.ask(
            "GET", f"/files?prefix=t/&cursor={quote(forged)}").status, 400)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links of a backend that makes none: the gateway signs and serves them, by a
secret of the configuration or one that it keeps in the storage, below
.sluice/, where no request reaches."""
import time
from urllib.parse import quote, urlsplit

from bucket import BUCKET, Emulator, backend, gateway as before
from kit import (FORM, Gateway, each, equal, expect, field, file, form, like,
                 main, test)

MOUNT = "/stall"
SECRET = "0123456789abcdef"


def running(secret=None, **more):
    """The objects of `stall` are in memory: of one loop."""
    sections = {"server": {"workers": "1"},
                "backends": {"stall": {"plugin": "stall"}},
                "routes": [{"mount": MOUNT, "backend": "stall"},
                           {"mount": "/other", "backend": "stall"}], **more}
    if secret:
        sections["links"] = {"secret": secret}
    return Gateway(sections)


def link(gateway, key, mount=MOUNT, **more):
    answer = gateway.json("POST", f"{mount}/presign", {"key": key, **more})
    equal("status of the link", (answer.status, answer.error), (200, None))
    where = urlsplit(answer.json["url"])
    return f"{where.path}?{where.query}"


@each({"kept": None, "configured": SECRET})
def test_link_is_served(secret):
    with running(secret) as gateway:
        got = gateway.upload(b"0123456789", "é.txt", mount=MOUNT)
        where = urlsplit(got["download_url"])
        for target in (f"{where.path}?{where.query}",
                       link(gateway, got["key"])):
            answer = gateway.ask("GET", target)
            equal("status, body", (answer.status, answer.body),
                  (200, b"0123456789"))
            like("name", answer.header("content-disposition"),
                 r"attachment; .*UTF-8''%C3%A9\.txt")
            answer = gateway.ask("GET", target, "Range: bytes=2-4")
            equal("part", (answer.status, answer.body), (206, b"234"))
            equal("HEAD", gateway.ask("HEAD", target).status, 200)


@test
def test_secret_is_made_once():
    with running() as gateway:
        key = gateway.upload(mount=MOUNT)["key"]
        for _ in range(3):
            equal("status", gateway.ask("GET", link(gateway, key)).status, 200)
        made = [line for line in gateway.lines if "a secret for links and" in
                line]
        equal("lines of it", len(made), 1)


@test
def test_configured_secret_outlives_a_restart():
    with running(SECRET) as gateway:
        target = link(gateway, gateway.upload(mount=MOUNT)["key"])
    for secret, status in ((SECRET, 404), ("x" * 16, 403)):
        with running(secret) as gateway:
            equal("status", gateway.ask("GET", target).status, status)


def altered(target):
    path, _, query = target.partition("?")
    key, _, rest = query.partition("&")
    yield "nothing", path
    yield "no signature", target.rpartition("&")[0]
    yield "another key", f"{path}?{key}x&{rest}"
    yield "later", target.replace("expires=", "expires=9")
    yield "a parameter before", f"{path}?a=b&{query}"
    yield "a parameter behind", f"{target}&a=b"
    yield "other writing", target.replace("%2F", "/", 1)
    last = "0" if target[-1] != "0" else "1"
    yield "another signature", target[:-1] + last
    yield "another mount", target.replace(MOUNT, "/other", 1)


@test
def test_link_is_good_as_it_was_signed_and_where():
    with running() as gateway:
        key = gateway.upload(mount=MOUNT)["key"]
        target = link(gateway, key)
        for what, other in altered(target):
            answer = gateway.ask("GET", other)
            equal(what, (answer.status, answer.json["code"]),
                  (403, "link_invalid"))
        equal("status", gateway.ask("GET", target).status, 200)
        equal("its own mount", gateway.ask(
            "GET", link(gateway, key, "/other")).status, 200)


@test
def test_link_ends():
    with running(presign={"min": "1s", "default": "1s"}) as gateway:
        target = link(gateway, gateway.upload(mount=MOUNT)["key"], expires=1)
        equal("status", gateway.ask("GET", target).status, 200)
        time.sleep(2.5)
        equal("status later", gateway.ask("GET", target).status, 403)


def layered(s3, secret):
    below = backend(s3, secret_key=secret)
    del below["directory"]  # which only `main` has by default
    return Gateway({
        "presign": {"via": "gateway"},
        "backends": {"below": below,
                     "main": {"plugin": "prefix", "over": "below",
                              "prefix": "t/", "directory": None}}})


@test
def test_link_of_a_layer_is_good_whatever_the_credentials_are():
    """A secret that the storage keeps signs it."""
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        with layered(s3, s3.secret_key) as gateway:
            gateway.ask("PUT", "/files/object?key=a", body=b"hello")
            target = link(gateway, "a", mount="/files")
        s3.control("POST", "secret", {"access_key": s3.access_key,
                                      "secret_key": "another/secret+one"})
        with layered(s3, "another/secret+one") as gateway:
            equal("body", gateway.ask("GET", target).body, b"hello")


# ---- the gateway's own keys ------------------------------------------------

OWN = {"it": ".sluice", "below": ".sluice/link-secret",
       "deeper": ".sluice/a/b", "slash": "/.sluice/link-secret",
       "slashes": "//.sluice/a"}


def requests(key):
    """Each that could read, make or remove the key."""
    query = quote(key, safe="")
    yield "GET", f"/files/download?key={query}", None
    yield "GET", f"/files/object?key={query}", None
    yield "HEAD", f"/files/object?key={query}", None
    yield "PUT", f"/files/object?key={query}", b"x"
    yield "DELETE", f"/files/object?key={query}", None
    yield "GET", f"/files?prefix={query}", None
    yield "DELETE", "/files", {"key": key}
    yield "POST", "/files/presign", {"key": key}
    yield "POST", "/files/copy", {"from": key, "to": "a", "replace": True}
    yield "POST", "/files/copy", {"from": "a", "to": key, "replace": True}
    yield "POST", "/files/move", {"from": key, "to": "a", "replace": True}


@each(OWN)
def test_own_key_is_reached_by_no_request(key):
    with Gateway() as gateway:
        for method, target, body in requests(key):
            answer = gateway.json(method, target, body) \
                if isinstance(body, dict) \
                else gateway.ask(method, target, body=body)
            equal(f"status of {method} {target}", answer.status, 400)
            if method != "HEAD":
                equal("code", answer.json["code"], "bad_key")
        answer = gateway.json("POST", "/files/delete", {"keys": [key]})
        equal("batch", [one["code"] for one in answer.json["failed"]],
              ["bad_key"])
        answer = gateway.json("POST", "/files/delete", {"prefix": key + "/"})
        equal("status of a sweep", answer.status, 400)
        body = form(field("prefix", key), file(b"x", "a.txt"))
        answer = gateway.ask("POST", "/files", FORM, body=body)
        equal("form", (answer.status, answer.json["code"]), (400, "bad_key"))


@each({"like_it": ".sluice2/a", "inside": "a/.sluice/b",
       "longer": ".sluicer"})
def test_key_that_only_looks_like_it_is_anyones(key):
    with Gateway() as gateway:
        target = f"/files/object?key={quote(key, safe='')}"
        equal("status", gateway.ask("PUT", target, body=b"x").status, 201)
        equal("body", gateway.ask("GET", target).body, b"x")
        keys = [one["key"] for one in gateway.list("")["objects"]]
        equal("list", keys, [key])


@each({"each": "", "folded": "/"})
def test_lists_skip_it_and_pages_stay_full(delimiter):
    keys = ["!a", "!b", "a/1", "b/1", "c/1"]
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        for key in keys + [f".sluice/{i}" for i in range(7)]:
            equal("PUT", s3.client().put(BUCKET, key, b"x").status, 200)
        with before(s3) as gateway:
            seen, cursor, more = [], None, {}
            if delimiter:
                more["delimiter"] = delimiter
            while True:
                page = gateway.list("", limit=2, **more, **(
                    {"cursor": cursor} if cursor else {}))
                names = [one["key"] for one in page["objects"]]
                names += page.get("prefixes", [])
                cursor = page.get("next_cursor")
                expect(len(names) == 2 or not cursor, "a page isn't full")
                seen += names
                if not cursor:
                    break
            folded = [key if key[0] == "!" else key[:2] for key in keys]
            equal("keys", sorted(seen), sorted(folded if delimiter else keys))


@test
def test_small_page_skips_many_of_them_at_once():
    with Emulator("minio") as s3:
        s3.create(BUCKET)
        for key in [f".sluice/{i:02d}" for i in range(60)] + ["a", "b"]:
            equal("PUT", s3.client().put(BUCKET, key, b"x").status, 200)
        with before(s3) as gateway:
            s3.control("DELETE", "requests")
            page = gateway.list("", limit=1)
            equal("keys", [one["key"] for one in page["objects"]], ["a"])
            asked = sum("list-type" in one["target"]
                        for one in s3.requests("GET"))
            expect(asked <= 10, f"the storage was asked {asked} times")
            page = gateway.list("", limit=1, cursor=page["next_cursor"])
            equal("keys", [one["key"] for one in page["objects"]], ["b"])


if __name__ == "__main__":
    main()

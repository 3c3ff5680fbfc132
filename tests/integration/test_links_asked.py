#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links of the gateway: what may be asked for, what each allows, and by
whom."""
import tempfile

from bucket import Emulator, gateway as over_s3
from guards import uploaded_by
from kit import (FORM, Gateway, among, denying, each, equal, expect, file,
                 form, like, main, refusal, test)
from linkskit import (DATA, KEY, asked, code, gone, link, put, revoke,
                      target)


# ---- whose, and where -------------------------------------------------------

@test
def test_upload_by_link_is_of_who_made_it():
    with Gateway() as gateway:
        me, eve = ["X-User-Id: alice"], "X-User-Id: eve"
        one = link(gateway, me, method="PUT", key="t/put")["url"]
        two = link(gateway, me, method="POST", prefix="t/in")["url"]
        answer = gateway.ask("PUT", target(one), eve, body=b"x")
        equal("status", answer.status, 201)
        equal("words", sorted(answer.json), [
            "content_type", "etag", "filename", "key", "md5", "size_bytes"])
        equal("uploaded-by", uploaded_by(gateway, "t/put"), "alice")
        for lines, body in (((FORM,), form(file(b"x", "y.txt"))),
                            (("Content-Type: text/plain",), b"x")):
            answer = gateway.ask("POST", target(two), eve, *lines, body=body)
            equal("status", answer.status, 201)
            like("key", answer.json["key"], r"t/in/\d{4}/\d\d/\d\d/.*")
            equal("uploaded-by", uploaded_by(gateway, answer.json["key"]),
                  "alice")
            expect("download_url" not in answer.json, answer.json)


@test
def test_identity_is_not_to_be_read_in_a_link():
    with Gateway() as gateway:
        put(gateway)
        got = link(gateway, ["X-User-Id: alice"], key=KEY)
        expect("alice" not in got["url"] + got["id"], got)


@test
def test_refusals_come_in_their_order():
    with Gateway() as gateway:
        put(gateway)
        got = link(gateway, key=KEY, uses=1)
        url = target(got["url"])
        for method in ("PUT", "POST", "DELETE", "PATCH"):
            answer = gateway.ask(method, url, body=b"x")
            equal(method, (answer.status, answer.header("allow")),
                  (405, "GET, HEAD"))
            answer = gateway.ask(method, url + "x", body=b"x")
            equal(method, (answer.status, code(answer)),
                  (403, "link_invalid"))
        equal("status", gateway.ask("GET", url).status, 200)
        equal("used up before the method", code(gateway.ask(
            "PUT", url, body=b"x")), "link_used_up")
        revoke(gateway, id=got["id"])
        equal("revoked before used up", code(gateway.ask("GET", url)),
              "link_revoked")
        upload = target(link(gateway, method="PUT", key="t/x")["url"])
        answer = gateway.ask("GET", upload)
        equal("allow", (answer.status, answer.header("allow")), (405, "PUT"))


@test
def test_link_that_creates_replaces_nothing_whatever_the_request_says():
    with Gateway() as gateway:
        put(gateway)
        etag = gateway.ask("HEAD", f"/files/object?key={KEY}").header("etag")
        url = target(link(gateway, method="PUT", key=KEY)["url"])
        new = target(link(gateway, method="PUT", key="t/new")["url"])
        for lines, status in (((), 409), (("If-Match: *",), 409),
                              ((f"If-Match: {etag}",), 409),
                              (('If-Match: "x"',), 412),
                              (("If-None-Match: *",), 412)):
            answer = gateway.ask("PUT", url, *lines, body=b"new")
            equal(f"status with {lines}", answer.status, status)
        equal("nothing to match", gateway.ask(
            "PUT", new, "If-Match: *", body=b"x").status, 412)
        equal("object", gateway.download(KEY).body, DATA)
        over = target(link(gateway, method="PUT", key=KEY,
                           replace=True)["url"])
        answer = gateway.ask("PUT", over, f"If-Match: {etag}", body=b"new")
        equal("status", answer.status, 200)
        equal("object", gateway.download(KEY).body, b"new")


@each({"tus": "Tus-Resumable: 1.0.0", "draft": "Upload-Complete: ?0"})
def test_part_of_an_upload_is_not_stored_as_all_of_it(line):
    with Gateway() as gateway:
        url = target(link(gateway, method="POST", prefix="t")["url"])
        answer = gateway.ask("POST", url, line, "Upload-Length: 5", body=b"")
        equal("status", answer.status, 501)
        equal("keys", gateway.keys(), [])


@test
def test_link_is_good_at_its_own_mount_alone():
    routes = [{"mount": "/files", "backend": "main"},
              {"mount": "/other", "backend": "main"}]
    with Gateway({"routes": routes}) as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY)["url"])
        equal("status", gateway.ask("GET", url).status, 200)
        answer = gateway.ask("GET", url.replace("/files", "/other", 1))
        equal("status, code", (answer.status, code(answer)),
              (403, "link_invalid"))


@test
def test_caches_keep_no_download_by_link():
    with Gateway({"downloads": {"cache_control": "public, max-age=9"},
                  "server": {"headers": {"Referrer-Policy": "unsafe-url",
                                         "X-Own": "1"}}}) as gateway:
        put(gateway)
        for more, wanted in (({}, "private, no-cache"),
                             ({"uses": 9}, "no-store")):
            url = target(link(gateway, key=KEY, **more)["url"])
            etag = gateway.ask("HEAD", url).header("etag")
            for lines, status in (((), 200), (("Range: bytes=1-",), 206),
                                  ((f"If-None-Match: {etag}",), 304)):
                answer = gateway.ask("GET", url, *lines)
                equal("status", answer.status, status)
                equal("headers", [answer.header(name) for name in (
                    "cache-control", "referrer-policy", "x-own")],
                      [wanted, "no-referrer", "1"])
            answer = gateway.ask("GET", url + "x")
            equal("headers", [answer.header(name) for name in (
                "cache-control", "referrer-policy")],
                  ["no-store", "no-referrer"])
        equal("elsewhere", gateway.download(KEY).header("referrer-policy"),
              "unsafe-url")


@test
def test_pages_of_other_origins_may_upload_by_link():
    origin = "https://app.example"
    with Gateway({"cors": {"origins": [origin]}}) as gateway:
        url = target(link(gateway, method="PUT", key="t/x")["url"])
        answer = gateway.ask("OPTIONS", url, f"Origin: {origin}",
                             "Access-Control-Request-Method: PUT",
                             "Access-Control-Request-Headers: content-type")
        equal("status", answer.status, 204)
        equal("methods", answer.header("access-control-allow-methods"),
              "GET, HEAD, POST, PUT")
        like("headers", answer.header("access-control-allow-headers"),
             ".*Content-Type.*")


@test
def test_form_of_another_page_uploads_by_a_link_alone():
    lines = [FORM, "Origin: https://app.example", "Sec-Fetch-Site: cross-site"]
    body = form(file(b"x"))
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(folder=folder) as gateway:
            url = target(link(gateway, method="POST", prefix="inbox")["url"])
        with Gateway(denying(folder), folder=folder) as gateway:
            equal("by a link", gateway.ask("POST", url, *lines,
                                           body=body).status, 201)
            equal("else", gateway.ask("POST", "/files", *lines,
                                      body=body).status, 403)


# ---- what is asked ----------------------------------------------------------

LIMITS = {
    "64 types": ({"types": ["a/b"] * 64}, 200),
    "65 types": ({"types": ["a/b"] * 65}, 400),
    "a type of 127 bytes": ({"types": ["a/" + "b" * 125]}, 200),
    "a type of 128 bytes": ({"types": ["a/" + "b" * 126]}, 400),
    "no types": ({"types": []}, 400),
    "any type": ({"types": ["*/*"]}, 400),
    "max_bytes 1": ({"max_bytes": 1}, 200),
    "max_bytes 0": ({"max_bytes": 0}, 400),
    "uses 1000000": ({"uses": 1000000}, 200),
    "uses 1000001": ({"uses": 1000001}, 400),
    "replace": ({"replace": True}, 200),
    "replace of a text": ({"replace": "true"}, 400),
    "a name": ({"filename": "a"}, 400), "inline": ({"inline": False}, 400),
    "a prefix": ({"prefix": "t"}, 400)}


@each(LIMITS)
def test_link_to_put_is_asked_for_within_limits(case):
    more, status = case
    with Gateway() as gateway:
        answer = asked(gateway, method="PUT", key="t/x", **more)
        equal("status", answer.status, status)


@each({"246 bytes": ("x" * 246, 200), "247 bytes": ("x" * 247, 400),
       "a slash": ("a/b", 400), "a backslash": ("a\\b", 400),
       "nothing": ("", 400), "dots": ("..", 400), "a line": ("a\nb", 400)})
def test_filename_is_one(case):
    name, status = case
    with Gateway() as gateway:
        put(gateway)
        equal("status", asked(gateway, key=KEY, filename=name).status, status)
        for more in ({"max_bytes": 1}, {"types": ["a/b"]}, {"replace": True},
                     {"prefix": "t"}):
            equal("status", asked(gateway, key=KEY, **more).status, 400)


@test
def test_type_that_is_guessed_is_one_that_the_link_takes():
    with Gateway({"uploads": {"guess": True}}) as gateway:
        octets = "application/octet-stream"
        for types, said, status in (([octets], octets, 201),
                                    (["image/png"], octets, 201),
                                    (["image/png"], None, 201),
                                    (["text/plain"], octets, 415)):
            url = link(gateway, method="POST", prefix="t", types=types)["url"]
            lines = [f"Content-Type: {said}"] if said else []
            answer = gateway.ask(
                "POST", target(url), *lines, "Content-Disposition: "
                'attachment; filename="a.png"', body=b"x")
            equal(f"status of {said} for {types}", answer.status, status)
            if status == 201:
                among("type", answer.json["content_type"], types)


@test
def test_storage_makes_what_it_can_keep():
    with Emulator("aws") as s3, over_s3(s3) as gateway:
        put(gateway)
        for document, via in (
                ({"key": KEY}, "storage"),
                ({"key": KEY, "filename": "x.txt", "inline": True},
                 "storage"),
                ({"key": KEY, "uses": 1}, "gateway"),
                ({"method": "PUT", "key": "t/x"}, "gateway"),
                ({"method": "PUT", "key": "t/x", "replace": True},
                 "storage"),
                ({"method": "POST", "prefix": "t"}, "gateway")):
            answer = asked(gateway, **document)
            equal(f"via of {document}", (answer.status, answer.json["via"],
                                         "id" in answer.json),
                  (200, via, via == "gateway"))
            if via == "gateway":
                equal("status", asked(gateway, via="storage",
                                      **document).status, 501)


@test
def test_storage_without_names_leaves_those_to_the_gateway():
    with Emulator("r2") as s3, over_s3(s3) as gateway:
        put(gateway)
        equal("via", asked(gateway, key=KEY).json["via"], "storage")
        equal("via", asked(gateway, key=KEY, filename="x").json["via"],
              "gateway")
        equal("status", asked(gateway, key=KEY, filename="x",
                              via="storage").status, 501)


@test
def test_configuration_may_have_none_of_the_storage():
    with Emulator("aws") as s3, over_s3(s3, more={
            "presign": {"via": "gateway"}}) as gateway:
        got = gateway.upload()
        like("link of an upload", got["download_url"], ".*/files/signed[?].*")
        equal("via", asked(gateway, key=got["key"]).json["via"], "gateway")
        equal("status", asked(gateway, key=got["key"],
                              via="storage").status, 501)


@test
def test_via_is_one_of_two():
    refusal({"presign": {"via": "pigeon"}}, "via", "storage", "gateway")


@test
def test_storage_that_cannot_count_says_so():
    with Emulator("b2") as s3, over_s3(s3) as gateway:
        put(gateway)
        for document in ({"key": KEY, "uses": 1},
                         {"method": "PUT", "key": "t/x"},
                         {"method": "POST", "prefix": "t", "uses": 2}):
            answer = asked(gateway, **document)
            equal("status, code", (answer.status, code(answer)),
                  (501, "not_implemented"))
        url = target(link(gateway, method="PUT", key="t/x",
                          replace=True)["url"])
        equal("status", gateway.ask("PUT", url, body=b"x").status, 201)
        got = link(gateway, key="t/x")
        equal("status", gateway.ask("GET", target(got["url"])).status, 200)
        revoke(gateway, id=got["id"])
        gone(gateway, got["url"])


if __name__ == "__main__":
    main()

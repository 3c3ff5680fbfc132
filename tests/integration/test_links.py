#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links of the gateway that can do more: counted in the storage, taken back,
for uploads.  A model (tests/oracle/links.py) judges what many clients see,
also of a gateway that is killed meanwhile."""
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.append(str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from bucket import Emulator, gateway as over_s3  # noqa: E402
from guards import JSON, uploaded_by  # noqa: E402
from kit import (FORM, Gateway, Mismatch, among, each, equal,  # noqa: E402
                 eventually, expect, file, form, like, main, refusal, test)
from oracle.links import Links  # noqa: E402

KEY, DATA = "t/a.txt", bytes(range(256)) * 40


def target(url):
    where = urlsplit(url)
    return f"{where.path}?{where.query}"


def put(gateway, key=KEY, data=DATA, *lines):
    among("status", gateway.ask("PUT", f"/files/object?key={key}", *lines,
                                body=data).status, (200, 201))


def asked(gateway, lines=(), **document):
    return gateway.ask("POST", "/files/presign", JSON, *lines,
                       body=to_json(document))


def to_json(document):
    # pylint: disable=import-outside-toplevel
    import json
    return json.dumps(document).encode()


def link(gateway, lines=(), **document):
    answer = asked(gateway, lines, via="gateway", **document)
    equal("status of presign", (answer.status, answer.error), (200, None))
    return answer.json


def revoke(gateway, lines=(), **document):
    return gateway.ask("DELETE", "/files/links", JSON, *lines,
                       body=to_json(document))


def code(answer):
    return answer.json["code"] if answer.status >= 400 else None


def gone(gateway, url, method="GET", **more):
    answer = gateway.ask(method, target(url), **more)
    equal("status, code", (answer.status, code(answer)),
          (403, "link_revoked"))


# ---- counted -----------------------------------------------------------------

class Story:
    """Clients that follow one link, and the model that judges it."""

    def __init__(self, uses):
        self.model, self.uses, self.served = Links(), uses, []
        self.broken = []

    def make(self, gateway):
        call = self.model.begin("maker", "make", key=KEY)
        got = link(gateway, key=KEY, uses=self.uses)
        self.model.made(call, got["id"], uses=self.uses)
        self.ident, self.target = got["id"], target(got["url"])

    def follow(self, gateway, client):
        """What came of one download; None: nobody knows."""
        call = self.model.begin(client, "use", id=self.ident)
        try:
            answer = gateway.ask("GET", self.target)
        except (Mismatch, OSError):
            self.model.used(call, 500)
            return None
        self.model.used(call, answer.status, code(answer))
        if answer.status == 200:
            equal("bytes", len(answer.body), len(DATA))
            self.served.append(client)
        return answer.status

    def guarded(self, work, *arguments):
        try:
            work(*arguments)
        except BaseException as error:  # pylint: disable=broad-except
            self.broken.append(error)

    def crowd(self, gateway, count):
        gate = threading.Barrier(count)

        def one(client):
            gate.wait()
            self.follow(gateway, client)
        threads = [threading.Thread(target=self.guarded, args=(one, n))
                   for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.broken:
            raise self.broken[0]


@test
def test_200_clients_of_a_link_with_7_uses_make_7_downloads():
    with tempfile.TemporaryDirectory() as folder:
        with Gateway({"server": {"workers": "4"}}, folder=folder) as gateway:
            put(gateway)
            story = Story(7)
            story.make(gateway)
            story.crowd(gateway, 200)
            equal("downloads", len(story.served), 7)
        with Gateway({"server": {"workers": "4"}}, folder=folder) as gateway:
            story.crowd(gateway, 20)
            equal("downloads after a new start", len(story.served), 7)


@test
def test_uses_are_counted_whatever_kills_the_gateway():
    """Each round a gateway is killed while many download; no use is given
    twice, and what was counted stays so."""
    dice = random.Random(7)
    story = Story(60)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(6):
            gateway = Gateway({"server": {"workers": "2"}}, folder=folder)
            if number == 0:
                put(gateway)
                story.make(gateway)
            over = threading.Event()

            def client(name, over=over, gateway=gateway):
                while not over.is_set():
                    if story.follow(gateway, name) in (None, 403):
                        return
            threads = [threading.Thread(
                target=story.guarded, args=(client, f"{number}.{n}"))
                for n in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(dice.random() * 0.04)
            gateway.kill()
            over.set()
            for thread in threads:
                thread.join()
        if story.broken:
            raise story.broken[0]
        with Gateway(folder=folder) as gateway:
            while story.follow(gateway, "last") == 200:
                pass
    expect(len(story.served) <= 60, f"{len(story.served)} downloads of 60")
    expect(len(story.served) >= 60 - 6 * 4,
           f"{len(story.served)} downloads: a use was lost that no client "
           "of a killed gateway had")


@test
def test_upload_that_fails_gives_its_use_back():
    with Gateway() as gateway:
        put(gateway, "t/there")
        one = link(gateway, method="PUT", key="t/there", uses=1)["url"]
        for _ in range(3):
            answer = gateway.ask("PUT", target(one), body=b"x")
            equal("status, code", (answer.status, code(answer)),
                  (409, "object_exists"))
        gateway.delete("t/there")
        equal("status", gateway.ask("PUT", target(one), body=b"x").status,
              201)
        answer = gateway.ask("PUT", target(one), body=b"x")
        equal("code", code(answer), "link_used_up")


@test
def test_used_up_link_serves_what_resumes_and_nothing_else():
    with Gateway() as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=1)["url"])
        equal("status", gateway.ask("GET", url, "Range: bytes=5-").status,
              206)  # the first one of all counts
        equal("code", code(gateway.ask("GET", url)), "link_used_up")
        for lines, status in ((("Range: bytes=7-9",), 206),
                              (("Range: bytes=-3",), 206),
                              (("Range: bytes=0-3",), 403),
                              (("Range: bytes=9-3",), 403),
                              (("Range: bytes=99999-",), 416),
                              (("Range: bytes=5-", 'If-Range: "x"'), 403),
                              (("Range: bytes=5-", 'If-Match: "x"'), 412)):
            equal(f"status with {lines}", gateway.ask(
                "GET", url, *lines).status, status)
        equal("HEAD", gateway.ask("HEAD", url).status, 403)


@test
def test_uses_count_no_look():
    with Gateway() as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=1)["url"])
        etag = gateway.ask("HEAD", url).header("etag")
        for lines, status in (((f"If-None-Match: {etag}",), 304),
                              (('If-Match: "x"',), 412),
                              (("Range: bytes=99999-",), 416)):
            equal("status", gateway.ask("GET", url, *lines).status, status)
        gateway.delete(KEY)
        equal("status", gateway.ask("GET", url).status, 404)
        put(gateway)
        equal("status", gateway.ask("GET", url).status, 200)
        equal("code", code(gateway.ask("GET", url)), "link_used_up")


# ---- taken back --------------------------------------------------------------

@test
def test_revocations_outlive_the_gateway():
    user = ["X-User-Id: bob"]
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(folder=folder)
        for key in (KEY, "u/b.txt", "v/c.txt", "w/d.txt"):
            put(gateway, key)
        one, other = (link(gateway, key="w/d.txt") for _ in range(2))
        by_key = link(gateway, key=KEY)
        below = link(gateway, key="u/b.txt")
        post = link(gateway, method="POST", prefix="u")
        bobs = link(gateway, user, key="v/c.txt")
        for document in ({"id": one["id"]}, {"key": KEY}, {"prefix": "u/"},
                         {"identity": "bob"}):
            answer = revoke(gateway, **document)
            equal("answer", (answer.status, [*answer.json]),
                  (200, ["revoked"]))
        gateway.kill()
        with Gateway(folder=folder) as gateway:
            for got in (one, by_key, below, bobs):
                gone(gateway, got["url"])
            gone(gateway, post["url"], "POST", body=b"x")
            equal("status", gateway.ask("GET", target(other["url"])).status,
                  200)
            equal("status of a new one", gateway.ask("GET", target(link(
                gateway, user, key=KEY)["url"])).status, 200)


@each({"unknown": "A" * 44, "short": "abc"})
def test_unknown_id_is_not_found(ident):
    with Gateway() as gateway:
        answer = revoke(gateway, id=ident)
        equal("status, code", (answer.status, code(answer)),
              (404, "link_not_found"))


@each({"two": {"id": "a", "key": "b"}, "none": {}, "slashes": {"prefix": "/"},
       "own": {"prefix": ".sluice"}, "own key": {"key": ".sluice/x"},
       "climbing": {"key": "a/../b"}, "list": {"prefix": ["a"]},
       "long": {"identity": "x" * 1025}})
def test_revocation_of_nothing_that_is_is_refused(document):
    with Gateway() as gateway:
        equal("status", revoke(gateway, **document).status, 400)


@test
def test_upload_in_flight_is_refused_when_its_link_is_taken_back():
    with Gateway() as gateway:
        got = link(gateway, method="PUT", key="t/slow")
        with gateway.wire() as wire:
            wire.send(f"PUT {target(got['url'])} HTTP/1.1\r\nHost: x\r\n"
                      "Content-Length: 4\r\n\r\n12".encode())
            eventually("the request is in flight", lambda: gateway.ask(
                "GET", "/healthz").status == 200)
            time.sleep(0.1)
            equal("status", revoke(gateway, id=got["id"]).status, 200)
            wire.send(b"34")
            answer = wire.answer()
        equal("status, code", (answer.status, code(answer)),
              (403, "link_revoked"))
        equal("keys", gateway.keys(), [])


@test
def test_gateway_that_cannot_read_what_is_revoked_serves_no_link():
    """It is as sure as five seconds ago, and no longer."""
    with Emulator("aws") as s3, over_s3(s3, retry_time="100ms") as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY)["url"])
        equal("status", gateway.ask("GET", url).status, 200)
        s3.faults({"match": {"query": "list-type"}, "do": 503,
                   "times": 9999})
        answers = {}

        def refused():
            answer = gateway.ask("GET", url)
            answers[answer.status] = code(answer)
            return answer.status == 503
        eventually("a refusal", refused, seconds=12)
        equal("answers", answers, {200: None, 503: "links_unknown"})
        s3.control("DELETE", "faults")
        eventually("it is served again", lambda: gateway.ask(
            "GET", url).status == 200)


# ---- whose, and where --------------------------------------------------------

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


# ---- what is asked -----------------------------------------------------------

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


@test
def test_use_is_counted_once_where_its_answer_is_lost():
    with Emulator("aws") as s3, over_s3(s3) as gateway:
        put(gateway)
        url = target(link(gateway, key=KEY, uses=2)["url"])
        equal("status", gateway.ask("GET", url).status, 200)
        s3.faults({"match": {"method": "PUT", "path": "uses/"},
                   "do": "lost-answer"})
        equal("status", gateway.ask("GET", url).status, 200)
        equal("code", code(gateway.ask("GET", url)), "link_used_up")


# ---- logs --------------------------------------------------------------------

@each({"log_json": {"plugin": "log_json"},
       "log_combined": {"plugin": "log_combined"}})
def test_logs_have_a_links_id_and_never_its_signature(hook):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        with Gateway({"hooks": [{**hook, "path": str(path)}],
                      "server": {"log_level": "debug"}}) as gateway:
            put(gateway)
            one = link(gateway, key=KEY)
            two = link(gateway, method="PUT", key="t/x")
            gateway.ask("GET", target(one["url"]))
            gateway.ask("GET", target(one["url"]) + "x")
            gateway.ask("PUT", target(two["url"]), body=b"x")
            lines = gateway.lines
        text = path.read_text() + "\n".join(lines)
        for got in (one, two):
            signature = got["url"].rpartition("signature=")[2]
            expect(signature not in text, "a signature is in a log")
            expect(got["id"] in text, "no log has the id")


if __name__ == "__main__":
    main()

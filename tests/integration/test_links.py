#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links of the gateway are counted in the storage, and taken back.  A model
(tests/oracle/links.py) judges what many clients see, also of a gateway that is
killed meanwhile."""
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from bucket import Emulator, gateway as over_s3  # noqa: E402
from kit import (Gateway, Mismatch, each, equal, eventually,  # noqa: E402
                 expect, main, test)
from linkskit import (DATA, KEY, code, gone, link, put, revoke,  # noqa: E402
                      target)
from oracle.links import Links  # noqa: E402


# ---- counted ----------------------------------------------------------------

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
        """The status of one download; None: nobody knows."""
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


# ---- taken back -------------------------------------------------------------

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


# ---- logs -------------------------------------------------------------------

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

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Objects by name over each S3 service: conditions are decided there, or 501
says that they aren't; copies pass no byte; many keys go at once."""
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from bucket import (BUCKET, DIALECTS, PARTS, Emulator, gateway, noise,
                    seconds, stored)
from kit import MIB, each, equal, expect, main, test

GIB = 1 << 30
LARGE = noise(6 * MIB)
CREATES = ("s3", "minio", "r2", "ceph")
COPIES_NEW = ("s3", "minio", "r2")
# Tests write one key more often than R2 lets a client.
LENIENT = {"r2": ["R2.write-rate"]}


class Place:
    """A gateway over an emulator of its own."""

    def __init__(self, plugin, **options):
        dialect = DIALECTS[plugin]
        self.s3 = Emulator(dialect, without=LENIENT.get(dialect, []))
        self.s3.create(BUCKET)
        self.running = gateway(self.s3, more={"server": {"workers": "1"}}, **{
            "attempts": "3", "retry_time": seconds(6), **PARTS, **options})

    def __enter__(self):
        return self

    def __exit__(self, *words):
        try:
            self.running.__exit__(*words)
        finally:
            self.s3.stop()

    def ask(self, method, key, *lines, body=b""):
        return self.running.ask(method, "/files/object?key=" + quote(key),
                                *lines, body=body)

    def put(self, key, body=b"x", *lines):
        return self.ask("PUT", key, *lines, body=body)

    def post(self, what, **words):
        return self.running.json("POST", "/files/" + what, words)

    def body(self, key):
        return self.running.download(key).body

    def zeros(self, key, size):
        self.s3.control("POST", "zeros", {
            "bucket": BUCKET, "key": key, "size": size,
            "metadata": {"theirs": "1"}})


def able(plugin, plugins, status):
    return status if plugin in plugins else 501


@each({f"{plugin}, {len(body)} bytes": (plugin, body)
       for plugin in DIALECTS for body in (b"1", LARGE)})
def test_create_only_creates_once(case):
    plugin, body = case
    with Place(plugin) as here:
        star = "If-None-Match: *"
        equal("new", here.put("a", body, star).status,
              able(plugin, CREATES, 201))
        equal("there", here.put("a", b"2" + body, star).status,
              able(plugin, CREATES, 412))
        if plugin in CREATES:
            expect(here.body("a") == body, "other bytes")


@each({f"{plugin}, {len(body)} bytes": (plugin, body)
       for plugin in DIALECTS for body in (b"1", LARGE)})
def test_replace_compares_the_etag(case):
    plugin, body = case
    with Place(plugin) as here:
        first = here.put("a", body)
        equal("first", first.status, 201)
        tag = first.header("etag")
        equal("etag", tag.strip('"'), stored(here.s3, "a")["etag"])
        equal("same", here.put("a", body + b"2", "If-Match: " + tag).status,
              able(plugin, CREATES, 200))
        equal("gone", here.put("a", b"3", "If-Match: " + tag).status,
              able(plugin, CREATES, 412))
        equal("free", here.put("b", b"3", "If-Match: " + tag).status,
              able(plugin, CREATES, 412))


@each(DIALECTS)
def test_of_creations_at_once_one_wins(dialect):
    plugin = next(name for name in DIALECTS if DIALECTS[name] == dialect)
    if plugin not in CREATES:
        return
    with Place(plugin) as here, ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda n: here.put(
            "a", b"%d" % n, "If-None-Match: *").status, range(12)))
        equal("answers", sorted(found), [201] + [412] * 11)


@each({plugin: plugin for plugin in DIALECTS})
def test_delete_compares_the_etag_or_is_501(plugin):
    with Place(plugin) as here:
        tag = here.put("a").header("etag")
        equal("no tag", here.ask("DELETE", "a", "If-Match: x").status,
              400 if plugin == "s3" else 501)
        equal("other", here.ask("DELETE", "a", 'If-Match: "x"').status,
              412 if plugin == "s3" else 501)
        equal("there", here.body("a"), b"x")
        equal("same", here.ask("DELETE", "a", "If-Match: " + tag).status,
              200 if plugin == "s3" else 501)
        equal("plain", here.ask("DELETE", "a").status, 200)
        here.s3.blameless()


@each({f"{plugin}, {len(body)} bytes": (plugin, body)
       for plugin in DIALECTS for body in (b"", b"1")})
def test_copy_takes_all_along(case):
    plugin, body = case
    with Place(plugin) as here:
        here.put("a", body, "Content-Type: text/x-mine", "X-User-Id: me")
        status = able(plugin, COPIES_NEW, 201)
        words = {"from": "a", "to": "b c+é"}
        equal("new", here.post("copy", **words).status, status)
        equal("again", here.post("copy", **words).status,
              able(plugin, COPIES_NEW, 409))
        answer = here.post("copy", **words, replace=True)
        equal("replace", answer.status, 200 if status == 201 else 201)
        equal("etag", answer.json["etag"], stored(here.s3, "b c+é")["etag"])
        equal("type", answer.json["content_type"], "text/x-mine")
        equal("by", stored(here.s3, "b c+é")["metadata"][
            "uploaded-by"], "me")
        equal("body", here.body("b c+é"), body)
        equal("none", here.post("copy", **{"from": "x", "to": "y"},
                                replace=True).status, 404)
        equal("uploads", here.s3.state(BUCKET)["uploads"], [])


@each({plugin: plugin for plugin in DIALECTS})
def test_move_is_guarded_or_501(plugin):
    with Place(plugin) as here:
        here.put("a")
        words = {"from": "a", "to": "b", "replace": True}
        equal("move", here.post("move", **words).status,
              201 if plugin == "s3" else 501)
        here.put("a", b"2")
        equal("unguarded", here.post("move", **words, unguarded=True).status,
              200 if plugin == "s3" else 201)
        equal("keys", list(here.s3.state(BUCKET)["objects"]), ["b"])
        here.s3.blameless()


@each({plugin: plugin for plugin in DIALECTS})
def test_copy_beyond_one_request_is_pinned_or_501(plugin):
    with Place(plugin) as here:
        here.zeros("big", 5 * GIB + 1)
        answer = here.post("copy", **{"from": "big", "to": "b"},
                           replace=True)
        equal("status", answer.status, able(plugin, COPIES_NEW, 201))
        if answer.status == 201:
            thing = stored(here.s3, "b")
            equal("size", thing["size"], 5 * GIB + 1)
            equal("theirs", thing["metadata"]["theirs"], "1")
            equal("type", answer.json["content_type"], "application/zip")
            pins = {one["headers"].get("x-amz-copy-source-if-match")
                    for one in here.s3.requests("PUT")
                    if "x-amz-copy-source" in one["headers"]}
            equal("pinned", pins, {f'"{stored(here.s3, "big")["etag"]}"'})
        here.s3.blameless()


@each({plugin: plugin for plugin in DIALECTS})
def test_many_are_removed_at_once(plugin):
    with Place(plugin) as here:
        keys = ["a<&>\"'", "b c", "é"]
        for key in keys:
            here.put(key)
        here.s3.control("DELETE", "requests")
        answer = here.post("delete", keys=keys + ["none"])
        equal("deleted", sorted(answer.json["deleted"]),
              sorted(keys + ["none"]))
        equal("failed", answer.json["failed"], [])
        equal("objects", here.s3.state(BUCKET)["objects"], {})
        equal("requests", [one["method"] for one in here.s3.requests()],
              ["POST"])
        here.s3.blameless()


@test
def test_key_that_stays_is_told_and_one_that_is_not_named_is_asked_for():
    with Place("minio") as here:
        for key in "a", "b", "c":
            here.put(key)
        here.s3.faults({"do": "key-error", "key": "^a$",
                        "code": "AccessDenied"})
        answer = here.post("delete", keys=["a", "b"])
        equal("deleted", answer.json["deleted"], ["b"])
        equal("failed", [one["key"] for one in answer.json["failed"]],
              ["a"])
        here.s3.faults({"do": "key-error", "key": "^a$"})
        answer = here.post("delete", keys=["a", "c"])
        equal("all", (answer.json["deleted"], answer.json["failed"]),
              (["a", "c"], []))
        equal("objects", here.s3.state(BUCKET)["objects"], {})


# ---- answers that are lost

@each({f"{plugin}, {len(body)} bytes": (plugin, body)
       for plugin in CREATES for body in (b"1", LARGE)})
def test_own_write_whose_answer_was_lost_is_no_412(case):
    plugin, body = case
    step = {"match": {"method": "POST" if body is LARGE and plugin != "ceph"
                      else "PUT", "query": "^$|^uploadId"},
            "do": "lost-answer"}
    with Place(plugin) as here:
        here.s3.faults(step)
        created = here.put("a", body, "If-None-Match: *")
        equal("created", created.status, 201)
        equal("etag", created.header("etag").strip('"'),
              stored(here.s3, "a")["etag"])
        here.s3.faults(step)
        equal("replaced", here.put("a", body + b"2", "If-Match: " +
                                   created.header("etag")).status, 200)


@test
def test_object_of_the_same_bytes_is_not_taken_for_ones_own():
    with Place("minio", attempts="1") as here:
        here.put("a", b"same")
        here.s3.faults({"match": {"method": "PUT"}, "do": "reset-in-body",
                        "side": "request", "at": 0})
        equal("status", here.put("a", b"same", "If-None-Match: *").status,
              412)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Objects that end by themselves: from their moment on nobody finds them,
whether or not they were swept, in whatever way they came, over `local` and
over S3; who asks is told when, and nothing else is ever removed."""
import time

from expirykit import (LIFE, LONG, is_hidden, local, minio, moment, names,
                       pass_moment, put_short, s3, wish)
from kit import (FORM, each, equal, eventually, expect, field, file, form,
                 main, refusal, test)
from metricskit import Watched
from objectskit import get, put, together

PLACES = {"local": local, "s3": s3, "minio": minio}
TWO = {"local": local, "s3": s3}


# ---- what is told -----------------------------------------------------------

def by_form(gateway, *lines):
    return gateway.ask("POST", "/files", FORM, *lines,
                       body=form(field("prefix", "t"), file(b"hello")))


def by_raw(gateway, *lines):
    return gateway.ask("POST", "/files/uploads?filename=a&prefix=t", *lines,
                       body=b"hello")


def by_put(gateway, *lines):
    return put(gateway, "t/a", b"hello", *lines)


def by_draft(gateway, *lines):
    made = gateway.ask("POST", "/files/uploads?filename=a&prefix=t",
                       "Upload-Complete: ?0", *lines, body=b"hel")
    equal("status", made.status, 201)
    return gateway.ask("PATCH", made.header("location"), "Upload-Offset: 3",
                       "Content-Type: application/partial-upload",
                       "Upload-Complete: ?1", body=b"lo")


def by_tus(gateway, *lines):
    made = gateway.ask("POST", "/files/uploads", "Tus-Resumable: 1.0.0",
                       "Upload-Length: 5", *lines, body=b"")
    equal("status", made.status, 201)
    at = made.header("location")
    ended = gateway.ask("PATCH", at, "Tus-Resumable: 1.0.0",
                        "Upload-Offset: 0",
                        "Content-Type: application/offset+octet-stream",
                        body=b"hello")
    equal("status", ended.status, 204)
    told = gateway.ask("GET", at)
    expect(moment(ended) == moment(told), "one moment")
    told.document = told.json["object"]
    return told


WAYS = {"form": by_form, "raw": by_raw, "put": by_put, "draft": by_draft,
        "tus": by_tus}


@each({f"{way} {place}": (WAYS[way], TWO[place])
       for way in WAYS for place in TWO})
def test_every_upload_may_end_and_its_answers_say_when(case):
    send, place = case
    with place() as gateway:
        before = time.time()
        answer = send(gateway, wish(LONG))
        after = time.time()
        at = moment(answer)
        expect(before + LONG <= at <= after + LONG + 1, f"its moment: {at}")
        document = getattr(answer, "document", None) or answer.json
        equal("expires_at", document["expires_at"], time.strftime(
            "%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(at)))
        for method in "GET", "HEAD":
            equal(method, moment(gateway.download(document["key"],
                                                  method=method)), at)
        told = gateway.download(document["key"])
        equal("Cache-Control", told.header("cache-control"),
              "private, no-cache")
        plain = send(gateway) if send is not by_put else put(
            gateway, "t/b", b"hello")
        equal("without a wish", moment(plain), None)


# ---- what has ended ---------------------------------------------------------

# Nothing sweeps before its first second, so a new gateway shows it unswept.
@each(PLACES)
def test_it_is_there_until_its_moment_and_hidden_from_then_on(place):
    with place() as gateway:
        at = put_short(gateway, "a", b"one", LIFE)
        put(gateway, "b", b"stays", wish(LONG))
        seen = 0
        while time.time() < at - 0.3:
            equal("before", get(gateway, "a").status, 200)
            seen += 1
        expect(seen > 0, "it was looked at before its moment")
        pass_moment(at)
        is_hidden(gateway)
        equal("the other one", get(gateway, "b").body, b"stays")


@each(PLACES)
def test_what_has_ended_is_no_object_for_who_creates_one(place):
    with place() as gateway:
        at = put_short(gateway, seconds=LIFE)
        equal("before", put(gateway, "a", b"two",
                            "If-None-Match: *").status, 412)
        pass_moment(at)
        got = together(8, lambda number: put(
            gateway, "a", b"%d" % number, "If-None-Match: *").status)
        equal("created", sorted(got), [201] + 7 * [412])
        equal("it stays", get(gateway, "a").status, 200)
        equal("and doesn't end", moment(get(gateway, "a")), None)


def counted(gateway, call):
    return sum(count for (name, labels), count in gateway.samples().items()
               if name == "sluice_backend_operations_total" and
               ("call", call) in labels)


@test
def test_over_local_who_creates_an_object_costs_no_look():
    with Watched() as gateway:
        for status in 201, 412:
            equal("status", put(gateway, "a", b"x",
                                "If-None-Match: *").status, status)
        eventually("puts", lambda: counted(gateway, "put") >= 2)
        equal("looks", counted(gateway, "head"), 0)


# An ETag is an MD5, so the condition to replace that of what has ended holds
# for each of those that store its bytes again.
@each({"its bytes": (b"one", 8 * [412]),
       "others": (b"two", [201] + 7 * [412])})
def test_who_creates_the_same_at_once_is_one_where_nothing_is_removed(case):
    data, want = case
    with minio() as gateway:
        pass_moment(put_short(gateway))
        got = together(8, lambda _: put(gateway, "a", data,
                                        "If-None-Match: *").status)
        equal("created", sorted(got), want)


@each(TWO)
def test_what_has_ended_is_created_anew_by_a_put(place):
    with place() as gateway:
        at = put_short(gateway, seconds=LIFE)
        equal("replaced", put(gateway, "a", b"two", wish(1)).status, 200)
        pass_moment(at)
        equal("status", put(gateway, "a", b"three").status, 201)
        equal("body", get(gateway, "a").body, b"three")


@each(TWO)
def test_a_replacement_has_its_own_end_or_none(place):
    with place() as gateway:
        at = put_short(gateway, seconds=LIFE)
        answer = put(gateway, "a", b"two")
        equal("status, moment", (answer.status, moment(answer)), (200, None))
        pass_moment(at)
        equal("it stays", get(gateway, "a").body, b"two")


@each(TWO)
def test_copies_and_moves_keep_the_end(place):
    with place() as gateway:
        at = put_short(gateway, seconds=LIFE)
        for what, source, target in (("copy", "a", "b"), ("move", "a", "c")):
            answer = gateway.json("POST", "/files/" + what,
                                  {"from": source, "to": target,
                                   "unguarded": True})
            equal(what, (answer.status, moment(answer)), (201, at))
            expect("expires_at" in answer.json, "in the JSON")
            equal("target", moment(get(gateway, target)), at)
        pass_moment(at)
        for key in "b", "c":
            equal(key, get(gateway, key).status, 404)
        put(gateway, "d", b"four")
        answer = gateway.json("POST", "/files/copy", {"from": "d", "to": "b"})
        equal("onto what has ended", answer.status, 201)


@each(TWO)
def test_it_may_be_deleted(place):
    with place() as gateway:
        at = put_short(gateway, "p/a")
        put(gateway, "p/b", b"two")
        pass_moment(at)
        answer = gateway.json("POST", "/files/delete", {
            "keys": ["p/a", "p/b"]})
        equal("failed", (answer.status, answer.json["failed"]), (200, []))
        equal("keys", names(gateway, "p/"), [])


@test
def test_lists_over_local_lack_it_at_once_and_pages_stay_full():
    with local() as gateway:
        last = 0
        for number in range(6):
            put(gateway, f"l/{number}", b"x")
            last = put_short(gateway, f"l/{number}x", b"x")
            last = put_short(gateway, f"l/m{number}/x", b"x")
        pass_moment(last)
        page = gateway.list("l/", limit=4)
        equal("page", [item["key"] for item in page["objects"]],
              [f"l/{number}" for number in range(4)])
        equal("folders", gateway.list("l/", delimiter="/")["prefixes"],
              [])


# ---- limits, words ----------------------------------------------------------

@each({"zero": "0", "below": "-1", "word": "soon", "unit": "5s",
       "fraction": "1.5", "empty": "", "sign": "+5", "space": "5 5",
       "many": "9" * 30})
def test_what_is_no_number_of_seconds_is_400(text):
    with local() as gateway:
        for answer in (put(gateway, "a", b"x", f"X-Expire-After: {text}"),
                       by_form(gateway, f"X-Expire-After: {text}"),
                       by_raw(gateway, f"X-Expire-After: {text}"),
                       gateway.ask("POST", "/files", FORM, body=form(
                           field("expire_after", text), file(b"x")))):
            equal("status, code", (answer.status, answer.json["code"]),
                  (400, "bad_expiry"))
        equal("nothing is stored", names(gateway), [])


@test
def test_a_life_is_within_its_limits():
    limits = {"uploads": {"expire_min": "10s", "expire_max": "1m"}}
    with local(limits) as gateway:
        for seconds, status in ((9, 400), (10, 201), (60, 200), (61, 400)):
            equal(seconds, put(gateway, "a", b"x", wish(seconds)).status,
                  status)
    with local({"uploads": {"expire_max": "0"}}) as gateway:
        equal("none", put(gateway, "a", b"x", wish(10)).status, 501)
        equal("without", put(gateway, "a", b"x").status, 201)


def routed(after, **more):
    return {"routes": [{"mount": "/files", "backend": "main",
                        "expire_after": after}], **more}


@each({f"{way} {place}": (WAYS[way], TWO[place])
       for way in WAYS for place in TWO})
def test_a_rule_of_the_route_bounds_each_upload(case):
    send, place = case
    with place(routed("1m")) as gateway:
        for lines, life in (((), 60), ((wish(30),), 30), ((wish(90),), 60)):
            before = time.time()
            answer = send(gateway, *lines)
            expect(before + life <= moment(answer) <= time.time() + life + 1,
                   f"{life} s of life")


@each({"ms": "1500ms", "long": "3651d", "none": "0.5s", "unit": "7"})
def test_a_rule_that_makes_no_sense_is_refused(text):
    refusal(routed(text), "expire_after")


@each({"long": {"expire_max": "3651d"}, "short": {"expire_min": "999ms"},
       "order": {"expire_min": "1h", "expire_max": "1m"},
       "parts": {"expire_max": "1500ms"}})
def test_limits_that_make_no_sense_are_refused(words):
    refusal({"uploads": words}, "expire_m")


# ---- forms, links -----------------------------------------------------------

@test
def test_a_form_may_say_it_before_or_behind_its_file_but_once():
    with local() as gateway:
        wished = field("expire_after", "100")
        for parts in ((wished, file(b"x")), (file(b"x"), wished)):
            before = time.time()
            answer = gateway.ask("POST", "/files", FORM, body=form(*parts))
            equal("status", answer.status, 201)
            expect(moment(answer) - before >= 100, "its moment")
        answer = gateway.ask("POST", "/files", FORM,
                             body=form(wished, file(b"x"), wished))
        equal("twice", answer.status, 400)


@each(TWO)
def test_a_link_bounds_the_life_of_what_comes_by_it(place):
    with place() as gateway:
        for words in ({"method": "PUT", "key": "a"},
                      {"method": "POST", "prefix": "p"}):
            for lines, life in (((), 60), ((wish(30),), 30),
                                ((wish(90),), 60)):
                made = gateway.json("POST", "/files/presign", {
                    "expire_after": 60, **words}).json
                equal("via", made["via"], "gateway")
                path = made["url"][made["url"].index("/files/"):]
                before = time.time()
                answer = gateway.ask(words["method"], path, *lines, body=b"x")
                equal("status", answer.status, 201)
                expect(before + life <= moment(answer)
                       <= time.time() + life + 1, f"{life} s of life")
                gateway.json("POST", "/files/delete", {"keys": ["a"]})
        for word in 0, -1, "60", 1.5, True, 10 ** 12:
            answer = gateway.json("POST", "/files/presign", {
                "method": "PUT", "key": "a", "expire_after": word})
            equal("refused", (answer.status, answer.json["code"]),
                  (400, "bad_expiry"))
        answer = gateway.json("POST", "/files/presign", {
            "key": "a", "expire_after": 60})
        equal("of a download", answer.status, 400)


@each(TWO)
def test_a_link_to_it_is_good_for_no_longer_than_it(place):
    with place() as gateway:
        answer = put(gateway, "a", b"x", wish(100))
        expect(90 <= answer.json["expires_in"] <= 101, "of the answer")
        made = gateway.json("POST", "/files/presign", {"key": "a"}).json
        expect(90 <= made["expires_in"] <= 101, "of the link")


@test
def test_a_put_link_of_a_route_with_a_rule_is_the_gateways():
    with s3(routed("1m")) as gateway:
        wanted = {"key": "a", "method": "PUT", "replace": True}
        made = gateway.json("POST", "/files/presign", wanted).json
        equal("via", made["via"], "gateway")
        answer = gateway.json("POST", "/files/presign",
                              {**wanted, "via": "storage"})
        equal("of the storage", answer.status, 501)


@test
def test_an_upload_that_is_replayed_tells_the_same_moment():
    with local() as gateway:
        made = by_raw(gateway, wish(100), "Idempotency-Key: k")
        for wished in (wish(100),), ():
            again = by_raw(gateway, *wished, "Idempotency-Key: k")
            equal("replayed", again.header("idempotency-replayed"), "true")
            equal("moment", moment(again), moment(made))
            equal("JSON", again.json["expires_at"], made.json["expires_at"])


if __name__ == "__main__":
    main()

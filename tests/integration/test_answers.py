#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Heads of answers, beside the object itself: who may keep and embed them,
what the operator adds, names of files, conditions on several lines; and
numbers that no 64 bits hold."""
import json
from urllib.parse import quote

from kit import (FORM, Gateway, each, equal, file, form, like, main, refusal,
                 test)

HUGE = {"63 bits and one": 2**63, "64 bits": 2**64 - 1,
        "40 digits": int("9" * 40), "2000 digits": int("8" * 2000)}


# ---- caches and other sites ------------------------------------------------

@test
def test_answers_with_links_lists_and_errors_are_not_stored():
    with Gateway() as gate:
        up = gate.ask("POST", "/files", FORM, body=form(file()))
        key = up.json["key"]
        for what, answer in (
                ("upload", up), ("list", gate.ask("GET", "/files")),
                ("presign", gate.json("POST", "/files/presign", {"key": key})),
                ("delete", gate.json("DELETE", "/files", {"key": "none"})),
                ("404", gate.download("none")), ("400", gate.download("")),
                ("416", gate.download(key, "Range: bytes=99-")),
                ("412", gate.download(key, 'If-Match: "x"')),
                ("405", gate.ask("PATCH", "/files")),
                ("HEAD", gate.ask("HEAD", "/files"))):
            equal(what, answer.header("cache-control"), "no-store")
            equal(what, answer.header("cross-origin-resource-policy"),
                  "same-origin")


@test
def test_no_answer_tells_other_sites_its_url():
    with Gateway() as gate:
        key = gate.upload()["key"]
        etag = gate.download(key).header("etag")
        for answer in (gate.download(key), gate.download("none"),
                       gate.download(key, f"If-None-Match: {etag}"),
                       gate.ask("GET", "/healthz"), gate.ask("GET", "/x")):
            equal(str(answer.status), answer.header("referrer-policy"),
                  "no-referrer")


@each({"default": (None, "private, max-age=3600"),
       "another": ("private, no-cache", "private, no-cache"),
       "none": ("", None)})
def test_cache_control_of_downloads_is_the_configurations(row):
    value, want = row
    sections = {} if value is None else {"downloads": {"cache_control": value}}
    with Gateway(sections) as gate:
        key = gate.upload()["key"]
        whole = gate.download(key)
        part = gate.download(key, "Range: bytes=0-1")
        same = gate.download(key, f"If-None-Match: {whole.header('etag')}")
        equal("statuses", (whole.status, part.status, same.status),
              (200, 206, 304))
        for answer in (whole, part, same, gate.download(key, method="HEAD")):
            equal(str(answer.status), answer.header("cache-control"), want)


# ---- the operator's headers ------------------------------------------------

@test
def test_headers_of_the_configuration_are_on_every_answer():
    added = {"Strict-Transport-Security": "max-age=63072000",
             "X-Served-By": "a, b; c=\"d\" \u20ac", "X-Empty": ""}
    with Gateway({"server": {"headers": added}}) as gate:
        key = gate.upload()["key"]
        for answer in (gate.download(key), gate.ask("GET", "/files"),
                       gate.ask("GET", "/healthz"), gate.ask("GET", "/x"),
                       gate.download(key, "Range: bytes=99-")):
            for name, value in added.items():
                equal(f"{answer.status}: {name}",
                      [got for at, got in answer.headers
                       if at == name.lower()], [value])


@test
def test_policies_of_the_configuration_take_the_place_of_ours():
    own = {"referrer-policy": "same-origin",
           "Cross-Origin-Resource-Policy": "cross-origin"}
    with Gateway({"server": {"headers": own}}) as gate:
        answer = gate.ask("GET", "/files")
        for name, value in own.items():
            equal(name, [got for at, got in answer.headers
                         if at == name.lower()], [value])


@each({name: name for name in (
    "Content-Length", "content-type", "Connection", "ETag", "Cache-Control",
    "X-Request-Id", "Vary", "Access-Control-Allow-Origin", "Location",
    "Transfer-Encoding", "Content-Disposition")})
def test_headers_of_the_gateways_own_are_refused_at_start(name):
    refusal({"server": {"headers": {name: "x"}}},
            rf"'headers': '{name}': the gateway or a storage says it itself")


@each({"name": ({"a b": "x"}, "it is no name"),
       "line": ({"X-A": "a\nX-B: b"}, "control character"),
       "long": ({"X-A": "x" * 1025}, "longer than 1024 bytes"),
       "twice": ({"X-A": "a", "x-a": "b"}, "it is here twice")})
def test_headers_that_are_none_are_refused_at_start(row):
    headers, why = row
    refusal({"server": {"headers": headers}}, f"'headers': .*{why}")


# ---- names -----------------------------------------------------------------

@each({"escape": "a%20b.txt", "small": "50%2f", "word": "=?utf-8?Q?x?=.txt"})
def test_name_that_browsers_decode_comes_as_filename_star_too(name):
    with Gateway() as gate:
        key = gate.upload(b"x", name)["key"]
        equal("disposition", gate.download(key).header("content-disposition"),
              f'attachment; filename="{name}"; '
              f"filename*=UTF-8''{quote(name, safe='')}")


@each({"percent": "50%.pdf", "no hex": "5%zz", "end": "a%2"})
def test_other_names_come_once(name):
    with Gateway() as gate:
        key = gate.upload(b"x", name)["key"]
        equal("disposition", gate.download(key).header("content-disposition"),
              f'attachment; filename="{name}"')


# ---- conditions on several lines -------------------------------------------

@each({"If-Match": ("If-Match", 200, 412),
       "If-None-Match": ("If-None-Match", 304, 200)})
def test_condition_on_several_lines_is_one_list(row):
    header, found, missing = row
    with Gateway() as gate:
        key = gate.upload()["key"]
        etag = gate.download(key).header("etag")
        for tags, want in ((['"a"', etag], found), ([etag, '"a"'], found),
                           (['"a", "b"', f'"c", {etag}'], found),
                           (['"a"', '"b"', '"c"'], missing),
                           (["", etag], found)):
            lines = [f"{header}: {tag}" for tag in tags]
            equal(str(tags), gate.download(key, *lines).status, want)


@test
def test_condition_that_is_no_list_on_two_lines_is_none():
    with Gateway() as gate:
        key = gate.upload()["key"]
        answer = gate.download(key)
        old = "If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT"
        new = f"If-Modified-Since: {answer.header('last-modified')}"
        tag = f"If-Range: {answer.header('etag')}"
        part = "Range: bytes=0-0"
        for lines, want in (([old], 412), ([old, old], 200), ([new], 304),
                            ([new, new], 200), ([tag, part], 206),
                            ([tag, tag, part], 200)):
            equal(str(lines), gate.download(key, *lines).status, want)


# ---- numbers ---------------------------------------------------------------

@each(HUGE)
def test_huge_limit_counts_as_1000(number):
    with Gateway() as gate:
        gate.upload()
        equal("objects", gate.list("", limit=number)["count"], 1)


@each({"zero": "0", "minus": "-5", "zeros": "0" * 60, "no number": "5x",
       "nothing": "", "huge and more": "9" * 40 + "x"})
def test_limit_that_is_none_is_400(limit):
    with Gateway() as gate:
        answer = gate.ask("GET", f"/files?limit={limit}")
        equal("answer", (answer.status, answer.json["code"]),
              (400, "bad_query"))


@each(HUGE)
def test_huge_expires_is_clamped(number):
    with Gateway() as gate:
        key = gate.upload()["key"]
        for expires, want in ((number, 86400), (-number, 60)):
            body = json.dumps({"key": key, "expires": expires})
            answer = gate.ask("POST", "/files/presign", body=body.encode())
            equal("answer", (answer.status, answer.json.get("expires_in")),
                  (200, want))


@test
def test_digits_in_texts_stay_as_they_are():
    with Gateway() as gate:
        key = "t/" + "1" * 30 + '" ' + "2" * 30 + "\\"
        answer = gate.json("DELETE", "/files", {"key": key})
        equal("deleted", answer.json, {"deleted": key})
        for body in ('{"key": 1' + "0" * 30 + "}", '{"key": "a", "x": 0'
                     + "1" * 30 + "}", '{"key": "a" ' + "1" * 30 + "}"):
            answer = gate.ask("DELETE", "/files", body=body.encode())
            equal(body, answer.status, 400)
        like("message", answer.error, "line 1")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hook chooses the backend of a request: whatever is asked for goes there,
links and uploads in several requests included; hooks share attributes, and a
plugin's timer beats."""
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from guards import JSON
from kit import (FORM, PLUGINS, SOURCES, Gateway, among, built, each, equal,
                 eventually, expect, field, file, form, like, main, refusal,
                 test)
from linkskit import code, gone, link, revoke, target
from test_uploads import append, create

OTHER = "X-Backend: other"
HOOK = {"plugin": "choicehook"}


def store(folder, name):
    return {"plugin": "local", "directory": str(Path(folder, name))}


def choosing(folder, *hooks, sections=None):
    """Two stores; routes go to the one whose name is main."""
    return Gateway({"server": {"workers": "1"}, "hooks": list(hooks) or [HOOK],
                    "backends": {"main": store(folder, "data"),
                                 "other": store(folder, "other")},
                    **(sections or {})}, folder=folder)


def guarding(folder):
    """The same hook, as one that guards."""
    text = Path(SOURCES, "tests/plugins/choicehook.c").read_text("utf-8")
    for old, new in ((".guards = false", ".guards = true"),
                     ("choicehook", "choiceguard")):
        text = text.replace(old, new)
    built(folder, "choiceguard", text)
    return {"plugin_path": [*PLUGINS, str(folder)]}


def put(gateway, key, data, *lines):
    among("status", gateway.ask("PUT", f"/files/object?key={key}", *lines,
                                body=data).status, (200, 201))


def get(gateway, key, *lines):
    answer = gateway.ask("GET", f"/files/download?key={key}", *lines)
    return answer.body if answer.status == 200 else answer.status


def names(gateway, *lines):
    return [entry["key"] for entry in gateway.ask(
        "GET", "/files?prefix=t/", *lines).json["objects"]]


def both(folder, *hooks, sections=None):
    """With an object in each store under the same key."""
    gateway = choosing(folder, *hooks, sections=sections)
    put(gateway, "t/a", b"of main")
    put(gateway, "t/a", b"of other", OTHER)
    return gateway


# ---- where requests go ------------------------------------------------------

@each({"at_once": HOOK, "after_a_wait": {**HOOK, "wait": "30ms"}})
def test_all_operations_go_to_the_chosen_backend(hook):
    with tempfile.TemporaryDirectory() as folder, \
            both(folder, hook) as gateway:
        equal("main", get(gateway, "t/a"), b"of main")
        equal("other", get(gateway, "t/a", OTHER), b"of other")
        put(gateway, "t/b", b"new", OTHER)
        equal("lists", (names(gateway), names(gateway, OTHER)),
              (["t/a"], ["t/a", "t/b"]))
        answer = gateway.ask("POST", "/files/copy", JSON, OTHER, body=(
            b'{"from": "t/b", "to": "t/c"}'))
        equal("copy", answer.status, 201)
        answer = gateway.ask("POST", "/files/copy", JSON, body=(
            b'{"from": "t/b", "to": "t/c"}'))
        equal("copy of what is elsewhere", answer.status, 404)
        answer = gateway.ask("POST", "/files/delete", JSON, OTHER, body=(
            b'{"keys": ["t/a", "t/b"]}'))
        equal("batch", answer.status, 200)
        equal("lists", (names(gateway), names(gateway, OTHER)),
              (["t/a"], ["t/c"]))
        equal("archive", gateway.ask("GET", "/files/archive?prefix=t/c",
                                     OTHER).status, 200)
        gateway.ask("DELETE", "/files/object?key=t/c", OTHER)
        equal("lists", (names(gateway), names(gateway, OTHER)), (["t/a"], []))


@test
def test_cursor_is_good_in_its_own_backend_alone():
    with tempfile.TemporaryDirectory() as folder, both(folder) as gateway:
        put(gateway, "t/b", b"1")
        page = gateway.ask("GET", "/files?prefix=t/&limit=1").json
        cursor = page["next_cursor"]
        equal("main", gateway.ask(
            "GET", f"/files?prefix=t/&limit=1&cursor={cursor}").status, 200)
        equal("other", gateway.ask(
            "GET", f"/files?prefix=t/&limit=1&cursor={cursor}",
            OTHER).status, 400)


# ---- what can't be chosen ---------------------------------------------------

@test
def test_unknown_backend_is_500_and_comes_to_no_storage():
    with tempfile.TemporaryDirectory() as folder, both(folder) as gateway:
        mark = len(gateway.lines)
        answer = gateway.ask("PUT", "/files/object?key=t/x",
                             "X-Backend: nobodys", body=b"x")
        equal("status", answer.status, 500)
        gateway.says("chose the backend 'nobodys', and 'backends' has none",
                     after=mark)
        equal("lists", (names(gateway), names(gateway, OTHER)),
              (["t/a"], ["t/a"]))
        equal("another choice", get(gateway, "t/a", "X-Backend: nobodys",
                                    "X-Or-Else: other"), b"of other")


@test
def test_hook_refuses_what_it_cant_choose_in_its_own_words():
    with tempfile.TemporaryDirectory() as folder, \
            both(folder, {**HOOK, "refuses": True}) as gateway:
        answer = gateway.ask("GET", "/files?prefix=t/", "X-Backend: nobodys")
        equal("answer", (answer.status, answer.json["error"]),
              (404, "There is no such tenant"))


@test
def test_choice_in_on_key_is_a_violation_and_changes_nothing():
    with tempfile.TemporaryDirectory() as folder, both(folder) as gateway:
        equal("served", get(gateway, "t/a", "X-Late: other"), b"of main")
        gateway.says("late: 100% refused")
        gateway.says(r"breaks the contract: sluice_request_backend.* in "
                     "another phase than on_request")


# ---- links ------------------------------------------------------------------

def spoiled(url):
    """The same link, of other backends."""
    for old, new in (("&backend=other", "&backend=main"),
                     ("&backend=other", ""),
                     ("&backend=other", "&backend=nobodys"),
                     ("&backend=other", "&backend=%zz"),
                     ("&backend=other", "&backend=main&backend=other")):
        expect(old in url, f"no {old} in {url}")
        yield url.replace(old, new)


SECRETS = {"kept": {}, "configured": {"links": {"secret": "s" * 32}}}


@each(SECRETS)
def test_link_is_served_from_the_backend_it_was_made_for(secret):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(
            ) as built_in, both(folder, {"plugin": "choiceguard"}, sections={
                **guarding(built_in), **secret}) as gateway:
        url = target(link(gateway, [OTHER], key="t/a")["url"])
        for lines in (), (OTHER,), ("X-Backend: main",):
            equal(f"by {lines}", gateway.ask("GET", url, *lines).body,
                  b"of other")
        own = target(link(gateway, key="t/a")["url"])
        equal("names the backend", "backend=" in own, False)
        equal("of main", gateway.ask("GET", own).body, b"of main")
        for changed in spoiled(url):
            equal(changed, code(gateway.ask("GET", changed)), "link_invalid")


@each({"guards": "choiceguard", "doesn't": "choicehook"})
def test_links_choice_counts_not_that_of_who_uses_it(plugin):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(
            ) as built_in, both(folder, {"plugin": plugin}, sections=guarding(
                built_in)) as gateway:
        url = target(link(gateway, key="t/a")["url"])
        equal("of main", gateway.ask("GET", url, OTHER).body, b"of main")


@test
def test_link_to_upload_stores_where_it_was_made_for():
    with tempfile.TemporaryDirectory() as folder, both(folder) as gateway:
        url = target(link(gateway, [OTHER], key="t/p", method="PUT")["url"])
        equal("PUT", gateway.ask("PUT", url, body=b"put").status, 201)
        url = target(link(gateway, [OTHER], prefix="t/q", method="POST",
                          uses=1)["url"])
        answer = gateway.ask("POST", url, body=b"post")
        equal("POST", answer.status, 201)
        equal("used up", code(gateway.ask("POST", url, body=b"post")),
              "link_used_up")
        equal("main", names(gateway), ["t/a"])
        equal("other", len(names(gateway, OTHER)), 3)


@test
def test_link_of_an_uploads_answer_finds_it():
    with tempfile.TemporaryDirectory() as folder, both(folder) as gateway:
        answer = gateway.ask("POST", "/files", FORM, OTHER, body=form(
            field("prefix", "t"), file(b"form")))
        equal("answer", (answer.status, answer.error), (201, None))
        found = target(answer.json["download_url"])
        expect("&backend=other" in found, f"no backend in {found}")
        equal("its link", gateway.ask("GET", found).body, b"form")


@test
def test_link_of_nobody_makes_no_secret_anywhere():
    with tempfile.TemporaryDirectory() as folder, \
            choosing(folder) as gateway:
        for query in "id=x", "id=x&backend=other", "id=x&backend=nobodys":
            answer = gateway.ask("GET", f"/files/signed?{query}")
            equal(query, (answer.status, answer.json["code"]),
                  (403, "link_invalid"))
        equal("made", [line for line in gateway.lines if "a secret" in line],
              [])
        put(gateway, "t/a", b"of main")
        where = urlsplit(gateway.json("POST", "/files/presign",
                                      {"key": "t/a"}).json["url"])
        equal("link", gateway.ask("GET", f"{where.path}?{where.query}").body,
              b"of main")


@test
def test_link_is_served_whatever_hooks_choose():
    with tempfile.TemporaryDirectory() as folder, both(folder) as gateway:
        where = urlsplit(gateway.json("POST", "/files/presign",
                                      {"key": "t/a"}).json["url"])
        answer = gateway.ask("GET", f"{where.path}?{where.query}",
                             "X-Backend: nobodys")
        equal("answer", (answer.status, answer.body), (200, b"of main"))


@test
def test_link_is_taken_back_in_its_own_backend():
    with tempfile.TemporaryDirectory() as folder, both(folder) as gateway:
        made = link(gateway, [OTHER], key="t/a")
        equal("in main", code(revoke(gateway, id=made["id"])),
              "link_not_found")
        equal("it is good", gateway.ask("GET", target(made["url"])).body,
              b"of other")
        among("in other", revoke(gateway, [OTHER], id=made["id"]).status,
              (200, 204))
        gone(gateway, made["url"])


# ---- uploads in several requests --------------------------------------------

@each(SECRETS)
def test_upload_goes_on_in_the_backend_it_began_in(secret):
    with tempfile.TemporaryDirectory() as folder, \
            both(folder, sections=secret) as gateway:
        where = create(gateway, OTHER, body=b"12345")
        for lines in (), ("X-Backend: main",):
            equal("HEAD elsewhere",
                  gateway.ask("HEAD", where, *lines).status, 404)
            equal("PATCH elsewhere",
                  append(gateway, where, 5, b"x", True, *lines).status, 404)
        equal("HEAD", gateway.ask("HEAD", where, OTHER).header(
            "upload-offset"), "5")
        answer = append(gateway, where, 5, b"678", True, OTHER)
        equal("PATCH", answer.status, 201)
        key = answer.json["key"]
        equal("main", get(gateway, key), 404)
        equal("other", get(gateway, key, OTHER), b"12345678")


@test
def test_idempotency_key_is_of_its_backend():
    once = 'Idempotency-Key: "abc"'
    with tempfile.TemporaryDirectory() as folder, both(folder) as gateway:
        answers = [gateway.ask("POST", "/files/uploads?filename=o", once,
                               *lines, body=b"once").json["key"]
                   for lines in ((), (OTHER,), (), (OTHER,))]
        equal("again", answers[2:], answers[:2])
        for key, lines in zip(answers, ((), (OTHER,))):
            equal(key, get(gateway, key, *lines), b"once")


# ---- attributes -------------------------------------------------------------

@test
def test_hooks_behind_read_what_one_has_set():
    hooks = HOOK, {**HOOK, "notes": False}
    with tempfile.TemporaryDirectory() as folder, \
            choosing(folder, *hooks) as gateway:
        answer = gateway.ask("GET", "/files?prefix=t/", "X-Note: so what")
        equal("told", answer.header("x-noted"), "so what")
        eventually("both have logged it", lambda: sum(
            "noted: so what" in line for line in gateway.lines) == 2)
        answer = gateway.ask("GET", "/files?prefix=t/")
        equal("of another request", answer.header("x-noted"), None)
        mark = len(gateway.lines)
        gateway.ask("GET", "/files?prefix=t/", "X-Note: " + 4100 * "x")
        gateway.says("set: 0", after=mark)


# ---- timers, and the log ----------------------------------------------------

@test
def test_timer_beats_and_never_overlaps_itself():
    with tempfile.TemporaryDirectory() as folder, \
            choosing(folder, {**HOOK, "beat": "10ms"}) as gateway:
        line = gateway.says(r"beat 5, \d+ overlaps")
        like("overlaps", line, r"beat 5, 0 overlaps")
        gateway.stop()
        equal("complaints", [line for line in gateway.lines
                             if "breaks the contract" in line], [])


@test
def test_timer_that_is_left_behind_is_stopped_and_named():
    with tempfile.TemporaryDirectory() as folder:
        gateway = choosing(folder, {**HOOK, "beat": "10ms", "keeps": True})
        with gateway:
            gateway.says("beat 2")
            gateway.stop()
            gateway.says("breaks the contract: sluice_timer_new.* of timers "
                         "that run after its end")


@each({"too_short": "9ms", "too_long": "721h"})
def test_period_out_of_range_is_refused(beat):
    with tempfile.TemporaryDirectory() as folder:
        refusal({"hooks": [{**HOOK, "beat": beat}]},
                "no timer; 100% of them are out of range", folder=folder)


@test
def test_lines_of_a_request_name_it():
    with tempfile.TemporaryDirectory() as folder, choosing(folder) as gateway:
        gateway.ask("GET", "/files?prefix=t/", "X-Note: why",
                    "X-Request-Id: e")
        line = gateway.says("noted: why")
        like("line", line, r"\[choicehook\] request e: noted: why$")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sweeps remove what has ended, with its note, and nothing else, also after a
crash; layers pass the end on, and serve nothing past it."""
import os
import tempfile

from bucket import BUCKET, DIALECTS, Emulator, gateway as over
from expirykit import (LIFE, LONG, is_hidden, moment, names, pass_moment,
                       put_short, wish)
from kit import Gateway, each, equal, eventually, index_of, main, test
from objectskit import get, put, together


# ---- the sweep --------------------------------------------------------------

def in_index(folder):
    with index_of(folder) as index:
        return sorted(key for key, in index.execute(
            "SELECT CAST(key AS TEXT) FROM object"))


def noted(keys):
    return [key for key in keys if key.startswith(".sluice/expiry/")]


def own(keys):
    return [key for key in keys if not key.startswith(".sluice/")]


@test
def test_a_sweep_removes_what_is_due_and_its_notes_across_sigkill():
    with tempfile.TemporaryDirectory() as folder:
        gateway = Gateway(folder=folder)
        put_short(gateway, "replaced")
        put(gateway, "replaced", b"two")
        put_short(gateway, "longer")
        put(gateway, "longer", b"two", wish(LONG))
        put(gateway, "stays", b"x", wish(LONG))
        at = put_short(gateway, "a", seconds=2)
        gateway.kill()
        equal("there is one", "a" in in_index(folder), True)
        pass_moment(at)
        with Gateway(folder=folder) as gateway:
            eventually("it is swept", lambda: own(in_index(folder)) == [
                "longer", "replaced", "stays"], pause=0.1)
            eventually("so is its note, the last that is due", lambda: not any(
                f"{int(at):010x}" in key for key in noted(in_index(folder))),
                       pause=0.1)
            # Those of what was replaced may be of an upload under way.
            equal("notes", len(noted(in_index(folder))), 4)
            for key in "longer", "replaced", "stays":
                equal(key, get(gateway, key).status, 200)


@test
def test_a_sweep_over_s3_costs_what_is_due():
    server = Emulator(DIALECTS["s3"])
    server.create(BUCKET)
    try:
        with over(server) as gateway:
            at = put_short(gateway, "a")
            put(gateway, "stays", b"x", wish(LONG))
            put(gateway, "other", b"x")
        pass_moment(at)
        with over(server):
            def all_keys():
                return list(server.state(BUCKET)["objects"])
            eventually("it is swept", lambda: sorted(own(all_keys())) == [
                "other", "stays"], pause=0.1)
            eventually("and its note", lambda: len(noted(all_keys())) == 1,
                       pause=0.1)
    finally:
        server.stop()


def looks(server, bucket):
    return [one for one in server.requests("GET")
            if f"/{bucket}" in one["target"] and "expiry" in one["target"]]


@test
def test_only_where_something_may_end_it_is_looked_for_and_a_note_wakes():
    server = Emulator(DIALECTS["s3"])
    server.create("never")
    server.create(BUCKET)
    try:
        with over(server, "never", {"uploads": {"expire_max": "0"}}), \
                over(server) as gateway:
            eventually("a look", lambda: looks(server, BUCKET), pause=0.1)
            equal("where nothing may end", looks(server, "never"), [])
            put_short(gateway, "a")
            eventually("it is swept", lambda: own(
                server.state(BUCKET)["objects"]) == [], 20, pause=0.1)
    finally:
        server.stop()


@test
def test_what_cannot_be_removed_is_told_and_holds_up_nothing():
    server = Emulator(DIALECTS["s3"])
    server.create(BUCKET)
    try:
        with over(server) as gateway:
            for number in range(9):
                put_short(gateway, f"held/{number}")
            at = put_short(gateway, "z", seconds=LIFE)
        pass_moment(at)
        server.faults({"match": {"method": "DELETE", "path": "/held/"},
                       "do": "403", "times": 999})
        with over(server) as gateway:
            eventually("what follows is swept", lambda: "z" not in
                       server.state(BUCKET)["objects"], pause=0.1)
            gateway.says(r'"held/\d" has expired and can.t be removed')
            equal("the others", len(own(server.state(BUCKET)["objects"])), 9)
    finally:
        server.stop()


LAYERS = {
    "prefix": {"plugin": "prefix", "over": "main", "prefix": "below/"},
    "cache": {"plugin": "cache", "over": "main", "ttl": "1h"},
    "throttle": {"plugin": "throttle", "over": "main", "concurrent": "8"},
    "encrypt": {"plugin": "encrypt", "over": "main"}}


def layered(name, folder):
    words = dict(LAYERS[name])
    if name == "encrypt":
        path = os.path.join(folder, "key")
        with open(path, "w", encoding="utf-8") as out:
            out.write("0123456789abcdef" * 4 + "\n")
        os.chmod(path, 0o600)
        words["key_file"] = path
    if name == "cache":
        words["directory"] = os.path.join(folder, "cache")
    return {"backends": {"top": words},
            "routes": [{"mount": "/files", "backend": "top"},
                       {"mount": "/below", "backend": "main"}]}


@each({name: name for name in LAYERS})
def test_a_layer_passes_it_on_and_serves_nothing_past_it(name):
    with tempfile.TemporaryDirectory() as folder:
        with Gateway(layered(name, folder)) as gateway:
            at = put_short(gateway, seconds=LIFE)
            for _ in range(3):
                equal("before", moment(get(gateway, "a")), at)
            pass_moment(at)
            is_hidden(gateway)
            equal("in no list", names(gateway), [])
            equal("created", put(gateway, "a", b"two",
                                 "If-None-Match: *").status, 201)
            equal("body", get(gateway, "a").body, b"two")


def is_swept_below(name):
    with tempfile.TemporaryDirectory() as folder, \
            tempfile.TemporaryDirectory() as store:
        with Gateway(layered(name, folder), folder=store) as gateway:
            at = put_short(gateway)
            put(gateway, "b", b"x", wish(LONG))
        pass_moment(at)
        with Gateway(layered(name, folder), folder=store):
            eventually("it is swept", lambda: [
                key[-1] for key in in_index(store)
                if ".sluice/" not in key] == ["b"], pause=0.1)


# All at once, as each waits for the first sweep.
@test
def test_what_lies_below_a_layer_is_swept():
    words = list(LAYERS)
    got = together(len(words), lambda number: is_swept_below(words[number]))
    equal("of each", got, len(words) * [None])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/writing-a-plugin.md does what it says: its code is taken out, built
outside of the sources with what is installed, and serves files."""
import os
import subprocess
from pathlib import Path

from outside import installed, ran, serves

import kit
from guide import Guide, code_lines
from kit import SOURCES, each, equal, expect, like, main, needs, test

GUIDE = Path(SOURCES, "docs/writing-a-plugin.md")
MOST = {"shelf.c": 150, "door.c": 60}  # lines of code, fewer than these
TOKEN = "0123456789abcdef"


PAGE = Guide(GUIDE, {"DOOR_TOKEN": TOKEN})


def guided(name, env=None):
    return PAGE.gateway(name, env)


@test
def test_guide_has_both_plugins_and_their_configurations():
    equal("files", PAGE.extracted(installed().scratch()),
          ["door.c", "door.yaml", "shelf.c", "shelf.yaml"])


@each({name: name for name in MOST})
def test_plugin_is_no_longer_than_it_says(name):
    folder = installed().scratch()
    PAGE.extracted(folder)
    count = len(code_lines((folder / name).read_text()))
    expect(count < MOST[name], f"{count} lines of code in {name}")


@each({f"{name}_{compiler}_{standard}": (name, compiler, standard)
       for name in MOST for compiler in ("gcc", "clang")
       for standard in ("c11", "c17")})
def test_plugin_compiles_without_a_warning(case):
    name, compiler, standard = case
    folder = installed().scratch()
    PAGE.extracted(folder)
    installed().compiled(compiler, standard, [name], out="x.so",
                         folder=folder)


@each({"backend": 0, "hook": 1})
def test_plugin_keeps_the_contract(number):
    """By the commands that the guide has for it."""
    folder = PAGE.afternoon()
    checks = [text for words, text in PAGE.blocks() if words == "sh check"]
    equal("commands", len(checks), len(MOST))
    said = ran(["sh", "-eu", "-c", checks[number]], cwd=folder,
               env=installed().env)
    like("its end", said, r"\d+ passed, 0 failed")
    for line in said.splitlines():
        expect(not line.startswith("skip  guards:"), line)


@test
def test_backend_serves_files():
    with guided("shelf.yaml") as gateway:
        serves(gateway)
        serves(gateway)


@test
def test_backend_passes_a_first_session():
    """The first things that a newcomer tries with curl."""
    script = Path(SOURCES, "tests/e2e/endpoints.sh")
    with guided("shelf.yaml") as gateway:
        done = subprocess.run(["sh", script, gateway.url], check=False,
                              capture_output=True)
        needs(done.returncode != 77, "no curl")
        text = (done.stdout + done.stderr).decode()
        expect(done.returncode == 0, text)
        like("its end", text, r"[1-9]\d* passed, 0 failed")


def upload(gateway, name, data=b"x", prefix="t"):
    return gateway.upload(data, name, prefix)["key"]


@test
def test_backend_lists_in_byte_order_page_by_page():
    names = ["b", "a", "a-", "a0", "é", "Z", "~", "a a"]
    with guided("shelf.yaml") as gateway:
        keys = [upload(gateway, name, prefix=f"t/{name}") for name in names]
        for limit in 1, 3, 100:
            seen, cursor, pages = [], {}, 0
            while True:
                page = gateway.list("t/", limit=limit, **cursor)
                seen += [thing["key"] for thing in page["objects"]]
                pages += 1
                if not page["truncated"]:
                    break
                cursor = {"cursor": page["next_cursor"]}
            equal(f"keys by {limit}", seen, sorted(keys, key=str.encode))
            equal("pages", pages, -(-len(keys) // limit))


@test
def test_backend_folds_each_name_once_on_all_pages():
    with guided("shelf.yaml") as gateway:
        for name in "a", "b", "c":
            for one in "1", "2", "3":
                upload(gateway, one, prefix=f"t/{name}")
        seen, cursor = [], {}
        while True:
            page = gateway.list("t/", limit=1, delimiter="/", **cursor)
            seen += page["prefixes"] + page["objects"]
            if not page["truncated"]:
                break
            cursor = {"cursor": page["next_cursor"]}
        equal("names", seen, ["t/a/", "t/b/", "t/c/"])


@test
def test_backend_gives_ranges_and_large_and_empty_objects():
    data = os.urandom(3 * kit.MIB)
    with guided("shelf.yaml") as gateway:
        key = upload(gateway, "l", data)
        for first, last in (0, 0), (5, 70000), (len(data) - 1, len(data)):
            answer = gateway.download(key, f"Range: bytes={first}-{last}")
            equal("status", answer.status, 206)
            equal("bytes", answer.body == data[first:last + 1], True)
        equal("whole", gateway.download(key).body == data, True)
        equal("empty", gateway.download(upload(gateway, "e", b"")).body, b"")


@test
def test_object_that_is_deleted_is_sent_to_its_end():
    """LENT: what the gateway reads stays, whoever deletes it."""
    data = os.urandom(8 * kit.MIB)
    with guided("shelf.yaml") as gateway:
        key = upload(gateway, "l", data)
        with gateway.wire(buffer=4096) as wire:
            wire.send(kit.request(
                "GET", f"/files/download?key={kit.quote(key, safe='')}"))
            equal("status", wire.head().status, 200)
            gateway.delete(key)
            upload(gateway, "m", b"\0" * len(data))
            equal("bytes", wire.take(len(data)) == data, True)


@test
def test_clients_that_leave_cost_nothing():
    before, _, length = kit.large_form(kit.MIB)
    with guided("shelf.yaml") as gateway:
        key = upload(gateway, "l", b"x" * 4 * kit.MIB)
        for _ in range(20):
            with gateway.wire(buffer=4096) as wire:
                wire.send(kit.request(
                    "GET", f"/files/download?key={kit.quote(key, safe='')}"))
                wire.head()
            with gateway.wire() as wire:
                wire.send(kit.head("POST", "/files", kit.FORM,
                                   f"Content-Length: {length}") + before +
                          b"x" * 300000)
        equal("keys", gateway.keys("t/"), [key])
        expect(not any("breaks" in line for line in gateway.lines),
               gateway.lines)


@test
def test_backend_refuses_a_second_loop():
    folder = PAGE.afternoon()
    text = (folder / "shelf.yaml").read_text()
    kit.BINARY = str(installed().binary)
    kit.refusal(text.replace("workers: 1", "workers: 2").replace(
        "[.]", f"[{folder}]").replace(":8000", ":0"),
        "a shelf serves one loop; set server.workers to 1")


@test
def test_hook_lets_in_who_knows_the_token():
    token = f"X-Token: {TOKEN}"
    ask = "/files?prefix=users/ann/"
    with guided("door.yaml", {"DOOR_TOKEN": TOKEN}) as gateway:
        for lines, status in ([], 401), (["X-Token: no"], 401), ([token], 200):
            equal(lines, gateway.ask("GET", ask, *lines).status, status)
        equal("above", gateway.ask("GET", "/files?prefix=users/",
                                   token).status, 403)
        body = kit.form(kit.field("prefix", "users/ann"), kit.file())
        answer = gateway.ask("POST", "/files", kit.FORM, token, body=body)
        equal("upload", answer.status, 201)
        body = kit.form(kit.field("prefix", "users/bob"), kit.file())
        answer = gateway.ask("POST", "/files", kit.FORM, token, body=body)
        equal("another's", answer.status, 403)


@test
def test_hook_refuses_a_short_token():
    folder = PAGE.afternoon()
    text = (folder / "door.yaml").read_text()
    kit.BINARY = str(installed().binary)
    line = kit.refusal(text.replace("[.]", f"[{folder}]").replace(
        ":8000", ":0"), "the token is short", env={"DOOR_TOKEN": "hush-hush"})
    expect("hush-hush" not in line, line)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Backends that stand on other backends: what is refused before anything
starts, in which order they live, and what passes through them."""
import hashlib
import json
import os
import re
import tempfile
import urllib.request
from pathlib import Path

import bucket
from kit import (FORM, MIB, PLUGINS, SOURCES, Gateway, built, each, equal,
                 eventually, expect, field, file, form, like, main, quote,
                 refusal, request, settings, test, written)

LAYER = """#include <sluice/plugin.h>
struct conf {{ const char *over; }};
static const struct sluice_option options[] = {{
    {{"over", SLUICE_BACKEND_NAME, {fallback}, offsetof(struct conf, over),
      "below"}}, {{0}}}};
{code}
static const struct sluice_backend layer = {{
    SLUICE_HEAD(sluice_backend), .name = "{name}", .version = "1",
    .summary = "of a test", .options = options,
    .conf_size = sizeof(struct conf), {entries}}};
SLUICE_BACKEND({name}, layer)
"""


def layer(folder, name, code="", entries="", fallback="NULL"):
    built(folder, name, LAYER.format(name=name, code=code, entries=entries,
                                     fallback=fallback))
    return [*PLUGINS, str(folder)]


def several(folder):
    """A layer that names any number of backends, of one that names one."""
    text = Path(SOURCES, "tests/plugins/through.c").read_text()
    for old, new in (("const char *over;", "const char *const *over;"),
                     ("SLUICE_BACKEND_NAME,", "SLUICE_BACKEND_NAMES,"),
                     ("conf->over)", "conf->over[0])"),
                     ("through", "several")):
        text = text.replace(old, new)
    built(folder, "several", text)
    return [*PLUGINS, str(folder)]


def over(plugin, *names):
    return {"plugin": plugin, "over": names[0] if len(names) == 1
            else list(names)}


def checked(backends, *words, **more):
    """`sluice -t` refuses them."""
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, {"backends": backends,
                                                 **more}))
        return refusal(None, *words, arguments=["-t", "-c", str(path)])


# ---- names -----------------------------------------------------------------

@test
def test_unknown_name_is_refused_with_its_line_and_the_nearest():
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(settings(folder), indent=1)
        text = text.replace('"backends": {',
                            '"backends": {\n "shown": {"plugin": "through",\n'
                            '  "over": "mian"},')
        line = 1 + text[:text.index("mian")].count("\n")
        path = written(folder, text)
        refusal(None, rf"sluice\.yaml:{line}: backend 'shown': 'over' names "
                r"'mian', and there is no such backend; did you mean "
                r"'main'\?", arguments=["-t", "-c", str(path)])


REFUSED = {
    "far_name": ({"a": over("through", "nothing_like_it")},
                 "others are: main"),
    "itself": ({"a": over("through", "a")},
               "backend 'a' stands on itself: a over a; name another"),
    "circle": ({"a": over("through", "b"), "b": over("through", "c"),
                "c": over("through", "a")},
               "stands on itself: a over b over c over a;"),
    "no_name": ({"a": {"plugin": "through", "over": ""}},
                "'over' names no backend; write the name of one"),
    "missing_option": ({"a": {"plugin": "through"}},
                       r"backend 'a' needs 'over' \(the backend below\); "
                       "write the name of a backend"),
    "list": ({"a": {"plugin": "through", "over": ["main"]}},
             "a list is here; write the name of a backend")}


@each(REFUSED)
def test_what_can_t_stand_is_refused_by_t(case):
    backends, words = case
    checked(backends, words)


def stack(height):
    return {f"b{i}": over("through", f"b{i - 1}" if i else "main")
            for i in range(height)}


@test
def test_stack_has_at_most_16_layers():
    with Gateway({"backends": stack(16)}) as gateway:
        expect(gateway.url, "it starts")
    checked(stack(17), "backend 'b16' is the 17th layer of a stack")


@test
def test_layer_names_at_most_16_backends():
    with tempfile.TemporaryDirectory() as folder:
        path = several(folder)
        names = [f"m{i}" for i in range(17)]
        stores = {name: {"plugin": "local",
                         "directory": str(Path(folder, name))}
                  for name in names}
        more = {**stores, "top": over("several", *names[:16])}
        with Gateway({"plugin_path": path, "backends": more,
                      "routes": [{"mount": "/files", "backend": "top"}],
                      }) as gateway:
            gateway.upload(b"x", "a", "t")
        more["top"] = over("several", *names)
        checked(more, "names the 17th backend", plugin_path=path)
        more["top"] = over("several", "m1", "m2", "m1")
        checked(more, "named already; name each once", plugin_path=path)


@test
def test_layer_that_may_stand_on_nothing_has_all_entries():
    with tempfile.TemporaryDirectory() as folder:
        path = layer(folder, "loose", fallback='""')
        checked({"a": {"plugin": "loose"}}, "'loose': has no head, which is "
                "required", plugin_path=path)


# ---- life ------------------------------------------------------------------

LIFE = """
static void *start(const void *conf, struct sluice_host *host) {
  sluice_log(host, SLUICE_LOG_WARN, "starts, and below it can %u",
             sluice_store_can(sluice_store(host, NULL)) != 0);
  return host;
}
static void stop(void *host) { sluice_log(host, SLUICE_LOG_WARN, "stops"); }
static void *open(void *instance, struct sluice_host *host) { return host; }
static void close(void *host) { sluice_log(host, SLUICE_LOG_WARN, "closes"); }
"""


@test
def test_below_starts_first_and_stops_last():
    with tempfile.TemporaryDirectory() as folder:
        path = layer(folder, "lively", LIFE, ".start = start, .stop = stop, "
                     ".open = open, .close = close")
        with Gateway({"plugin_path": path, "server": {"workers": "1"},
                      "backends": {"a": over("lively", "b"),
                                   "b": over("lively", "main")}}) as gateway:
            pass
        told = [found[1] + " " + found[2] for line in gateway.told if
                (found := re.search(r"warn \[(\w)\] (.*)", line))]
        equal("order", told, ["b starts, and below it can 1",
                              "a starts, and below it can 1", "a closes",
                              "b closes", "a stops", "b stops"])


# ---- what passes -----------------------------------------------------------

ROUTES = [{"mount": "/files", "backend": "top"},
          {"mount": "/below", "backend": "main"}]


def layered(plugin="through", **more):
    backends = {"mid": over(plugin, "main"), "top": over(plugin, "mid")}
    return Gateway({"backends": backends, "routes": ROUTES, **more})


@test
def test_object_is_the_same_above_and_below():
    data = os.urandom(3 * MIB)
    with layered() as gateway:
        key = gateway.upload(data, "a b.bin", "t")["key"]
        for mount in "/files", "/below":
            answer = gateway.ask(
                "GET", f"{mount}/download?key={quote(key, safe='')}")
            expect(answer.body == data, f"{mount}: other bytes")
            like("name", answer.header("content-disposition"), "a b.bin")
        equal("keys", gateway.keys("t/"), [key])


@test
def test_client_that_leaves_is_heard_of_below():
    """A download or an upload that is held below goes with it."""
    with layered() as gateway:
        key = gateway.upload(os.urandom(16 * MIB), "l", "t")["key"]
        base = gateway.quiet()
        for _ in range(8):
            with gateway.wire(buffer=4096) as wire:
                wire.send(request("GET", "/files/download?key=" +
                                  quote(key, safe="")))
                equal("status", wire.head().status, 200)
            with gateway.wire() as wire:
                body = form(file(b"x" * 300000))
                wire.send(request("POST", "/files", FORM,
                                  body=body)[:200000])
        gateway.settles(base)
        expect(not any("breaks the contract" in line
                       for line in gateway.lines), gateway.lines)


@test
def test_slow_client_is_waited_for_below():
    """Back-pressure goes through: nothing is gathered on the way."""
    with layered() as gateway:
        key = gateway.upload(os.urandom(48 * MIB), "l", "t")["key"]
        before = gateway.status("VmRSS")
        with gateway.wire(buffer=4096) as wire:
            wire.send(request("GET", "/files/download?key=" +
                              quote(key, safe="")))
            equal("status", wire.head().status, 200)
            wire.take(MIB)
            grown = gateway.status("VmRSS") - before
        expect(grown < 8 * 1024, f"grown by {grown} KiB")


PUT = """
static void put(void *host, struct sluice_op *op,
                const struct sluice_put *put) {
  sluice_ask_put(sluice_store(host, NULL), op, put, NULL, NULL);
}
"""


@each({"handed_on": "through", "own_put": "puts"})
def test_digest_behind_a_form_s_file_is_checked(plugin):
    data = os.urandom(MIB)
    with tempfile.TemporaryDirectory() as folder:
        path = layer(folder, "puts", PUT, ".put = put")
        with layered(plugin, plugin_path=path) as gateway:
            for extra, status in (b"", 201), (b"x", 400):
                digest = hashlib.sha256(data + extra).hexdigest()
                answer = gateway.ask("POST", "/files", FORM, body=form(
                    file(data), field("sha256", digest)))
                equal("status", answer.status, status)
            equal("code", answer.json["code"], "digest_mismatch")


# ---- links -----------------------------------------------------------------

GET = """
static void get(void *host, struct sluice_op *op,
                const struct sluice_get *get) {
  sluice_ask_get(sluice_store(host, NULL), op, get, NULL, NULL);
}
"""


@each({"changes_bytes": (True, "gateway"), "changes_nothing": (False,
                                                               "storage")})
def test_storage_makes_links_where_no_layer_changes_bytes(case):
    changes, via = case
    with tempfile.TemporaryDirectory() as folder:
        path = layer(folder, "other", GET if changes else "",
                     ".get = get" if changes else "")
        backends = {"main": bucket.backend(bucket.shared()),
                    "mid": over("other", "main"), "top": over("other", "mid")}
        with layered(plugin_path=path, backends=backends) as gateway:
            key = gateway.upload(b"hello", "a", "t")["key"]
            link = gateway.json("POST", "/files/presign", {"key": key}).json
            equal("via", link["via"], via)
            if via == "storage":
                with urllib.request.urlopen(link["url"], timeout=10) as one:
                    equal("bytes", one.read(), b"hello")
            else:
                target = link["url"][link["url"].index("/files/"):]
                equal("bytes", gateway.ask("GET", target).body, b"hello")


# ---- a layer that breaks the contract ---------------------------------------

HASTY = """
static void head(void *host, struct sluice_op *op, const char *key) {
  sluice_ask_head(sluice_store(host, NULL), op, key, NULL, NULL);
  sluice_done(op, SLUICE_OK, NULL);
}
"""


@test
def test_violations_are_named_as_the_layer_s_own():
    """It says done while the storage still works for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = layer(folder, "hasty", HASTY, ".head = head")
        with layered("hasty", plugin_path=path) as gateway:
            key = gateway.upload(b"hello", "a", "t")["key"]
            answer = gateway.json("POST", "/files/presign", {"key": key})
            equal("status", answer.status, 502)
            eventually("line", lambda: any(
                "plugin 'hasty' breaks the contract: sluice_done() before "
                "all that it asked for has ended" in line
                for line in gateway.lines))
            expect(not any("'local' breaks" in line
                           for line in gateway.lines), gateway.lines)
            equal("others", gateway.download(key).body, b"hello")


if __name__ == "__main__":
    main()

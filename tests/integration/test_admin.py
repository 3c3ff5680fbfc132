#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""server.admin as a list: numbers by TCP and orders by a socket of one
gateway, through reloads and upgrades."""
import contextlib
import json
import re
import socket
import tempfile
from pathlib import Path

from kit import (Gateway, each, equal, expect, free_port, like, main, needs,
                 refusal, run, settings, test, written)

LIMIT = 8
ASK = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


def unix(folder, name="admin"):
    return f"unix:{folder}/{name}"


@contextlib.contextmanager
def made(admin, folder, *words, **more):
    server = {"workers": "2", "admin": admin, **more.pop("server", {})}
    with Gateway({"server": server, **more}, folder=folder,
                 words=list(words)) as gateway:
        yield gateway


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        yield folder


def places(gateway):
    """Where it says that operators may ask, in the order of the list."""
    gateway.says("ready")
    return [one[1] for line in list(gateway.lines) if
            (one := re.search(r"metrics are at (\S+)/metrics$",
                              line.rstrip()))]


def dial(place):
    if place.startswith("unix:"):
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(20)
        wire.connect(place.removeprefix("unix:"))
        return wire
    host, port = place.removeprefix("http://").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def page(place, data=ASK):
    got = b""
    with dial(place) as wire:
        wire.sendall(data)
        while piece := wire.recv(65536):
            got += piece
    return got.decode()


def measured(*found):
    for place in found:
        like(place, page(place), "(?s)HTTP/1.1 200 OK.*sluice_build_info")


def told(*words):
    status, out, said = run("ctl", "--json", *words)
    equal("exit status", (status, said), (0, ""))
    return json.loads(out)


# ---- served ----------------------------------------------------------------

@test
def test_all_of_a_list_are_served_and_orders_go_by_the_socket():
    with scratch() as folder, \
            made(["127.0.0.1:0", unix(folder)], folder) as gateway:
        found = places(gateway)
        equal("the second", found[1:], [unix(folder)])
        measured(*found)
        equal("pid", told("-c", gateway.path, "status")["pid"], gateway.pid)
        like("no order by TCP",
             page(found[0], b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n"),
             "404 Not Found")
        gateway.stop()
        expect(not Path(folder, "admin").exists(), "the path is gone")


@test
def test_one_address_is_as_a_list_of_it():
    for admin in (["127.0.0.1:0"], "127.0.0.1:0"):
        with scratch() as folder, made(admin, folder) as gateway:
            measured(*places(gateway))
            status, _, said = run("ctl", "-c", gateway.path, "status")
            equal("exit status", status, 2)
            like("why", said, "server.admin is no UNIX socket, and has none "
                              "in its list")


@each({"a variable that isn't set": "${SLUICE_NO_SUCH_NAME:-}", "empty": []})
def test_none_is_served_where_none_is_named(admin):
    with scratch() as folder, made(admin, folder) as gateway:
        gateway.says("ready")
        equal("places", places(gateway), [])


@test
def test_as_many_as_the_limit_are_served():
    with scratch() as folder:
        admin = [unix(folder, f"a{i}") for i in range(LIMIT)]
        with made(admin, folder) as gateway:
            equal("places", places(gateway), admin)
            measured(*admin)
        refusal({"server": {"admin": [*admin, unix(folder)]}},
                f"'admin': more than {LIMIT} addresses; drop some")


@test
def test_who_holds_all_connections_of_one_keeps_nobody_from_the_other():
    with scratch() as folder, \
            made(["127.0.0.1:0", unix(folder)], folder) as gateway:
        tcp = places(gateway)[0]
        with contextlib.ExitStack() as held:
            for _ in range(20):
                held.enter_context(dial(tcp))
            equal("state", told("-c", gateway.path, "status")["state"],
                  "serving")


@test
def test_ctl_asks_the_first_socket_that_answers():
    with scratch() as folder, made(unix(folder), folder) as gateway:
        written(folder, settings(folder, {"server": {"admin": [
            "127.0.0.1:1", unix(folder, "new"), unix(folder)]}}))
        equal("pid", told("-c", gateway.path, "status")["pid"], gateway.pid)
        gateway.stop()
        status, _, said = run("ctl", "-c", gateway.path, "status")
        equal("exit status", status, 2)
        like("why", said, r"/new: .*; is the gateway running")


# ---- refused ---------------------------------------------------------------

@each({
    "twice": (["127.0.0.1:9", "127.0.0.1:9"], "'127.0.0.1:9': it is here "
                                              "twice; remove one"),
    "twice any": (["127.0.0.1:0", "127.0.0.1:0"], "it is here twice"),
    "clients'": (["127.0.0.1:0", "127.0.0.1:7"], "'127.0.0.1:7': clients are "
                                                 "served there"),
    "an empty one": (["127.0.0.1:0", ""], "the port is missing"),
    "no address": (["127.0.0.1:0", "nowhere"], "'nowhere': the port is "
                                               "missing"),
    "a list in it": ([["127.0.0.1:0"]], "item 1 is not a text; write an "
                                        "address"),
    "a mapping": ({"tcp": "127.0.0.1:0"}, "'admin': a mapping is here; write "
                                          "an address"),
})
def test_a_wrong_list_is_refused_with_what_to_write(case):
    admin, why = case
    line = refusal({"server": {"listen": ["127.0.0.1:7"], "admin": admin}},
                   why)
    like("the line", line, r"sluice\.yaml:\d+: 'admin'")


@test
def test_an_address_that_is_taken_is_named():
    with scratch() as folder, socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refusal({"server": {"admin": [unix(folder), f"127.0.0.1:{port}"]}},
                f"cannot listen on 127.0.0.1:{port}: it is taken; stop what "
                "uses it, or change server.admin")
        expect(not Path(folder, "admin").exists(), "the other is let go")


# ---- reload, upgrade -------------------------------------------------------

@test
def test_reload_says_that_the_list_waits_for_the_next_start():
    with scratch() as folder, \
            made([unix(folder)], folder) as gateway:
        path = written(folder, settings(folder, {"server": {
            "workers": "2", "admin": ["127.0.0.1:0", unix(folder)]}}))
        run("ctl", "-c", path, "reload")
        like("said", gateway.says("these change with the next start only"),
             r"server\.admin")
        equal("places", places(gateway), [unix(folder)])
        written(folder, settings(folder, {"server": {
            "workers": "2", "admin": unix(folder)}, "uploads": {
                "max_bytes": "9KiB"}}))
        run("ctl", "-c", path, "reload")
        equal("the same", sum("next start only" in line for line in
                              gateway.lines), 1)


def after(old, new):
    """The old one has let go; where the new one listens."""
    old.says("has taken over; requests may finish here")
    new.says("took over from the gateway before")
    equal("exit status", old.wait(), 0)
    old.stopped = True
    return places(new)


@test
def test_all_of_a_list_are_handed_over():
    """Clients' port is any, too, and stays one of clients."""
    with scratch() as folder:
        admin = ["127.0.0.1:0", unix(folder)]
        with made(admin, folder) as old:
            was = places(old)
            waiting = dial(was[0])
            with made(admin, folder, "--takeover") as new:
                equal("places", after(old, new), was)
                equal("clients' place", new.url, old.url)
                measured(*was)
                waiting.close()
                equal("pid", told("-c", new.path, "status")["pid"], new.pid)
                equal("clients have no metrics",
                      new.ask("GET", "/metrics").status, 404)
                new.upload()
                new.stop()
                expect(not Path(folder, "admin").exists(), "it goes with it")


@test
def test_an_upgrade_moves_the_socket_where_the_list_names_the_old_one():
    with scratch() as folder:
        with made(unix(folder), folder) as old:
            places(old)
            admin = [unix(folder, "new"), unix(folder), "127.0.0.1:0"]
            with made(admin, folder, "--takeover") as new:
                found = after(old, new)
                equal("places", found[:2], admin[:2])
                measured(*found)


@test
def test_an_address_that_goes_with_an_upgrade_is_said():
    with scratch() as folder:
        with made(["127.0.0.1:0", unix(folder)], folder) as old:
            tcp = places(old)[0].removeprefix("http://")
            with made(unix(folder), folder, "--takeover") as new:
                equal("places", after(old, new), [unix(folder)])
                new.says(f"nobody listens on {re.escape(tcp)} any more")


@test
def test_a_confined_gateway_has_all_of_a_list():
    with scratch() as folder:
        port = free_port()
        server = {"listen": [f"127.0.0.1:{free_port()}"]}
        admin = [unix(folder), f"127.0.0.1:{port}"]
        with made(admin, folder, server=server) as gateway:
            measured(*places(gateway))
            status = told("-c", gateway.path, "status")
            needs("landlock" in status["confined_by"],
                  "a kernel, and a build, that can")
            equal("upgrade", told("-c", gateway.path, "upgrade").keys(),
                  {"done": 1}.keys())
            gateway.says("has taken over")
            measured(f"http://127.0.0.1:{port}", unix(folder))
            told("-c", gateway.path, "drain")
            gateway.wait()
            gateway.stopped = True


if __name__ == "__main__":
    main()

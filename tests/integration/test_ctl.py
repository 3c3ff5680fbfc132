#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`sluice ctl`: what operators ask of a gateway that runs, and order."""
import contextlib
import json
import socket
import stat
import tempfile
import threading
from pathlib import Path

from kit import (FORM, KIB, MIB, Gateway, each, equal, eventually,
                 head, large_form, like, main, run, settings, test,
                 written)

COMMANDS = {"status": (), "requests": (), "ready": (), "reload": (),
            "drain": (), "level": ("debug",)}


@contextlib.contextmanager
def served(**sections):
    """A gateway with a socket for operators."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        sections.setdefault("server", {}).update(
            {"admin": f"unix:{folder}/admin"})
        with Gateway(sections, folder=folder) as gateway:
            gateway.sections = sections
            yield gateway


def ctl(gateway, *words, status=0):
    got, out, said = run("ctl", "-c", gateway.path, *words)
    equal("exit status", (got, said if status == 0 else ""), (status, ""))
    return out if status == 0 else said


def answer(gateway, *words):
    return json.loads(ctl(gateway, "--json", *words))


def threads(gateway):
    return len(list(Path(f"/proc/{gateway.pid}/task").iterdir()))


@test
def test_status_tells_what_runs():
    with served() as gateway:
        told = answer(gateway, "status")
        equal("pid", told["pid"], gateway.pid)
        equal("state", (told["state"], told["workers"], told["configuration"],
                        told["earlier_configurations"], told["log_level"]),
              ("serving", 2, 1, [], "info"))
        equal("file", told["file"], str(gateway.path))
        like("text", ctl(gateway, "status"), r"state +serving\n")


@test
def test_requests_are_told_with_how_far_and_for_whom_they_wait():
    with served() as gateway, gateway.wire() as wire:
        equal("none", answer(gateway, "requests"),
              {"count": 0, "requests": []})
        before, after, length = large_form(MIB)
        wire.send(head("POST", "/files", FORM, "X-Request-Id: mine",
                       f"Content-Length: {length}") + before + b"x" * KIB)

        def seen():
            told = answer(gateway, "requests")["requests"]
            return told and told[0]["bytes_in"] >= KIB
        eventually("the upload", seen)
        (told,) = answer(gateway, "requests")["requests"]
        equal("who", (told["id"], told["operation"], told["method"],
                      told["route"], told["client"], told["waits"]["for"]),
              ("mine", "upload", "POST", "/files", "127.0.0.1", "client"))
        like("text", ctl(gateway, "requests"), r"^mine .* waits for client")
        wire.send(b"x" * (MIB - KIB) + after)
        equal("status", wire.answer().status, 201)
        eventually("its end", lambda: answer(gateway, "requests")["count"] ==
                   0)


@test
def test_ready_says_which_backend_is_not_and_why():
    with tempfile.TemporaryDirectory() as scratch:
        mute = Path(scratch, "mute")
        mute.touch()
        with served(server={"ready": ["main"]},
                    backends={"far": {"plugin": "stall", "mute": str(mute)}},
                    routes=[{"mount": "/files", "backend": "main"},
                            {"mount": "/far", "backend": "far"}]) as gateway:
            told = answer(gateway, "ready")
            backends = {one["name"]: one for one in told["backends"]}
            equal("whole", (told["ready"], told["state"]), (True, "serving"))
            equal("main", backends["main"], {
                "name": "main", "needed": True, "state": "ready",
                "why": None})
            equal("far", backends["far"], {
                "name": "far", "needed": False, "state": "timeout",
                "why": "it didn't answer in two seconds"})
            like("text", ctl(gateway, "ready"),
                 r"(?s)gateway +ready, serving\n.*far +timeout "
                 r"\(not needed\): it didn't answer in two seconds\n")


@test
def test_gateway_that_is_not_ready_has_another_exit_status():
    with tempfile.TemporaryDirectory() as scratch:
        mute = Path(scratch, "mute")
        mute.touch()
        with served(backends={"far": {"plugin": "stall", "mute": str(mute)}},
                    routes=[{"mount": "/files", "backend": "main"},
                            {"mount": "/far", "backend": "far"}]) as gateway:
            got, out, _ = run("ctl", "-c", gateway.path, "ready")
            equal("exit status", got, 1)
            like("text", out, r"gateway +not ready, serving\n")


@test
def test_ready_is_said_by_the_exit_status():
    with served() as gateway:
        like("text", ctl(gateway, "ready"),
             r"gateway +ready, serving\nmain +ready\n\Z")
        for _ in range(3):  # what is known is told again
            equal("ready", answer(gateway, "ready")["ready"], True)


@test
def test_reload_says_what_became_of_it():
    with served() as gateway:
        like("same", ctl(gateway, "reload"), "the configuration is the same")
        more = {**gateway.sections, "uploads": {"max_bytes": "2KiB"}}
        written(gateway.folder, settings(gateway.folder, more))
        like("new", ctl(gateway, "reload"), "the new configuration is in use")
        equal("number", answer(gateway, "status")["configuration"], 2)
        got, out, _ = run("reload", "-c", gateway.path)
        equal("short", (got, out), (0, "the configuration is the same; files "
                                    "were read again\n"))
        more["uploads"]["max_bytes"] = "-1"
        written(gateway.folder, settings(gateway.folder, more))
        place = f"{gateway.folder}/admin"
        got, out, said = run("reload", "-s", place)
        equal("bad", (got, out), (1, ""))
        like("why", said, r"sluice\.yaml:\d+: .*max_bytes")
        equal("number", json.loads(run("ctl", "-s", place, "--json",
                                       "status")[1])["configuration"], 2)


@test
def test_level_changes_while_it_runs():
    with served() as gateway:
        like("level", ctl(gateway, "level", "debug"), "log_level +debug")
        equal("told", answer(gateway, "status")["log_level"], "debug")
        like("no level", ctl(gateway, "level", "loud", status=1),
             "error, warn, info, debug")


@test
def test_drain_lets_requests_finish_and_ends():
    with served() as gateway, gateway.wire() as wire:
        before, after, length = large_form(MIB)
        wire.send(head("POST", "/files", FORM, f"Content-Length: {length}") +
                  before)
        gateway.alive()
        like("said", ctl(gateway, "drain"), "no new connections")
        eventually("state", lambda: answer(gateway, "status")["state"] ==
                   "draining")
        wire.send(b"x" * MIB + after)
        equal("status", wire.answer().status, 201)
        equal("exit status", gateway.wait(), 0)


@test
def test_what_keeps_a_drain_from_its_end_is_told_when_other_loops_have_ended():
    with served(server={"workers": "4"}) as gateway, \
            gateway.wire() as wire:
        before, after, length = large_form(MIB)
        wire.send(head("POST", "/files", FORM, "X-Request-Id: last",
                       f"Content-Length: {length}") + before)
        eventually("it is seen", lambda: answer(gateway, "requests")["count"])
        running = threads(gateway)
        ctl(gateway, "drain")
        eventually("the others' end",
                   lambda: threads(gateway) == running - 3)
        for _ in range(2):
            told = answer(gateway, "requests")
            equal("requests", (told["count"], told["requests"][0]["id"]),
                  (1, "last"))
        said = json.loads(run("ctl", "-c", gateway.path, "--json", "ready")[1])
        equal("ready", (said["ready"], said["state"]), (False, "draining"))
        like("reload", ctl(gateway, "reload", status=1), "starts, or stops")
        gateway.says("nothing is read again, as the gateway stops")
        wire.send(b"x" * MIB + after)
        equal("status", wire.answer().status, 201)
        equal("exit status", gateway.wait(), 0)


@test
def test_orders_are_for_the_socket_s_owner_and_never_for_tcp():
    with served() as gateway:
        mode = Path(gateway.folder, "admin").stat().st_mode
        equal("mode", stat.S_IMODE(mode), 0o600)
    with Gateway({"server": {"admin": "127.0.0.1:0"}}) as gateway:
        url = gateway.says(r"metrics are at http").split(" ")[-1]
        host = url.removeprefix("http://").removesuffix("/metrics")
        gateway.url = f"http://{host}"
        for method, path in (("GET", "/status"), ("GET", "/requests"),
                             ("POST", "/reload"), ("POST", "/drain"),
                             ("POST", "/level/debug")):
            equal(path, gateway.ask(method, path).status, 404)
        like("ctl", ctl(gateway, "status", status=2), "no UNIX socket")


@each({"nothing": (), "unknown": ("stop",), "two": ("status", "reload"),
       "no level": ("level",), "level": ("level", "Debug 1"),
       "option": ("--loud", "status")})
def test_bad_command_line_is_status_2_and_says_why(words):
    status, out, said = run("ctl", *words)
    equal("status", (status, out), (2, ""))
    like("why", said, "^sluice ctl: ")


@test
def test_gateway_that_does_not_run_is_said():
    with tempfile.TemporaryDirectory() as folder:
        status, _, said = run("ctl", "-s", f"{folder}/none", "status")
        equal("status", status, 2)
        like("why", said, r"/none: No such file.*; is the gateway running")
        out = run("ctl", "-s", f"{folder}/none", "--json", "status")[1]
        like("as JSON", json.loads(out)["error"], "/none: No such file")


@test
def test_a_gateway_that_ends_before_it_answers_is_said():
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX) as other:
        other.bind(f"{folder}/admin")
        other.listen()

        def ends():
            wire = other.accept()[0]
            wire.recv(100)
            wire.close()
        thread = threading.Thread(target=ends)
        thread.start()
        status, _, said = run("ctl", "-s", f"{folder}/admin", "ready")
        thread.join()
        equal("status", status, 2)
        like("why", said, "the gateway ended before it answered")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""GET /readyz: which backends it wants, what it says of them, and how often
they are asked."""
import threading
import time
from pathlib import Path

from kit import (PATIENCE, Gateway, each, equal, eventually, expect, main,
                 run, settings, test, written)


def over(folder, ready=None):
    """A store, and a backend whose pings don't end while `mute` is there."""
    server = {"workers": "1"}
    if ready:
        server["ready"] = ready
    return {"server": server,
            "backends": {"far": {"plugin": "stall",
                                 "mute": str(Path(folder, "mute"))}},
            "routes": [{"mount": "/files", "backend": "main"},
                       {"mount": "/far", "backend": "far"}]}


def pings(gateway):
    return sum("pinged" in line for line in gateway.lines)


class Two(Gateway):
    """The gateway over both."""

    def __init__(self, ready=None):
        import tempfile
        self.scratch = tempfile.TemporaryDirectory()
        self.mute = Path(self.scratch.name, "mute")
        super().__init__(over(self.scratch.name, ready))

    def readyz(self):
        return self.ask("GET", "/readyz")


@each({"all": ("all", 503), "default": (None, 503), "any": ("any", 200),
       "the_silent_one": (["far"], 503), "the_other_one": (["main"], 200),
       "both": (["far", "main"], 503)})
def test_it_wants_the_backends_that_are_configured(case):
    ready, status = case
    with Two(ready) as gateway:
        equal("all answer", gateway.readyz().json,
              {"status": "ready",
               "backends": {"main": "ready", "far": "ready"}})
        gateway.mute.touch()
        answer = eventually("it is noticed", lambda: next(
            (said for said in [gateway.readyz()]
             if said.json["backends"]["far"] == "timeout"), None))
        equal("status", answer.status, status)
        equal("main", answer.json["backends"]["main"], "ready")
        if status == 503:
            equal("code", answer.json["code"], "not_ready")
            equal("Retry-After", answer.header("retry-after"), "5")
        gateway.says(r"\[far\] the backend isn't ready \(timeout\)")
        gateway.mute.unlink()
        eventually("it is ready again", lambda: gateway.readyz().json[
            "backends"]["far"] == "ready")
        gateway.says(r"\[far\] the backend is ready again")


@test
def test_many_who_ask_are_one_question_a_second():
    with Two() as gateway:
        started = time.monotonic()
        for _ in range(300):
            equal("status", gateway.readyz().status, 200)
        most = time.monotonic() - started + 1
        expect(1 <= pings(gateway) <= most,
               f"{pings(gateway)} pings in {most - 1:.1f} s")


@test
def test_who_asks_while_a_round_runs_waits_for_its_end():
    """All of them get the same answer, after the probe's own limit and not
    after that of requests; one who leaves meanwhile is in nobody's way."""
    with Two() as gateway:
        gateway.mute.touch()
        answers = []

        def ask():
            answers.append(gateway.readyz().status)
        threads = [threading.Thread(target=ask) for _ in range(8)]
        started = time.monotonic()
        with gateway.wire() as leaving:
            leaving.send(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
            gateway.says("pinged")
            for thread in threads:
                thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        took = time.monotonic() - started
        equal("statuses", answers, [503] * 8)
        equal("pings", pings(gateway), 1)
        expect(took < 20, f"the answer took {took:.1f} s")


@test
def test_a_backend_that_hangs_is_asked_once():
    """A ping that isn't ended, though it was canceled, is the only one."""
    with Two() as gateway:
        gateway.mute.touch()
        equal("first", gateway.readyz().status, 503)
        before = pings(gateway)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            equal("later", gateway.readyz().status, 503)
        expect(pings(gateway) <= before + 3, f"{pings(gateway)} pings")


@each({"word": ("some", "'ready': write all, any, or a list of backends"),
       "empty": ([], "'ready': write all, any, or a list of backends"),
       "name": (["mian"], "did you mean 'main'?"),
       "list_in_it": ([["main"]], "'ready': not a backend's name")})
def test_a_mistake_is_refused_with_its_line(case):
    import tempfile
    ready, words = case
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, settings(folder, {"server": {"ready": ready}}))
        status, _, errors = run("-t", "-c", path)
        equal("status", status, 1)
        expect(words in errors, errors)


if __name__ == "__main__":
    main()

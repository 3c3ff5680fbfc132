#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins that break the contract: each costs its own requests only, is named
in the log with the rule and a count, and what others are asked goes on."""
import os
import re
import signal
import tempfile
import threading
import time

from kit import (FORM, KIB, PATIENCE, PLUGINS, SLOWNESS, Gateway, Mismatch,
                 built, each, equal, eventually, expect, field, file, form,
                 hook_source, like, main, request, test)

BACKENDS = ["never", "silent", "late", "twice", "twice_later", "half",
            "garbage_meta", "huge_meta", "meta_twice", "garbage_list",
            "too_many", "short_length", "long_length", "no_length",
            "unasked_send", "unasked_next", "done_while_lent", "done_early",
            "bad_status", "bad_text", "huge_state", "other_state", "well"]
HOOKS = ["never", "late", "twice", "twice_later", "no_wait", "wait_again",
         "bad_verdict", "bad_resume", "bad_refusal", "bad_header",
         "bad_identity", "huge_state", "other_state", "well"]
TIMEOUT = 500  # ms that a backend or hook may take
SMALL = form(field("prefix", "t"), file(b"x" * 3000))
LARGE = form(field("prefix", "t"), file(b"x" * 300000))


def rogues(backends=(), hooks=(), timeout=TIMEOUT, **sections):
    """A good mount, and one for each that is not; one loop, so that all of
    them are on it."""
    return Gateway({
        "server": {"workers": "1"},
        "limits": {"backend_timeout": f"{timeout}ms", "drain_timeout": "1s"},
        "backends": {**{f"rogue_{how}": {"plugin": "rogue", "how": how,
                                         "delay": f"{timeout * 2}ms"}
                        for how in backends}},
        "routes": [{"mount": "/files", "backend": "main"},
                   *({"mount": f"/{how}", "backend": f"rogue_{how}"}
                     for how in backends),
                   *({"mount": f"/hook_{how}", "backend": "main", "hooks": [
                       {"plugin": "roguehook", "how": how,
                        "delay": f"{timeout * 2}ms"}]} for how in hooks)],
        **sections})


class Traffic:
    """Somebody who uses the good mount all along; each answer must be right
    and soon."""

    def __init__(self, gateway):
        self.gateway, self.count, self.trouble = gateway, 0, None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        data = os.urandom(20000)
        try:
            while not self.over.is_set():
                started = time.monotonic()
                key = self.gateway.upload(data, prefix="good")["key"]
                answer = self.gateway.download(key)
                equal("download", (answer.status, answer.body == data),
                      (200, True))
                equal("keys", self.gateway.keys("good"), [key])
                self.gateway.delete(key)
                expect(time.monotonic() - started < PATIENCE / 2,
                       "the good mount is slow")
                self.count += 1
        except Exception as trouble:  # pylint: disable=broad-except
            self.trouble = trouble

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        if not kind:
            eventually("an answer of the good mount",
                       lambda: self.trouble or self.count)
        self.over.set()
        self.thread.join()
        if self.trouble and not kind:
            raise Mismatch(f"beside a rogue: {self.trouble}")


_gateway = []


def gateway_of_all():
    """One with all of them, beside which somebody uses the good mount; it
    ends with the last test that wants it."""
    if not _gateway:
        _gateway.append(rogues([how for how in BACKENDS if how != "never"],
                               HOOKS))
        _gateway.append(Traffic(_gateway[0]).__enter__())
    expect(_gateway[0].process.poll() is None, "it ended")
    return _gateway[0]


def upload(gateway, how, body=LARGE):
    return gateway.ask("POST", f"/{how}", FORM, body=body)


def download(gateway, how, *lines, method="GET"):
    return gateway.ask(method, f"/{how}/download?key=a", *lines)


def listing(gateway, how):
    return gateway.ask("GET", f"/{how}?prefix=t/&limit=5")


def remove(gateway, how):
    return gateway.json("DELETE", f"/{how}", {"key": "a"})


def presign(gateway, how):
    return gateway.json("POST", f"/{how}/presign", {"key": "a"})


ASKS = {"upload": upload, "download": download, "list": listing,
        "delete": remove, "presign": presign}
NO_ANSWER = {"download": 504, "list": 504, "upload": 504, "delete": 504,
             "presign": 504}
LEFT = "request .*: the backend didn't answer in time"
# This is what each is answered, and the rule that the log names with it.
WANT = {
    "silent": (NO_ANSWER, LEFT),
    "late": (NO_ANSWER, LEFT),
    "twice": ({"download": 404, "list": 404, "upload": 404, "presign": 404},
              r"sluice_done\(\) twice"),
    "twice_later": ({"download": 404, "upload": 404},
                    r"sluice_done\(\) twice"),
    "half": ({"upload": 504}, LEFT),
    "huge_meta": ({"download": 502, "presign": 502},
                  r"sluice_meta\(\) with more metadata"),
    "meta_twice": ({"download": 200}, r"sluice_meta\(\) twice"),
    "garbage_list": ({"list": 200}, r"sluice_entry\(\) with an ETag that"),
    "too_many": ({"list": 502}, r"sluice_entry\(\) more often than was"),
    "long_length": ({"download": 502},
                    r"sluice_send\(\) with another length"),
    "no_length": ({"download": 502}, r"sluice_send\(\) with another length"),
    "unasked_send": ({"download": 200}, r"sluice_send\(\) before read\(\)"),
    "unasked_next": ({"upload": 201},
                     r"sluice_next\(\) without a chunk to return"),
    "done_while_lent": ({"download": 502},
                        r"sluice_done\(\) while a chunk is lent"),
    "done_early": ({"download": 502, "upload": 502, "presign": 502},
                   r"sluice_done\(\) "),
    "bad_status": ({"download": 500, "list": 500, "upload": 500,
                    "delete": 500},
                   r"sluice_done\(\) with what is no status"),
    "bad_text": ({"presign": 502, "upload": 201},
                 r"sluice_text\(\) too often, or with what is no text"),
    "huge_state": ({"download": 500, "list": 500},
                   r"sluice_op_state\(\) of more than 64 KiB"),
    "other_state": ({"download": 500}, r"sluice_op_state\(\) .*another size"),
}


@each({how: how for how in WANT})
def test_backend_costs_its_own_request_and_is_named(how):
    gateway = gateway_of_all()
    asks, rule = WANT[how]
    for name, status in asks.items():
        after = len(gateway.lines)
        answer = ASKS[name](gateway, how)
        equal(name, (answer.status, name), (status, name))
        like(name, answer.body.decode(errors="replace"), r"\A[{\0]")
        if rule == LEFT:
            gateway.says(rf"rogue_{how}.*{rule} \(\d+ times", after=after)
        else:
            gateway.says(rf"rogue_{how}.*plugin 'rogue' breaks the contract: "
                         rf"{rule}.*\(violation \d+ on this loop\)",
                         after=after)


@each({"half": "half", "short_length": "short_length"})
def test_download_that_has_begun_is_broken_off(how):
    gateway = gateway_of_all()
    after = len(gateway.lines)
    with gateway.wire() as wire:
        wire.send(request("GET", f"/{how}/download?key=a"))
        equal("status", wire.head().status, 200)
        while wire.more():
            pass
        expect(len(wire.input) < 200000, "all of it came")
    gateway.says(rf"rogue_{how}.*(stalled in the middle of an object "
                 r"\(\d+ times|sluice_send\(\) with another length)",
                 after=after)


@test
def test_header_in_a_type_reaches_nobody():
    gateway = gateway_of_all()
    for method in "GET", "HEAD":
        answer = download(gateway, "garbage_meta", method=method)
        equal("status", answer.status, 200)
        equal("X-Evil", answer.header("x-evil"), None)
        equal("ETag", answer.header("etag"), None)
        equal("type", answer.header("content-type"),
              "application/octet-stream")
        like("Last-Modified", answer.header("last-modified"), r"GMT\Z")
    gateway.says(r"rogue_garbage_meta.*sluice_meta\(\) with a type that isn't "
                 r"text; it is left out \(violation")
    equal("presign", presign(gateway, "garbage_meta").status, 200)


@test
def test_keys_that_are_none_are_left_out_of_a_list():
    answer = listing(gateway_of_all(), "garbage_list")
    equal("keys", [thing["key"] for thing in answer.json["objects"]],
          ["t/a", "t/b"])


@test
def test_plugin_that_keeps_the_contract_is_not_named():
    gateway = gateway_of_all()
    for name, want in ("upload", 201), ("download", 200), ("list", 200), \
            ("delete", 200), ("presign", 200):
        equal(name, ASKS[name](gateway, "well").status, want)
    expect(not any(re.search(r" (warn|error) \[rogue_well", line)
                   for line in gateway.lines), "named")


@test
def test_violations_are_counted():
    gateway = gateway_of_all()

    def counts():
        return [int(found[1]) for line in gateway.lines if
                (found := re.search(
                    r"rogue_bad_status\] .*\(violation (\d+) on", line))]
    before = counts()[-1] if counts() else 0
    for _ in range(3):
        remove(gateway, "bad_status")
    gateway.says(rf"rogue_bad_status\] .*\(violation {before + 3} on this "
                 "loop")
    equal("counts", counts()[-3:], list(range(before + 1, before + 4)))


# ---- hooks -----------------------------------------------------------------

ENDS = "request .*: the hook didn't answer in time"
RESUME = r"sluice_request_resume\(\) "
HOOK_WANT = {
    "never": (504, ENDS), "late": (504, ENDS), "wait_again": (504, ENDS),
    "twice": (200, RESUME + "of a request that doesn't wait"),
    "twice_later": (200, RESUME + "of a request that doesn't wait"),
    "no_wait": (200, RESUME + "of a request that doesn't wait"),
    "bad_verdict": (403, "it answered with what is no verdict"),
    "bad_resume": (403, "it answered with what is no verdict"),
    "huge_state": (200, r"sluice_request_state\(\) of more than 4 KiB"),
    "other_state": (200, r"sluice_request_state\(\) .*another size"),
    "bad_refusal": (403, None), "bad_identity": (200, None),
    "well": (200, None)}


@each({how: how for how in HOOK_WANT})
def test_hook_costs_its_own_request_and_is_named(how):
    gateway = gateway_of_all()
    status, rule = HOOK_WANT[how]
    for _ in range(2):
        after = len(gateway.lines)
        answer = listing(gateway, f"hook_{how}")
        equal("status", answer.status, status)
        if rule == ENDS:
            gateway.says(rf"roguehook.*{rule} \(\d+ times", after=after)
        elif rule:
            gateway.says(r"plugin 'roguehook' breaks the contract: "
                         rf"{rule}.*\(violation \d+ on this loop\)",
                         after=after)


@test
def test_headers_that_a_hook_may_not_add_reach_nobody():
    answer = listing(gateway_of_all(), "hook_bad_header")
    equal("status", answer.status, 200)
    names = [name for name, _ in answer.headers]
    equal("X-Evil", "x-evil" in names, False)
    equal("X-A", "x-a" in names, False)
    equal("many", names.count("x-many"), 32)
    equal("list", answer.json["count"] >= 0, True)


@test
def test_all_that_went_wrong_cost_nobody_else_anything():
    """The last that uses the gateway of all: what was asked beside it was
    answered, and it ends well."""
    gateway = gateway_of_all()
    traffic = _gateway[1]
    traffic.__exit__(None)
    expect(traffic.count > 3, f"only {traffic.count} rounds")
    _gateway.clear()
    gateway.stop()
    gateway.says(r"rogue_twice.*broke the contract on this loop: [1-9]\d* ")
    gateway.says(r"rogue_silent.*left requests without an answer in time on "
                 r"this loop: [1-9]\d*$")
    expect(not any("silent" in line and "broke the contract" in line
                   for line in gateway.told), "nothing is said to be broken")


# ---- many ------------------------------------------------------------------

def rounds(gateway, count, asks):
    """So often all of these, on one connection each time it is kept."""
    wire = gateway.wire()
    for _ in range(count):
        for method, target, lines, body in asks:
            try:
                wire.ask(method, target, *lines, body=body)
            except Mismatch:
                wire.close()
                wire = gateway.wire()
    wire.close()


@test
def test_memory_stays_over_thousands_of_violations():
    modes = [how for how in WANT if WANT[how][1] != LEFT]
    asks = []
    for how in modes:
        asks.append(("GET", f"/{how}/download?key=a", (), None))
        asks.append(("GET", f"/{how}?prefix=t/&limit=5", (), None))
        asks.append(("POST", f"/{how}", (FORM,), SMALL))
    hooks = ["twice", "no_wait", "bad_verdict", "huge_state"]
    asks += [("GET", f"/hook_{how}?prefix=none/", (), None) for how in hooks]
    with rogues(modes, hooks, timeout=100) as gateway:
        rounds(gateway, 30, asks)
        before = gateway.status("VmRSS")
        lines = len(gateway.lines)
        rounds(gateway, 60, asks)
        grown = gateway.status("VmRSS") - before
        if not os.environ.get("SLUICE_PATIENCE"):
            expect(grown < 4 * KIB, f"{grown} KiB more after "
                   f"{60 * len(asks)} requests")
        more = sum("breaks the contract" in line
                   for line in gateway.lines[lines:])
        expect(more < 20 * (len(modes) + len(hooks)),
               f"{more} lines of violations in the log")
        gateway.upload()


def crowd(gateway, method, target, count, lines=(), body=None):
    """So many at once; their statuses."""
    wires = [gateway.wire() for _ in range(count)]
    for wire in wires:
        wire.send(request(method, target, *lines, body=body))
    statuses = [wire.answer().status for wire in wires]
    for wire in wires:
        wire.close()
    return statuses


@test
def test_backend_that_never_ends_anything_is_asked_256_times():
    """It is the backend's debts that are limited: each holds the memory that
    it was lent.  The process can't end well, says so, and ends."""
    gateway = rogues(["never"])
    with Traffic(gateway):
        for _ in range(4):
            equal("statuses", set(crowd(gateway, "POST", "/never", 64, (FORM,),
                                        LARGE)), {504})
        before = gateway.status("VmRSS")
        for _ in range(20):
            equal("statuses", set(crowd(gateway, "GET",
                                        "/never/download?key=a", 64)), {503})
        grown = gateway.status("VmRSS") - before
        if not os.environ.get("SLUICE_PATIENCE"):
            expect(grown < 4 * KIB, f"{grown} KiB more")
    gateway.says(r"rogue_never.*hasn't ended 256 operations that were cancel")
    gateway.stop(status=1)
    like("the log", "\n".join(gateway.lines), r"rogue_never\] plugin 'rogue' "
         "hasn't ended 256 operations that were canceled")
    like("the log", gateway.lines[-1], "the process ends without it")


@test
def test_hook_that_never_resumes_is_asked_256_times():
    gateway = rogues(hooks=["never"])
    target = "/hook_never?prefix=t/"
    with gateway, Traffic(gateway):
        for _ in range(4):
            equal("statuses", set(crowd(gateway, "GET", target, 64)), {504})
        before = gateway.status("VmRSS")
        for _ in range(20):
            equal("statuses", set(crowd(gateway, "GET", target, 64)), {503})
        grown = gateway.status("VmRSS") - before
        if not os.environ.get("SLUICE_PATIENCE"):
            expect(grown < 4 * KIB, f"{grown} KiB more")


@test
def test_backend_that_was_late_is_asked_again():
    """Debts that are paid don't count."""
    with rogues(["late"]) as gateway, Traffic(gateway):
        for _ in range(5):
            statuses = crowd(gateway, "GET", "/late/download?key=a", 64)
            equal("statuses", set(statuses), {504})
            eventually("another answer than 503", lambda: download(
                gateway, "late").status == 504)


@test
def test_backend_that_says_it_is_alive_has_its_time_anew():
    """Twice the time that it would have without a word."""
    with rogues(["alive"]) as gateway:
        equal("list", listing(gateway, "alive").status, 200)
        equal("delete", remove(gateway, "alive").status, 200)
        expect(not any("in time" in line for line in gateway.lines),
               "it was late")


# ---- hooks that are told of changes ----------------------------------------

SLOW = int(500 * SLOWNESS)  # ms


def told(how, delay, timeout, drain="10s"):
    """Two hooks: that one, and another that has to be told, too."""
    hooks = [{"plugin": "roguehook", "how": name, "delay": f"{delay}ms"}
             for name in (how, "change_tells")]
    return Gateway({
        "server": {"workers": "1"}, "hooks": hooks,
        "limits": {"backend_timeout": f"{timeout}ms",
                   "drain_timeout": drain}})


def left_upload(gateway):
    """An upload that its client left; its key, once it is stored."""
    with gateway.wire() as wire:
        wire.send(request("POST", "/files", FORM, body=SMALL))
        [key] = eventually("an object", gateway.keys)
        wire.reset()
    gateway.alive()
    return key


@test
def test_hook_that_waits_keeps_the_next_waiting_not_from_being_told():
    with told("change_late", SLOW, 20 * SLOW) as gateway:
        key = left_upload(gateway)
        gateway.says(f"told of {key}")
        gateway.delete(key)
        expect(sum(f"told of {key}" in line for line in gateway.lines) == 2,
               "the delete wasn't told")


@test
def test_hook_that_never_lets_go_costs_who_left_nothing_more():
    with told("change_never", 0, SLOW) as gateway:
        left_upload(gateway)
        gateway.says("the hook didn't let the answer go in time")
        equal("status", gateway.ask("POST", "/files", FORM,
                                    body=SMALL).status, 201)


@test
def test_hook_that_resumes_with_the_timeout_is_not_late():
    with told("change_just", 1010, 1000) as gateway:
        for _ in range(3):
            key = gateway.upload()["key"]
            gateway.says(f"told of {key}")
        expect(not any("in time" in line for line in gateway.lines),
               "it was late")


@test
def test_end_of_the_drain_does_not_wait_for_a_hook():
    with told("change_never", 0, 600000, drain="300ms") as gateway:
        left_upload(gateway)
        gateway.stop()
        gateway.says("1 requests are broken off")


# ---- what can't be contained -----------------------------------------------

@each({"backend": ({"backends": ["wrong_thread"]}, "/wrong_thread",
                   r"plugin 'rogue' breaks the contract: sluice_done\(\) from "
                   "another thread"),
       "hook": ({"hooks": ["wrong_thread"]}, "/hook_wrong_thread",
                r"plugin 'roguehook' breaks the contract: "
                r"sluice_request_resume\(\) from another thread")})
def test_call_from_another_thread_ends_the_process_and_says_why(case):
    plugins, mount, rule = case
    gateway = rogues(**plugins)
    try:
        with gateway.wire() as wire:
            wire.send(request("GET", f"{mount}?prefix=t/"))
            wire.ended()
        status, said = gateway.wait(), "\n".join(gateway.lines)
        if "ThreadSanitizer" in said:  # it saw that before the gateway did
            return
        equal("how it ended", status, -signal.SIGABRT)
        like("the log", said, rule)
    finally:
        gateway.kill()


REFUSALS = {
    "latin-1": (r"na\xefve", "na?ve"),
    "255 bytes": ("x" * 255, "x" * 255),
    "256 bytes": ("x" * 256, "x" * 255),
    "a character that is cut": ("x" * 254 + r"\xc3\xa9", "x" * 254),
}


@each(REFUSALS)
def test_a_refusal_of_any_text_is_answered(case):
    text, want = case
    with tempfile.TemporaryDirectory() as folder:
        built(folder, "latin", hook_source(
            "latin", guards="1", ask="sluice_request_refuse(request, "
            f'SLUICE_EAUTH, "{text}"); return SLUICE_DENY;'))
        with Gateway({"plugin_path": [*PLUGINS, folder],
                      "hooks": [{"plugin": "latin"}]}) as gateway:
            answer = gateway.ask("GET", "/files")
            equal("refusal", (answer.status, answer.error), (401, want))


if __name__ == "__main__":
    main()

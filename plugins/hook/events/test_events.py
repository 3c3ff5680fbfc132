#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hook events against receivers that fail in all ways: every change that
was answered is heard of, at least once, in the order of its key."""
import json
import re
import resource
import signal
import sqlite3
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))

# pylint: disable=wrong-import-position
from kit import (FORM, PLUGINS, SLOWNESS, SOURCES, Gateway, Mismatch, each,
                 equal, eventually, expect, field, file, form, like, main,
                 md5, refusal, run, test, written)
from service import (Service, close, drip, flood, reset, said, say, send,
                     stall)

SECRET = "a secret of the test's"
MAN = SOURCES / "plugins/hook/events/sluice-events.7"


def hook(folder, url, **options):
    return {"plugin": "events", "url": url, "secret": SECRET,
            "directory": str(Path(folder, "events")), "retry_min": "20ms",
            "retry_max": "100ms", **options}


def gateway(service, /, *, folder, before=None, sections=None, **options):
    url = service if isinstance(service, str) else service.url + "/hear"
    return Gateway({"hooks": [hook(folder, url, **options)],
                    **(sections or {})}, folder=folder, before=before)


def each_folder(function):
    """A folder that outlives gateways."""
    def body():
        with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
            Path(folder, "data").mkdir()
            function(folder)
    body.__name__ = function.__name__
    return test(body)


def send_upload(gate, name="a.txt", data=b"hello", *lines, prefix="t"):
    return gate.ask("POST", "/files", FORM, *lines,
                    body=form(field("prefix", prefix), file(data, name)))


def heard(service):
    """The events of all requests so far."""
    return [json.loads(asked.body) for asked in list(service.asked)]


def waiting(folder):
    """What a stopped gateway's queue holds."""
    base = sqlite3.connect(Path(folder, "events", "events.db"))
    try:
        return [json.loads(body) for body, in
                base.execute("SELECT body FROM event ORDER BY number")]
    finally:
        base.close()


def snippet():
    """verify() as the man page has it."""
    page = MAN.read_text()
    code = page[page.index("import hashlib"):]
    scope = {}
    exec(textwrap.dedent(code[:code.index(".Ed")]),  # pylint: disable=W0122
         scope)
    return scope["verify"]


# ---- what the receiver gets -------------------------------------------------

@each_folder
def test_upload_and_delete_are_told(folder):
    with Service() as service, gateway(service, folder=folder) as gate:
        made = gate.upload(b"12345", "q 3é.pdf", kind="application/pdf")
        first = service.count(1)[0]
        gate.delete(made["key"])
        second = service.count(2)[1]
        for asked in (first, second):
            equal("line", (asked.method, asked.target), ("POST", "/hear"))
            equal("type", asked.header("Content-Type"), "application/json")
        event, later = heard(service)
        like("id", event["id"], r"\A[0-9a-f]{32}\Z")
        equal("id", first.header("X-Sluice-Event-Id"), event["id"])
        like("time", event["time"], r"\A20\d\d-\d\d-\d\dT[\d:]{8}\+00:00\Z")
        like("request", event["request_id"], r"\A[0-9a-f]{32}\Z")
        for name in ("id", "time", "request_id"):
            expect(event.pop(name) and later.pop(name), name)
        equal("upload", event, {
            "type": "object.uploaded", "key": made["key"], "size_bytes": 5,
            "content_type": "application/pdf", "md5": md5(b"12345"),
            "filename": made["filename"], "uploaded_by": "anonymous"})
        equal("delete", later, {"type": "object.deleted",
                                "key": made["key"]})


@each_folder
def test_identity_that_a_hook_established_is_told(folder):
    with Service(say(200, "X-User: änn")) as service, Service() as receiver:
        auth = {"plugin": "auth_request", "url": service.url,
                "identity_header": "X-User"}
        with Gateway({"hooks": [auth, hook(folder, receiver.url)]},
                     folder=folder) as gate:
            made = gate.upload()
            gate.delete(made["key"])
            receiver.count(2)
            equal("who", [(event["identity"], event.get("uploaded_by"))
                          for event in heard(receiver)],
                  [("änn", "änn"), ("änn", None)])


@each_folder
def test_claimed_user_is_no_identity(folder):
    with Service() as service, gateway(service, folder=folder) as gate:
        send_upload(gate, "a", b"", "X-User-Id: eve", "X-Request-Id: r-1")
        service.count(1)
        event, = heard(service)
        equal("who", (event.get("identity"), event["uploaded_by"],
                      event["request_id"]), (None, "eve", "r-1"))


@each_folder
def test_what_changes_nothing_is_not_told(folder):
    with Service() as service, gateway(service, folder=folder) as gate:
        made = gate.upload()
        gate.download(made["key"])
        gate.list()
        gate.json("POST", "/files/presign", {"key": made["key"]})
        gate.ask("POST", "/files", FORM, body=b"nonsense")
        gate.json("DELETE", "/files", {"key": ""})
        gate.delete(made["key"])
        service.count(2)
        equal("types", [event["type"] for event in heard(service)],
              ["object.uploaded", "object.deleted"])


@each({"uploads": ("object.uploaded", 1), "deletes": ("object.deleted", 1)})
def test_only_chosen_events_are_sent(case):
    name, _ = case
    with tempfile.TemporaryDirectory() as folder, Service() as service, \
            gateway(service, folder=folder, events=[name]) as gate:
        gate.delete(gate.upload()["key"])
        gate.delete(gate.upload()["key"])
        service.count(2)
        gate.stop()
        equal("types", [event["type"] for event in heard(service)],
              [name] * 2)


@each_folder
def test_signature_verifies_as_the_man_page_says(folder):
    verify = snippet()
    with Service() as service, gateway(service, folder=folder) as gate:
        gate.upload(name="é\u2028.txt")
        asked = service.count(1)[0]
        signature = asked.header("X-Sluice-Signature")
        expect(verify(SECRET, signature, asked.body), "it doesn't verify")
        expect(not verify(SECRET + "x", signature, asked.body), "any secret")
        expect(not verify(SECRET, signature, asked.body + b" "), "any body")
        expect(not verify(SECRET, signature.replace("t=1", "t=2"),
                          asked.body), "any time")
        old = signature.replace("t=", "t=-")
        expect(not verify(SECRET, old, asked.body), "an old one")


# ---- receivers that fail ----------------------------------------------------

FAILURES = {"500": say(500), "404": say(404), "400": say(400),
            "429": say(429), "408": say(408), "100": send(said(100)),
            "301": say(301, "Location: /elsewhere"),
            "307": say(307, "Location: /elsewhere"),
            "304": say(304), "reset": reset, "closed": close,
            "no http": send(b"220 smtp\r\n\r\n"),
            "cut": send(b"HTTP/1.1 200 OK\r\nX: y"),
            "huge head": send(said(200, "X: " + "x" * 70000)),
            "stalls": stall, "drips": drip}


@each(FAILURES)
def test_failed_delivery_is_tried_again(behave):
    with tempfile.TemporaryDirectory() as folder, Service(behave) as service, \
            gateway(service, folder=folder, timeout="300ms") as gate:
        made = gate.upload()
        first = service.count(2)[:2]
        service.behave = say(204)
        # Of the same key: comes when the first one is settled.
        gate.delete(made["key"])
        service.until("the next event", lambda: heard(service)[-1]["type"] ==
                      "object.deleted")
        uploads = [event for event in heard(service)
                   if event["type"] == "object.uploaded"]
        equal("ids", {event["id"] for event in uploads},
              {first[0].header("X-Sluice-Event-Id")})
        equal("keys", {event["key"] for event in uploads}, {made["key"]})
        equal("target", {asked.target for asked in service.asked}, {"/hear"})
        gate.stop()
        expect(not any(event["id"] == uploads[0]["id"]
                       for event in waiting(folder)), "it still waits")


@each({"200": say(200), "201": say(201, body=b"x" * 1000),
       "204": say(204), "299": say(299),
       "endless": flood,
       "cut body": send(said(200, "Content-Length: 9", body=b"1",
                             length=False))})
def test_2xx_is_delivered_whatever_its_body(behave):
    with tempfile.TemporaryDirectory() as folder, Service(behave) as service, \
            gateway(service, folder=folder, timeout="5s") as gate:
        made = gate.upload()
        service.count(1)
        service.behave = say(204)
        # Of the same key: comes when the first one is settled.
        gate.delete(made["key"])
        service.count(2)
        equal("events", [event["type"] for event in heard(service)],
              ["object.uploaded", "object.deleted"])
        gate.stop()
        gate.says("given up: 0, lost: 0")


@each_folder
def test_410_is_given_up_at_once(folder):
    with Service(say(410)) as service, \
            gateway(service, folder=folder) as gate:
        gate.upload()
        gate.says("given up after 1 attempts: .*410")
        gate.stop()
        gate.says("given up: 1, lost: 0, still .*: 0")
        equal("requests", len(service.asked), 1)


@each_folder
def test_max_age_ends_the_attempts(folder):
    with Service(say(500)) as service, \
            gateway(service, folder=folder, max_age="300ms") as gate:
        gate.upload()
        gate.says(r"given up after \d+ attempts: .*500")
        count = len(service.asked)
        expect(count > 2, f"{count} attempts")
        gate.stop()
        equal("left", waiting(folder), [])


@each_folder
def test_pauses_grow_and_are_bounded(folder):
    with Service(say(500)) as service, gateway(
            service, folder=folder, retry_min="40ms",
            retry_max="160ms") as gate:
        gate.upload()
        times = [asked.at for asked in service.count(7)]
        gaps = [after - before for before, after in zip(times, times[1:])]
        for gap, least in zip(gaps, [0.02, 0.04, 0.08, 0.08, 0.08, 0.08]):
            expect(gap >= least, f"{gaps}")


@each({"seconds": "1", "date": None})
def test_retry_after_is_honoured(value):
    def later():
        return time.strftime("%a, %d %b %Y %H:%M:%S GMT",
                             time.gmtime(time.time() + 2))
    with tempfile.TemporaryDirectory() as folder, \
            Service(lambda conn, asked: say(
                503, f"Retry-After: {value or later()}")(conn, asked)
                    ) as service, gateway(service, folder=folder) as gate:
        gate.upload()
        service.count(1)
        service.behave = say(204)
        first, second = service.count(2)[:2]
        expect(second.at - first.at > 0.9, f"{second.at - first.at} s")


@each_folder
def test_receiver_that_comes_later_gets_all(folder):
    with Service() as service:
        port = service.port
    keys = []
    with gateway(f"http://127.0.0.1:{port}/hear", folder=folder) as gate:
        for _ in range(20):
            keys.append(gate.upload()["key"])
        gate.says("isn't delivered")
        with Service(port=port) as service:
            service.until("all", lambda: {event["key"] for event in
                                          heard(service)} == set(keys))


# ---- order and bounds -------------------------------------------------------

def per_key(events):
    """The types of each key, doubles dropped, in the order they came."""
    seen, keys = set(), {}
    for event in events:
        if event["id"] not in seen:
            seen.add(event["id"])
            keys.setdefault(event["key"], []).append(event["type"])
    return keys


@each_folder
def test_events_of_a_key_keep_their_order_while_deliveries_fail(folder):
    lock, good = threading.Lock(), []

    def moody(conn, asked):
        """Takes every third attempt only."""
        with lock:
            moody.count += 1
            if moody.count % 3:
                status = 500
            else:
                status = 204
                good.append(json.loads(asked.body))
        return say(status)(conn, asked)
    moody.count = 0
    with Service(moody) as service, gateway(
            service, folder=folder, retry_min="1ms",
            retry_max="10ms") as gate:
        for _ in range(10):
            key = gate.upload()["key"]
            for _ in range(3):
                gate.delete(key)
        service.until("all", lambda: len(good) >= 40)
        equal("events", len({event["id"] for event in good}), 40)
        for key, types in per_key(good).items():
            equal(key, types, ["object.uploaded"] + ["object.deleted"] * 3)


@each_folder
def test_later_event_of_a_key_waits_for_the_earlier(folder):
    go_on = threading.Event()

    def behave(conn, asked):
        if json.loads(asked.body)["type"] == "object.uploaded":
            go_on.wait(10)
        return say(204)(conn, asked)
    with Service(behave) as service, gateway(service, folder=folder) as gate:
        first = gate.upload()["key"]
        gate.delete(first)
        service.count(1)
        other = "t/other"
        gate.delete(other)
        service.count(2)
        equal("so far", [event["key"] for event in heard(service)],
              [first, other])
        go_on.set()
        service.count(3)
        equal("at last", [event["type"] for event in heard(service)],
              ["object.uploaded", "object.deleted", "object.deleted"])


@each_folder
def test_no_more_deliveries_at_once_than_parallel(folder):
    lock, now = threading.Lock(), {"running": 0, "most": 0}

    def behave(conn, asked):
        with lock:
            now["running"] += 1
            now["most"] = max(now["most"], now["running"])
        time.sleep(0.01)
        with lock:
            now["running"] -= 1
        return say(204)(conn, asked)
    with Service(behave) as service, \
            gateway(service, folder=folder, parallel="3") as gate:
        for _ in range(30):
            gate.upload()
        service.count(30)
        expect(now["most"] <= 3, f"{now['most']} at once")
        expect(service.connections <= 3, f"{service.connections} connections")


@each_folder
def test_full_queue_drops_and_says_so(folder):
    with Service(stall) as service, gateway(
            service, folder=folder, queue_max="3") as gate:
        keys = [gate.upload()["key"] for _ in range(5)]
        gate.says("queue of 3 events is full: events are dropped")
        gate.stop()
        gate.says("lost: 2, still .*: 3")
        equal("left", [event["key"] for event in waiting(folder)], keys[:3])


@each_folder
def test_full_queue_refuses_uploads_and_deletes_until_there_is_room(folder):
    with Service(stall) as service, gateway(
            service, folder=folder, queue_max="3", when_full="refuse",
            timeout="300ms") as gate:
        keys = [gate.upload()["key"] for _ in range(3)]
        answer = send_upload(gate)
        equal("upload", (answer.status, answer.json["code"]),
              (503, "overloaded"))
        expect(answer.header("retry-after"), "no Retry-After")
        equal("delete", gate.json("DELETE", "/files",
                                  {"key": keys[0]}).status, 503)
        equal("objects", sorted(gate.keys()), sorted(keys))
        equal("download", gate.download(keys[0]).status, 200)
        service.behave = say(204)
        eventually("room", lambda: send_upload(gate).status == 201)
        gate.stop()
        gate.says("lost: 0")


@each_folder
def test_refused_requests_give_their_room_back(folder):
    with Service(stall) as service, gateway(
            service, folder=folder, queue_max="2", when_full="refuse") as gate:
        for _ in range(5):
            gate.json("DELETE", "/files", {"key": "../a"})
            gate.ask("POST", "/files", FORM, body=b"nonsense")
        with gate.wire() as wire:
            wire.send(b"POST /files HTTP/1.1\r\nHost: a\r\n" + FORM.encode() +
                      b"\r\nContent-Length: 1000\r\n\r\n--")
            wire.reset()
        gate.upload()
        gate.upload()
        equal("third", send_upload(gate).status, 503)


@each_folder
def test_concurrent_uploads_never_exceed_a_refusing_queue(folder):
    with Service(stall) as service, gateway(
            service, folder=folder, queue_max="10",
            when_full="refuse") as gate:
        statuses, lock = [], threading.Lock()

        def work():
            for _ in range(5):
                status = send_upload(gate).status
                with lock:
                    statuses.append(status)
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal("taken", statuses.count(201), 10)
        equal("refused", statuses.count(503), 30)
        gate.stop()
        gate.says("lost: 0, still .*: 10")


# ---- ends and crashes -------------------------------------------------------

@each_folder
def test_queue_goes_on_after_a_restart(folder):
    with Service(say(500)) as service:
        with gateway(service, folder=folder) as gate:
            keys = [gate.upload()["key"] for _ in range(5)]
        equal("left", [event["key"] for event in waiting(folder)], keys)
        service.asked.clear()
        service.behave = say(204)
        with gateway(service, folder=folder) as gate:
            gate.says("still to be delivered: 5")
            service.count(5)
            gate.stop()
        equal("keys", sorted(event["key"] for event in heard(service)),
              sorted(keys))
        expect(len(waiting(folder)) <= 1, "what was delivered still waits")


@each_folder
def test_stalled_receiver_does_not_hold_up_the_end(folder):
    with Service(stall) as service, \
            gateway(service, folder=folder, timeout="1h") as gate:
        gate.upload()
        service.count(1)
        started = time.monotonic()
        gate.signal(signal.SIGTERM)
        equal("exit status", gate.wait(), 0)
        expect(time.monotonic() - started < 3 * SLOWNESS, "it waited")
        equal("left", len(waiting(folder)), 1)


@each_folder
def test_busy_deliveries_do_not_hold_up_the_end(folder):
    with Service(say(500)) as service:
        with gateway(service, folder=folder) as gate:
            for _ in range(300):
                gate.delete("t/x")
                gate.delete("t/y")
        service.behave = say(204)
        service.asked.clear()
        with gateway(service, folder=folder) as gate:
            service.count(5)
            started = time.monotonic()
            gate.signal(signal.SIGTERM)
            equal("exit status", gate.wait(), 0)
            expect(time.monotonic() - started < 3 * SLOWNESS, "it waited")
            events = heard(service)
        left = waiting(folder)
        equal("all are heard of or wait", len(
            {event["id"] for event in [*events, *left]}), 600)


def changes(gate, answered, stop):
    """Uploads and deletes until the gateway is gone; notes what it answered.
    """
    while not stop.is_set():
        try:
            answer = send_upload(gate)
            if answer.status != 201:
                return
            key = answer.json["key"]
            answered.append((key, "object.uploaded"))
            if gate.json("DELETE", "/files", {"key": key}).status != 200:
                return
            answered.append((key, "object.deleted"))
        except (OSError, Mismatch):
            return


@each({"stalls": stall, "fails": say(500), "takes": say(204),
       "resets": reset})
def test_kill_9_loses_no_event_of_an_answered_change(behave):
    with tempfile.TemporaryDirectory() as folder, Service(behave) as service:
        answered, stop = [], threading.Event()
        gate = gateway(service, folder=folder)
        threads = [threading.Thread(target=changes,
                                    args=(gate, answered, stop))
                   for _ in range(6)]
        for thread in threads:
            thread.start()
        eventually("changes", lambda: len(answered) > 100)
        gate.process.kill()
        gate.process.wait()
        stop.set()
        for thread in threads:
            thread.join()
        service.behave = say(204)
        with gateway(service, folder=folder) as gate:
            missing = set(answered)

            def all_heard():
                missing.difference_update(
                    (event["key"], event["type"])
                    for event in heard(service))
                return not missing
            service.until("every answered change", all_heard)
        for key, types in per_key(heard(service)).items():
            equal(f"order of {key}", types,
                  ["object.uploaded", "object.deleted"][:len(types)])


@each_folder
def test_two_gateways_do_not_share_a_queue(folder):
    with Service() as service, gateway(service, folder=folder):
        with tempfile.TemporaryDirectory() as other:
            refusal({"hooks": [hook(folder, service.url)]},
                    "used by another gateway or hook", folder=other)


@each_folder
def test_two_hooks_tell_two_receivers(folder):
    with Service() as one, Service(say(500)) as other:
        hooks = [hook(folder, one.url),
                 hook(folder, other.url,
                      directory=str(Path(folder, "other")))]
        with Gateway({"hooks": hooks}, folder=folder) as gate:
            gate.delete(gate.upload()["key"])
            one.count(2)
            other.count(2)
        expect(heard(one)[0] not in waiting(folder), "it still waits")
        equal("other", {event["type"] for event in heard(other)},
              {"object.uploaded"})


# ---- a disk that fails ------------------------------------------------------

@each_folder
def test_disk_that_fails_costs_the_event_and_not_the_answer(folder):
    # A write beyond the limit of a file's size fails, and is no signal.
    quiet = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"]
    with Service(stall) as service, \
            gateway(service, folder=folder, before=quiet) as gate:
        # Of these only the queue's log grows.
        for _ in range(60):
            gate.delete("t/none")
        log = Path(folder, "events", "events.db-wal").stat().st_size
        old = resource.prlimit(gate.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(gate.pid, resource.RLIMIT_FSIZE, (log, old[1]))
        made = gate.upload()
        gate.says("1 events are lost: .*; 1 since the start")
        equal("object", gate.download(made["key"]).status, 200)
        gate.delete("t/lost")
        gate.says("1 events are lost: .*; 2 since the start")
        resource.prlimit(gate.pid, resource.RLIMIT_FSIZE, old)
        gate.delete("t/kept")
        gate.stop()
        gate.says("lost: 2, still .*: 61")
        equal("last", waiting(folder)[-1]["key"], "t/kept")


@each_folder
def test_delivery_that_cannot_be_noted_is_noted_later(folder):
    quiet = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"]
    go_on = threading.Event()

    def behave(conn, asked):
        go_on.wait(10)
        return say(204)(conn, asked)
    with Service(behave) as service, \
            gateway(service, folder=folder, before=quiet) as gate:
        gate.delete("t/a")
        service.count(1)
        log = Path(folder, "events", "events.db-wal").stat().st_size
        old = resource.prlimit(gate.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(gate.pid, resource.RLIMIT_FSIZE, (log, old[1]))
        go_on.set()
        gate.says("deliveries can't be noted")
        resource.prlimit(gate.pid, resource.RLIMIT_FSIZE, old)
        gate.delete("t/a")
        service.count(2)
        gate.stop()
        equal("requests", len(service.asked), 2)
        expect(heard(service)[0] not in waiting(folder), "it still waits")


# ---- configuration ----------------------------------------------------------

@each({
    "url": ({"url": "a"}, "http://"),
    "no url": ({"url": None}, "url"),
    "no secret": ({"secret": None}, "secret"),
    "short secret": ({"secret": "x" * 15}, "16 to 1024"),
    "long secret": ({"secret": "x" * 1025}, "16 to 1024"),
    "no directory": ({"directory": None}, "directory"),
    "empty directory": ({"directory": ""}, "empty"),
    "above": ({"directory": "/nowhere/at/all"}, "can't be made"),
    "event": ({"events": ["uploaded"]}, "there is no 'uploaded'"),
    "no event": ({"events": []}, "empty"),
    "full": ({"when_full": "wait"}, "drop or refuse"),
    "queue": ({"queue_max": "0"}, "queue_max"),
    "parallel": ({"parallel": "65"}, "between 1 and 64"),
    "timeout": ({"timeout": "0"}, "timeout"),
    "retry_min": ({"retry_min": "2h"}, "retry_min"),
    "retry_max": ({"retry_min": "2s", "retry_max": "1s"}, "retry_max"),
    "max_age": ({"max_age": "366d"}, "max_age"),
})
def test_bad_configuration_is_refused(case):
    options, words = case
    with tempfile.TemporaryDirectory() as folder:
        one = hook(folder, "http://127.0.0.1:1/")
        one.update(options)
        line = refusal({"hooks": [{name: value for name, value in one.items()
                                   if value is not None}]}, words)
        expect(str(options.get("secret")) not in line, "the secret is logged")


@each({"garbage": b"not a database at all" * 100,
       "another's": None})
def test_foreign_file_is_left_alone(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events", "events.db")
        path.parent.mkdir()
        if content is None:
            base = sqlite3.connect(path)
            base.execute("CREATE TABLE a(b)")
            base.commit()
            base.close()
            content = path.read_bytes()
        else:
            path.write_bytes(content)
        refusal({"hooks": [hook(folder, "http://127.0.0.1:1/")]},
                "choose another directory")
        equal("file", path.read_bytes(), content)


@each_folder
def test_secret_is_never_logged(folder):
    with Service(say(500)) as service, gateway(
            service, folder=folder,
            sections={"server": {"log_level": "debug"}}) as gate:
        gate.upload()
        service.count(3)
        gate.stop()
        expect(not any(SECRET in line for line in gate.lines), "it is")


@test
def test_every_option_is_in_the_man_page():
    page = MAN.read_text()
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, {
            "plugin_path": PLUGINS, "routes": [{"mount": "/",
                                                "backend": "main"}],
            "backends": {"main": {"plugin": "local", "directory": folder}},
            "hooks": [{**hook(folder, "http://a"), "no": "1"}]})
        _, _, text = run("-t", "-c", path)
        names = re.search(r"known: (.*)", text)[1].split(", ")
        expect(len(names) > 5, text)
        for name in names:
            expect(name == "plugin" or f".It Cm {name} :" in page,
                   f"{name} isn't in the man page")


@test
def test_example_is_accepted():
    with tempfile.TemporaryDirectory() as folder:
        text = (SOURCES / "plugins/hook/events/events.yaml").read_text()
        path = written(folder, f"plugin_path: {json.dumps(PLUGINS)}\n" + text)
        got = run("-t", "-c", path)
        equal("sluice -t", (got[0], got[2]), (0, got[2]))


main()

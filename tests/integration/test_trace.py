#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Why a request was slow, and whose trace it is: what the log says, what those
who may see it are told, and what goes on to storages and services."""
import hashlib
import json
import re
import tempfile
from pathlib import Path

from bucket import backend, shared
from kit import (FORM, MIB, Gateway, Mismatch, each, equal, eventually, expect,
                 file, form, like, main, test)
from service import Service, say

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
FIELDS = ["status", "duration_us", "client_us", "hooks_us", "backend_us",
          "hash_us", "attempts", "ended_by", "refused_by", "trace_id",
          "span_id"]
TIMING = re.compile(
    r"client;dur=[\d.]+, hooks;dur=[\d.]+, backend;dur=[\d.]+;"
    r'desc="\d+ attempts", hash;dur=[\d.]+, total;dur=[\d.]+\Z')


class Logged(Gateway):
    """A gateway that logs; `hooks` stand before the log."""

    def __init__(self, *hooks, **sections):
        folder = tempfile.mkdtemp(prefix="sluice-test-")
        self.log = Path(folder, "access.json")
        log = {"plugin": "log_json", "path": str(self.log), "delay": "10ms",
               "fields": FIELDS}
        super().__init__({"server": {"workers": "1"},
                          "hooks": [*hooks, log], **sections}, folder=folder)
        self.own = True

    def records(self, count=1):
        eventually(f"{count} records", lambda: self.log.exists() and
                   self.log.read_bytes().count(b"\n") >= count)
        return [json.loads(line) for line in
                self.log.read_text().splitlines()]


def tokens(folder, **operations):
    """A token file of these, whose keys are their names ten times."""
    path = Path(folder, "tokens.yaml")
    path.write_text(json.dumps({"tokens": [
        {"sha256": hashlib.sha256((who * 10).encode()).hexdigest(),
         "identity": who, "operations": what, "prefixes": [""]}
        for who, what in operations.items()]}))
    path.chmod(0o600)
    return {"plugin": "auth_token", "file": str(path)}


def by(who):
    return f"Authorization: Bearer {who * 10}"


def up(gate, *lines, data=b"hello"):
    return gate.ask("POST", "/files", FORM, *lines, body=form(file(data)))


# ---- the trace

@each({"taken": ([f"traceparent: {PARENT}"], TRACE),
       "without": ([], None),
       "not valid": ([f"traceparent: {PARENT.upper()}"], None),
       "twice": ([f"traceparent: {PARENT}"] * 2, None)})
def test_log_names_the_trace(case):
    lines, want = case
    with Logged() as gate:
        equal("status", up(gate, *lines).status, 201)
        up(gate)
        record, other = gate.records(2)
        like("span", record["span_id"], r"\A[0-9a-f]{16}\Z")
        like("trace", record["trace_id"], r"\A[0-9a-f]{32}\Z")
        expect(record["span_id"] != SPAN, "the client's span is the gateway's")
        expect(record["trace_id"] != other["trace_id"], "two are one trace")
        if want:
            equal("trace", record["trace_id"], want)
        else:
            expect(record["trace_id"] != TRACE, "it was taken")


def from_us(asked, record, state):
    """The headers that somebody was asked with."""
    equal("traceparent", asked.header("traceparent"),
          f"00-{record['trace_id']}-{record['span_id']}-01")
    equal("tracestate", asked.header("tracestate"), state)


@each({"with": ("a=1,b=2", "a=1,b=2"), "none": (None, None),
       "not valid": ("a=1,a=2", None), "of 512": ("a=1" + " " * 509, "a=1"),
       "two lines": ("a=1\r\ntracestate: b=2", "a=1, b=2")})
def test_service_is_told_the_trace(case):
    sent, want = case
    lines = [f"traceparent: {PARENT}"]
    lines += [f"tracestate: {sent}"] if sent else []
    with Service(say(200)) as service:
        hook = {"plugin": "auth_request", "url": service.url + "/may-i"}
        with Logged(hook) as gate:
            equal("status", up(gate, *lines).status, 201)
            record, = gate.records()
            from_us(service.asked[0], record, want)


@test
def test_own_header_of_the_client_is_not_sent_twice():
    with Service(say(200)) as service:
        hook = {"plugin": "auth_request", "url": service.url + "/may-i",
                "send_headers": ["traceparent", "Cookie"]}
        with Logged(hook) as gate:
            up(gate, f"traceparent: {PARENT}")
            equal("count", len(service.asked[0].all("traceparent")), 1)


@test
def test_webhook_is_told_the_trace():
    with Service(say(200)) as service, \
            tempfile.TemporaryDirectory() as folder:
        hook = {"plugin": "events", "url": service.url + "/hear",
                "secret": "a secret of the test's",
                "directory": str(Path(folder, "events"))}
        with Logged(hook) as gate:
            up(gate, f"traceparent: {PARENT}", "tracestate: a=1")
            record, = gate.records()
            eventually("the event", lambda: service.asked)
            from_us(service.asked[0], record, "a=1")
            equal("in the body", json.loads(service.asked[0].body)
                  ["traceparent"], service.asked[0].header("traceparent"))


# ---- storages

def heads(s3, name):
    """That header of all requests since forget()."""
    return [dict(one["headers"]).get(name) for one in s3.requests("PUT")]


def with_bucket(s3, **options):
    return {"backends": {"main": backend(s3, **options)}}


@each({"sent": ("true", True), "not wanted": ("false", False)})
def test_storage_is_told_the_trace(case):
    trace, sent = case
    s3 = shared("minio")
    with Logged(**with_bucket(s3, trace=trace)) as gate:
        s3.forget()
        equal("status", up(gate, f"traceparent: {PARENT}",
                           "tracestate: a=1").status, 201)
        record, = gate.records()
        equal("traceparent", heads(s3, "traceparent"), [
            f"00-{TRACE}-{record['span_id']}-01" if sent else None])
        equal("tracestate", heads(s3, "tracestate"), ["a=1" if sent else None])


ASKED = {"download": ("GET", "/files/download?key={}"),
         "head": ("HEAD", "/files/object?key={}"),
         "list": ("GET", "/files?prefix=uploads/"),
         "copy": ("POST", "/files/copy", '{{"from": "{}", "to": "other"}}'),
         "many": ("POST", "/files/delete", '{{"keys": ["{}", "b"]}}'),
         "delete": ("DELETE", "/files/object?key={}")}


@each({name: asked for name, asked in ASKED.items()})
def test_whatever_is_asked_of_a_storage_has_the_trace(asked):
    method, target, *body = (word for word in asked)
    s3 = shared("minio")
    with Logged(**with_bucket(s3)) as gate:
        key = up(gate).json["key"]
        s3.forget()
        lines = ["Content-Type: application/json"] if body else []
        answer = gate.ask(method, target.format(key), *lines,
                          f"traceparent: {PARENT}",
                          body="".join(body).format(key).encode() or None)
        expect(answer.status in (200, 201, 204), answer.status)
        record = gate.records(2)[1]
        sent = [dict(one["headers"]).get("traceparent")
                for one in s3.requests()]
        expect(sent, "nothing was asked of the storage")
        equal("traceparent", set(sent), {f"00-{TRACE}-{record['span_id']}-01"})
        equal("attempts", record["attempts"], len(sent))


@test
def test_attempts_are_counted():
    s3 = shared("minio")
    with Logged(**with_bucket(s3)) as gate:
        s3.faults({"match": {"method": "PUT"}, "do": "503"})
        equal("status", up(gate).status, 201)
        equal("attempts", gate.records()[0]["attempts"], 2)


# ---- times, and who refused

@test
def test_parts_are_the_whole():
    with Logged(uploads={"sha256": "true"}) as gate:
        # Time in which something else is waited for, too, isn't the hash's.
        for count in range(1, 21):
            equal("status", up(gate, data=bytes(8 * MIB)).status, 201)
            record = gate.records(count)[-1]
            equal("sum", record["client_us"] + record["hooks_us"]
                  + record["backend_us"] + record["hash_us"],
                  record["duration_us"])
            equal("refused", (record["refused_by"], record["attempts"]),
                  (None, 0))
            if record["hash_us"] > 0:
                return
        raise Mismatch(f"never a time for 8 MiB: {record}")


@test
def test_record_names_the_limit():
    with Logged(uploads={"max_bytes": "1KiB"}) as gate:
        equal("status", up(gate, data=bytes(1025)).status, 413)
        record, = gate.records()
        equal("why", (record["ended_by"], record["refused_by"]),
              ("limit", "uploads.max_bytes"))


@test
def test_record_names_the_hook():
    with tempfile.TemporaryDirectory() as folder, \
            Logged(tokens(folder, reads=["download"])) as gate:
        equal("status", up(gate, by("reads")).status, 403)
        record, = gate.records()
        equal("why", (record["ended_by"], record["refused_by"]),
              ("hook", "auth_token"))


# ---- Server-Timing

@test
def test_those_who_may_see_how_long_it_took():
    with tempfile.TemporaryDirectory() as folder, \
            Logged(tokens(folder, sees=["*", "debug"], all=["*"])) as gate:
        answer = up(gate, by("sees"))
        equal("status", answer.status, 201)
        expect(TIMING.match(answer.header("server-timing")),
               answer.header("server-timing"))
        for lines in [by("all")], []:
            equal("others", up(gate, *lines).header("server-timing"), None)
        key = answer.json["key"]
        answer = gate.ask("GET", f"/files/download?key={key}", by("sees"))
        expect(TIMING.match(answer.header("server-timing")), "of a download")


@each({"says so": ("true", True), "says no": ("false", False),
       "nothing": (None, False)})
def test_service_may_grant_it(case):
    said, seen = case
    lines = [f"X-Debug: {said}"] if said else []
    with Service(say(200, *lines)) as service:
        hook = {"plugin": "auth_request", "url": service.url + "/may-i",
                "debug_header": "X-Debug"}
        with Logged(hook) as gate:
            answer = up(gate)
            equal("seen", answer.header("server-timing") is not None, seen)


@test
def test_pages_that_may_read_it():
    app = "https://app.example"
    with tempfile.TemporaryDirectory() as folder, \
            Logged(tokens(folder, sees=["*", "debug"], all=["*"]),
                   cors={"origins": [app], "expose": ["X-Other"]}) as gate:
        for origin, want in (app, (app, True)), ("https://x.y", (None, None)):
            answer = gate.ask("GET", "/files", by("sees"), f"Origin: {origin}")
            exposed = answer.header("access-control-expose-headers")
            equal(origin, (answer.header("timing-allow-origin"),
                           exposed and "Server-Timing" in exposed), want)
        answer = gate.ask("GET", "/files", by("all"), f"Origin: {app}")
        equal("others", answer.header("timing-allow-origin"), None)
        expect("Server-Timing" not in
               answer.header("access-control-expose-headers"), "exposed")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hook auth_request against a service that may say anything, or nothing:
only a clean 2xx admits."""
import json
import re
import signal
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[3] / "tests/integration"))

# pylint: disable=wrong-import-position
from kit import (FORM, PLUGINS, SOURCES, Gateway, among, each,
                 equal, eventually, expect, field, file, form, like, main,
                 refusal, run, test, written)
from service import (Service, close, drip, flood, reset, said, say, send,
                     stall)

KEY = "/files/download?key=t%2Fnone"


def gateway(service, /, *, server=None, **options):
    """One loop, so that what loops keep for themselves can be counted."""
    url = service if isinstance(service, str) else service.url + "/may-i"
    return Gateway({"server": {"workers": "1", **(server or {})},
                    "hooks": [{"plugin": "auth_request", "url": url,
                               **options}]})


def by_user(conn, asked):
    """Authorization: USER is that user; without it, 401."""
    user = asked.header("Authorization")
    if not user:
        return say(401, "WWW-Authenticate: Test realm=x")(conn, asked)
    return say(200, f"X-User: {user}", f"X-Seen: {asked.target}")(conn, asked)


def start(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def send_upload(gate, *lines, prefix="t"):
    return gate.ask("POST", "/files", FORM, *lines,
                    body=form(field("prefix", prefix), file()))


# ---- what the service hears -------------------------------------------------

@test
def test_service_is_asked_before_anything_is_looked_up():
    with Service(say(403)) as service, gateway(service) as gate:
        there = gate.ask("GET", KEY)
        equal("answer", (there.status, there.json["code"]),
              (403, "forbidden"))
        equal("requests", len(service.asked), 1)


@test
def test_service_is_told_what_is_asked():
    with Service() as service, gateway(service) as gate:
        answer = gate.ask("GET", KEY + "&x=%0d%0a", "Authorization: Bearer a",
                          "Cookie: b=c", "X-Other: d", "Accept: e/f")
        asked = service.last
        equal("answer", answer.status, 404)
        equal("line", (asked.method, asked.target), ("GET", "/may-i"))
        equal("headers", dict(asked.headers), {
            "host": f"127.0.0.1:{service.port}",
            "authorization": "Bearer a", "cookie": "b=c",
            "x-original-method": "GET", "x-original-uri": KEY + "&x=%0d%0a",
            "x-operation": "download", "x-client": "127.0.0.1",
            "x-request-id": answer.header("x-request-id")})
        equal("how many", len(asked.headers), 8)


@test
def test_clients_versions_of_our_headers_do_not_go():
    names = ["X-Original-Method", "X-Original-URI", "X-Operation",
             "X-Client", "X-Key"]
    with Service() as service, gateway(service, check_key="true") as gate:
        gate.ask("GET", KEY, *(f"{name}: forged" for name in names))
        equal("requests", len(service.asked), 2)
        for asked in service.asked:
            for name in names:
                among(name, asked.header(name),
                      ["GET", KEY, "download", "127.0.0.1", "t/none", None])


@each({"upload": ("POST", "/files", "upload"),
       "presign": ("POST", "/files/presign", "presign"),
       "download": ("GET", KEY, "download"),
       "head": ("HEAD", KEY, "download"),
       "list": ("GET", "/files?prefix=a", "list"),
       "delete": ("DELETE", "/files", "delete")})
def test_every_operation_is_asked_about(case):
    method, target, operation = case
    with Service(say(403)) as service, gateway(service) as gate:
        equal("status", gate.ask(method, target).status, 403)
        equal("operation", service.last.header("X-Operation"), operation)
        equal("method", service.last.header("X-Original-Method"), method)
        equal("target", service.last.header("X-Original-URI"), target)


@test
def test_health_is_not_asked_about():
    with Service(say(403)) as service, gateway(service) as gate:
        equal("status", gate.ask("GET", "/healthz").status, 200)
        equal("status", gate.ask("GET", "/nowhere").status, 404)
        equal("requests", len(service.asked), 0)


@test
def test_chosen_headers_go_and_no_others():
    with Service() as service, \
            gateway(service, send_headers=["X-Api-Key"]) as gate:
        gate.ask("GET", KEY, "Authorization: no", "X-Api-Key: yes")
        equal("headers", (service.last.header("Authorization"),
                          service.last.header("X-Api-Key")), (None, "yes"))


@test
def test_head_can_be_the_method():
    with Service() as service, gateway(service, method="HEAD") as gate:
        equal("status", gate.ask("GET", KEY).status, 404)
        equal("method", service.last.method, "HEAD")


# ---- what its answers mean --------------------------------------------------

@each({"200": (say(200, body=b"fine"), 404, "object_not_found"),
       "204": (say(204), 404, "object_not_found"),
       "299": (say(299), 404, "object_not_found"),
       "401": (say(401), 401, "unauthorized"),
       "403": (say(403, body=b"no"), 403, "forbidden"),
       "101": (send(said(101)), 502, "upstream_failed"),
       "301": (say(301, "Location: /yes"), 502, "upstream_failed"),
       "302": (say(302, "Location: http://127.0.0.1:1/"), 502,
               "upstream_failed"),
       "304": (say(304), 502, "upstream_failed"),
       "400": (say(400), 502, "upstream_failed"),
       "404": (say(404), 502, "upstream_failed"),
       "407": (say(407), 502, "upstream_failed"),
       "429": (say(429), 502, "upstream_failed"),
       "500": (say(500), 502, "upstream_failed"),
       "503": (say(503), 502, "upstream_failed"),
       "interim": (send(b"HTTP/1.1 103 Hints\r\n\r\n" + said(204)), 404,
                   "object_not_found"),
       "reset": (reset, 502, "upstream_failed"),
       "closed": (close, 502, "upstream_failed"),
       "no_http": (send(b"SSH-2.0-x\r\n\r\n"), 502, "upstream_failed"),
       "cut_head": (send(b"HTTP/1.1 200 OK\r\nX-Us"), 502,
                    "upstream_failed"),
       "cut_body": (send(said(200, "Content-Length: 5", body=b"1",
                              length=False)), 502, "upstream_failed"),
       "folded": (send(b"HTTP/1.1 200 OK\r\n X: y\r\n\r\n"), 502,
                  "upstream_failed"),
       "huge_head": (send(said(200, "X-Big: " + "x" * 70000)), 502,
                     "upstream_failed"),
       "64KiB_body": (say(200, body=b"x" * 65536), 404, "object_not_found"),
       "larger_body": (say(200, body=b"x" * 65537), 502, "upstream_failed"),
       "endless_body": (flood, 502, "upstream_failed"),
       "stalls": (stall, 503, "overloaded"),
       "drips": (drip, 503, "overloaded")})
def test_only_a_clean_2xx_admits(case):
    behave, status, code = case
    with Service(behave) as service, \
            gateway(service, timeout="500ms") as gate:
        answer = gate.ask("GET", KEY, "Authorization: x")
        equal("answer", (answer.status, answer.json["code"]), (status, code))
        expect("127.0.0.1" not in answer.error, "the service is named")
        equal("Retry-After", answer.header("retry-after"),
              "5" if status == 503 else None)


@test
def test_refused_connection_fails_closed():
    with Service() as service:
        url = service.url
    with gateway(url) as gate:
        equal("status", gate.ask("GET", KEY).status, 503)
        gate.says("warn .*request .* is refused")


@test
def test_challenge_of_a_401_reaches_the_client():
    with Service(say(401, "WWW-Authenticate: Basic realm=a",
                     "WWW-Authenticate: Bearer")) as service, \
            gateway(service) as gate:
        answer = gate.ask("GET", KEY)
        equal("status", answer.status, 401)
        equal("challenges", [value for name, value in answer.headers
                             if name == "www-authenticate"],
              ["Basic realm=a", "Bearer"])


@test
def test_challenge_of_a_2xx_stays():
    with Service(say(200, "WWW-Authenticate: Basic")) as service, \
            gateway(service) as gate:
        equal("challenge", gate.ask("GET", KEY).header("www-authenticate"),
              None)


@test
def test_returned_headers_reach_the_client():
    with Service(say(200, "x-quota: 7", "Set-Cookie: a=1",
                     "Set-Cookie: b=2", "X-Secret: s")) as service, \
            gateway(service, return_headers=["X-Quota", "Set-Cookie"]) as gate:
        answer = gate.ask("GET", KEY)
        equal("headers", [pair for pair in answer.headers if pair[0] in
                          ("x-quota", "set-cookie", "x-secret")],
              [("x-quota", "7"), ("set-cookie", "a=1"),
               ("set-cookie", "b=2")])


@each({"fits": (4000, 404), "too_long": (4200, 502)})
def test_returned_headers_are_bounded(case):
    size, status = case
    with Service(say(200, "X-Quota: " + "q" * size)) as service, \
            gateway(service, return_headers=["X-Quota"]) as gate:
        equal("status", gate.ask("GET", KEY).status, status)


# ---- identity ---------------------------------------------------------------

@test
def test_identity_opens_the_users_prefix_and_no_other():
    with Service(by_user) as service, gateway(
            service, identity_header="X-User", prefixes=["u/{user}/"]) as gate:
        equal("own", send_upload(gate, "Authorization: ann",
                                 prefix="u/ann").status, 201)
        for who, prefix in (("bob", "u/ann"), ("an", "u/ann"),
                            ("ann/..", "u/ann"), ("ann", "u/annabel"),
                            ("ann", "t"), ("..", "u/..")):
            among(f"{who} in {prefix}", send_upload(
                gate, f"Authorization: {who}", prefix=prefix).status,
                [400, 403])
        equal("list", gate.ask("GET", "/files?prefix=u%2Fann%2F",
                               "Authorization: ann").status, 200)
        equal("list", gate.ask("GET", "/files?prefix=u%2Fann",
                               "Authorization: ann").status, 403)


@test
def test_operations_that_are_not_granted_are_403():
    with Service(by_user) as service, gateway(
            service, operations=["download"]) as gate:
        equal("download", gate.ask("GET", KEY,
                                   "Authorization: ann").status, 404)
        equal("list", gate.ask("GET", "/files?prefix=a",
                               "Authorization: ann").status, 403)
        equal("unknown", gate.ask("GET", "/files?prefix=a").status, 401)


@each({"missing": [], "empty": ["X-User: "], "twice": ["X-User: a",
                                                       "X-User: b"],
       "latin1": ["X-User: \udce9"], "long": ["X-User: " + "a" * 257],
       "control": ["X-User: a\x01b"], "c1": ["X-User: a\u0085b"]})
def test_bad_identity_fails_closed(lines):
    with Service(say(200, *lines)) as service, gateway(
            service, identity_header="X-User", cache_time="1h") as gate:
        for _ in range(2):
            answer = gate.ask("GET", KEY)
            equal("answer", (answer.status, answer.json["code"]),
                  (502, "upstream_failed"))
        equal("requests", len(service.asked), 2)


@test
def test_identity_of_256_bytes_is_fine():
    with Service(say(200, "X-User: " + "é" * 128)) as service, gateway(
            service, identity_header="X-User",
            prefixes=["{user}/"]) as gate:
        equal("status", gate.ask("GET", "/files/download?key=" +
                                 quote("é" * 128 + "/a")).status, 404)


# ---- keys -------------------------------------------------------------------

@test
def test_service_decides_on_keys():
    def behave(conn, asked):
        key = asked.header("X-Key")
        status = 403 if key and key.startswith("secret/") else 200
        return say(status)(conn, asked)
    with Service(behave) as service, \
            gateway(service, check_key="true") as gate:
        equal("open", gate.ask("GET", KEY).status, 404)
        equal("secret", gate.ask(
            "GET", "/files/download?key=secret/a").status, 403)
        equal("upload", send_upload(gate, prefix="open").status, 201)
        equal("upload", send_upload(gate, prefix="secret").status, 403)
        equal("delete", gate.json("DELETE", "/files",
                                  {"key": "secret/x"}).status, 403)
        equal("list", gate.ask("GET", "/files?prefix=secret/").status, 403)


@test
def test_key_is_percent_encoded():
    key = "a b/é\u2028%0d+?"
    with Service() as service, gateway(service, check_key="true") as gate:
        gate.ask("GET", "/files/download?key=" + quote(key, safe=""))
        equal("keys", [asked.header("X-Key") for asked in service.asked],
              [None, quote(key, safe="/")])
        gate.ask("GET", "/files?prefix=")
        among("no prefix", service.last.header("X-Key"), ["", None])


@test
def test_client_that_leaves_while_the_key_is_checked_is_let_go():
    def behave(conn, asked):
        return stall(conn, asked) if asked.header("X-Key") is not None \
            else say(200)(conn, asked)
    with Service(behave) as service, \
            gateway(service, check_key="true") as gate:
        gate.alive()
        with gate.wire() as wire:
            wire.send(b"GET " + KEY.encode() +
                      b" HTTP/1.1\r\nHost: a\r\n\r\n")
            service.count(2)
            wire.reset()
        service.until("the call's end", lambda: len(service.open) <= 1)
        gate.alive()


# ---- answers that are kept --------------------------------------------------

def ask_for(gate, user, target=KEY):
    return gate.ask("GET", target, f"Authorization: {user}").status


@test
def test_without_cache_time_each_request_is_asked_about():
    with Service(by_user) as service, gateway(service) as gate:
        for _ in range(3):
            equal("status", ask_for(gate, "ann"), 404)
        equal("requests", len(service.asked), 3)


@test
def test_kept_answer_is_given_again_with_its_identity_and_headers():
    with Service(by_user) as service, gateway(
            service, cache_time="1h", identity_header="X-User",
            return_headers=["X-Seen"], prefixes=["{user}/"]) as gate:
        target = "/files/download?key=ann%2Fa"
        for _ in range(3):
            answer = gate.ask("GET", target, "Authorization: ann")
            equal("answer", (answer.status, answer.header("x-seen")),
                  (404, "/may-i"))
        equal("requests", len(service.asked), 1)


@each({"401": 401, "403": 403})
def test_refusals_are_kept_too(status):
    with Service(say(status, "WWW-Authenticate: Test")) as service, \
            gateway(service, cache_time="1h") as gate:
        for _ in range(2):
            answer = gate.ask("GET", KEY)
            equal("status", answer.status, status)
            equal("challenge", answer.header("www-authenticate"),
                  "Test" if status == 401 else None)
        equal("requests", len(service.asked), 1)


@each({"302": 302, "404": 404, "500": 500})
def test_failures_are_not_kept(status):
    with Service(say(status)) as service, \
            gateway(service, cache_time="1h") as gate:
        equal("status", gate.ask("GET", KEY).status, 502)
        service.behave = say(204)
        equal("status", gate.ask("GET", KEY).status, 404)


@test
def test_kept_answers_are_of_one_user_key_operation_and_method():
    with Service(by_user) as service, \
            gateway(service, cache_time="1h", check_key="true") as gate:
        other = KEY + "x"
        for count, ask in ((2, lambda: ask_for(gate, "ann")),
                           (2, lambda: ask_for(gate, "ann")),
                           (4, lambda: ask_for(gate, "bob")),
                           (6, lambda: ask_for(gate, "ann", other)),
                           (8, lambda: ask_for(gate, "ann",
                                               "/files?prefix=t")),
                           (10, lambda: gate.ask(
                               "HEAD", KEY, "Authorization: ann").status),
                           (11, lambda: ask_for(gate, "")),
                           (11, lambda: ask_for(gate, "ann")),
                           (11, lambda: ask_for(gate, "bob"))):
            ask()
            equal("requests", len(service.asked), count)


@test
def test_headers_cannot_be_moved_across_to_share_an_answer():
    with Service(by_user) as service, gateway(
            service, cache_time="1h",
            send_headers=["Authorization", "X-B"]) as gate:
        for lines in (["Authorization: a", "X-B: b"],
                      ["Authorization: aX-B: b"], ["X-B: b"],
                      ["Authorization: a\tX-B: b"]):
            gate.ask("GET", KEY, *lines)
        equal("requests", len(service.asked), 4)


@test
def test_upload_keys_are_asked_about_one_by_one():
    with Service(by_user) as service, \
            gateway(service, cache_time="1h", check_key="true") as gate:
        for count in (2, 3):
            equal("status", send_upload(gate, "Authorization: a").status, 201)
            equal("requests", len(service.asked), count)


@test
def test_kept_answer_expires():
    with Service(by_user) as service, \
            gateway(service, cache_time="300ms") as gate:
        ask_for(gate, "ann")
        service.behave = say(403)
        eventually("an answer that isn't kept any more",
                   lambda: ask_for(gate, "ann") == 403)
        equal("requests", len(service.asked), 2)


@each({"no-store": "no-store", "no-cache": "private, no-cache",
       "age 0": "max-age=0", "no age": "max-age=x"})
def test_service_may_forbid_to_keep(control):
    with Service(say(200, f"Cache-Control: {control}")) as service, \
            gateway(service, cache_time="1h") as gate:
        for _ in range(2):
            equal("status", gate.ask("GET", KEY).status, 404)
        equal("requests", len(service.asked), 2)


@test
def test_memo_is_bounded():
    with Service(by_user) as service, gateway(
            service, cache_time="1h", cache_size="8KiB",
            identity_header="X-User") as gate:
        for number in range(200):
            ask_for(gate, f"user{number}")
        ask_for(gate, "user199")
        equal("requests", len(service.asked), 200)
        ask_for(gate, "user0")
        equal("requests", len(service.asked), 201)


# ---- the breaker and other bounds -------------------------------------------

@test
def test_breaker_opens_probes_and_closes():
    with Service(say(500)) as service, gateway(
            service, breaker_failures="3", breaker_time="600ms") as gate:
        for _ in range(3):
            equal("status", gate.ask("GET", KEY).status, 502)
        gate.says("error .*circuit breaker opens")
        answer = gate.ask("GET", KEY)
        equal("open", (answer.status, answer.header("retry-after")),
              (503, "1"))
        equal("requests", len(service.asked), 3)
        # The probe fails: open again.
        eventually("a probe", lambda: gate.ask("GET", KEY).status == 502)
        equal("open", gate.ask("GET", KEY).status, 503)
        equal("requests", len(service.asked), 4)
        # The probe is answered: closed.
        service.behave = say(204)
        eventually("a good probe",
                   lambda: gate.ask("GET", KEY).status == 404)
        gate.says("circuit breaker closes")
        for _ in range(3):
            equal("closed", gate.ask("GET", KEY).status, 404)


@test
def test_one_request_probes_and_others_fail_at_once():
    with Service(reset) as service, gateway(
            service, breaker_failures="1", breaker_time="200ms") as gate:
        equal("status", gate.ask("GET", KEY).status, 502)
        gate.says("circuit breaker opens")
        go_on = threading.Event()

        def behave(conn, asked):
            go_on.wait(10)
            return say(204)(conn, asked)
        service.behave = behave
        answers = []

        def probes():
            answers.append(gate.ask("GET", KEY).status)
        eventually("a probe", lambda: start(probes) and
                   len(service.asked) == 2, pause=0.05)
        equal("others", gate.ask("GET", KEY).status, 503)
        equal("requests", len(service.asked), 2)
        go_on.set()
        gate.says("circuit breaker closes")
        eventually("the probe's answer", lambda: 404 in answers)
        equal("then", gate.ask("GET", KEY).status, 404)


@test
def test_probe_whose_client_leaves_makes_room_for_another():
    with Service(reset) as service, gateway(
            service, breaker_failures="1", breaker_time="1ms") as gate:
        equal("status", gate.ask("GET", KEY).status, 502)
        service.behave = stall
        with gate.wire() as wire:
            wire.send(b"GET " + KEY.encode() +
                      b" HTTP/1.1\r\nHost: a\r\n\r\n")
            service.count(2)
            service.behave = say(204)
            wire.reset()
        eventually("another probe",
                   lambda: gate.ask("GET", KEY).status == 404)


@test
def test_refusals_of_the_service_never_open_the_breaker():
    with Service(say(400)) as service, \
            gateway(service, breaker_failures="2") as gate:
        for _ in range(5):
            equal("status", gate.ask("GET", KEY).status, 502)
        service.behave = say(403)
        for _ in range(5):
            equal("status", gate.ask("GET", KEY).status, 403)
        equal("requests", len(service.asked), 10)


@test
def test_more_in_flight_than_allowed_is_503():
    with Service(stall) as service, \
            gateway(service, in_flight="2", timeout="1h") as gate:
        wires = [gate.wire() for _ in range(2)]
        for wire in wires:
            wire.send(b"GET " + KEY.encode() +
                      b" HTTP/1.1\r\nHost: a\r\n\r\n")
        service.count(2)
        equal("status", gate.ask("GET", KEY).status, 503)
        service.behave = say(204)
        wires[0].reset()
        eventually("room", lambda: gate.ask("GET", KEY).status == 404)
        wires[1].reset()


@test
def test_more_than_connections_wait_in_line():
    with Service(by_user) as service, \
            gateway(service, connections="2") as gate:
        wires = [gate.wire() for _ in range(20)]
        for wire in wires:
            wire.send(b"GET " + KEY.encode() + b" HTTP/1.1\r\nHost: a\r\n"
                      b"Authorization: a\r\n\r\n")
        for wire in wires:
            equal("status", wire.answer().status, 404)
            wire.close()
        equal("requests", len(service.asked), 20)
        expect(service.connections <= 2,
               f"{service.connections} connections")


@test
def test_service_that_is_started_again_is_asked_again():
    with Service() as first, gateway(first, breaker_time="1ms") as gate:
        equal("status", gate.ask("GET", KEY).status, 404)
        port = first.port
        first.stop()
        equal("status", gate.ask("GET", KEY).status, 503)
        with Service(port=port):
            eventually("an answer",
                       lambda: gate.ask("GET", KEY).status == 404)


# ---- ends -------------------------------------------------------------------

@test
def test_client_that_leaves_takes_its_call_along():
    with Service(stall) as service, \
            gateway(service, timeout="1h") as gate:
        gate.alive()
        with gate.wire() as wire:
            wire.send(b"GET " + KEY.encode() +
                      b" HTTP/1.1\r\nHost: a\r\n\r\n")
            service.count(1)
            wire.reset()
        service.until("the call's end", lambda: not service.open)
        gate.alive()


@test
def test_waiting_requests_do_not_block_others():
    with Service(stall) as service, \
            gateway(service, timeout="1h") as gate, gate.wire() as wire:
        wire.send(b"GET " + KEY.encode() + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        service.count(1)
        gate.alive()
        service.behave = say(204)
        equal("status", gate.ask("GET", KEY).status, 404)
        wire.reset()


@test
def test_request_that_waits_is_answered_after_sigterm():
    go_on = threading.Event()

    def behave(conn, asked):
        go_on.wait(10)
        return say(403)(conn, asked)
    with Service(behave) as service, gateway(service) as gate:
        with gate.wire() as wire:
            wire.send(b"GET " + KEY.encode() +
                      b" HTTP/1.1\r\nHost: a\r\n\r\n")
            service.count(1)
            gate.signal(signal.SIGTERM)
            gate.says("no new connections")
            go_on.set()
            equal("status", wire.answer().status, 403)
        equal("exit status", gate.wait(), 0)


@test
def test_stalled_service_does_not_hold_up_the_end():
    with Service(stall) as service:
        sections = {"server": {"workers": "1"},
                    "limits": {"drain_timeout": "200ms"},
                    "hooks": [{"plugin": "auth_request", "timeout": "1h",
                               "url": service.url}]}
        with Gateway(sections) as gate, gate.wire() as wire:
            wire.send(b"GET " + KEY.encode() +
                      b" HTTP/1.1\r\nHost: a\r\n\r\n")
            service.count(1)
            gate.signal(signal.SIGTERM)
            equal("exit status", gate.wait(), 0)


@test
def test_backend_timeout_ends_the_wait():
    with Service(stall) as service:
        sections = {"limits": {"backend_timeout": "200ms"},
                    "hooks": [{"plugin": "auth_request", "timeout": "1h",
                               "url": service.url}]}
        with Gateway(sections) as gate:
            equal("status", gate.ask("GET", KEY).status, 504)
            service.until("the call's end", lambda: not service.open)


# ---- configuration ----------------------------------------------------------

@each({
    "no url": ({"url": None}, "'url'|url"),
    "scheme": ({"url": "ftp://a/"}, "http://"),
    "no host": ({"url": "http:///a"}, "no host"),
    "user": ({"url": "http://a:b@c/"}, "user name"),
    "space": ({"url": "http://a/b c"}, "escape"),
    "method": ({"method": "POST"}, "GET or HEAD"),
    "sent": ({"send_headers": ["X Y"]}, "isn't the name of a header"),
    "ours": ({"send_headers": ["X-Original-URI"]}, "gateway's own"),
    "host": ({"send_headers": ["host"]}, "gateway's own"),
    "returned": ({"return_headers": ["Content-Length"]}, "gateway's own"),
    "identity": ({"identity_header": "X:"}, "isn't the name of a header"),
    "many": ({"send_headers": [f"X-{n}" for n in range(33)]}, "more than 32"),
    "operation": ({"operations": ["read"]}, "there is no 'read'"),
    "prefix": ({"prefixes": ["../"]}, "prefixes"),
    "cache": ({"cache_time": "2d"}, "cache_time"),
    "size": ({"cache_size": "1KiB"}, "cache_size"),
    "timeout": ({"timeout": "0"}, "timeout"),
    "connections": ({"connections": "0"}, "connections"),
    "in_flight": ({"in_flight": "1000001"}, "in_flight"),
    "breaker": ({"breaker_failures": "-1"}, "breaker_failures"),
})
def test_bad_configuration_is_refused(case):
    options, words = case
    hook = {"plugin": "auth_request", "url": "http://127.0.0.1:1/",
            **options}
    refusal({"hooks": [{name: value for name, value in hook.items()
                        if value is not None}]}, words)


@test
def test_32_headers_are_fine():
    names = [f"X-{number}" for number in range(32)]
    with Service() as service, \
            gateway(service, send_headers=names) as gate:
        gate.ask("GET", KEY, *(f"{name}: {name}" for name in names))
        equal("sent", [value for name, value in service.last.headers
                       if re.fullmatch(r"x-\d+", name)], names)


@test
def test_every_option_is_in_the_man_page():
    page = (SOURCES / "plugins/hook/auth_request/sluice-auth_request.7"
            ).read_text()
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, {"plugin_path": PLUGINS, "backends": {
            "main": {"plugin": "local", "directory": folder}}, "routes": [
                {"mount": "/", "backend": "main"}], "hooks": [
                    {"plugin": "auth_request", "url": "http://a", "no": "1"}]})
        _, _, text = run("-t", "-c", path)
        names = re.search(r"known: (.*)", text)[1].split(", ")
        expect(len(names) > 5, text)
        for name in names:
            expect(name == "plugin" or f".It Cm {name} :" in page,
                   f"{name} isn't in the man page")


@test
def test_example_is_accepted():
    with tempfile.TemporaryDirectory() as folder:
        text = (SOURCES / "plugins/hook/auth_request/auth_request.yaml"
                ).read_text()
        path = written(folder, f"plugin_path: {json.dumps(PLUGINS)}\n" + text)
        got = run("-t", "-c", path)
        equal("sluice -t", (got[0], got[2]), (0, got[2]))


main()

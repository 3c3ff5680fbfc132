#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A service that fails, stalls or goes away, and clients that do."""
import time
import signal
import tempfile
import threading

from authkit import KEY, by_user, gateway, start
from kit import Gateway, each, equal, eventually, expect, main, test
from service import Service, certified, reset, say, stall


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
        half_open = time.monotonic() + 0.005
        eventually("the breaker's time is over",
                   lambda: time.monotonic() > half_open)
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


# ---- https ------------------------------------------------------------------

@each({"trusted": (True, {}, 404), "unknown": (False, {}, 503),
       "not checked": (False, {"verify": "false"}, 404)})
def test_https_service_needs_a_certificate_that_is_trusted(case):
    trusted, options, status = case
    with tempfile.TemporaryDirectory() as folder, \
            Service(tls=certified(folder)) as service:
        if trusted:
            options = {"ca_file": f"{folder}/tls.crt"}
        with gateway(service, **options) as gate:
            equal("status", gate.ask("GET", KEY).status, status)
            equal("requests", len(service.asked), 1 if status == 404 else 0)


main()

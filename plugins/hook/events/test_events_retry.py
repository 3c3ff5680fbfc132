#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Receivers that fail in all ways, and get their events all the same."""
import tempfile
import time

from eventskit import each_folder, gateway, heard, waiting
from kit import each, equal, expect, main
from service import (Service, certified, close, drip, flood, reset, said, say,
                     send, stall)

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
            gateway(service, folder=folder, timeout="1h") as gate:
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


@each_folder
def test_https_receiver_needs_a_certificate_that_is_trusted(folder):
    with Service(tls=certified(folder)) as service:
        with gateway(service, folder=folder) as gate:
            made = gate.upload()
            gate.says("isn't delivered: .*certificate")
        with gateway(service, folder=folder,
                     ca_file=f"{folder}/tls.crt") as gate:
            service.count(1)
            equal("key", heard(service)[0]["key"], made["key"])


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ends, crashes and disks that fail: every change that was answered is heard
of, at least once, in the order of its key."""
import resource
import signal
import tempfile
import threading
import time
from pathlib import Path

from eventskit import each_folder, gateway, heard, hook, waiting
from kit import (SLOWNESS, Gateway, each, equal, eventually, expect, main,
                 refusal)
from oracle.client import Client, Lost
from oracle.events import Changes
from oracle.objects import Objects
from service import Service, reset, say, stall


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


def work(gate, oracle, changes, number, stop):
    """Uploads and deletes until the gateway is gone."""
    with Client(oracle, gate.url, number, changes=changes) as client:
        try:
            while not stop.is_set():
                client.delete(client.upload(b"%d" % number))
        except Lost:
            return


@each({"stalls": stall, "fails": say(500), "takes": say(204),
       "resets": reset})
def test_kill_9_loses_no_event_of_an_answered_change(behave):
    """And tells of no change that nobody made; objects and events agree."""
    oracle, told, stop = Objects(), Changes(), threading.Event()
    with tempfile.TemporaryDirectory() as folder, Service(behave) as service:
        gate = gateway(service, folder=folder)
        threads = [threading.Thread(target=work, args=(
            gate, oracle, told, number, stop)) for number in range(6)]
        for thread in threads:
            thread.start()
        eventually("changes", lambda: len(told.calls) > 100)
        gate.process.kill()
        gate.process.wait()
        stop.set()
        for thread in threads:
            thread.join()
        oracle.settle()
        service.behave = say(204)
        with gateway(service, folder=folder) as gate:
            with Client(oracle, gate.url, "reader") as client:
                client.read_all()
            service.until("every answered change",
                          lambda: not told.missing(heard(service)))
            gate.stop()
        told.check(heard(service))


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
    with Service(stall) as service, gateway(
            service, folder=folder, before=quiet, queue_max="61") as gate:
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


main()

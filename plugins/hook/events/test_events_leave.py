#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes whose client doesn't wait for them, over an S3 service that takes
its time: what took place has its event, and what has none didn't."""
import json
import random
import select
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from eventskit import (each_folder, gateway, heard, hook, send_upload,
                       waiting)
# pylint: disable=wrong-import-order
from bucket import BUCKET, PARTS, Emulator, noise, sections, seconds
from kit import (FORM, MIB, SLOWNESS, Gateway, each, equal, eventually,
                 expect, field, file, form, main, request, test)
from service import Service, stall

SLOW = 1 + 0.5 * SLOWNESS  # seconds that the service takes
SMALL, LARGE = noise(100_000), noise(6 * MIB)
PUT = {"method": "PUT", "query": "^$"}
COMPLETE = {"method": "POST", "query": "^uploadId"}
DELETE = {"method": "DELETE"}


def upload(data):
    return request("POST", "/files", FORM, body=form(
        field("prefix", "t"), file(data, "a.txt")))


def delete(key):
    return request("DELETE", "/files", "Content-Type: application/json",
                   body=json.dumps({"key": key}).encode())


def late(after):
    return {"backend_timeout": f"{int(1000 * after)}ms"}


def answered(wire):
    return bool(select.select([wire.socket], [], [], 0)[0])


class Place:
    """A receiver, a service, and a gateway between them."""

    def __init__(self, limits=None, queue_max="1000", when_full="drop",
                 **options):
        # pylint: disable=consider-using-with
        self.scratch = tempfile.TemporaryDirectory(prefix="sluice-test-")
        self.folder = Path(self.scratch.name)
        self.service, self.s3 = Service(), Emulator("minio")
        self.s3.create(BUCKET)
        log = {"plugin": "log_json", "path": str(self.folder / "log")}
        tell = hook(self.folder, self.service.url, queue_max=queue_max,
                    when_full=when_full)
        more = {"hooks": [tell, log],
                "limits": limits or {},
                "server": {"workers": "1"}}
        options = {"idle_timeout": seconds(20), **PARTS, **options}
        self.gate = Gateway(sections(self.s3, more=more, **options),
                            folder=self.folder)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        try:
            self.gate.__exit__(kind, *rest)
        finally:
            self.service.stop()
            self.s3.stop()
            self.scratch.cleanup()

    def slow(self, match, when="after", pause=SLOW, times=1):
        self.s3.faults({"match": match, "do": "stall", "when": when,
                        "seconds": pause, "times": times})

    def leave(self, asked):
        """Sends a request, and leaves once the service has it."""
        with self.gate.wire() as wire:
            wire.send(asked)
            self.s3.wait_for_fault()
            wire.reset()

    def upload_and_leave(self, data=SMALL):
        self.leave(upload(data))

    def delete_and_leave(self, key):
        self.leave(delete(key))

    def stored(self):
        return sorted(self.s3.state(BUCKET)["objects"])

    def events(self, count):
        """The types and keys of so many events."""
        self.service.count(count)
        return [(one["type"], one["key"]) for one in heard(self.service)]

    def record(self, status):
        """The line that the log has of the request with that status."""
        def found():
            path = self.folder / "log"
            lines = path.read_text().splitlines() if path.exists() else []
            return [one for line in lines
                    if (one := json.loads(line))["status"] == status]
        return eventually(f"a record of a {status}", found)[0]


# ---- what the service has done

@each({"one PUT": (SMALL, PUT), "empty": (b"", PUT),
       "parts": (LARGE, COMPLETE)})
def test_upload_that_its_client_left_has_its_event(case):
    data, match = case
    with Place() as here:
        here.slow(match)
        here.upload_and_leave(data)
        here.gate.alive()
        [key] = here.stored()
        equal("events", here.events(1), [("object.uploaded", key)])
        record = here.record(499)
        equal("record", (record["key"], record["code"]),
              (key, "client_gone"))
        expect(record["duration_us"] >= SLOW * 1e6, f"{record}")
        equal("body", here.gate.download(key).body == data, True)


@test
def test_delete_that_its_client_left_has_its_event():
    with Place() as here:
        key = here.gate.upload()["key"]
        here.slow(DELETE)
        here.delete_and_leave(key)
        equal("events", here.events(2),
              [("object.uploaded", key), ("object.deleted", key)])
        equal("record", here.record(499)["key"], key)
        equal("objects", here.stored(), [])


@each({"upload": "upload", "delete": "delete"})
def test_change_that_came_after_its_504_has_its_event(operation):
    want = ["object.uploaded", "object.deleted"][:1 + (operation == "delete")]
    with Place(limits=late(4 / 3 * SLOW)) as here:
        key = here.gate.upload()["key"] if operation == "delete" else None
        here.slow(PUT if key is None else DELETE, pause=2 * SLOW)
        if key is None:
            body = form(field("prefix", "t"), file(SMALL, "a.txt"))
            answer = here.gate.ask("POST", "/files", FORM, body=body)
            [key] = here.stored()
        else:
            answer = here.gate.json("DELETE", "/files", {"key": key})
        equal("answer", (answer.status, answer.json["code"]),
              (504, "upstream_timeout"))
        equal("events", here.events(len(want))[-1], (want[-1], key))
        here.gate.says(f"the {operation} took place, after its client was "
                       "told that it took too long")
        equal("record", here.record(504)["code"], "upstream_timeout")


@test
def test_full_queue_keeps_the_room_of_a_change_after_its_504():
    with Place(limits=late(4 / 3 * SLOW), queue_max="1",
               when_full="refuse") as here:
        here.service.behave = stall
        here.slow(PUT, pause=2 * SLOW)
        equal("late", here.gate.ask("POST", "/files", FORM, body=form(
            field("prefix", "t"), file(SMALL, "a.txt"))).status, 504)
        equal("meanwhile", send_upload(here.gate).status, 503)
        here.service.count(1)
        here.gate.stop()
        here.gate.says("lost: 0")
        equal("objects", len(here.stored()), 1)


@test
def test_lost_answer_to_who_left_is_asked_for():
    with Place(retry_time=seconds(20)) as here:
        here.s3.faults({"match": PUT, "do": "lost-answer"})
        here.upload_and_leave()
        [key] = eventually("an object", here.stored)
        equal("events", here.events(1), [("object.uploaded", key)])


@test
def test_sigterm_waits_for_what_clients_left():
    with Place() as here:
        here.slow(PUT)
        here.upload_and_leave()
        here.gate.alive()
        here.gate.stop()
        [key] = here.stored()
        told = heard(here.service) + waiting(here.folder)
        equal("events", {(one["type"], one["key"]) for one in told},
              {("object.uploaded", key)})


@test
def test_end_of_the_drain_does_not_wait_for_it():
    with Place(limits={"drain_timeout": "300ms"}) as here:
        here.slow(PUT, pause=3600)
        here.upload_and_leave()
        here.gate.alive()
        began = time.monotonic()
        here.gate.stop()
        here.gate.says("1 requests are broken off")
        expect(time.monotonic() - began < 20 * SLOWNESS, "it waited")


@test
def test_what_clients_left_counts_as_memory():
    """So that who uploads and leaves is soon told to wait."""
    limits = {"memory": "4MiB", "drain_timeout": "100ms"}
    with Place(limits=limits) as here:
        here.slow(PUT, when="before", pause=60, times=1000)
        left = 0
        while left < 60:
            with here.gate.wire() as wire:
                wire.send(upload(SMALL))
                eventually("the service, or an answer", lambda: len(
                    here.s3.faults_fired()) > left or answered(wire))
                if answered(wire):
                    equal("status", wire.answer().status, 503)
                    break
                wire.reset()
            left += 1
        expect(5 < left < 60, f"{left} uploads")


# ---- at any moment

def leave_at_any_moment(gate, seed):
    """Uploads and deletes of a client that leaves soon after each."""
    chance, mine = random.Random(seed), []
    for number in range(60):
        if mine and number % 3 == 0:
            asked = delete(mine.pop())
        else:
            asked = upload(SMALL if chance.random() < 0.5 else b"hello")
        with gate.wire() as wire:
            wire.send(asked)
            time.sleep(chance.random() * 0.004 * SLOWNESS)
            wire.reset()
        if number % 5 == 0:
            mine.append(gate.upload()["key"])


@each_folder
def test_objects_and_events_agree_whenever_clients_leave(folder):
    with Service() as service, gateway(service, folder=folder) as gate:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda seed: leave_at_any_moment(gate, seed),
                          range(4)))
        gate.alive()
        gate.stop()  # waits for what was left, and for its events' disk
        told = heard(service) + waiting(folder)
    with Gateway(folder=folder) as gate:
        there = set(gate.keys())
    life = {}
    for event in sorted(told, key=lambda event: event["type"] !=
                        "object.uploaded"):
        life[event["key"]] = event["type"]
    equal("events of what is there, and objects",
          sorted(key for key, last in life.items()
                 if last == "object.uploaded"), sorted(there))
    expect(len(there) > 50 and len(life) > len(there), f"{len(life)} keys")


# ---- what it hasn't

@test
def test_change_that_takes_too_long_twice_is_canceled():
    with Place(limits=late(SLOW)) as here:
        here.slow(PUT, when="before", pause=3600)
        here.upload_and_leave()
        here.gate.says("doesn't end what nobody waits for; it is canceled")
        equal("code", here.record(499)["code"], "client_gone")
        key = here.gate.upload()["key"]
        equal("events", here.events(1), [("object.uploaded", key)])
        equal("objects", here.stored(), [key])


@each({"upload": "upload", "delete": "delete"})
def test_change_that_the_service_never_made_has_none(operation):
    with Place(attempts="1", idle_timeout=seconds(0.5)) as here:
        key = here.gate.upload()["key"]
        here.slow(PUT if operation == "upload" else DELETE, when="before",
                  pause=60)
        if operation == "upload":
            here.upload_and_leave()
        else:
            here.delete_and_leave(key)
        here.record(499)
        other = here.gate.upload()["key"]
        equal("events", here.events(2),
              [("object.uploaded", key), ("object.uploaded", other)])
        equal("objects", here.stored(), sorted([key, other]))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The order of events, how many are sent at once, and a queue that is full."""
import json
import threading
import time

from eventskit import (each_folder, gateway, heard, hook, per_key,
                       send_upload, waiting)
from kit import FORM, Gateway, equal, eventually, expect, main
from service import Service, say, stall


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
def test_move_tells_of_both_keys_and_a_batch_of_each(folder):
    with Service(say(204)) as service, gateway(
            service, folder=folder) as gate:
        key = gate.upload()["key"]
        gate.json("POST", "/files/move", {"from": key, "to": "b"})
        gate.json("POST", "/files/copy", {"from": "b", "to": "c/1",
                                          "replace": True})
        gate.json("POST", "/files/delete", {"keys": ["b", "none"]})
        gate.json("POST", "/files/delete", {"prefix": "c/"})
        service.until("all", lambda: len(service.asked) >= 7)
        up, down = "object.uploaded", "object.deleted"
        equal("events", per_key(heard(service)), {
            key: [up, down], "b": [up, down], "none": [down],
            "c/1": [up, down]})


@each_folder
def test_each_change_of_a_move_or_batch_needs_room_of_its_own(folder):
    with Service(stall) as service, gateway(
            service, folder=folder, queue_max="4", when_full="refuse") as gate:
        keys = [gate.upload()["key"] for _ in range(3)]
        answer = gate.json("POST", "/files/move",
                           {"from": keys[0], "to": "b"})
        equal("move", (answer.status, answer.json["code"]),
              (503, "overloaded"))
        said = gate.json("POST", "/files/delete", {"keys": keys}).json
        equal("deleted", said["deleted"], keys[:1])
        equal("failed", [(one["key"], one["code"]) for one in said["failed"]],
              [(key, "overloaded") for key in keys[1:]])
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
def test_request_that_another_hook_refuses_gives_its_room_back(folder):
    def behave(conn, asked):
        return say(403 if asked.header("X-Key") else 200)(conn, asked)
    with Service(stall) as service, Service(behave) as refusing:
        hooks = [hook(folder, service.url, queue_max="1",
                      when_full="refuse"),
                 {"plugin": "auth_request", "url": refusing.url,
                  "check_key": "true"}]
        with Gateway({"hooks": hooks}, folder=folder) as gate:
            for _ in range(3):
                equal("status", gate.json("DELETE", "/files",
                                          {"key": "t/a"}).status, 403)


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


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Uploads in several requests over an S3 service that fails, and by a gateway
that is killed, at each request that the gateway makes of the service: the
model of the oracle says what may be told, and the object is what was sent,
once."""
import os
import threading

from bucket import BUCKET, PARTS, Emulator, gateway, seconds
from kit import MIB, Mismatch, each, equal, eventually, expect, main
from oracle.stages import Stage
from test_uploads import PARTIAL

ONE = {"server": {"workers": "1"}}
OPTIONS = {"attempts": "3", "retry_time": seconds(6), **PARTS}
# A segment and a tail; a little of it; a request that only completes.
SIZES = 5 * MIB + 70_000, 1000, 0
DATA = os.urandom(sum(SIZES))
TRIES = 12


class Place:
    """An emulator, and the gateway that runs just now."""

    def __init__(self, dialect):
        self.s3 = Emulator(dialect)
        self.s3.create(BUCKET)
        self.front = self.new()

    def new(self):
        return gateway(self.s3, more=ONE, **OPTIONS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.front.kill()
        self.s3.stop()

    def again(self):
        self.front.kill()
        self.s3.control("DELETE", "faults")
        self.front = self.new()

    def ask(self, *words, **more):
        """None: no answer came."""
        try:
            return self.front.ask(*words, **more)
        except (OSError, Mismatch):
            return None

    def objects(self):
        return [key for key in self.s3.state(BUCKET)["objects"]
                if not key.startswith(".sluice/")]


class Upload:
    """A client that goes on until it is told that the upload is complete."""

    def __init__(self, here):
        self.here, self.stage, self.where = here, None, None

    def create(self):
        answer = self.here.ask("POST", "/files/uploads?filename=a.bin",
                               "Upload-Complete: ?0", body=b"")
        if answer is None or answer.status != 201:
            return False
        self.where = answer.header("location")
        self.stage = Stage(self.where)
        return True

    def end(self, call, answer):
        if answer is None or answer.status >= 500:
            self.stage.lose(call)
            return None
        offset = answer.header("upload-offset")
        offset = None if offset is None else int(offset)
        complete = answer.header("upload-complete") == "?1"
        self.stage.end(call, answer.status, offset, complete)
        return offset

    def offset(self):
        call = self.stage.begin("c", "head")
        answer = self.here.ask("HEAD", self.where)
        at = self.end(call, answer)
        done = at is not None and \
            answer.header("upload-complete") == "?1"
        return at, done

    def append(self, at):
        """Sends the rest of the piece that has this offset."""
        ends = [sum(SIZES[:n + 1]) for n in range(len(SIZES))]
        place = next((n for n, end in enumerate(ends) if at < end),
                     len(SIZES) - 1)
        last = place == len(SIZES) - 1
        data = DATA[at:ends[place]]
        call = self.stage.begin("c", "append", at=at, size=len(data),
                                last=last)
        answer = self.here.ask(
            "PATCH", self.where, PARTIAL, f"Upload-Offset: {at}",
            f"Upload-Complete: ?{last:d}", body=data)
        return self.end(call, answer)

    def run(self):
        tries = 0
        while not self.where and tries < TRIES:
            tries += 0 if self.create() else 1
        while tries < TRIES:
            at, done = self.offset()
            if done:
                return
            if at is None or self.append(at) is None:
                tries += 1
        raise Mismatch(f"it isn't complete after {TRIES} tries")

    def check(self):
        answer = self.here.ask("GET", self.where)
        expect(answer is not None and answer.json["complete"],
               "it isn't complete")
        key = answer.json["object"]["key"]
        answer = self.here.ask("GET", "/files/download?key=" + key)
        expect(answer.body == DATA, f"{len(answer.body)} bytes are other ones")
        return key


def each_request(dialect, fault, first=1, step=1):
    """Runs an upload for each of its requests to the service, or each of so
    many, in which `fault` hits that one."""
    with Place(dialect) as here:
        Upload(here).run()
        keys = len(here.objects())
        here.s3.forget()
        Upload(here).run()
        count = len(here.s3.requests())
        for number in range(first, count + 1, step):
            before = set(here.objects())
            here.s3.forget()
            upload = Upload(here)
            fault(here, upload, number)
            here.s3.control("DELETE", "faults")
            upload.run()
            upload.check()
            equal(f"objects after a fault at request {number}",
                  len(set(here.objects()) - before), 1)
        expect(count > 20 and keys == 1, f"{count} requests")


FAULTS = {"lost_answer_s3": ("aws", {"do": "lost-answer"}, 1, 1),
          "lost_answer_ceph": ("ceph", {"do": "lost-answer"}, 1, 4),
          "503_s3": ("aws", {"do": "503"}, 2, 4),
          "500_after_ceph": ("ceph", {"do": "500", "when": "after"}, 3, 4),
          "reset_s3": ("aws", {"do": "reset-before-head"}, 4, 4)}


@each(FAULTS)
def test_a_fault_at_each_request(case):
    dialect, step, *which = case

    def fault(here, upload, number):
        here.s3.faults({"match": {"nth": number}, **step})
        upload.run()
    each_request(dialect, fault, *which)


@each({"after_s3": ("aws", "after", 1, 1),
       "before_s3": ("aws", "before", 1, 4),
       "after_ceph": ("ceph", "after", 3, 4)})
def test_sigkill_at_each_request(case):
    dialect, when, *which = case

    def fault(here, upload, number):
        here.s3.faults({"match": {"nth": number}, "do": "stall",
                        "when": when})
        thread = threading.Thread(target=quietly, args=(upload,))
        thread.start()
        # How many requests there are depends on when bytes are saved.
        eventually("the fault, or the upload's end", lambda:
                   here.s3.faults_fired() or not thread.is_alive(), 60)
        here.again()
        thread.join()
        if upload.stage:
            upload.stage.settle()
    each_request(dialect, fault, *which)


def quietly(upload):
    """Until the gateway is gone, and a little of the next one."""
    try:
        upload.run()
    except Mismatch:
        pass


if __name__ == "__main__":
    main()

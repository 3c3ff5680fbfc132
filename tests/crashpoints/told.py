# SPDX-License-Identifier: MIT
"""Keeps what clients were told while a store was recorded, and the verdict
of the oracle on a store that came back from some moment of that.

Events go into the recording as marks, so that each has its place among the
calls of the gateway: a request's before it is sent, an answer's after it came.
"""
import copy
import hashlib
import os

from oracle.objects import Objects
from oracle.record import Version, Violation
from oracle.stages import Stage


class Told:
    """The events of one recording."""

    def __init__(self, path):
        self.trace = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT,
                             0o600)
        self.events = []

    def mark(self, *event):
        """It is in the list before its mark is in the file."""
        self.events.append(event)
        os.write(self.trace, f"mark {len(self.events)}\n".encode())

    def call(self, line):
        """A call that a test makes in the gateway's place."""
        os.write(self.trace, f"{line}\n".encode())


def fresh(words):
    """Words of a call, with versions as they were before anybody learned."""
    return {name: Version(one.digest, one.size, None, one.kind, one.name)
            if isinstance(one, Version) else copy.copy(one)
            for name, one in words.items()}


class ToldObjects(Objects):
    """The oracle, whose calls are events as well."""

    def __init__(self, told):
        super().__init__(md5_etags=True)
        self.told = told

    def begin(self, client, kind, **words):
        with self.lock:
            kept = fresh(words)
            call = super().begin(client, kind, **words)
            self.told.mark("begin", call.number, client, kind, kept)
            return call

    def end(self, call, status, **answer):
        with self.lock:
            super().end(call, status, **answer)
            self.told.mark("end", call.number, status, copy.deepcopy(answer))


class ToldStage:
    """One upload resource of a recording; `data` is all that is sent."""

    def __init__(self, told, name, data):
        self.told, self.name, self.data, self.count = told, name, data, 0

    def begin(self, kind, **words):
        self.count += 1
        self.told.mark("stage", self.name, self.count, kind, words)
        return self.count

    def end(self, number, status, offset=None, complete=False):
        self.told.mark("staged", self.name, number, status, offset, complete)


class Past:
    """The oracle as it was after so many events, when the power failed."""

    def __init__(self, told, count, stages):
        self.now = 0.0
        self.objects = Objects(clock=self.clock, md5_etags=True)
        self.stages, self.data, self.calls = {}, stages, {}
        for event in told.events[:count]:
            getattr(self, "on_" + event[0])(*event[1:])
        self.objects.settle()
        for stage in self.stages.values():
            stage.settle()

    def clock(self):
        self.now += 1.0
        return self.now

    def on_begin(self, number, client, kind, words):
        self.calls[number] = self.objects.begin(client, kind, **fresh(words))

    def on_end(self, number, status, answer):
        self.objects.end(self.calls[number], status, **copy.deepcopy(answer))

    def on_focus(self, *_):
        pass

    def on_stage(self, name, number, kind, words):
        if kind == "make":
            self.stages[name] = Stage(name, words["length"], self.clock)
            self.stages[name].made = False
            return
        self.calls[name, number] = self.stages[name].begin(0, kind, **words)

    def on_staged(self, name, number, status, offset, complete):
        stage = self.stages[name]
        if (name, number) not in self.calls:
            stage.made = True
            return
        stage.end(self.calls[name, number], status, offset, complete)

    # -- the verdict

    def look(self, key, seen):
        call = self.objects.begin("after", "get", key=key)
        if seen is None:
            self.objects.end(call, 404)
        else:
            self.objects.end(call, 200, digest=seen[1], size=seen[0],
                             etag=seen[2])

    def check(self, found):
        """Raises Violation where `found` isn't what clients may see."""
        if found.troubles:
            raise Violation("; ".join(found.troubles))
        for key in sorted({*self.objects.keys, *found.objects}):
            self.look(key, found.objects.get(key))
        self.objects.forget_strays()
        self.objects.verify()
        self.check_stages(found)
        if found.files != found.rows + found.garbage or found.lost or \
                found.tmp:
            raise Violation(
                f"{found.rows} blobs have a row and {found.garbage} are "
                f"garbage, {found.files} are there, {found.lost} in "
                f"lost+found, {found.tmp} in tmp")

    def check_stages(self, found):
        if len(self.stages) > 1 or len(found.stages) > max(
                1, len(self.stages)):
            raise Violation(f"more uploads than one: {found.stages}")
        for name, stage in self.stages.items():
            call = stage.begin(0, "head")
            if not found.stages:
                if stage.made:
                    stage.end(call, 404)
                continue
            (size, complete, digest), = found.stages
            whole = hashlib.md5(self.data[name]).hexdigest()
            stored = any(one[1] == whole for one in found.objects.values())
            stage.end(call, 200, size, complete)
            if complete != stored:
                raise Violation(f"complete is {complete}, and its object is "
                                f"{'there' if stored else 'not there'}")
            if not complete and size and digest != hashlib.md5(
                    self.data[name][:size]).hexdigest():
                raise Violation(f"the first {size} bytes of an upload aren't "
                                "those that were sent")

# SPDX-License-Identifier: MIT
"""The model of resumable uploads: an offset that was told is durable, a
request counts as far as it came or, with a digest, whole or not at all, and a
byte is neither lost nor doubled.

Offsets that are possible are ranges, as a request that nobody answered may
have come to any of its bytes.  What became of the object is for `objects`: a
stage says which bytes it must have.
"""
import threading
import time

from .record import NEVER, Call, Violation

OPEN, COMPLETE, DEAD, GONE = "open", "complete", "dead", "gone"


class Append:
    """Bytes that a request brings to an offset."""

    def __init__(self, call):
        self.at, self.size = call.at, call.size
        self.whole = call.words.get("whole", False)

    def reach(self, ranges):
        """The offsets to which it can bring an upload that stands in one of
        these: it begins at its own offset and nowhere else."""
        if not any(low <= self.at <= high for low, high in ranges):
            return []
        end = self.at + self.size
        return [(end, end)] if self.whole else [(self.at, end)]


def joined(ranges):
    whole = []
    for low, high in sorted(ranges):
        if whole and low <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(high, whole[-1][1]))
        else:
            whole.append((low, high))
    return whole


class Stage:
    """One upload resource, made by an answer with its address."""

    def __init__(self, name, length=None, clock=time.monotonic):
        self.name, self.length, self.clock = name, length, clock
        self.lock = threading.RLock()
        self.ranges = [(0, 0)]  # where it may stand, but for what is open
        self.told, self.told_at, self.states = 0, -NEVER, {OPEN}
        self.open, self.calls = [], []

    # -- calls

    def begin(self, client, kind, **words):
        """kind: append (at, size, whole=False, last=False), head, delete."""
        with self.lock:
            call = Call(client, kind, self.clock(), **words)
            call.append = Append(call) if kind == "append" else None
            self.open.append(call)
            self.calls.append(call)
            return call

    def possible(self):
        """All offsets where it may stand now."""
        ranges, appends = list(self.ranges), [
            call.append for call in self.open if call.append]
        while True:
            more = joined(ranges + [one for append in appends
                                    for one in append.reach(ranges)])
            if more == ranges:
                return ranges
            ranges = more

    def refuse(self, call, what):
        raise Violation(
            f"upload {self.name!r}: {call}: {what}; allowed would have been "
            f"{[one for one in self.possible() if one[1] >= self.told]} in "
            f"state {'/'.join(sorted(self.states))}, {self.told} was told; "
            "the history that matters:" +
            "".join(f"\n  {one}" for one in self.calls[-12:]))

    def tell(self, call, offset):
        """An offset was told, by an answer or by a 104 on the way."""
        with self.lock:
            if offset < self.told and call.began >= self.told_at:
                self.refuse(call, f"{offset} takes back {self.told}")
            if not any(low <= offset <= high
                       for low, high in self.possible()):
                self.refuse(call, f"{offset} can't be")
            if offset > self.told:
                self.told, self.told_at = offset, self.clock()
            self.ranges = [(max(low, self.told), high)
                           for low, high in self.possible()
                           if high >= self.told]

    def end(self, call, status, offset=None, complete=False):
        """The answer of a request: what it told, and what it proves."""
        with self.lock:
            call.answer, call.ended = {"status": status, "offset": offset,
                                       "complete": complete}, self.clock()
            if status in (404, 410):
                self.gone(call)
            elif complete:
                self.completed(call, offset)
            elif offset is not None:
                if COMPLETE in self.states and len(self.states) == 1:
                    self.refuse(call, "it was complete")
                self.tell(call, offset)
                if call.append and 200 <= status < 300:
                    self.appended(call, offset)
            self.close(call, 400 <= status < 500)
            if status < 300:
                # A newer request ends those that still ran.
                self.ranges = self.possible()
                self.open = [one for one in self.open
                             if one.began > call.began]
            if not self.open and offset is not None and status < 500:
                self.ranges = [(offset, offset)]

    def appended(self, call, offset):
        want = call.at + call.size
        if offset != want:
            self.refuse(call, f"an append up to {want} was answered with "
                        f"{offset}")

    def completed(self, call, offset):
        if OPEN not in self.states and COMPLETE not in self.states:
            self.refuse(call, "it can't be complete any more")
        if offset is not None:
            self.tell(call, offset)
            if self.length is not None and offset != self.length:
                self.refuse(call, f"complete with {offset} of {self.length}")
        lasts = [one for one in self.calls if one.append and
                 (one.words.get("last") or
                  one.at + one.size == self.length)]
        if not lasts:
            self.refuse(call, "complete, though nobody sent its end")
        self.states = {COMPLETE}

    def gone(self, call):
        if any(one.kind == "delete" for one in self.calls) or \
                DEAD in self.states or GONE in self.states:
            return
        self.refuse(call, "it is gone, and nobody deleted it")

    def close(self, call, refused):
        """It is heard of no more, and all that it may have done is possible.
        """
        if call not in self.open:
            return
        if not refused:
            self.ranges = self.possible()
        self.open.remove(call)

    def lose(self, call):
        """No answer: it may still come to any of its bytes.  Stays open until
        settle(), or until a newer request's answer, which ended it."""

    def settle(self):
        """Nothing more comes: gateways were killed, or newer requests ended
        the older ones."""
        with self.lock:
            self.ranges = self.possible()
            if any(call.words.get("last") for call in self.open):
                self.states |= {COMPLETE}
            self.open.clear()

    def expire(self):
        self.states |= {GONE}

    def kill(self):
        """It was refused for what a request's body held."""
        self.states = {DEAD}

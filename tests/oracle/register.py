# SPDX-License-Identifier: MIT
"""Whether the history of a key that is only put and read is linearizable,
however many clients there are.  Each value is written once, so it is known
which write a read saw, and zones decide it (Gibbons and Korach, Testing shared
memories, 1997): a value's zone reaches from its first end to its last
beginning.  Where that is forward in time the value was there all of it; so no
two such zones overlap, and none has all of a backward one within it.
"""


class Op:
    """A write, or a read, of a value; `ended` is infinite where no answer
    says that the write took place."""

    def __init__(self, began, ended, value, writes=False):
        self.began, self.ended = began, ended
        self.value, self.writes = value, writes

    def __str__(self):
        word = "write" if self.writes else "read"
        return f"{self.began:.4f}-{self.ended:.4f} {word}({self.value})"


class Zone:
    def __init__(self, value):
        self.value, self.write = value, None
        self.first = self.last = None

    def add(self, op):
        if op.writes:
            self.write = op
        if not self.first or op.ended < self.first.ended:
            self.first = op
        if not self.last or op.began > self.last.began:
            self.last = op

    @property
    def forward(self):
        return self.first.ended < self.last.began


def zones_of(ops):
    zones = {}
    for op in ops:
        zones.setdefault(op.value, Zone(op.value)).add(op)
    return zones.values()


def fault(ops):
    """None, or why no order explains it and the steps that show that."""
    zones = zones_of(ops)
    for zone in zones:
        if not zone.write:
            return "nobody wrote what was read", [zone.first]
        if zone.first.ended < zone.write.began:
            return "read before it was written", [zone.first, zone.write]
    held = sorted((zone for zone in zones if zone.forward),
                  key=lambda zone: zone.first.ended)
    for one, other in zip(held, held[1:]):
        if other.first.ended < one.last.began:
            return "two values at the same time", [
                one.first, one.last, other.first, other.last]
    at = 0
    for zone in sorted((zone for zone in zones if not zone.forward),
                       key=lambda zone: zone.last.began):
        while at + 1 < len(held) and \
                held[at + 1].first.ended < zone.last.began:
            at += 1
        if held and held[at].first.ended < zone.last.began and \
                zone.first.ended < held[at].last.began:
            return "a value was there before and after another", [
                held[at].first, zone.first, zone.last, held[at].last]
    return None

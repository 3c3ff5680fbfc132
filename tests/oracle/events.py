# SPDX-License-Identifier: MIT
"""The model of the hook `events`: every change that was acknowledged is told
at least once, in the order of its key, and nothing else is told but what is in
doubt."""
from .record import DOUBTS, Violation

TYPES = {"upload": "object.uploaded", "put": "object.uploaded",
         "delete": "object.deleted"}


class Changes:
    """Calls that change one key, in the order in which each key's began."""

    def __init__(self):
        self.calls = []

    def add(self, call):
        self.calls.append(call)

    @staticmethod
    def key(call):
        return call.words.get("key") or (call.answer or {}).get("key")

    @staticmethod
    def surely(call):
        return call.answer is not None and call.answer["status"] in (200, 201)

    @staticmethod
    def perhaps(call):
        return call.answer is None or call.answer["status"] in DOUBTS

    def missing(self, heard):
        """Acknowledged changes of which no event was heard."""
        told = {(one["key"], one["type"]) for one in heard}
        return [call for call in self.calls if self.surely(call) and
                (self.key(call), TYPES[call.kind]) not in told]

    def check(self, heard):
        """All that was heard, doubles too, in the order it came."""
        if missing := self.missing(heard):
            raise Violation("no event told of " +
                            "; ".join(map(str, missing[:5])))
        strays = sum(call.kind == "upload" and self.perhaps(call)
                     for call in self.calls)
        sure = {(self.key(call), TYPES[call.kind]) for call in self.calls
                if self.surely(call) or self.perhaps(call)}
        unknown = {one["key"] for one in heard
                   if (one["key"], one["type"]) not in sure}
        if len(unknown) > strays:
            raise Violation(f"events of what nobody did: {sorted(unknown)}; "
                            f"{strays} uploads are in doubt")
        self.order(heard)

    def order(self, heard):
        seen, told = set(), {}
        for one in heard:
            if one["id"] not in seen:
                seen.add(one["id"])
                told.setdefault(one["key"], []).append(one["type"])
        for key, types in told.items():
            calls = [call for call in self.calls if self.key(call) == key]
            want = [TYPES[call.kind] for call in calls]
            if calls and calls[0].kind == "upload" and \
                    types != want[:len(types)]:
                raise Violation(f"events of {key} came as {types}, its "
                                f"changes were {want}")

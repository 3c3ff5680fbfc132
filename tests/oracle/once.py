# SPDX-License-Identifier: MIT
"""The model of uploads with an Idempotency-Key: all answers of one say the
same object, one at most is the first, and of each there is one object."""
import threading

from .record import DOUBTS, Violation

REPLAYED = "idempotency-replayed"


class Once:
    """One key, whose requests all bring the same."""

    def __init__(self, name):
        self.name = name
        self.lock = threading.Lock()
        self.keys, self.firsts, self.sent = set(), 0, 0

    def said(self, status, key=None, replayed=False):
        """An answer; a request without one isn't told."""
        with self.lock:
            if status == 201:
                self.keys.add(key)
                self.firsts += not replayed
            elif status not in {409, 503} | DOUBTS:
                raise Violation(f"{self.name}: an answer was {status}")
            if len(self.keys) > 1:
                raise Violation(f"{self.name}: two answers say two objects: "
                                f"{sorted(self.keys)}")
            if self.firsts > 1:
                raise Violation(f"{self.name}: two answers are the first")

    @property
    def made(self):
        with self.lock:
            return bool(self.keys)

    @property
    def key(self):
        with self.lock:
            return next(iter(self.keys))


def check_listed(uploads, keys):
    """The objects that are there, of uploads that were all made."""
    expected = sorted(upload.key for upload in uploads)
    if sorted(keys) != expected:
        more = sorted(set(keys) - set(expected))
        missing = sorted(set(expected) - set(keys))
        raise Violation(f"{len(uploads)} uploads made {len(keys)} objects; "
                        f"not told of: {more}; missing: {missing}")

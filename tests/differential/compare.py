# SPDX-License-Identifier: MIT
"""Whether two servers that were sent the same bytes agree where each request
ends.  One of them may refuse, and close, whatever it wants: that does no harm.
But all that both have taken has to be the same, up to there."""
import re
from dataclasses import dataclass, field

ABSOLUTE = re.compile(r"(?i)\Ahttps?://[^/?]*")


def plain(target):
    """Without scheme and host, which not everybody tells, nor the slash that
    an empty path is (RFC 9110, section 4.2.3)."""
    found = ABSOLUTE.match(target)
    rest = target[found.end():] if found else target
    return f"/{rest}" if found and not rest.startswith("/") or \
        rest.startswith("?") else rest


def same_target(ours, theirs):
    ours, theirs = plain(ours), plain(theirs)
    if ours.endswith("?redacted"):
        return ours.removesuffix("?redacted") == theirs.split("?", 1)[0]
    return ours.removesuffix("?") == theirs.removesuffix("?")


def difference(ours, theirs):
    """In what the two differ, None where they don't, of one request."""
    if ours.method != theirs.method:
        return f"method: {ours.method}, {theirs.method}"
    if not same_target(ours.target, theirs.target):
        return f"target: {ours.target}, {theirs.target}"
    if "cut" in (ours.state, theirs.state):
        if ours.state not in (theirs.state, "skipped"):
            return f"{ours.state}, {theirs.state}"
        return None
    if ours.state == "whole" and (ours.length, ours.md5) != (theirs.length,
                                                             theirs.md5):
        return f"bytes: {ours.length}, {theirs.length}"
    return None


def disagreement(ours, theirs):
    """The first on which `ours`, the requests that Sluice has taken, and
    `theirs` differ; None: there is none."""
    for number, (one, other) in enumerate(zip(ours, theirs)):
        if "refused" in (one.state, other.state):
            return None
        if what := difference(one, other):
            return f"request {number}: {what}"
    return None


@dataclass
class Figures:
    """Of one peer."""
    inputs: int = 0
    taken: int = 0      # by both, the first request at least
    ended: int = 0      # of these, all, with the marker
    refused: int = 0    # by Sluice, what the peer took
    stricter: int = 0   # the other way round
    found: list = field(default_factory=list)

    def judge(self, stream, ours, theirs):
        self.inputs += 1
        good = [sum(it.state != "refused" for it in one)
                for one in (ours, theirs)]
        self.taken += min(good) > 0
        self.ended += all(it and "key=last-" in it[-1].target
                          for it in (ours, theirs))
        self.refused += good[0] < good[1]
        self.stricter += good[1] < good[0]
        if what := disagreement(ours, theirs):
            self.found.append(f"{what}; {stream.name}, {stream.source}: "
                              f"{stream.data}: {ours}, {theirs}")

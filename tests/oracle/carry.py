# SPDX-License-Identifier: MIT
"""A copy or a move: a share in two keys' histories.

It isn't one step.  It reads its source, later it writes its target, and a move
then removes what it read: that version, or one with the same bytes, or finds
nothing any more, as when somebody else removed it.  A step that was seen to
have happened proves those before it.
"""
from .linear import only
from .record import ABSENT, ANY, IN, KEEP, NOT_IN, PRESENT, Step, Version

GOES_ALONG = ("digest", "size", "kind", "name")  # all but the ETag


class Carry:
    def __init__(self, call, source, target):
        self.call, self.source, self.target = call, source, target
        self.version = call.version = Version()
        need = (ANY,) if call.replace else (ABSENT,)
        self.read = Step(call, [((PRESENT,), KEEP)], False)
        self.made = Step(call, [(need, self.version)], False, self.read)
        self.gone, self.stays = None, False
        source.steps.append(self.read)
        target.steps.append(self.made)
        if call.kind == "move":
            self.gone = Step(call, [((ANY,), None)], False, self.made)
            source.steps.append(self.gone)

    def drop(self, *steps):
        """These are known never to have happened."""
        for key in (self.source, self.target):
            key.steps = [step for step in key.steps if step not in steps]

    def is_like(self, version):
        mine = self.version
        return version.looks_like(mine.digest, mine.size, kind=mine.kind,
                                  name=mine.name)

    def alike(self):
        """The versions that may be what it read."""
        return frozenset(filter(self.is_like, self.source.versions))

    def narrow(self):
        """The version, as far as it is known by now, says what was read and
        what was removed."""
        if self.read.certain:
            self.read.ways = [((IN, self.alike()), KEEP)]
            for word in GOES_ALONG:
                found = {getattr(one, word) for one in self.alike()}
                if len(found) == 1:
                    self.version.learn(**{word: found.pop()})
            read = only(self.read)
            if read:
                read.learn(**{word: getattr(self.version, word)
                              for word in GOES_ALONG})
                self.source.was_there(read, self.read.ended)
        if self.gone and not self.stays:
            self.gone.ways = [((IN, self.alike() | {None}), None)]
        elif self.gone:
            mine = self.version.digest
            taken = {one for one in self.source.versions
                     if mine and one.digest == mine}
            self.gone.ways = [((NOT_IN, frozenset(taken | {None})), KEEP)]

    def changed(self):
        """`source_changed`: it met one version, and later another one."""
        self.read.sure = self.gone.sure = self.stays = True
        self.narrow()

    def had_two(self):
        """Whether the source may have been two things while it ran."""
        states = self.source.allowed(self.call.began, self.call.ended)
        return len({one.digest or one for one in states if one}) > 1


def possible(versions, like, carries):
    """Those of the versions that have what was shown.  A copy of which nothing
    is known yet has it only if its source may have had it."""
    def is_open(version):
        return not version.digest and version in carries
    may = {one for one in versions if one.looks_like(**like)}
    if not any(map(is_open, may)):
        return frozenset(may)
    along = {word: like.get(word) for word in GOES_ALONG}
    reads = {one: {other for other in carry.source.versions
                   if other.looks_like(**along)}
             for one, carry in carries.items() if is_open(one)}
    found, more = set(), True
    while more:
        more = {one for one, read in reads.items() if one not in found and
                any(other not in reads or other in found for other in read)}
        found |= more
    return frozenset(one for one in may if one not in reads or one in found)

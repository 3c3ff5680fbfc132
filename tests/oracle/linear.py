# SPDX-License-Identifier: MIT
"""Whether one key's history is linearizable: whether there is an order of its
steps, each between its beginning and its end, in which every answer is what
the state before it gives.  Steps that aren't sure may be left out.

First zones (Gibbons and Korach, 1997): a value was there from the first end
to the last beginning of the steps that prove it, and nothing else was.  That
refutes most wrong histories at once, and names the steps.  Then the search of
Wing and Gong with the memory of Lowe: a set of steps that are done and a state
are tried once.  Three facts keep it short: a step that only looks, and fits,
can be taken at once; a state that somebody still has to see can't be left,
since each version is written once; and of steps that are alike and may be left
out, the one that leaves more to come is enough.
"""
import bisect

from .record import ABSENT, IN, KEEP, NEVER, fits

LIMIT = 100_000  # states of the search


class Undecided(Exception):
    """The search was given up."""


def only(step):
    """The one version that a step needs to see, if there is one."""
    needs = {need[1] if need[0] == IN else None for need, _ in step.ways}
    if len(needs) == 1 and None not in needs:
        versions = next(iter(needs))
        if len(versions) == 1:
            return next(iter(versions))
    return None


def target(step):
    """The one state that a step leaves, KEEP where it may be several."""
    if len(step.ways) == 1:
        return step.ways[0][1]
    return KEEP


# ---- zones ------------------------------------------------------------------

class Zone:
    """The time in which the steps of one version prove that it was there."""

    def __init__(self, version):
        self.version, self.first, self.last = version, None, None
        self.write = None

    def add(self, step):
        if step.changes:
            self.write = step
        if not self.first or step.ended < self.first.ended:
            self.first = step
        if not self.last or step.began > self.last.began:
            self.last = step

    @property
    def held(self):
        return self.first.ended < self.last.began


def zones_of(steps):
    zones = {}
    for step in steps:
        if not step.certain:
            continue
        seen, made = only(step), target(step)
        for version in {seen} if not step.changes else {made}:
            if version is not None and version is not KEEP:
                zones.setdefault(version, Zone(version)).add(step)
    return zones


def refuted(steps):
    """Two steps' worth of reason, or None: nothing is known."""
    zones = zones_of(steps)
    for zone in zones.values():
        if zone.write and zone.first.ended < zone.write.began:
            return (f"{zone.version} was seen before it was written",
                    [zone.first, zone.write])
    held = sorted((zone for zone in zones.values() if zone.held),
                  key=lambda zone: zone.first.ended)
    for one, other in zip(held, held[1:]):
        if other.first.ended < one.last.began:
            return (f"{one.version} and {other.version} would have been there "
                    "at the same time", [one.first, one.last, other.first,
                                         other.last])
    ends = [zone.first.ended for zone in held]

    def inside(began, ended):
        """The zone that spans all of this time."""
        at = bisect.bisect_left(ends, began) - 1
        if at >= 0 and ended < held[at].last.began:
            return held[at]
        return None
    for step in steps:
        if not step.certain:
            continue
        absent = not step.changes and len(step.ways) == 1 and \
            step.ways[0][0][0] == ABSENT
        if not (absent or step.changes and target(step) is not KEEP):
            continue
        zone = inside(step.began, step.ended)
        if zone and target(step) is not zone.version:
            return (f"{zone.version} was there before and after, and its only "
                    "write was before", [zone.first, step, zone.last])
    return None


# ---- the search -------------------------------------------------------------

class Search:
    def __init__(self, steps, limit):
        self.limit, self.tried = limit, set()
        self.must = sorted((step for step in steps if step.certain),
                           key=lambda step: step.began)
        self.may = [step for step in steps
                    if not step.certain and step.changes]
        self.pure = [not step.changes for step in self.must]
        self.only = [only(step) if pure else None
                     for step, pure in zip(self.must, self.pure)]
        self.best, self.stuck = -1, []
        places = {id(step): at for at, step in enumerate(self.must)}
        self.after = [self.place(step, places) for step in self.must]
        self.may_after = [self.place(step, places) for step in self.may]
        self.better = self.spare()
        zones = zones_of(steps)
        self.due = {id(step): self.deadline(step, zones)
                    for step in self.must + self.may}

    @staticmethod
    def place(step, places):
        """The step of this history that comes before it; -1: none."""
        while step.after:
            step = step.after
            if id(step) in places:
                return places[id(step)]
        return -1

    @staticmethod
    def is_done(at, low, done):
        return at < low or done >> at - low & 1

    @staticmethod
    def deadline(step, zones):
        zone = zones.get(target(step))
        return min(step.ended, zone.first.ended if zone else NEVER)

    def window(self, low, done):
        """Steps that may come next: nothing undone ended before them."""
        bound, at, found = NEVER, low, []
        while at < len(self.must) and self.must[at].began <= bound:
            if not done >> at - low & 1:
                found.append(at)
                bound = min(bound, self.must[at].ended)
            at += 1
        return [at for at in found if self.must[at].began <= bound and
                self.is_done(self.after[at], low, done)]

    def spare(self):
        """For each step that may be left out, those that do as well and
        leave more to come: alike, begun no later and over no later."""
        return [[other for other, twin in enumerate(self.may)
                 if other != at and twin.ways == step.ways and
                 self.may_after[other] == self.may_after[at] and
                 (twin.began, twin.limit, other) < (step.began, step.limit, at)
                 and twin.limit <= step.limit]
                for at, step in enumerate(self.may)]

    def newest(self, low, done, used):
        """The latest beginning among the steps that are done."""
        latest = low + done.bit_length() - 1
        return max([self.must[latest].began if latest >= 0 else -NEVER] +
                   [step.began for at, step in enumerate(self.may)
                    if used >> at & 1])

    def look(self, low, done, used, state, left):
        """Takes all that only look and fit; returns what remains.  A step that
        may be left out, and is over before the look, has to be thought of
        first."""
        newest = self.newest(low, done, used)
        over = min((step.limit for at, step in enumerate(self.may)
                    if not used >> at & 1 and step.limit >= newest),
                   default=NEVER)
        while True:
            window = self.window(low, done)
            taken = [at for at in window if self.pure[at] and
                     self.must[at].began <= over and any(
                         fits(need, state) for need, _ in self.must[at].ways)]
            for at in taken:
                done |= 1 << at - low
                if self.only[at] is not None:
                    left -= 1
            while done & 1:
                done >>= 1
                low += 1
            if not taken:
                return low, done, window, left

    def choices(self, window, low, done, used, state):
        """(how late to try it, number of a step, state after it, whether it
        may).  The most urgent first, or else what lets it happen; and what
        removes nothing last, as it may remove something later."""
        found, urgent = [], min(window, key=lambda at:
                                self.due[id(self.must[at])])
        ways = self.must[urgent].ways

        def late(due, after, may):
            helps = any(fits(need, after) for need, _ in ways)
            return (may, after is None and state is None, not helps, due)
        for at in window:
            found += [(late(-1 if at == urgent else
                            self.due[id(self.must[at])], to, False),
                       at, to, False) for need, to in self.must[at].ways
                      if fits(need, state)]
        if self.may:
            newest = self.newest(low, done, used)
            bound = min((self.must[at].ended for at in window),
                        default=NEVER)
            found += [(late(self.due[id(step)], to, True), at, to, True)
                      for at, step in enumerate(self.may)
                      if not used >> at & 1 and step.began <= bound and
                      newest <= step.limit and
                      self.is_done(self.may_after[at], low, done) and
                      not any(not used >> twin & 1 and
                              newest <= self.may[twin].limit
                              for twin in self.better[at])
                      for need, to in step.ways
                      if to is not KEEP and to is not state and
                      fits(need, state)]
        found.sort(key=lambda choice: choice[0], reverse=True)
        return found

    def counts(self):
        counts = {}
        for version in self.only:
            if version is not None:
                counts[version] = counts.get(version, 0) + 1
        return counts

    def run(self, state):
        counts = self.counts()
        stack = [(0, 0, 0, state, counts.get(state, 0))]
        while stack:
            low, done, used, state, left = stack.pop()
            mark = (low, done, used, state)
            if mark in self.tried:
                continue
            self.tried.add(mark)
            if len(self.tried) > self.limit:
                raise Undecided(f"{len(self.must)} steps: not decided after "
                                f"{self.limit} states")
            low, done, window, left = self.look(low, done, used, state, left)
            if low >= len(self.must):
                return True
            if low + bin(done).count("1") > self.best:
                self.best = low + bin(done).count("1")
                self.stuck = [self.must[at] for at in window]
            for _, at, to, may in self.choices(window, low, done, used,
                                               state):
                after = state if to is KEEP else to
                seen = counts.get(after, 0)
                if after is state:
                    seen = left - (not may and self.only[at] is not None)
                elif left > 0:
                    continue
                stack.append((low, done | (0 if may else 1 << at - low),
                              used | (1 << at if may else 0), after, seen))
        return False


def explain(steps, initial, limit=LIMIT):
    """None where an order exists; else (why not, the steps that matter)."""
    steps = [step for step in steps if step.ways]
    why = refuted(steps)
    if why:
        return why
    search = Search(steps, limit)
    if any(search.run(state) for state in initial):
        return None
    return (f"no order explains all {len(search.must)} answers; "
            f"{search.best} can be explained, then one of these can't",
            search.stuck)


def linearizable(steps, initial=(None,), limit=LIMIT):
    return explain(steps, initial, limit) is None

# SPDX-License-Identifier: MIT
"""The model of objects: for each key the states that are allowed now.

A state is allowed at a look if its write may have happened before the look's
end, and nothing that surely came after that write was surely over before the
look began.  An answer narrows that: who was told of a write, or saw it, knows
that it happened.  That is weaker than linearizability where calls overlap, and
costs nothing; verify() asks `linear` as well, and goes on from what is allowed
then.
"""
import threading
import time

from .carry import Carry, possible
from .linear import Undecided, explain, linearizable, only
from .record import (ABSENT, ANY, DOUBTS, IN, KEEP, KNOWN, NEVER, PRESENT,
                     Call, Step, Version, Violation, condition, delete_ways,
                     fits, get_ways, put_ways, shown, words_of)

SHOWN = 12  # steps of a history in an error


class Key:
    """One key's history since the last verify()."""

    def __init__(self, name, initial=(None,)):
        self.name, self.initial, self.steps = name, list(initial), []

    @property
    def versions(self):
        found = {state for state in self.initial if state}
        for step in self.steps:
            found.update(to for _, to in step.ways if isinstance(to, Version))
        return found

    def makers(self, began, ended):
        """The states that a look at this time may meet, and the step that
        made each; None: it was so from the start."""
        changes = [step for step in self.steps if step.changes]
        over = [step.began for step in changes
                if step.certain and step.ended < began]
        newest = max(over, default=None)
        makers = [(to, step) for step in changes if step.began < ended and
                  (newest is None or step.ended >= newest)
                  for _, to in step.ways if to is not KEEP]
        return makers + [(to, None) for to in ([] if over else self.initial)]

    def allowed(self, began, ended):
        """The states that a look at this time may meet."""
        return {state for state, _ in self.makers(began, ended)}

    def maker(self, version):
        for step in self.steps:
            if any(to is version for _, to in step.ways):
                return step
        return None

    def saw_nothing(self, began, ended):
        """If but one step can have removed it, that one did."""
        who = [step for to, step in self.makers(began, ended) if to is None]
        if len(who) == 1 and who[0]:
            who[0].saw(ended)

    def saw(self, version, answer, ended):
        """Somebody was shown this version: it was written by then."""
        version.learn(**shown(answer))
        self.was_there(version, ended)

    def was_there(self, version, ended):
        step = self.maker(version)
        if step:
            step.saw(ended)
        elif version in self.initial:
            self.initial = [version]

    def narrow(self, could_be):
        """More is known by now of the versions that looks may have seen."""
        for step in self.steps:
            if not step.like:
                continue
            [(need, to)] = step.ways
            step.ways = [((IN, could_be(need[1], step.like)), to)]
            seen = only(step)
            if seen:
                self.saw(seen, step.like, step.ended)

    def left(self, now):
        """The states it may have, where nothing goes on: what was seen after
        all changes were over, or what is allowed."""
        over = max((step.ended if step.certain else step.limit
                    for step in self.steps if step.changes), default=-NEVER)
        states = self.allowed(now, NEVER)
        for step in self.steps:
            if step.changes or not step.certain or step.began < over:
                continue
            states = {one for one in states
                      if any(fits(need, one) for need, _ in step.ways)}
            if step.like and step.like.get("digest"):
                return [Version(**step.like)]
        return list(states)


class Objects:
    """Every key that any call named, or any answer."""

    def __init__(self, clock=time.monotonic, md5_etags=False):
        self.clock, self.lock = clock, threading.RLock()
        self.md5_etags = md5_etags  # does the storage make ETags of bytes?
        self.keys, self.open = {}, []
        self.strays = []   # uploads whose key nobody was told
        self.early = {}    # keys that lists showed before their 201
        self.carries = {}  # copies and moves, by the version they make
        self.checked = self.calls = self.undecided = 0

    def key(self, name):
        if name not in self.keys:
            self.keys[name] = Key(name)
        return self.keys[name]

    # -- a call begins

    def begin(self, client, kind, **words):
        with self.lock:
            call = Call(client, kind, self.clock(), **words)
            call.steps = []
            version = words.get("version")
            if version and self.md5_etags:
                version.learn(etag=version.digest)
            self.open.append(call)
            self.calls += 1
            getattr(self, f"begin_{kind}", lambda call: None)(call)
            return call

    def plan(self, call, name, ways, sure=False):
        step = Step(call, ways, sure)
        self.key(name).steps.append(step)
        call.steps.append((self.key(name), step))
        return step

    def begin_upload(self, call):
        self.strays.append(call)

    def begin_put(self, call):
        need, _ = self.conditions(call)
        self.plan(call, call.key, put_ways(None, call.version, need, None)[0])

    def begin_delete(self, call):
        need, _ = self.conditions(call)
        self.plan(call, call.key, delete_ways(None, need, None)[0])

    def begin_delete_many(self, call):
        for name in call.keys:
            self.plan(call, name, [((ANY,), None)])

    def begin_delete_prefix(self, call):
        for name in list(self.keys):
            if name.startswith(call.prefix) and not call.dry_run:
                self.plan(call, name, [((ANY,), None)])

    def begin_copy(self, call):
        call.carry = Carry(call, self.key(call.source), self.key(call.target))
        self.carries[call.version] = call.carry

    begin_move = begin_copy

    def conditions(self, call):
        return condition(self.key(call.key).versions,
                         call.words.get("if_match"),
                         call.words.get("if_none_match"))

    # -- it ends

    def end(self, call, status, **answer):
        """The answer came: is it allowed, and what does it prove?"""
        with self.lock:
            call.answer = {"status": status, **answer}
            if status not in KNOWN:
                raise Violation(f"{call}: no such answer is in the contract")
            if status in DOUBTS:
                self.lose(call)
                return
            call.ended = self.clock()
            call.over = True
            self.open.remove(call)
            getattr(self, f"end_{call.kind}")(call, call.answer)

    def lose(self, call):
        """Nobody knows what came of it, or will come of it."""
        with self.lock:
            if call.kind in ("get", "head", "list"):
                call.over = True
                self.open.remove(call)

    def settle(self):
        """From now on nothing of what is unanswered can happen any more: the
        gateway was killed, or its time for it is over."""
        with self.lock:
            now = self.clock()
            for call in self.open:
                call.over, call.limit = True, now
            self.open.clear()

    def decide(self, call, key, step, ways, sure):
        """Puts in place of the plan what the answer says it was."""
        if sure is None:
            key.steps.remove(step)
            return
        step.ways, step.sure = ways, sure
        self.check(key, step)

    def check(self, key, step):
        self.checked += 1
        allowed = key.allowed(step.began, step.ended)
        if any(fits(need, state) for need, _ in step.ways
               for state in allowed):
            return
        wanted = " or ".join(words_of(need) for need, _ in step.ways)
        self.refuse(key, f"{step} is not allowed: it takes a state that is "
                    f"{wanted or 'none at all'}; allowed would have been "
                    f"{sorted(map(str, allowed))}",
                    self.relevant(key, step, allowed))

    @staticmethod
    def relevant(key, step, allowed):
        """Steps that make the allowed states, and what came last before."""
        near = [one for one in key.steps if one is not step and one.changes and
                (one.ended >= step.began or
                 any(to in allowed for _, to in one.ways))]
        return near[-SHOWN:]

    @staticmethod
    def refuse(key, what, steps):
        history = "".join(f"\n  {step}" for step in steps)
        raise Violation(f"key {key.name!r}: {what}; the history that matters:"
                        f"{history or ' nothing was ever done to it'}")

    def could_be(self, versions, like):
        return possible(versions, like, self.carries)

    def look(self, call, key, answer, fails=None):
        """Somebody saw this key so."""
        versions = key.versions
        if answer["status"] in (200, 206):
            versions = self.could_be(versions, shown(answer))
        ways, sure = get_ways(answer, versions, fails)
        if sure is None:
            return
        step = Step(call, ways, sure)
        if answer["status"] in (200, 206):
            step.like = shown(answer)
        key.steps.append(step)
        self.check(key, step)
        seen = only(step)
        if seen:
            self.bind(key, seen, answer, call)
        elif answer["status"] == 404:
            key.saw_nothing(call.began, call.ended)

    def bind(self, key, version, answer, call):
        """A copy that was seen proves what it read."""
        key.saw(version, answer, call.ended)
        carry = self.carries.get(version)
        if carry and carry.read in carry.source.steps:
            self.check_read(carry)

    def check_read(self, carry):
        carry.narrow()
        if carry.read.certain and not carry.alike():
            self.refuse(carry.target, f"{carry.version} isn't what "
                        f"{carry.source.name!r} had", [carry.made])
        self.check(carry.source, carry.read)

    # -- what each kind's answer says

    def end_upload(self, call, answer):
        if answer["status"] != 201:
            self.strays.remove(call)
            return
        name = answer["key"]
        if call not in self.strays:
            _, step = call.steps[0]
            if step not in self.key(name).steps:
                self.refuse(self.key(name), f"{call} was stored as another "
                            "key, too", [step])
            step.sure = True
            return
        if name in self.keys and self.keys[name].versions:
            self.refuse(self.keys[name], f"{call}: the key was handed out "
                        "before", self.keys[name].steps[-SHOWN:])
        call.version.learn(etag=answer.get("etag"))
        self.claim(call, name, True)

    def claim(self, call, name, sure):
        self.strays.remove(call)
        self.plan(call, name, [((ABSENT,), call.version)], sure)
        for look, seen in self.early.pop(name, ()):
            self.look(look, self.key(name), seen)

    def end_put(self, call, answer):
        need, fails = self.conditions(call)
        call.version.learn(etag=answer.get("etag"))
        self.decide(call, *call.steps[0],
                    *put_ways(answer, call.version, need, fails))

    def end_delete(self, call, answer):
        self.decide(call, *call.steps[0],
                    *delete_ways(answer, *self.conditions(call)))

    def end_get(self, call, answer):
        _, fails = self.conditions(call)
        name = call.key
        if answer["status"] == 200 and not self.key(name).versions:
            self.stray(call, name, answer)
        self.look(call, self.key(name), answer, fails)

    end_head = end_get

    def end_delete_many(self, call, answer):
        done = list(answer.get("deleted", ()))
        failed = [one["key"] for one in answer.get("failed", ())]
        if answer["status"] == 200 and \
                sorted(done + failed) != sorted(set(call.keys)):
            raise Violation(f"{call}: not every key is in one of the two")
        for key, step in call.steps:
            if answer["status"] != 200:
                self.decide(call, key, step, [], None)
            elif key.name in done:
                self.decide(call, key, step, [((ANY,), None)], True)

    def end_delete_prefix(self, call, answer):
        whole = answer["status"] == 200 and not answer.get("truncated") and \
            not answer.get("failed")
        for key, step in call.steps:
            if answer["status"] != 200:
                self.decide(call, key, step, [], None)
            elif whole:
                self.decide(call, key, step, [((ANY,), None)], True)

    def end_copy(self, call, answer):
        carry, status = call.carry, answer["status"]
        rest = [carry.gone] if carry.gone else []
        if status == 404:
            self.carries.pop(call.version)
            carry.drop(carry.made, *rest)
            self.decide(call, carry.source, carry.read,
                        [((ABSENT,), KEEP)], True)
        elif answer.get("code") == "source_changed":
            self.end_changed(call, carry)
        elif status in (200, 201):
            etag = answer.get("etag")
            call.version.learn(etag if self.md5_etags else None,
                               answer.get("size"), etag, answer.get("kind"))
            for step in (carry.read, *rest):
                step.sure = True
            self.decide(call, carry.target, carry.made, *put_ways(
                answer, call.version, (ANY,) if call.replace else (ABSENT,),
                None))
            self.check_read(carry)
            for step in rest:
                self.check(carry.source, step)
        else:
            self.carries.pop(call.version)
            carry.drop(carry.read, *rest)
            self.decide(call, carry.target, carry.made, *put_ways(
                answer, call.version, (ABSENT,),
                None if call.replace else (PRESENT,)))

    def end_changed(self, call, carry):
        call.limit = call.ended  # it was copied before that, or never
        if not carry.gone:
            carry.drop(carry.read)
            return
        carry.changed()
        self.check(carry.source, carry.read)
        self.check(carry.source, carry.gone)
        if not carry.had_two():
            self.refuse(carry.source, f"{call}: nobody replaced it meanwhile",
                        carry.source.steps[-SHOWN:])

    end_move = end_copy

    # -- lists

    def end_list(self, call, answer):
        if answer["status"] != 200:
            return
        listed = {one["key"]: one for one in answer["objects"]}
        names = [one["key"] for one in answer["objects"]]
        if names != sorted(listed, key=str.encode):
            raise Violation(f"{call}: keys are out of order, or twice: "
                            f"{names}")
        after = call.words.get("after")
        last = names[-1].encode() if answer["truncated"] else None
        for name in names:
            if not name.startswith(call.prefix) or \
                    after is not None and name.encode() <= after.encode():
                raise Violation(f"{call}: {name!r} isn't of this page")
        for name, key in list(self.keys.items()):
            if name in listed or not name.startswith(call.prefix) or \
                    after is not None and name.encode() <= after.encode() or \
                    last is not None and name.encode() > last:
                continue
            self.look(call, key, {"status": 404})
        for name, one in listed.items():
            seen = {"status": 200, "size": one["size"], "etag": one["etag"]}
            if name in self.keys and self.keys[name].versions:
                self.look(call, self.keys[name], seen)
            else:
                self.stray(call, name, seen)

    def stray(self, call, name, seen):
        """A key that no answer told of: an upload's, whose answer is on its
        way, or was lost."""
        may = [one for one in self.strays if one.began < call.ended and
               name.startswith(one.prefix) and one.version.looks_like(
                   seen.get("digest"), seen.get("size"), seen.get("etag"))]
        if not may:
            raise Violation(
                f"key {name!r}: {call}: nobody sent this ({seen}), or it was "
                "stored twice; unanswered uploads: " +
                "; ".join(map(str, self.strays[-SHOWN:])))
        if seen.get("digest"):
            self.claim(may[0], name, False)
            return
        self.early.setdefault(name, []).append((call, seen))

    def forget_strays(self):
        """Every object was just read: an upload that nobody saw, and whose
        time is over, was never stored."""
        with self.lock:
            self.strays = [call for call in self.strays if not call.over]
            self.early.clear()

    # -- the whole

    def verify(self):
        """Every key's whole history has an order; then it begins anew."""
        with self.lock:
            self.narrow()
            for carry in self.carries.values():
                self.prove_moved(carry)
            for key in self.keys.values():
                self.prove(key)
            if self.open:
                return
            now = self.clock()
            for key in self.keys.values():
                key.initial, key.steps = key.left(now), []
            self.carries.clear()

    def narrow(self):
        """A version that is known tells of those it was copied from, and
        to."""
        known = None
        while known != (known := self.known()):
            for key in self.keys.values():
                key.narrow(self.could_be)
            for carry in self.carries.values():
                carry.narrow()

    def known(self):
        steps = [step for key in self.keys.values() for step in key.steps]
        return (sum(step.certain for step in steps),
                sum(len(need[1]) for step in steps for need, _ in step.ways
                    if need[0] == IN))

    def prove_moved(self, carry):
        """A move in doubt: if nothing else can have taken its source away, it
        is at the target."""
        if not carry.gone or carry.gone.certain or \
                carry.gone not in carry.source.steps:
            return
        rest = [step for step in carry.source.steps
                if step is not carry.gone]
        try:
            if not linearizable(rest, carry.source.initial):
                carry.gone.saw(min(carry.gone.limit, self.clock()))
        except Undecided:
            self.undecided += 1

    def prove(self, key):
        try:
            why = explain(key.steps, key.initial)
        except Undecided:
            self.undecided += 1
            return
        if why:
            self.refuse(key, *why)

    def present(self, prefix=""):
        """Keys that may be there now, and their states."""
        with self.lock:
            now = self.clock()
            return {name: states for name, key in self.keys.items()
                    if name.startswith(prefix) and
                    (states := key.allowed(now, now)) != {None}}

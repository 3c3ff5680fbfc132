#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The models: histories that a gateway may give, and ones it may not, each
refused with the key and what would have been allowed."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]),
                str(Path(__file__).resolve().parents[1] / "integration")]

# pylint: disable=wrong-import-position
from kit import each, equal, expect, like, main, test  # noqa: E402
from oracle.events import Changes  # noqa: E402
from oracle.links import Links  # noqa: E402
from oracle.objects import Objects  # noqa: E402
from oracle.record import Call, Version, Violation  # noqa: E402
from oracle.stages import Stage  # noqa: E402


class Clock:
    """Each look at it is a second later."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


class World:
    """An oracle, and calls in short: one after the other, but for those that
    begin() leaves open."""

    def __init__(self):
        self.oracle = Objects(Clock())

    def version(self, word):
        return Version(word, len(word))

    def begin(self, kind, **words):
        if "data" in words:
            words["version"] = self.version(words.pop("data"))
        if kind in ("copy", "move"):
            words.setdefault("replace", False)
        return self.oracle.begin("c", kind, **words)

    def do(self, kind, status, answer=None, **words):
        call = self.begin(kind, **words)
        self.oracle.end(call, status, **(answer or {}))
        return call

    def put(self, key, data, status=201, **words):
        return self.do("put", status, {"etag": data}, key=key, data=data,
                       **words)

    def get(self, key, data=None):
        if data is None:
            return self.do("get", 404, key=key)
        return self.do("get", 200, {"digest": data, "size": len(data),
                                    "etag": data}, key=key)

    def list(self, *keys, prefix="", truncated=False):
        return self.do("list", 200, {"truncated": truncated, "objects": [
            {"key": key, "size": len(data), "etag": data}
            for key, data in keys]}, prefix=prefix)

    def lost(self, kind, **words):
        call = self.begin(kind, **words)
        self.oracle.lose(call)
        return call


def lost_put_late(w):
    w.put("k", "a")
    w.lost("put", key="k", data="b")
    w.get("k", "a")
    w.get("k", "b")


def lost_put_never(w):
    w.put("k", "a")
    w.lost("put", key="k", data="b")
    w.oracle.settle()
    w.get("k", "a")


def lost_upload_seen(w):
    w.lost("upload", prefix="t", data="one")
    w.oracle.settle()
    w.list(("t/x-one", "one"))
    w.get("t/x-one", "one")


def listed_before_its_answer(w):
    call = w.begin("upload", prefix="t", data="one")
    w.list(("t/x", "one"))
    w.oracle.end(call, 201, key="t/x")


def conditions_hold(w):
    w.put("k", "a", if_none_match="*")
    w.put("k", "b", 412, if_none_match="*")
    w.put("k", "b", 200, if_match="a")
    w.put("k", "c", 412, if_match="a")
    w.do("delete", 412, key="k", if_match="a")
    w.do("delete", 200, key="k", if_match="b")
    w.get("k")


def copy_has_the_bytes(w):
    w.put("a", "x")
    w.do("copy", 201, {"size": 1, "etag": "2"}, source="a", target="b")
    w.do("get", 200, {"digest": "x", "size": 1, "etag": "2"}, key="b")
    w.get("a", "x")
    w.do("copy", 409, {"code": "object_exists"}, source="a", target="b")


def move_in_doubt_is_finished(w):
    w.put("a", "x")
    w.do("move", 502, source="a", target="b")
    w.do("get", 200, {"digest": "x", "size": 1, "etag": "2"}, key="b")
    w.get("a", "x")
    w.do("move", 200, {"size": 1, "etag": "3"}, source="a", target="b",
         replace=True)
    w.get("a")


def batch(w):
    w.put("a", "x")
    w.put("b", "y")
    w.do("delete_many", 200, {"deleted": ["a", "c"], "failed": [
        {"key": "b", "code": "forbidden"}]}, keys=["a", "b", "c"])
    w.list(("b", "y"))
    w.do("delete_prefix", 200, {}, prefix="", dry_run=False)
    w.list()


def one_of_two_creates(w):
    first = w.begin("put", key="k", data="a", if_none_match="*")
    w.put("k", "b", if_none_match="*")
    w.oracle.end(first, 412)
    w.get("k", "b")


@each({one.__name__: one for one in (
    lost_put_late, lost_put_never, lost_upload_seen, listed_before_its_answer,
    conditions_hold, copy_has_the_bytes, move_in_doubt_is_finished, batch,
    one_of_two_creates)})
def test_answers_are_allowed(story):
    world = World()
    story(world)
    world.oracle.settle()
    world.oracle.verify()


def lost_object(w):
    w.put("k", "a")
    w.get("k")


def stale_list(w):
    w.put("k", "a")
    w.list()


def list_of_what_is_gone(w):
    w.put("k", "a")
    w.do("delete", 200, key="k")
    w.list(("k", "a"))


def other_bytes(w):
    w.put("k", "a")
    w.get("k", "b")


def late_after_its_time(w):
    w.put("k", "a")
    w.lost("put", key="k", data="b")
    w.oracle.settle()
    w.get("k", "a")
    w.get("k", "b")


def nobody_sent(w):
    w.list(("k", "a"))


def stored_twice(w):
    w.lost("upload", prefix="t", data="one")
    w.get("t/1", "one")
    w.get("t/2", "one")


def key_handed_out_twice(w):
    w.do("upload", 201, {"key": "t/1"}, prefix="t", data="one")
    w.do("upload", 201, {"key": "t/1"}, prefix="t", data="two")


def two_winners(w):
    first = w.begin("put", key="k", data="a", if_none_match="*")
    w.put("k", "b", if_none_match="*")
    w.oracle.end(first, 201, etag="a")


def condition_ignored(w):
    w.put("k", "a")
    w.put("k", "b", 200, if_match="b")


def condition_refused_for_nothing(w):
    w.put("k", "a")
    w.put("k", "b", 412, if_match="a")


def etag_changes(w):
    w.put("k", "a")
    w.do("get", 200, {"digest": "a", "size": 1, "etag": "z"}, key="k")


def copy_has_other_bytes(w):
    w.put("a", "x")
    w.do("copy", 201, {"size": 1, "etag": "2"}, source="a", target="b")
    w.do("get", 200, {"digest": "y", "size": 1, "etag": "2"}, key="b")


def move_loses(w):
    w.put("a", "x")
    w.do("move", 502, source="a", target="b")
    w.oracle.settle()
    w.get("a")
    w.get("b")


def move_leaves(w):
    w.put("a", "x")
    w.do("move", 201, {"size": 1, "etag": "2"}, source="a", target="b")
    w.get("a", "x")


def batch_swallows(w):
    w.put("a", "x")
    w.do("delete_many", 200, {"deleted": ["a"], "failed": []}, keys=["a"])
    w.get("a", "x")


def batch_forgets_a_key(w):
    w.do("delete_many", 200, {"deleted": ["a"], "failed": []},
         keys=["a", "b"])


def list_out_of_order(w):
    w.put("a", "x")
    w.put("b", "y")
    w.list(("b", "y"), ("a", "x"))


def deleted_and_back(w):
    w.put("k", "a")
    w.lost("delete", key="k")
    w.get("k")
    w.get("k", "a")


@each({one.__name__: one for one in (
    lost_object, stale_list, list_of_what_is_gone, other_bytes,
    late_after_its_time, nobody_sent, stored_twice, key_handed_out_twice,
    two_winners, condition_ignored, condition_refused_for_nothing,
    etag_changes, copy_has_other_bytes, move_loses, move_leaves,
    batch_swallows, batch_forgets_a_key, list_out_of_order,
    deleted_and_back)})
def test_answers_are_refused(story):
    world = World()
    try:
        story(world)
        world.oracle.settle()
        world.oracle.verify()
    except Violation:
        return
    expect(False, "it was allowed")


@test
def test_refusal_names_key_history_and_what_was_allowed():
    world = World()
    world.put("some/key", "a")
    try:
        world.get("some/key")
    except Violation as why:
        like("what", str(why), r"'some/key'.*allowed would have been \['v\d+"
             r"\(1 bytes, a\)'\].*history that matters:\n.*put")
        return
    expect(False, "it was allowed")


# ---- stages -----------------------------------------------------------------

def stage(*acts, length=100):
    """Acts: (kind, status, offset) of a request that is answered; "lost" or
    "tell" leave it open; "settle" is a crash."""
    it = Stage("u", length, Clock())
    for kind, words, status, told in acts:
        if kind == "settle":
            it.settle()
            continue
        call = it.begin("c", kind, **words)
        if status == "tell":
            it.tell(call, told)
        elif status != "lost":
            it.end(call, status, told, complete=told == it.length)


def append(at, size, status, told=None, **words):
    return ("append", {"at": at, "size": size, **words}, status, told)


def look(told, status=204):
    return ("head", {}, status, told)


CRASH = ("settle", {}, 0, 0)
STAGES = {
    "in order": [append(0, 40, 204, 40), look(40),
                 append(40, 60, 201, 100, last=True), look(100)],
    "cut anywhere": [append(0, 40, "lost"), CRASH, look(17),
                     append(17, 83, 201, 100)],
    "told on the way": [append(0, 40, "tell", 8), CRASH, look(8)],
    "with a digest it counts whole": [
        append(0, 40, "lost", whole=True), CRASH, look(40)],
    "with a digest it counts not at all": [
        append(0, 40, "lost", whole=True), CRASH, look(0)],
    "wrong offset": [append(0, 40, 204, 40), append(10, 10, 409, 40),
                     look(40)],
    "a lost end": [append(0, 100, "lost", last=True), CRASH, look(100)],
}


@each(STAGES)
def test_offsets_are_allowed(acts):
    stage(*acts)


WRONG_STAGES = {
    "taken back": [append(0, 40, 204, 40), look(39)],
    "taken back after a crash": [append(0, 40, "tell", 8), CRASH, look(7)],
    "told and lost": [append(0, 40, 204, 40), CRASH, look(0)],
    "more than was sent": [append(0, 40, "lost"), CRASH, look(41)],
    "a byte doubled": [append(0, 40, 204, 40), append(40, 10, 204, 60)],
    "half of what has a digest": [
        append(0, 40, "lost", whole=True), CRASH, look(20)],
    "grows while nobody sends": [append(0, 40, "lost"), CRASH, look(17),
                                 look(18)],
    "complete without an end": [append(0, 40, 204, 40), look(100)],
    "an append where it doesn't stand": [
        append(0, 40, 204, 40), append(10, 10, 204, 20)],
    "gone": [append(0, 40, 204, 40), look(None, 404)],
}


@each(WRONG_STAGES)
def test_offsets_are_refused(acts):
    try:
        stage(*acts)
    except Violation as why:
        like("what", str(why), "upload 'u'.*allowed would have been")
        return
    expect(False, "it was allowed")


# ---- links ------------------------------------------------------------------

class Shared:
    def __init__(self):
        self.clock = Clock()
        self.links = Links(self.clock)

    def make(self, ident="i", key="a/k", **words):
        call = self.links.begin("c", "make", key=key, identity="me")
        self.links.made(call, ident, **words)

    def use(self, status=200, code=None, gateway="g", **words):
        call = self.links.begin("c", "use", gateway, id="i", **words)
        if status:
            self.links.used(call, status, code)

    def revoke(self, what="id", value="i", gateway="g", status=200):
        call = self.links.begin("c", "revoke", gateway, what=what,
                                value=value)
        if status:
            self.links.revoked(call, status)


def uses_end(s):
    s.make(uses=2)
    s.use()
    s.use(206, resumes=True)
    s.use()
    s.use(403, "link_used_up")
    s.use(206, resumes=True)


def use_in_doubt_may_count(s):
    s.make(uses=1)
    s.use(None)
    s.use(403, "link_used_up")


def use_in_doubt_may_not_count(s):
    s.make(uses=1)
    s.use(None)
    s.use()


def revoked_elsewhere_within_its_bound(s):
    s.make()
    s.revoke("prefix", "a/", gateway="h")
    s.use()
    s.use(403, "link_revoked")
    s.clock.now += 6
    s.use(403, "link_revoked")


def link_made_after_a_revocation(s):
    s.make("old")
    s.revoke("key", "a/k")
    s.make()
    s.use()


@each({one.__name__: one for one in (
    uses_end, use_in_doubt_may_count, use_in_doubt_may_not_count,
    revoked_elsewhere_within_its_bound, link_made_after_a_revocation)})
def test_links_are_allowed(story):
    story(Shared())


def one_use_too_many(s):
    s.make(uses=1)
    s.use()
    s.use()


def used_up_too_early(s):
    s.make(uses=2)
    s.use()
    s.use(403, "link_used_up")


def served_after_revocation(s):
    s.make()
    s.revoke("identity", "me")
    s.use()


def served_after_the_bound(s):
    s.make()
    s.revoke(gateway="h")
    s.clock.now += 6
    s.use()


def revoked_by_nobody(s):
    s.make()
    s.revoke("key", "a/other")
    s.use(403, "link_revoked")


def revoked_before_it_was_made(s):
    s.make("old")
    s.revoke("key", "a/k")
    s.make()
    s.use(403, "link_revoked")


def served_after_it_expired(s):
    s.make(expires=s.clock.now + 3)
    s.clock.now += 5
    s.use()


@each({one.__name__: one for one in (
    one_use_too_many, used_up_too_early, served_after_revocation,
    served_after_the_bound, revoked_by_nobody, revoked_before_it_was_made,
    served_after_it_expired)})
def test_links_are_refused(story):
    try:
        story(Shared())
    except Violation as why:
        like("what", str(why), "link 'i'.*history that matters")
        return
    expect(False, "it was allowed")


# ---- events -----------------------------------------------------------------

def told(*events):
    """Whether a, uploaded, deleted and answered, and one upload in doubt
    explain these."""
    changes = Changes()
    for kind, status, key in (("upload", 201, "a"), ("delete", 200, "a"),
                              ("upload", None, None)):
        call = Call("c", kind, 0, **({"key": key} if kind == "delete"
                                     else {}))
        call.answer = status and {"status": status, "key": key}
        changes.add(call)
    try:
        changes.check([{"id": number, "key": key, "type": f"object.{kind}"}
                       for number, (key, kind) in enumerate(events)])
    except Violation:
        return False
    return True


@each({"each once": ([("a", "uploaded"), ("a", "deleted")], True),
       "and what is in doubt": ([("a", "uploaded"), ("b", "uploaded"),
                                 ("a", "deleted")], True),
       "one is missing": ([("a", "uploaded")], False),
       "another order": ([("a", "deleted"), ("a", "uploaded")], False),
       "what nobody did": ([("a", "uploaded"), ("b", "uploaded"),
                            ("c", "uploaded"), ("a", "deleted")], False)})
def test_events_agree_with_changes(case):
    events, want = case
    equal("agree", told(*events), want)


if __name__ == "__main__":
    main()

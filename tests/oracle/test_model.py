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

    def __init__(self, **words):
        self.oracle = Objects(Clock(), **words)

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

    def end(self, call, data, status=201, **more):
        """A copy or a move is over, and told of the target."""
        self.oracle.end(call, status, size=len(data), etag=data, **more)

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


# ---- copies and moves beside others -----------------------------------------

def two_moves_of_one_source(w):
    w.put("a", "x")
    first = w.begin("move", source="a", target="b")
    other = w.begin("move", source="a", target="c")
    w.end(first, "x")
    w.end(other, "x")
    w.get("a")
    w.get("b", "x")
    w.get("c", "x")


def move_meets_another_version(w):
    w.put("a", "x")
    call = w.begin("move", source="a", target="b")
    w.put("a", "y", 200)
    w.oracle.end(call, 409, code="source_changed")
    w.get("a", "y")
    w.get("b", "x")


def move_meets_another_version_before_it_copied(w):
    w.put("a", "x")
    call = w.begin("move", source="a", target="b")
    w.put("a", "y", 200)
    w.oracle.end(call, 409, code="source_changed")
    w.get("b")
    w.get("a", "y")


def move_takes_the_newer_version(w):
    w.put("a", "x")
    call = w.begin("move", source="a", target="b")
    w.put("a", "y", 200)
    w.end(call, "y")
    w.get("a")
    w.get("b", "y")


def source_is_deleted_while_it_is_moved(w):
    w.put("a", "x")
    call = w.begin("move", source="a", target="b")
    w.do("delete", 200, key="a")
    w.end(call, "x")
    w.get("b", "x")


def source_is_stored_again_before_the_move_is_over(w):
    w.put("a", "x")
    call = w.begin("move", source="a", target="b")
    w.get("a")
    w.put("a", "y")
    w.end(call, "x")
    w.get("a", "y")
    w.get("b", "x")


def copy_reads_early_and_writes_late(w):
    w.put("a", "x")
    w.put("b", "z")
    call = w.begin("copy", source="a", target="b", replace=True)
    w.put("a", "y", 200)
    w.put("b", "t", 200)
    w.get("b", "t")
    w.end(call, "x", 200)
    w.get("b", "x")


def lost_move_took_place(w):
    w.put("a", "x")
    w.lost("move", source="a", target="b")
    w.oracle.settle()
    w.get("a")
    w.get("b", "x")


def lost_move_was_halfway(w):
    w.put("a", "x")
    w.lost("move", source="a", target="b")
    w.oracle.settle()
    w.get("a", "x")
    w.get("b", "x")


def moved_there_and_back(w):
    w.put("a", "x")
    w.end(w.begin("move", source="a", target="b"), "x")
    w.end(w.begin("move", source="b", target="a"), "x")
    w.put("a", "y", 200, if_match="x")
    w.get("b")


def move_after_a_lost_copy_left_the_same_bytes(w):
    w.put("a", "x")
    w.lost("copy", source="a", target="b")
    w.oracle.settle()
    w.end(w.begin("move", source="b", target="c"), "x")
    w.get("b")
    w.get("c", "x")


def verified(w):
    w.oracle.settle()
    w.oracle.verify()


def lost_copy_of_what_was_gone(w):
    w.put("a", "x")
    w.do("delete", 200, key="a")
    w.lost("copy", source="a", target="b")
    w.oracle.settle()
    w.list()
    verified(w)
    w.get("a")


def ring(w):
    w.put("a", "x")
    w.lost("copy", source="a", target="b")
    w.lost("copy", source="b", target="c")
    w.lost("copy", source="c", target="b", replace=True)


def lost_copies_in_a_ring(w):
    ring(w)
    w.get("c", "x")
    w.get("b", "x")


@each({one.__name__: one for one in (
    two_moves_of_one_source, move_meets_another_version,
    move_meets_another_version_before_it_copied,
    move_takes_the_newer_version, source_is_deleted_while_it_is_moved,
    source_is_stored_again_before_the_move_is_over,
    copy_reads_early_and_writes_late, lost_move_took_place,
    lost_move_was_halfway, moved_there_and_back,
    move_after_a_lost_copy_left_the_same_bytes,
    lost_copy_of_what_was_gone, lost_copies_in_a_ring)})
def test_copies_and_moves_are_allowed(story):
    world = World(md5_etags=True)
    story(world)
    verified(world)


def move_takes_what_was_stored_meanwhile(w):
    w.put("a", "x")
    call = w.begin("move", source="a", target="b")
    w.put("a", "y", 200)
    w.end(call, "x")
    w.get("a")


def move_removes_before_it_copied(w):
    w.put("a", "x")
    w.begin("move", source="a", target="b")
    w.get("a")
    w.get("b")


def move_reports_and_leaves(w):
    w.put("a", "x")
    w.end(w.begin("move", source="a", target="b"), "x")
    w.get("b", "x")
    w.get("a", "x")


def move_leaves_beside_another(w):
    w.put("a", "x")
    first = w.begin("move", source="a", target="b")
    other = w.begin("move", source="a", target="c")
    w.end(first, "x")
    w.end(other, "x")
    w.get("a", "x")


def move_is_told_of_a_change_that_nobody_made(w):
    w.put("a", "x")
    w.do("move", 409, {"code": "source_changed"}, source="a", target="b")


def move_is_told_of_a_change_that_was_before(w):
    w.put("a", "x")
    w.put("a", "y", 200)
    w.do("move", 409, {"code": "source_changed"}, source="a", target="b")


def move_is_told_of_a_change_and_its_source_is_gone(w):
    w.put("a", "x")
    call = w.begin("move", source="a", target="b")
    w.put("a", "y", 200)
    w.oracle.end(call, 409, code="source_changed")
    w.get("a")


def lost_move_loses(w):
    w.put("a", "x")
    w.lost("move", source="a", target="b")
    w.oracle.settle()
    w.get("b")
    w.get("a")


def copy_ignores_that_it_may_not_replace(w):
    w.put("a", "x")
    w.put("b", "z")
    w.end(w.begin("copy", source="a", target="b"), "x")


def both_of_two_exclusive_copies_win(w):
    w.put("a", "x")
    first = w.begin("copy", source="a", target="b")
    other = w.begin("copy", source="a", target="b")
    w.end(first, "x")
    w.end(other, "x")


def copy_of_what_was_overwritten(w):
    w.put("a", "x")
    w.put("a", "y", 200)
    w.end(w.begin("copy", source="a", target="b"), "x")


def copy_of_what_is_gone(w):
    w.put("a", "x")
    w.do("delete", 200, key="a")
    w.end(w.begin("copy", source="a", target="b"), "x")


def copy_of_two_versions_at_once(w):
    w.put("a", "xx")
    call = w.begin("copy", source="a", target="b")
    w.put("a", "yy", 200)
    w.end(call, "xy")


def lost_copy_of_other_bytes(w):
    w.put("a", "x")
    w.lost("copy", source="a", target="b")
    w.get("b", "y")


def lost_copies_in_a_ring_of_other_bytes(w):
    ring(w)
    w.get("c", "y")


def typed(w):
    call = w.begin("put", key="a", data="x")
    call.version.learn(kind="text/x", name="x.txt")
    w.oracle.end(call, 201, etag="x")


def copied_typed(w, **seen):
    typed(w)
    w.end(w.begin("copy", source="a", target="b"), "x", kind="text/x")
    w.do("get", 200, {"digest": "x", "size": 1, "etag": "x", **seen}, key="b")


def copy_answers_with_another_type(w):
    typed(w)
    w.end(w.begin("copy", source="a", target="b"), "x", kind="text/y")


def copy_has_another_type(w):
    copied_typed(w, kind="text/y", name="x.txt")


def copy_has_another_name(w):
    copied_typed(w, kind="text/x", name="b")


def copy_of_one_of_two_alike_has_another_name(w):
    copied_typed(w, kind="text/x", name="x.txt")
    w.end(w.begin("copy", source="b", target="a", replace=True), "x", 200)
    w.end(w.begin("copy", source="a", target="c"), "x")
    w.do("get", 200, {"digest": "x", "size": 1, "etag": "x", "name": "c"},
         key="c")


def second_time_it_is_not_what_was_read(w):
    w.put("a", "x")
    w.lost("copy", source="a", target="b")
    w.oracle.settle()
    w.get("b")
    verified(w)
    w.get("b", "x")


@each({one.__name__: (one, reason) for one, reason in (
    (move_takes_what_was_stored_meanwhile, "'a': no order explains"),
    (move_removes_before_it_copied, r"'b': .*get\(key=b\) -> 404 is not"),
    (move_reports_and_leaves, r"'a': .*get\(key=a\) -> 200.*is not"),
    (move_leaves_beside_another, r"'a': .*get\(key=a\) -> 200.*is not"),
    (move_is_told_of_a_change_that_nobody_made,
     r"'a': .*source_changed is not allowed: .* not in \{None, v"),
    (move_is_told_of_a_change_that_was_before,
     "'a': .*nobody replaced it meanwhile"),
    (move_is_told_of_a_change_and_its_source_is_gone,
     r"'a': .*get\(key=a\) -> 404.* is not allowed"),
    (lost_move_loses, r"'b': .*get\(key=b\) -> 404|'b': no order"),
    (copy_ignores_that_it_may_not_replace, "'b': .*a state that is absent"),
    (both_of_two_exclusive_copies_win, "'b': no order explains"),
    (copy_of_what_was_overwritten, r"'a': .*copy\(.*state that is in \{v"),
    (copy_of_what_is_gone, r"'a': .*copy\(.*would have been \['None'\]"),
    (copy_of_two_versions_at_once, "'b': .* isn't what 'a' had"),
    (lost_copy_of_other_bytes, r"'b': .*get\(key=b\) .*is in \{\}"),
    (lost_copies_in_a_ring_of_other_bytes,
     r"'c': .*get\(key=c\) .*is in \{\}"),
    (copy_answers_with_another_type, "'b': .* isn't what 'a' had"),
    (copy_has_another_type, r"'b': .*get\(key=b\) .*text/y.* is not"),
    (copy_has_another_name, r"'b': .*get\(key=b\) .*is not allowed"),
    (copy_of_one_of_two_alike_has_another_name,
     r"'c': .*get\(key=c\) .*is not allowed"),
    (second_time_it_is_not_what_was_read,
     r"'b': .*get\(key=b\) -> 200.*nobody sent this"))})
def test_copies_and_moves_are_refused(case):
    story, reason = case
    world = World(md5_etags=True)
    try:
        story(world)
        verified(world)
    except Violation as why:
        like("what", str(why), reason)
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

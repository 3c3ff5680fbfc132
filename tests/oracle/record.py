# SPDX-License-Identifier: MIT
"""Versions of objects, calls and their answers, and the rules: what an answer
proves of one key's state, and what it makes of it.

A key's state is a Version, or None where no object is.  A Step is one call's
share in one key: ways in which it may have happened, each a condition on the
state and the state that follows.  What isn't known to have happened is `sure`
only once somebody saw it.
"""
import itertools
import math

KEEP = object()  # the state that follows is the state before
NEVER = math.inf

ANY, PRESENT, ABSENT, IN, NOT_IN = "any", "present", "absent", "in", "not in"

# An answer with one of these says that nothing was changed.  500, 502 and 504
# say nothing, as no answer does.
REFUSALS = frozenset((400, 401, 403, 404, 405, 408, 409, 411, 412, 413, 415,
                      416, 422, 429, 431, 501, 503, 507))
DOUBTS = frozenset((500, 502, 504))
KNOWN = REFUSALS | DOUBTS | {200, 201, 204, 206, 304}


class Violation(AssertionError):
    """The gateway did what no gateway may that keeps the contract."""


class Version:
    """An object as one write would make it: bytes by digest and size, the
    media type, and the name it is downloaded under.  What isn't known is
    learned from answers, a copy's bytes from whoever reads them."""
    numbers = itertools.count(1)

    def __init__(self, digest=None, size=None, etag=None, kind=None,
                 name=None):
        self.number = next(self.numbers)
        self.digest, self.size, self.etag = digest, size, etag
        self.kind, self.name = kind, name

    def __repr__(self):
        return f"v{self.number}({self.size} bytes, {self.digest or '?':.8})"

    def looks_like(self, digest=None, size=None, etag=None, kind=None,
                   name=None):
        return all(mine is None or seen is None or mine == seen
                   for mine, seen in ((self.digest, digest),
                                      (self.size, size), (self.etag, etag),
                                      (self.kind, kind), (self.name, name)))

    def learn(self, digest=None, size=None, etag=None, kind=None, name=None):
        self.digest = self.digest or digest
        self.size = size if self.size is None else self.size
        self.etag = self.etag or etag
        self.kind = self.kind or kind
        self.name = self.name or name


class Call:
    """One request of one client."""
    numbers = itertools.count(1)

    def __init__(self, client, kind, began, **words):
        self.number = next(self.numbers)
        self.client, self.kind, self.words = client, kind, words
        self.began, self.ended = began, NEVER
        self.limit = NEVER  # after this it can't have an effect any more
        self.answer = None  # a dict with `status`, once it came
        self.over = False   # it ended, or can't have an effect any more

    def __getattr__(self, name):
        try:
            return self.__dict__["words"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __str__(self):
        words = ", ".join(f"{name}={value}" for name, value in
                          self.words.items() if value is not None)
        told = "no answer" if self.answer is None else \
            " ".join(str(value) for value in self.answer.values()
                     if value is not None and not isinstance(value, list))
        end = "..." if self.ended == NEVER else f"{self.ended:.4f}"
        return (f"{self.began:.4f}-{end} client {self.client} {self.kind}("
                f"{words}) -> {told}")


class Step:
    """A call's share in the history of one key; the call takes its step
    `after` before it."""

    def __init__(self, call, ways, sure, after=None):
        self.call, self.ways, self.sure = call, ways, sure
        self.began, self.after = call.began, after
        self.seen = NEVER  # by then it has happened, as somebody saw it
        self.like = None   # what a look saw

    def saw(self, moment):
        """It has happened by then, and so has what it comes after."""
        self.seen = min(self.seen, moment)
        if self.after:
            self.after.saw(moment)

    def __str__(self):
        return str(self.call)

    @property
    def ended(self):
        """By then it has happened, if it ever does."""
        return min(self.call.ended if self.sure else NEVER, self.seen,
                   self.limit)

    @property
    def limit(self):
        return self.call.limit

    @property
    def changes(self):
        return any(to is not KEEP for _, to in self.ways)

    @property
    def certain(self):
        return self.sure or self.seen < NEVER


def fits(need, state):
    kind = need[0]
    if kind == ANY:
        return True
    if kind == PRESENT:
        return state is not None
    if kind == ABSENT:
        return state is None
    return (state in need[1]) == (kind == IN)


def words_of(need):
    if need[0] in (IN, NOT_IN):
        names = sorted(map(str, need[1]))
        return f"{need[0]} {{{', '.join(names[:6])}}}"
    return need[0]


# ---- the rules --------------------------------------------------------------

def condition(versions, if_match=None, if_none_match=None):
    """The states in which RFC 9110, 13.1, lets a request with these pass, as
    (it passes, it fails).  An ETag that isn't known yet may be the one."""
    if if_none_match == "*":
        return (ABSENT,), (PRESENT,)
    if if_match == "*":
        return (PRESENT,), (ABSENT,)
    if if_match is None and if_none_match is None:
        return (ANY,), None
    etag = if_match if if_match is not None else if_none_match
    may = frozenset(one for one in versions if one.etag in (None, etag))
    must = frozenset(one for one in versions if one.etag == etag)
    if if_match is not None:
        return (IN, may), (NOT_IN, must)
    return (NOT_IN, must), (IN, may)


def put_ways(answer, version, need, fails):
    """A write of `version`: PUT, an upload, the target of a copy."""
    if answer is None or answer["status"] in DOUBTS:
        return [(need, version)], False
    status = answer["status"]
    if status == 201:
        if need[0] in (IN, PRESENT):
            return [], True
        return [((ABSENT,), version)], True
    if status == 200:
        if need[0] == ABSENT:
            return [], True
        return [(need if need[0] == IN else (PRESENT,), version)], True
    if status in (409, 412):
        return ([(fails, KEEP)], True) if fails else ([], True)
    return [], None


def delete_ways(answer, need, fails):
    if answer is None or answer["status"] in DOUBTS:
        return [(need, None)], False
    if answer["status"] in (200, 204):
        return [(need, None)], True
    if answer["status"] == 412:
        return ([(fails, KEEP)], True) if fails else ([], True)
    return [], None


SHOWS = ("digest", "size", "etag", "kind", "name")


def shown(answer):
    """An answer's words that show an object."""
    return {word: answer[word] for word in SHOWS if word in answer}


def get_ways(answer, versions, fails=None):
    """A look at one key: GET, HEAD, an entry of a list, or its absence."""
    if answer is None or answer["status"] in DOUBTS:
        return [], None
    status = answer["status"]
    if status in (200, 206):
        seen = frozenset(one for one in versions
                         if one.looks_like(**shown(answer)))
        return [((IN, seen), KEEP)], True
    if status == 404:
        return [((ABSENT,), KEEP)], True
    if status in (304, 412):
        return ([(fails, KEEP)], True) if fails else ([], True)
    return [], None

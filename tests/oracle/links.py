# SPDX-License-Identifier: MIT
"""The model of links: no use beyond `uses`, no use after a revocation's bound,
and no refusal that nothing explains.

A revocation raises the number of what it names (a link's id, a key, a prefix,
an identity); a link carries the numbers that those had when it was made.  It
is in force on the gateway that was asked once it was answered, on the others
BOUND later, and may be from when it was asked.
"""
import threading
import time

from .record import NEVER, Call, Violation

BOUND = 5.0  # seconds
RESUME = 3600.0


class Link:
    def __init__(self, ident, made, uses=None, expires=NEVER, **names):
        self.ident, self.made, self.uses = ident, made, uses
        self.expires, self.names = expires, names
        self.least = self.most = 0  # uses counted, surely and perhaps
        self.calls = []

    def named_by(self, what, value):
        if what == "id":
            return value == self.ident
        if what == "prefix":
            return self.names.get("key", self.names.get("prefix", "")
                                  ).startswith(value)
        return self.names.get(what) == value


class Links:
    def __init__(self, clock=time.monotonic, bound=BOUND):
        self.clock, self.bound, self.lock = clock, bound, threading.RLock()
        self.links, self.revocations = {}, []

    def begin(self, client, kind, gateway="", **words):
        """kind: make (key, prefix, identity), use (id, resumes), revoke (what,
        value)."""
        with self.lock:
            call = Call(client, kind, self.clock(), gateway=gateway, **words)
            if kind == "revoke":
                self.revocations.append(call)
            if kind == "use":
                link = self.links[call.id]
                link.calls.append(call)
                if not words.get("resumes"):
                    link.most += 1
            return call

    def made(self, call, ident, uses=None, expires=NEVER):
        with self.lock:
            call.ended = self.clock()
            names = {name: call.words[name] for name in
                     ("key", "prefix", "identity") if name in call.words}
            link = Link(ident, call, uses, expires, **names)
            self.links[ident] = link
            return link

    def revoked(self, call, status=200):
        with self.lock:
            call.ended = self.clock()
            call.answer = {"status": status}
            if status not in (200, 500, 502, 504):
                self.revocations.remove(call)

    # -- a use's answer

    def aimed(self, link):
        """Revocations that may have raised a number after it was made."""
        return [one for one in self.revocations
                if one.ended > link.made.began and
                link.named_by(one.what, one.value)]

    def in_force(self, link, call):
        """The revocation because of which this use must be refused."""
        for one in self.aimed(link):
            if not one.answer or one.answer["status"] != 200:
                continue
            if one.began < link.made.ended:
                continue  # at the same time: either may have been first
            wait = 0 if one.gateway == call.gateway else self.bound
            if call.began > one.ended + wait:
                return one
        return None

    def refuse(self, link, call, what, steps=()):
        raise Violation(
            f"link {link.ident!r}: {call}: {what}; {link.least}..{link.most} "
            f"of {link.uses} uses were counted; the history that matters:" +
            "".join(f"\n  {one}" for one in [link.made, *steps,
                                              *link.calls[-12:]]))

    def used(self, call, status, code=None):
        """200, 201 and 206 are served; 403 has one of the codes."""
        with self.lock:
            link = self.links[call.id]
            call.ended = self.clock()
            call.answer = {"status": status, "code": code}
            resumes = call.words.get("resumes")
            if status in (200, 201, 206):
                self.served(link, call, resumes)
                return
            if status in (500, 502, 504):
                return
            if not resumes:
                link.most -= 1
            if status == 403:
                self.denied(link, call, code)

    def served(self, link, call, resumes):
        why = self.in_force(link, call)
        if why:
            self.refuse(link, call, "it was revoked", [why])
        if call.began >= link.expires:
            self.refuse(link, call, "it had expired")
        if resumes:
            return
        link.least += 1
        if link.uses is not None and link.least > link.uses:
            self.refuse(link, call, "it was used up")

    def denied(self, link, call, code):
        if code == "link_revoked":
            if not any(one.began < call.ended for one in self.aimed(link)):
                self.refuse(link, call, "nobody revoked it")
        elif code == "link_used_up":
            if link.uses is None or link.most < link.uses:
                self.refuse(link, call, "it isn't used up")
        elif code == "link_expired":
            if call.ended < link.expires:
                self.refuse(link, call, "it hasn't expired")
        else:
            self.refuse(link, call, f"{code!r} for a link that was made so")

# SPDX-License-Identifier: MIT
"""Sluice behind a front, which keeps its connections to it: each request that
reaches the gateway has to be one that the front sent, for the client that gets
the answer.

A front writes its client's address into X-Forwarded-For, and each stream has
one of its own, so the gateway's log tells whose a request was.  What a front
didn't take for a request has no such line, and the address is the front's."""
import collections
import re
import ssl
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

# pylint: disable=wrong-import-position
import downgrade  # noqa: E402
from frontkit import FRONTS, Front  # noqa: E402
from kit import SLOWNESS  # noqa: E402
from origins import ID, LOG, SYNC, target_of, told_all  # noqa: E402
from streams import Place  # noqa: E402
from wire import address, send_all  # noqa: E402

FINAL = re.compile(rb"HTTP/1\.[01] [2-5]\d\d ")
OWN = ("/readyz", SYNC)  # of a front's checks, and ours
NO_ANSWER = "no answer of"


def varnish(it, text):
    return ["-F", "-a", f"127.0.0.1:{it.port}", "-n", f"{it.folder}/v",
            "-j", "none", "-s", "malloc,32m", "-f",
            it.write("varnish.vcl", text)]


KINDS = {**FRONTS, "Varnish": (["varnishd"], HERE / "varnish.vcl", varnish)}
VERSIONS = {"nginx": "-v", "HAProxy": "-v", "Apache httpd": "-v",
            "Caddy": "version", "Varnish": "-V"}


class Behind(Front):
    def __init__(self, name):
        super().__init__(name, kind=KINDS[name], workers="1",
                         log=LOG)
        self.tls = self.h2 = None
        if name != "Varnish":
            self.tls = self.trust
            self.h2 = ssl.create_default_context(
                cafile=f"{self.folder}/files.crt")
            self.h2.set_alpn_protocols(["h2"])
        self.place = Place(self.host.encode(), b"/store")
        self.before = 0

    def told(self, sent):
        """The log's lines since the last call, all of these answers' among
        them."""
        new = told_all(self.gateway, Path(self.folder, "access"),
                       [one.input for one in sent], self.before)
        self.before += len(new)
        return [line for line in new if line["path"] not in OWN]


@dataclass
class Finding:
    """On what a front and the gateway disagree; the stream that shows it, and
    the log's line of the request, where they are known."""
    what: str
    stream: object = None
    line: dict | None = None

    def __str__(self):
        stream = self.stream
        return self.what + (f"; {stream.name}, {stream.source}: "
                            f"{stream.data}" if stream else "")


def is_ours(client):
    return client.startswith("127.") and client != "127.0.0.1"


def strangers(told):
    """Requests that came from nobody: what a front sent as a body, or as a
    part of a head."""
    return [Finding(f"a request of {line['client']}: {line['method']} "
                    f"{target_of(line)}") for line in told
            if line["path"] and not is_ours(line["client"])]


def twice(told, got):
    """Heads that were refused say nothing of whose they were, but one alone
    may have the answer."""
    times = collections.Counter(one for ids in got for one in ids)
    return [Finding(f"a refusal that several got: {line['code']}")
            for line in told if not line["path"] and times[line["id"]] > 1]


def due(line):
    """Its answer has to come: nothing of its body was left to be read, over
    which a front may have given up."""
    key = (line["query"] or "").removeprefix("key=")
    return line["status"] < 300 or (line["status"] != 499 and
                                    key.startswith(("last-", "smuggled")))


def ids_of(answers):
    return [text.decode() for text in dict.fromkeys(ID.findall(answers))]


def trouble(mine, by_id, got):
    """Something that is wrong with what one stream's client was answered, or
    None."""
    ids = [line["id"] for line in mine]
    for one in got:
        other = by_id.get(one)
        if not other:
            return f"an answer of no request, {one}"
        if other["path"] and one not in ids:
            return f"an answer of {other['client']}'s request"
    for line in mine:
        if "last-" in (line["query"] or "") and line["method"] != "GET":
            return f"a marker that became a {line['method']}"
    return None


def judged(streams, told, sent, first=0):
    """The findings of all, whose addresses begin with the `first`."""
    where = {address(first + at): at for at in range(len(streams))}
    got = [ids_of(one.input) for one in sent]
    by_id = {line["id"]: line for line in told}
    mine = [[] for _ in streams]
    for line in told:
        if line["path"] and line["client"] in where:
            mine[where[line["client"]]].append(line)
    found = strangers(told) + twice(told, got)
    for at, stream in enumerate(streams):
        if what := trouble(mine[at], by_id, got[at]):
            found.append(Finding(what, stream))
        elif sent[at].alone:
            found += [Finding(f"{NO_ANSWER} {line['method']} "
                              f"{target_of(line)}, {line['status']}",
                              stream, line)
                      for line in mine[at] if due(line) and
                      line["id"] not in got[at]]
    return found


@dataclass
class Figures:
    inputs: int = 0
    handed_on: int = 0
    answers: int = 0
    known: dict = field(default_factory=dict)
    found: list = field(default_factory=list)

    def judge(self, front, findings):
        for one in findings:
            why = deviation(front, one)
            if why:
                self.known[why] = self.known.get(why, 0) + 1
            else:
                self.found.append(one)


# Of what a front does against its RFC, no gateway behind it can know.  Name,
# what it does, and whether a finding is that.
DEVIATIONS = (
    ("Varnish", "ends chunks that broke off as though they were whole "
     "(RFC 9112, section 8)", lambda one: b"hunked" in one.stream.data),
    ("nginx", "hands on a length of 0 before it sees the bytes that follow "
     "(RFC 9113, section 8.1.1)", lambda one: one.line["bytes_in"] == 0 and
     isinstance(one.stream, downgrade.Connection)))


def deviation(front, one):
    """Only of requests whose answer the front kept back do some hold."""
    return next((what for name, what, holds in DEVIATIONS
                 if name == front and one.line and holds(one)), None)


def ask(front, streams):
    """Streams go through a front; what comes of them."""
    sent = send_all(front.port, streams, tls=front.tls, quiet=0.5 * SLOWNESS)
    told = front.told(sent)
    figures = Figures(len(streams), sum(bool(line["path"]) for line in told),
                      sum(len(FINAL.findall(one.input)) for one in sent))
    figures.judge(front.name, judged(streams, told, sent))
    return figures


def ask_h2(front, connections):
    """The same over HTTP/2, where only answers' bodies tell whose they are:
    of errors the id, and of an object its key."""
    sent = downgrade.send_all(front, connections, 0.5 * SLOWNESS)
    told = front.told(sent)
    stored = {(line["query"] or "").removeprefix("key="): line["id"]
              for line in told if line["method"] == "PUT" and
              line["status"] < 300}
    for one in sent:
        for key in downgrade.KEY.findall(one.input):
            if number := stored.get(key.decode("latin-1")):
                one.input += b'"request_id":"%s"' % number.encode()
    figures = Figures(len(connections),
                      sum(bool(line["path"]) for line in told),
                      sum(one.answers for one in sent))
    figures.judge(front.name, judged(connections, told, sent,
                                     downgrade.FIRST))
    return figures

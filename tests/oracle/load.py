# SPDX-License-Identifier: MIT
"""Random requests of several clients at once, which the model judges; a seed
says which, the machine when."""
import random
import threading

from kit import MIB, Mismatch

from .client import Client, Lost
from .record import Violation

SIZES = (0, 1, 100, 5_000, 40_000, 100_000, 300_000, MIB)
NAMED = ("put", "put", "look", "look", "delete_many")
CARRIED = NAMED + ("put", "look", "copy", "move", "move")


class Load:
    """Clients that ask until they are stopped.  All know the keys of all."""

    def __init__(self, oracle, seed, clients=6, kept=40, sizes=SIZES,
                 changes=None, prefixes=("a", "b"), faulty=False, names=0,
                 named=NAMED, stars=False):
        self.oracle, self.random = oracle, random.Random(seed)
        self.clients, self.kept, self.sizes = clients, kept, sizes
        self.noise = self.random.randbytes(2 * max(sizes) + 1)
        self.prefixes, self.changes = prefixes, changes
        self.faulty, self.named, self.etags = faulty, named, {}
        self.stars = stars  # does the storage itself know If-Match: *?
        self.names = [f"t/name {number}" for number in range(names)]
        self.keys, self.removed = [], []
        self.lock, self.troubles = threading.Lock(), []
        self.counts = {}

    def data(self, dice):
        """Bytes that nobody else sends."""
        size = dice.choice(self.sizes)
        at = dice.randrange(len(self.noise) - size)
        return dice.randbytes(16) + self.noise[at:at + size]

    def some(self, dice):
        """A key: mostly one that is there, sometimes one that was."""
        with self.lock:
            keys = self.keys
            if self.removed and (not keys or dice.random() < 0.15):
                keys = self.removed[-20:]
            return dice.choice(keys) if keys else None

    def drop(self, key):
        with self.lock:
            if key in self.keys:
                self.keys.remove(key)
                self.removed.append(key)

    def step(self, client, dice):
        roll, key = dice.random(), self.some(dice)
        what = ("list" if roll < 0.06 else "get" if roll < 0.36 else
                "head" if roll < 0.44 else "delete" if roll <
                (0.8 if len(self.keys) > self.kept else 0.58) else "upload")
        if key is None and what != "list":
            what = "upload"
        self.counts[what] = self.counts.get(what, 0) + 1
        if what == "upload":
            key = client.upload(self.data(dice),
                                "t/" + dice.choice(self.prefixes))
            if key:
                with self.lock:
                    self.keys.append(key)
        elif what == "delete":
            self.drop(key)
            client.delete(key)
        elif what == "list":
            client.walk("t/" + dice.choice(("", *self.prefixes)),
                        dice.choice((7, 1000)))
        else:
            client.get(key, what.upper())

    def name_step(self, client, dice):
        """Few names, which all clients put, read and delete at once."""
        key, other = dice.sample(self.names, 2)
        what = dice.choice(self.named)
        self.counts[what] = self.counts.get(what, 0) + 1
        if what == "put":
            client.put(key, self.data(dice), **dice.choice(
                ({}, {}, {"if_none_match": "*"}, {"if_match": self.etag(key)},
                 {"if_match": "*" if self.stars else self.etag(key)})))
        elif what == "delete_many":
            client.delete_many([key, other])
        elif what == "look":
            answer = client.get(key, dice.choice(("GET", "GET", "HEAD")))
            if answer.status == 200:
                self.etags[key] = answer.header("etag").strip('"')
        else:
            client.copy(key, other, dice.random() < 0.6, what)

    def etag(self, key):
        """The one that was seen last."""
        return self.etags.get(key, "none")

    def work(self, url, number, seed, stop, dying):
        dice = random.Random(seed)
        with Client(self.oracle, url, number, changes=self.changes,
                    faulty=self.faulty) as client:
            while not stop.is_set():
                try:
                    if self.names and dice.random() < 0.5:
                        self.name_step(client, dice)
                    else:
                        self.step(client, dice)
                except Lost as why:
                    if not dying:
                        self.troubles.append(f"lost an answer: {why}")
                        return
                    if stop.wait(5):
                        return
                except (Violation, Mismatch) as why:
                    self.troubles.append(str(why))
                    return

    def run(self, urls, until, dying=False):
        """Everybody at once until `until()` returns, which may kill: then
        answers may be lost."""
        stop = threading.Event()
        threads = [threading.Thread(target=self.work, args=(
            urls[number % len(urls)], number, self.random.getrandbits(32),
            stop, dying)) for number in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            until()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        if self.troubles:
            raise Violation(self.troubles[0])

    def learn(self, listed):
        """After a kill: who is there is what the next round works with."""
        with self.lock:
            self.removed += [key for key in self.keys if key not in listed]
            self.keys = list(listed)

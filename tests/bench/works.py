# SPDX-License-Identifier: MIT
"""This is what every peer is measured at: cells of size and connections, in
rounds that all peers take turns in.  Each function adds samples of its group.
"""
import contextlib
import os
import random
import resource
import sys
import time

from kit import GIB, KIB, MIB
from s3.kit import Rgw

from .measure import cell, turned
from .peers.apache import Apache
from .peers.lighttpd import Lighttpd
from .peers.nginx import Nginx, NginxProxy
from .peers.peer import Site
from .peers.python import Service
from .peers.rclone import RcloneDav, RcloneHttp
from .peers.rgw import Direct
from .peers.sluice import Sluice, SluiceHasty, SluiceS3

SIZES = {"4 KiB": 4 * KIB, "1 MiB": MIB, "50 MiB": 50 * MIB, "1 GiB": GIB}
CONNECTIONS = (1, 16, 64, 512)

# Bytes in flight beyond these make a cell a measurement of the machine's
# memory, or of its disk's cache, and take minutes a peer.
UPLOAD_MAX, DOWNLOAD_MAX, S3_MAX = 4 * GIB, 32 * GIB, GIB

# Uploads to a folder that are also measured until the disk has them.
SYNCED = ("50 MiB x 16", "1 GiB x 1")

LOCAL = (Sluice, SluiceHasty, Nginx, Lighttpd, Apache, RcloneHttp, RcloneDav)
S3 = (Direct, NginxProxy, SluiceS3, Service)


def skipped(quick):
    """This is what isn't measured, for the report: {group: [sentence]}."""
    if quick:
        return {}
    said = {}
    for group, most in (("uploads", UPLOAD_MAX), ("downloads", DOWNLOAD_MAX),
                        ("s3 uploads", S3_MAX), ("s3 downloads", S3_MAX)):
        found = [f"{name} × {connections}" for name, size in SIZES.items()
                 for connections in CONNECTIONS if size * connections > most
                 or (group.startswith("s3") and size == GIB)]
        said[group] = [
            f"Not measured: {', '.join(found)}; more than {most // GIB} GiB "
            "in flight, and over S3 such objects, say more about the machine "
            "than about the programs."]
    for group in ("s3 uploads", "s3 downloads"):
        said[group].append(
            "Service, gateway and client share the cores, so the service's "
            "own work bounds every ratio of rates; the processor time of "
            "what stands before it is in the table.")
    return said


def cells(most, quick):
    for name, size in SIZES.items():
        for connections in CONNECTIONS:
            if size * connections > most:
                continue
            if quick and (connections in (1, 512) or size == GIB):
                continue
            yield name, size, connections


def how_long(size, connections, seconds):
    """Small uploads go on for a time; of large ones each connection makes as
    many, at least a GiB in all."""
    if size < 16 * MIB:
        return {"seconds": seconds}
    return {"most": max(1, -(-GIB // (size * connections))) * connections}


def crowd():
    """10 000 connections, or as many as the gateway takes where a process
    may open fewer files: two for each, and a loop's share may be uneven."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(10000, int(most * 0.45) // 1000 * 1000)


def present(kinds):
    """Those that can run here; a line about the others."""
    for kind in kinds:
        missing = kind.missing()
        if missing:
            print(f"{kind.name} is left out: no {', '.join(missing)} "
                  f"({kind.package}); --install gets it", file=sys.stderr)
        else:
            yield kind


class Bench:
    """This is what the works share."""

    def __init__(self, client, samples, folder, given):
        self.client, self.samples, self.folder = client, samples, folder
        self.rounds, self.quick = given.rounds, given.quick
        self.seconds = given.seconds
        self.places, self.troubles = 0, []

    def place(self):
        self.places += 1
        return f"up{self.places}"

    def take(self, group, work, peer, plan, connections, **limits):
        """A sample; None where the peer can't do that, or failed at it,
        which ends nobody else's turn."""
        if plan is None:
            return None
        try:
            sample = cell(self.client, peer, plan, connections, **limits)
        except RuntimeError as error:
            self.trouble(group, work, peer, error)
            return None
        self.samples.add(group, work, peer.name, sample)
        return sample

    def trouble(self, group, work, peer, what):
        text = f"{peer.name} failed at {group}, {work}: {what}"
        print(f"  {text}", file=sys.stderr, flush=True)
        self.troubles.append(text)

    def upload(self, group, peer, name, size, connections):
        """All that was answered must be there."""
        place = self.place()
        plan = peer.uploads(size, place)
        if plan is None:
            return
        limits = how_long(size, connections, self.seconds)
        if len(plan) > 1:
            # Each key once: nothing is overwritten.
            limits["most"] = min(len(plan), limits.get("most", len(plan)))
        work = f"{name} x {connections}"
        sample = self.take(group, work, peer, plan, connections, **limits)
        if sample and group == "uploads" and work in SYNCED:
            self.sync(group, work, peer, sample)
        stored = peer.removed(place, size)
        if sample:
            # Of a broken connection nobody knows.
            least = sample["requests"] - sample["bad"]
            if not least <= stored <= least + sample["broken"]:
                self.trouble(group, work, peer, f"{least} uploads left "
                             f"{stored} objects of that size")
        # The next one shouldn't wait for what its peers leave to the disk.
        os.sync()

    def sync(self, group, work, peer, sample):
        """This is what the uploads made, had they been waited for on the
        disk."""
        started = time.monotonic()
        os.sync()
        share = sample["seconds"] / (sample["seconds"] + time.monotonic() -
                                     started)
        self.samples.add(group + ", synced", work, peer.name,
                         {"speed": sample["speed"] * share,
                          "rate": sample["rate"] * share})

    def download(self, group, peer, name, size, connections):
        self.take(group, f"{name} x {connections}", peer,
                  peer.downloads(size), connections, seconds=self.seconds)

    def each(self, peers, turn, act, *words):
        for peer in turned(peers, turn):
            act(peer, *words)


# ---- over a folder ----------------------------------------------------------

def local_peers(bench, stack, kinds, sizes):
    site = Site(bench.folder, sizes)
    peers = []
    for kind in present(kinds):
        words = ((bench.client, sizes) if issubclass(kind, Sluice)
                 else (site,))
        peers.append(stack.enter_context(kind(bench.folder, *words)))
    return peers


def uploads(bench):
    kinds = [kind for kind in LOCAL if kind is not RcloneHttp]
    with contextlib.ExitStack() as stack:
        peers = local_peers(bench, stack, kinds, ())
        for turn in range(bench.rounds):
            for some in cells(UPLOAD_MAX, bench.quick):
                for peer in turned(peers, turn):
                    bench.upload("uploads", peer, *some)


def downloads(bench):
    kinds = [kind for kind in LOCAL if kind not in (SluiceHasty, RcloneDav)]
    plan = list(cells(DOWNLOAD_MAX, bench.quick))
    with contextlib.ExitStack() as stack:
        peers = local_peers(bench, stack, kinds,
                            sorted({size for _, size, _ in plan}))
        for turn in range(bench.rounds):
            for some in plan:
                for peer in turned(peers, turn):
                    bench.download("downloads", peer, *some)


def shuffled(parts):
    """Requests of several kinds, so many of each, in the same order always.
    """
    plan = [request for count, requests in parts
            for request in (requests * count)[:count]]
    random.Random(1).shuffle(plan)
    return plan


def mixture(bench, peer, connections):
    place = bench.place()
    plan = shuffled(((700, peer.downloads(4 * KIB)),
                     (200, peer.downloads(MIB)),
                     (100, peer.uploads(4 * KIB, place))))
    bench.take("mixed", f"x {connections}", peer, plan, connections,
               seconds=bench.seconds)
    peer.removed(place, 4 * KIB)
    os.sync()


def mixed(bench):
    """70 % downloads of 4 KiB, 20 % of 1 MiB, 10 % uploads of 4 KiB."""
    kinds = [kind for kind in LOCAL if kind is not RcloneHttp]
    with contextlib.ExitStack() as stack:
        peers = local_peers(bench, stack, kinds, (4 * KIB, MIB))
        for turn in range(bench.rounds):
            for connections in (64,) if bench.quick else CONNECTIONS:
                for peer in turned(peers, turn):
                    mixture(bench, peer, connections)


def presign(bench):
    with contextlib.ExitStack() as stack:
        peers = local_peers(bench, stack, (Sluice,), (4 * KIB,))
        for _ in range(bench.rounds):
            for connections in CONNECTIONS:
                for peer in peers:
                    bench.take("presign", f"x {connections}", peer,
                               peer.presigns(4 * KIB), connections,
                               seconds=bench.seconds)


# ---- over an S3 service -----------------------------------------------------

def s3_peers(bench, stack, rgw, sizes):
    direct = stack.enter_context(Direct(bench.folder, rgw, bench.client,
                                        sizes))
    peers = [direct]
    for kind in present(S3[1:]):
        words = (bench.client, direct) if kind is SluiceS3 else (direct,)
        peers.append(stack.enter_context(kind(bench.folder, *words)))
    return peers


def s3_round(bench, peers, turn, plan):
    for name, size, connections in plan:
        some = (name, size, connections)
        bench.each(peers, turn, lambda peer, some=some: bench.upload(
            "s3 uploads", peer, *some))
        bench.each(peers, turn, lambda peer, some=some: bench.download(
            "s3 downloads", peer, *some))
    for connections in (1, 64):
        for peer in turned(peers, turn):
            if not hasattr(peer, "lists"):
                continue
            bench.take("s3 lists", f"100 of 1 000 x {connections}", peer,
                       peer.lists(), connections, seconds=bench.seconds)
            if hasattr(peer, "presigns"):
                bench.take("s3 presign", f"x {connections}", peer,
                           peer.presigns(4 * KIB), connections,
                           seconds=bench.seconds)


def s3(bench):
    """A fresh service each round: what was deleted comes back late."""
    if not list(present((Direct,))):
        return
    plan = [("4 KiB", 4 * KIB, 8)]
    plan += [some for some in cells(S3_MAX, bench.quick) if some[1] < GIB]
    for turn in range(bench.rounds):
        with contextlib.ExitStack() as stack:
            rgw = stack.enter_context(Rgw())
            peers = s3_peers(bench, stack, rgw,
                             sorted({size for _, size, _ in plan}))
            s3_round(bench, peers, turn, plan)


GROUPS = {"uploads": uploads, "downloads": downloads, "mixed": mixed,
          "presign": presign, "s3": s3}

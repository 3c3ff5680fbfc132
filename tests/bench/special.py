# SPDX-License-Identifier: MIT
"""Figures that need more than a cell: each function adds samples of one, a
round after the other.
"""
import os
import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

from kit import GIB, KIB, MIB, equal, request
from s3.kit import Rgw

from .measure import cell
from .peers.nginx import Nginx
from .peers.peer import Site, cpu_of, memory_of
from .peers.rgw import Direct
from .peers.sluice import Sluice, SluiceS3
from .stock import Stocked
from .works import crowd, present

CORES = sorted(os.sched_getaffinity(0))


def named(kind, name, **more):
    return type(kind.__name__ + name, (kind,), {"name": name, **more})


# As many downloads at once as connections take 1.4 GiB of the budget.
ROOMY = named(Sluice, "Sluice, 2 GiB", memory="2GiB")


# ---- fsync ------------------------------------------------------------------

def synced_files(folder, threads, seconds):
    """Files of 4 KiB a second, each written and synced on its own."""
    data, counts = os.urandom(4 * KIB), [0] * threads
    until = time.monotonic() + seconds

    def write(number):
        while time.monotonic() < until:
            path = Path(folder, f"sync-{number}-{counts[number]}")
            fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
            os.write(fd, data)
            os.fsync(fd)
            os.close(fd)
            counts[number] += 1
    workers = [threading.Thread(target=write, args=(number,))
               for number in range(threads)]
    started = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = time.monotonic() - started
    for path in Path(folder).glob("sync-*"):
        path.unlink()
    os.sync()
    return sum(counts) / took


def fsync(bench):
    with Sluice(bench.folder, bench.client) as peer:
        for _ in range(bench.rounds):
            place = bench.place()
            ours = cell(bench.client, peer, peer.uploads(4 * KIB, place), 64,
                        seconds=bench.seconds)
            peer.removed(place, 4 * KIB)
            os.sync()
            one = synced_files(peer.folder, 1, bench.seconds)
            many = synced_files(peer.folder, 64, bench.seconds)
            bench.samples.add("special", "fsync", "Sluice", {
                "value": ours["rate"] / one, "at_once": ours["rate"] / many,
                "uploads": ours["rate"], "one": one, "many": many})


# ---- processor --------------------------------------------------------------

def cpu_of_command(*command):
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    equal(f"status of {command[0]}", process.returncode, 0)
    return usage.ru_utime + usage.ru_stime


COUNT, SIZE = 16, 50 * MIB


def cost_of_tools(bench, *words, target=None):
    """Processor time a GiB of commands that are given as many bytes as are
    uploaded: digests, and a plain copy, or a PUT where there is a target."""
    source = Path(bench.folder, "bytes")
    if not source.exists():
        piece = os.urandom(MIB)
        with source.open("wb") as file:
            for _ in range(COUNT * SIZE // MIB):
                file.write(piece)
    total = sum(cpu_of_command("openssl", "dgst", word, str(source))
                for word in words)
    copy = source.with_name("copy")
    last = (["curl", "-sf", "--noproxy", "*", "-T", str(source), target]
            if target else ["cp", "--reflink=never", str(source), str(copy)])
    total += cpu_of_command(*last)
    copy.unlink(missing_ok=True)
    os.sync()
    return total / (COUNT * SIZE / GIB)


def cost_of_uploads(bench, peer):
    place = bench.place()
    cpu = cell(bench.client, peer, peer.uploads(SIZE, place), COUNT,
               most=COUNT)["cpu"]
    equal("objects", peer.removed(place, SIZE), COUNT)
    os.sync()
    return cpu / (COUNT * SIZE / GIB)


def basis(bench):
    """Beside openssl dgst -md5 and cp of as many bytes."""
    with Sluice(bench.folder, bench.client) as peer:
        for _ in range(bench.rounds):
            ours = cost_of_uploads(bench, peer)
            tools = cost_of_tools(bench, "-md5")
            bench.samples.add("special", "basis", "Sluice", {
                "value": ours / tools, "ours": ours, "tools": tools})


def through(bench):
    """To an S3 service, beside both digests and a plain PUT; and the peak of
    many uploads at once."""
    if not list(present((Direct,))):
        return
    for _ in range(bench.rounds):
        with Rgw() as rgw, Direct(bench.folder, rgw, bench.client, ()) as \
                direct, SluiceS3(bench.folder, bench.client, direct) as peer:
            ours = cost_of_uploads(bench, peer)
            tools = cost_of_tools(bench, "-md5", "-sha256",
                                  target=direct.url("PUT", "tools"))
            place, many = bench.place(), 16 if bench.quick else 64
            peak = cell(bench.client, peer, peer.uploads(SIZE, place), many,
                        most=many)["peak"]
            equal("objects", peer.removed(place, SIZE), many)
            bench.samples.add("special", "through", "Sluice", {
                "value": ours / tools, "peak": peak, "ours": ours,
                "tools": tools})


# ---- lists ------------------------------------------------------------------

def depths():
    """Prefixes of a million keys, from all of them to a thousand."""
    parts = ["m", "4", "2", "7", "2026", "06", "14"]
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def page_time(bench, peer, work, **query):
    sample = cell(bench.client, peer, peer.lists(**query), 1,
                  seconds=bench.seconds)
    bench.samples.add("lists", work, peer.name, sample)
    return sample


def lists(bench):
    million = 20000 if bench.quick else 1000000
    few = named(Stocked, "Sluice, 1 000 keys")
    many = named(Stocked, f"Sluice, {million:_} keys".replace("_", " "))
    with ExitStack() as stack:
        small = stack.enter_context(few(bench.folder, bench.client, 1000))
        large = stack.enter_context(many(bench.folder, bench.client, million))
        for _ in range(bench.rounds):
            base = page_time(bench, small, "m", prefix="m")
            pages = [page_time(bench, large, prefix, prefix=prefix)
                     for prefix in depths() if not bench.quick or
                     prefix == "m"]
            for peer in (small, large):
                page_time(bench, peer, "m, delimiter /", prefix="m",
                          delimiter="/")
            bench.samples.add("special", "lists", "Sluice", {
                "value": max(page["p50"] for page in pages) / base["p50"],
                "grown": max(0, max(page["peak"] for page in pages) -
                             base["peak"])})


# ---- connections ------------------------------------------------------------

def idle_each(bench, peer, count, at_once):
    """KiB that each idle connection takes, after one request on it."""
    plan = peer.downloads(4 * KIB)[:1]
    before = memory_of(peer.pids(), "VmRSS")
    client = bench.client.start(peer.port, plan, count,
                                idle="at once" if at_once else "in turn")
    equal("the client", client.stdout.readline(), "ready\n")
    each = 1024 * (memory_of(peer.pids(), "VmRSS") - before) / count
    client.communicate()
    Path(client.args[-1]).unlink()
    return each


def idle(bench):
    """A fresh process each time: memory that was used once isn't counted
    again."""
    count = 1000 if bench.quick else crowd()
    for _ in range(bench.rounds):
        values = {}
        for figure in ("value", "at_once"):
            with ROOMY(bench.folder, bench.client, (4 * KIB,)) as peer:
                values[figure] = idle_each(bench, peer, count,
                                           figure == "at_once")
        bench.samples.add("special", "idle", "Sluice", values)


# ---- fairness ---------------------------------------------------------------

def beside_uploads(bench, peer, place):
    """p99 of small downloads alone, and while 16 large uploads run."""
    gets = peer.downloads(4 * KIB)
    alone = cell(bench.client, peer, gets, 16, seconds=bench.seconds)
    rough = bench.client.start(peer.port, peer.uploads(50 * MIB, place), 16,
                               seconds=bench.seconds + 1)
    beside = cell(bench.client, peer, gets, 16, seconds=bench.seconds)
    bench.client.finish(rough)
    peer.removed(place, 50 * MIB)
    os.sync()
    bench.samples.add("special", "fairness", peer.name, {
        "value": beside["p99"] / alone["p99"], "alone": alone["p99"],
        "beside": beside["p99"]})


def fairness(bench):
    with ExitStack() as stack:
        peers = [stack.enter_context(Sluice(bench.folder, bench.client,
                                            (4 * KIB,)))]
        for kind in present((Nginx,)):
            site = Site(bench.folder, (4 * KIB,))
            peers.append(stack.enter_context(kind(bench.folder, site)))
        for _ in range(bench.rounds):
            for peer in peers:
                beside_uploads(bench, peer, bench.place())


# ---- workers ----------------------------------------------------------------

def pinned(count):
    """Words that keep a server on so many cores, and those that keep the
    client off them; none where there aren't cores for both."""
    if len(CORES) < 4:
        return (), ()
    server = ",".join(map(str, CORES[:count]))
    return (("taskset", "-c", server),
            ("taskset", "-c", ",".join(map(str, CORES[2:]))))


def workers(bench):
    """Requests a second, where the client leaves the cores free.  Elsewhere by
    processor time: what two workers could do if each had its core."""
    with ExitStack() as stack:
        peers = []
        for count in (1, 2):
            kind = named(Sluice, f"workers{count}", workers=str(count),
                         before=pinned(count)[0])
            peers.append(stack.enter_context(
                kind(bench.folder, bench.client, (4 * KIB,))))
        for _ in range(bench.rounds):
            one, two = (cell(bench.client, peer, peer.downloads(4 * KIB), 64,
                             seconds=bench.seconds, before=pinned(2)[1])
                        for peer in peers)
            rate = two["rate"] / one["rate"]
            # Two cores can't do more than twice the work of one.
            cost = min(2, 2 * one["cpu_1000"] / two["cpu_1000"])
            bench.samples.add("special", "workers", "Sluice", {
                "value": rate if pinned(2)[0] else cost, "rates": rate})


# ---- linear costs -----------------------------------------------------------

def cost(bench, title, unit, amount, value):
    bench.samples.add("linear", f"{title} | {unit}: {amount}", "Sluice",
                      {"cost": value})


def upload_costs(bench):
    sizes = {"1 MiB": MIB, "16 MiB": 16 * MIB, "256 MiB": 256 * MIB,
             "1 GiB": GIB, "5 GiB": 5 * GIB}
    with Sluice(bench.folder, bench.client) as peer:
        for name, size in sizes.items():
            if bench.quick and size > 256 * MIB:
                continue
            place, count = bench.place(), max(1, 512 * MIB // size)
            sample = cell(bench.client, peer, peer.uploads(size, place), 1,
                          most=count)
            equal("objects", peer.removed(place, size), count)
            os.sync()
            cost(bench, "One upload", "CPU ms a MiB", name,
                 1000 * sample["cpu"] * MIB / (count * size))


def walk(peer, count, least):
    """Processor time a key, of walks through all keys by pages of 1000."""
    pids, seen = peer.pids(), 0
    before = cpu_of(pids)
    with peer.gateway.wire() as wire:
        while seen < least:
            cursor, walked = {}, 0
            while cursor is not None:
                query = urlencode({"prefix": "m/", "limit": 1000, **cursor})
                wire.send(request("GET", f"/files?{query}"))
                page = wire.answer().json
                walked += page["count"]
                cursor = ({"cursor": page["next_cursor"]}
                          if page["truncated"] else None)
            equal("keys", walked, count)
            seen += walked
    return (cpu_of(pids) - before) / seen


def list_costs(bench):
    for exponent in range(2, 5 if bench.quick else 7):
        count = 10 ** exponent
        with Stocked(bench.folder, bench.client, count) as peer:
            cost(bench, "Walk through a list", "CPU µs a key",
                 f"10^{exponent}", 1e6 * walk(peer, count, 200000))


def connection_costs(bench):
    for count in (10, 100, 1000, crowd())[:3 if bench.quick else 4]:
        with ROOMY(bench.folder, bench.client, (4 * KIB,)) as peer:
            sample = cell(bench.client, peer, peer.downloads(4 * KIB), count,
                          seconds=bench.seconds)
            cost(bench, "4 KiB downloads by connections", "CPU µs a request",
                 f"{count}", 1000 * sample["cpu_1000"])
        with Sluice(bench.folder, bench.client, (4 * KIB,)) as peer:
            cost(bench, "Idle connections", "KiB each", f"{count}",
                 idle_each(bench, peer, count, False))


def linear(bench):
    for _ in range(bench.rounds):
        upload_costs(bench)
        list_costs(bench)
        connection_costs(bench)


GROUPS = {"fsync": fsync, "basis": basis, "through": through,
          "lists": lists, "idle": idle, "fairness": fairness,
          "workers": workers, "linear": linear}

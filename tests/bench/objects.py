# SPDX-License-Identifier: MIT
"""Objects by name beside uploads by form: PUTs, deletes of many, links, and
copies.  Each is measured in turn with what it is compared to.
"""
import os
import statistics
import time
from pathlib import Path
from urllib.parse import urlsplit

from kit import GIB, KIB, MIB, equal

from .measure import cell
from .peers.peer import get, put
from .peers.sluice import Sluice

SMALL = 4 * KIB
AT_ONCE = 64
MANY = 1000
MARK = "########"  # for which the client puts a number


def puts(place):
    return [put(f"/files/object?key={place}/{MARK}", SMALL)]


def rates(bench, peer):
    """Of PUTs, to those of forms."""
    figures = {}
    for name, plan in (("form", peer.uploads), ("put", puts)):
        place = bench.place()
        words = (SMALL, place) if name == "form" else (place,)
        figures[name] = cell(bench.client, peer, plan(*words), AT_ONCE,
                             seconds=bench.seconds)
        equal(f"{name}s that failed", figures[name]["bad"], 0)
        peer.removed(place, SMALL)
    bench.samples.add("special", "put", "Sluice", {
        "value": figures["put"]["rate"] / figures["form"]["rate"],
        "cpu": figures["put"]["cpu_1000"] / figures["form"]["cpu_1000"]})


def timed(peer, method, target, document):
    began = time.monotonic()
    answer = peer.gateway.json(method, target, document)
    return time.monotonic() - began, answer


def deletes(bench, peer):
    """The time of a thousand by one request, to the time of one."""
    place = bench.place()
    bench.client.run(peer.port, puts(place), AT_ONCE, most=MANY + 100)
    keys = [thing["key"] for thing in peer.objects(place)]
    one = statistics.median(timed(peer, "DELETE", "/files", {"key": key})[0]
                            for key in keys[MANY:])
    many, answer = timed(peer, "POST", "/files/delete",
                         {"keys": keys[:MANY]})
    equal("deleted", len(answer.json["deleted"]), MANY)
    bench.samples.add("special", "many", "Sluice", {
        "value": many / one, "one": 1000 * one, "many": 1000 * many})


def links(bench, peer):
    """Processor time of a download by a link, above that of a plain one."""
    plans = {"plain": peer.downloads(SMALL), "link": []}
    for key in peer.stock[SMALL]:
        answer = peer.gateway.json("POST", "/files/presign", {"key": key})
        where = urlsplit(answer.json["url"])
        plans["link"].append(get(f"{where.path}?{where.query}"))
    cost = {name: cell(bench.client, peer, plan, AT_ONCE,
                       seconds=bench.seconds)["cpu_1000"]
            for name, plan in plans.items()}
    bench.samples.add("special", "link", "Sluice", {
        "value": 100 * (cost["link"] / cost["plain"] - 1)})


def copies(bench, peer):
    """Seconds of a copy within `local`, and of a plain one of its file."""
    size, place = 64 * MIB if bench.quick else GIB, bench.place()
    bench.client.run(peer.port, peer.uploads(size, place), 1, most=1)
    source = peer.objects(place)[0]["key"]
    took, answer = timed(peer, "POST", "/files/copy",
                         {"from": source, "to": f"{place}/copy"})
    equal("status", answer.status, 201)
    blob = max(Path(peer.gateway.folder, "data", "blobs").rglob("*"),
               key=lambda path: path.stat().st_size)
    began = time.monotonic()
    plain = Path(bench.folder, "plain")
    with open(blob, "rb") as from_, open(plain, "wb") as to:
        while os.copy_file_range(from_.fileno(), to.fileno(), GIB):
            pass
        os.fsync(to.fileno())
    by_hand = time.monotonic() - began
    plain.unlink()
    peer.removed(place, size)
    bench.samples.add("special", "copy", "Sluice", {
        "value": took, "to_plain": took / by_hand})


def objects(bench):
    for _ in range(bench.rounds):
        with Sluice(bench.folder, bench.client, (SMALL,)) as peer:
            for part in rates, deletes, links, copies:
                part(bench, peer)


GROUPS = {"objects": objects}

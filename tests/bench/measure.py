# SPDX-License-Identifier: MIT
"""How a cell is measured: the client (client.c) against one peer, with the
processor time and the peak of memory of that peer's processes; and the
samples of all rounds, whose median and spread are what counts.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from kit import GIB, MIB

from .peers.peer import cpu_of, forget_peaks, memory_of

HERE = Path(__file__).resolve().parent
SOURCES = ("client.c", "client_plan.c", "client_wire.c")
SLOW = 600  # seconds that any cell may take


class Client:
    """client.c, compiled into the folder."""

    def __init__(self, folder):
        self.program = Path(folder, "client")
        self.folder, self.patience = folder, SLOW
        self.threads = min(2, len(os.sched_getaffinity(0)))
        subprocess.run(
            [os.environ.get("CC", "cc").split()[-1], "-std=gnu11",
             "-D_GNU_SOURCE", "-O2", "-pthread", "-o", self.program,
             *(HERE / name for name in SOURCES)], check=True)

    def start(self, port, plan, connections, *, most=None, seconds=None,
              first=0, idle=None, before=()):
        """A client that runs; its plan is gone with it."""
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="plan-",
                                         delete=False) as file:
            file.write(b"".join(plan))
        words = [*before, self.program, "-p", port, "-c", connections,
                 "-t", self.threads, "-k", first]
        words += ["-n", most] if most else []
        words += ["-s", seconds] if seconds else []
        words += {None: [], "in turn": ["-i"], "at once": ["-I"]}[idle]
        return subprocess.Popen([*map(str, words), file.name],
                                stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)

    def finish(self, process):
        """This is what it counted."""
        try:
            out, _ = process.communicate(timeout=self.patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise RuntimeError("no end in "
                               f"{self.patience:.0f} s") from None
        finally:
            Path(process.args[-1]).unlink()
        if process.returncode:
            raise RuntimeError("the client failed, see above")
        return json.loads(out)

    def run(self, port, plan, connections, **how):
        counted = self.finish(self.start(port, plan, connections, **how))
        if counted["bad"] or counted["broken"]:
            raise RuntimeError(f"{counted['bad']} of {counted['requests']} "
                               f"requests failed, {counted['broken']} "
                               "connections broke")
        return counted


def cell(client, peer, plan, connections, **how):
    """One sample: what the client counted, and what it cost the peer."""
    pids = peer.pids()
    forget_peaks(pids)
    before = cpu_of(pids)
    counted = client.finish(client.start(peer.port, plan, connections, **how))
    pids = peer.pids()
    cpu = cpu_of(pids) - before
    moved = counted["sent"] + counted["got"]
    requests, took = max(1, counted["requests"]), counted["seconds"] or 1e-9
    return {"rate": counted["requests"] / took,
            "speed": moved / MIB / took,
            "p50": counted["p50"] / 1e3, "p99": counted["p99"] / 1e3,
            "cpu": cpu, "cpu_gib": cpu / moved * GIB if moved else 0,
            "cpu_1000": 1000 * cpu / requests,
            "peak": memory_of(pids), "bad": counted["bad"],
            "broken": counted["broken"],
            "requests": counted["requests"], "seconds": took,
            "client_cpu": counted["cpu"]}


class Samples:
    """Samples of cells by name: (group, work, peer) -> {figure: [values]}."""

    def __init__(self):
        self.of = {}

    def add(self, group, work, peer, sample):
        for name, value in sample.items():
            self.of.setdefault((group, work, peer), {}).setdefault(
                name, []).append(value)
        if "p50" in sample:
            print(f"  {group} | {work} | {peer}: {sample['rate']:.0f}/s "
                  f"{sample['speed']:.0f} MiB/s p50 {sample['p50']:.2f} ms "
                  f"p99 {sample['p99']:.2f} ms cpu {sample['cpu']:.2f} s "
                  f"peak {sample['peak']:.0f} MiB failed "
                  f"{sample['bad']}+{sample['broken']}",
                  file=sys.stderr, flush=True)
        else:
            print(f"  {group} | {work} | {peer}: {sample}",
                  file=sys.stderr, flush=True)

    def median(self, group, work, peer, figure):
        """None where that wasn't measured."""
        values = self.of.get((group, work, peer), {}).get(figure)
        return statistics.median(values) if values else None

    def spread(self, group, work, peer, figure):
        values = self.of[group, work, peer][figure]
        return min(values), max(values)

    def works(self, group):
        return list(dict.fromkeys(key[1] for key in self.of
                                  if key[0] == group))

    def peers(self, group):
        return list(dict.fromkeys(key[2] for key in self.of
                                  if key[0] == group))

    def groups(self):
        return list(dict.fromkeys(key[0] for key in self.of))

    def plain(self):
        return [[*key, value] for key, value in self.of.items()]

    def load(self, plain):
        for group, work, peer, value in plain:
            self.of[group, work, peer] = value

    def forget(self, name):
        """This is what the function of that name adds."""
        self.of = {key: value for key, value in self.of.items()
                   if key[0] != name and key[:2] != ("special", name) and
                   not key[0].startswith((name + " ", name + ","))}


def turned(things, turn):
    """The same, starting with another one each turn."""
    return [things[(at + turn) % len(things)] for at in range(len(things))]

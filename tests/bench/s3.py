#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""This is what the gateway costs before an S3 service: the same client
(load.c) talks to a real Ceph RADOS Gateway, to the gateway before it, and to
nginx before it, in turns; a figure is the median of its rounds.

SLUICE is the gateway's binary, SLUICE_PLUGINS the folders of plugins; build
both with CFLAGS=-O2.  Needs Ceph (tests/s3/s3-server install), nginx, openssl,
curl and a C compiler, some 10 GiB of memory, as the service keeps its objects
there, and 4 GiB on the disk of --folder; --large as much again as --size.
Every figure is a ratio or processor time, so a machine that is busy otherwise
blurs the spread before the median.  The exit status is 1 when a figure isn't
met.
"""
import argparse
import contextlib
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
# In place of this folder, where this file would be taken for the package s3.
sys.path[:1] = [str(HERE.parent / "integration"), str(HERE.parent)]

# pylint: disable=wrong-import-position
from kit import (BINARY, FORM, GIB, KIB, MIB, Gateway, Mismatch,  # noqa: E402
                 equal, eventually, expect, head, large_form)
from s3.client import path_of  # noqa: E402
from s3.kit import Rgw, free_port  # noqa: E402

BUCKET = "bench-1"
TICKS = os.sysconf("SC_CLK_TCK")
LARGE, LARGE_AT_ONCE = 50 * MIB, 16
SMALL, SMALL_AT_ONCE = 4 * KIB, 8

# This is what is measured: its unit, its limit, and whether that is the least.
FIGURES = {
    "16 uploads of 50 MiB, rate to direct": ("", 0.8, True),
    "16 downloads of 50 MiB, rate to direct": ("", 0.9, True),
    "4 KiB uploads by 8, rate to direct": ("", 0.7, True),
    "4 KiB downloads by 8, rate to direct": ("", 0.7, True),
    "CPU of an upload to openssl and curl": ("", 1.4, False),
    "CPU of a download to nginx": ("", 1.3, False),
    "peak, 64 uploads of 50 MiB at once": ("MiB", 64, False),
    "peak, one large upload in parts": ("MiB", 32, False),
}


class Samples:
    """Samples of figures, and of what else is worth knowing."""

    def __init__(self):
        self.of = {}

    def add(self, name, value):
        self.of.setdefault(name, []).append(value)
        print(f"  {name}: {value:.3f}", file=sys.stderr, flush=True)

    def row(self, name, unit, limit="", verdict=""):
        values = self.of[name]
        middle = statistics.median(values)
        spread = f"{min(values):.2f}..{max(values):.2f}"
        print(f"{name:44} {middle:9.2f} {unit:7} {spread:18} {limit:8} "
              f"{verdict}")
        return middle

    def table(self):
        """Prints it; how many figures aren't met."""
        failed = 0
        print(f"{'figure':44} {'median':>9} {'':7} {'spread':18} limit")
        for name, (unit, limit, least) in FIGURES.items():
            if name not in self.of:
                continue
            middle = statistics.median(self.of[name])
            met = middle >= limit if least else middle <= limit
            failed += not met
            self.row(name, unit, f"{'>=' if least else '<='} {limit}",
                     "PASS" if met else "FAIL")
        print()
        for name in self.of:
            if name not in FIGURES:
                self.row(name, "")
        return failed


# ---- processes --------------------------------------------------------------

def cpu_of(*pids):
    """Seconds of the processor, user's and system's."""
    total = 0
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        total += sum(map(int, stat.split()[11:13]))
    return total / TICKS


def cpu_of_all():
    """Seconds that the processors weren't idle."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _, _, irq, softirq, _ = map(int, fields)
    return (user + nice + system + irq + softirq) / TICKS


def cpu_of_command(*command):
    """Seconds of the processor that a command takes."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    equal(f"status of {command[0]}", process.returncode, 0)
    return usage.ru_utime + usage.ru_stime


def load_program(folder):
    program = Path(folder, "load")
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-pthread",
                    "-o", program, HERE / "load.c"], check=True)
    return program


class Nginx:
    """A proxy before the service: connections are kept, answers buffered in
    memory (proxy_buffering on, the manual's default sizes), none on disk."""
    CONF = """
{user}
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  proxy_temp_path {folder}/temp;
  client_body_temp_path {folder}/temp;
  upstream s3 {{ server {host}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://s3;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host {host};
      proxy_buffering on;
      proxy_max_temp_file_size 0;
    }}
  }}
}}
"""

    def __init__(self, folder, host):
        self.port = free_port()
        self.folder = tempfile.mkdtemp(dir=folder)
        conf = Path(self.folder, "nginx.conf")
        conf.write_text(self.CONF.format(
            folder=self.folder, host=host, port=self.port,
            user="user root;" if os.geteuid() == 0 else ""))
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [program, "-c", conf, "-p", self.folder], cwd=self.folder)
        eventually("nginx's workers", lambda: len(self.pids()) > 1)

    def pids(self):
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}"
                    "/children")
        return [self.process.pid, *map(int, path.read_text().split())]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


# ---- one run ----------------------------------------------------------------

def element(start, body=0, tail=b""):
    """A request of a plan, see load.c."""
    return b"%d %d %d\n%s%s" % (len(start), body, len(tail), start, tail)


def measured(runs, turn):
    """Runs them, starting with another one each turn; the answers in the
    order in which they are given."""
    order = [(at + turn) % len(runs) for at in range(len(runs))]
    answers = {at: runs[at]() for at in order}
    return [answers[at] for at in range(len(runs))]


class Bench:
    def __init__(self, rgw, gateway, folder):
        self.rgw, self.gateway, self.samples = rgw, gateway, Samples()
        self.client = rgw.client()
        self.service = int(rgw.endpoint.rpartition(":")[2])
        self.port = int(gateway.url.rpartition(":")[2])
        self.program = load_program(folder)
        self.body = Path(folder, "body")
        if not self.body.exists():
            self.body.write_bytes(os.urandom(MIB))
        self.runs = self.turn = 0

    def load(self, port, connections, plan):
        """Seconds that the plan takes."""
        done = subprocess.run([self.program, str(port), str(connections),
                               self.body], input=b"".join(plan),
                              stdout=subprocess.PIPE, check=False)
        equal("status of load", done.returncode, 0)
        return float(done.stdout)

    # ---- plans

    def presigned(self, method, key, size=0):
        """By URL alone, as a browser would that was given a link."""
        target = self.client.presigned(method, path_of(BUCKET, key))
        lines = [f"Content-Length: {size}"] if method == "PUT" else []
        return element(head(method, target, *lines, host=self.client.host),
                       size)

    def sums(self, size):
        """MD5 and SHA-256 of a body."""
        body, sums = self.body.read_bytes(), (hashlib.md5(), hashlib.sha256())
        for at in range(0, size, MIB):
            for each in sums:
                each.update(body[:size - at])
        return sums

    def like_gateways(self, key, size, md5, sha256):
        """A PUT with all that the gateway's have: bytes signed, a checksum,
        no overwriting, metadata."""
        path = path_of(BUCKET, key)
        lines = self.client.signed("PUT", path, {
            "Content-Type": "application/octet-stream",
            "Content-MD5": b64encode(md5.digest()).decode(),
            "If-None-Match": "*", "x-amz-meta-md5": md5.hexdigest(),
            "x-amz-meta-original-filename": "large.bin",
            "x-amz-meta-uploaded-by": "anonymous"},
            payload=sha256.hexdigest())
        return element(head("PUT", path, *lines, f"Content-Length: {size}",
                            host=self.client.host), size)

    @staticmethod
    def form(prefix, size):
        before, after, length = large_form(size, prefix=prefix)
        start = head("POST", "/files", FORM, f"Content-Length: {length}")
        return element(start + before, size, after)

    @staticmethod
    def fetch(key):
        return element(head("GET", "/files/download?key=" +
                            quote(key, safe="")))

    def names(self, kind):
        self.runs += 1
        return f"{kind}{self.runs}"

    # ---- objects

    def upload_direct(self, count, size, connections, *, alike=False):
        """Seconds, the keys, and what all processes took."""
        name = self.names("direct")
        keys = [f"{name}/{i}" for i in range(count)]
        sums = self.sums(size) if alike else None
        plan = [self.like_gateways(key, size, *sums) if alike else
                self.presigned("PUT", key, size) for key in keys]
        before = cpu_of_all()
        took = self.load(self.service, connections, plan)
        return took, keys, cpu_of_all() - before

    def upload_form(self, count, size, connections):
        """By the gateway; what it took of the processors, and all did."""
        name = self.names("gateway")
        plan = [self.form(name, size)] * count
        before, all_before = cpu_of(self.gateway.pid), cpu_of_all()
        took = self.load(self.port, connections, plan)
        cpu = cpu_of(self.gateway.pid) - before
        every = cpu_of_all() - all_before
        return took, self.keys(name), cpu, every

    def keys(self, prefix):
        keys, cursor = [], {}
        while cursor is not None:
            page = self.gateway.list(prefix + "/", **cursor)
            keys += [thing["key"] for thing in page["objects"]]
            cursor = ({"cursor": page["next_cursor"]} if page["truncated"]
                      else None)
        return keys

    def remove(self, keys):
        with self.client.wire() as wire:
            for key in keys:
                self.client.send(wire, "DELETE", path_of(BUCKET, key))
                equal("DELETE", wire.answer().status, 204)

    # ---- rounds

    def uploads(self, what, count, size, connections):
        """Direct, direct with requests like the gateway's, and by it: its
        keys, and its processor time."""
        some = (count, size, connections)
        direct, alike, through = measured(
            [lambda: self.upload_direct(*some),
             lambda: self.upload_direct(*some, alike=True),
             lambda: self.upload_form(*some)], self.turn)
        keys, cpu = through[1:3]
        equal("objects", len(keys), count)
        self.samples.add(f"{what}, rate to direct", direct[0] / through[0])
        self.samples.add(f"{what}, to the same requests",
                         alike[0] / through[0])
        self.samples.add(f"{what}, direct, MiB/s",
                         count * size / MIB / direct[0])
        self.samples.add(f"{what}, CPU of all to direct",
                         through[3] / direct[2])
        if size == LARGE:
            gib = count * size / GIB
            self.samples.add("all processes, direct, CPU s/GiB",
                             direct[2] / gib)
            self.samples.add("all processes, same requests, CPU s/GiB",
                             alike[2] / gib)
            self.remove(direct[1] + alike[1])
        return keys, cpu

    def downloads(self, what, keys, size, connections, nginx):
        """Direct, by the gateway and by nginx: the processor time of both."""
        gets = [self.presigned("GET", key) for key in keys]

        def through(port, plan, *pids):
            before = cpu_of(*pids)
            return self.load(port, connections, plan), cpu_of(*pids) - before
        (direct, _), (ours, cpu), (_, other) = measured(
            [lambda: through(self.service, gets),
             lambda: through(self.port, [self.fetch(key) for key in keys],
                             self.gateway.pid),
             lambda: through(nginx.port, gets, *nginx.pids())], self.turn)
        self.samples.add(f"{what}, rate to direct", direct / ours)
        self.samples.add(f"{what}, direct, MiB/s",
                         len(keys) * size / MIB / direct)
        return cpu, other

    def large_round(self, tools, nginx):
        gib = LARGE * LARGE_AT_ONCE / GIB
        keys, cpu = self.uploads("16 uploads of 50 MiB", LARGE_AT_ONCE, LARGE,
                                 LARGE_AT_ONCE)
        basis = tools.cost(self)
        self.samples.add("CPU of an upload to openssl and curl",
                         cpu / gib / basis)
        self.samples.add("gateway up, CPU s/GiB", cpu / gib)
        cpu, other = self.downloads("16 downloads of 50 MiB", keys, LARGE,
                                    LARGE_AT_ONCE, nginx)
        self.samples.add("CPU of a download to nginx", cpu / other)
        self.samples.add("gateway down, CPU s/GiB", cpu / gib)
        self.samples.add("nginx down, CPU s/GiB", other / gib)
        self.remove(keys)
        self.turn += 1

    def small_round(self, count, nginx):
        keys, cpu = self.uploads("4 KiB uploads by 8", count, SMALL,
                                 SMALL_AT_ONCE)
        self.samples.add("gateway, CPU ms a 4 KiB upload", 1000 * cpu / count)
        cpu, other = self.downloads("4 KiB downloads by 8", keys, SMALL,
                                    SMALL_AT_ONCE, nginx)
        self.samples.add("gateway, CPU ms a 4 KiB download",
                         1000 * cpu / count)
        self.samples.add("nginx, CPU ms a 4 KiB download",
                         1000 * other / count)


class Tools:
    """This is what digests and a plain PUT of the same bytes take."""
    SIZE = 512 * MIB

    def __init__(self, folder):
        self.path = Path(folder, "bytes")
        with self.path.open("wb") as file:
            for _ in range(self.SIZE // MIB):
                file.write(os.urandom(MIB))

    def cost(self, bench):
        """Seconds of the processor a GiB."""
        key = bench.names("tools")
        url = bench.rgw.endpoint + bench.client.presigned(
            "PUT", path_of(BUCKET, key))
        cpu = sum(cpu_of_command("openssl", "dgst", way, str(self.path))
                  for way in ("-md5", "-sha256"))
        put = cpu_of_command("curl", "-sf", "--noproxy", "*", "-T",
                             str(self.path), url)
        bench.remove([key])
        scale = GIB / self.SIZE
        bench.samples.add("openssl, CPU s/GiB", cpu * scale)
        bench.samples.add("curl -T, CPU s/GiB", put * scale)
        return (cpu + put) * scale


# ---- memory -----------------------------------------------------------------

def peak_of_many(rgw, folder, samples):
    with Gateway(sections(rgw), folder=fresh(folder)) as gateway:
        bench = Bench(rgw, gateway, folder)
        bench.samples = samples
        took, keys, *_ = bench.upload_form(64, LARGE, 64)
        samples.add("peak, 64 uploads of 50 MiB at once",
                    gateway.status("VmHWM") / 1024)
        samples.add("64 uploads at once, MiB/s", 64 * LARGE / MIB / took)
        bench.remove(keys)


def peak_of_large(rgw, folder, samples, size):
    with Gateway(sections(rgw, size), folder=fresh(folder)) as gateway:
        bench = Bench(rgw, gateway, folder)
        bench.samples = samples
        took, keys, *_ = bench.upload_form(1, size, 1)
        samples.add("peak, one large upload in parts",
                    gateway.status("VmHWM") / 1024)
        samples.add("one large upload, MiB/s", size / MIB / took)
        bench.remove(keys)


# ---- the whole --------------------------------------------------------------

def fresh(folder):
    return tempfile.mkdtemp(dir=folder)


def sections(rgw, size=LARGE):
    return {"server": {"workers": "auto"},
            "backends": {"main": {"plugin": "ceph", "directory": None,
                                  **rgw.options(BUCKET)}},
            "limits": {"backend_timeout": "10m"},
            "uploads": {"max_bytes": f"{size // MIB}MiB"}}


def first_line(*command):
    done = subprocess.run(command, capture_output=True, check=False,
                          text=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def versions():
    cpu = next(line.partition(":")[2].strip() for line in
               Path("/proc/cpuinfo").read_text().splitlines()
               if line.startswith("model name"))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    for command in ((BINARY, "--version"), ("radosgw", "--version"),
                    (nginx, "-v"), ("curl", "--version"),
                    ("openssl", "version")):
        print(first_line(*command))
    print(f"{os.cpu_count()} x {cpu}, Linux {os.uname().release}, "
          f"load {os.getloadavg()[0]:.1f}\n", flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", help="where files go; default: /tmp")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small", type=int, default=2000,
                        help="objects of 4 KiB a round")
    parser.add_argument("--only", default="large,small,memory",
                        help="of large, small, memory; default: all")
    parser.add_argument("--large", action="store_true",
                        help="also one upload of --size in parts")
    parser.add_argument("--size", type=int, default=5,
                        help="GiB of that upload; default: 5")
    return parser.parse_args()


def measure(given, rgw, folder, samples):
    only = given.only.split(",")
    rgw.create(BUCKET)
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(
            Gateway(sections(rgw), folder=fresh(folder)))
        nginx = stack.enter_context(
            Nginx(folder, rgw.endpoint.partition("//")[2]))
        tools = Tools(folder) if "large" in only else None
        bench = Bench(rgw, gateway, folder)
        bench.samples = samples
        for number in range(given.rounds):
            print(f"round {number + 1}", file=sys.stderr)
            if "large" in only:
                bench.large_round(tools, nginx)
            if "small" in only:
                bench.small_round(given.small, nginx)
    if "memory" in only:
        peak_of_many(rgw, folder, samples)
    if given.large:
        peak_of_large(rgw, folder, samples, given.size * GIB)


def main():
    given, samples = arguments(), Samples()
    started = time.monotonic()
    # Space of deleted objects comes back after a while only.
    os.environ.setdefault("S3_SERVER_STORE_BYTES", str(16 * GIB))
    versions()
    try:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder, \
                Rgw() as rgw:
            measure(given, rgw, folder, samples)
    except Mismatch as mismatch:
        print(f"broken off: {mismatch}")
        samples.table()
        return 1
    failed = samples.table()
    expect(samples.of, "nothing was measured")
    print(f"\n{time.monotonic() - started:.0f} s, load "
          f"{os.getloadavg()[0]:.1f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

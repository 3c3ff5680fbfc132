# SPDX-License-Identifier: MIT
"""This is what peers have in common, and the folder of files that several
serve."""
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from kit import GIB, KIB, MIB, PATIENCE, eventually, head

# How many objects of each size there are to download.
STOCK = {4 * KIB: 1000, MIB: 64, 50 * MIB: 16, GIB: 1}
TICKS = os.sysconf("SC_CLK_TCK")


def element(start, body=0, tail=b""):
    """A request of the client's plan."""
    return b"%d %d %d\n%s%s" % (len(start), body, len(tail), start, tail)


def get(target):
    return element(head("GET", target))


def put(target, size):
    return element(head("PUT", target, f"Content-Length: {size}",
                        "Content-Type: application/octet-stream"), size)


def said(*command):
    """The first line that a command says that holds a number."""
    done = subprocess.run(command, capture_output=True, check=False,
                          text=True)
    lines = (done.stdout + done.stderr).strip().splitlines() or [""]
    return next((line for line in lines if re.search(r"\d", line)), lines[0])


def program(*names):
    """Where one of these is, looking where servers lie too; None: nowhere."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return next(filter(None, (shutil.which(name, path=path)
                              for name in names)), None)


def listens(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


# ---- processes --------------------------------------------------------------

def tree(pid):
    """A process and all that came of it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def cpu_of(pids):
    """Seconds of the processor, user's and system's, with those of children
    that ended."""
    total = 0
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
        except OSError:
            continue
        total += sum(map(int, stat.split()[11:15]))
    return total / TICKS


def memory_of(pids, name="VmHWM"):
    """MiB, summed over the processes: pages that they share count in each."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        found = re.search(rf"^{name}:\s+(\d+)", text, re.M)
        total += int(found[1]) if found else 0
    return total / 1024


def forget_peaks(pids):
    for pid in pids:
        try:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        except OSError:
            continue


# ---- peers ------------------------------------------------------------------

class Peer:
    """One server; `with` ends it."""
    name = ""
    package = ""      # of Debian
    programs = ()     # without one of these it is skipped
    unequal = {}      # what of a work: what it doesn't do, or does beside

    def __init__(self, folder):
        self.folder = Path(tempfile.mkdtemp(dir=folder, prefix="peer-"))
        self.folder.chmod(0o755)
        self.processes = []
        self.port = 0
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @classmethod
    def missing(cls):
        return [name for name in cls.programs if not program(name)]

    @classmethod
    def version(cls):
        return ""

    def start(self):
        raise NotImplementedError

    def spawn(self, *command, env=None):
        log = Path(self.folder, "log").open("ab")
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, cwd=self.folder,
            env={**os.environ, **(env or {})})
        log.close()
        self.processes.append(process)

        def answers():
            if process.poll() is not None:
                tail = Path(self.folder, "log").read_text()[-600:]
                raise RuntimeError(f"{self.name} ended: {tail}")
            return listens(self.port)
        eventually(f"{self.name} on port {self.port}", answers,
                   3 * PATIENCE)

    def pids(self):
        return [pid for process in self.processes
                for pid in tree(process.pid)]

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # Its abilities; None: it can't.

    def uploads(self, size, place):
        """Requests that each store one object below `place`."""
        return None

    def downloads(self, size):
        return None

    def removed(self, place, size):
        """How many objects of that size were stored there; none is left."""
        raise NotImplementedError


class Site:
    """The folder whose files several peers serve: STOCK below /files."""

    def __init__(self, folder, sizes):
        self.root = Path(tempfile.mkdtemp(dir=folder, prefix="site-"))
        self.root.chmod(0o777)
        self.targets = {}
        for size in sizes:
            Path(self.root, "files", str(size)).mkdir(parents=True)
            self.targets[size] = [self.write(size, number)
                                  for number in range(STOCK[size])]

    def write(self, size, number):
        target = f"/files/{size}/{number}"
        with open(str(self.root) + target, "wb") as file:
            piece = os.urandom(min(size, MIB))
            for _ in range(max(1, size // MIB)):
                file.write(piece)
        return target

    def room(self, place):
        """A folder that any server may write to."""
        path = Path(self.root, place)
        path.mkdir(exist_ok=True)
        path.chmod(0o777)

    def removed(self, place, size):
        path = Path(self.root, place)
        found = sum(entry.stat().st_size == size for entry in
                    os.scandir(path)) if path.exists() else 0
        shutil.rmtree(path, ignore_errors=True)
        return found


class Static(Peer):
    """One that serves a Site, and stores by PUT."""
    unequal = {"upload": "PUT: no form is parsed, no digest, no fsync",
               "download": "no index: the path is the file"}
    stores = True

    def __init__(self, folder, site):
        self.site = site
        super().__init__(folder)

    def uploads(self, size, place):
        if not self.stores:
            return None
        self.site.room(place)
        return [put(f"/{place}/########", size)]

    def downloads(self, size):
        return [get(target) for target in self.site.targets[size]]

    def removed(self, place, size):
        return self.site.removed(place, size)


def unprivileged():
    """For servers that give up root: a user and a group; None where the
    bench isn't run by root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam("www-data")
        return "www-data", "www-data"
    except KeyError:
        return "nobody", "nogroup"

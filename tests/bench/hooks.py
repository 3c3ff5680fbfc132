#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""This is what hooks cost on downloads of 4 KiB: gateways without hooks, with
auth_token and log_json, and with auth_jwt (ES256), asked in turns by the same
client (load.c).  A figure is the median of its rounds; the exit status is 1
when the one that is promised isn't met.

SLUICE is the gateway's binary, SLUICE_PLUGINS the folders of plugins; build
both with CFLAGS=-O2.  Needs a C compiler and python3-cryptography.
"""
import argparse
import contextlib
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
sys.path[:1] = [str(HERE.parent / "integration"),
                str(HERE.parents[1] / "plugins/hook/auth_jwt")]

# pylint: disable=wrong-import-position
from kit import FORM, KIB, Gateway, equal, file, form, head  # noqa: E402
from jwtkit import AUDIENCE, ISSUER, Key, token  # noqa: E402

LIMIT = 0.9  # of the requests a second without hooks
AT_ONCE = 32
SECRET = "a-key-of-a-test-that-is-long-enough-0123456789"
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """Seconds of the processor, in user and kernel mode."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    return sum(map(int, stat.split()[11:13])) / TICKS


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def hooks(folder, key):
    """{name: (hooks, header lines)}"""
    tokens = private(folder / "tokens.yaml", json.dumps({"tokens": [{
        "identity": "bench", "operations": ["*"], "prefixes": [""],
        "sha256": hashlib.sha256(SECRET.encode()).hexdigest()}]}))
    jwt = {"plugin": "auth_jwt", "issuer": ISSUER, "audience": [AUDIENCE],
           "key_file": private(folder / "key.pem", key.pem.decode()),
           "operations": ["*"], "prefixes": [""]}
    bearer = f"Authorization: Bearer {token(key)}"
    secret = f"Authorization: Bearer {SECRET}"
    return {
        "none": ([], [secret]),  # the same requests
        "auth_token + log_json": (
            [{"plugin": "auth_token", "file": tokens},
             {"plugin": "log_json", "path": str(folder / "access.log")}],
            [secret]),
        "auth_jwt, ES256": ([jwt], [bearer]),
        "auth_jwt, ES256, nothing cached": (
            [{**jwt, "cache": "0"}], [bearer])}


class Asked:
    """A gateway, and the requests that it is asked again and again."""

    def __init__(self, gateway, lines, count):
        self.gateway, self.count = gateway, count
        self.port = gateway.url.rpartition(":")[2]
        body = form(file(os.urandom(4 * KIB)))
        answer = gateway.ask("POST", "/files", FORM, *lines, body=body)
        equal("upload", answer.status, 201)
        key = quote(answer.json["key"], safe="")
        start = head("GET", f"/files/download?key={key}", *lines)
        self.plan = (b"%d 0 0\n" % len(start) + start) * count

    def round(self, program, empty):
        """Requests a second, and microseconds of the processor each."""
        before = cpu_of(self.gateway.pid)
        done = subprocess.run([program, self.port, str(AT_ONCE), empty],
                              input=self.plan, stdout=subprocess.PIPE,
                              check=True)
        cpu = cpu_of(self.gateway.pid) - before
        return self.count / float(done.stdout), cpu / self.count * 1e6


def measure(given, folder, stack):
    program, empty = folder / "load", folder / "body"
    subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-pthread",
                    "-o", program, HERE / "load.c"], check=True)
    empty.write_bytes(bytes(1 << 20))
    asked = {name: Asked(stack.enter_context(Gateway(
        {"hooks": some, "server": {"workers": "auto"}})), lines, given.count)
        for name, (some, lines) in hooks(folder, Key.new("ES256")).items()}
    found = {name: [] for name in asked}
    for number in range(given.rounds + 1):  # the first one warms up
        names = list(asked)[number % len(asked):]
        for name in names + [name for name in asked if name not in names]:
            sample = asked[name].round(program, empty)
            if number > 0:
                found[name].append(sample)
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=40000,
                        help="requests a round")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = measure(given, folder, stack)
    plain = [rate for rate, _ in found["none"]]
    print(f"{'hooks':34}{'requests/s':>12}{'to none':>9}{'CPU us':>9}")
    ratios = {}
    for name, samples in found.items():
        rates = [rate for rate, _ in samples]
        ratios[name] = statistics.median(
            rate / base for rate, base in zip(rates, plain))
        print(f"{name:34}{statistics.median(rates):12.0f}"
              f"{ratios[name]:9.2f}"
              f"{statistics.median(cpu for _, cpu in samples):9.1f}")
    met = ratios["auth_token + log_json"] >= LIMIT
    print(f"auth_token + log_json >= {LIMIT}: {'PASS' if met else 'FAIL'}, "
          f"load {os.getloadavg()[0]:.1f}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

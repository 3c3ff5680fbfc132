#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""4 KiB downloads beside nginx by number of connections, plain and over TLS
1.3: rates by wrk on one thread, which shares the processors, and the servers'
processor time a request.  Both take turns; a figure is the median of them.

Environment as of the integration tests; needs nginx, wrk and openssl.  The
exit status is 1 where a rate is below its bound.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:1] = [str(HERE.parent / "integration")]

# pylint: disable=wrong-import-position
from kit import (KIB, Gateway, eventually, free_port,  # noqa: E402
                 needs, request)

TURNS = int(os.environ.get("SLUICE_BENCH_TURNS", "7"))
CASES = ((False, 64, 1.0), (False, 512, 0.95), (True, 1, 0.95),
         (True, 64, 0.95), (True, 512, 0.95))
LIMITS = {"connections": "5000",
          "per_client": {"connections": "0", "requests": "0"}}
NGINX = """\
user root; worker_processes {workers}; pid {folder}/pid; daemon off;
error_log {folder}/error; events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  root {folder}/www;
  server {{ listen 127.0.0.1:{plain} backlog=4096; }}
  server {{ listen 127.0.0.1:{tls} ssl backlog=4096; ssl_protocols TLSv1.3;
    ssl_certificate {folder}/cert; ssl_certificate_key {folder}/key; }}
}}
"""


class Server:
    """One that was started, and where it has the object by `tls`."""

    def __init__(self, pids, urls):
        self.pids, self.urls = pids, urls

    def processor(self, tls):
        """Seconds that it and its children have used."""
        used, pids = 0, [self.pids[tls]]
        while pids:
            pid = pids.pop()
            words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1]
            used += sum(map(int, words.split()[11:13]))
            pids += map(int, Path(
                f"/proc/{pid}/task/{pid}/children").read_text().split())
        return used / os.sysconf("SC_CLK_TCK")

    def turn(self, tls, connections):
        """Requests a second, and us of the processor for one."""
        before = self.processor(tls)
        told = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{3 if tls else 2}s",
             self.urls[tls]], capture_output=True, text=True,
            check=True).stdout
        if "Non-2xx" in told:
            sys.exit(told)
        count = int(re.search(r"(\d+) requests in", told)[1])
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])
        return rate, 1e6 * (self.processor(tls) - before) / count


def certify(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-out",
         f"{folder}/cert", "-keyout", f"{folder}/key"], check=True,
        capture_output=True)


def start_nginx(folder):
    ports = free_port(), free_port()
    Path(folder, "conf").write_text(NGINX.format(
        folder=folder, workers=os.cpu_count(), plain=ports[0], tls=ports[1]))
    process = subprocess.Popen([shutil.which("nginx", path=os.environ["PATH"]
                                             + ":/usr/sbin"),
                                "-c", f"{folder}/conf"])
    eventually("nginx", Path(folder, "pid").exists)
    return process, Server([process.pid] * 2, [
        f"http://127.0.0.1:{ports[0]}/object",
        f"https://127.0.0.1:{ports[1]}/object"])


def measured(servers, tls, connections):
    turns = {name: [] for name in servers}
    for number in range(TURNS):
        names = sorted(servers, reverse=number % 2)
        for name in names:
            turns[name].append(servers[name].turn(tls, connections))
    return {name: [statistics.median(one) for one in zip(*turns[name])]
            for name in turns}


def compare(servers):
    """How many rates are below their bounds."""
    failed = 0
    for tls, connections, bound in CASES:
        of = measured(servers, tls, connections)
        rate, cpu = (of["Sluice"][i] / of["nginx"][i] for i in range(2))
        failed += rate < bound
        print(f"{'TLS' if tls else 'plain'}, {connections:3} connections: "
              f"rate {rate:.2f} of nginx's (>= {bound}), processor "
              f"{of['Sluice'][1]:.1f} us to {of['nginx'][1]:.1f} ({cpu:.2f})",
              flush=True)
    return failed


def main():
    for program in "wrk", "openssl":
        needs(shutil.which(program), f"no {program}")
    data = os.urandom(4 * KIB)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        certify(folder)
        Path(folder, "www").mkdir()
        Path(folder, "www/object").write_bytes(data)
        tls = {"certificate": f"{folder}/cert", "private_key": f"{folder}/key"}
        process, nginx = start_nginx(folder)
        try:
            with Gateway({"limits": LIMITS}) as plain, \
                    Gateway({"limits": LIMITS,
                             "server": {"tls": tls}}) as secure:
                urls = [f"{gate.url}/files/download?key=object"
                        for gate in (plain, secure)]
                with plain.wire() as wire:
                    wire.send(request("PUT", "/files/object?key=object",
                                      body=data))
                    wire.answer()
                subprocess.run(["curl", "-fsS", "--cacert", tls["certificate"],
                                "-T", f"{folder}/www/object",
                                f"{secure.url}/files/object?key=object"],
                               check=True, capture_output=True)
                return compare({"nginx": nginx, "Sluice": Server(
                    [plain.pid, secure.pid], urls)})
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(1 if main() else 0)

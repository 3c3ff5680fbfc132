# SPDX-License-Identifier: MIT
"""Servers that are asked where a request ends: Sluice, and beside it Go's
net/http, Node's http and nginx.  Each tells of a stream which requests have
reached a handler."""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

from compare import Figures
from kit import (PATIENCE, SLOWNESS, Gateway, Mismatch, Skip, eventually,
                 free_port)
from wire import address, send_all

HERE = Path(__file__).resolve().parent
SYNC = "/sync"  # a request for it comes last, so that all else is logged


@dataclass
class Reached:
    """A request that a handler was called for.  Its state: `whole`; `cut`,
    where its body wants more bytes; `refused`, where that was no good;
    `skipped`, where nobody read it."""
    method: str
    target: str
    state: str = "whole"
    length: int | None = None
    md5: str | None = None


def program(*names):
    path = os.environ.get("PATH", "") + \
        ":/usr/local/go/bin:/usr/sbin:/usr/local/sbin"
    return next((found for name in names if
                 (found := shutil.which(name, path=path))), None)


def version_of(*command):
    done = subprocess.run(command, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    return re.search(r"\d+\.\d+[.\d]*", said)[0]


def lines(path):
    text = Path(path).read_bytes().decode("latin-1")
    return text[:text.rfind("\n") + 1].splitlines()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Origin:
    """A process of an origin's own; `with` ends it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-test-")
        os.chmod(self.folder, 0o755)
        self.log, self.port = Path(self.folder, "log"), free_port()
        try:
            command = self.command()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.output = open(Path(self.folder, "output"), "wb")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=self.output)

    def __enter__(self):
        try:
            eventually(f"{self.name} that listens",
                       lambda: listens(self.port), seconds=3 * PATIENCE,
                       pause=0.02)
        except Mismatch:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, streams):
        """The requests of each stream, in order."""
        send_all(self.port, streams)
        self.sync()
        mine = {address(at): at for at in range(len(streams))}
        told = [[] for _ in streams]
        for line in lines(self.log):
            client, reached = self.read(json.loads(line))
            if reached and client in mine:
                told[mine[client]].append(reached)
        return told

    def sync(self):
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close"
                         b"\r\n\r\n" % SYNC.encode())
            last.settimeout(PATIENCE)
            while last.recv(4096):
                pass
        eventually("the log's last line", lambda: any(
            SYNC in line for line in lines(self.log)[-3:]))

    @staticmethod
    def read(line):
        return line["client"], Reached(line["method"], line["target"],
                                       line["state"], line["length"],
                                       line["md5"])


class Go(Origin):
    name = "Go net/http"

    def command(self):
        go = program("go")
        if not go:
            raise Skip("no go")
        self.version = version_of(go, "version")
        made = Path(self.folder, "echo")
        done = subprocess.run(
            [go, "build", "-o", made, HERE / "echo.go"], check=False,
            capture_output=True, cwd=self.folder,
            env={"HOME": "/tmp", **os.environ, "GOFLAGS": "-mod=mod",
                 "GOTOOLCHAIN": "local"})
        if done.returncode:
            raise Mismatch(f"go build: {done.stderr.decode()}")
        return [made, self.log, f"127.0.0.1:{self.port}"]


class Node(Origin):
    name = "Node http"

    def command(self):
        node = program("node", "nodejs")
        if not node:
            raise Skip("no node")
        self.version = version_of(node, "--version")
        return [node, HERE / "echo.js", self.log, str(self.port)]


NGINX = """
pid {folder}/pid; error_log {folder}/errors info; daemon off;
events {{}}
http {{
  log_format told escape=json '{{"client":"$remote_addr",'
    '"method":"$request_method","target":"$request_uri","status":"$status",'
    '"body":"$request_body"}}';
  client_body_buffer_size 64k; client_body_in_single_buffer on;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port}; access_log {log} told;
    client_max_body_size 0;
    location / {{
      proxy_pass http://unix:{folder}/inner; proxy_ignore_client_abort on;
    }}
  }}
  server {{ listen unix:{folder}/inner; access_log off; return 200 ok; }}
}}
"""


class Nginx(Origin):
    """It reads a body only for somebody else, so there is one behind it."""
    name = "nginx as an origin"

    def command(self):
        nginx = program("nginx")
        if not nginx:
            raise Skip("no nginx")
        self.version = version_of(nginx, "-v")
        path = Path(self.folder, "nginx.conf")
        path.write_text(NGINX.format(folder=self.folder, port=self.port,
                                     log=self.log))
        return [nginx, "-p", self.folder, "-c", path]

    def ask(self, streams):
        told = super().ask(streams)
        # Why a body wasn't whole is in another log.
        text = Path(self.folder, "errors").read_text(errors="replace")
        cut = set(re.findall(r"prematurely closed connection.*?"
                             r"client: ([\d.]+)", text))
        for at, requests in enumerate(told):
            if requests and requests[-1].state == "refused":
                if address(at) in cut:
                    requests[-1].state = "cut"
        return told

    @staticmethod
    def read(line):
        if line["status"] not in ("200", "400"):
            return line["client"], None
        if line["status"] == "400" and not line["target"]:
            return line["client"], None
        body = line["body"].encode("latin-1")
        return line["client"], Reached(
            line["method"], line["target"],
            "whole" if line["status"] == "200" else "refused", len(body),
            md5(body).hexdigest())


# ---- Sluice ----------------------------------------------------------------

# In a head, or where there is none: to clients of 0.9, and between frames.
ID = re.compile(rb'(?i)(?:X-Request-Id: *|"request_id": ?")([0-9a-f]{32})')
CLOSE = re.compile(rb"\r\nConnection: close\r\n")
LOG = {"delay": "0", "buffer": "256MiB",
       "fields": ["client", "id", "method", "path", "query", "status", "code",
                  "bytes_in"]}


class Sluice:
    """A gateway whose access log is read, and its answers of what was stored.
    """
    name = "Sluice"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-test-")
        self.log = Path(self.folder, "access")
        self.gateway = Gateway({
            "server": {"workers": "1"},
            "hooks": [{"plugin": "log_json", "path": str(self.log), **LOG}]})
        self.port = int(self.gateway.url.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.gateway.__exit__(kind, *rest)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, streams):
        answers = send_all(self.port, streams)
        told_all(self.gateway, self.log, [one.input for one in answers])
        mine = {address(at): at for at in range(len(streams))}
        told = [[] for _ in streams]
        for line in map(json.loads, lines(self.log)):
            if line.get("client") in mine:
                told[mine[line["client"]]].append(line)
        told = [reached_of(told[at], sent.input)
                for at, sent in enumerate(answers)]
        self.look_closer(streams, told)
        return told

    def look_closer(self, streams, told):
        """Whether the gateway closes by itself, or waits for more of a body
        that it passes over, shows if the client doesn't say that it ends."""
        silent = [at for at, requests in enumerate(told)
                  if requests and requests[-1].state == "silent"]
        again = send_all(self.port, [streams[at] for at in silent],
                         quiet=3 * SLOWNESS)
        for at, sent in zip(silent, again):
            told[at][-1].state = "refused" if sent.alone else "cut"


def told_all(gateway, log, answers, before=0):
    """Waits until the log tells of all that was answered, and of a request
    behind it.  Its lines aren't in the order of answers: each comes once its
    request is let go."""
    gateway.ask("GET", SYNC)
    ids = {one.decode() for text in answers for one in ID.findall(text)}

    def told():
        new = list(map(json.loads, lines(log)[before:]))
        return any(line["path"] == SYNC for line in new) and \
            ids <= {line["id"] for line in new} and new
    return eventually("the log's last line", told, pause=0.1)


def target_of(line):
    return line["path"] + (f"?{line['query']}" if line["query"] else "")


def documents(answers):
    """The JSON that came with each request's id."""
    found = {}
    for match in re.finditer(rb"\r\nX-Request-Id: ([0-9a-f]+)\r\n", answers):
        start = answers.find(b"\r\n\r\n", match.end() - 2) + 4
        text = answers[start:].decode("latin-1")
        try:
            found[match[1].decode()] = json.JSONDecoder().raw_decode(text)[0]
        except ValueError:
            pass
    return found


def reached_of(told, answers):
    """These of a stream's lines were requests, in the order of answers."""
    says, out = documents(answers), []
    order = [one.decode() for one in ID.findall(answers)]
    told.sort(key=lambda line: order.index(line["id"])
              if line["id"] in order else len(order))
    for line in told:
        if not line["method"]:
            continue  # its head was refused
        it = Reached(line["method"], target_of(line), "skipped")
        said_ = says.get(line["id"], {})
        error = said_.get("error", "")
        if line["status"] == 499 or "ends early" in error:
            it.state = "cut"
        elif "malformed" in error:
            it.state = "refused"
        elif "md5" in said_ and line["method"] == "PUT":
            it.state = "whole"
            it.length, it.md5 = said_["size_bytes"], said_["md5"]
        out.append(it)
    if out and out[-1].state == "skipped" and not CLOSE.search(answers):
        out[-1].state = "silent"
    return out


ORIGINS = {it.name: it for it in (Go, Node, Nginx)}


def beside(name, streams, ours):
    """An origin's version, and how it compares with what Sluice took."""
    with ORIGINS[name]() as origin:
        theirs = origin.ask(streams)
        figures = Figures()
        for stream, one, other in zip(streams, ours, theirs):
            figures.judge(stream, one, other)
        return origin.version, figures


def of_sluice(streams):
    with Sluice() as gateway:
        return gateway.ask(streams)

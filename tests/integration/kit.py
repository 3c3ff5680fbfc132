# SPDX-License-Identifier: MIT
"""This is what the integration tests share: a gateway process of their own, a
strict HTTP client on a raw socket, forms built by hand, checks and the runner.

Environment: SLUICE is the gateway's binary, SLUICE_PLUGINS the folders (with
colons between) where plugins lie, srcdir the root of the sources.
SLUICE_PATIENCE multiplies every wait, for slow builds such as sanitizers'.
"""
import contextlib
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from random import SystemRandom
from urllib.parse import quote, urlencode, urlsplit

sys.dont_write_bytecode = True

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SLOWNESS = float(os.environ.get("SLUICE_PATIENCE", "1"))
PATIENCE = 10 * SLOWNESS  # seconds that any one answer may take

BINARY = os.environ.get("SLUICE", "")
PLUGINS = [folder for folder in
           os.environ.get("SLUICE_PLUGINS", "").split(":") if folder]
SOURCES = Path(os.environ.get("srcdir") or Path(__file__).parents[2])
REPORT = re.compile(r"Sanitizer|runtime error:|[Aa]ssertion .*failed|"
                    r"ASSERT|has no memory for|malloc\(\):|free\(\):|"
                    r"double free")


def free_port():
    """A loopback port nobody listens on, below those that the kernel hands out
    to outgoing connections: such a one may be taken before a server has it."""
    while True:
        port = SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


# ---- checks and the runner -------------------------------------------------

class Mismatch(Exception):
    """A fact does not hold."""


class Skip(Exception):
    """The machine lacks what the test needs."""


TESTS = []


def test(function):
    """Registers a test; its name is the fact that it states."""
    TESTS.append((function.__name__, function))
    return function


def each(cases):
    """Registers a test for each case: {"word": value} is name[word]."""
    def register(function):
        for word, value in cases.items():
            TESTS.append((f"{function.__name__}[{word}]",
                          lambda value=value: function(value)))
        return function
    return register


def brief(thing):
    text = thing if isinstance(thing, str) else repr(thing)
    return text if len(text) <= 400 else f"{text[:300]}... ({len(text)})"


def expect(truth, what):
    if not truth:
        raise Mismatch(what)


def equal(what, got, want):
    if got != want:
        raise Mismatch(f"{what}: expected {brief(want)}, came {brief(got)}")


def among(what, got, wants):
    if got not in wants:
        raise Mismatch(f"{what}: expected one of {brief(wants)}, "
                       f"came {brief(got)}")


def like(what, got, pattern):
    if not isinstance(got, str) or not re.search(pattern, got, re.S):
        raise Mismatch(f"{what}: expected /{pattern}/, came {brief(got)}")


def eventually(what, ask, seconds=None, pause=0.01):
    """Asks until the answer is true, for what tells nobody when it happens:
    another process's descriptors, files or refused connections."""
    until = time.monotonic() + (seconds or PATIENCE)
    while not (answer := ask()):
        if time.monotonic() > until:
            raise Mismatch(f"{what}: still not after "
                           f"{seconds or PATIENCE:.0f} s")
        time.sleep(pause)
    return answer


def needs(truth, what):
    if not truth:
        raise Skip(what)


def verdict(check):
    try:
        check()
    except (Mismatch, AssertionError) as mismatch:
        return str(mismatch)
    except Exception as error:  # pylint: disable=broad-except
        where = traceback.extract_tb(error.__traceback__)[-1]
        mine = [frame for frame in traceback.extract_tb(error.__traceback__)
                if Path(frame.filename).name.startswith("test_")]
        where = mine[-1] if mine else where
        if isinstance(error, Skip):
            raise
        return (f"{type(error).__name__}: {error} "
                f"({Path(where.filename).name}:{where.lineno})")
    return None


def main():
    """Runs the registered tests (those with one of the arguments in their
    name, all without); 0: none failed, 1: one did, 77: all were skipped."""
    if not BINARY or not os.access(BINARY, os.X_OK):
        print("skipped: SLUICE names no program")
        sys.exit(77)
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    passed, failed, skipped = 0, 0, 0
    for name, check in TESTS:
        if words and not any(word in name for word in words):
            continue
        started = time.monotonic()
        try:
            trouble = verdict(check)
        except Skip as why:
            skipped += 1
            print(f"SKIP {name}: {why}", flush=True)
            continue
        if "--times" in sys.argv:
            print(f"{time.monotonic() - started:7.2f} s  {name}", flush=True)
        if trouble:
            failed += 1
            print(f"FAIL {name}: {' '.join(trouble.split())}", flush=True)
        else:
            passed += 1
    print(f"{passed} passed, {failed} failed" +
          (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 77 if skipped and not passed else 0)


# ---- the gateway -----------------------------------------------------------

def merged(under, over):
    """Mappings are merged, None removes a key, the rest is replaced."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    both = {key: merged(under.get(key), value) if key in under else value
            for key, value in {**under, **over}.items()}
    both.update({key: value for key, value in under.items()
                 if key not in over})
    return {key: value for key, value in both.items() if value is not None}


def settings(folder, sections=None):
    """The configuration of a small gateway over folder/data."""
    return merged({
        "server": {"listen": ["127.0.0.1:0"], "workers": "2"},
        "plugin_path": PLUGINS,
        "backends": {"main": {"plugin": "local",
                              "directory": str(Path(folder, "data"))}},
        "routes": [{"mount": "/files", "backend": "main"}],
        "uploads": {"spool_directory": str(folder)},
        # Fewer than any machine allows, so that nobody is warned.
        "limits": {"connections": "400"},
    }, sections or {})


def written(folder, sections, name="sluice.yaml"):
    """JSON is YAML, as long as no character of it is escaped.  The file may
    hold secrets, so it is its user's alone."""
    path = Path(folder, name)
    path.touch(mode=0o600)
    path.write_text(sections if isinstance(sections, str) else
                    json.dumps(sections, indent=1, ensure_ascii=False))
    return path


def run(*arguments, env=None, seconds=None):
    """A gateway that ends by itself: its status, stdout and stderr."""
    ended = subprocess.run(
        [BINARY, *map(str, arguments)], env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
        timeout=seconds or PATIENCE)
    return (ended.returncode, ended.stdout.decode(errors="replace"),
            ended.stderr.decode(errors="replace"))


@contextlib.contextmanager
def index_of(folder):
    """A copy of the index of local below `folder`, whose own is the
    gateway's alone."""
    with tempfile.TemporaryDirectory() as copy:
        for name in ("index.db", "index.db-wal"):
            if Path(folder, "data", name).exists():
                shutil.copy(Path(folder, "data", name), copy)
        index = sqlite3.connect(Path(copy, "index.db"))
        try:
            yield index
        finally:
            index.close()


class Gateway:
    """A running gateway; `with` ends it by SIGTERM and checks how it went.
    With `folder` it works in somebody else's folder, which stays; `words` are
    more of its command line."""

    def __init__(self, sections=None, *, folder=None, env=None, before=None,
                 words=()):
        self.own = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="sluice-test-"))
        self.path = written(self.folder, settings(self.folder, sections))
        self.told, self.news = [], threading.Condition()
        self.rest, self.ended, self.stopped = b"", False, False
        self.ready, self.marks = False, 0
        # The gateway's limits are set before it starts, by a process of its
        # own, so that nothing runs between fork and exec here.
        command = [*(before or []), BINARY, "-c", str(self.path), *words]
        self.process = subprocess.Popen(
            command, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pid = self.process.pid
        os.set_blocking(self.process.stderr.fileno(), False)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.says(r"(^|\s)ready\b")
        except Mismatch:
            self.kill()
            raise
        self.ready = True
        self.urls = [found[1] for line in self.lines if
                     (found := re.search(r"listening on (\S+)", line))]
        self.url = self.urls[0] if self.urls else None

    def _read(self):
        ready = select.poll()
        ready.register(self.process.stderr, select.POLLIN)
        while not self.ended:
            ready.poll()
            self._take()

    def _take(self):
        """Takes what the gateway has written to its log."""
        with self.news:
            while not self.ended:
                try:
                    data = os.read(self.process.stderr.fileno(), 65536)
                except BlockingIOError:
                    break
                self.ended = not data
                *lines, self.rest = (self.rest + data).split(b"\n")
                if self.ended and self.rest:
                    lines.append(self.rest)
                lines = [line.decode(errors="replace") for line in lines]
                self.marks += sum("SIGUSR1 is ignored" in line
                                  for line in lines)
                self.told += [line for line in lines
                              if "SIGUSR1 is ignored" not in line]
            self.news.notify_all()

    @property
    def lines(self):
        """Those of its log.  The log is written by a thread of its own, so
        that a line may come after what it tells of was seen otherwise: the
        gateway is asked for one more, which comes behind those of earlier."""
        with self.news:
            at = self.marks
            if self.ready and self.process.poll() is None:
                self.signal(signal.SIGUSR1)
                self.news.wait_for(lambda: self.ended or self.marks > at,
                                   PATIENCE)
        self._take()
        return self.told

    def says(self, pattern, seconds=None, after=0):
        """Waits for a line of the log; the lines before `after` don't count.
        """
        until = time.monotonic() + (seconds or PATIENCE)
        with self.news:
            while True:
                for line in self.told[after:]:
                    if re.search(pattern, line):
                        return line
                left = until - time.monotonic()
                if self.ended or left <= 0:
                    break
                self.news.wait(left)
        raise Mismatch(f"gateway's log: expected /{pattern}/, came " +
                       " | ".join(self.told[-5:]))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            status = self.process.poll()
            self.kill()
            if status is not None and not self.stopped:
                print(f"  the gateway ended by itself, status {status}: " +
                      " | ".join(self.reports() or self.told[-5:]))
        elif not self.stopped:
            self.stop()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=None):
        """Waits for its end; the exit status."""
        try:
            status = self.process.wait(seconds or PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Mismatch("gateway: still runs after "
                           f"{seconds or PATIENCE:.0f} s") from None
        self.reader.join()
        return status

    def stop(self, status=0):
        """Ends it as an administrator would; complains about whatever isn't
        as it should be."""
        self.stopped = True
        try:
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
            got = self.wait()
            self.clean()
            equal("gateway's exit status", got, status)
        finally:
            self.remove()

    def clean(self):
        """No sanitizer and no assertion had anything to report."""
        if lines := self.reports():
            raise Mismatch("gateway's log: " + " | ".join(lines))

    def reports(self):
        """These lines a sanitizer or an assertion has written."""
        lines = list(self.lines)
        for at, line in enumerate(lines):
            if REPORT.search(line):
                return lines[at:at + 40]
        return []

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()
        self.remove()

    def remove(self):
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- seen from the outside

    def descriptors(self):
        """This is what it holds open: kinds and files, sorted; sockets are
        alike."""
        found = []
        for entry in os.scandir(f"/proc/{self.pid}/fd"):
            try:
                name = os.readlink(entry.path)
            except OSError:
                continue
            found.append(re.sub(r":\[\d+\]", "", name))
        return sorted(found)

    def quiet(self):
        """Its open descriptors once they stay the same: connections that
        were closed here may not be closed there yet."""
        seen = []

        def same():
            seen.append(self.descriptors())
            return len(seen) > 15 and seen[-15:] == [seen[-1]] * 15
        eventually("descriptors that stay the same", same)
        return seen[-1]

    def settles(self, base, seconds=None):
        """Its open descriptors return to what they were.  A request on a
        new connection goes first, so that all earlier ones were accepted."""
        self.alive()
        try:
            eventually("x", lambda: self.descriptors() == base, seconds)
        except Mismatch:
            now = self.descriptors()
            more = list(now)
            for name in base:
                if name in more:
                    more.remove(name)
            raise Mismatch(f"open descriptors: {len(base)} before, "
                           f"{len(now)} now: {more}") from None

    def status(self, name):
        """A figure of /proc/PID/status; memory in KiB."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])

    # -- spoken to

    def wire(self, **options):
        return Wire(self.url, **options)

    def ask(self, method, target, *lines, body=None):
        """One request on a connection of its own."""
        with self.wire() as wire:
            return wire.ask(method, target, *lines, body=body)

    def json(self, method, target, document):
        return self.ask(method, target, "Content-Type: application/json",
                        body=json.dumps(document).encode())

    def upload(self, data=b"hello", name="a.txt", prefix="t", mount="/files",
               kind="application/octet-stream"):
        """This is what the 201 says."""
        body = form(field("prefix", prefix), file(data, name, kind))
        answer = self.ask("POST", mount, FORM, body=body)
        equal("status of an upload", (answer.status, answer.error),
              (201, None))
        return answer.json

    def download(self, key, *lines, mount="/files", method="GET"):
        return self.ask(method, f"{mount}/download?key={quote(key, safe='')}",
                        *lines)

    def list(self, prefix="t", mount="/files", **query):
        query = urlencode({"prefix": prefix, "limit": 1000, **query})
        answer = self.ask("GET", f"{mount}?{query}")
        equal("status of a list", (answer.status, answer.error), (200, None))
        return answer.json

    def keys(self, prefix="t", mount="/files"):
        return [thing["key"] for thing in self.list(prefix, mount)["objects"]]

    def delete(self, key, mount="/files"):
        answer = self.json("DELETE", mount, {"key": key})
        equal("status of a delete", (answer.status, answer.error),
              (200, None))

    def alive(self):
        equal("status of /healthz", self.ask("GET", "/healthz").status, 200)
        expect(self.process.poll() is None, "the gateway ended")


def refusal(sections, *words, status=1, env=None, folder=None,
            arguments=None):
    """A start that fails: one line on stderr, with all of these words, beside
    those of the log that tell what was well, and the exit status; nothing on
    stdout.  Returns the line."""
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as own:
        folder = folder or own
        if isinstance(sections, dict):
            sections = settings(folder, sections)
        if arguments is None:
            arguments = ["-c", written(folder, sections)]
        try:
            got, out, text = run(*arguments, env=env)
        except subprocess.TimeoutExpired as late:
            raise Mismatch("the gateway starts where it shouldn't: " +
                           brief((late.stderr or b"").decode())) from None
    lines = [line for line in text.splitlines() if "Z info " not in line]
    expect(not REPORT.search(text), f"stderr: {brief(text)}")
    equal("lines on stderr", (len(lines), lines), (1, lines[:1]))
    for word in words:
        like("the reason", lines[0], word)
    equal("exit status", got, status)
    equal("stdout", out, "")
    return lines[0]


# ---- hooks made for a test -------------------------------------------------

HOOK = """#include <sluice/plugin.h>
static void *start(const void *conf, struct sluice_host *host)
{{ void *instance = (void *)conf; (void)host; {start} return instance; }}
static void stop(void *instance) {{ (void)instance; }}
static void *open_(void *instance, struct sluice_host *host)
{{ (void)host; return instance; }}
static enum sluice_verdict ask(void *handle, struct sluice_request *request)
{{ (void)handle; (void)request; {ask} }}
static const struct sluice_hook it = {{
  .abi = {abi}, .size = sizeof(struct sluice_hook), .name = "{name}",
  .version = "1", .summary = "x", .conf_size = 1, .guards = {guards},
  .start = start, .stop = stop, .open = open_, .close = stop,
  .on_request = ask}};
SLUICE_HOOK({name}, it)
"""


def hook_source(name, *, abi="SLUICE_ABI", guards="0", start="",
                ask="return SLUICE_PASS;"):
    return HOOK.format(name=name, abi=abi, guards=guards, start=start,
                       ask=ask)


def built(folder, name, source):
    """A plugin as somebody else might have built it."""
    compiler = os.environ.get("CC", "cc").split()
    needs(shutil.which(compiler[0]), "no compiler")
    path, made = Path(folder, f"{name}.c"), Path(folder, f"{name}.so")
    path.write_text(source)
    done = subprocess.run([*compiler, "-shared", "-fPIC", "-o", made, path,
                           f"-I{SOURCES}/core/include"], check=False,
                          capture_output=True)
    expect(done.returncode == 0, done.stderr.decode(errors="replace"))
    return str(folder)


def faulty():
    """The library that makes system calls fail."""
    found = [path for folder in PLUGINS
             if (path := Path(folder, "faultydisk.so")).exists()]
    needs(found, "faultydisk.so isn't built")
    return found[0]


def denying(folder):
    """This is what makes every request a 401."""
    built(folder, "nobody", hook_source(
        "nobody", guards="1", ask="sluice_request_refuse(request, "
        'SLUICE_EAUTH, "Who is it?"); return SLUICE_DENY;'))
    return {"plugin_path": [*PLUGINS, str(folder)],
            "hooks": [{"plugin": "nobody"}]}


def expect_example(path, prepare=None):
    """The example is a configuration that starts, in a folder of its own,
    which `prepare` may put something into."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(path).read_text("utf-8")
        text = text.replace("./", f"{folder}/").replace(":8000", ":0")
        text += f"plugin_path: [{', '.join(PLUGINS)}]\n"
        if prepare:
            prepare(folder)
        status, _, said = run("-t", "-c", written(folder, text))
        equal("status", (status, said), (0, ""))


# ---- HTTP on a raw socket --------------------------------------------------

class Answer:
    def __init__(self, status, headers):
        self.status, self.headers, self.body = status, headers, b""

    def header(self, name):
        """The one value of a header, None when it isn't there."""
        values = [value for key, value in self.headers if key == name]
        expect(len(values) < 2, f"header {name} came twice: {values}")
        return values[0] if values else None

    @property
    def json(self):
        try:
            return json.loads(self.body.decode())
        except ValueError:
            raise Mismatch(f"no JSON: {brief(self.body)}") from None

    @property
    def error(self):
        """This is what a refusal says, None when it isn't one."""
        return self.json["error"] if self.status >= 400 else None


def head(method, target, *lines, host="gateway.test"):
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}",
                        *lines, "", ""]).encode()


def request(method, target, *lines, body=None, host="gateway.test"):
    if body is not None:
        lines = [*lines, f"Content-Length: {len(body)}"]
    return head(method, target, *lines, host=host) + (body or b"")


class Wire:
    """One connection; it sends anything, reads whole answers and is strict
    about those.  `tls`: an ssl.SSLContext; `source`: the address that it
    comes from, such as 127.0.0.2."""

    def __init__(self, url, *, timeout=None, buffer=None, tls=None,
                 source=None):
        self.timeout = timeout or PATIENCE
        self.input = b""
        if url.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            address = url[len("unix:"):]
        else:
            where = urlsplit(url)
            family = socket.AF_INET6 if ":" in where.hostname \
                else socket.AF_INET
            self.socket = socket.socket(family)
            address = (where.hostname, where.port)
        self.socket.settimeout(self.timeout)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   buffer)
        try:
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(address)
            if self.socket.family != socket.AF_UNIX:
                self.socket.setsockopt(socket.IPPROTO_TCP,
                                       socket.TCP_NODELAY, 1)
            if tls:
                self.socket = tls.wrap_socket(self.socket,
                                              server_hostname="localhost")
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Breaks off with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        self.socket.close()

    def finish(self):
        """Sends FIN and goes on reading."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side was faster

    def send(self, data):
        """All of it; whoever stopped listening shows in the answer."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def flood(self, piece, size, seconds=None, sent=0):
        """Sends `piece` again and again until `size` bytes went, an answer
        begins, the connection breaks or nothing is taken for `seconds`; how
        many bytes went, with those that were `sent` by an earlier call."""
        view = memoryview(piece)
        while sent < size:
            readable, writable, _ = select.select(
                [self.socket], [self.socket], [], seconds or self.timeout)
            if readable or not writable:
                break
            try:
                at = sent % len(piece)
                sent += self.socket.send(view[at:at + size - sent])
            except (BrokenPipeError, ConnectionResetError):
                break
        return sent

    def ask(self, method, target, *lines, body=None):
        self.send(request(method, target, *lines, body=body))
        return self.answer(method)

    def more(self):
        """Reads on; False at the end of the connection."""
        try:
            data = self.socket.recv(1 << 18)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            data = b""
        except TimeoutError:
            raise Mismatch("connection: neither an answer nor its end in "
                           f"{self.timeout:.0f} s") from None
        self.input += data
        return bool(data)

    def line(self):
        while b"\n" not in self.input:
            expect(self.more(), "the connection ended where a line of an "
                   f"answer should: {brief(self.input)}")
        line, self.input = self.input.split(b"\n", 1)
        expect(line.endswith(b"\r"), f"a line without CRLF: {line}")
        return line[:-1].decode("utf-8", "surrogateescape")

    def take(self, size):
        pieces, got = [self.input[:size]], min(size, len(self.input))
        self.input = self.input[size:]
        while got < size:
            expect(self.more(), f"the connection ended after {got} of {size} "
                   "bytes of a body")
            pieces.append(self.input[:size - got])
            self.input = self.input[size - got:]
            got += len(pieces[-1])
        return b"".join(pieces)

    def digest(self, size):
        """The MD5 of the next bytes, which needn't fit in memory."""
        sum_ = hashlib.md5(self.input[:size])
        got, self.input = min(size, len(self.input)), self.input[size:]
        buffer = memoryview(bytearray(1 << 18))
        while got < size:
            count = self.socket.recv_into(buffer[:min(1 << 18, size - got)])
            expect(count, f"the connection ended after {got} of {size} "
                   "bytes of a body")
            sum_.update(buffer[:count])
            got += count
        return sum_.hexdigest()

    def head(self):
        """The next response's status and headers, maybe an interim one."""
        start = self.line()
        like("status line", start, r"\AHTTP/1\.[01] [1-5]\d\d( .*)?\Z")
        headers = []
        while line := self.line():
            like("a header", line,
                 r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*\Z")
            name, value = line.split(":", 1)
            headers.append((name.lower(), value.strip()))
        return Answer(int(start[9:12]), headers)

    def answer(self, method="GET"):
        """The next final response, whole."""
        while (answer := self.head()).status < 200:
            pass
        length = answer.header("content-length")
        coding = answer.header("transfer-encoding")
        expect(length is None or coding is None, "both framings at once")
        if method == "HEAD" or answer.status in (204, 304):
            return answer
        if coding is not None:
            equal("Transfer-Encoding", coding.lower(), "chunked")
            while size := int(self.line(), 16):
                answer.body += self.take(size)
                equal("end of a chunk", self.line(), "")
            while self.line():
                pass
        elif length is not None:
            like("Content-Length", length, r"\A\d+\Z")
            answer.body = self.take(int(length))
        else:
            while self.more():
                pass
            answer.body, self.input = self.input, b""
        return answer

    def ended(self):
        """No further byte comes, and the other side closes."""
        while self.more():
            pass
        equal("bytes after the last answer", self.input, b"")


# ---- forms -----------------------------------------------------------------

BOUNDARY = "----sluiceTestBoundary7d1"
FORM = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"


def field(name, value):
    return (f'Content-Disposition: form-data; name="{name}"\r\n\r\n'
            f"{value}").encode()


def file(data=b"hello", name="a.txt", kind="application/octet-stream"):
    return (f'Content-Disposition: form-data; name="file"; filename="{name}"'
            f"\r\nContent-Type: {kind}\r\n\r\n").encode() + data


def form(*parts):
    return (b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY.encode(), part)
                     for part in parts) + b"--%s--\r\n" % BOUNDARY.encode())


def large_form(size, name="large.bin", prefix="t"):
    """This is what goes before and after a file's bytes, and the whole
    length."""
    before, after = form(field("prefix", prefix),
                         file(b"\0", name)).rsplit(b"\0", 1)
    return before, after, len(before) + size + len(after)


def chunked(data, size=65536):
    return b"".join(b"%x\r\n%s\r\n" % (len(data[at:at + size]),
                                       data[at:at + size])
                    for at in range(0, len(data), size)) + b"0\r\n\r\n"


def md5(data):
    return hashlib.md5(data).hexdigest()

# SPDX-License-Identifier: MIT
"""An HTTP service for hooks to talk to: it notes what it is asked, and behaves
as the test wants it to, also badly."""
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

from kit import PATIENCE, Mismatch, needs


class Asked:
    """A request as the service got it; header names in lower case."""

    def __init__(self, text, body, number):
        lines = text.decode("utf-8", "surrogateescape").split("\r\n")
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.headers = [(name.lower(), value.strip()) for name, value in
                        (line.split(":", 1) for line in lines[1:] if line)]
        self.body, self.connection = body, number
        self.at = time.monotonic()

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name):
        values = self.all(name)
        if len(values) > 1:
            raise Mismatch(f"header {name} came twice: {values}")
        return values[0] if values else None


# ---- ways to behave: each gets the connection and the request ---------------

def said(status, *lines, body=b"", length=True):
    """A whole answer, as bytes."""
    lines = [f"HTTP/1.1 {status} X", *lines]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode(
        "utf-8", "surrogateescape") + body


def say(status, *lines, body=b""):
    def behave(conn, asked):
        conn.sendall(said(status, *lines,
                          body=b"" if asked.method == "HEAD" else body))
        return True
    return behave


def send(data):
    """These bytes, then the end of the connection."""
    def behave(conn, _):
        conn.sendall(data)
        return False
    return behave


def reset(conn, _):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    return False


def close(_conn, _asked):
    return False


def stall(conn, _):
    """Says nothing until the other side goes away."""
    wait_for_end(conn)
    return False


def drip(conn, _):
    """A head that never ends, a letter at a time."""
    conn.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    conn.settimeout(0.02)
    while True:
        conn.sendall(b"x")
        try:
            if not conn.recv(1):
                return False
        except TimeoutError:
            pass


def flood(conn, _):
    """A body without an end."""
    conn.sendall(b"HTTP/1.1 200 OK\r\nX-User: eve\r\n\r\n")
    while True:
        conn.sendall(b"x" * 65536)


def wait_for_end(conn):
    conn.settimeout(PATIENCE)
    while conn.recv(4096):
        pass


def certified(folder):
    """A certificate for 127.0.0.1 in folder/tls.crt, and who has its key."""
    needs(shutil.which("openssl"), "no openssl")
    chain, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-days", "2", "-subj", "/CN=test",
         "-addext", "subjectAltName=IP:127.0.0.1", "-out", chain, "-keyout",
         key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


class Service:
    """`behave` may be set anew at any time; it is a function of the connection
    and the request that says whether the connection goes on.  `tls`: an
    ssl.SSLContext."""

    def __init__(self, behave=say(204), port=0, tls=None):
        self.behave, self.tls = behave, tls
        self.asked, self.news = [], threading.Condition()
        self.connections, self.open = 0, set()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Refuses connections from now on, and ends those that are there."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join()
        with self.news:
            for conn in self.open:
                try:
                    conn.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with self.news:
                self.connections += 1
                number = self.connections
                self.open.add(conn)
                self.news.notify_all()
            threading.Thread(target=self._serve, args=(conn, number),
                             daemon=True).start()

    def _read(self, conn, data):
        """A request's head and body, and what follows; None at the end."""
        while b"\r\n\r\n" not in data:
            more = conn.recv(65536)
            if not more:
                return None
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        while len(data) < length:
            more = conn.recv(65536)
            if not more:
                return None
            data += more
        return head, data[:length], data[length:]

    def _serve(self, raw, number):
        conn, data, goes_on = raw, b"", True
        try:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            while goes_on and (got := self._read(conn, data)):
                head, body, data = got
                asked = Asked(head, body, number)
                with self.news:
                    behave = self.behave
                    self.asked.append(asked)
                    self.news.notify_all()
                goes_on = behave(conn, asked)
        except OSError:
            pass
        finally:
            with self.news:
                self.open.discard(raw)
                self.news.notify_all()
            conn.close()

    # -- for tests

    def until(self, what, ask, seconds=None):
        """Waits for news that make ask() true; its answer."""
        with self.news:
            if self.news.wait_for(ask, seconds or PATIENCE):
                return ask()
        raise Mismatch(f"service: {what}: not in time, "
                       f"{len(self.asked)} requests came")

    def count(self, number, seconds=None):
        """Waits for so many requests in all."""
        self.until(f"{number} requests", lambda: len(self.asked) >= number,
                   seconds)
        return self.asked

    @property
    def last(self):
        return self.asked[-1]

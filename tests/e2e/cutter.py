# SPDX-License-Identifier: MIT
"""A proxy that cuts connections at random, in the middle of what clients send,
or before an answer's first byte; and that can be slow.  An answer's head isn't
cut in the middle, as Python's http.client, and what stands on it, takes the
half of a field for all of it."""
import random
import socket
import struct
import threading
import time

PIECE = 32 * 1024


class Cutter:
    """Passes connections on to `port`.  `most`: bytes after which one is cut
    at the latest; None: never.  `rate`: bytes a second of what clients send;
    None: any."""

    def __init__(self, port, seed=1, most=None, rate=None):
        self.target, self.most, self.rate = port, most, rate
        self.chance, self.cuts, self.sent = random.Random(seed), 0, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,),
                             daemon=True).start()

    def _join(self, near):
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()
            return
        limits = [None, None]
        with self.lock:
            if self.most:
                limits[0] = self.chance.randrange(1, self.most)
                if self.chance.random() < 0.3:
                    limits[1] = 0
        ends = near, far
        for one, other, limit in ((near, far, limits[0]),
                                  (far, near, limits[1])):
            threading.Thread(target=self._pass, daemon=True,
                             args=(one, other, limit, ends)).start()

    def _cut(self, ends):
        with self.lock:
            self.cuts += 1
        for end in ends:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
                end.close()
            except OSError:
                pass

    def _pass(self, source, sink, limit, ends):
        try:
            while data := source.recv(PIECE):
                if limit is not None and len(data) > limit:
                    sink.sendall(data[:limit])
                    self._cut(ends)
                    return
                sink.sendall(data)
                if limit is not None:
                    limit -= len(data)
                if source is ends[0]:
                    with self.lock:
                        self.sent += len(data)
                    if self.rate:
                        time.sleep(len(data) / self.rate)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

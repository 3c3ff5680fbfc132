# SPDX-License-Identifier: MIT
"""Something between a gateway and its storage that can be gone, or take every
byte and say nothing: a storage that restarts, and one that hangs."""
import socket
import threading


class Relay:
    """Passes connections on to `port`.  away(): connections are refused, and
    those that are there end; back(): as at first.  hang(): connections are
    taken, and nothing that comes is read."""

    def __init__(self, port, there=True):
        self.target, self.listener = port, None
        self.lock, self.open, self.connections = threading.Lock(), set(), 0
        self.hanging = False
        self.port = 0
        self.back()
        if not there:
            self.away()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.away()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def back(self):
        self.hanging = False
        self.listener = socket.create_server(("127.0.0.1", self.port),
                                             backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,),
                         daemon=True).start()

    def away(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        self.listener = None
        self._end_all()

    def hang(self):
        self.hanging = True
        self._end_all()

    def _end_all(self):
        with self.lock:
            ends, self.open = self.open, set()
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(near)
            if not self.hanging:
                self._join(near)

    def _join(self, near):
        far = socket.create_connection(("127.0.0.1", self.target))
        with self.lock:
            self.open.add(far)
        for one, other in (near, far), (far, near):
            threading.Thread(target=self._pass, args=(one, other),
                             daemon=True).start()

    @staticmethod
    def _pass(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

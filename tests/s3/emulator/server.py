# SPDX-License-Identifier: MIT
"""The listening socket, one thread a connection, and one exchange after the
other on each."""
import collections
import contextlib
import itertools
import socket
import ssl
import sys
import threading
import time
import traceback

from .call import Call
from .control import PREFIX, control
from .errors import Broken, S3Error
from .faults import Script
from .message import Body, Wire
from .operations import perform

LOG_MAX = 20000
DRAIN_MAX = 256 << 10
HEADERS_SHOWN = 8 << 10


class Connection:
    def __init__(self, server, sock, number):
        self.server, self.number = server, number
        self.wire, self.sticky = Wire(sock), None

    def serve(self):
        try:
            while (request := self.wire.head()) and self.exchange(request):
                pass
        except Broken as broken:
            if broken.reset:
                self.wire.reset()
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc(file=sys.stderr)
        finally:
            with contextlib.suppress(OSError):
                self.wire.socket.close()

    def exchange(self, request):
        """One request and its answer; whether the connection goes on."""
        state = self.server.state
        body = Body(self.wire, request, state.book.on("R2.no-continue"))
        call = Call(state, request, body, self)
        if request.raw_path.startswith(PREFIX):
            self.write(call, control(self.server, call), None)
            return True
        if body.waits:
            call.note("R2.no-continue")
        step = self.server.script.take(call)
        entry = self.server.enter(call, step)
        try:
            response = self.answer(call, step)
            entry["status"] = response.status
            stays = body.drain(DRAIN_MAX)
            response.close = response.close or not stays
            self.write(call, response, step, entry)
        except Broken as broken:
            entry["broken"] = str(broken)
            raise
        finally:
            entry["received"] = body.length - body.left
            entry["seconds"] = time.monotonic() - entry.pop("begun")
        if not response.close:
            return self.wants_more(request) and not (
                step and step.word == "close")
        self.wire.linger()
        return False

    def answer(self, call, step):
        try:
            if step:
                step.before(call)
            response = perform(call)
        except S3Error as error:
            response = call.failure(error)
        return step.after(call, response) if step else response

    @staticmethod
    def wants_more(request):
        return request.version == "HTTP/1.1" and \
            request.header("connection", "").lower() != "close"

    def write(self, call, response, step, entry=None):
        now = call.now()
        self.wire.send(response.head(step.time(now) if step else now))
        if call.request.method == "HEAD" or response.status in (204, 304):
            return
        pieces = response.pieces()
        for data in step.pieces(call, pieces) if step else pieces:
            self.wire.send(data)
            if entry:
                entry["sent"] += len(data)


class Server:
    def __init__(self, state, port=0, context=None):
        self.state, self.context = state, context
        self.script, self.lock = Script(), threading.Lock()
        self.log = collections.deque(maxlen=LOG_MAX)
        self.numbers = itertools.count(1)
        self.socket = socket.create_server(("127.0.0.1", port), backlog=512)
        self.port = self.socket.getsockname()[1]

    def enter(self, call, step):
        """A line of the log; no signature and no token is kept."""
        shown = {name: value[:HEADERS_SHOWN] for name, value
                 in call.request.headers
                 if name not in ("authorization", "x-amz-security-token")}
        entry = {"id": call.id, "connection": call.connection.number,
                 "method": call.request.method,
                 "target": call.request.target, "headers": shown,
                 "fault": step.plan["do"] if step else None,
                 "time": call.now(), "begun": time.monotonic(), "sent": 0}
        with self.lock:
            self.log.append(entry)
        return entry

    def run(self):
        """Serves until the socket is closed."""
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.welcome, args=(sock,),
                             daemon=True).start()

    def welcome(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.context:
            try:
                sock = self.context.wrap_socket(sock, server_side=True)
            except (ssl.SSLError, OSError):
                sock.close()
                return
        Connection(self, sock, next(self.numbers)).serve()

    def start(self):
        threading.Thread(target=self.run, daemon=True).start()

    def stop(self):
        self.state.stopping.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

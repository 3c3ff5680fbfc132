# SPDX-License-Identifier: MIT
"""The fault script (G7).  A step is

  {"match": {"method": "PUT", "path": "regex", "query": "regex", "nth": 2},
   "do": "...", "times": 1, ...}

All of `match` is optional: `path` and `query` are searched in the raw
target, `nth` counts the requests that match from when the step came.  The
first step that is due takes the request, and is gone when it fired `times`
times.  `do`, with the further members that it knows:

  500 503 429 401 403 ...    status, and maybe a code ("503 SlowDown");
                             code, message, retry_after, close,
                             when: "before" the body is read or "after" the
                             operation was done; sticky: the connection goes
                             on failing
  reset-before-head          RST instead of an answer
  reset-in-body              RST after `at` bytes of the request's body, or
                             of the answer's: side "request" or "response"
  stall                      waits `seconds` (none: until the client goes)
                             before the operation, or before the head of its
                             answer when: "after", or where reset-in-body
                             would reset, when there is an `at`
  drip                       `bytes` of the body at a time, every `seconds`
  close                      closes a keep-alive connection after the answer
  truncate                   FIN after `at` bytes of the body
  corrupt                    one wrong byte, at `at`
  bad-xml huge-xml           instead of the body; `bytes` of it
  error-in-200               200 and <Error> with `code`; `when` as above
  range-as-200               a 206 becomes 200 and keeps its Content-Range, as
                             rclone serve s3 1.75.2 answers (seen)
  range-unsaid               a 206 without Content-Range, which RFC 9110,
                             15.3.7 forbids
  length-unsaid              a HEAD's answer without Content-Length, which RFC
                             9110, 9.3.2 allows
  lost-answer                the operation is done, its answer is not sent
  spoil                      what a PUT or Complete stored isn't what was
                             sent: all of it but the last byte; the answer
                             tells its ETag, or is lost, when `lost`
  key-error                  of a DeleteObjects: keys that `key` is found in
                             stay, and are answered with `code`, or with
                             nothing at all
  clock-skew                 403, Date is `seconds` off, once; a clock that
                             stays wrong is POST clock (control.py)
  wrong-region               `as` "redirect" or "malformed"; `region`"""
import hashlib
import re
import select
import threading
import time

from . import encryption
from .errors import Broken, S3Error, document, element
from .message import Response
from .store import Blob

STATUS = {
    401: ("Unauthorized", "Unauthorized"),
    403: ("AccessDenied", "Access Denied"),
    429: ("TooManyRequests", "Please reduce your request rate"),
    500: ("InternalError",
          "We encountered an internal error. Please try again."),
    503: ("SlowDown", "Please reduce your request rate.")}
# A gateway's list of all that is kept for uploads.
SWEEP = re.compile(r"(^|&)prefix=\.sluice%2Fstages%2F(&|$)")
WORDS = ("reset-before-head", "reset-in-body", "stall", "drip", "close",
         "truncate", "corrupt", "bad-xml", "huge-xml", "error-in-200",
         "lost-answer", "spoil", "clock-skew", "wrong-region",
         "range-as-200", "range-unsaid", "length-unsaid", "key-error")


class BadStep(ValueError):
    """A step of the script that can't be understood."""


class Step:
    def __init__(self, plan):
        self.plan, self.match = plan, plan.get("match", {})
        self.word, _, self.code = str(plan["do"]).partition(" ")
        self.left, self.seen = int(plan.get("times", 1)), 0
        if self.word not in WORDS and not re.fullmatch("[3-5]..", self.word):
            raise BadStep(f"no fault is called {plan['do']!r}")

    def get(self, name, default=None):
        return self.plan.get(name, default)

    def due(self, request):
        """Whether it takes this request; counts the matching ones.  No fault
        is meant for a sweep, which comes when it wants to."""
        match = self.match
        if SWEEP.search(request.raw_query):
            return False
        if match.get("method", request.method) != request.method:
            return False
        if not re.search(match.get("path", ""), request.raw_path) or \
                not re.search(match.get("query", ""), request.raw_query):
            return False
        self.seen += 1
        return self.seen >= match.get("nth", 1) and self.left > 0

    def side(self, call):
        default = "request" if call.body.length else "response"
        return self.get("side", default)

    # ---- what it does, in the order of an exchange

    def before(self, call):
        """Ahead of the operation; an answer stands in for it."""
        if self.word == "key-error":
            call.key_error = self
        if self.word == "reset-before-head":
            raise Broken("fault: reset before the head", reset=True)
        if self.word in ("reset-in-body", "stall") and \
                self.get("at") is not None and self.side(call) == "request":
            call.body.trap = (self.get("at"), lambda: self.spring(call))
        elif self.word == "stall" and self.get("at") is None and \
                self.get("when") != "after":
            pause(call, self.get("seconds"))
        if self.word.isdecimal() and self.get("when") != "after":
            raise self.refusal(call)
        if self.word == "wrong-region":
            raise self.wrong_region(call)
        if self.word == "clock-skew":
            raise S3Error(403, "RequestTimeTooSkewed", "The difference "
                          "between the request time and the current time "
                          "is too large.")
        if self.word == "error-in-200" and self.get("when") != "after":
            while call.body.read():
                pass
            raise self.error_in_200()

    def spring(self, call):
        if self.word == "stall":
            pause(call, self.get("seconds"))
        else:
            raise Broken("fault: reset in the body", reset=True)

    def refusal(self, call):
        status = int(self.word)
        code, message = STATUS.get(status, ("InternalError", "A fault"))
        if call.dialect.name == "minio" and status == 503:
            code = "SlowDownRead" if call.request.method in (
                "GET", "HEAD") else "SlowDownWrite"
        headers = {}
        if self.get("retry_after") is not None:
            headers["Retry-After"] = self.get("retry_after")
        if self.get("sticky"):
            call.connection.sticky = self
        return S3Error(status, self.get("code", self.code or code),
                       self.get("message", message), headers=headers,
                       close=bool(self.get("close")))

    def wrong_region(self, call):
        region = self.get("region", "eu-central-1")
        headers = {"x-amz-bucket-region": region}
        if self.get("as", "malformed") == "redirect":
            return S3Error(301, "PermanentRedirect", "The bucket you are "
                           "attempting to access must be addressed using "
                           "the specified endpoint.",
                           {"Endpoint": f"s3.{region}.amazonaws.com",
                            "Bucket": call.bucket_name}, headers)
        return S3Error(400, "AuthorizationHeaderMalformed", "The "
                       "authorization header is malformed; the region is "
                       f"wrong; expecting '{region}'", {"Region": region},
                       headers, close=True)

    def after(self, call, response):
        """The operation is done; what becomes of its answer."""
        if self.word.isdecimal() and self.get("when") == "after":
            return call.failure(self.refusal(call))
        if self.word == "stall" and self.get("when") == "after":
            pause(call, self.get("seconds"))
        if self.word == "lost-answer":
            raise Broken("fault: lost answer")
        if self.word == "spoil" and response.status == 200:
            return self.spoil(call, response)
        if self.word == "error-in-200" and self.get("when") == "after":
            return call.failure(self.error_in_200())
        if self.word == "range-as-200" and response.status == 206:
            response.status = 200
        if self.word == "range-unsaid":
            drop(response, "content-range")
        if self.word == "length-unsaid":
            response.length = None
        if self.word == "bad-xml":
            cut = document("ListBucketResult", "<Contents><Key>a</Ke")[:-22]
            return call.xml(cut)
        if self.word == "huge-xml":
            return self.huge(call)
        return response

    def spoil(self, call, response):
        """A PUT's ETag stands in its head, a Complete's in its body."""
        with call.store.lock:
            thing = call.bucket().objects[call.key]
            old, data = thing.etag, b"".join(thing.blob.pieces())[:-1]
            thing.blob = Blob(data)
            if encryption.way(call) in ("none", "s3"):
                number = old[32:]
                thing.etag = hashlib.md5(data).hexdigest() + number
        if self.get("lost"):
            raise Broken("fault: lost answer")
        response.headers = [(name, value.replace(old, thing.etag))
                            for name, value in response.headers]
        if isinstance(response.body, bytes):
            response.body = response.body.replace(old.encode(),
                                                  thing.etag.encode())
        return response

    def huge(self, call):
        size = self.get("bytes", 64 << 20)
        start, end = document("ListBucketResult", "@").split(b"@")
        row = b"<Contents>" + element("Key", "k" * 1000).encode() + \
            b"</Contents>"
        count = size // len(row) + 1

        def pieces():
            yield start
            for _ in range(count):
                yield row
            yield end
        return Response(200, call.common(), pieces(),
                        len(start) + len(row) * count + len(end))

    def error_in_200(self):
        return S3Error(200, self.get("code", "InternalError"),
                       self.get("message", STATUS[500][1]))

    def time(self, now):
        return now + (self.get("seconds", 3600)
                      if self.word == "clock-skew" else 0)

    def pieces(self, call, pieces):
        """The answer's body as it goes onto the wire."""
        at = self.get("at", 0)
        if self.word == "truncate":
            yield from split(pieces, at)[0]
            raise Broken("fault: truncated body")
        if self.word == "reset-in-body" and self.side(call) == "response":
            yield from split(pieces, at)[0]
            raise Broken("fault: reset in the body", reset=True)
        if self.word == "stall" and self.get("at") is not None and \
                self.side(call) == "response":
            first, rest = split(pieces, at)
            yield from first
            pause(call, self.get("seconds"))
            yield from rest
        elif self.word == "corrupt":
            first, rest = split(pieces, at)
            yield from first
            for data in rest:
                yield bytes([data[0] ^ 255]) + data[1:] if at >= 0 else data
                at = -1
        elif self.word == "drip":
            yield from self.dripping(call, pieces)
        else:
            yield from pieces

    def dripping(self, call, pieces):
        size = self.get("bytes", 1)
        for data in pieces:
            for start in range(0, len(data), size):
                yield data[start:start + size]
                pause(call, self.get("seconds", 0.05))


def drop(response, name):
    response.headers = [(one, value) for one, value in response.headers
                        if one.lower() != name]


def split(pieces, at):
    """Two generators: the first `at` bytes, and the rest."""
    source, rest = iter(pieces), []

    def first():
        left = at
        while left > 0:
            data = next(source, None)
            if data is None:
                return
            yield data[:left]
            if data[left:]:
                rest.append(data[left:])
            left -= min(left, len(data))

    def second():
        yield from rest
        yield from source
    return first(), second()


def pause(call, seconds):
    """Waits, but not longer than the client or the emulator is there."""
    until = time.monotonic() + (3600 if seconds is None else seconds)
    sock = call.connection.wire.socket
    while (left := until - time.monotonic()) > 0:
        if call.state.stopping.wait(min(left, 0.02)):
            raise Broken("the emulator ends")
        gone = select.poll()
        gone.register(sock, select.POLLRDHUP | select.POLLHUP)
        if gone.poll(0):
            raise Broken("the client is gone")


class Script:
    def __init__(self):
        self.steps, self.fired, self.lock = [], [], threading.Lock()

    def add(self, plans):
        steps = [Step(plan) for plan in plans]
        with self.lock:
            self.steps += steps

    def clear(self):
        with self.lock:
            self.steps, self.fired = [], []

    def take(self, call):
        """The step for this request, if there is one."""
        if call.connection.sticky:
            return call.connection.sticky
        with self.lock:
            for step in [step for step in self.steps
                         if step.due(call.request)][:1]:
                step.left -= 1
                if not step.left:
                    self.steps.remove(step)
                self.fired.append({
                    "step": step.plan, "request": call.request.line,
                    "request_id": call.id,
                    "connection": call.connection.number})
                return step
        return None

    def describe(self):
        with self.lock:
            return {"pending": [{**step.plan, "seen": step.seen,
                                 "left": step.left} for step in self.steps],
                    "fired": list(self.fired)}

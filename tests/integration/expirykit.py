# SPDX-License-Identifier: MIT
"""Shared by the tests of objects that end by themselves."""
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

from bucket import BUCKET, DIALECTS, Emulator, gateway as over
from kit import SLOWNESS, Gateway, among, equal
from objectskit import get, put, url

SHORT, LONG = 1, 3600
LIFE = int(2 * SLOWNESS)  # long enough for some requests before its end
NAP = 0.05  # s between two looks at a clock


def wish(seconds):
    return f"X-Expire-After: {seconds}"


@contextmanager
def local(sections=None, folder=None):
    with Gateway(sections, folder=folder) as gateway:
        yield gateway


@contextmanager
def s3(sections=None, plugin="s3"):
    server = Emulator(DIALECTS[plugin])
    server.create(BUCKET)
    try:
        with over(server, more=sections) as gateway:
            gateway.s3 = server
            yield gateway
    finally:
        server.stop()


def minio(sections=None):
    """One that removes nothing conditionally."""
    return s3(sections, "minio")


def moment(answer):
    """Of an answer's head, in seconds since 1970."""
    text = answer.header("x-expires-at")
    return None if text is None else parsedate_to_datetime(text).timestamp()


def pass_moment(at):
    """The clock is the only event that there is."""
    while time.time() < at:
        time.sleep(NAP)


def put_short(gateway, key="a", data=b"one", seconds=SHORT):
    answer = put(gateway, key, data, wish(seconds))
    equal("status", answer.status, 201)
    return moment(answer)


def names(gateway, prefix=""):
    return gateway.keys(prefix)


def is_hidden(gateway, key="a"):
    for method in "GET", "HEAD":
        equal(method, get(gateway, key, method=method).status, 404)
        equal(method, gateway.download(key, method=method).status, 404)
    equal("presign", gateway.json("POST", "/files/presign",
                                  {"key": key}).status, 404)
    for what in "copy", "move":
        equal(what, gateway.json("POST", "/files/" + what, {
            "from": key, "to": "elsewhere", "unguarded": True}).status, 404)
    for lines, method in ((("If-Match: *",), "PUT"),
                          (("If-Match: *",), "DELETE")):
        among(method, gateway.ask(method, url(key), *lines,
                                  body=b"x").status,
              (412, 501) if method == "DELETE" else (412,))

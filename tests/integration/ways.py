# SPDX-License-Identifier: MIT
"""Every way in which bytes become an object, for tests of hooks that look at
them.  Each is a function of a gateway and the bytes, and gives the last
answer.  Whoever adds a way to the gateway adds it here."""
import base64
import contextlib
import os

import kit
import linkskit
from guards import JSON
from kit import Gateway, equal

TUS = "Tus-Resumable: 1.0.0"
PARTIAL = "Content-Type: application/partial-upload"
OFFSET = "Content-Type: application/offset+octet-stream"


def form(gateway, data, *lines):
    body = kit.form(kit.field("prefix", "t"), kit.file(data, "a.bin"))
    return gateway.ask("POST", "/files", kit.FORM, *lines, body=body)


def form_text(gateway, data):
    """A text field of the name `file`, which is a file late."""
    head = b'Content-Disposition: form-data; name="file"\r\n\r\n'
    body = kit.form(head + data, kit.field("prefix", "t"))
    return gateway.ask("POST", "/files", kit.FORM, body=body)


def once(gateway, data, key=None):
    key = key or os.urandom(8).hex()
    return form(gateway, data, f'Idempotency-Key: "{key}"')


def plain(gateway, data):
    return gateway.ask("POST", "/files/uploads?filename=a.bin&prefix=t",
                       body=data)


def chunked(gateway, data):
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(data[at:at + 5000]),
                                         data[at:at + 5000])
                      for at in range(0, len(data), 5000))
    with gateway.wire() as wire:
        wire.send(kit.head("PUT", "/files/object?key=t/c.bin",
                           "Transfer-Encoding: chunked") +
                  pieces + b"0\r\n\r\n")
        return wire.answer("PUT")


def put(gateway, data):
    return gateway.ask("PUT", "/files/object?key=t/p.bin", body=data)


def replace(gateway, data):
    linkskit.put(gateway, "t/r.bin", b"before")
    return gateway.ask("PUT", "/files/object?key=t/r.bin", body=data)


def link_put(gateway, data):
    made = linkskit.link(gateway, method="PUT", key="t/l.bin")
    return gateway.ask("PUT", linkskit.target(made["url"]), body=data)


def link_post(gateway, data):
    made = linkskit.link(gateway, method="POST", prefix="t")
    return gateway.ask("POST", linkskit.target(made["url"]),
                       "Content-Type: application/octet-stream", body=data)


def link_form(gateway, data):
    made = linkskit.link(gateway, method="POST", prefix="t")
    return gateway.ask("POST", linkskit.target(made["url"]), kit.FORM,
                       body=kit.form(kit.file(data, "a.bin")))


def draft_whole(gateway, data):
    return gateway.ask("POST", "/files/uploads?filename=a.bin&prefix=t",
                       "Upload-Complete: ?1", body=data)


def _created(gateway, *lines, query="?filename=a.bin&prefix=t", body=b""):
    answer = gateway.ask("POST", "/files/uploads" + query, *lines, body=body)
    equal("status of a creation", answer.status, 201)
    return answer.header("location")


def draft_parts(gateway, data):
    """Cut in the middle, so that what is looked for is in no part."""
    half = len(data) // 2
    where = _created(gateway, "Upload-Complete: ?0", body=data[:half])
    return gateway.ask("PATCH", where, PARTIAL, f"Upload-Offset: {half}",
                       "Upload-Complete: ?1", body=data[half:])


def draft_end(gateway, data):
    """The last request has no bytes."""
    where = _created(gateway, "Upload-Complete: ?0", body=data)
    return gateway.ask("PATCH", where, PARTIAL, f"Upload-Offset: {len(data)}",
                       "Upload-Complete: ?1", body=b"")


def _tus_lines(length):
    name = base64.b64encode(b"a.bin").decode()
    return TUS, f"Upload-Length: {length}", f"Upload-Metadata: filename {name}"


def tus_whole(gateway, data):
    return gateway.ask("POST", "/files/uploads?prefix=t",
                       *_tus_lines(len(data)), OFFSET, body=data)


def tus_parts(gateway, data):
    half = len(data) // 2
    answer = gateway.ask("POST", "/files/uploads?prefix=t",
                         *_tus_lines(len(data)), body=b"")
    where = answer.header("location")
    if answer.status != 201:
        return answer
    answer = gateway.ask("PATCH", where, TUS, OFFSET, "Upload-Offset: 0",
                         body=data[:half])
    equal("status of a part", answer.status, 204)
    return gateway.ask("PATCH", where, TUS, OFFSET, f"Upload-Offset: {half}",
                       body=data[half:])


def tus_concat(gateway, data):
    half, parts = len(data) // 2, []
    for piece in data[:half], data[half:]:
        parts.append(_created(gateway, *_tus_lines(len(piece)), OFFSET,
                              "Upload-Concat: partial", query="?prefix=t",
                              body=piece))
    return gateway.ask("POST", "/files/uploads?prefix=t", TUS,
                       "Upload-Concat: final;" + " ".join(parts), body=b"")


# Those that have no bytes of their own, and so show none, are copies and
# moves: test_hook_bodies.py has them.
WAYS = {way.__name__: way for way in (
    form, form_text, once, plain, chunked, put, replace, link_put, link_post,
    link_form, draft_whole, draft_parts, draft_end, tus_whole, tus_parts,
    tus_concat)}


def stored(gateway):
    """All objects: their keys."""
    answer = gateway.ask("GET", "/files?prefix=")
    equal("status of a list", answer.status, 200)
    return [thing["key"] for thing in answer.json["objects"]]


def copy(gateway, source, target):
    return gateway.ask("POST", "/files/copy", JSON, body=linkskit.to_json(
        {"from": source, "to": target}))


# ---- gateways that several tests use ----------------------------------------

_running = {}


@contextlib.contextmanager
def shared(**sections):
    """The one of this configuration, started once, without an object, and how
    many lines its log has.  A test that fails ends it."""
    name = repr(sections)
    if name not in _running:
        _running[name] = Gateway(sections)
    gateway = _running[name]
    try:
        for key in stored(gateway):
            gateway.delete(key)
        yield gateway, len(gateway.lines)
    except BaseException:
        _running.pop(name).kill()
        raise


def main():
    try:
        kit.main()
    finally:
        while _running:
            _running.popitem()[1].stop()

# SPDX-License-Identifier: MIT
"""Tests ask and tell the emulator itself things, below /_emulator/, without a
signature:

  GET  violations    what a client did wrong; DELETE forgets it
  GET  rules         the whole table, with how often each rule fired
  GET  faults        what is pending, what fired; DELETE forgets both
  POST faults        more steps of the script (faults.py)
  GET  requests      what came, with status and bytes; DELETE forgets it
  GET  state         buckets with their objects, uploads and parts
  POST zeros         {"bucket", "key", "size", "headers"}: an object of so
                     many zeros, of any size, whose ETag is made up
  POST clock         {"offset": seconds} moves the server's time
  POST secret        {"access_key": "...", "secret_key": "..."}: the key has
                     this secret from now on; null: the key is gone"""
import hashlib
import json
from dataclasses import replace

from .call import CREDENTIALS
from .faults import BadStep
from .message import Response
from .store import Object, zeros

PREFIX = "/_emulator/"


def violations(server, call, _):
    if call.request.method == "DELETE":
        server.state.book.clear()
    found = server.state.book.violations
    return {"violations": found, "signature_failures": sum(
        one["rule"].startswith(("G1.", "G2.")) for one in found)}


def rules(server, _, __):
    return {"rules": server.state.book.describe()}


def faults(server, call, sent):
    if call.request.method == "DELETE":
        server.script.clear()
    if call.request.method == "POST":
        server.script.add(sent)
    return server.script.describe()


def requests(server, call, _):
    with server.lock:
        if call.request.method == "DELETE":
            server.log.clear()
        return {"requests": list(server.log)}


def state(server, _, __):
    with server.state.store.lock:
        return {"buckets": {
            bucket.name: {
                "objects": {key: describe(thing) for key, thing
                            in bucket.objects.items()},
                "versions": {key: len(found) for key, found
                             in bucket.versions.items()},
                "uploads": [{"key": upload.key, "id": upload.id,
                             "parts": {number: part.size for number, part
                                       in upload.parts.items()}}
                            for upload in bucket.uploads.values()]}
            for bucket in server.state.store.buckets.values()}}


def describe(thing):
    return {"size": thing.size, "etag": thing.etag,
            "headers": thing.headers, "metadata": dict(thing.metadata),
            "parts": [part.size for part in thing.parts]}


def clock(server, _, sent):
    if sent:
        server.state.clock.offset = sent["offset"]
    return {"offset": server.state.clock.offset}


def make_zeros(server, call, sent):
    etag = hashlib.md5(str(sent["size"]).encode()).hexdigest()
    thing = Object(sent["key"], zeros(sent["size"]), etag, int(call.now()),
                   {"content-type": "application/zip"},
                   list(sent.get("metadata", {}).items()))
    with server.state.store.lock:
        server.state.store.buckets[sent["bucket"]].put(thing, False)
    return describe(thing)


def secret(server, _, sent):
    known = server.state.credentials
    one = known.pop(sent["access_key"], None) or next(
        each for each in CREDENTIALS if each.access_key == sent["access_key"])
    if sent["secret_key"] is not None:
        known[one.access_key] = replace(one, secret_key=sent["secret_key"])
    return {"access_keys": sorted(known)}


HANDLERS = {"violations": violations, "rules": rules, "faults": faults,
            "requests": requests, "state": state, "clock": clock,
            "secret": secret, "zeros": make_zeros}


def control(server, call):
    handler = HANDLERS.get(call.request.raw_path.removeprefix(PREFIX))
    if not handler:
        return reply(404, {"error": f"there are {', '.join(HANDLERS)}"})
    text = b""
    while data := call.body.read():
        text += data
    try:
        return reply(200, handler(server, call,
                                  json.loads(text) if text else None))
    except (BadStep, KeyError, TypeError, ValueError) as error:
        return reply(400, {"error": f"{type(error).__name__}: {error}"})


def reply(status, thing):
    body = json.dumps(thing).encode() + b"\n"
    return Response(status, {"Content-Type": "application/json"}, body)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The configurations of docs/deploy, as they stand there but for ports and
paths, in front of a gateway: links, client addresses, streaming, limits, h2.
Exits with 77 where none of the fronts is installed."""
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from frontkit import FRONTS, Front

# Found by frontkit.  pylint: disable=wrong-import-order
from kit import (FORM, KIB, MIB, PATIENCE, each, equal, eventually, expect,
                 field, file, form, head, large_form, like, main, needs)


def fronts(check, **options):
    """Registers a test of each front."""
    def of(name):
        with Front(name, **options) as front:
            check(front)
    of.__name__ = check.__name__
    each({name: name for name in FRONTS})(of)
    return check


def small(check):
    return fronts(check, max_bytes="1MiB")


@fronts
def test_urls_lead_through_the_front(front):
    told, made = front.upload()
    base = f"https://{front.host}/store/files/"
    like("Location", told["Location"], r"\A/store/files/download\?key=t/")
    like("download_url", made["download_url"], rf"\A{base}signed\?")
    for url in (told["Location"], made["download_url"]):
        where = urlsplit(url)
        status, _, body = front.ask("GET", f"{where.path}?{where.query}")
        equal("what is there", (status, body), (200, b"hello"))


@fronts
def test_what_a_client_says_of_itself_is_not_believed(front):
    told, made = front.upload(
        X_Forwarded_For="192.0.2.1", X_Forwarded_Host="evil.example",
        X_Forwarded_Proto="http", X_Forwarded_Prefix="/evil",
        Forwarded="host=evil.example;proto=http;for=192.0.2.2")
    like("Location", told["Location"], r"\A/store/files/download\?")
    like("download_url", made["download_url"],
         rf"\Ahttps://{front.host}/store/")
    line = eventually("a line of the log", front.logged)[0]
    equal("client", line["client"], "127.0.0.1")


def begun(front, wire, size):
    """A form of that size, of which a MiB was sent."""
    before, _, size = large_form(size)
    wire.send(head("POST", "/store/files", FORM, f"Content-Length: {size}",
                   host=front.host))
    wire.send(before + b"x" * MIB)


@fronts
def test_upload_streams(front):
    """The storage has a file for it while the client still sends."""
    def stored():
        return [name for name in front.gateway.descriptors()
                if name.endswith("(deleted)") and "/memfd:" not in name]
    eventually("no file of one before", lambda: not stored())
    with front.wire() as wire:
        begun(front, wire, 30 * MIB)
        eventually("a file of the storage's", stored)


def send_until_answered(wire, data):
    """As a client that looks for an answer between its pieces."""
    wait = wire.socket.gettimeout()
    for at in range(0, len(data), 64 * KIB):
        try:
            wire.socket.settimeout(wait)
            wire.socket.sendall(data[at:at + 64 * KIB])
            wire.socket.settimeout(0.01)
            wire.input += wire.socket.recv(64 * KIB)
        except TimeoutError:
            continue
        except OSError:
            break
        if wire.input:
            break
    wire.socket.settimeout(wait)


@small
def test_early_answer_comes_through(front):
    """A form that is too long by its length was refused at once."""
    size = 12 * MIB
    with front.wire() as wire:
        begun(front, wire, size)
        # Caddy hands it on while more comes, and httpd when all of it came.
        if front.name in ("Caddy", "Apache httpd"):
            send_until_answered(wire, b"x" * (size - MIB) +
                                large_form(size)[1])
        answer = wire.answer()
        equal("answer", (answer.status, answer.json["code"]),
              (413, "too_large"))


@fronts
def test_large_upload_and_download_are_whole(front):
    data = bytes(range(256)) * (20 * MIB // 256)
    told, made = front.upload(data)
    equal("size", made["size_bytes"], len(data))
    status, _, body = front.ask("GET", told["Location"])
    equal("status", status, 200)
    expect(body == data, "the bytes that came back")
    status, told, body = front.ask("GET", told["Location"],
                                   headers={"Range": "bytes=7-8"})
    equal("part", (status, body, told["Content-Range"]),
          (206, b"\7\10", f"bytes 7-8/{len(data)}"))


@fronts
def test_keys_and_queries_arrive_as_they_were_sent(front):
    name = "a b%2F+&?#\u00e9\u65e5.txt"
    status, told, body = front.ask(
        "POST", "/store/files", form(field("prefix", "x/y z"),
                                     file(b"odd", name)),
        dict([FORM.split(": ", 1)]))
    equal("status", status, 201)
    status, _, got = front.ask("GET", told["Location"])
    equal(json.loads(body)["key"], (status, got), (200, b"odd"))


@fronts
def test_errors_are_the_gateways_own(front):
    for path, want in (("/store/files/download?key=none",
                        (404, "object_not_found")),
                       ("/store/nothing", (404, "not_found")),
                       ("/store/files?limit=x", (400, "bad_query"))):
        status, _, body = front.ask("GET", path)
        equal(path, (status, json.loads(body)["code"]), want)
    equal("outside of the prefix", front.ask("GET", "/files")[0], 404)


DRAFT = {"Upload-Draft-Interop-Version": "8"}
TUS = {"Tus-Resumable": "1.0.0"}
APPEND = {**DRAFT, "Content-Type": "application/partial-upload"}
PATCH = {**TUS, "Content-Type": "application/offset+octet-stream"}


def last(wire):
    """The final answer's head; interim ones come through, or are eaten."""
    while (answer := wire.head()).status < 200:
        equal("an interim answer", (answer.status, answer.header(
            "upload-draft-interop-version")), (104, "8"))
    return answer


def created(front, headers):
    status, told, body = front.ask(
        "POST", "/store/files/uploads?filename=a.bin&prefix=t", b"", headers)
    equal("status", (status, body), (201, b""))
    return urlsplit(told["Location"]).path


def offset(front, where, headers):
    status, told, _ = front.ask("HEAD", where, headers=headers)
    equal("status", status, 200)
    return int(told["Upload-Offset"])


def lines(headers):
    return [f"{name}: {value}" for name, value in headers.items()]


@fronts
def test_resumable_upload_survives_the_front(front):
    """Half of it is on its way when the connection breaks; interim answers
    that were asked for come through, or are eaten."""
    data = bytes(range(256)) * (8 * MIB // 256)
    with front.wire() as wire:
        wire.send(head("POST", "/store/files/uploads?filename=a.bin&prefix=t",
                       *lines(DRAFT), "Upload-Complete: ?0",
                       "Content-Length: 1", host=front.host) + data[:1])
        answer = last(wire)
    equal("status", answer.status, 201)
    where = urlsplit(answer.header("location")).path
    like("address", where, "^/store/files/uploads/")
    with front.wire() as wire:
        wire.send(head("PATCH", where, *lines(APPEND), "Upload-Offset: 1",
                       "Upload-Complete: ?1",
                       f"Content-Length: {len(data) - 1}", host=front.host))
        wire.send(data[1:5 * MIB])
        wire.reset()
    # The front may have had bytes that it passed on to nobody.
    at = eventually("an offset", lambda: [offset(front, where, {})])[0]
    expect(1 <= at <= 5 * MIB, at)
    with front.wire() as wire:
        wire.send(head("PATCH", where, *lines(APPEND), f"Upload-Offset: {at}",
                       "Upload-Complete: ?1",
                       f"Content-Length: {len(data) - at}", host=front.host))
        wire.send(data[at:])
        answer = last(wire)
        made = json.loads(wire.take(int(answer.header("content-length"))))
    equal("status, md5", (answer.status, made["md5"]),
          (201, hashlib.md5(data).hexdigest()))
    status, _, body = front.ask("GET", "/store/files/download?key=" +
                                made["key"])
    equal("what is there", (status, body == data), (200, True))


@fronts
def test_tus_upload_survives_the_front(front):
    data = bytes(range(256)) * (3 * MIB // 256)
    where = created(front, {**TUS, "Upload-Length": str(len(data)),
                            "Upload-Metadata": "filename YS5iaW4="})
    status, _, _ = front.ask("PATCH", where, data[:MIB],
                             {**PATCH, "Upload-Offset": "0"})
    equal("status, offset", (status, offset(front, where, TUS)), (204, MIB))
    equal("a wrong offset", front.ask("PATCH", where, data[:MIB], {
        **PATCH, "Upload-Offset": "0"})[0], 409)
    status, _, _ = front.ask("POST", where, data[MIB:], {
        **PATCH, "Upload-Offset": str(MIB), "X-HTTP-Method-Override": "PATCH"})
    equal("status", status, 204)
    made = json.loads(front.ask("GET", where, headers=TUS)[2])["object"]
    equal("md5", made["md5"], hashlib.md5(data).hexdigest())


@fronts
def test_http_2_is_spoken(front):
    needs(shutil.which("curl"), "no curl")
    said = subprocess.run(["curl", "--version"], check=False,
                          capture_output=True).stdout
    needs(b"HTTP2" in said, "curl without HTTP/2")
    source = Path(front.folder, "source")
    source.write_bytes(bytes(range(256)) * (2 * KIB))
    got = subprocess.run(
        ["curl", "-sS", "--http2", "--cacert", f"{front.folder}/files.crt",
         "--resolve", f"{front.host}:127.0.0.1", "-F", f"file=@{source}",
         "-o", f"{front.folder}/answer", "-w", "%{http_version} %{http_code}",
         f"https://{front.host}/store/files"], check=False,
        capture_output=True, timeout=6 * PATIENCE)
    equal("version, status", got.stdout + got.stderr, b"2 201")
    made = json.loads(Path(front.folder, "answer").read_text())
    equal("size", made["size_bytes"], source.stat().st_size)


if __name__ == "__main__":
    main()

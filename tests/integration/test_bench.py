#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The bench itself: its client counts what a server really answered, however
that is framed, and a figure that doesn't hold is called so.  Nothing here
takes times.
"""
import shutil
import socket
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from xml.dom import minidom

sys.path.append(str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from bench import figures, measure, plot, report  # noqa: E402
from bench.peers.peer import get  # noqa: E402
from bench.peers.sluice import form  # noqa: E402
from kit import (KIB, MIB, PATIENCE, Gateway, each, equal,  # noqa: E402
                 expect, like, main, needs, test)

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 6\r\n\r\nabcdef"
CHUNKED = (OK + b"Transfer-Encoding: chunked\r\n\r\n"
           b"3\r\nabc\r\n3;x=1\r\ndef\r\n0\r\n\r\n")
CLOSING = OK + b"Connection: close\r\n\r\nabcdef"

# Answers in pieces, each sent on its own, and what the client counts.
ANSWERS = {
    "with a length": ([LENGTH], 0),
    "byte by byte": ([LENGTH[at:at + 1] for at in range(len(LENGTH))], 0),
    "chunked": ([CHUNKED], 0),
    "chunked byte by byte": ([CHUNKED[at:at + 1]
                              for at in range(len(CHUNKED))], 0),
    "until the end": ([CLOSING], 0),
    "not modified": ([b"HTTP/1.1 304 Not Modified\r\n"
                      b"Content-Length: 6\r\n\r\n"], 0),
    "refused": ([b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"], 1),
}


def serve_one(peer, pieces, seen):
    """Takes requests without a body until the client goes."""
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    text = b""
    while data := peer.recv(65536):
        text += data
        while b"\r\n\r\n" in text:
            head, _, text = text.partition(b"\r\n\r\n")
            seen.append(head.split(b" ")[1])
            for piece in pieces:
                peer.sendall(piece)
            if b"Connection: close" in b"".join(pieces):
                return


@contextmanager
def serving(pieces):
    """A server that gives each request the same answer; its port, and the
    targets that it was asked for."""
    seen = []

    def run(server):
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                serve_one(peer, pieces, seen)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=run, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1], seen
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


BUILT = []


def count(port, plan, connections=1, **how):
    """By the client, which is built once."""
    needs(shutil.which("cc"), "no compiler")
    if not BUILT:
        BUILT.append(tempfile.TemporaryDirectory())
        BUILT.append(measure.Client(BUILT[0].name))
        BUILT[1].patience = PATIENCE
    return BUILT[1].finish(BUILT[1].start(port, plan, connections, **how))


def outcome(counted):
    return counted["requests"], counted["bad"], counted["broken"]


@each(ANSWERS)
def test_answer_is_counted(case):
    pieces, bad = case
    with serving(pieces) as (port, seen):
        counted = count(port, [get("/a########"), get("/b")], most=5, first=7)
        equal("targets", seen, [b"/a00000007", b"/b", b"/a00000009", b"/b",
                                b"/a00000011"])
    equal("counted", outcome(counted), (5, 5 * bad, 0))
    equal("bytes", counted["got"], 5 * len(b"".join(pieces)))


@test
def test_cut_answer_is_a_broken_connection():
    pieces = [OK + b"Connection: close\r\nContent-Length: 9\r\n\r\nabc"]
    with serving(pieces) as (port, _):
        counted = count(port, [get("/")], most=2)
    equal("counted", outcome(counted), (0, 0, 2))


@each({"1 byte": 1, "in one call": 64 * KIB, "one byte more": 64 * KIB + 1,
       "more than the body's room": 3 * MIB + 5})
def test_upload_arrives_whole(size):
    with Gateway() as gateway:
        port = int(gateway.url.rpartition(":")[2])
        counted = count(port, [form(size, "many")], 4, most=8)
        equal("counted", outcome(counted), (8, 0, 0))
        equal("sizes", [thing["size_bytes"] for thing in
                        gateway.list("many/")["objects"]], 8 * [size])


def samples_of(ours, theirs):
    samples = measure.Samples()
    for peer, rate in (("Sluice", ours), ("nginx", theirs)):
        for turn in range(3):
            samples.add("downloads", "50 MiB x 16", peer, {
                "rate": rate + turn, "speed": rate, "p50": 1, "p99": 2,
                "cpu": 1, "cpu_gib": 1, "cpu_1000": 1, "peak": 9, "bad": 0,
                "broken": 0, "requests": 5})
    return samples


@each({"holds": (99, 0), "does not hold": (90, 1)})
def test_figure_says_whether_it(case):
    rate, failed = case
    equal("figures that don't hold",
          figures.table(samples_of(rate, 100)), failed)


@test
def test_report_leaves_prose_alone():
    notes = {"machine": ["this one"], "unequal": {}, "skipped": {}}
    with tempfile.TemporaryDirectory() as docs:
        page = Path(docs, "performance.md")
        page.write_text(f"before\n{report.BEGIN}\nyesterday\n{report.END}\n"
                        "after\n")
        report.Report(samples_of(90, 100), notes).write(docs)
        text = page.read_text()
        like("page", text, r"\Abefore\n.*\nafter\n\Z")
        like("page", text, r"\*\*does not hold\*\*")
        expect("yesterday" not in text, "old figures are still there")
        minidom.parse(str(Path(docs, "performance", "downloads.svg")))


@test
def test_plot_has_a_point_for_each_value():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.svg")
        plot.plot(path, [("<size>", "MiB/s", {
            "one": {"1": (1, 1, 2), "16": (5, 4, 6)},
            "two": {"16": (0, 0, 0)}})])
        found = minidom.parse(str(path)).getElementsByTagName("circle")
        equal("points", len(found), 3)


if __name__ == "__main__":
    main()

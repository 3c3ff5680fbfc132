# SPDX-License-Identifier: MIT
"""The recordings: for each way in which the backend `local` changes its
disk, a gateway over a store of its own, and clients that are told things.

Each scenario gets a Recording, and calls focus() where the points that matter
begin; without it all are looked at.
"""
import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from kit import (FORM, BINARY, Gateway, Wire, equal, eventually, expect, file,
                 field, form, request, written, settings)
from oracle.client import Client, version_of

from told import Told, ToldObjects, ToldStage

SHM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
PARTIAL = "Content-Type: application/partial-upload"
SMALL, LARGE = 700, 40_000
SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


class Recording:
    """A folder with a store whose calls are recorded, and what was told."""

    def __init__(self, recorder, seed):
        self.folder = Path(os.path.realpath(
            tempfile.mkdtemp(prefix="sluice-points-", dir=SHM)))
        self.trace = self.folder / "trace"
        self.told = Told(self.trace)
        self.oracle = ToldObjects(self.told)
        self.dice, self.stages, self.repairs = random.Random(seed), {}, False
        self.clients = 0
        self.env = {"LD_PRELOAD": recorder, "RECORD_TO": str(self.trace),
                    "RECORD_BELOW": str(self.disk)}
        self.disk.mkdir()
        self.sections = {"server": {"workers": "1"}, "backends": {
            "main": {"directory": str(self.data)}}}

    @property
    def disk(self):
        return self.folder / "disk"

    @property
    def data(self):
        return self.disk / "data"

    def gateway(self):
        return Gateway(self.sections, folder=self.folder, env=self.env)

    def client(self, gateway):
        self.clients += 1
        return Client(self.oracle, gateway.url, f"c{self.clients}")

    def bytes(self, size):
        return self.dice.randbytes(size)

    def focus(self):
        self.told.mark("focus")

    def stage(self, name, data):
        self.stages[name] = data
        return ToldStage(self.told, name, data)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def work(recording, acts):
    """One gateway from start to stop, and `acts` in between."""
    with recording.gateway() as gateway, \
            recording.client(gateway) as client:
        acts(gateway, client)


def some(recording, client, *names):
    for name in names:
        client.put(name, recording.bytes(
            LARGE if name.startswith("large") else SMALL))


# ---- objects

@scenario
def start(recording):
    """A store is made, stopped, and started again."""
    work(recording, lambda gateway, client: None)
    work(recording, lambda gateway, client: some(recording, client, "small"))


@scenario
def small(recording):
    def acts(_, client):
        recording.focus()
        some(recording, client, "small/1", "small/2")
        client.upload(recording.bytes(SMALL))
        client.put("small/0", b"")
    work(recording, acts)


@scenario
def large(recording):
    def acts(_, client):
        recording.focus()
        some(recording, client, "large/1", "large/2")
        client.upload(recording.bytes(LARGE))
    work(recording, acts)


@scenario
def replace(recording):
    def acts(_, client):
        some(recording, client, "small/a", "large/a", "small/b", "large/b")
        recording.focus()
        for name, size in (("small/a", SMALL), ("large/a", LARGE),
                           ("small/b", LARGE), ("large/b", SMALL)):
            client.put(name, recording.bytes(size + 1))
        client.put("small/a", b"x", if_none_match="*")
    work(recording, acts)


@scenario
def delete(recording):
    def acts(_, client):
        some(recording, client, "small/a", "large/a", "large/b")
        recording.focus()
        for name in ("small/a", "large/a", "nothing"):
            client.delete(name)
        client.put("large/b", recording.bytes(LARGE))
    work(recording, acts)


@scenario
def many(recording):
    def acts(_, client):
        names = [f"{kind}/{number}" for kind in ("small", "large")
                 for number in range(5)]
        some(recording, client, *names)
        recording.focus()
        client.delete_many(names[:2] + names[5:8])
        client.delete_many(names)
    work(recording, acts)


@scenario
def carry(recording):
    """Copies and moves."""
    def acts(_, client):
        some(recording, client, "small/a", "large/a", "large/b")
        recording.focus()
        client.copy("small/a", "small/c")
        client.copy("large/a", "large/c")
        client.copy("large/a", "large/b", True)
        client.copy("large/b", "large/d", kind="move")
        client.copy("small/c", "large/a", True, kind="move")
    work(recording, acts)


# ---- uploads in several requests

class Upload:
    """A client of the draft; told of as the oracle wants it."""

    def __init__(self, recording, gateway, data):
        self.recording, self.gateway, self.data = recording, gateway, data
        self.stage = recording.stage("s", data)
        number = self.stage.begin("make", length=len(data))
        answer = gateway.ask("POST", "/files/uploads?filename=a.bin&prefix=up",
                             "Upload-Complete: ?0",
                             f"Upload-Length: {len(data)}", body=b"")
        equal("status of a creation", answer.status, 201)
        self.where = answer.header("location")
        self.stage.end(number, 201)

    def append(self, at, end):
        """The request's last answer; it completes at the data's end."""
        last, call = end == len(self.data), None
        number = self.stage.begin("append", at=at, size=end - at, last=last)
        if last:
            call = self.recording.oracle.begin(
                "s", "upload", prefix="up", version=version_of(self.data))
        answer = self.gateway.ask(
            "PATCH", self.where, PARTIAL, f"Upload-Offset: {at}",
            f"Upload-Complete: ?{last:d}", *(("Content-Length: 0",)
                                             if end == at else ()),
            body=self.data[at:end])
        equal("status of an append", answer.status, 201 if last else 204)
        self.stage.end(number, answer.status, end, last)
        if last:
            self.recording.oracle.end(call, 201, key=answer.json["key"],
                                      etag=answer.json.get("etag"))
        return answer

    def offset(self):
        number = self.stage.begin("head")
        answer = self.gateway.ask("HEAD", self.where)
        at = int(answer.header("upload-offset"))
        self.stage.end(number, 204, at)
        return at


@scenario
def stage(recording):
    def acts(gateway, _):
        recording.focus()
        upload = Upload(recording, gateway, recording.bytes(60_000))
        at = 0
        for end in (300, 20_000, 45_000, 60_000):
            upload.append(at, end)
            at = end
    work(recording, acts)


@scenario
def small_stage(recording):
    """Its bytes never were in a file."""
    def acts(gateway, _):
        recording.focus()
        upload = Upload(recording, gateway, recording.bytes(5000))
        upload.append(0, 5000)
    work(recording, acts)


def create_whole(recording, gateway, size):
    """tus's creation that brings all bytes; a look then tells the key."""
    data = recording.bytes(size)
    stage, oracle = recording.stage("s", data), recording.oracle
    made = stage.begin("make", length=size)
    sent = stage.begin("append", at=0, size=size, last=True)
    call = oracle.begin("s", "upload", prefix="", version=version_of(data))
    answer = gateway.ask(
        "POST", "/files/uploads", "Tus-Resumable: 1.0.0",
        "Content-Type: application/offset+octet-stream",
        f"Upload-Length: {size}", body=data)
    equal("status of a creation", answer.status, 201)
    stage.end(made, 201)
    stage.end(sent, 201, size, True)
    made = gateway.ask("GET", answer.header("location")).json["object"]
    oracle.end(call, 201, key=made["key"], etag=made.get("etag"))


@scenario
def small_creation(recording):
    def acts(gateway, _):
        recording.focus()
        create_whole(recording, gateway, 5000)
    work(recording, acts)


@scenario
def large_creation(recording):
    def acts(gateway, _):
        recording.focus()
        create_whole(recording, gateway, 60_000)
    work(recording, acts)


@scenario
def hand_over(recording):
    """A second request takes the upload from one that stands still."""
    def acts(gateway, client):
        upload = Upload(recording, gateway, recording.bytes(90_000))
        upload.append(0, 20_000)
        recording.focus()
        upload.stage.begin("append", at=20_000, size=60_000)
        with Wire(gateway.url) as stuck:
            stuck.send(request(
                "PATCH", upload.where, PARTIAL, "Upload-Offset: 20000",
                "Upload-Complete: ?0", body=upload.data[20_000:80_000]
            )[:-25_000])
            eventually("bytes came", lambda: b"write" in
                       recording.trace.read_bytes()[-200_000:])
            at = upload.offset()
        upload.append(at, 85_000)
        upload.append(85_000, 90_000)
        some(recording, client, "large/after")
    work(recording, acts)


@scenario
def removed_stage(recording):
    def acts(gateway, client):
        upload = Upload(recording, gateway, recording.bytes(60_000))
        upload.append(0, 30_000)
        recording.focus()
        number = upload.stage.begin("delete")
        equal("status", gateway.ask("DELETE", upload.where).status, 204)
        upload.stage.end(number, 404)
        some(recording, client, "large/after")
    work(recording, acts)


# ---- the store as a whole

@scenario
def checkpoint(recording):
    """The index's log is copied back while clients go on."""
    def acts(_, client):
        def pages():
            log = recording.data / "index.db-wal"
            return log.stat().st_size // 4120
        number = 0
        while pages() < 985:
            client.put(f"fill/{number % 40}", recording.bytes(16_000))
            number += 1
        recording.focus()
        for more in range(6):
            client.put(f"small/{more}", recording.bytes(5000))
        some(recording, client, "large/1")
        client.delete("fill/0")
    work(recording, acts)


@scenario
def stop(recording):
    def acts(_, client):
        some(recording, client, "small/a", "large/a", "large/b")
        client.delete("large/b")
        recording.focus()
    work(recording, acts)


@scenario
def recovery(recording):
    """A start after SIGKILL, with an upload under way, an open stage, blobs
    to remove and others without a row; and one more."""
    for turn in range(2):
        gateway = recording.gateway()
        try:
            client = recording.client(gateway)
            if turn == 1:
                recording.focus()
            some(recording, client, f"large/{turn}", f"small/{turn}",
                 "large/again")
            if turn == 0:
                upload = Upload(recording, gateway, recording.bytes(60_000))
                upload.append(0, 30_000)
            call = recording.oracle.begin("lost", "upload", prefix="t",
                                          version=version_of(b"x" * LARGE))
            wire = Wire(gateway.url)
            wire.send(request("POST", "/files", FORM, body=form(
                file(b"x" * LARGE, "a.bin"), field("prefix", "t"))))
            eventually("it is being stored", lambda: (
                recording.oracle.lose(call), True)[1])
            gateway.process.kill()
            wire.close()
        finally:
            gateway.kill()
    recording.focus()
    work(recording, lambda gateway, client: some(
        recording, client, "large/end", "small/end"))


def repair_by_hand(folder, sections=None, env=None):
    """`sluice check --repair`; its status is 0 or 1."""
    path = written(folder, settings(folder, sections))
    return subprocess.run(
        [BINARY, "check", "--repair", "-c", str(path)], check=False,
        env={**os.environ, **(env or {})}, capture_output=True, timeout=60)


@scenario
def repair(recording):
    """The index is gone, and is made anew from the blobs."""
    recording.repairs = True
    work(recording, lambda gateway, client: some(
        recording, client, "large/a", "large/b", "large/c"))
    (recording.data / "index.db").unlink()
    recording.told.call("unlink data/index.db")
    recording.told.call("syncall")
    recording.focus()
    done = repair_by_hand(recording.folder, recording.sections, recording.env)
    expect(done.returncode in (0, 1), done.stderr.decode())
    work(recording, lambda gateway, client: some(recording, client, "large/d"))


@scenario
def crowd(recording):
    """Four clients at once, whose commits share transactions."""
    def acts(gateway, client):
        some(recording, client, *(f"large/{n}" for n in range(4)))
        recording.focus()

        def one(number):
            with recording.client(gateway) as mine:
                for turn in range(4):
                    size = (SMALL, LARGE)[(turn + number) % 2]
                    mine.put(f"large/{number}", bytes([number, turn]) * size)
                    mine.put(f"small/{number}", bytes([turn, number]) * size)
                mine.delete(f"large/{number}")
        threads = [threading.Thread(target=one, args=(number,))
                   for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    work(recording, acts)


@scenario
def once(recording):
    """An upload with an Idempotency-Key, and what the gateway keeps of it."""
    def acts(gateway, _):
        recording.focus()
        data = recording.bytes(LARGE)
        call = recording.oracle.begin("k", "upload", prefix="t",
                                      version=version_of(data))
        answer = gateway.ask("POST", "/files", FORM, 'Idempotency-Key: "k1"',
                             body=form(file(data, "a.bin"),
                                       field("prefix", "t")))
        equal("status", answer.status, 201)
        recording.oracle.end(call, 201, key=json.loads(answer.body)["key"])
    work(recording, acts)



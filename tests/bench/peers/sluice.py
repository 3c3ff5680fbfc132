# SPDX-License-Identifier: MIT
"""Sluice itself, over a folder (durable, or without waiting for the disk) and
over an S3 service.
"""
import json
from urllib.parse import quote

from kit import (BINARY, FORM, Gateway, equal, head, large_form,
                 request)

from .peer import STOCK, Peer, element, get, said


def fetch(key):
    return get("/files/download?key=" + quote(key, safe=""))


def asking(method, target, document):
    return element(request(method, target, "Content-Type: application/json",
                           body=json.dumps(document).encode()))


def form(size, place):
    before, after, length = large_form(size, prefix=place)
    start = head("POST", "/files", FORM, f"Content-Length: {length}")
    return element(start + before, size, after)


class Sluice(Peer):
    name = "Sluice"
    unequal = {"upload": "form parsed, MD5, durable when it answers "
                         "(fsync, group commit)",
               "download": "an index look-up a request"}
    backend = {}
    workers, memory = "auto", "256MiB"
    before = ()       # words before the command, as taskset's

    def __init__(self, folder, client=None, sizes=()):
        self.client, self.stock, self.gateway = client, {}, None
        super().__init__(folder)
        for size in sizes:
            self.fill(size)

    @classmethod
    def missing(cls):
        return [] if BINARY else ["SLUICE"]

    @classmethod
    def version(cls):
        return said(BINARY, "--version")

    def sections(self):
        return {"server": {"workers": self.workers},
                "uploads": {"max_bytes": "6GiB"},
                "limits": {"connections": "16000", "memory": self.memory,
                           "per_client": {"connections": "0",
                                          "requests": "0"},
                           "backend_timeout": "10m"},
                "backends": {"main": self.backend}}

    def start(self):
        self.gateway = Gateway(self.sections(), folder=self.folder,
                               before=self.before)
        self.processes = [self.gateway.process]
        self.port = int(self.gateway.url.rpartition(":")[2])

    def fill(self, size):
        """STOCK of that size, by uploads."""
        place = f"stock-{size}"
        self.client.run(self.port, [form(size, place)], 8, most=STOCK[size])
        self.stock[size] = [thing["key"] for thing in self.objects(place)]
        equal("objects in stock", len(self.stock[size]), STOCK[size])

    def objects(self, place):
        found, more = [], {}
        while more is not None:
            page = self.gateway.list(place + "/", **more)
            found += page["objects"]
            more = ({"cursor": page["next_cursor"]} if page["truncated"]
                    else None)
        return found

    def uploads(self, size, place):
        return [form(size, place)]

    def downloads(self, size):
        return [fetch(key) for key in self.stock[size]]

    def lists(self, prefix="stock-4096", limit=100, **more):
        query = "".join(f"&{name}={quote(value, safe='')}"
                        for name, value in more.items())
        return [get(f"/files?prefix={prefix}/&limit={limit}{query}")]

    def presigns(self, size):
        return [asking("POST", "/files/presign", {"key": key})
                for key in self.stock[size]]

    def removed(self, place, size):
        found = self.objects(place)
        gone = [asking("DELETE", "/files", {"key": thing["key"]})
                for thing in found]
        if gone:
            self.client.run(self.port, gone, 16, most=len(gone))
        return sum(thing["size_bytes"] == size for thing in found)


class SluiceHasty(Sluice):
    name = "Sluice, sync: false"
    unequal = {"upload": "form parsed, MD5, no fsync",
               "download": "an index look-up a request"}
    backend = {"sync": "false"}


class SluiceS3(Sluice):
    name = "Sluice to RGW"
    unequal = {"upload": "form parsed, MD5, SHA-256 and signature",
               "download": "signs each request"}

    def __init__(self, folder, client, direct):
        self.direct = direct
        self.backend = {"plugin": "ceph", "directory": None,
                        **direct.rgw.options(direct.bucket)}
        super().__init__(folder, client)
        self.stock = direct.stock

    def removed(self, place, size):
        return self.direct.removed(place, size)


# SPDX-License-Identifier: MIT
"""A Ceph RADOS Gateway asked directly, with signed links: no gateway before
it can be faster.
"""
import re
from html import unescape
from urllib.parse import urlencode

from kit import head
from s3.client import path_of
from s3.kit import PROGRAMS

from .peer import STOCK, Peer, element, program, said


class Direct(Peer):
    """All peers of the S3 part share its bucket and what is in it."""
    name = "RGW itself"
    package = "radosgw (tests/s3/s3-server install)"
    programs = PROGRAMS
    bucket = "bench-1"
    unequal = {"upload": "PUT by signed link: no form, bytes unsigned",
               "download": "GET by signed link"}

    def __init__(self, folder, rgw, client, sizes):
        self.rgw, self.client, self.stock = rgw, client, {}
        self.host = rgw.endpoint.partition("//")[2]
        super().__init__(folder)
        self.port = int(rgw.endpoint.rpartition(":")[2])
        rgw.create(self.bucket)
        for size in sizes:
            self.fill(size)

    @classmethod
    def version(cls):
        return said(program("radosgw"), "--version").partition(" (")[0]

    def start(self):
        """It runs already, and what it costs isn't of interest."""

    def url(self, method, key):
        return self.rgw.endpoint + self.rgw.client().presigned(
            method, path_of(self.bucket, key))

    def link(self, method, key, size=0):
        client = self.rgw.client()
        target = client.presigned(method, path_of(self.bucket, key))
        lines = [f"Content-Length: {size}"] if method == "PUT" else []
        return element(head(method, target, *lines, host=client.host), size)

    def fill(self, size):
        keys = [f"stock-{size}/{number}" for number in range(STOCK[size])]
        self.client.run(self.port, [self.link("PUT", key, size)
                                    for key in keys], 8, most=len(keys))
        self.stock[size] = keys

    def uploads(self, size, place):
        """Links can't be numbered by the client: a signature is for one
        key."""
        count = 4000 if size <= 65536 else 640
        return [self.link("PUT", f"{place}/{number}", size)
                for number in range(count)]

    def downloads(self, size):
        return [self.link("GET", key) for key in self.stock[size]]

    def objects(self, place):
        """Keys and sizes."""
        client, found, more = self.rgw.client(), [], {}
        while more is not None:
            query = urlencode({"list-type": 2, "prefix": place + "/", **more})
            text = client.ask("GET", path_of(self.bucket) + "?" +
                              query).body.decode()
            found += zip(map(unescape, re.findall("<Key>(.*?)</Key>", text)),
                         map(int, re.findall("<Size>(.*?)</Size>", text)))
            token = re.search("<NextContinuationToken>(.*?)</", text)
            more = token and {"continuation-token": unescape(token[1])}
        return found

    def lists(self, prefix="stock-4096", limit=100):
        client = self.rgw.client()
        query = {"list-type": "2", "max-keys": str(limit),
                 "prefix": prefix + "/"}
        target = client.presigned("GET", path_of(self.bucket), query=query)
        return [element(head("GET", target, host=client.host))]

    def removed(self, place, size):
        found = self.objects(place)
        gone = [self.link("DELETE", key) for key, _ in found]
        if gone:
            self.client.run(self.port, gone, 16, most=len(gone))
        return sum(one == size for _, one in found)

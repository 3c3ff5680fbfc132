# SPDX-License-Identifier: MIT
"""The peer of service.py: aiohttp before boto3, over the S3 service."""
import importlib.util
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path

from s3.kit import free_port

from .peer import Peer
from .sluice import asking, fetch, form
from .peer import get

SERVICE = Path(__file__).with_name("service.py")


class Service(Peer):
    name = "Python service"
    package = "python3-aiohttp python3-boto3"
    unequal = {"upload": "form and file whole in memory, MD5, signed by "
                         "boto3",
               "download": "file whole in memory"}

    def __init__(self, folder, direct):
        self.direct = direct
        super().__init__(folder)

    @classmethod
    def missing(cls):
        return [name for name in ("aiohttp", "boto3")
                if not importlib.util.find_spec(name)]

    @classmethod
    def version(cls):
        return (f"aiohttp {version('aiohttp')}, boto3 {version('boto3')}, "
                f"Python {sys.version.split()[0]}")

    def start(self):
        self.port = free_port()
        self.spawn(sys.executable, SERVICE, self.port,
                   env={**self.direct.rgw.env,
                        "S3_BUCKET": self.direct.bucket})

    def stop(self):
        # The processes that it made don't end with it.
        for pid in self.pids()[1:]:
            os.kill(pid, signal.SIGTERM)
        super().stop()

    def uploads(self, size, place):
        return [form(size, place)]

    def downloads(self, size):
        return [fetch(key) for key in self.direct.stock[size]]

    def lists(self, prefix="stock-4096", limit=100):
        return [get(f"/files?prefix={prefix}/&limit={limit}")]

    def presigns(self, size):
        return [asking("POST", "/files/presign", {"key": key})
                for key in self.direct.stock[size]]

    def removed(self, place, size):
        return self.direct.removed(place, size)

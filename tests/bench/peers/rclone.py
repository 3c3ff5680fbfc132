# SPDX-License-Identifier: MIT
"""rclone: `serve http` for downloads and `serve webdav` for uploads, with
their defaults, which are what its manual shows.
"""
from pathlib import Path

from kit import Wire, equal
from s3.kit import free_port

from .peer import Static, program, put, said


class Rclone(Static):
    package = "rclone"
    programs = ("rclone",)
    kind = ""

    @classmethod
    def version(cls):
        return said(program("rclone"), "version")

    def start(self):
        self.port = free_port()
        self.spawn(program("rclone"), "serve", self.kind, self.site.root,
                   "--addr", f"127.0.0.1:{self.port}", "--config",
                   Path(self.folder, "rclone.conf"))


class RcloneHttp(Rclone):
    name = "rclone serve http"
    kind = "http"
    stores = False


class RcloneDav(Rclone):
    name = "rclone serve webdav"
    kind = "webdav"

    def uploads(self, size, place):
        # Folders that others make it sees after minutes only.
        with Wire(f"http://127.0.0.1:{self.port}") as wire:
            equal("MKCOL", wire.ask("MKCOL", f"/{place}").status, 201)
        return [put(f"/{place}/########", size)]

# SPDX-License-Identifier: MIT
"""lighttpd: static files by sendfile, uploads by mod_webdav.

By its manual: one process (more of them are for disks that wait, and don't
share the state of mod_webdav), request bodies below the folder that they are
stored in, so that a PUT ends in a rename; no log of requests.
"""
from pathlib import Path

from s3.kit import free_port

from .peer import Static, program, said

CONF = """
server.modules = ("mod_webdav")
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder}/error.log"
server.upload-dirs = ("{root}")
server.max-connections = 16384
server.max-fds = 32768
server.listen-backlog = 4096
server.max-keep-alive-requests = 10000000
server.max-request-size = 0
mimetype.assign = ("" => "application/octet-stream")
webdav.activate = "enable"
webdav.is-readonly = "disable"
webdav.sqlite-db-name = "{folder}/webdav.db"
"""


class Lighttpd(Static):
    name = "lighttpd"
    package = "lighttpd lighttpd-mod-webdav"
    programs = ("lighttpd",)

    @classmethod
    def missing(cls):
        missing = super().missing()
        if not missing and not Path(
                "/usr/lib/lighttpd/mod_webdav.so").exists():
            missing = ["mod_webdav.so"]
        return missing

    @classmethod
    def version(cls):
        return said(program("lighttpd"), "-v").partition(" (")[0]

    def start(self):
        self.port = free_port()
        path = Path(self.folder, "lighttpd.conf")
        path.write_text(CONF.format(folder=self.folder, port=self.port,
                                    root=self.site.root))
        self.spawn(program("lighttpd"), "-D", "-f", path)

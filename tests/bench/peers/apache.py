# SPDX-License-Identifier: MIT
"""Apache httpd: static files, uploads by mod_dav.

By its manual: the event MPM with threads for as many connections as are
measured (it closes kept ones when threads are scarce), all made at the start;
EnableSendfile for files of a local disk, a lock database for
mod_dav, kept connections without an end; no log of requests.
"""
from pathlib import Path

from s3.kit import free_port

from .peer import Static, program, said, unprivileged

MODULES = Path("/usr/lib/apache2/modules")

CONF = """
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
ListenBacklog 4096
PidFile {folder}/pid
ErrorLog {folder}/error.log
{modules}
{user}
StartServers 16
ThreadsPerChild 64
ThreadLimit 64
ServerLimit 16
MaxRequestWorkers 1024
MinSpareThreads 512
MaxSpareThreads 1088
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
EnableSendfile On
LimitRequestBody 0
TypesConfig /dev/null
DocumentRoot {root}
DavLockDB {folder}/locks/db
<Directory {root}>
  Require all granted
  AllowOverride None
  Options None
  Dav On
</Directory>
"""


class Apache(Static):
    name = "Apache httpd"
    package = "apache2-bin"
    programs = ("apache2",)

    @classmethod
    def version(cls):
        return said(program("apache2"), "-v").replace("Server version: ", "")

    def start(self):
        self.port = free_port()
        locks = Path(self.folder, "locks")
        locks.mkdir()
        locks.chmod(0o777)
        names = ("mpm_event", "authz_core", "mime", "dav", "dav_fs")
        other = unprivileged()
        path = Path(self.folder, "apache.conf")
        path.write_text(CONF.format(
            folder=self.folder, port=self.port, root=self.site.root,
            user="User {}\nGroup {}".format(*other) if other else "",
            modules="\n".join(f"LoadModule {name}_module "
                              f"{MODULES}/mod_{name}.so" for name in names)))
        self.spawn(program("apache2"), "-D", "FOREGROUND", "-f", path)

# SPDX-License-Identifier: MIT
"""OpenStack Swift with s3api as a second real implementation of S3, on free
ports of 127.0.0.1 and below one folder:

  with Swift() as s3: ...        or Skip

It needs a file system with extended attributes, and the Debian packages
swift-proxy, swift-account, swift-container, swift-object and memcached."""
import getpass
import http.client
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .kit import Endpoint, eventually, free_port, needs

STORES = ("account", "container", "object")
PROGRAMS = ("swift-ring-builder", "memcached",
            *(f"swift-{name}-server" for name in (*STORES, "proxy")))
PYTHON = "/usr/bin/python3"  # whose packages these are
FILTERS = ("catch_errors", "gatekeeper", "memcache", "listing_formats",
           "bulk", "s3api", "tempauth", "slo", "dlo")

# A server reads this file's limits when it is imported, from one place of
# the system, unless told so first.
LAUNCH = """
import sys
from swift.common import utils
utils.SWIFT_CONF_FILE = sys.argv[1]
from swift.common import constraints
constraints.reload_constraints()
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[2], sys.argv[3]))
"""
COMMON = """[swift-hash]
swift_hash_path_suffix = test
[storage-policy:0]
name = one
default = yes
[swift-constraints]
max_meta_value_length = 1024
"""
SERVER = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
devices = {folder}/devices
mount_check = false
disable_fallocate = true
swift_dir = {folder}
user = {user}
workers = 0
log_address = /dev/null
[pipeline:main]
pipeline = {pipeline}
[app:{name}-server]
use = egg:swift#{name}
"""
PROXY = """account_autocreate = true
[filter:memcache]
memcache_servers = 127.0.0.1:{memcached}
use = egg:swift#memcache
[filter:s3api]
location = us-east-1
use = egg:swift#s3api
[filter:tempauth]
user_test_tester = testing .admin
use = egg:swift#tempauth
"""


class Swift(Endpoint):
    dialect, region = "aws", "us-east-1"
    access_key, secret_key = "test:tester", "testing"

    def __init__(self):
        missing = [name for name in PROGRAMS if not shutil.which(name)]
        needs(not missing, f"Swift isn't installed ({missing})")
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-swift-"))
        self.children = []
        self.ports = {name: free_port()
                      for name in (*STORES, "proxy", "memcached")}
        self.endpoint = f"http://127.0.0.1:{self.ports['proxy']}"
        try:
            self.begin()
        except BaseException:
            self.stop()
            raise

    def begin(self):
        (self.folder / "devices" / "d1").mkdir(parents=True)
        (self.folder / "swift.conf").write_text(COMMON)
        for name in STORES:
            self.ring(name)
            self.write(name, f"{name}-server")
        self.write("proxy", " ".join((*FILTERS, "proxy-server")), PROXY
                   + "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n"
                             for name in FILTERS
                             if f"[filter:{name}]" not in PROXY))
        self.spawn("memcached", "-l", "127.0.0.1", "-U", "0", "-u",
                   getpass.getuser(), "-p", str(self.ports["memcached"]))
        for name in (*STORES, "proxy"):
            self.spawn(PYTHON, "-c", LAUNCH, str(self.folder / "swift.conf"),
                       str(self.folder / f"{name}.conf"), f"{name}-server")
        eventually("Swift", self.answers, 30)

    def ring(self, name):
        file = str(self.folder / f"{name}.builder")
        for words in (("create", "4", "1", "1"),
                      ("add", "--region", "1", "--zone", "1", "--ip",
                       "127.0.0.1", "--port", str(self.ports[name]),
                       "--device", "d1", "--weight", "1"), ("rebalance",)):
            # It warns of a ring of one device by 1.
            subprocess.run(["swift-ring-builder", file, *words], check=False,
                           capture_output=True)
        needs((self.folder / f"{name}.ring.gz").exists(), f"no {name} ring")

    def write(self, name, pipeline, more=""):
        text = (SERVER + more).format(
            name=name, pipeline=pipeline, folder=self.folder,
            user=getpass.getuser(), port=self.ports[name],
            memcached=self.ports["memcached"])
        (self.folder / f"{name}.conf").write_text(text)

    def spawn(self, *words):
        with open(self.folder / "log", "ab") as log:
            # pylint: disable=consider-using-with
            self.children.append(subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder))

    def answers(self):
        """Whether the proxy and, behind it, all stores do."""
        try:
            return self.client().ask("GET", "/").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(__doc__)

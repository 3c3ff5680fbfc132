# SPDX-License-Identifier: MIT
"""nginx: static files by sendfile, uploads by its WebDAV module, and a proxy
before an S3 service.

By its manual: sendfile and tcp_nopush for files, a worker a core, no log of
requests; the folder of request bodies on the file system they are stored on,
so that a PUT ends in a rename; upstream connections kept (HTTP/1.1, an empty
Connection header), answers buffered in memory.
"""
import os
from pathlib import Path

from s3.kit import free_port

from .peer import Peer, Static, program, said

COMMON = """
{user}
daemon off;
worker_processes auto;
worker_rlimit_nofile 65536;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  default_type application/octet-stream;
  keepalive_requests 10000000;
  client_max_body_size 0;
  client_body_temp_path {temp};
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{http}
}}
"""

FILES = """
  sendfile on;
  tcp_nopush on;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {root};
    location / {{
      dav_methods PUT DELETE;
      create_full_put_path on;
      dav_access user:rw group:r all:r;
    }}
  }}
"""

PROXY = """
  upstream s3 {{ server {host}; keepalive 512; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://s3;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering on;
      proxy_max_temp_file_size 0;
    }}
  }}
"""


def run(peer, temp, http):
    path = Path(peer.folder, "nginx.conf")
    path.write_text(COMMON.format(
        folder=peer.folder, temp=temp, http=http,
        user="user root;" if os.geteuid() == 0 else ""))
    peer.spawn(program("nginx"), "-c", path, "-p", peer.folder)


class Nginx(Static):
    name = "nginx"
    package = "nginx"
    programs = ("nginx",)

    @classmethod
    def version(cls):
        return said(program("nginx"), "-v").replace("nginx version: ", "")

    def start(self):
        self.port = free_port()
        run(self, Path(self.site.root, "nginx-bodies"),
            FILES.format(port=self.port, root=self.site.root))


class NginxProxy(Peer):
    name = "nginx, proxy to RGW"
    package = "nginx"
    programs = ("nginx",)
    version = Nginx.version
    unequal = {"upload": "passes a signed PUT on: it neither parses a form "
                         "nor hashes nor signs",
               "download": "passes a signed GET on"}

    def __init__(self, folder, direct):
        self.direct = direct
        super().__init__(folder)

    def start(self):
        self.port = free_port()
        run(self, Path(self.folder, "bodies"), PROXY.format(
            port=self.port, host=self.direct.host))

    def uploads(self, size, place):
        return self.direct.uploads(size, place)

    def downloads(self, size):
        return self.direct.downloads(size)

    def removed(self, place, size):
        return self.direct.removed(place, size)

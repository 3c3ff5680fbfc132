# SPDX-License-Identifier: MIT
"""A gateway, and before it a front with the configuration that docs/deploy has
for it, as it stands there but for ports and paths."""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

# pylint: disable=wrong-import-position
from kit import (FORM, PATIENCE, SOURCES, Gateway, Mismatch,  # noqa: E402
                 Wire, equal, eventually, expect, field, file, form,
                 free_port, needs)

MODULES = ("mpm_event authn_core authz_core headers http2 proxy proxy_http "
           "reqtimeout ssl").split()


def nginx(it, text):
    path = it.write("nginx.conf", f"""
        pid {it.folder}/pid; error_log {it.folder}/log; daemon off;
        events {{}}
        http {{ access_log off;
          client_body_temp_path {it.folder}/body;
          proxy_temp_path {it.folder}/proxy;
          fastcgi_temp_path {it.folder}/f; uwsgi_temp_path {it.folder}/u;
          scgi_temp_path {it.folder}/s;
          {text} }}""")
    return ["-p", it.folder, "-c", path]


def haproxy(it, text):
    return ["-db", "-f", it.write("haproxy.cfg", text)]


def httpd(it, text):
    found = [Path(folder) for folder in
             ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules")
             if Path(folder, "mod_http2.so").exists()]
    needs(found, "no modules of httpd")
    loads = "\n".join(f"LoadModule {name}_module {found[0]}/mod_{name}.so"
                      for name in MODULES)
    path = it.write("httpd.conf", f"""
        ServerRoot {it.folder}\nPidFile {it.folder}/pid
        ErrorLog {it.folder}/log\nServerName files.example
        DefaultRuntimeDir {it.folder}\n{loads}\n{text}""")
    return ["-X" if os.geteuid() else "-DFOREGROUND", "-f", path]


def caddy(it, text):
    # One more block, as a test must neither ask for certificates nor listen
    # where an administrator's Caddy does.
    text = ("{\n  admin off\n  auto_https disable_redirects\n}\n" +
            text)
    return ["run", "--adapter", "caddyfile", "--config",
            it.write("Caddyfile", text)]


FRONTS = {"nginx": (["nginx"], "nginx.conf", nginx),
          "HAProxy": (["haproxy"], "haproxy.cfg", haproxy),
          "Apache httpd": (["apache2", "httpd"], "httpd.conf", httpd),
          "Caddy": (["caddy"], "Caddyfile", caddy)}


class Front:
    """A gateway, and the front before it; `with` ends both."""

    def __init__(self, name, max_bytes="64MiB", kind=None, workers="2",
                 log=None):
        """`kind` is what FRONTS says of others; `log` are more options of
        log_json."""
        self.name = name
        programs, source, prepare = kind or FRONTS[name]
        path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
        program = next((found for one in programs if
                        (found := shutil.which(one, path=path))), None)
        needs(program, f"no {name}")
        needs(shutil.which("openssl"), "no openssl")
        self.folder = tempfile.mkdtemp(prefix="sluice-test-")
        os.chmod(self.folder, 0o755)  # workers that gave up root's rights
        self.port = free_port()
        self.gateway = Gateway({
            "server": {"workers": workers,
                       "trusted_proxies": ["127.0.0.1"],
                       "hosts": ["files.example:*"]},
            "hooks": [{"plugin": "log_json",
                       "path": str(Path(self.folder, "access")),
                       **(log or {})}],
            "uploads": {"max_bytes": max_bytes}})
        try:
            self.certify()
            text = Path(SOURCES, "docs/deploy", source).read_text()
            command = [program, *prepare(self, self.adapted(text))]
            self.output = open(Path(self.folder, "output"), "wb")
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=self.output,
                stderr=self.output, start_new_session=True,
                env={**os.environ, "HOME": self.folder,
                     "XDG_DATA_HOME": self.folder,
                     "XDG_CONFIG_HOME": self.folder})
            eventually("a front that listens", self.listens,
                       seconds=3 * PATIENCE, pause=0.05)
        except BaseException:
            self.gateway.kill()
            raise

    def certify(self):
        crt, key = [Path(self.folder, f"files.{end}") for end in
                    ("crt", "key")]
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-days", "2", "-subj",
             "/CN=files.example", "-addext",
             "subjectAltName=DNS:files.example,DNS:localhost",
             "-out", crt, "-keyout", key], check=True, capture_output=True)
        Path(self.folder, "files.pem").write_bytes(crt.read_bytes() +
                                                   key.read_bytes())
        self.trust = ssl.create_default_context(cafile=str(crt))

    def adapted(self, text):
        where = urlsplit(self.gateway.url)
        for old, new in (("/etc/ssl/files.example", f"{self.folder}/files"),
                         ("127.0.0.1:8000", "127.0.0.1:GATEWAY"),
                         ("https://files.example:443",
                          "https://files.example:FRONT"),
                         ("listen 443", "listen 127.0.0.1:FRONT"),
                         ("Listen 443", "Listen 127.0.0.1:FRONT"),
                         ("*:443", "127.0.0.1:FRONT"),
                         ("bind :443", "bind 127.0.0.1:FRONT")):
            text = text.replace(old, new)
        # Asked before the ports stand there, which may have these digits.
        expect("8000" not in text and "443 " not in text, text)
        return text.replace("GATEWAY", str(where.port)).replace(
            "FRONT", str(self.port))

    def write(self, name, text):
        path = Path(self.folder, name)
        path.write_text(text)
        return str(path)

    def listens(self):
        if self.process.poll() is not None:
            said = Path(self.folder, "output").read_text(errors="replace")
            log = Path(self.folder, "log")
            more = log.read_text(errors="replace") if log.exists() else ""
            raise Mismatch(f"the front ended: {said}{more}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self.output.close()
        finally:
            self.gateway.__exit__(kind)
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def host(self):
        return f"files.example:{self.port}"

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection(
            "localhost", self.port, context=self.trust, timeout=3 * PATIENCE)
        try:
            connection.request(method, path, body,
                               {"Host": self.host, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def wire(self):
        return Wire(f"https://127.0.0.1:{self.port}", tls=self.trust,
                    timeout=3 * PATIENCE)

    def upload(self, data=b"hello", **headers):
        name, value = FORM.split(": ", 1)
        status, told, body = self.ask(
            "POST", "/store/files", form(field("prefix", "t"), file(data)),
            {name: value, **{key.replace("_", "-"): value for key, value in
                             headers.items()}})
        equal("status", (status, body if status != 201 else b""), (201, b""))
        return told, json.loads(body)

    def logged(self):
        text = Path(self.folder, "access").read_text()
        return [json.loads(line) for line in text.splitlines()]

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The configurations of docs/deploy, as they stand there but for ports and
paths, in front of a gateway: links, client addresses, streaming, limits, h2.
Exits with 77 where none of the fronts is installed."""
import hashlib
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
from kit import (FORM, KIB, MIB, PATIENCE, SOURCES, Gateway,  # noqa: E402
                 Mismatch, Wire, each, equal, eventually, expect, field, file,
                 form, free_port, head, large_form, like, main, needs)

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

    def __init__(self, name, max_bytes="64MiB"):
        self.name = name
        programs, source, prepare = FRONTS[name]
        path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
        program = next((found for one in programs if
                        (found := shutil.which(one, path=path))), None)
        needs(program, f"no {name}")
        needs(shutil.which("openssl"), "no openssl")
        self.folder = tempfile.mkdtemp(prefix="sluice-test-")
        os.chmod(self.folder, 0o755)  # workers that gave up root's rights
        self.port = free_port()
        self.gateway = Gateway({
            "server": {"trusted_proxies": ["127.0.0.1"],
                       "hosts": ["files.example:*"]},
            "hooks": [{"plugin": "log_json",
                       "path": str(Path(self.folder, "access"))}],
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


def fronts(check, **options):
    """Registers a test of each front."""
    def of(name):
        with Front(name, **options) as front:
            check(front)
    of.__name__ = check.__name__
    each({name: name for name in FRONTS})(of)
    return check


def small(check):
    return fronts(check, max_bytes="1MiB")


@fronts
def test_urls_lead_through_the_front(front):
    told, made = front.upload()
    base = f"https://{front.host}/store/files/"
    like("Location", told["Location"], r"\A/store/files/download\?key=t/")
    like("download_url", made["download_url"], rf"\A{base}signed\?")
    for url in (told["Location"], made["download_url"]):
        where = urlsplit(url)
        status, _, body = front.ask("GET", f"{where.path}?{where.query}")
        equal("what is there", (status, body), (200, b"hello"))


@fronts
def test_what_a_client_says_of_itself_is_not_believed(front):
    told, made = front.upload(
        X_Forwarded_For="192.0.2.1", X_Forwarded_Host="evil.example",
        X_Forwarded_Proto="http", X_Forwarded_Prefix="/evil",
        Forwarded="host=evil.example;proto=http;for=192.0.2.2")
    like("Location", told["Location"], r"\A/store/files/download\?")
    like("download_url", made["download_url"],
         rf"\Ahttps://{front.host}/store/")
    line = eventually("a line of the log", front.logged)[0]
    equal("client", line["client"], "127.0.0.1")


def begun(front, wire, size):
    """A form of that size, of which a MiB was sent."""
    before, _, size = large_form(size)
    wire.send(head("POST", "/store/files", FORM, f"Content-Length: {size}",
                   host=front.host))
    wire.send(before + b"x" * MIB)


@fronts
def test_upload_streams(front):
    """The storage has a file for it while the client still sends."""
    def stored():
        return [name for name in front.gateway.descriptors()
                if name.endswith("(deleted)") and "/memfd:" not in name]
    eventually("no file of one before", lambda: not stored())
    with front.wire() as wire:
        begun(front, wire, 30 * MIB)
        eventually("a file of the storage's", stored)


def send_until_answered(wire, data):
    """As a client that looks for an answer between its pieces."""
    wait = wire.socket.gettimeout()
    for at in range(0, len(data), 64 * KIB):
        try:
            wire.socket.settimeout(wait)
            wire.socket.sendall(data[at:at + 64 * KIB])
            wire.socket.settimeout(0.01)
            wire.input += wire.socket.recv(64 * KIB)
        except TimeoutError:
            continue
        except OSError:
            break
        if wire.input:
            break
    wire.socket.settimeout(wait)


@small
def test_early_answer_comes_through(front):
    """A form that is too long by its length was refused at once."""
    size = 12 * MIB
    with front.wire() as wire:
        begun(front, wire, size)
        # Caddy hands it on while more comes, and httpd when all of it came.
        if front.name in ("Caddy", "Apache httpd"):
            send_until_answered(wire, b"x" * (size - MIB) +
                                large_form(size)[1])
        answer = wire.answer()
        equal("answer", (answer.status, answer.json["code"]),
              (413, "too_large"))


@fronts
def test_large_upload_and_download_are_whole(front):
    data = bytes(range(256)) * (20 * MIB // 256)
    told, made = front.upload(data)
    equal("size", made["size_bytes"], len(data))
    status, _, body = front.ask("GET", told["Location"])
    equal("status", status, 200)
    expect(body == data, "the bytes that came back")
    status, told, body = front.ask("GET", told["Location"],
                                   headers={"Range": "bytes=7-8"})
    equal("part", (status, body, told["Content-Range"]),
          (206, b"\7\10", f"bytes 7-8/{len(data)}"))


@fronts
def test_keys_and_queries_arrive_as_they_were_sent(front):
    name = "a b%2F+&?#\u00e9\u65e5.txt"
    status, told, body = front.ask(
        "POST", "/store/files", form(field("prefix", "x/y z"),
                                     file(b"odd", name)),
        dict([FORM.split(": ", 1)]))
    equal("status", status, 201)
    status, _, got = front.ask("GET", told["Location"])
    equal(json.loads(body)["key"], (status, got), (200, b"odd"))


@fronts
def test_errors_are_the_gateways_own(front):
    for path, want in (("/store/files/download?key=none",
                        (404, "object_not_found")),
                       ("/store/nothing", (404, "not_found")),
                       ("/store/files?limit=x", (400, "bad_query"))):
        status, _, body = front.ask("GET", path)
        equal(path, (status, json.loads(body)["code"]), want)
    equal("outside of the prefix", front.ask("GET", "/files")[0], 404)


DRAFT = {"Upload-Draft-Interop-Version": "8"}
TUS = {"Tus-Resumable": "1.0.0"}
APPEND = {**DRAFT, "Content-Type": "application/partial-upload"}
PATCH = {**TUS, "Content-Type": "application/offset+octet-stream"}


def last(wire):
    """The final answer's head; interim ones come through, or are eaten."""
    while (answer := wire.head()).status < 200:
        equal("an interim answer", (answer.status, answer.header(
            "upload-draft-interop-version")), (104, "8"))
    return answer


def created(front, headers):
    status, told, body = front.ask(
        "POST", "/store/files/uploads?filename=a.bin&prefix=t", b"", headers)
    equal("status", (status, body), (201, b""))
    return urlsplit(told["Location"]).path


def offset(front, where, headers):
    status, told, _ = front.ask("HEAD", where, headers=headers)
    equal("status", status, 200)
    return int(told["Upload-Offset"])


def lines(headers):
    return [f"{name}: {value}" for name, value in headers.items()]


@fronts
def test_resumable_upload_survives_the_front(front):
    """Half of it is on its way when the connection breaks; interim answers
    that were asked for come through, or are eaten."""
    data = bytes(range(256)) * (8 * MIB // 256)
    with front.wire() as wire:
        wire.send(head("POST", "/store/files/uploads?filename=a.bin&prefix=t",
                       *lines(DRAFT), "Upload-Complete: ?0",
                       "Content-Length: 1", host=front.host) + data[:1])
        answer = last(wire)
    equal("status", answer.status, 201)
    where = urlsplit(answer.header("location")).path
    like("address", where, "^/store/files/uploads/")
    with front.wire() as wire:
        wire.send(head("PATCH", where, *lines(APPEND), "Upload-Offset: 1",
                       "Upload-Complete: ?1",
                       f"Content-Length: {len(data) - 1}", host=front.host))
        wire.send(data[1:5 * MIB])
        wire.reset()
    # The front may have had bytes that it passed on to nobody.
    at = eventually("an offset", lambda: [offset(front, where, {})])[0]
    expect(1 <= at <= 5 * MIB, at)
    with front.wire() as wire:
        wire.send(head("PATCH", where, *lines(APPEND), f"Upload-Offset: {at}",
                       "Upload-Complete: ?1",
                       f"Content-Length: {len(data) - at}", host=front.host))
        wire.send(data[at:])
        answer = last(wire)
        made = json.loads(wire.take(int(answer.header("content-length"))))
    equal("status, md5", (answer.status, made["md5"]),
          (201, hashlib.md5(data).hexdigest()))
    status, _, body = front.ask("GET", "/store/files/download?key=" +
                                made["key"])
    equal("what is there", (status, body == data), (200, True))


@fronts
def test_tus_upload_survives_the_front(front):
    data = bytes(range(256)) * (3 * MIB // 256)
    where = created(front, {**TUS, "Upload-Length": str(len(data)),
                            "Upload-Metadata": "filename YS5iaW4="})
    status, _, _ = front.ask("PATCH", where, data[:MIB],
                             {**PATCH, "Upload-Offset": "0"})
    equal("status, offset", (status, offset(front, where, TUS)), (204, MIB))
    equal("a wrong offset", front.ask("PATCH", where, data[:MIB], {
        **PATCH, "Upload-Offset": "0"})[0], 409)
    status, _, _ = front.ask("POST", where, data[MIB:], {
        **PATCH, "Upload-Offset": str(MIB), "X-HTTP-Method-Override": "PATCH"})
    equal("status", status, 204)
    made = json.loads(front.ask("GET", where, headers=TUS)[2])["object"]
    equal("md5", made["md5"], hashlib.md5(data).hexdigest())


@fronts
def test_http_2_is_spoken(front):
    needs(shutil.which("curl"), "no curl")
    said = subprocess.run(["curl", "--version"], check=False,
                          capture_output=True).stdout
    needs(b"HTTP2" in said, "curl without HTTP/2")
    source = Path(front.folder, "source")
    source.write_bytes(bytes(range(256)) * (2 * KIB))
    got = subprocess.run(
        ["curl", "-sS", "--http2", "--cacert", f"{front.folder}/files.crt",
         "--resolve", f"{front.host}:127.0.0.1", "-F", f"file=@{source}",
         "-o", f"{front.folder}/answer", "-w", "%{http_version} %{http_code}",
         f"https://{front.host}/store/files"], check=False,
        capture_output=True, timeout=6 * PATIENCE)
    equal("version, status", got.stdout + got.stderr, b"2 201")
    made = json.loads(Path(front.folder, "answer").read_text())
    equal("size", made["size_bytes"], source.stat().st_size)


if __name__ == "__main__":
    main()

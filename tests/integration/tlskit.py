# SPDX-License-Identifier: MIT
"""A gateway behind TLS, and an authority that signs certificates for it and
for its clients.  The openssl command makes them."""
import json
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

from guards import uploaded_by
from kit import (FORM, Gateway, Mismatch, Wire, equal, eventually, expect,
                 field, file, form, needs)

SMALL = form(field("prefix", "t"), file(b"small"))
CURVE = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"


def openssl(*words, data=None, check=True):
    """This is what the command said, both ways."""
    done = subprocess.run(["openssl", *words], input=data, check=check,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace")


class Authority:
    """Signs certificates, each in a folder of its own."""

    def __init__(self, folder, name="ca"):
        self.folder = Path(folder)
        self.chain, self.key = (self.folder / f"{name}.{end}"
                                for end in ("crt", "key"))
        openssl("req", "-x509", *CURVE, "-days", "2", "-subj", f"/CN={name}",
                "-out", self.chain, "-keyout", self.key)

    def sign(self, name, subject, *extensions):
        """The certificate's file and its key's."""
        chain, key, asked = (self.folder / f"{name}.{end}"
                             for end in ("crt", "key", "csr"))
        added = [word for extension in extensions
                 for word in ("-addext", extension)]
        openssl("req", "-new", "-utf8", *CURVE, "-subj", subject, *added,
                "-out", asked, "-keyout", key)
        openssl("x509", "-req", "-in", asked, "-CA", self.chain, "-CAkey",
                self.key, "-CAcreateserial", "-copy_extensions", "copyall",
                "-days", "2", "-out", chain)
        return chain, key


class Secure(Gateway):
    """A gateway with a certificate of its own, and who trusts it.  Further
    options are those of server.tls."""

    def __init__(self, sections=None, **options):
        needs(shutil.which("openssl"), "no openssl")
        self.keys_folder = tempfile.mkdtemp(prefix="sluice-test-")
        self.chain = Path(self.keys_folder, "tls.crt")
        self.key = Path(self.keys_folder, "tls.key")
        self.certify("localhost")
        self.trust = ssl.create_default_context(cafile=str(self.chain))
        tls = {"certificate": str(self.chain), "private_key": str(self.key),
               **options}
        sections = dict(sections or {})
        sections["server"] = {**sections.get("server", {}), "tls": tls}
        super().__init__(sections)

    def certify(self, name):
        """New files in the place of those that the gateway was told."""
        fresh = [f"{path}.new" for path in (self.chain, self.key)]
        openssl("req", "-x509", *CURVE, "-days", "20", "-subj", f"/CN={name}",
                "-addext", "subjectAltName=DNS:localhost", "-out", fresh[0],
                "-keyout", fresh[1])
        for path in self.chain, self.key:
            Path(f"{path}.new").rename(path)

    @property
    def place(self):
        return self.url.removeprefix("https://")

    def wire(self, **options):
        return Wire(self.url, **{"tls": self.trust, **options})

    def plain(self):
        """A connection without TLS to the port that wants it."""
        return Wire(self.url)

    def handshake(self, *words, data=b""):
        """This is what openssl's client says of one."""
        return openssl("s_client", "-connect", self.place, *words, data=data,
                       check=False)

    def remove(self):
        super().remove()
        shutil.rmtree(self.keys_folder, ignore_errors=True)


class Mutual(Secure):
    """A gateway that knows its clients by an authority of its own, and logs
    who they are."""

    def __init__(self, sections=None, **options):
        needs(shutil.which("openssl"), "no openssl")
        self.ca_folder = tempfile.mkdtemp(prefix="sluice-test-")
        self.authority = Authority(self.ca_folder)
        self.log = Path(self.ca_folder, "log")
        log = {"plugin": "log_json", "path": str(self.log), "delay": "0",
               "fields": ["status", "identity", "subject"]}
        sections = dict(sections or {})
        sections["hooks"] = [*sections.get("hooks", []), log]
        super().__init__(sections, client_ca=str(self.authority.chain),
                         interval="0", **options)

    def client(self, chain=None, key=None):
        """The context of a client, perhaps with a certificate."""
        context = ssl.create_default_context(cafile=str(self.chain))
        if chain:
            context.load_cert_chain(chain, key)
        return context

    def upload_by(self, context, *lines):
        """This tells who has uploaded what that client did."""
        with self.wire(tls=context) as wire:
            answer = wire.ask("POST", "/files", FORM, *lines, body=SMALL)
            equal("status", answer.status, 201)
        return uploaded_by(self, answer.json["key"])

    def serves(self, context):
        try:
            with self.wire(tls=context) as wire:
                return wire.ask("GET", "/healthz").status == 200
        except (ssl.SSLError, ConnectionError, Mismatch):
            return False

    def logged(self, count=1):
        eventually(f"{count} records", lambda: self.log.exists() and
                   self.log.read_bytes().count(b"\n") >= count)
        return [json.loads(line) for line in
                self.log.read_text().splitlines()]

    def remove(self):
        super().remove()
        shutil.rmtree(self.ca_folder, ignore_errors=True)


def refused(gateway, context):
    """In TLS 1.3 the client hears of it when it reads."""
    try:
        with gateway.wire(tls=context) as wire:
            wire.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            got = wire.socket.recv(1)
    except (ssl.SSLError, ConnectionError):
        return
    expect(not got, "it was answered")

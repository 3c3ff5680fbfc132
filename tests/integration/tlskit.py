# SPDX-License-Identifier: MIT
"""A gateway behind TLS, and an authority that signs certificates for it and
for its clients.  The openssl command makes them."""
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

from kit import Gateway, Wire, needs

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

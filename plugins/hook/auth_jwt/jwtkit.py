# SPDX-License-Identifier: MIT
"""Shared by the tests of auth_jwt: keys, tokens good and bad, an issuer that
publishes its keys over HTTP as a test tells it to, and a gateway behind it."""
import base64
import datetime
import hashlib
import hmac
import ipaddress
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] /
                       "tests/integration"))
# pylint: disable=wrong-import-position
from kit import PATIENCE, FORM, Gateway, Mismatch, field, file, form  # noqa

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, \
        padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import \
        decode_dss_signature
except ImportError:
    print("skipped: python3-cryptography is missing")
    sys.exit(77)

ISSUER, AUDIENCE = "https://issuer.test", "files"
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {"ES256": ("P-256", ec.SECP256R1, 32),
          "ES384": ("P-384", ec.SECP384R1, 48),
          "ES512": ("P-521", ec.SECP521R1, 66)}


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


# ---- keys ------------------------------------------------------------------

class Key:
    """A private key; `alg` and `kid` are what its tokens say."""

    def __init__(self, alg, kid, private):
        self.alg, self.kid, self.private = alg, kid, private

    @classmethod
    def new(cls, alg, kid=None):
        make = {"R": lambda: rsa.generate_private_key(65537, 2048),
                "P": lambda: rsa.generate_private_key(65537, 2048),
                "E": lambda: ec.generate_private_key(CURVES[alg][1]()),
                "H": lambda: hashlib.sha256(
                    str(time.monotonic_ns()).encode()).hexdigest().encode()}
        if alg == "EdDSA":
            return cls(alg, kid, ed25519.Ed25519PrivateKey.generate())
        return cls(alg, kid, make[alg[0]]())

    def named(self, alg):
        """The same key, for tokens of another alg."""
        return Key(alg, self.kid, self.private)

    @property
    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, **more):
        """The public one, as an issuer publishes it."""
        if self.alg in CURVES:
            public = self.private.public_key().public_numbers()
            name, _, size = CURVES[self.alg]
            made = {"kty": "EC", "crv": name,
                    "x": b64(public.x.to_bytes(size, "big")),
                    "y": b64(public.y.to_bytes(size, "big"))}
        elif self.alg == "EdDSA":
            made = {"kty": "OKP", "crv": "Ed25519",
                    "x": b64(self.private.public_key().public_bytes(
                        serialization.Encoding.Raw,
                        serialization.PublicFormat.Raw))}
        elif self.alg[0] == "H":
            made = {"kty": "oct", "k": b64(self.private)}
        else:
            public = self.private.public_key().public_numbers()
            made = {"kty": "RSA", "n": number(public.n),
                    "e": number(public.e)}
        if self.kid is not None:
            made["kid"] = self.kid
        return {**made, **more}

    def der(self, data):
        """An ECDSA signature as X.509 has it, which JWS hasn't."""
        return self.private.sign(data, ec.ECDSA(HASHES[self.alg[2:]]()))

    def pss(self, data, salt=None):
        """The salt is as long as the hash, unless it says otherwise."""
        made = HASHES[self.alg[2:]]()
        return self.private.sign(data, padding.PSS(
            padding.MGF1(made),
            made.digest_size if salt is None else salt), made)

    def sign(self, data):
        if self.alg == "EdDSA":
            return self.private.sign(data)
        if self.alg[0] == "H":
            return hmac.new(self.private, data, "sha" + self.alg[2:]).digest()
        if self.alg[0] == "R":
            return self.private.sign(data, padding.PKCS1v15(),
                                     HASHES[self.alg[2:]]())
        if self.alg[0] == "P":
            return self.pss(data)
        r, s = decode_dss_signature(self.der(data))
        size = CURVES[self.alg][2]
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def jwks(*keys):
    return json.dumps({"keys": [key.jwk() if isinstance(key, Key) else key
                                for key in keys]}).encode()


# ---- tokens ----------------------------------------------------------------

def claims(**more):
    """Good ones; None removes one."""
    now = int(time.time())
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now,
            "exp": now + 600, **more}
    return {name: value for name, value in made.items() if value is not None}


def joined(header, payload, signature):
    return f"{b64(header)}.{b64(payload)}.{b64(signature)}"


def token(key, said=None, header=None, *, text=None, head=None, sign=None):
    """Of claims; `text` and `head` are raw JSON instead; `header` is merged
    (None removes); `sign` makes the signature from what is signed."""
    if head is None:
        made = {"alg": key.alg, "typ": "JWT", "kid": key.kid,
                **(header or {})}
        head = json.dumps({name: value for name, value in made.items()
                           if value is not None})
    if text is None:
        text = json.dumps(claims() if said is None else said)
    start = f"{b64(head)}.{b64(text)}"
    signature = (sign or key.sign)(start.encode())
    return f"{start}.{b64(signature)}"


# ---- an issuer -------------------------------------------------------------

def certificate(folder):
    """A file with a key and its certificate for 127.0.0.1, its own issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.utcnow()
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - day,
        now + day).add_extension(names, False).add_extension(
            x509.BasicConstraints(True, None), True).sign(
                key, hashes.SHA256())
    path = Path(folder, "tls.pem")
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM,
                          serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption()) +
        made.public_bytes(serialization.Encoding.PEM))
    return str(path)


class Issuer:
    """Publishes `body` with `status` at self.url; `hold()` makes it wait.
    `tls`: a file with a key and a certificate."""

    def __init__(self, body=b"", status=200, tls=None):
        self.body, self.status, self.headers = body, status, {}
        self.count, self.news = 0, threading.Condition()
        self.open = threading.Event()
        self.open.set()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                issuer.serve(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.server.socket = context.wrap_socket(self.server.socket,
                                                     server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}/keys"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.01},
                                       daemon=True)
        self.thread.start()

    def serve(self, handler):
        with self.news:
            self.count += 1
            self.news.notify_all()
        self.open.wait(PATIENCE)
        try:
            handler.send_response(self.status)
            for name, value in self.headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(self.body)))
            handler.end_headers()
            handler.wfile.write(self.body)
        except OSError:
            pass  # the gateway didn't want all of it

    def hold(self):
        self.open.clear()

    def release(self):
        self.open.set()

    def asked(self, times):
        """Waits until it was asked so many times."""
        with self.news:
            if not self.news.wait_for(lambda: self.count >= times, PATIENCE):
                raise Mismatch(f"the issuer was asked {self.count} times, "
                               f"not {times}")

    def close(self):
        self.release()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- a gateway -------------------------------------------------------------

def options(**more):
    return {"plugin": "auth_jwt", "issuer": ISSUER, "audience": [AUDIENCE],
            "operations": ["*"], "prefixes": [""], **more}


class Guarded(Gateway):
    """With one loop, so that what it asks and remembers can be counted."""

    def __init__(self, *, hooks=(), sections=None, folder=None, **more):
        super().__init__({"server": {"workers": "1"},
                          "hooks": [options(**more), *hooks],
                          **(sections or {})}, folder=folder)

    def list_by(self, text, prefix="t"):
        """The answer to a list, with this token."""
        lines = [] if text is None else [f"Authorization: Bearer {text}"]
        return self.ask("GET", f"/files?prefix={prefix}", *lines)

    def status_of(self, text, prefix="t"):
        return self.list_by(text, prefix).status

    def put(self, text, prefix="t", data=b"hello"):
        return self.ask("POST", "/files", FORM,
                        f"Authorization: Bearer {text}",
                        body=form(field("prefix", prefix), file(data)))

    def act(self, text, method, target, document=None):
        lines = [f"Authorization: Bearer {text}"]
        if document is None:
            return self.ask(method, target, *lines)
        return self.ask(method, target, *lines,
                        "Content-Type: application/json",
                        body=json.dumps(document).encode())

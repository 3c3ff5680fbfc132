# SPDX-License-Identifier: MIT
"""An OpenID Connect issuer for tests: it lets in whoever asks, by the code
flow, and sees to it that PKCE was done.  Its tokens are auth_jwt's."""
import hashlib
import json
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] /
                       "plugins/hook/auth_jwt"))
# pylint: disable=wrong-import-position
from jwtkit import Key, b64, claims, jwks, token

CLIENT, AUDIENCE = "sluice-console", "files"


def one_each(query):
    return {name: values[0] for name, values in parse_qs(query).items()}


class Issuer:
    """`visits` are the queries of /authorize, `grants` the forms of /token
    and `given` the access tokens for them.  A test may change `life` (of
    tokens), `refreshes`, `refuse` (an error in place of a code), and `claims`
    that ID tokens have besides."""

    def __init__(self):
        self.key = Key.new("ES256", "one")
        self.codes, self.visits, self.grants = {}, [], []
        self.life, self.refreshes, self.refuse = 600, False, None
        self.claims, self.given = {}, []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                issuer.get(self)

            def do_POST(self):  # pylint: disable=invalid-name
                issuer.post(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.01},
                                       daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    # ---- what it says -------------------------------------------------------

    @staticmethod
    def answer(handler, status, document=None, **headers):
        body = b"" if document is None else json.dumps(document).encode()
        handler.send_response(status)
        for name, value in {"Access-Control-Allow-Origin": "*",
                            "Content-Type": "application/json",
                            "Content-Length": str(len(body)),
                            **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def get(self, handler):
        url = urlsplit(handler.path)
        if url.path == "/.well-known/openid-configuration":
            self.answer(handler, 200, {
                "issuer": self.url, "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token"})
        elif url.path == "/keys":
            self.answer(handler, 200, json.loads(jwks(self.key)))
        elif url.path == "/authorize":
            self.authorize(handler, one_each(url.query))
        else:
            self.answer(handler, 404)

    def authorize(self, handler, asked):
        self.visits.append(asked)
        told = {"state": asked.get("state", ""), "iss": self.url}
        if self.refuse:
            told["error"] = self.refuse
        else:
            told["code"] = secrets.token_urlsafe()
            self.codes[told["code"]] = asked
        self.answer(handler, 302,
                    Location=f"{asked['redirect_uri']}?{urlencode(told)}")

    def post(self, handler):
        form = one_each(handler.rfile.read(
            int(handler.headers["Content-Length"])).decode())
        self.grants.append(form)
        fault = self.fault(form)
        if fault:
            self.answer(handler, 400, {"error": "invalid_grant",
                                       "error_description": fault})
            return
        asked = self.codes.pop(form.get("code"), {})
        now = int(time.time())
        self.given.append(self.token())
        said = {"access_token": self.given[-1], "token_type": "Bearer",
                "expires_in": self.life,
                "id_token": token(self.key, claims(
                    iss=self.url, aud=CLIENT, iat=now, exp=now + 600,
                    **{"nonce": asked.get("nonce"), **self.claims}))}
        if self.refreshes:
            said["refresh_token"] = secrets.token_urlsafe()
        self.answer(handler, 200, said)

    def token(self):
        return token(self.key, claims(iss=self.url, aud=AUDIENCE,
                                      exp=int(time.time()) + self.life,
                                      jti=secrets.token_urlsafe()))

    def fault(self, form):
        """Why this form of /token is refused, or None."""
        if form.get("client_id") != CLIENT:
            return "another client"
        if form.get("grant_type") == "refresh_token":
            return None if self.refreshes else "no refreshing"
        asked = self.codes.get(form.get("code"))
        if asked is None:
            return "no such code"
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return "another page"
        sum_ = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if b64(sum_) != asked.get("code_challenge") or \
                asked.get("code_challenge_method") != "S256":
            return "no proof of the code's owner"
        return None

    def sections(self):
        """Of a gateway whose readers sign in here."""
        return {"server": {"console_issuer": self.url,
                           "console_client": CLIENT},
                "hooks": [{"plugin": "auth_jwt", "issuer": self.url,
                           "audience": [AUDIENCE], "jwks": f"{self.url}/keys",
                           "operations": ["*"], "prefixes": [""],
                           "leeway": "0s", "refresh_pause": "100ms"}]}


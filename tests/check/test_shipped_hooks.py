#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every hook that is shipped passes sluice-plugin-check, those that guard with
the credentials of somebody they know."""
import base64
import ctypes
import hashlib
import hmac
import json
import os
import tempfile
import time
from pathlib import Path

from conform import CHECK, passes, plugin

from kit import PLUGINS, Mismatch, among, each, expect, main, needs, test
from service import Service, said

KEY = "0123456789abcdef0123456789abcdef"
KNOWN = "guards: somebody with credentials is allowed"


def conforms(name, options, *words, header=None, patience=10):
    """The options come from a file, as YAML takes JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "options.yaml")
        path.write_text(json.dumps(options), encoding="utf-8")
        who = ["--header", header] if header else []
        report = passes("-o", str(path), *who, *words, plugin(name),
                        patience=patience)
        if header:
            among(KNOWN, KNOWN, report.passed)
        return report


def kept(folder, name, text):
    path = Path(folder, name)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return str(path)


# ---- those that guard -------------------------------------------------------

@test
def test_auth_token_passes():
    with tempfile.TemporaryDirectory() as folder:
        tokens = [{"sha256": hashlib.sha256(KEY.encode()).hexdigest(),
                   "identity": "ann", "operations": ["*"],
                   "prefixes": ["a/", "users/{user}/"]}]
        path = kept(folder, "tokens.yaml", json.dumps({"tokens": tokens}))
        conforms("auth_token", {"file": path, "header": "X-Api-Key"},
                 header=f"Authorization: Bearer {KEY}")


def hashed(password):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    salt = b"$2b$04$abcdefghijklmnopqrstuu"
    return library.crypt(password.encode(), salt).decode()


@test
def test_auth_basic_passes():
    pair = base64.b64encode(f"ann:{KEY}".encode()).decode()
    with tempfile.TemporaryDirectory() as folder:
        path = kept(folder, "htpasswd", f"ann:{hashed(KEY)}\n")
        conforms("auth_basic", {"file": path, "prefixes": ["a/"]},
                 header=f"Authorization: Basic {pair}")


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token():
    claims = {"iss": "https://login.example", "aud": "files", "sub": "ann",
              "exp": int(time.time()) + 86400}
    text = ".".join(encoded(json.dumps(part).encode()) for part in
                    ({"alg": "HS256", "typ": "JWT"}, claims))
    sign = hmac.new(KEY.encode(), text.encode(), "sha256").digest()
    return f"{text}.{encoded(sign)}"


@test
def test_auth_jwt_passes():
    conforms("auth_jwt", {"issuer": "https://login.example",
                          "audience": ["files"], "secret": KEY,
                          "algorithms": ["HS256"], "operations": ["*"],
                          "prefixes": ["a/"]},
             header=f"Authorization: Bearer {token()}")


def knows_one(conn, asked):
    good = asked.header("X-Token") == KEY
    conn.sendall(said(204, "X-User: ann") if good else said(401))
    return True


@each({"uncached": "0s", "cached": "10s"})
def test_auth_request_passes(cache_time):
    with Service(knows_one) as service:
        conforms("auth_request",
                 {"url": service.url + "/may-i", "check_key": True,
                  "identity_header": "X-User", "cache_time": cache_time,
                  "send_headers": ["Authorization", "X-Token"]},
                 header=f"X-Token: {KEY}")


# ---- the others -------------------------------------------------------------

@test
def test_auth_request_survives_an_outage_of_its_service():
    """Remembered answers stay; nobody new is let in meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        down = Path(folder, "down")

        def knows_one_while_up(conn, asked):
            return not down.exists() and knows_one(conn, asked)

        with Service(knows_one_while_up) as service:
            report = conforms(
                "auth_request",
                {"url": service.url + "/may-i", "send_headers": ["X-Token"]},
                "--down", f"touch {down}", "--up", f"rm {down}",
                header=f"X-Token: {KEY}")
        among("outage", "outage: nobody new is allowed, and those known are "
              "again after it", report.passed)


@test
def test_events_passes():
    with tempfile.TemporaryDirectory() as folder, Service() as service:
        conforms("events", {"url": service.url, "secret": KEY,
                            "directory": str(Path(folder, "events"))})
        expect(service.asked, "nobody heard of anything")


@each({name: name for name in ("log_json", "log_combined")})
def test_log_passes(name):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "access.log")
        conforms(name, {"path": str(path)})
        expect(path.stat().st_size > 0, "nothing is logged")


@each({"requests": {"requests": 5, "burst": 7},
       "bytes": {"bytes": "1MiB", "debt": "1s"},
       "few_entries": {"requests": 50, "entries": 1024}})
def test_rate_limit_passes(options):
    conforms("rate_limit", options)


@each({"identity": {"bytes": "10MiB"},
       "prefix": {"by": "prefix", "objects": 3}})
def test_quota_passes(options):
    with tempfile.TemporaryDirectory() as folder:
        conforms("quota", {"file": f"{folder}/quota.db", **options})


@each({"refuses": "return request:deny(403, 'no')", "fails": "x.y = 1",
       "endless": "while true do end", "knows": "request:identify('ann')"})
def test_lua_passes(body):
    needs(any(Path(folder, "lua.so").exists() for folder in PLUGINS),
          "no Lua 5.4 (Debian: liblua5.4-dev)")
    with tempfile.TemporaryDirectory() as folder:
        path = kept(folder, "s.lua", f"""
function on_request(request) {body} end
function on_response(request) request:add_header("X-A", "b") end
function on_log(request, record) last = record.status end
""")
        conforms("lua", {"script": path})


@each({"refused": "deny", "stored unseen": "pass"})
def test_scan_clamd_passes(what):
    """Without a clamd, which is what most of its rules are about."""
    conforms("scan_clamd", {"socket": "/nonexistent/clamd.ctl",
                            "on_failure": what})


@each({"takes": "*/*", "refuses": "image/png"})
def test_sniff_passes(allowed):
    needs(any(Path(folder, "sniff.so").exists() for folder in PLUGINS),
          "no libmagic (Debian: libmagic-dev libseccomp-dev)")
    conforms("sniff", {"allow": [allowed]})


if __name__ == "__main__":
    if not os.access(CHECK, os.X_OK):
        raise Mismatch(f"{CHECK} isn't there")
    main()

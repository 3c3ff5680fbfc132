#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""auth_jwt as an operator configures it: who is admitted, to what."""
import json
import re
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from jwtkit import Guarded, Key, claims, jwks, options, rsa, serialization, \
    token
from kit import FORM, PLUGINS, SOURCES, Wire, each, equal, eventually, \
    index_of, \
    expect, field, file, form, head, like, main, refusal, run, test

ALGS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
        "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KEYS = {alg: Key.new(alg, f"{alg}-1") for alg in ALGS}
EC = KEYS["ES256"]


def written(folder, name, data):
    path = Path(folder, name)
    path.write_bytes(data)
    return str(path)


class OfFile(Guarded):
    """Behind a file of keys."""

    def __init__(self, *keys, **more):
        self.files = tempfile.TemporaryDirectory(prefix="sluice-test-")
        path = written(self.files.name, "keys.json", jwks(*(keys or [EC])))
        super().__init__(**{"jwks": path, **more})

    def remove(self):
        super().remove()
        self.files.cleanup()


# ---- whom ------------------------------------------------------------------

@each({alg: alg for alg in KEYS})
def test_a_good_token_is_admitted(alg):
    with OfFile(*KEYS.values()) as gateway:
        good = token(KEYS[alg])
        equal("status", gateway.put(good).status, 201)
        equal("status of the next", gateway.put(good).status, 201)
        equal("listed", gateway.list_by(good).json["count"], 2)


def grouped(name, count):
    return [name.format(number) for number in range(count)]


GROUPS = {
    "UUIDs": grouped("1f0e9c6a-4b7d-4a52-9d1e-{:012}", 200),
    "paths": grouped("/example.org/departments/engineering/team-{:05}", 200),
    "500 UUIDs": grouped("1f0e9c6a-4b7d-4a52-9d1e-{:012}", 500)}


@each(GROUPS)
def test_a_token_of_many_groups_is_admitted(groups):
    with OfFile(KEYS["RS512"]) as gateway:
        big = token(KEYS["RS512"], claims(groups=groups))
        expect(len(big) > 10000, f"it has {len(big)} bytes")
        for _ in range(2):
            equal("status", gateway.status_of(big), 200)


UNASKED = {
    "an integer beyond 64 bits": '"x": 18446744073709551616',
    "a negative one": '"x": -9223372036854775809',
    "an integer of 400 digits": '"x": ' + "9" * 400,
    "a huge exponent": '"x": 1e999, "y": [-1E+99999999999]',
    "a tiny exponent": '"x": 1e-999',
    "a NUL": '"x": "a\\u0000b"',
    "a NUL in a name": '"a\\u0000b": {"\\u0000": 1}',
    "half a pair": '"x": "\\ud83d", "y": "\\ude00\\ud83d!"',
    "a whole pair": '"x": "\\ud83d\\ude00"',
    "what only looks so": '"x": "\\\\u0000 1e999 \\"1e999"'}


@each(UNASKED)
def test_what_nobody_asks_for_may_be(text):
    with OfFile() as gateway:
        said = json.dumps(claims())[:-1] + ", " + text + "}"
        equal("status", gateway.status_of(token(EC, text=said)), 200)


@each({alg: alg for alg in ALGS})
def test_a_key_with_an_alg_verifies_no_other(alg):
    """Also where its type could verify several."""
    key = KEYS[alg]
    others = [other for other in ALGS if other != alg and (
        other[0] == alg[0] == "H" or {alg[0], other[0]} <= {"R", "P"})]
    with OfFile(key.jwk(alg=alg)) as gateway:
        equal("its own", gateway.status_of(token(key)), 200)
        for other in others:
            equal(other, gateway.status_of(token(key.named(other))), 401)
    with OfFile(key) as gateway:
        for other in others:
            equal(other, gateway.status_of(token(key.named(other))), 200)


@test
def test_without_a_token_it_is_401_with_a_challenge():
    with OfFile(realm="my files") as gateway:
        answer = gateway.list_by(None)
        equal("status", answer.status, 401)
        equal("challenge", answer.header("www-authenticate"),
              'Bearer realm="my files"')
        for other in ("Basic YTpi", "Digest x", "Bearer opaque"):
            answer = gateway.ask("GET", "/files?prefix=t",
                                 f"Authorization: {other}")
            equal(f"status of {other}", answer.status, 401)
            equal(f"challenge of {other}", answer.header("www-authenticate"),
                  'Bearer realm="my files"')


@test
def test_a_bad_token_is_401_with_its_reason():
    with OfFile() as gateway:
        answer = gateway.list_by(token(EC, claims(exp=1)))
        equal("status", answer.status, 401)
        equal("challenge", answer.header("www-authenticate"),
              'Bearer realm="sluice", error="invalid_token", '
              'error_description="The token has expired"')
        equal("error", answer.json["error"], "The token has expired")


@test
def test_another_hook_may_know_what_is_no_jwt():
    with OfFile(hooks=[{"plugin": "skeleton_hook", "token": "x"}]) as gateway:
        answer = gateway.ask("GET", "/files?prefix=t", "X-Token: x")
        equal("with the other's token", answer.status, 200)
        answer = gateway.ask("GET", "/files?prefix=t", "X-Token: x",
                             "Authorization: Bearer opaque")
        equal("with a bearer of another kind", answer.status, 200)
        answer = gateway.ask("GET", "/files?prefix=t", "X-Token: x",
                             "Authorization: Bearer a.b.c")
        equal("with a bad token besides", answer.status, 401)


@test
def test_the_scheme_may_be_in_any_case():
    with OfFile() as gateway:
        for scheme in ("bearer", "BEARER", "Bearer "):
            answer = gateway.ask("GET", "/files?prefix=t",
                                 f"Authorization: {scheme} {token(EC)}")
            equal(f"status of '{scheme}'", answer.status, 200)


def uploaded_by(gateway):
    """The metadata that the store has of its only object."""
    with index_of(gateway.folder) as index:
        return "\n".join(index.iterdump())


@test
def test_the_identity_is_what_uploads_record():
    with OfFile(identity_claim="email") as gateway:
        good = token(EC, claims(sub=None, email="ann@x.test"))
        equal("status", gateway.put(good, data=b"x" * 70000).status, 201)
        text = uploaded_by(gateway)
        expect("ann@x.test" in text or b"ann@x.test".hex().upper() in
               text.upper(), "the identity isn't in the index")


@test
def test_a_token_that_expires_during_an_upload_stores_nothing():
    with OfFile(leeway="0") as gateway, Wire(gateway.url) as wire:
        short = token(EC, claims(exp=int(time.time()) + 2))
        body = form(field("prefix", "t"), file(b"x" * 5000))
        wire.send(head("POST", "/files", FORM,
                       f"Authorization: Bearer {short}",
                       "Expect: 100-continue",
                       f"Content-Length: {len(body)}"))
        equal("interim", wire.head().status, 100)  # it was admitted
        eventually("the token to expire",
                   lambda: gateway.status_of(short) == 401)
        wire.send(body)
        answer = wire.answer()
        equal("refusal", (answer.status, answer.error),
              (401, "The token has expired"))
        equal("objects", gateway.list_by(token(EC)).json["objects"], [])


# ---- what ------------------------------------------------------------------

def act_all(gateway, good, key):
    """Of each operation the status."""
    return {"upload": gateway.put(good).status,
            "list": gateway.status_of(good),
            "download": gateway.act(
                good, "GET", f"/files/download?key={quote(key)}").status,
            "presign": gateway.act(good, "POST", "/files/presign",
                                   {"key": key}).status,
            "delete": gateway.act(good, "DELETE", "/files",
                                  {"key": key}).status}


FINE = {"upload": 201, "list": 200, "download": 200, "presign": 200,
        "delete": 200}


def admitted(*operations):
    return {name: status if name in operations else 403
            for name, status in FINE.items()}


@each({
    "one": ("openid files:download", admitted("download")),
    "list": (["files:list", "files:upload"], admitted("list", "upload")),
    "all": ("files:*", FINE),
    "others": ("mail:upload upload files:", admitted()),
    "empty": ("", admitted()),
    "missing": (None, admitted("presign")),
})
def test_the_scope_says_which_operations(case):
    scope, want = case
    with OfFile(operations_claim="scope", operations=["presign"]) as gateway:
        key = gateway.put(token(EC, claims(scope="files:upload"))).json["key"]
        good = token(EC, claims(scope=scope))
        equal("statuses", act_all(gateway, good, key), want)


@test
def test_an_operation_that_is_not_permitted_says_so():
    with OfFile(operations=["list"]) as gateway:
        answer = gateway.put(token(EC))
        equal("status", answer.status, 403)
        like("challenge", answer.header("www-authenticate"),
             'error="insufficient_scope"')


# ---- where -----------------------------------------------------------------

@test
def test_a_user_stays_below_their_prefix():
    with OfFile(prefixes=["users/{user}/"]) as gateway:
        ann, bob = (token(EC, claims(sub=who)) for who in ("ann", "bob"))
        mine = gateway.put(ann, "users/ann")
        equal("own upload", mine.status, 201)
        key = mine.json["key"]
        equal("own", act_all_keys(gateway, ann, key), [200, 200, 200])
        key = gateway.put(ann, "users/ann").json["key"]
        equal("of another", act_all_keys(gateway, bob, key), [403, 403, 403])
        gone = gateway.act(bob, "GET", "/files/download?key=users/ann/none")
        equal("of another, that isn't there", gone.status, 403)


def act_all_keys(gateway, good, key):
    return [gateway.act(good, "GET",
                        f"/files/download?key={quote(key)}").status,
            gateway.act(good, "POST", "/files/presign", {"key": key}).status,
            gateway.act(good, "DELETE", "/files", {"key": key}).status]


@each({
    "above": "users/", "root": "", "neighbour": "users/bob/",
    "unfinished": "users/ann", "longer": "users/annabel/",
    "case": "Users/ann/", "case of the name": "users/ANN/",
    "dots": "users/ann/../bob/", "encoded dots": "users/ann/%2e%2e/bob/",
    "encoded slash": "users%2Fbob%2F", "twice encoded": "users%252Fann%252F",
    "wide letters": quote("users/\uff41nn/"), "slash before": "/users/ann/",
    "two slashes": "users//ann/", "backslash": "users%5Cann%5C",
    "combining": quote("users/ann\u0301/"), "blank": "users/ann%20/",
    "nul": "users/bob/%00users/ann/"})
def test_no_list_leaves_the_prefix(prefix):
    with OfFile(prefixes=["users/{user}/"]) as gateway:
        for name in ("ann", "bob"):
            gateway.put(token(EC, claims(sub=name)), f"users/{name}")
        answer = gateway.list_by(token(EC), prefix)
        expect(answer.status in (400, 403), f"it was {answer.status}")


@test
def test_a_cursor_of_another_user_leads_nowhere():
    with OfFile(prefixes=["users/{user}/"]) as gateway:
        ann, bob = (token(EC, claims(sub=who)) for who in ("ann", "bob"))
        for _ in range(2):
            gateway.put(bob, "users/bob")
        page = gateway.act(bob, "GET", "/files?prefix=users/bob/&limit=1")
        cursor = quote(page.json["next_cursor"])
        for prefix, want in (("users/ann/", 400), ("users/bob/", 403)):
            answer = gateway.act(
                ann, "GET", f"/files?prefix={prefix}&cursor={cursor}")
            equal(f"status with {prefix}", answer.status, want)


@each({"slash": "ann/../bob", "dots": "..", "dot": ".", "star": "*",
       "empty prefix": "/", "control": "a\u0007b", "line": "ann\r\nX-A: b",
       "long": "a" * 257, "braces": "{user}"})
def test_an_identity_that_would_be_a_path_reaches_nothing_else(name):
    with OfFile(prefixes=["users/{user}/"]) as gateway:
        gateway.put(token(EC, claims(sub="bob")), "users/bob")
        evil = token(EC, claims(sub=name))
        for prefix in ("users/bob/", "users/", "", "bob/"):
            answer = gateway.list_by(evil, prefix)
            expect(answer.status in (401, 403),
                   f"list of '{prefix}' was {answer.status}")
            expect(answer.header("x-a") is None, "a header came in")


@test
def test_prefixes_come_from_a_claim():
    with OfFile(prefixes_claim="dirs", prefixes=["common/"]) as gateway:
        some = token(EC, claims(dirs=["a/", "users/{user}/"]))
        equal("a/", gateway.status_of(some, "a/"), 200)
        equal("users/ann/", gateway.status_of(some, "users/ann/"), 200)
        equal("common/", gateway.status_of(some, "common/"), 403)
        equal("without it", gateway.status_of(token(EC), "common/"), 200)
        none = token(EC, claims(dirs=[]))
        equal("none", gateway.status_of(none, "common/"), 403)
        bad = token(EC, claims(dirs=["../"]))
        equal("bad", gateway.status_of(bad, "common/"), 401)


# ---- keys in files ---------------------------------------------------------

@each({alg: alg for alg in ALGS if alg[0] != "H"})
def test_a_pem_file_verifies_whatever_kid_a_token_has(alg):
    with tempfile.TemporaryDirectory() as folder:
        other = Key.new("ES256")
        path = written(folder, "key.pem", KEYS[alg].pem + other.pem)
        with Guarded(key_file=path) as gateway:
            equal("status", gateway.status_of(token(KEYS[alg])), 200)
            equal("of the second", gateway.status_of(token(other)), 200)
            # With the public key's text as the secret of an HMAC.
            for text in (KEYS[alg].pem, KEYS[alg].pem.strip(),
                         KEYS[alg].pem + other.pem):
                forged = Key("HS256", None, text)
                equal("forged", gateway.status_of(token(forged)), 401)


@test
def test_a_secret_verifies_hs256_only():
    secret = KEYS["HS256"].private
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, "secret", secret + b"\n")
        for how in ({"secret": secret.decode()}, {"secret_file": path}):
            with Guarded(**how) as gateway:
                equal("status", gateway.status_of(token(KEYS["HS256"])), 200)
                equal("ES256", gateway.status_of(token(EC)), 401)
                expect(not any(secret.decode() in line
                               for line in gateway.lines),
                       "the secret is in the log")


@test
def test_a_key_file_is_read_again():
    with tempfile.TemporaryDirectory() as folder:
        new = Key.new("ES256")
        path = written(folder, "key.pem", EC.pem)
        with Guarded(key_file=path, refresh="1s",
                     refresh_pause="1s") as gateway:
            equal("before", gateway.status_of(token(EC)), 200)
            at = len(gateway.lines)
            written(folder, "key.pem", b"no key")
            gateway.says("no.*PEM|made of public keys", after=at)
            equal("while it is wrong", gateway.status_of(token(EC)), 200)
            at = len(gateway.lines)
            written(folder, "key.pem", new.pem)
            gateway.says("was read again", after=at)
            equal("after", gateway.status_of(token(new)), 200)
            equal("the old one", gateway.status_of(token(EC)), 401)


# ---- time ------------------------------------------------------------------

@test
def test_leeway_is_for_both_ends():
    now = int(time.time())
    with OfFile(leeway="1m") as gateway:
        for said, want in (({"exp": now - 30}, 200), ({"exp": now - 61}, 401),
                           ({"nbf": now + 30}, 200), ({"nbf": now + 90}, 401),
                           ({"iat": now + 30}, 200), ({"iat": now + 90}, 401)):
            equal(f"{said}", gateway.status_of(token(EC, claims(**said))),
                  want)


@test
def test_a_remembered_token_ends_in_time():
    with OfFile(leeway="0") as gateway:
        ends = int(time.time()) + 2
        short = token(EC, claims(exp=ends))
        equal("before", gateway.status_of(short), 200)
        while time.time() < ends:
            among = gateway.status_of(short)
            expect(among in (200, 401), f"it was {among}")
        equal("after", gateway.status_of(short), 401)


# ---- configuration ---------------------------------------------------------

BASE = options(secret="0123456789abcdef0123456789abcdef")


@each({
    "no keys": ({"secret": None}, "no keys"),
    "two sources": ({"jwks": "x"}, "several"),
    "short secret": ({"secret": "0123456789"}, "32 bytes"),
    "no issuer": ({"issuer": None}, "issuer"),
    "no audience": ({"audience": None}, "audience"),
    "no operations": ({"operations": []}, "nobody may do anything"),
    "odd operation": ({"operations": ["read"]},
                      "'read' is not known; write some of upload, presign, "
                      "download, list, delete, replace, copy, revoke, "
                      "debug, \\*"),
    "nearly an operation": ({"operations": ["uplaod"]},
                            "did you mean 'upload'"),
    "no prefixes": ({"prefixes": []}, "nobody reaches any key"),
    "odd prefix": ({"prefixes": ["users/{user}"]}, "prefixes"),
    "alg none": ({"algorithms": ["none"]}, "'none' is none"),
    "no algs": ({"algorithms": []}, "algorithms"),
    "leeway": ({"leeway": "6m"}, "0 to 5m"),
    "cache": ({"cache": "65537"}, "65536"),
    "keep": ({"keep": "1m"}, "keep"),
    "pause": ({"refresh_pause": "6m"}, "refresh_pause"),
    "claim": ({"identity_claim": ""}, "identity_claim"),
    "realm": ({"realm": ""}, "realm"),
    "no file": ({"secret": None, "jwks": "/nowhere/keys"}, "nowhere"),
    "url": ({"secret": None, "jwks": "https://a:b@c/"}, "password"),
    "url of no host": ({"secret": None, "jwks": "https:///x"}, "host"),
})
def test_a_wrong_configuration_does_not_start(case):
    change, word = case
    hook = {name: value for name, value in {**BASE, **change}.items()
            if value is not None}
    refusal({"hooks": [hook]}, word)


def private_pem():
    return EC.private.private_bytes(serialization.Encoding.PEM,
                                    serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption())


def weak_pem():
    return Key("RS256", None, rsa.generate_private_key(65537, 1024)).pem


@each({"private": (private_pem, "a private key"),
       "weak": (weak_pem, "too weak"),
       "no key": (lambda: b"x", "isn't made of public keys")})
def test_a_key_file_that_is_not_good_does_not_start(case):
    make, word = case
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, "key.pem", make())
        refusal({"hooks": [options(key_file=path)]}, word)


@test
def test_what_is_waived_is_warned_of():
    with OfFile(issuer="", audience=[]) as gateway:
        gateway.says("'issuer' is empty")
        gateway.says("'audience' is empty")
        equal("status", gateway.status_of(
            token(EC, claims(iss=None, aud=None))), 200)


PUBLIC, SECRET = KEYS["ES256"], KEYS["HS256"]
EXPOSED = {
    "a secret that is read": (
        "secret_file", SECRET.private, 0o604, "can be read or written"),
    "a secret that is ours": ("secret_file", SECRET.private, 0o600, None),
    "a set with a secret": (
        "jwks", jwks(PUBLIC, SECRET), 0o644, "can be read or written"),
    "a public set": ("jwks", jwks(PUBLIC), 0o644, None),
    "a public set that is written": (
        "jwks", jwks(PUBLIC), 0o646, "can be written"),
    "a public key that is written": (
        "key_file", PUBLIC.pem, 0o666, "can be written")}


@each(EXPOSED)
def test_files_that_others_can_use_are_warned_of(case):
    option, data, mode, words = case
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = written(folder, "keys", data)
        Path(path).chmod(mode)
        with Guarded(**{option: path}) as gateway:
            lines = [line for line in gateway.lines if "by any user" in line]
            equal("lines", len(lines), 0 if words is None else 1)
            expect(words is None or (words in lines[0] and path in lines[0]),
                   f"it says {lines}")


@test
def test_only_the_algorithms_that_are_named_are_taken():
    with OfFile(*KEYS.values(), algorithms=["ES256"]) as gateway:
        for alg, key in KEYS.items():
            equal(alg, gateway.status_of(token(key)),
                  200 if alg == "ES256" else 401)


@test
def test_the_example_is_accepted():
    example = SOURCES / "plugins/hook/auth_jwt/auth_jwt.yaml"
    with tempfile.TemporaryDirectory() as folder:
        lines = [line for line in example.read_text().splitlines()
                 if not re.match("plugin_path:", line)]
        lines.append(f"plugin_path: {json.dumps(PLUGINS)}")
        path = written(folder, "x.yaml", "\n".join(lines).encode())
        status, _, text = run("-c", path, "-t")
        equal("status", (status, text if status else ""), (0, ""))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Attacks on a gateway with two guards in one chain, auth_token and auth_jwt.

The victim is alice.  Each attacker has something that is good for less: bob's
token and bob's JWT (all of users/bob/), a token that may only read, one that
expired, or what he made himself.  Each row says how that ends; the last tests
compare all that is stored with what was there before."""
import atexit
import hashlib
import hmac
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from guards import ID, JSON, OWN, SECRET, escapes, requests, upload
from kit import FORM, SOURCES, Gateway, Wire, among, each, equal, \
    index_of, \
    eventually, expect, field, file, form, head, main, request, test

sys.path.insert(0, str(SOURCES / "plugins/hook/auth_jwt"))
# pylint: disable=wrong-import-position
from jwtkit import Key, claims, joined, jwks, options, token  # noqa: E402

ES, OTHER = Key.new("ES256", "e"), Key.new("ES256", "e")
PEM = Key("HS256", "e", ES.pem)
PAST = int(time.time()) - 3600
NAME = "alices-only.txt"
OPERATIONS = ("upload", "presign", "download", "list", "delete")


# ---- who -------------------------------------------------------------------

def api(who):
    return [f"X-Api-Key: {who}-key"]


def bearer(text):
    return [f"Authorization: Bearer {text}"]


def jwt(who, key=ES, **more):
    return bearer(token(key, claims(sub=who, **more)))


def row(who, *, operations=("*",), prefixes=("users/{user}/",), expires=None):
    return {"sha256": hashlib.sha256(f"{who}-key".encode()).hexdigest(),
            "identity": who, "operations": list(operations),
            "prefixes": list(prefixes),
            **({"expires": expires} if expires else {})}


TOKENS = [row("alice"), row("bob"), row("root", prefixes=[""]),
          row("reader", operations=["download", "list"]),
          row("auditor", operations=["download", "list"],
              prefixes=["users/alice/"]),
          row("old", prefixes=["", "users/{user}/"],
              expires="2020-01-01T00:00:00Z")]


LEAKED = "the secret of cursors"


# ---- the scene -------------------------------------------------------------

class World:
    """One gateway, with two objects of alice's and two of bob's."""

    def __init__(self):
        self.files = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        (self.files / "tokens.yaml").write_text(json.dumps({"tokens": TOKENS}))
        (self.files / "tokens.yaml").chmod(0o600)
        (self.files / "keys.json").write_bytes(jwks(ES))
        self.gateway = Gateway({
            "uploads": {"prefix": "users/{user}"},
            "links": {"secret": LEAKED},
            "cors": {"origins": ["https://app.test"], "credentials": True},
            "hooks": [{"plugin": "auth_token", "header": "X-Api-Key",
                       "file": str(self.files / "tokens.yaml")},
                      options(jwks=str(self.files / "keys.json"),
                              prefixes=["users/{user}/"])]})
        atexit.register(self.close)
        self.key = upload(self.gateway, api("alice"), "users/alice",
                          NAME, SECRET).json["key"]
        self.tail = self.key[len("users/alice/"):]
        upload(self.gateway, api("alice"), "users/alice", NAME, SECRET)
        self.own = upload(self.gateway, api("bob"), "users/bob").json["key"]
        upload(self.gateway, jwt("bob"), "users/bob")
        self.absent = self.key[:-len(NAME)] + "alices-none.txt"
        self.before = self.stored()

    def close(self):
        if self.gateway.process.poll() is None:
            self.gateway.kill()
        shutil.rmtree(self.files, ignore_errors=True)

    def stored(self):
        """Every row and every file."""
        data = Path(self.gateway.folder, "data")
        with index_of(self.gateway.folder) as index:
            rows = [index.execute(f"SELECT * FROM {table} ORDER BY 1")
                    .fetchall() for table in ("object", "small")]
        files = {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
                 for path in data.rglob("*") if path.is_file() and
                 not path.name.startswith("index.db")}
        return rows, files

    def link(self, lines=(), key=None):
        """The query of a good link."""
        answer = self.gateway.ask(
            "POST", "/files/presign", *(lines or api("bob")), JSON,
            body=json.dumps({"key": key or self.own}).encode())
        return answer.json["url"].split("?", 1)[1]

    def cursor(self, who):
        page = self.gateway.ask(
            "GET", f"/files?prefix=users/{who}/&limit=1", *api(who)).json
        return quote(page["next_cursor"], safe="")

    def send(self, attack):
        """This is what an attack gets; never anything of alice's."""
        method, target, lines, body = attack
        answer = self.gateway.ask(method, target, *lines, body=body)
        expect(SECRET not in answer.body, "it was shown")
        if answer.status < 300:
            for word in (NAME.encode(), b"users/alice", b"signature="):
                expect(word not in answer.body, f"{word} is in the answer")
        return answer


WORLDS = []


def world():
    if not WORLDS:
        WORLDS.append(World())
    return WORLDS[0]


CASES = {}  # name: (what makes the request of a world, statuses)


def add(name, make, *statuses):
    assert name not in CASES, name
    CASES[name] = (make, statuses)


# ---- credentials, each against every operation ------------------------------

NONE = b'{"alg":"none","typ":"JWT"}'
PEOPLE = {
    "nobody": (lambda: [], 401),
    "an empty key": (lambda: ["X-Api-Key:"], 401),
    "an unknown key": (lambda: api("eve"), 401),
    "an expired key": (lambda: api("old"), 401),
    "bob's key": (lambda: api("bob"), 403),
    "bob's key as a bearer": (lambda: bearer("bob-key"), 403),
    "bob's JWT": (lambda: jwt("bob"), 403),
    "a key that reads elsewhere": (lambda: api("reader"), 403),
    "bob's key and bob's JWT": (lambda: api("bob") + jwt("bob"), 403),
    "bob's key and a reader's JWT":
        (lambda: api("bob") + jwt("reader"), 403),
    "an auditor's key and bob's JWT":
        (lambda: api("auditor") + jwt("bob"), 403),
    "bob's key, and a forged JWT":
        (lambda: api("bob") + jwt("alice", OTHER), 401),
    "an unknown key, and a forged JWT":
        (lambda: api("eve") + jwt("alice", OTHER), 401),
    "an expired key, and bob's JWT": (lambda: api("old") + jwt("bob"), 401),
    "bob's key, and an expired one":
        (lambda: api("bob") + bearer("old-key"), 403),
    "two keys": (lambda: api("bob") + api("old"), 400),
    "two keys in one line": (lambda: ["X-Api-Key: bob-key, old-key"], 401),
    "two JWTs": (lambda: jwt("bob") + jwt("alice", OTHER), 400),
    "a forged JWT": (lambda: jwt("alice", OTHER), 401),
    "an expired JWT": (lambda: jwt("alice", exp=PAST), 401),
    "a JWT of tomorrow": (lambda: jwt("alice", nbf=PAST + 86400), 401),
    "a JWT for others": (lambda: jwt("alice", aud="mail"), 401),
    "a JWT of another issuer": (lambda: jwt("alice", iss="https://x.test"),
                                401),
    "a JWT of no algorithm": (lambda: bearer(
        joined(NONE, json.dumps(claims(sub="alice")), "")), 401),
    "a JWT signed with the public key": (lambda: jwt("alice", PEM), 401),
    "a JWT whose signature was cut": (lambda: [
        jwt("alice")[0].rpartition(".")[0] + "."], 401),
    "a name": (lambda: ["X-User-Id: alice"], 401),
    "a name and bob's key": (lambda: ["X-User-Id: alice", *api("bob")], 403),
    "a name and bob's JWT": (lambda: jwt("bob") + ["X-User-Id: alice"], 403),
    "a password": (lambda: ["Authorization: Basic YWxpY2U6YQ=="], 401),
    "an address": (lambda: ["X-Forwarded-For: 127.0.0.1",
                            "Forwarded: for=127.0.0.1"], 401),
    "a climbing identity": (lambda: jwt("../alice"), 403),
    "an identity with a slash": (lambda: jwt("alice/20"), 403),
    "an identity of dots": (lambda: jwt(".."), 403),
    "no identity": (lambda: jwt(""), 401),
    "an identity with a line": (lambda: jwt("bob\r\nX-User-Id: alice"), 401),
    "an identity with a NUL": (lambda: jwt("alice\0"), 401),
    "a capital identity": (lambda: jwt("Alice"), 403),
    "a wide identity": (lambda: jwt("\uff41lice"), 403),
    "the identity {user}": (lambda: jwt("{user}"), 403),
    "an identity of 256 bytes": (lambda: jwt("a" * 256), 403),
    "an identity of 257 bytes": (lambda: jwt("a" * 257), 401),
}


def against(key, operation, lines):
    method, target, more, body = requests(key, "users/alice")[operation]
    return method, target, [*lines, *more, ID], body


def add_people():
    for who, (lines, status) in PEOPLE.items():
        for name in OPERATIONS:
            add(f"{name} with {who}",
                lambda w, name=name, lines=lines: against(w.key, name,
                                                          lines()), status)
    for name in ("upload", "presign", "delete"):
        add(f"{name} with an auditor's key",
            lambda w, name=name: against(w.key, name, api("auditor")), 403)


# ---- keys, prefixes, cursors -----------------------------------------------

def get(target, *lines, method="GET", body=None):
    return method, target, [*(lines or api("bob")), ID], body


def add_keys():
    for word in escapes("users/alice/x"):
        add(f"key, {word}", lambda w, word=word: get(
            f"/files/download?key={escapes(w.key)[word]}"), 400, 403)
        add(f"HEAD of a key, {word}", lambda w, word=word: get(
            f"/files/download?key={escapes(w.key)[word]}", *jwt("bob"),
            method="HEAD"), 400, 403)
    for word, raw in OWN.items():
        add(f"key, {word}", lambda w, raw=raw: get(
            f"/files/download?key={raw.format(w.tail)}"), 404)
    for word, query in {
            "twice": "key=users/bob/x&key={0}",
            "twice, escaped": "key=users/bob/x&%6bey={0}",
            "with a semicolon": "key=users/bob/x;key={0}",
            "in capitals": "KEY={0}"}.items():
        add(f"key {word}", lambda w, query=query: get(
            "/files/download?" + query.format(quote(w.key))), 400, 404)
    for word, query in {
            "NFD": quote("users/a\u0301lice/"), "trailing dot":
            "users/alice./", "trailing blank": "users/alice%20/",
            "surrogates": "%ed%a0%80users/alice/", "long":
            "users/alice/" + "a" * 1100, "bidi":
            quote("users/bob\u202e/ecila/")}.items():
        add(f"key, {word}", lambda w, query=query: get(
            f"/files/download?key={query}{w.tail}"), 400, 403)


PREFIXES = {
    "everything": "prefix=", "users": "prefix=users/",
    "alice": "prefix=users/alice/", "alice without its slash":
    "prefix=users/alice", "a cut one": "prefix=users/bo",
    "bob without his slash": "prefix=users/bob", "bobby":
    "prefix=users/bobby/", "a slash": "prefix=/", "folded":
    "prefix=users/&delimiter=/", "folded by a letter":
    "prefix=users/a&delimiter=l", "climbing": "prefix=users/bob/../alice/",
    "escaped climbing": "prefix=users/bob/%2e%2e/alice/",
    "climbing twice escaped": "prefix=users/bob/%252e%252e/../alice/",
    "capitals": "prefix=USERS/alice/", "NUL": "prefix=users/alice%00/",
    "bad UTF-8": "prefix=users/%c0%aealice/", "twice":
    "prefix=users/bob/&prefix=users/alice/"}


def add_prefixes():
    for word, query in PREFIXES.items():
        add(f"list, {word}", lambda w, query=query: get(f"/files?{query}"),
            400, 403)
    for word, prefix in {
            "alice": "users/alice", "users": "users", "climbing":
            "users/bob/../alice", "longer": "users/bobby", "capital":
            "Users/bob", "backslashes": "users\\alice", "wide":
            "\uff55sers/alice", "escaped": "users%2falice",
            "the word itself": "users/{user}", "NUL": "users/alice\0"}.items():
        add(f"upload to {word}", lambda w, prefix=prefix: (
            "POST", "/files", [FORM, *api("bob")],
            form(field("prefix", prefix), file())), 400, 403)
    add("upload whose prefix comes last", lambda w: (
        "POST", "/files", [FORM, *api("bob")],
        form(file(), field("prefix", "users/alice"))), 403)
    add("upload with a second prefix", lambda w: (
        "POST", "/files", [FORM, *api("bob")],
        form(field("prefix", "users/bob"), file(),
             field("prefix", "users/alice"))), 400)
    add("upload to the default with an identity that climbs", lambda w: (
        "POST", "/files", [FORM, *jwt("../alice")], form(file())), 403)
    add("list of the default with an identity that climbs", lambda w: get(
        "/files", *jwt("../alice")), 403)
    add("default list with two identities", lambda w: get(
        "/files", *api("bob"), *jwt("alice", exp=PAST)), 401)


def add_cursors():
    for word, (who, query) in {
            "alice's cursor for bob's": ("alice", "prefix=users/bob/&"),
            "alice's cursor for the default": ("alice", ""),
            "alice's cursor for alice's": ("alice", "prefix=users/alice/&"),
            "bob's cursor for alice's": ("bob", "prefix=users/alice/&"),
            "bob's cursor for users": ("bob", "prefix=users/&"),
            "bob's cursor, folded": ("bob", "prefix=users/bob/&delimiter=/&"),
            }.items():
        add(word, lambda w, who=who, query=query: get(
            f"/files?{query}cursor={w.cursor(who)}"), 400, 403)


def made_cursor(prefix, at, secret=LEAKED):
    """Even who has the secret is kept out, by hooks and by the backend."""
    key = hashlib.sha256(f"cursor\0main\0local\0{secret}\0".encode()).digest()
    seal = hmac.new(key, b"\2" + prefix.encode() + b"\0\0\0" + at.encode(),
                    "sha256").digest()[:16]
    return joined("", "", b"\2" + seal + at.encode()).rpartition(".")[2]


# ---- links -----------------------------------------------------------------

def signed(query, *, method="GET"):
    return method, f"/files/signed?{query}", [ID], None


def add_links():
    for word, change in {
            "another key": lambda w, q: q.replace(quote(w.own, safe=""),
                                                  quote(w.key, safe="")),
            "a key more": lambda w, q: f"key={quote(w.key, safe='')}&{q}",
            "a key behind": lambda w, q: f"{q}&key={quote(w.key, safe='')}",
            "a later end": lambda w, q: q.replace("expires=", "expires=9"),
            "no signature": lambda w, q: q.partition("&signature=")[0],
            "an empty signature": lambda w, q:
                q.partition("&signature=")[0] + "&signature=",
            "its signature in capitals": lambda w, q:
                q.partition("&signature=")[0] + "&signature=" +
                q.partition("&signature=")[2].upper() + "A",
            "two signatures": lambda w, q:
                q + "&signature=" + "0" * 64,
            "a type more": lambda w, q: q.replace(
                "&signature=", "&type=text/html&signature="),
            "nothing": lambda w, q: ""}.items():
        add(f"link with {word}", lambda w, change=change: signed(
            change(w, w.link())), 403)
    add("link for another method", lambda w: signed(w.link(),
                                                    method="DELETE"), 405)
    for who, lines in {"bob's key": api("bob"), "an expired key": api("old"),
                       "an auditor's key": api("auditor")}.items():
        for word in ("plain", "climbs", "two slashes", "slash first"):
            add(f"link for alice's key, {word}, with {who}",
                lambda w, lines=lines, word=word: (
                    "POST", "/files/presign", [*lines, JSON], json.dumps(
                        {"key": escapes(w.key)[word]}).encode()),
                400, 401, 403)
    add("link for two keys", lambda w: (
        "POST", "/files/presign", [*api("bob"), JSON],
        b'{"key": "users/bob/x", "key": "%s"}' % w.key.encode()), 400)
    add("deletion of two keys", lambda w: (
        "DELETE", "/files", [*api("bob"), JSON],
        b'{"key": "users/bob/x", "key": "%s"}' % w.key.encode()), 400)
    add("deletion of a key with a NUL", lambda w: (
        "DELETE", "/files", [*api("bob"), JSON],
        b'{"key": "%s\\u0000"}' % w.key.encode()), 400)
    add("deletion of many", lambda w: (
        "DELETE", "/files", [*api("bob"), JSON],
        json.dumps({"key": [w.key]}).encode()), 400)
    add("deletion of a prefix", lambda w: (
        "DELETE", "/files", [*api("bob"), JSON], b'{"key": "users/"}'), 403)


# ---- methods, paths, heads --------------------------------------------------

def add_heads():
    for method in ("PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "X", "get"):
        add(f"method {method}", lambda w, method=method: get(
            f"/files/download?key={quote(w.key)}", *jwt("bob"),
            method=method), 405)
    for path in ("/files/", "//files/download", "/files/download/",
                 "/files/%64ownload", "/files/../files/download",
                 "/Files/download", "/files%2fdownload", "/download",
                 "/files/download;x", "/healthz/../files/download"):
        add(f"path {path}", lambda w, path=path: get(
            f"{path}?key={quote(w.key)}", *jwt("bob")), 404)
    add("path with a host", lambda w: get(
        f"http://127.0.0.1/files/download?key={quote(w.key)}",
        *api("eve")), 401)
    for name in ("X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
                 "X-Forwarded-User", "Remote-User", "X-Original-Method"):
        add(f"header {name}", lambda w, name=name: get(
            f"/files/download?key={quote(w.key)}", *api("bob"),
            f"{name}: /files/download?key={w.own}"), 403)
    add("a page elsewhere", lambda w: get(
        f"/files/download?key={quote(w.key)}", "Origin: https://evil.test",
        "Cookie: session=alice"), 401)
    add("a page that may", lambda w: get(
        f"/files/download?key={quote(w.key)}", "Origin: https://app.test",
        "Cookie: session=alice"), 401)
    add("a preflight", lambda w: get(
        f"/files/download?key={quote(w.key)}", "Origin: https://evil.test",
        "Access-Control-Request-Method: GET", method="OPTIONS"), 204)
    for word, line in {"If-None-Match": "If-None-Match: *",
                       "If-Match": 'If-Match: "x"',
                       "Range": "Range: bytes=999999-"}.items():
        add(f"condition {word}", lambda w, line=line: get(
            f"/files/download?key={quote(w.key)}", *api("bob"), line), 403)


add_people()
add_keys()
add_prefixes()
add_cursors()
add_links()
add_heads()


@each(CASES)
def test_attack_is_refused(case):
    make, statuses = case
    scene = world()
    among("status", scene.send(make(scene)).status, statuses)


# ---- what no row can say ----------------------------------------------------

def same(answer):
    return (answer.status, [line for line in answer.headers
                            if line[0] != "date"], answer.body)


@each({f"{name} with {who}": (name, lines) for who, (lines, _) in
       PEOPLE.items() for name in OPERATIONS if not who.startswith("two ")})
def test_refusals_are_alike_whether_it_exists(case):
    name, lines = case
    said = lines()
    one, other = [same(world().send(against(key, name, said)))
                  for key in (world().key, world().absent)]
    equal("the refusal", one, other)


@test
def test_a_cursor_that_bob_made_shows_bobs_objects_only():
    taken = 0
    for at in ("kusers/alice/", "pusers/", "kusers/bob/", "x"):
        cursor = made_cursor("users/bob/", at)
        answer = world().send(get(
            f"/files?prefix=users/bob/&cursor={cursor}"))
        if answer.status == 200:
            taken += 1
            for thing in answer.json["objects"]:
                expect(thing["key"].startswith("users/bob/"), thing["key"])
        else:
            equal("status", answer.status, 400)
    expect(taken > 0, "none was taken")
    cursor = made_cursor("users/bob/", "kusers/bob/", "another secret")
    equal("without the secret", world().send(get(
        f"/files?prefix=users/bob/&cursor={cursor}")).status, 400)


@test
def test_both_credentials_reach_no_more_than_either():
    """The auditor may read alice's, bob may write his own; both at once may
    do neither of it."""
    scene, both = world(), api("auditor") + jwt("bob")
    for key in (scene.key, scene.own):
        for name in OPERATIONS:
            method, target, more, body = requests(key)[name]
            answer = scene.send((method, target, [*both, *more], body))
            equal(f"status of {name}", answer.status, 403)


@test
def test_the_body_of_a_refused_upload_is_no_request():
    scene = world()
    inner = request("GET", f"/files/download?key={quote(scene.own)}",
                    *api("bob"))
    for lines in ([f"Content-Length: {len(inner)}"],
                  ["Transfer-Encoding: chunked"]):
        body = inner if "Length" in lines[0] else \
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner)
        with Wire(scene.gateway.url) as wire:
            wire.send(head("POST", "/files", FORM, *lines) + body +
                      request("GET", "/nowhere"))
            equal("the first", wire.answer().status, 401)
            equal("the second", wire.answer().status, 404)


@test
def test_a_page_elsewhere_may_read_no_answer():
    for method, lines in (("GET", []), (
            "OPTIONS", ["Access-Control-Request-Method: GET"])):
        for origin in ("https://evil.test", "null", "https://app.test.evil",
                       "http://app.test", "https://APP.test"):
            answer = world().gateway.ask(
                method, "/files", f"Origin: {origin}", *lines)
            equal(f"allowed for {origin}", answer.header(
                "access-control-allow-origin"), None)


@test
def test_there_are_attacks_enough():
    expect(len(CASES) >= 60, f"{len(CASES)} rows")


@test
def test_nothing_was_changed_or_created():
    scene = world()
    eventually("what is stored to be as before",
               lambda: scene.stored() == scene.before)
    for key in (scene.key, scene.own):
        answer = scene.gateway.ask(
            "GET", f"/files/download?key={quote(key)}", *api("root"))
        equal("status", answer.status, 200)
    scene.gateway.stop()


if __name__ == "__main__":
    main()

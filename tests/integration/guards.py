# SPDX-License-Identifier: MIT
"""This is what the tests of hooks that know people share: somebody confined to
users/{user}/, and their ways out.

Each attack is made by bob, who may do everything below users/bob/, against an
object of alice's; none may show a byte of hers, or tell whether it exists."""
import json
from pathlib import Path
from urllib.parse import quote

from kit import FORM, equal, expect, field, file, form, among, index_of

SECRET = b"what only alice may read"
ID = "X-Request-Id: the-same-each-time"
JSON = "Content-Type: application/json"


def uploaded_by(gateway, key):
    """The identity in an object's metadata."""
    with index_of(gateway.folder) as rows:
        user, = rows.execute("SELECT user FROM object WHERE key = ?",
                             (key.encode(),)).fetchone()
    words = user.split(b"\0")
    pairs = dict(zip(words[::2], words[1::2]))
    return pairs[b"uploaded-by"].decode()


def upload(gateway, lines, prefix=None, name="a.txt", data=b"hello"):
    parts = [] if prefix is None else [field("prefix", prefix)]
    return gateway.ask("POST", "/files", FORM, *lines,
                       body=form(*parts, file(data, name)))


def requests(key, prefix="users/bob"):
    """One request of each operation: method, target, lines, body."""
    raw = quote(key, safe="")
    document = json.dumps({"key": key}).encode()
    folder = quote(key.rsplit("/", 1)[0] + "/", safe="")
    return {
        "upload": ("POST", "/files", [FORM],
                   form(field("prefix", prefix), file())),
        "presign": ("POST", "/files/presign", [JSON], document),
        "download": ("GET", f"/files/download?key={raw}", [], None),
        "list": ("GET", f"/files?prefix={folder}", [], None),
        "delete": ("DELETE", "/files", [JSON], document),
    }


def ask(gateway, lines, request):
    method, target, more, body = request
    return gateway.ask(method, target, *lines, *more, body=body)


# ---- keys: as they are in a query, %-encoded or not ------------------------

def escapes(key):
    """Other ways to write alice's key, or to get there from bob's."""
    tail = key[len("users/alice/"):]
    return {
        "plain": key,
        "escaped": quote(key, safe=""),
        "escaped letters": "".join(f"%{ord(c):02x}" for c in key),
        "escaped twice": quote(quote(key, safe=""), safe=""),
        "upper case": key.upper(),
        "capital": key.replace("users", "Users", 1),
        "slash first": "/" + key,
        "two slashes": key.replace("/", "//", 1),
        "dot first": "./" + key,
        "dot inside": key.replace("/", "/./", 1),
        "climbs": f"users/bob/../alice/{tail}",
        "climbs high": f"users/bob/../../users/alice/{tail}",
        "climbs escaped": f"users/bob/%2e%2e/alice/{tail}",
        "climbs half escaped": f"users/bob/.%2e/alice/{tail}",
        "climbs by escaped slash": f"users%2fbob%2f..%2falice%2f{tail}",
        "climbs overlong": f"users/bob/%c0%ae%c0%ae/alice/{tail}",
        "climbs through utf-16": f"users/bob/%u002e%u002e/alice/{tail}",
        "climbs by backslash": f"users\\bob\\..\\alice\\{tail}",
        "nul": f"{key}%00",
        "nul before": f"users/bob%00/../alice/{tail}",
        "line": f"users/bob%0a/../alice/{tail}",
        "wide letters": quote("\uff55sers/alice/") + tail,
        "wide slash": quote("users\uff0falice\uff0f") + tail,
        "soft hyphen": quote("users/al\u00adice/") + tail,
        "latin-1": f"users/al%ecce/{tail}",
        "no slash": f"users/bobalice/{tail}",
        "longer name": f"users/bob2/{tail}",
        "shorter name": f"users/bo/{tail}",
        "the word itself": f"users/%7Buser%7D/{tail}",
        "plus": f"users/alice/{tail}+",
        "only the start": "users/",
        "empty": "",
    }


# Literally bob's own keys, once they are decoded: never found, but his.
OWN = {
    "climbs escaped twice": "users/bob/%252e%252e/alice/{}",
    "slash escaped twice": "users/bob/..%252falice%252f{}",
    "backslash below": "users/bob/..%5calice%5c{}",
    "wide dots": "users/bob/%ef%bc%8e%ef%bc%8e/alice/{}",
}


def key_is_refused(gateway, bob, word, raw):
    lines = [*bob, ID]
    for method in ("GET", "HEAD"):
        answer = gateway.ask(method, f"/files/download?key={raw}", *lines)
        among(f"{word}: status of a {method}", answer.status, (400, 403))
        expect(SECRET not in answer.body, f"{word}: it was shown")


def document_is_refused(gateway, bob, word, key):
    for method, target in (("DELETE", "/files"), ("POST", "/files/presign")):
        answer = gateway.ask(method, target, *bob, ID, JSON, body=json.dumps(
            {"key": key}).encode())
        among(f"{word}: status of {method} {target}", answer.status,
              (400, 403))


def keys_are_walled(gateway, bob, key):
    tail = key[len("users/alice/"):]
    for word, raw in escapes(key).items():
        key_is_refused(gateway, bob, word, raw)
    for word in ("plain", "upper case", "slash first", "two slashes",
                 "dot first", "dot inside", "climbs", "climbs high",
                 "no slash", "longer name", "only the start"):
        document_is_refused(gateway, bob, word, escapes(key)[word])
    for word, raw in OWN.items():
        answer = gateway.ask("GET", f"/files/download?key="
                             f"{raw.format(tail)}", *bob)
        equal(f"{word}: status", answer.status, 404)
    for word, raw in {
            "twice": f"users/bob/x&key={quote(key)}",
            "twice, ours last": f"{quote(key)}&key=users/bob/x"}.items():
        answer = gateway.ask("GET", f"/files/download?key={raw}", *bob)
        among(f"key {word}: status", answer.status, (400, 403, 404))
    document = b'{"key": "users/bob/x", "key": "%s"}' % key.encode()
    for method, target in (("DELETE", "/files"), ("POST", "/files/presign")):
        answer = gateway.ask(method, target, *bob, JSON, body=document)
        among("key twice in a document", answer.status, (400, 403, 404))


# ---- prefixes and cursors --------------------------------------------------

PREFIXES = ["prefix=", "prefix=users", "prefix=users/", "prefix=users/bob",
            "prefix=users/bo", "prefix=users/alice", "prefix=users/alice/",
            "prefix=users%2falice%2f", "prefix=USERS/bob/", "prefix=/",
            "prefix=/users/bob/", "prefix=users//bob/", "limit=10", "",
            "prefix=users/bob/../", "prefix=users/bob/%2e%2e/alice/",
            "prefix=users/bob/..", "prefix=users/&delimiter=/",
            "prefix=&delimiter=/", "prefix=users/a&delimiter=b",
            "prefix=users/bobby/", "prefix=users/%7Buser%7D/",
            "prefix=users/bob%00/", "prefix=users/bob%ff/"]


def prefixes_are_walled(gateway, bob):
    for query in PREFIXES:
        answer = gateway.ask("GET", f"/files?{query}", *bob)
        among(f"status of a list, {query!r}", answer.status, (400, 403))
        expect(b"alice/" not in answer.body, f"{query!r}: it was listed")
    for query in ("prefix=users/bob/&prefix=users/alice/",
                  "prefix=users/alice/&prefix=users/bob/",
                  "prefix=users/bob/&delimiter=/",
                  "prefix=users/bob/&delimiter=alice",
                  "prefix=users/bob/"):
        answer = gateway.ask("GET", f"/files?{query}", *bob)
        expect(b"alice/" not in answer.body, f"{query!r}: it was listed")


def cursors_are_walled(gateway, bob, alice):
    """One page's cursor is for its own prefix, whoever holds it."""
    pages = {}
    for who, lines in (("bob", bob), ("alice", alice)):
        page = gateway.ask("GET", f"/files?prefix=users/{who}/&limit=1",
                           *lines).json
        expect(page["truncated"], f"{who} has one page only")
        pages[who] = quote(page["next_cursor"], safe="")
    for query, statuses in (
            (f"prefix=users/bob/&cursor={pages['alice']}", (400,)),
            (f"prefix=users/alice/&cursor={pages['alice']}", (403,)),
            (f"prefix=users/alice/&cursor={pages['bob']}", (400, 403)),
            (f"cursor={pages['alice']}", (400, 403)),
            (f"prefix=users/bob/&delimiter=/&cursor={pages['bob']}", (400,)),
            (f"prefix=users/bob/&cursor={pages['bob']}", (200,))):
        answer = gateway.ask("GET", f"/files?{query}", *bob)
        among(f"status of a list, {query!r}", answer.status, statuses)
        expect(b"alice/" not in answer.body, f"{query!r}: it was listed")


def uploads_are_walled(gateway, bob):
    for prefix in ("users/alice", "users", "uploads", "users/bob/../alice",
                   "users/bobby", "Users/bob", "users/./bob", "../users/bob",
                   "users\\bob", "\uff55sers/bob", None):
        answer = upload(gateway, bob, prefix)
        among(f"status of an upload to {prefix!r}", answer.status, (400, 403))
    for name in ("../../../alice/x", "..\\..\\alice\\x", "/users/alice/x",
                 "..", "%2e%2e%2falice"):
        key = upload(gateway, bob, "users/bob", name).json["key"]
        expect(key.startswith("users/bob/20"), f"{name!r} became {key!r}")
    twice = form(field("prefix", "users/bob"), field("prefix", "users/alice"),
                 file())
    answer = gateway.ask("POST", "/files", FORM, *bob, body=twice)
    if answer.status == 201:
        expect(answer.json["key"].startswith("users/bob/"), "two prefixes")
    else:
        among("two prefixes: status", answer.status, (400, 403))


def is_confined(gateway, bob, alice):
    """`bob`, `alice`: header lines that say who they are."""
    key = upload(gateway, alice, "users/alice", data=SECRET).json["key"]
    upload(gateway, alice, "users/alice")
    own = upload(gateway, bob, "users/bob").json["key"]
    upload(gateway, bob, "users/bob")
    keys_are_walled(gateway, bob, key)
    prefixes_are_walled(gateway, bob)
    cursors_are_walled(gateway, bob, alice)
    uploads_are_walled(gateway, bob)
    for name, request in requests(own).items():
        among(f"{name} of one's own", ask(gateway, bob, request).status,
              (200, 201))
    left = gateway.ask("GET", f"/files/download?key={quote(key)}", *alice)
    equal("alice's object", (left.status, left.body), (200, SECRET))


def says_nothing_of_objects(gateway, lines, there, absent):
    """Refusals are the same, byte for byte, whether the object exists."""
    equal("length of the keys", len(there), len(absent))
    for name in requests(there):
        answers = [ask(gateway, [*lines, ID], requests(key, "users/alice")
                       [name]) for key in (there, absent)]
        one, other = [(a.status, [h for h in a.headers if h[0] != "date"],
                       a.body) for a in answers]
        among(f"status of {name}", one[0], (401, 403))
        equal(f"the refusal of {name}", one, other)

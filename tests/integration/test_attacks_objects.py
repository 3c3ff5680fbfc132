#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Attacks by copy, move, batch, links and objects by name, on gateways with
auth_token, auth_jwt, auth_request and auth_basic.

The victim is alice; bob may do everything below users/bob/.  Then people who
may do less than everything: each request needs all operations that its keys
are asked about, and no other."""
import atexit
import hashlib
import itertools
import json
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from guards import JSON, SECRET, escapes
from kit import SOURCES, Gateway, among, each, equal, expect, main, test
from service import Service, say

sys.path.insert(0, str(SOURCES / "plugins/hook/auth_jwt"))
# pylint: disable=wrong-import-position
from jwtkit import Key, claims, jwks, options, token  # noqa: E402

ES = Key.new("ES256", "e")
ALICE, OWN = "users/alice/2026/plan.txt", "users/bob/own.txt"
PASSWORD = "$5$rounds=1000$salt$CCvcOM6b7TEJDPb37Aec/9UpOg4QhPNAxPpL9ZzjTB7"
OPERATIONS = ("upload", "presign", "download", "list", "delete", "replace",
              "copy", "revoke")


# ---- what is asked ----------------------------------------------------------

def body(document):
    return [JSON], json.dumps(document).encode()


def copied(source, to, word="copy", **more):
    return ("POST", f"/{word}", *body({"from": source, "to": to, **more}))


def put(key, *lines):
    return ("PUT", f"/object?key={quote(key)}", list(lines), b"bob's")


def by_name(method, raw, *lines):
    return (method, f"/object?key={raw}", list(lines), None)


def batch(**document):
    return ("POST", "/delete", *body(document))


def link(**document):
    return ("POST", "/presign", *body(document))


def revoke(**document):
    return ("DELETE", "/links", *body(document))


def links():
    """Links to hers, and hers taken back."""
    rows = {}
    for via in ({}, {"via": "gateway"}, {"uses": 1}):
        name = f"link {' '.join(via)}".strip()
        rows[f"{name} to hers"] = link(key=ALICE, **via)
        for more in ({}, {"replace": True}, {"max_bytes": 9},
                     {"types": ["text/*"]}):
            for key in (ALICE, "users/alice/new", "users/new"):
                rows[f"{name} {' '.join(more)} to put {key}"] = link(
                    method="PUT", key=key, **more, **via)
    for prefix in ("users/alice", "users/alice/", "/users/alice/", "users",
                   "users/bobby", "users/al", "users/bob/../alice", "users/b",
                   "users/alice/2026", "Users/bob", "u", ".", "..",
                   "users/{user}"):
        rows[f"link to post below {prefix}"] = link(
            method="POST", prefix=prefix)
        rows[f"revoke below {prefix}"] = revoke(prefix=prefix)
    for key in (ALICE, "users/alice/none", "x", "users/bob/../alice/x"):
        rows[f"revoke {key}"] = revoke(key=key)
    for identity in ("alice", "root", "anonymous", "bobby", "Bob", "*"):
        rows[f"revoke all of {identity}"] = revoke(identity=identity)
    return rows


def walls():
    """Each a request of bob's that may touch nothing of alice's."""
    rows = {}
    for word in ("copy", "move"):
        for more in ({}, {"replace": True}, {"unguarded": True}):
            name = f"{word} {' '.join(more)}".strip()
            rows[f"{name} from hers"] = copied(
                ALICE, "users/bob/x", word, **more)
            rows[f"{name} to hers"] = copied(OWN, ALICE, word, **more)
            rows[f"{name} beside hers"] = copied(
                OWN, "users/alice/x", word, **more)
            rows[f"{name} of hers onto itself"] = copied(
                ALICE, ALICE, word, **more)
    for name, line in {
            "": "X-A: b", " where nothing is": "If-None-Match: *",
            " of any": "If-Match: *", " of hers":
            f'If-Match: "{hashlib.md5(SECRET).hexdigest()}"'}.items():
        rows[f"put{name}"] = put(ALICE, line)
        rows[f"put of a new one{name}"] = put("users/alice/new", line)
        rows[f"delete{name}"] = by_name("DELETE", quote(ALICE), line)
    for method in ("GET", "HEAD"):
        rows[f"{method} by name"] = by_name(method, quote(ALICE))
    for prefix in ("users/alice/", "users/", "users/alice/2026/", "/",
                   "users/bob/../alice/", "users//alice/", "Users/alice/",
                   "users/bob/../", "users/bobby/", "users/al", "users/bob",
                   "users/alice/\0", "", "u/", "users/{user}/"):
        for dry in (True, False):
            rows[f"batch below {prefix!r}, dry_run {dry}"] = batch(
                prefix=prefix, dry_run=dry)
    return rows


def writings():
    """Every way to write her key, or to get there from bob's.  JSON has no
    escapes of that kind: there they are letters of bob's own keys."""
    rows = {}
    for word, key in escapes(ALICE).items():
        if not (key.startswith("users/bob/") and "%" in key):
            rows[f"copy from, {word}"] = copied(key, "users/bob/x")
            rows[f"copy to, {word}"] = copied(OWN, key, replace=True)
            rows[f"move from, {word}"] = copied(key, "users/bob/x", "move")
            rows[f"batch, {word}"] = batch(keys=[key])
            rows[f"link, {word}"] = link(key=key)
            rows[f"link to put, {word}"] = link(method="PUT", key=key,
                                                replace=True)
            rows[f"revoke, {word}"] = revoke(key=key)
        rows[f"get by name, {word}"] = by_name("GET", key)
        rows[f"delete by name, {word}"] = by_name("DELETE", key)
        rows[f"delete of hers by name, {word}"] = by_name(
            "DELETE", key, "If-Match: *")
        rows[f"put by name, {word}"] = (
            "PUT", f"/object?key={key}", [], b"bob's")
    return rows


# ---- the scene --------------------------------------------------------------

def row(who, operations, prefix="users/{user}/"):
    return {"sha256": hashlib.sha256(who.encode()).hexdigest(),
            "identity": who.split("+")[0], "operations": list(operations),
            "prefixes": [prefix]}


def subsets():
    """The operations that the requests below need, and all but one of them."""
    wanted = set()
    for needs, _ in NEEDS.values():
        wanted.add(frozenset(needs))
        wanted |= {frozenset(needs) - {one} for one in needs}
        wanted.add(frozenset(OPERATIONS) - frozenset(needs))
    return sorted((sorted(some) for some in wanted if some))


def service(conn, asked):
    """X-User is whoever the client says."""
    return say(200, f"X-User: {asked.header('Authorization')}")(conn, asked)


class World:
    def __init__(self):
        self.files = Path(tempfile.mkdtemp(prefix="sluice-test-"))
        atexit.register(self.close)
        tokens = [row("alice", ["*"]), row("bob", ["*"]),
                  row("root", ["*"], "")]
        tokens += [row("+".join(["bob", *some]), some) for some in subsets()]
        self.write("tokens.yaml", json.dumps({"tokens": tokens}).encode())
        self.write("keys.json", jwks(ES))
        self.write("users", "".join(f"{who}:{PASSWORD}\n" for who in
                                    ("alice", "bob")).encode())
        self.service = Service(service).__enter__()
        self.mounts = {"token": (self.token(), self.by_token),
                       "jwt": (self.jwt(), self.by_jwt)}
        for name, some in {"": ["*"], **{"-".join(some): some
                                        for some in FEW}}.items():
            self.mounts[f"ask{name}"] = self.ask_hook(some), self.by_service
            self.mounts[f"basic{name}"] = self.basic(some), self.by_password
        self.gateway = Gateway({"routes": [
            {"mount": f"/{name}", "backend": "main", "hooks": [hook]}
            for name, (hook, _) in self.mounts.items()]})
        for key, data in ((ALICE, SECRET), (OWN, b"bob's own")):
            equal("status", self.send("token", "root", (
                "PUT", f"/object?key={key}", [], data)).status, 201)
        self.before = self.stored()

    def write(self, name, data):
        path = self.files / name
        path.write_bytes(data)
        path.chmod(0o600)

    def token(self):
        return {"plugin": "auth_token", "header": "X-Api-Key",
                "file": str(self.files / "tokens.yaml")}

    def jwt(self):
        return options(jwks=str(self.files / "keys.json"),
                       operations_claim="scope", operations_prefix="",
                       prefixes=["users/{user}/"])

    def ask_hook(self, some):
        return {"plugin": "auth_request", "prefixes": ["users/{user}/"],
                "url": self.service.url, "identity_header": "X-User",
                "operations": some}

    def basic(self, some):
        return {"plugin": "auth_basic", "operations": some,
                "file": str(self.files / "users"),
                "prefixes": ["users/{user}/"]}

    @staticmethod
    def by_token(who):
        return [f"X-Api-Key: {who}"]

    @staticmethod
    def by_jwt(who):
        name, *some = who.split("+")
        said = claims(sub=name, scope=" ".join(some)) if some \
            else claims(sub=name)
        return [f"Authorization: Bearer {token(ES, said)}"]

    @staticmethod
    def by_service(who):
        return [f"Authorization: {who}"]

    @staticmethod
    def by_password(who):
        return ["Authorization: Basic " + {
            "bob": "Ym9iOnNlY3JldA==", "alice": "YWxpY2U6c2VjcmV0"}[who]]

    def close(self):
        if self.gateway.process.poll() is None:
            self.gateway.kill()
        shutil.rmtree(self.files, ignore_errors=True)

    def send(self, mount, who, request):
        method, tail, lines, data = request
        answer = self.gateway.ask(
            method, f"/{mount}{tail}", *self.mounts[mount][1](who), *lines,
            body=data)
        expect(SECRET not in answer.body, "it was shown")
        return answer

    def stored(self):
        """Each key with its ETag."""
        answer = self.gateway.ask("GET", "/token?prefix=&limit=1000",
                                  *self.by_token("root"))
        return {(thing["key"], thing["etag"])
                for thing in answer.json["objects"]}


WORLDS = []
GUARDS = ("token", "jwt", "ask", "basic")


def world():
    if not WORLDS:
        WORLDS.append(World())
    return WORLDS[0]


# ---- what each request needs ------------------------------------------------

def over(word):
    return copied(OWN, "users/bob/there", word, replace=True)


def new(word):
    return copied(OWN, "users/bob/new", word)


COPY, MOVE = {"copy", "download"}, {"copy", "download", "delete"}
NEEDS = {
    "put": ({"replace"}, put("users/bob/there")),
    "put where something is": ({"replace"}, put("users/bob/there",
                                                "If-Match: *")),
    "put where nothing is": ({"upload"}, put("users/bob/new",
                                             "If-None-Match: *")),
    "get by name": ({"download"}, by_name("GET", "users/bob/there")),
    "delete by name": ({"delete"}, by_name("DELETE", "users/bob/there")),
    "copy": ({*COPY, "upload"}, new("copy")),
    "copy over": ({*COPY, "replace"}, over("copy")),
    "move": ({*MOVE, "upload"}, new("move")),
    "move over": ({*MOVE, "replace"}, over("move")),
    "link": ({"presign"}, link(key=OWN)),
    "link to put": ({"presign", "upload"}, link(method="PUT",
                                                key="users/bob/new")),
    "link to put over": ({"presign", "replace"}, link(
        method="PUT", key="users/bob/there", replace=True)),
    "link to post": ({"presign", "upload"}, link(method="POST",
                                                 prefix="users/bob/in")),
    "batch": ({"delete"}, batch(keys=["users/bob/there"])),
    "batch below a prefix": ({"delete"}, batch(prefix="users/bob/sub/"))}
FEW = [["copy"], ["copy", "download"], ["copy", "download", "upload"],
       ["copy", "download", "upload", "delete"], ["copy", "replace"],
       ["replace"]]


def furnish():
    """Bob's objects are as they were before each request."""
    scene = world()
    for key, data in ((OWN, b"bob's own"), ("users/bob/there", b"there")):
        among("status", scene.send("token", "root", (
            "PUT", f"/object?key={key}", [], data)).status, (200, 201))
    scene.send("token", "root", batch(
        keys=["users/bob/new", "users/bob/x"]))


def is_granted(mount, who, some, request, needs):
    furnish()
    answer = world().send(mount, who, request)
    if needs <= set(some):
        among("status", answer.status, (200, 201))
    else:
        equal("status", (answer.status, answer.json.get("code")),
              (403, "forbidden"))


@each({f"{name}, {guard}": (name, guard) for name, guard in
       itertools.product(NEEDS, ("token", "jwt"))})
def test_request_needs_all_its_operations_and_no_other(case):
    name, guard = case
    needs, request = NEEDS[name]
    for some in subsets():
        is_granted(guard, "+".join(["bob", *some]), some, request, needs)


@each({f"{name}, {guard}": (name, guard) for name, guard in
       itertools.product(NEEDS, ("ask", "basic"))})
def test_users_of_few_operations_need_all_of_a_request(case):
    name, guard = case
    needs, request = NEEDS[name]
    for some in FEW:
        is_granted(guard + "-".join(some), "bob", some, request, needs)


# ---- walls ------------------------------------------------------------------

def is_walled(guard, name, request):
    answer = world().send(guard, "bob", request)
    if request[1] == "/delete" and answer.status == 200:
        said = answer.json
        equal("deleted", said["deleted"], [])
        [failed] = said["failed"]
        among("code", failed["code"], ("forbidden", "bad_key"))
    else:
        among(f"status of {name}", answer.status, (400, 403))


@each({f"{name}, {guard}": (guard, name, request) for guard in GUARDS
       for name, request in {**walls(), **links(), **writings()}.items()})
def test_bob_reaches_nothing_of_alices(case):
    is_walled(*case)


@each({guard: guard for guard in GUARDS})
def test_links_are_taken_back_by_whose_they_are(guard):
    """And by who may revoke, where they may reach them."""
    scene = world()
    made = {}
    for who, key in (("alice", ALICE), ("bob", OWN)):
        made[who] = scene.send(guard, who, link(key=key)).json
    for document in ({"id": made["alice"]["id"]}, {"key": ALICE},
                     {"identity": "alice"}):
        equal("status", scene.send(guard, "bob", revoke(**document)).status,
              403)
    for who, served in (("alice", 200), ("bob", 200)):
        where = made[who]["url"].split("/", 3)[3]
        answer = scene.gateway.ask("HEAD", f"/{where}")
        equal("status of the link", answer.status, served)
    for who in ("bob", "alice"):
        equal("status of ones own", scene.send(
            guard, who, revoke(id=made[who]["id"])).status, 200)
        where = made[who]["url"].split("/", 3)[3]
        equal("code", scene.gateway.ask("GET", f"/{where}").json["code"],
              "link_revoked")


@each({guard: guard for guard in ("token", "jwt")})
def test_who_may_presign_alone_takes_back_only_ones_own(guard):
    scene = world()
    mine = scene.send(guard, "bob", link(key=OWN)).json
    few = "bob+presign"
    if guard == "token":
        few = "bob+" + "+".join(sorted({"presign", "upload"}))
    for document in ({"id": mine["id"]}, {"key": OWN}, {"prefix": "users"},
                     {"identity": "bob"}):
        mine = scene.send(guard, few, link(key=OWN)).json
        equal(f"status of {document}", scene.send(guard, few, revoke(
            **(document if "id" not in document else {"id": mine["id"]})
        )).status, 200)
        where = mine["url"].split("/", 3)[3]
        equal("code", scene.gateway.ask("GET", f"/{where}").json["code"],
              "link_revoked")
    hers = scene.send(guard, "alice", link(key=ALICE)).json
    for document in ({"id": hers["id"]}, {"identity": "alice"}):
        equal("status", scene.send(guard, few, revoke(**document)).status,
              403)
    for document in ({"key": ALICE}, {"prefix": "users/alice"}):
        equal("status", scene.send(guard, few, revoke(**document)).status,
              200)  # of those that are bob's: none
    where = hers["url"].split("/", 3)[3]
    equal("status", scene.gateway.ask("HEAD", f"/{where}").status, 200)


@each({guard: guard for guard in GUARDS})
def test_batch_of_many_keys_takes_only_ones_own(guard):
    furnish()
    keys = [ALICE, "users/bob/there", "users/alice/none", "users/bob/none",
            "users/bob/../alice/x"]
    said = world().send(guard, "bob", batch(keys=keys)).json
    equal("deleted", sorted(said["deleted"]),
          ["users/bob/none", "users/bob/there"])
    equal("failed", {one["key"]: one["code"] for one in said["failed"]},
          {ALICE: "forbidden", "users/alice/none": "forbidden",
           "users/bob/../alice/x": "bad_key"})


@each({guard: guard for guard in GUARDS})
def test_refusals_are_alike_whether_hers_exists(guard):
    absent = ALICE.replace("plan", "none")
    for name, request in walls().items():
        if ALICE not in str(request) and quote(ALICE) not in str(request):
            continue
        method, tail, lines, data = request
        other = (method, tail.replace(ALICE, absent), lines,
                 data and data.replace(ALICE.encode(), absent.encode()))
        one, two = [(answer.status, answer.header("etag"),
                     answer.body.split(b'"request_id"')[0]) for answer in
                    (world().send(guard, "bob", asked)
                     for asked in (request, other))]
        equal(f"the refusal of {name}", one, two)


@test
def test_there_are_attacks_enough():
    expect(len(walls()) + len(writings()) >= 100,
           f"{len(walls()) + len(writings())} rows")


@test
def test_nothing_was_changed_or_created():
    scene = world()
    furnish()
    scene.send("token", "root", batch(keys=["users/bob/there"]))
    equal("what is stored", scene.stored(), scene.before)
    scene.gateway.stop()
    scene.service.__exit__(None, None, None)


if __name__ == "__main__":
    main()

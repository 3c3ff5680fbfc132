#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The hook auth_token, before a real gateway: keys, what they permit, and how
far they reach; files that change while it runs."""
import hashlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(os.environ.get("srcdir") or
                            Path(__file__).parents[3],
                            "tests", "integration")))
# pylint: disable=wrong-import-position
import guards  # noqa: E402
from kit import (  # noqa: E402
    FORM, SOURCES, Gateway, Wire, among, each, equal, eventually, expect,
    field, file, form, head, like, main, refusal, run, settings, test,
    written)

OPERATIONS = ["upload", "presign", "download", "list", "delete"]
INTERVAL = "20ms"


def key_of(who):
    """As long as those that openssl makes."""
    return hashlib.sha256(b"key of " + who.encode()).hexdigest()[:43] + "="


def token(who, *, operations=("*",), prefixes=("users/{user}/",),
          expires=None, key=None):
    sum_ = hashlib.sha256((key or key_of(who)).encode()).hexdigest()
    return {"sha256": sum_, "identity": who, "operations": list(operations),
            "prefixes": list(prefixes),
            **({"expires": expires} if expires else {})}


def bearer(who):
    return [f"Authorization: Bearer {key_of(who)}"]


def replaced(folder, text):
    """At once, as an administrator should."""
    path = Path(folder, "tokens.yaml")
    new = Path(folder, "tokens.new")
    new.write_text(text)
    new.chmod(0o600)
    new.rename(path)
    return str(path)


def written_tokens(folder, *tokens):
    return replaced(folder, json.dumps({"tokens": list(tokens)}, indent=1))


class Guarded:
    """A gateway with the hook in front."""

    def __init__(self, *tokens, sections=None, **options):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        hook = {"plugin": "auth_token", "interval": INTERVAL,
                "file": written_tokens(self.folder.name, *tokens), **options}
        self.gateway = Gateway({"hooks": [hook], **(sections or {})})

    def __enter__(self):
        return self.gateway

    def __exit__(self, *why):
        try:
            self.gateway.__exit__(*why)
        finally:
            self.folder.cleanup()

    def rewrite(self, *tokens):
        written_tokens(self.folder.name, *tokens)


def listed(gateway, who):
    return gateway.ask("GET", f"/files?prefix=users/{who}/", *bearer(who))


def comes_to(gateway, who, status):
    eventually(f"{who} to get {status}",
               lambda: listed(gateway, who).status == status)


# ---- who -------------------------------------------------------------------

@test
def test_each_operation_needs_a_token():
    with Guarded(token("bob")) as gateway:
        for name, request in guards.requests("users/bob/x").items():
            answer = guards.ask(gateway, [], request)
            equal(f"status of {name}", answer.status, 401)
            equal("challenge", answer.header("www-authenticate"),
                  'Bearer realm="Sluice"')


@test
def test_a_known_token_is_admitted():
    with Guarded(token("bob")) as gateway:
        key = guards.upload(gateway, bearer("bob"), "users/bob").json["key"]
        for name, request in guards.requests(key).items():
            among(f"status of {name}",
                  guards.ask(gateway, bearer("bob"), request).status,
                  (200, 201))


@test
def test_other_paths_need_no_token():
    with Guarded(token("bob")) as gateway:
        gateway.alive()
        equal("status", gateway.ask("GET", "/other").status, 404)


FORGED = {
    "unknown": f"Bearer {key_of('eve')}",
    "cut": f"Bearer {key_of('bob')[:-1]}",
    "longer": f"Bearer {key_of('bob')}=",
    "another case": f"Bearer {key_of('bob').upper()}",
    "the hash": f"Bearer {hashlib.sha256(key_of('bob').encode()).hexdigest()}",
    "the identity": "Bearer bob",
    "two": f"Bearer {key_of('bob')} {key_of('bob')}",
    "a list": f"Bearer {key_of('bob')}, Bearer {key_of('bob')}",
    "quoted": f'Bearer "{key_of("bob")}"',
    "tab": f"Bearer\t{key_of('bob')}",
    "no space": f"Bearer{key_of('bob')}",
    "no token": "Bearer",
    "no scheme": key_of("bob"),
    "another scheme": f"Token {key_of('bob')}",
    "basic": "Basic Ym9iOmJvYg==",
    "escaped": f"Bearer {quote(key_of('bob'))}",
    "huge": "Bearer " + "a" * 8000,
    "one too long": "Bearer " + "a" * 513,
    "bytes": "Bearer \u00e9\u00e9",
    "empty": "",
}


@each(FORGED)
def test_a_forged_token_is_401(value):
    with Guarded(token("bob")) as gateway:
        answer = gateway.ask("GET", "/files?prefix=users/bob/",
                             f"Authorization: {value}")
        equal("status", answer.status, 401)
        like("challenge", answer.header("www-authenticate"), "^Bearer realm=")
        expect(key_of("bob") not in answer.body.decode(), "it was shown")
        expect(not any(key_of("bob")[:20] in line for line in gateway.lines),
               "it was logged")


@test
def test_a_token_that_is_not_known_is_called_invalid():
    with Guarded(token("bob")) as gateway:
        answer = gateway.ask("GET", "/files", *bearer("eve"))
        equal("challenge", answer.header("www-authenticate"),
              'Bearer realm="Sluice", error="invalid_token", '
              'error_description="The token isn\'t known"')


@test
def test_a_scheme_is_in_any_case():
    with Guarded(token("bob")) as gateway:
        for scheme in ("bearer", "BEARER", "Bearer  "):
            answer = gateway.ask("GET", "/files?prefix=users/bob/",
                                 f"Authorization: {scheme} {key_of('bob')}")
            equal(f"status with {scheme!r}", answer.status, 200)


@test
def test_a_token_of_the_greatest_length_is_admitted():
    key = "k" * 512
    with Guarded(token("bob", key=key)) as gateway:
        answer = gateway.ask("GET", "/files?prefix=users/bob/",
                             f"Authorization: Bearer {key}")
        equal("status", answer.status, 200)


@test
def test_two_authorizations_are_refused():
    with Guarded(token("bob")) as gateway:
        answer = gateway.ask("GET", "/files?prefix=users/bob/",
                             *bearer("bob"), *bearer("bob"))
        equal("status", answer.status, 400)


@test
def test_another_header_may_have_the_key():
    with Guarded(token("bob"), token("eve"), header="X-Api-Key") as gateway:
        for lines, status in (
                ([f"X-Api-Key: {key_of('bob')}"], 200),
                ([f"x-api-key: {key_of('bob')}"], 200),
                (bearer("bob"), 200),
                ([f"X-Api-Key: {key_of('nobody')}", *bearer("bob")], 200),
                (["X-Api-Key:", *bearer("bob")], 200),
                ([f"X-Api-Key: {key_of('eve')}", *bearer("bob")], 403),
                ([f"X-Api-Key: Bearer {key_of('bob')}"], 401),
                ([f"X-Api-Key: {key_of('nobody')}"], 401),
                ([f"X-Apikey: {key_of('bob')}"], 401)):
            answer = gateway.ask("GET", "/files?prefix=users/bob/", *lines)
            equal(f"status with {lines[0][:16]}", answer.status, status)


@test
def test_without_the_option_no_other_header_counts():
    with Guarded(token("bob")) as gateway:
        for name in ("X-Api-Key", "", "Cookie"):
            answer = gateway.ask("GET", "/files?prefix=users/bob/",
                                 f"{name or 'X'}: {key_of('bob')}")
            equal("status", answer.status, 401)


@test
def test_a_key_in_the_query_does_not_count():
    with Guarded(token("bob")) as gateway:
        answer = gateway.ask("GET", "/files?prefix=users/bob/&access_token="
                             + quote(key_of("bob")))
        equal("status", answer.status, 401)


@test
def test_who_uploaded_is_the_tokens_identity():
    with Guarded(token("jürgen müller", prefixes=[""])) as gateway:
        lines = [*bearer("jürgen müller"), "X-User-Id: alice"]
        key = guards.upload(gateway, lines, "t").json["key"]
        equal("uploaded-by", guards.uploaded_by(gateway, key),
              "jürgen müller")


@test
def test_the_realm_is_quoted():
    with Guarded(realm='The "files" \\ of us') as gateway:
        answer = gateway.ask("GET", "/files")
        equal("challenge", answer.header("www-authenticate"),
              'Bearer realm="The \\"files\\" \\\\ of us"')


@test
def test_an_expired_token_is_401_and_says_so():
    with Guarded(token("bob", expires="2020-01-01T00:00:00Z"),
                 token("eve", expires="2999-01-01T00:00:00+02:00")) as gateway:
        answer = listed(gateway, "bob")
        equal("refusal", (answer.status, answer.error),
              (401, "The token has expired"))
        equal("challenge", answer.header("www-authenticate"),
              'Bearer realm="Sluice", error="invalid_token", '
              'error_description="The token has expired"')
        equal("status", listed(gateway, "eve").status, 200)


# ---- what ------------------------------------------------------------------

@each({name: name for name in OPERATIONS})
def test_one_operation_does_not_permit_another(permitted):
    with Guarded(token("bob", operations=[permitted]),
                 token("root", prefixes=[""])) as gateway:
        key = guards.upload(gateway, bearer("root"), "users/bob").json["key"]
        for name, request in guards.requests(key).items():
            status = guards.ask(gateway, bearer("bob"), request).status
            if name == permitted:
                among(f"status of {name}", status, (200, 201))
            else:
                equal(f"status of {name}", status, 403)


@test
def test_no_operation_permits_nothing():
    with Guarded(token("bob", operations=[])) as gateway:
        for name, request in guards.requests("users/bob/x").items():
            equal(f"status of {name}",
                  guards.ask(gateway, bearer("bob"), request).status, 403)


@test
def test_a_refused_delete_deletes_nothing():
    with Guarded(token("bob", operations=["list", "download"]),
                 token("root", prefixes=[""])) as gateway:
        key = guards.upload(gateway, bearer("root"), "users/bob").json["key"]
        request = guards.requests(key)["delete"]
        equal("status", guards.ask(gateway, bearer("bob"), request).status,
              403)
        request = guards.requests(key)["download"]
        equal("status", guards.ask(gateway, bearer("bob"), request).status,
              200)


@test
def test_an_upload_that_is_refused_is_not_received():
    """Before the body is asked for, also where its key would be refused."""
    with Guarded(token("old", expires="2020-01-01T00:00:00Z"),
                 token("bob", operations=["list"])) as gateway:
        for who, status in (("old", 401), ("bob", 403), ("eve", 401)):
            answer = gateway.ask("POST", "/files", FORM, "Content-Length: 99",
                                 "Expect: 100-continue", *bearer(who))
            equal(f"status of {who}", answer.status, status)


# ---- how far ---------------------------------------------------------------

@test
def test_a_user_is_confined_to_their_prefix():
    with Guarded(token("bob"), token("alice")) as gateway:
        guards.is_confined(gateway, bearer("bob"), bearer("alice"))


@test
def test_a_refusal_does_not_tell_whether_an_object_exists():
    with Guarded(token("bob"), token("alice"), token(
            "old", expires="2020-01-01T00:00:00Z")) as gateway:
        key = guards.upload(gateway, bearer("alice"),
                            "users/alice").json["key"]
        absent = key[:-5] + "z.txt"
        for lines in ([], bearer("bob"), bearer("nobody"), bearer("old")):
            guards.says_nothing_of_objects(gateway, lines, key, absent)


@each({"..": "..", ".": ".", "slash": "bob/x", "climb": "../bob"})
def test_an_identity_that_climbs_reaches_nothing(identity):
    with Guarded(token(identity, key="k" * 32)) as gateway:
        for prefix in (f"users/{identity}/", "users/", "users//",
                       "users/bob/", "users/bob/x/", "bob/"):
            answer = gateway.ask("GET", f"/files?prefix={prefix}",
                                 f"Authorization: Bearer {'k' * 32}")
            among(f"status of {prefix}", answer.status, (400, 403))


@test
def test_several_prefixes_are_all_reached():
    with Guarded(token("bob", prefixes=["public/", "users/{user}/"])) \
            as gateway:
        for prefix, status in (("public/", 200), ("users/bob/", 200),
                               ("publi", 403), ("users/eve/", 403)):
            answer = gateway.ask("GET", f"/files?prefix={prefix}",
                                 *bearer("bob"))
            equal(f"status of {prefix}", answer.status, status)


@test
def test_no_prefix_reaches_no_key():
    with Guarded(token("bob", prefixes=[])) as gateway:
        for name, request in guards.requests("users/bob/x").items():
            equal(f"status of {name}",
                  guards.ask(gateway, bearer("bob"), request).status, 403)


@test
def test_a_presigned_link_needs_no_token():
    with Guarded(token("bob")) as gateway:
        key = guards.upload(gateway, bearer("bob"), "users/bob").json["key"]
        link = guards.ask(gateway, bearer("bob"),
                          guards.requests(key)["presign"]).json["url"]
        target = "/" + link.split("://", 1)[1].split("/", 1)[1]
        equal("status", gateway.ask("GET", target).status, 200)
        equal("status when changed",
              gateway.ask("GET", target.replace("bob", "eve")).status, 403)


# ---- files that change -----------------------------------------------------

@test
def test_a_changed_file_is_read_while_it_runs():
    guarded = Guarded(token("bob"))
    with guarded as gateway:
        equal("status", listed(gateway, "bob").status, 200)
        equal("status", listed(gateway, "eve").status, 401)
        guarded.rewrite(token("eve"))
        comes_to(gateway, "bob", 401)
        comes_to(gateway, "eve", 200)
        gateway.says("was read again")


@test
def test_sighup_reads_the_file():
    guarded = Guarded(token("bob"), interval="0")
    with guarded as gateway:
        guarded.rewrite(token("eve"))
        gateway.signal(signal.SIGHUP)
        comes_to(gateway, "eve", 200)
        comes_to(gateway, "bob", 401)


BROKEN = {
    "not yaml": "tokens: [",
    "empty": "",
    "no tokens": "{}",
    "unknown key": '{"tokens": [], "token": []}',
    "too large": "#" * (4 << 20) + "\ntokens: []",
    "bad hash": '{"tokens": [{"sha256": "12"}]}',
}


@each(BROKEN)
def test_a_broken_file_leaves_the_tokens_as_they_were(text):
    guarded = Guarded(token("bob"))
    with guarded as gateway:
        replaced(guarded.folder.name, text)  # at once: it is one version
        line = gateway.says(r"error \[auth_token\] .*tokens.yaml.*stays in")
        equal("status", listed(gateway, "bob").status, 200)
        guarded.rewrite(token("eve"))
        comes_to(gateway, "eve", 200)
        equal("times it was said", gateway.lines.count(line), 1)


@test
def test_a_file_that_is_gone_leaves_the_tokens_as_they_were():
    guarded = Guarded(token("bob"))
    with guarded as gateway:
        Path(guarded.folder.name, "tokens.yaml").unlink()
        gateway.says("can't be read: No such file")
        equal("status", listed(gateway, "bob").status, 200)


@test
def test_a_token_revoked_during_an_upload_stores_nothing():
    guarded = Guarded(token("bob"), token("root", prefixes=[""]),
                      sections={"server": {"workers": "1"}})
    with guarded as gateway, Wire(gateway.url) as wire:
        body = form(field("prefix", "users/bob"), file(b"x" * 5000))
        wire.send(head("POST", "/files", FORM, *bearer("bob"),
                       "Expect: 100-continue",
                       f"Content-Length: {len(body)}"))
        equal("interim", wire.head().status, 100)  # it was admitted
        guarded.rewrite(token("root", prefixes=[""]))
        comes_to(gateway, "bob", 401)
        wire.send(body)
        answer = wire.answer()
        equal("refusal", (answer.status, answer.error),
              (401, "The token was revoked"))
        answer = gateway.ask("GET", "/files?prefix=users/", *bearer("root"))
        equal("objects", answer.json["objects"], [])


# ---- starting --------------------------------------------------------------

def tokens_refused(text, *words):
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = Path(folder, "tokens.yaml")
        path.write_text(text)
        refusal({"hooks": [{"plugin": "auth_token", "file": str(path)}]},
                *words)


@test
def test_a_bad_file_at_the_start_stops_it():
    tokens_refused("tokens:\n- identty: bob\n", r"tokens\.yaml:2: ",
                   "unknown key 'identty'; did you mean 'identity'")
    tokens_refused("", "the file is empty")
    same = token("bob")
    tokens_refused(json.dumps({"tokens": [same, same]}, indent=1),
                   "its sha256 is that of the token in line")


@test
def test_a_file_that_is_not_there_stops_it():
    refusal({"hooks": [{"plugin": "auth_token", "file": "/nowhere/t.yaml"}]},
            "/nowhere/t.yaml: can't be read: No such file")


@each({"realm": {"realm": "é"}, "long realm": {"realm": "x" * 129},
       "header": {"header": "X Key"}, "authorization":
       {"header": "Authorization"}, "interval": {"interval": "25h"}})
def test_options_out_of_range_are_refused(options):
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = written_tokens(folder, token("bob"))
        refusal({"hooks": [{"plugin": "auth_token", "file": path,
                            **options}]}, next(iter(options)))


@test
def test_a_file_that_others_may_read_is_warned_about():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as folder:
        path = Path(written_tokens(folder, token("bob")))
        path.chmod(0o644)
        hook = {"plugin": "auth_token", "file": str(path)}
        with Gateway({"hooks": [hook]}) as gateway:
            gateway.says("can be read or written by any user")
        path.chmod(0o640)
        with Gateway({"hooks": [hook]}) as gateway:
            expect(not any("any user" in line for line in gateway.lines),
                   "it warns without need")


@test
def test_the_example_is_accepted_with_its_tokens():
    folder = Path(SOURCES, "plugins", "hook", "auth_token")
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as scratch:
        text = Path(folder, "auth_token.yaml").read_text()
        text = text.replace("0.0.0.0:8000", "127.0.0.1:0")
        text = text.replace("file: tokens.yaml",
                            f"file: {folder / 'tokens.yaml'}")
        text = text.replace("./data", f"{scratch}/data")
        plugins = json.dumps(settings(scratch)["plugin_path"])
        path = written(scratch, f"plugin_path: {plugins}\n{text}")
        equal("sluice -t", run("-c", path, "-t")[0], 0)
        with Gateway(folder=scratch, sections={"hooks": [
                {"plugin": "auth_token",
                 "file": str(folder / "tokens.yaml")}]}) as gateway:
            answer = gateway.ask(
                "GET", "/files?prefix=public/", "Authorization: Bearer "
                "bm90IGEgc2VjcmV0OiBmcm9tIHRoZSBtYW51YWwgIQ==")
            equal("the manual's key", answer.status, 200)


main()
